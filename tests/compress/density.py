#!/usr/bin/env python3
"""A network pruned to several densities, by pattern: the cycles that its convolutions then take, simulated.

The plan's cycles must be the simulation's, balanced zeros may cost 1.05 of their share of the dense cycles plus what a
layer costs in any case, zeros anywhere 1.3 of it, and a whole inference must be faster with more zeros.
SPDX-License-Identifier: Apache-2.0
usage: density.py ESPALIER WORK ARRAY [FAMILY [PLOT]]
  FAMILY  of espalier train; the network is hardly trained
  PLOT    without its ending: writes PLOT.tsv and, with gnuplot, PLOT.svg
"""
import json
import os
import random
import shutil
import subprocess
import sys

import bars

espalier, array = os.path.abspath(sys.argv[1]), sys.argv[3]
family = sys.argv[4] if len(sys.argv) > 4 else "width=16,stages=2,depth=2,residual"
plot = sys.argv[5] if len(sys.argv) > 5 else None
work = os.path.join(sys.argv[2], f"density-{array}")
splits = int(array.split("x")[1])
environment = {"ESPALIER_CACHE": os.path.join(sys.argv[2], "cache"), **os.environ}
SPARSITIES = [0, 0.25, 0.5, 0.625, 0.75, 0.875, 0.9375] if plot else [0, 0.5, 0.75]


def path(name):
    return os.path.join(work, name)


def run(*arguments):
    return subprocess.run([espalier, *arguments], check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout


def measure(pattern, sparsity):
    """Density of the convolutions' weights, their cycles and those of an inference, planned and simulated."""
    data = ("--data", path("data"), "--validation", "0")
    run("prune", path("full.json"), *data, "--sparsity", str(sparsity), "--pattern", pattern, "--edges", str(sparsity),
        "--rank", "layer", "--epochs", "0", "-o", path("thin.json"), "--quiet")
    run("quantize", path("thin.json"), *data, "-o", path("net.json"), "--quiet")
    run("compile", path("net.json"), "--array", array, "-o", path("out"), "--quiet")
    if sparsity == SPARSITIES[-1]:
        run("verify", path("out"), "--extremes", "2", "--quiet")
    counters = json.loads(run("simulate", path("out"), "--input", path("image"), "--json"))
    with open(path("out/manifest.json"), encoding="utf-8") as file:
        plan = json.load(file)
    assert counters["latency_cycles"] == plan["latency_cycles"], "the simulation takes other cycles than the plan"
    with open(path("net.json"), encoding="utf-8") as file:
        weights = [w for op in json.load(file)["ops"] if op["kind"] == "conv" for w in op["weights"]]
    cycles = [layer["cycles"] for layer in plan["layers"] if layer["kind"] == "conv"]
    return {"pattern": pattern, "density": sum(w != 0 for w in weights) / len(weights), "cycles": sum(cycles),
            "latency": plan["latency_cycles"], "layers": len(cycles)}


def draw(rows):
    patterns = ["unstructured", f"balanced:{splits}"]
    with open(plot + ".tsv", "w", encoding="utf-8") as file:
        file.write("pattern\tdensity\tconvolution_cycles\tlatency_cycles\n")
        for row in rows:
            file.write(f"{row['pattern']}\t{row['density']:.4f}\t{row['cycles']}\t{row['latency']}\n")
    if not shutil.which("gnuplot"):
        return
    dense = rows[0]["cycles"]
    curves = ", ".join(
        f"'< grep ^{pattern} {plot}.tsv' using 2:($3/{dense}) with linespoints linewidth 2 pointtype {7 - 2 * i} "
        f"title '{pattern}'" for i, pattern in enumerate(patterns))
    subprocess.run(["gnuplot", "-e", f"""
        set terminal svg size 640,420 background '#ffffff' font 'sans,12'; set output '{plot}.svg';
        set xlabel 'weights of convolutions that are not zero'; set ylabel 'cycles of convolutions, of the dense ones';
        set xrange [0:1]; set yrange [0:1]; set key left top; set grid;
        plot x with lines dashtype 2 linecolor 'gray' title 'in proportion', {curves}"""], check=True)


shutil.rmtree(work, ignore_errors=True)
bars.make(path("data"), 120, 60, side=28)
with open(path("image"), "wb") as image:
    image.write(random.Random(2).randbytes(28 * 28))
run("train", "--data", path("data"), "--validation", "0", "--family", family, "--epochs", "1", "--batch", "20", "-o",
    path("full.json"), "--quiet")
results, fine = [], True
print("pattern       density  convolutions   of dense   latency")
for name, limit in (("unstructured", 1.3), (f"balanced:{splits}", 1.05)):
    latency = None
    for share in SPARSITIES:
        result = measure(name, share)
        results.append(result)
        dense_cycles = results[0]["cycles"]
        print(f"{name:13} {result['density']:7.4f} {result['cycles']:13} {result['cycles'] / dense_cycles:10.4f} "
              f"{result['latency']:9}")
        least = limit * result["density"] * dense_cycles / results[0]["density"] + 50 * result["layers"]
        # below a quarter what a layer and an output channel cost in any case counts more
        if (share <= 0.75 and result["cycles"] > least) or (latency and result["latency"] > latency):
            print(f"at most {least:.0f} cycles were expected, and a shorter latency than before")
            fine = False
        latency = result["latency"]
if plot:
    draw(results)
sys.exit(0 if fine else 1)
