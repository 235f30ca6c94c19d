# Does ONNX Runtime compute the reference's bits from what `espalier export` writes?
# SPDX-License-Identifier: Apache-2.0
"""Random networks: exported in the QOperator form, checked by onnx.checker with shape inference,
run by ONNX Runtime; every tensor of the net is compared with `espalier reference`, byte for byte.
With --images the embedded network over Fashion-MNIST's test images, in both roundings.

Needs the Python packages onnx, onnxruntime and numpy; exits with 77 without them. For tests only:
the product runs no Python.

usage: onnx_export.py --espalier PATH [--count N] [--seed S] [--keep FOLDER]
       onnx_export.py --espalier PATH --model FILE --images GZ [--samples N]
"""

import argparse
import gzip
import json
import math
import os
import random
import subprocess
import sys
import tempfile

EXIT_SKIP = 77

try:
    import numpy as np
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"SKIP  {missing}")
    sys.exit(EXIT_SKIP)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cosim"))
import random_nets  # noqa: E402


class Net(random_nets.Net):
    """What the hardware's random networks do not have."""

    def pad(self, t):
        rows, columns, channels = self.shape(t)
        pads = [self.rng.randint(0, 2) for _ in range(4)]
        y = self.tensor(rows + pads[0] + pads[1], columns + pads[2] + pads[3], channels)
        self.op("pad", [t], y, pads=pads)
        self.ops[-1]["high"] = 127
        return y

    def logistic(self, t):
        y = self.tensor(*self.shape(t))
        self.op("logistic", [t], y, table=[self.rng.randint(-128, 127) for _ in range(256)])
        self.ops[-1]["high"] = 127
        return y

    def mean(self, t):
        rows, columns, channels = self.shape(t)
        mantissa, exponent = math.frexp(self.rng.uniform(0.5, 2) / (rows * columns))
        y = self.op("mean", [t], self.tensor(1, 1, channels),
                    multipliers=[min(round(mantissa * 2 ** 31), 2 ** 31 - 1)], exponents=[exponent])
        self.ops[-1]["high"] = 127
        return y

    def spatial_dense(self, t):
        inputs, outputs = math.prod(self.shape(t)), self.rng.randint(1, 50)
        return self.op("dense", [t], self.tensor(1, 1, outputs),
                       **self.scales(outputs, inputs, self.rng.random() < 0.5),
                       weights=self.weights(outputs * inputs))

    def reshape(self, t):
        rows, columns, channels = self.shape(t)
        y = self.tensor(columns, channels, rows, self.tensors[t]["zero_point"])
        self.op("reshape", [t], y)
        self.ops[-1]["high"] = 127
        return y

    def json(self):
        """One of the three roundings; ONNX's has scales that are float32s, and its own sums and averages."""
        text = json.loads(super().json())
        text["rounding"] = self.rng.choice(["tflm", "single", "onnx"])
        if text["rounding"] != "onnx" or any(o["kind"] == "softmax" for o in text["ops"]):
            text["rounding"] = text["rounding"].replace("onnx", "single")
            return json.dumps(text)
        for t in text["tensors"]:
            t["scale"] = float(np.float32(0.05 * self.rng.uniform(0.8, 1.25)))
        for op in text["ops"]:
            if "multipliers" in op:
                op["multipliers"] = [m & ~127 for m in op["multipliers"]]
            if op["kind"] == "average_pool":
                op["count_pads"] = self.rng.random() < 0.3
            if op["kind"] == "add":
                scales = [np.float32(text["tensors"][i]["scale"]) for i in op["inputs"] + [op["output"]]]
                ratios = [math.frexp(float(s / scales[2])) for s in scales[:2]]
                op["multipliers"] = [int(r[0] * 2 ** 31) for r in ratios] + [1 << 30]
                op["exponents"] = [r[1] for r in ratios] + [1]
                op["file_offset"] = self.rng.choice([0, 128])
        return json.dumps(text)

    def softmax(self, t):
        y = self.tensor(*self.shape(t), zero=-128)
        exponent = self.rng.randint(19, 25)
        self.op("softmax", [t], y, multipliers=[self.rng.randint(2 ** 30, 2 ** 31 - 1)], exponents=[exponent],
                least=-((31 << 26) >> exponent))
        self.ops[-1]["high"] = 127
        return y


