#!/usr/bin/env python3
"""Random networks in the own form, compiled and verified: shapes, strides, pads, branches, both roundings.

Needs nothing but Python itself. SPDX-License-Identifier: Apache-2.0
usage: random_nets.py ESPALIER WORK ARRAY COUNT [SEED]
"""
import json
import math
import os
import random
import subprocess
import sys


class Net:
    def __init__(self, rng):
        self.rng, self.tensors, self.ops = rng, [], []

    def tensor(self, rows, columns, channels, zero=None):
        zero = self.rng.choice([-128, -128, 0, 5, 127]) if zero is None else zero
        self.tensors.append({"name": f"t{len(self.tensors)}", "shape": [rows, columns, channels],
                             "scale": 0.05, "zero_point": zero})
        return len(self.tensors) - 1

    def shape(self, t):
        return self.tensors[t]["shape"]

    def op(self, kind, inputs, output, **members):
        self.ops.append({"kind": kind, "name": f"{kind}{len(self.ops)}", "inputs": inputs, "output": output,
                         **members, "low": -128, "high": self.rng.choice([127, 127, 90])})
        return output

    def scale(self, taps):
        """A multiplier that spreads sums of so many products over the output's range."""
        real = 2 ** self.rng.uniform(-1.5, 1.0) / (math.sqrt(taps) * 74 * 1.5)
        mantissa, exponent = math.frexp(real)
        return min(round(mantissa * 2 ** 31), 2 ** 31 - 1), exponent

    def weights(self, count):
        zeros = self.rng.choice([0.0, 0.3, 0.8])
        return [0 if self.rng.random() < zeros else self.rng.randint(-127, 127) for _ in range(count)]

    def scales(self, outputs, taps, whole):
        pairs = [self.scale(taps) for _ in range(1 if whole else outputs)]
        return {"scale_per_tensor": whole, "multipliers": [p[0] for p in pairs],
                "exponents": [p[1] for p in pairs],
                "bias": [self.rng.randint(-2000, 2000) for _ in range(outputs)]}

    def window(self, t, most, strides=(1, 1, 2), dilations=(1,)):
        """A kernel, its strides and pads, and the size of the result; SAME or VALID."""
        kernel, stride, dilation, pads, size = [], [], [], [], []
        same = self.rng.random() < 0.6
        for axis in (0, 1):
            n, d = self.shape(t)[axis], self.rng.choice(dilations)
            k = self.rng.randint(1, most)
            if not same:
                k = min(k, (n - 1) // d + 1)
            reach, s = (k - 1) * d + 1, self.rng.choice(strides)
            if same:
                out = -(-n // s)
                total = max((out - 1) * s + reach - n, 0)
                pads += [total // 2, total - total // 2]
            else:
                out = (n - reach) // s + 1
                pads += [0, 0]
            kernel.append(k), stride.append(s), dilation.append(d), size.append(out)
        return {"kernel": kernel, "strides": stride, "dilations": dilation, "pads": pads}, size

    def conv(self, t, channels=None, most=5):
        members, size = self.window(t, most, dilations=(1, 1, 2))
        outputs = channels or self.rng.randint(1, 40)
        taps = members["kernel"][0] * members["kernel"][1] * self.shape(t)[2]
        y = self.tensor(*size, outputs)
        return self.op("conv", [t], y, **members, **self.scales(outputs, taps, False),
                       weights=self.weights(outputs * taps))

    def depthwise(self, t):
        members, size = self.window(t, 5)
        multiplier = self.rng.choice([1, 1, 2])
        outputs, taps = self.shape(t)[2] * multiplier, members["kernel"][0] * members["kernel"][1]
        y = self.tensor(*size, outputs)
        return self.op("depthwise", [t], y, depth_multiplier=multiplier, **members,
                       **self.scales(outputs, taps, False), weights=self.weights(outputs * taps))

    def pool(self, t):
        """The greatest of a window, or its average: SAME divides by what lies in the image."""
        kind = self.rng.choice(["max_pool", "average_pool", "average_pool"])
        members, size = self.window(t, 4 if kind == "average_pool" else 3)
        zero = self.tensors[t]["zero_point"]
        return self.op(kind, [t], self.tensor(*size, self.shape(t)[2], zero), **members)

    def branches(self, t):
        """The same input through two convolutions, side by side or summed."""
        a = self.conv_same(t)
        if self.rng.random() < 0.5:
            b = self.conv_same(t, self.shape(a)[2])
            y = self.tensor(*self.shape(a))
            half = (1 << 30, 0)
            out = (1 << 30, -18)
            return self.op("add", [a, b], y, multipliers=[half[0], (1 << 30) + 12345, out[0]],
                           exponents=[half[1], -1, out[1]])
        b = self.conv_same(t)
        self.tensors[b]["zero_point"] = self.tensors[a]["zero_point"]
        rows, columns, channels = self.shape(a)
        y = self.tensor(rows, columns, channels + self.shape(b)[2], self.tensors[a]["zero_point"])
        self.op("concat", [a, b], y)
        self.ops[-1]["high"] = 127
        return y

    def conv_same(self, t, channels=None):
        rows, columns, depth = self.shape(t)
        k = self.rng.choice([1, 3])
        outputs = channels or self.rng.randint(1, 24)
        y = self.tensor(rows, columns, outputs)
        return self.op("conv", [t], y, kernel=[k, k], strides=[1, 1], dilations=[1, 1],
                       pads=[k // 2] * 4, **self.scales(outputs, k * k * depth, False),
                       weights=self.weights(outputs * k * k * depth))

    def dense(self, t):
        rows, columns, depth = self.shape(t)
        inputs, outputs = rows * columns * depth, self.rng.randint(1, 50)
        if rows * columns > 1:
            flat = self.tensor(1, 1, inputs, self.tensors[t]["zero_point"])
            self.op("reshape", [t], flat)
            self.ops[-1]["high"] = 127
            t = flat
        y = self.tensor(1, 1, outputs)
        return self.op("dense", [t], y, **self.scales(outputs, inputs, self.rng.random() < 0.5),
                       weights=self.weights(outputs * inputs))

    def json(self):
        return json.dumps({"format": 1, "name": "random", "rounding": self.rng.choice(["tflm", "single"]),
                           "inputs": [{"tensor": 0, "type": "int8"}],
                           "outputs": [{"tensor": len(self.tensors) - 1, "type": "int8"}],
                           "tensors": self.tensors, "ops": self.ops})


def build(rng):
    net = Net(rng)
    flat = rng.random() < 0.15
    t = net.tensor(1 if flat else rng.randint(3, 20), 1 if flat else rng.randint(1, 20), rng.choice([1, 3, 8, 20]))
    for _ in range(rng.randint(1, 4)):
        t = rng.choice([net.conv, net.conv, net.depthwise, net.pool, net.branches])(t)
    if rng.random() < 0.6:
        for _ in range(rng.randint(1, 3)):
            t = net.dense(t)
    return net


def main():
    espalier, work, array, count = sys.argv[1:5]
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    environment = {**os.environ, "ESPALIER_CACHE": os.path.join(work, "cache")}
    folder = os.path.join(work, f"random-{array}")
    os.makedirs(folder, exist_ok=True)
    model, sample, out = (os.path.join(folder, name) for name in ("net.json", "in.bin", "out"))
    refused = failed = done = 0
    for i in range(int(count)):
        rng = random.Random(f"{seed}.{i}")
        net = build(rng)
        with open(model, "w", encoding="ascii") as file:
            file.write(net.json())
        with open(sample, "wb") as file:
            file.write(rng.randbytes(2 * math.prod(net.shape(0))))
        compiled = subprocess.run([espalier, "compile", model, "--array", array, "-o", out, "--quiet"],
                                  capture_output=True, text=True, check=False)
        if compiled.returncode in (3, 4):
            refused += 1
            print(f"refused {seed}.{i}: {compiled.stderr.strip()[-150:]}")
            continue
        verified = subprocess.run([espalier, "verify", out, "--input", sample, "--quiet"], env=environment,
                                  capture_output=True, text=True, check=False) if not compiled.returncode else compiled
        if verified.returncode:
            failed += 1
            print(f"FAILED {seed}.{i}: exit {verified.returncode}: {verified.stderr.strip()[:200]}")
        else:
            done += 1
    print(f"{array}: {done} networks verified, {refused} refused, {failed} failed")
    return 1 if failed or not done or refused > int(count) // 4 else 0


if __name__ == "__main__":
    sys.exit(main())
