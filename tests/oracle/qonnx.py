"""QONNX models of few bits against their meaning in floats, evaluated here node by node.

SPDX-License-Identifier: Apache-2.0

usage: qonnx.py ESPALIER WORK [COUNT]

Each model has Quant on its input, weights of 2 to 8 bits, a batch normalization and a Relu before a
Quant of 2 to 8 bits, weights of one bit (BipolarQuant), a mean and a dense layer. Sums are exact
integers on both sides; the normalization's offset is rounded to a unit of the sum, which may move a
value near a half by a step, and with it what follows: nine outputs in ten must be equal, the others
at most four steps away.
"""
import os
import random
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cosim"))
from onnx_nets import Model, field  # noqa: E402

DOMAIN = "qonnx.custom_op.general"


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def quant(values, scale, bits, signed):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [max(low, min(high, round(v / scale))) * scale for v in values]


class Network:
    """The ONNX file and, beside it, the function that it stands for."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.m = Model(self.rng)
        self.steps = []

    def numbers(self, dims, low, high):
        count = 1
        for d in dims:
            count *= d
        values = [f32(self.rng.uniform(low, high)) for _ in range(count)]
        return self.m.constant(1, dims, struct.pack(f"<{count}f", *values)), values

    def quant(self, name, scale, bits, signed):
        m = self.m
        inputs = [name, m.real(scale), m.real(0.0), m.real(float(bits))]
        return m.node("Quant", inputs, DOMAIN, signed=int(signed), narrow=0)

    def weights(self, dims, bits):
        name, values = self.numbers(dims, -1, 1)
        if bits == 1:
            scale = f32(self.rng.uniform(0.1, 0.3))
            return self.m.node("BipolarQuant", [name, self.m.real(scale)], DOMAIN), [scale if v >= 0 else -scale for v in values]
        scale = f32(2.04 / (1 << bits))
        return self.quant(name, scale, bits, True), quant(values, scale, bits, True)


def conv(x, w, channels, outputs, side, kernel):
    pad, out = kernel // 2, []
    for o in range(outputs):
        for r in range(side):
            for c in range(side):
                total = 0.0
                for i in range(channels):
                    for a in range(kernel):
                        for b in range(kernel):
                            y, z = r + a - pad, c + b - pad
                            if 0 <= y < side and 0 <= z < side:
                                total += x[(i * side + y) * side + z] * w[((o * channels + i) * kernel + a) * kernel + b]
                out.append(total)
    return out


def make(seed):
    n = Network(seed)
    m, rng = n.m, n.rng
    side, mid = 5, 4
    m.border(11, "x", [1, 2, side, side])
    s0 = f32(rng.uniform(0.01, 0.03))
    x = n.quant("x", s0, 8, False)
    w1, v1 = n.weights([mid, 2, 3, 3], rng.choice([2, 4, 8]))
    x = m.node("Conv", [x, w1], kernel_shape=[3, 3], pads=[1] * 4)
    parts = [n.numbers([mid], *r) for r in ((-1.5, 1.5), (-1, 1), (-1, 1), (0.5, 2))]
    x = m.node("BatchNormalization", [x] + [p[0] for p in parts])
    x = m.node("Relu", [x])
    b1, s1 = rng.choice([2, 4, 8]), f32(rng.uniform(0.1, 0.3))
    x = n.quant(x, s1, b1, False)
    w2, v2 = n.weights([3, mid, 1, 1], 1)
    x = m.node("Conv", [x, w2], kernel_shape=[1, 1])
    s2 = f32(rng.uniform(0.01, 0.03))
    x = n.quant(x, s2, 8, True)
    x = m.node("GlobalAveragePool", [x])
    s3 = f32(rng.uniform(0.01, 0.02))
    x = n.quant(x, s3, 8, True)
    x = m.node("Flatten", [x], axis=1)
    w3, v3 = n.weights([3, 6], 4)
    x = m.node("MatMul", [x, w3])
    s4 = f32(rng.uniform(0.01, 0.02))
    x = n.quant(x, s4, 8, True)
    m.border(12, x, [1, 6])

    def function(image):
        y = conv(quant(image, s0, 8, False), v1, 2, mid, side, 3)
        for i, value in enumerate(y):
            g, b, mean, var = (p[1][i // (side * side)] for p in parts)
            y[i] = max(0.0, (value - mean) * g / (var + 1e-5) ** 0.5 + b)
        y = quant(conv(quant(y, s1, b1, False), v2, mid, 3, side, 1), s2, 8, True)
        y = quant([sum(y[c * side * side:(c + 1) * side * side]) / (side * side) for c in range(3)], s3, 8, True)
        return quant([sum(y[i] * v3[i * 6 + o] for i in range(3)) for o in range(6)], s4, 8, True), s4

    return m.bytes(), function, 2 * side * side


def main():
    espalier, work = sys.argv[1:3]
    os.makedirs(work, exist_ok=True)
    equal = total = 0
    for seed in range(1, 1 + (int(sys.argv[3]) if len(sys.argv) > 3 else 12)):
        data, function, size = make(seed)
        rng = random.Random(seed + 1000)
        images = [[f32(rng.uniform(-0.5, 5)) for _ in range(size)] for _ in range(4)]
        paths = [os.path.join(work, f"qonnx_{seed}.{kind}") for kind in ("onnx", "in.bin", "out.bin")]
        for path, content in ((paths[0], data), (paths[1], b"".join(struct.pack(f"<{size}f", *i) for i in images))):
            with open(path, "wb") as file:
                file.write(content)
        done = subprocess.run([espalier, "reference", paths[0], "--input", paths[1], "--output", paths[2], "--quiet"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"FAIL {seed}: {done.stderr.strip()}")
            return 1
        with open(paths[2], "rb") as file:
            got = struct.unpack("<24f", file.read())
        for i, image in enumerate(images):
            expected, step = function(image)
            for o, value in enumerate(expected):
                apart = abs(round((got[6 * i + o] - value) / step))
                total += 1
                equal += apart == 0
                if apart > 4:
                    print(f"FAIL {seed}: image {i}, output {o}: {got[6 * i + o]}, expected {value}")
                    return 1
    print(f"{equal} of {total} outputs equal, the others at most four steps apart")
    return equal * 10 < total * 9


sys.exit(main())