def build(rng):
    net = Net(rng)
    flat = rng.random() < 0.15
    t = net.tensor(1 if flat else rng.randint(2, 14), 1 if flat else rng.randint(1, 14), rng.choice([1, 3, 8, 20]))
    for _ in range(rng.randint(1, 4)):
        t = rng.choice([net.conv, net.conv, net.depthwise, net.pool, net.branches, net.pad, net.logistic,
                        net.reshape])(t)
    if rng.random() < 0.3:
        t = net.mean(t)
    elif rng.random() < 0.5:
        t = net.spatial_dense(t)
    if rng.random() < 0.4:
        t = net.dense(t)
    if rng.random() < 0.4:
        net.softmax(t)
    return net


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run(model, values):
    """All int8 values of the model that have names of the net."""
    known = {v.name for v in model.graph.value_info}
    outputs = {v.name for v in model.graph.output}
    model.graph.output.extend(v for v in model.graph.value_info if v.name in known - outputs)
    s = session(model)
    return dict(zip([o.name for o in s.get_outputs()], s.run(None, {s.get_inputs()[0].name: values})))


def to_nchw(array, shape):
    rows, columns, channels = shape
    if rows == columns == 1:
        return np.ascontiguousarray(array.reshape(-1, channels))
    return np.ascontiguousarray(array.reshape(-1, rows, columns, channels).transpose(0, 3, 1, 2))


def random_model(args, folder, i):
    rng = random.Random(f"{args.seed}.{i}")
    net = build(rng)
    path, sample, exported, tensors = (os.path.join(folder, n) for n in ("net.json", "in.bin", "net.onnx", "t"))
    text = net.json()
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    count = 3
    data = np.frombuffer(rng.randbytes(count * math.prod(net.shape(0))), np.int8)
    data.tofile(sample)
    done = subprocess.run([args.espalier, "export", path, "-o", exported], capture_output=True, text=True, check=False)
    if done.returncode:
        return 0, 0, done.stderr.strip()
    os.makedirs(tensors, exist_ok=True)
    subprocess.run([args.espalier, "reference", path, "--input", sample, "--tensors", tensors, "--quiet"], check=True)
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    got = run(model, to_nchw(data, net.shape(0)))
    compared = 0
    for t, tensor in enumerate(net.tensors[1:], 1):
        want = np.concatenate([np.fromfile(os.path.join(tensors, f"{s}.{t:03d}.{tensor['name']}.bin"), np.int8)
                               for s in range(count)])
        have = got[tensor["name"]]
        want = to_nchw(want, net.shape(t)).reshape(have.shape)
        compared += want.size
        if not np.array_equal(want, have):
            maker = next(o["kind"] for o in net.ops if o["output"] == t)
            return compared, 1, f"{tensor['name']} ({maker}): {(want != have).sum()} of {want.size} differ"
    return compared, sum(n.op_type in ("QLinearConv", "QGemm") for n in model.graph.node), ""


def random_models(args):
    failed = compared = linear = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = args.keep or folder
        for i in range(args.count):
            count, operators, why = random_model(args, folder, i)
            compared += count
            linear += operators
            if why:
                failed += 1
                print(f"FAILED {args.seed}.{i}: {why}")
                if args.keep:
                    return 1
    print(f"{args.count} networks, {compared} elements compared, {failed} networks differ; {linear} QLinear operators")
    return 1 if failed or not linear else 0


def embedded(args):
    with gzip.open(args.images) as file:
        pixels = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28, 28, 1)[:args.samples]
    stored = (pixels.astype(np.int16) - 128).astype(np.int8)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        sample, exported, expected = (os.path.join(folder, n) for n in ("in.bin", "net.onnx", "out.bin"))
        stored.tofile(sample)
        for rounding in ("tflm", "single"):
            model = [args.model] + ([] if args.model.endswith(".json") else ["--rounding", rounding])
            said = subprocess.run([args.espalier, "export", *model, "-o", exported], check=True, text=True,
                                  capture_output=True).stdout.strip().partition(": ")[2]
            subprocess.run([args.espalier, "reference", *model, "--input", sample, "-o", expected, "--quiet"],
                           check=True)
            s = session(onnx.load(exported))
            got = s.run(None, {s.get_inputs()[0].name: to_nchw(stored, (28, 28, 1))})[0]
            want = np.fromfile(expected, np.int8).reshape(got.shape)
            differ = int((got != want).sum())
            failed += differ > 0
            label = "net" if args.model.endswith(".json") else rounding
            print(f"{label}: {len(stored)} images, {differ} of {want.size} outputs differ; {said}")
            if args.model.endswith(".json"):
                break
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep")
    parser.add_argument("--model")
    parser.add_argument("--images")
    parser.add_argument("--samples", type=int, default=10000)
    args = parser.parse_args()
    if not args.images:
        return random_models(args)
    if not os.path.exists(args.images):
        print(f"SKIP  {args.images} is not there (Debian: dataset-fashion-mnist)")
        return EXIT_SKIP
    return embedded(args)


if __name__ == "__main__":
    sys.exit(main())
