#!/usr/bin/env python3
"""From labelled images to a verified accelerator: train, quantize in several ways, compile, verify bit by bit.

The images are drawn here: bars at random places, their direction and thickness the class.
Needs nothing but Python itself. SPDX-License-Identifier: Apache-2.0
usage: quantize.py ESPALIER WORK ARRAY
"""
import json
import os
import random
import struct
import subprocess
import sys

espalier, work, array = sys.argv[1:4]
folder = os.path.join(work, f"quantize-{array}")
os.makedirs(folder, exist_ok=True)
environment = {**os.environ, "ESPALIER_CACHE": os.path.join(work, "cache")}
SIDE, CLASSES = 12, 4


def path(name):
    return os.path.join(folder, name)


def image(rng, label):
    pixels = [rng.randint(0, 60) for _ in range(SIDE * SIDE)]
    at, thick, light = rng.randint(1, SIDE - 4), 1 + label // 2 * 2, rng.randint(150, 255)
    for along in range(SIDE):
        for across in range(at, min(at + thick, SIDE)):
            row, column = (along, across) if label % 2 else (across, along)
            pixels[row * SIDE + column] = max(0, light - rng.randint(0, 80))
    return bytes(pixels)


def write_data(name, count, seed):
    rng = random.Random(seed)
    labels = [i % CLASSES for i in range(count)]
    images = [image(rng, label) for label in labels]
    with open(path(f"{name}-images-idx3-ubyte"), "wb") as file:
        file.write(struct.pack(">IIII", 0x803, count, SIDE, SIDE) + b"".join(images))
    with open(path(f"{name}-labels-idx1-ubyte"), "wb") as file:
        file.write(struct.pack(">II", 0x801, count) + bytes(labels))
    return images


def run(*arguments):
    done = subprocess.run([espalier, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def refused(code, *arguments):
    done = subprocess.run([espalier, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def quantize(name, *options):
    report = json.loads(run("quantize", path("float.json"), "--data", folder, "--validation", "100",
                            "-o", path(name + ".json"), "--json", *options))
    print(f"{name}: float {report['float_accuracy']:.3f}, integer {report['accuracy']:.3f}, "
          f"{report['bytes']} bytes, {report['agreement']['differing']} of "
          f"{report['agreement']['stored_values']} stored values differ from the float forward's")
    assert report["agreement"]["differing"] <= report["agreement"]["stored_values"] / 10000, report
    return report


def accuracy_by_reference(name, images):
    """Counted here, of the results that the reference writes."""
    run("reference", path(name + ".json"), "--input", path("test.bin"), "--output", path("test.out"), "--quiet")
    with open(path("test.out"), "rb") as file:
        results = file.read()
    right = 0
    for i in range(len(images)):
        scores = [(b + 128) % 256 for b in results[i * CLASSES:(i + 1) * CLASSES]]
        right += scores.index(max(scores)) == i % CLASSES
    return right / len(images)


def verify(name):
    run("compile", path(name + ".json"), "--array", array, "-o", path(name), "--quiet")
    run("verify", path(name), "--input", path("test.bin"), "--samples", "12", "--quiet")


write_data("train", 1600, 1)
tests = write_data("t10k", 400, 2)
with open(path("test.bin"), "wb") as raw:
    raw.write(b"".join(bytes((b + 128) % 256 for b in pixels) for pixels in tests))

run("train", "--data", folder, "--validation", "100", "--family", "width=8,stages=2,residual,convolutions=2",
    "--epochs", "8", "--rate", "0.05", "-o", path("float.json"), "--quiet")
reports = {
    "w8a8": quantize("w8a8"),
    "w4a4": quantize("w4a4", "--weights", "4", "--activations", "4", "--gptq", "--equalize", "--bias-correction"),
    "w2a3": quantize("w2a3", "--weights", "2", "--activations", "3", "--epochs", "3", "--rate", "0.02",
                     "--graph", path("w2a3.graph.json")),
    "mixed": quantize("mixed", "--budget", "2500", "--method", "percentile", "--activations", "6"),
}
assert reports["w8a8"]["float_accuracy"] > 0.9, reports["w8a8"]
assert reports["w8a8"]["accuracy"] >= reports["w8a8"]["float_accuracy"] - 0.01
assert reports["w2a3"]["accuracy"] >= 0.8, reports["w2a3"]
assert reports["mixed"]["bytes"] <= 2500, reports["mixed"]
assert len({layer["weight_bits"] for layer in reports["mixed"]["layers"]}) > 1, reports["mixed"]
assert {layer["weight_bits"] for layer in reports["w2a3"]["layers"]} == {2}
for key, report in reports.items():
    assert abs(accuracy_by_reference(key, tests) - report["accuracy"]) < 1e-9, key
    verify(key)

# the same seed, the same bytes, whatever the threads
for threads in ("1", "2"):
    quantize("again" + threads, "--weights", "3", "--epochs", "1", "--seed", "5", "--threads", threads)
with open(path("again1.json"), "rb") as one, open(path("again2.json"), "rb") as two:
    assert one.read() == two.read()

common = ["quantize", path("float.json"), "--data", folder, "--validation", "100", "-o", path("no.json")]
assert "2 to 8 bits" in refused(2, *common, "--weights", "9")
assert "no layer nothing" in refused(2, *common, "--layer", "nothing=4")
assert "bytes at least are needed" in refused(4, *common, "--budget", "100")
assert "--epochs N is missing" in refused(2, *common, "--teacher", path("float.json"))
assert not os.path.exists(path("no.json"))
