"""Random quantized ONNX models, compiled and verified: branches, joins, pools with padding, uint8 and int8.

SPDX-License-Identifier: Apache-2.0

usage: onnx_nets.py ESPALIER WORK [COUNT [SEED]]

Each model has a convolution, two branches of different scales that QLinearConcat or QLinearAdd joins,
pools, and a dense layer. It must import, and the simulated accelerator must equal the reference on
every layer. A model that lowering refuses because a float32 scale has no exact form is counted, and
may not be more than one in three.
"""
import os
import random
import struct
import subprocess
import sys


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


class Model:
    def __init__(self, rng):
        self.rng = rng
        self.graph = b""
        self.unsigned = rng.random() < 0.6
        self.names = 0

    def name(self, kind):
        self.names += 1
        return f"{kind}_{self.names}"

    def constant(self, kind, dims, data):
        name = self.name("c")
        tensor = b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + field(9, data)
        self.graph += field(5, tensor)
        return name

    def real(self, values):
        single = not isinstance(values, list)
        values = [values] if single else values
        return self.constant(1, [] if single else [len(values)], struct.pack(f"<{len(values)}f", *values))

    def zero(self, value):
        return self.constant(2 if self.unsigned else 3, [], struct.pack("B" if self.unsigned else "b", value))

    def border(self, number, name, dims):
        shape = b"".join(field(1, field(1, d)) for d in dims)
        kind = field(1, field(1, 1) + field(2, shape))
        self.graph += field(number, field(1, name) + field(2, kind))

    def node(self, kind, inputs, domain="", **attributes):
        out = self.name(kind)
        body = b"".join(field(1, i) for i in inputs) + field(2, out) + field(4, kind)
        for key, value in attributes.items():
            if isinstance(value, list):
                body += field(5, field(1, key) + b"".join(field(8, v) for v in value) + field(20, 7))
            else:
                body += field(5, field(1, key) + field(3, value) + field(20, 2))
        self.graph += field(1, body + (field(7, domain) if domain else b""))
        return out

    def scaling(self, least=0.02, most=0.1):
        zero = self.rng.randrange(256) - (0 if self.unsigned else 128)
        return self.real(self.rng.uniform(least, most)), self.zero(zero)

    def weights(self, dims, zeros=0.3):
        count = 1
        for d in dims:
            count *= d
        values = [0 if self.rng.random() < zeros else self.rng.randrange(-127, 128) for _ in range(count)]
        name = self.constant(3, dims, struct.pack(f"{count}b", *values))
        scales = self.real([self.rng.uniform(0.001, 0.004) for _ in range(dims[0])])
        return name, scales, self.constant(3, [dims[0]], bytes(dims[0]))

    def bias(self, count):
        return self.constant(6, [count], struct.pack(f"<{count}i", *[self.rng.randrange(-3000, 3000) for _ in range(count)]))

    def conv(self, x, channels, outputs, kernel, group=1):
        w, ws, wz = self.weights([outputs, channels // group, kernel, kernel])
        y = self.scaling()
        pad = kernel // 2
        out = self.node("QLinearConv", [x[0], *x[1], w, ws, wz, *y, self.bias(outputs)], kernel_shape=[kernel] * 2,
                        pads=[pad] * 4, strides=[1, 1], group=group)
        return out, y

    def bytes(self):
        opset = field(1, "") + field(2, 13)
        return field(1, 8) + field(8, opset) + field(7, self.graph)


def make(seed):
    rng = random.Random(seed)
    m = Model(rng)
    side = rng.randrange(5, 9)
    channels = rng.choice([1, 3])
    m.border(11, "x", [1, channels, side, side])
    x = m.scaling()
    x = (m.node("QuantizeLinear", ["x", *x]), x)
    n = rng.choice([4, 6])
    x = m.conv(x, channels, n, 3)
    a = m.conv(x, n, n, 1)
    b = m.conv(x, n, n, 3, group=rng.choice([1, 2, n]))
    y = m.scaling()
    if rng.random() < 0.5:
        x = m.node("QLinearConcat", [*y, a[0], *a[1], b[0], *b[1]], "com.microsoft", axis=1), y
        n *= 2
    else:
        x = m.node("QLinearAdd", [a[0], *a[1], b[0], *b[1], *y], "com.microsoft"), y
    if rng.random() < 0.7:
        x = m.node("MaxPool", [x[0]], kernel_shape=[3, 3], pads=[1] * 4, strides=[rng.choice([1, 2])] * 2), x[1]
        side = None
    if rng.random() < 0.7:
        pad = rng.choice([0, 1])
        x = m.node("QLinearAveragePool", [x[0], *x[1], *x[1]], "com.microsoft", kernel_shape=[2 + pad] * 2,
                   pads=[pad] * 4, strides=[1, 1], count_include_pad=rng.choice([0, 1])), x[1]
    if rng.random() < 0.3:
        y = m.scaling()
        x = m.node("QLinearLeakyRelu", [x[0], *x[1], *y], "com.microsoft"), y
    x = m.conv(x, n, 5, 1)
    y = m.scaling()
    x = m.node("QLinearGlobalAveragePool", [x[0], *x[1], *y], "com.microsoft", channels_last=0), y
    x = m.node("Flatten", [x[0]], axis=1), x[1]
    w, ws, wz = m.weights([7, 5])
    y = m.scaling()
    x = m.node("QGemm", [x[0], *x[1], w, ws, wz, m.bias(7), *y], "com.microsoft", transB=1), y
    out = m.node("DequantizeLinear", [x[0], *x[1]])
    m.border(12, out, [1, 7])
    return m.bytes()


def main():
    espalier, work = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 12
    first = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    os.makedirs(work, exist_ok=True)
    os.environ.setdefault("ESPALIER_CACHE", os.path.join(work, "cache"))
    refused = 0
    for seed in range(first, first + count):
        path, folder = os.path.join(work, f"random_{seed}.onnx"), os.path.join(work, f"random_{seed}")
        with open(path, "wb") as file:
            file.write(make(seed))
        done = subprocess.run([espalier, "compile", path, "--array", "8x1", "-o", folder, "--quiet"],
                              capture_output=True, text=True, check=False)
        if "no exact" in done.stderr:
            refused += 1
            print(f"{seed}: {done.stderr.strip()}")
            continue
        if done.returncode:
            print(f"FAIL {seed}: {done.stderr.strip()}")
            return 1
        done = subprocess.run([espalier, "verify", folder, "--extremes", "8"], capture_output=True, text=True, check=False)
        print(f"{seed}: {(done.stdout + done.stderr).strip()}")
        if done.returncode:
            return 1
    return refused * 3 > count


if __name__ == "__main__":
    sys.exit(main())
