#!/usr/bin/env python3
"""Plans of random networks, edited at random within what is legal, compiled and verified.

Needs nothing but Python itself. SPDX-License-Identifier: Apache-2.0
usage: plans.py ESPALIER WORK ARRAY COUNT [SEED]
"""
import json
import math
import os
import random
import subprocess
import sys

from random_nets import build


def apart(rng, tensors, key, size, step):
    """All in another order, with gaps: no two share anything."""
    at = 0
    of = [t for t in tensors if key in t]
    for t in rng.sample(of, len(of)):
        t[key] = at = at + step * rng.randint(0, 3)
        at += -(-t[size] // step) * step


def edit(rng, plan):
    """Channels' splits by one renaming for all, so that operands still meet; places; orders."""
    splits = plan["splits"]
    renamed = rng.sample(range(splits), splits)
    if all(t.get("copies", 1) == 1 for t in plan["tensors"]):
        for t in plan["tensors"]:
            if "splits" in t:
                t["splits"] = [renamed[s] for s in t["splits"]]
    apart(rng, plan["tensors"], "word", "words", 1)
    apart(rng, plan["tensors"], "element", "elements", splits)
    apart(rng, plan["tensors"], "byte", "bytes", 8)
    for layer in plan["layers"]:
        rng.shuffle(layer["order"])


def main():
    espalier, work, array, count = sys.argv[1:5]
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    environment = {**os.environ, "ESPALIER_CACHE": os.path.join(work, "cache")}
    folder = os.path.join(work, f"plans-{array}")
    os.makedirs(folder, exist_ok=True)
    model, sample, out, edited, plan = (os.path.join(folder, name)
                                        for name in ("net.json", "in.bin", "out", "edited", "plan.json"))

    def run(*command):
        return subprocess.run([espalier, *command, "--quiet"], env=environment, capture_output=True,
                              text=True, check=False)

    failed = done = refused = 0
    for i in range(int(count)):
        rng = random.Random(f"{seed}.{i}")
        net = build(rng)
        with open(model, "w", encoding="ascii") as file:
            file.write(net.json())
        with open(sample, "wb") as file:
            file.write(rng.randbytes(2 * math.prod(net.shape(0))))
        if run("compile", model, "--array", array, "-o", out).returncode:
            refused += 1
            continue
        with open(os.path.join(out, "plan.json"), encoding="ascii") as file:
            decisions = json.load(file)
        edit(rng, decisions)
        with open(plan, "w", encoding="ascii") as file:
            json.dump(decisions, file)
        result = run("compile", model, "--array", array, "--plan", plan, "-o", edited)
        if not result.returncode:
            result = run("verify", edited, "--input", sample)
        if result.returncode == 4:
            refused += 1
        elif result.returncode:
            failed += 1
            print(f"FAILED {seed}.{i}: exit {result.returncode}: {result.stderr.strip()[:200]}")
        else:
            done += 1
    print(f"{array}: {done} edited plans verified, {refused} do not fit, {failed} failed")
    return 1 if failed or done < int(count) // 2 else 0


if __name__ == "__main__":
    sys.exit(main())
