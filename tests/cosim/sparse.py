#!/usr/bin/env python3
"""A quarter of the weights left: what the convolutions then cost, against the dense network, and still exact.

Zeros at random may take 1.3 of a quarter of the dense cycles, zeros balanced per split 1.1.
SPDX-License-Identifier: Apache-2.0
usage: sparse.py ESPALIER WORK MODEL ARRAY
"""
import json
import os
import random
import subprocess
import sys

espalier, work, model, array = sys.argv[1:5]
if not os.path.exists(model):
    print(f"SKIPPED: {model} is not there (set ESPALIER_MODELS)")
    sys.exit(77)
splits = int(array.split("x")[1])
folder = os.path.join(work, f"sparse-{array}")
os.makedirs(folder, exist_ok=True)
environment = {**os.environ, "ESPALIER_CACHE": os.path.join(work, "cache")}


def path(name):
    return os.path.join(folder, name)


def run(*arguments):
    subprocess.run([espalier, *arguments, "--quiet"], check=True, env=environment)


def load(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def cycles(name):
    return {layer["name"]: layer["cycles"] for layer in load(name + "/manifest.json")["layers"]
            if layer["kind"] == "conv"}


def thin(net, split_of):
    """Keeps a quarter of each convolution's weights: at random, or of each split's taps of each channel."""
    net, rng = json.loads(json.dumps(net)), random.Random(1)
    for op in net["ops"]:
        if op["kind"] != "conv":
            continue
        weights, outputs = op["weights"], len(op["bias"])
        inputs = net["tensors"][op["inputs"][0]]["shape"][2]
        size = len(weights) // outputs
        for o in range(outputs):
            groups = {}
            for i in range(size):
                where = i * splits // size
                if split_of and split_of[op["name"]]:
                    where = split_of[op["name"]][i % inputs]
                groups.setdefault(where if split_of else 0, []).append(o * size + i)
            for members in groups.values():
                kept = set(rng.sample(members, round(len(members) / 4))) if split_of else \
                    {i for i in members if rng.random() < 0.25}
                for i in members:
                    weights[i] = (weights[i] or 1) if i in kept else 0
    return net


def check(name, net, limit, dense, *more):
    with open(path(name + ".json"), "w", encoding="utf-8") as file:
        json.dump(net, file)
    run("compile", path(name + ".json"), "--array", array, "-o", path(name), *more)
    run("verify", path(name), "--extremes", "5")
    thinned = cycles(name)
    share = sum(thinned[layer] for layer in dense) / sum(dense.values())
    print(f"{name}: {sum(thinned[layer] for layer in dense)} of {sum(dense.values())} cycles in convolutions: "
          f"{share / 0.25:.3f} of a quarter, at most {limit}")
    return share <= limit * 0.25


run("compile", model, "--array", array, "-o", path("dense"))
graph, plan = load("dense/net.json"), load("dense/plan.json")
by_tensor = {t["tensor"]: t.get("splits") for t in plan["tensors"]}
by_op = {op["name"]: by_tensor.get(graph["tensors"][op["inputs"][0]]["name"]) for op in graph["ops"]}
fine = check("random", thin(graph, None), 1.3, cycles("dense"))
fine &= check("balanced", thin(graph, by_op), 1.1, cycles("dense"), "--plan", path("dense/plan.json"))
sys.exit(0 if fine else 1)
