#!/usr/bin/env python3
"""prune and compress as a user runs them: reports, the same bytes again, --resume, what is refused.

SPDX-License-Identifier: Apache-2.0
usage: stages.py ESPALIER WORK
"""
import json
import os
import shutil
import subprocess
import sys

import bars

espalier, work = os.path.abspath(sys.argv[1]), os.path.join(sys.argv[2], "stages")


def path(name):
    return os.path.join(work, name)


def run(*arguments, code=0):
    done = subprocess.run([espalier, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{arguments}: {done.returncode}, {done.stderr}"
    return done.stderr if code else done.stdout


def load(name):
    with open(path(name), encoding="utf-8") as file:
        return json.load(file)


def content(name):
    with open(path(name), "rb") as file:
        return file.read()


def put(name, value):
    with open(path(name), "w", encoding="utf-8") as file:
        json.dump(value, file)


def prune():
    common = ("--data", path("data"), "--validation", "60", "--batch", "32", "--json")
    report = json.loads(run("prune", path("full.json"), "--sparsity", "0.75", "--pattern", "balanced:4", "--epochs", "4",
                            "-o", path("thin.json"), *common))
    weights, left = report["after"]["weights"], report["after"]["nonzero_weights"]
    assert abs(left / weights - 0.25) < 0.02 and report["before"]["nonzero_weights"] == weights
    assert sum(layer["zeros"] for layer in report["layers"]) == weights - left
    assert report["accuracy"] > 0.9, report["accuracy"]
    run("prune", path("full.json"), "--sparsity", "0.75", "--pattern", "balanced:4", "--epochs", "4", "--threads", "2",
        "-o", path("again.json"), *common)
    assert content("thin.json") == content("again.json"), "two threads give other bytes than one"
    report = json.loads(run("prune", path("full.json"), "--sparsity", "0.5", "--pattern", "channels", "--epochs", "3",
                            "-o", path("narrow.json"), *common))
    assert report["after"]["weights"] * 2 <= report["before"]["weights"]
    text = run("prune", path("full.json"), "--pattern", "2:4", "--epochs", "0", "-o", path("two.json"), *common[:-1])
    assert "weights are left" in text and "test accuracy" in text
    assert "--sparsity P is missing" in run("prune", path("full.json"), "-o", path("x.json"), *common, code=2)
    assert "pattern 4:2: unstructured" in run("prune", path("full.json"), "--pattern", "4:2", "-o", path("x.json"), *common,
                                              code=2)
    refused = run("prune", path("full.json"), "--sparsity", "0.99", "--edges", "0", "-o", path("x.json"), *common, code=3)
    assert "ask for fewer" in refused, refused
    assert not os.path.exists(path("x.json"))


def compress():
    config = {"model": "full.json", "teacher": "full.json", "data": "data", "validation": 60, "batch": 32,
              "distil": {"epochs": 2}, "prune": {"sparsity": 0.6, "pattern": "balanced:4", "epochs": 3},
              "quantize": {"weight_bits": 4, "epochs": 2}}
    put("config.json", config)
    report = json.loads(run("compress", path("config.json"), "-o", path("out"), "--json"))
    stages = {stage["stage"]: stage for stage in report["stages"]}
    assert list(stages) == ["teacher", "float", "distil", "prune", "quantize"]
    assert abs(stages["prune"]["nonzero_weights"] / stages["prune"]["weights"] - 0.4) < 0.02
    sizes = [stages[name]["bytes"] for name in ("distil", "prune", "quantize")]
    assert sizes[0] > sizes[1] > sizes[2] and report["full_bytes"] == sizes[0]
    assert stages["quantize"]["accuracy"] > 0.9
    # what it says of the net is what the net is
    net = json.loads(content("out/model.json"))
    weights = [w for op in net["ops"] for w in op.get("weights", [])]
    assert len(weights) == stages["quantize"]["weights"]
    assert sum(w != 0 for w in weights) == stages["quantize"]["nonzero_weights"]
    assert max(abs(w) for w in weights) <= 7
    resume(config)


def resume(config):
    first = {name: content("out/" + name) for name in os.listdir(path("out"))}
    again = json.loads(run("compress", path("config.json"), "-o", path("out"), "--json", "--resume", "--threads", "2"))
    kept = {stage["stage"]: stage["kept"] for stage in again["stages"]}
    assert kept["distil"] and kept["prune"] and kept["quantize"], kept
    assert content("out/model.json") == first["model.json"]
    # another setting makes its stage anew, and those behind it
    put("config.json", {**config, "prune": {**config["prune"], "sparsity": 0.5}})
    again = json.loads(run("compress", path("config.json"), "-o", path("out"), "--json", "--resume"))
    kept = {stage["stage"]: stage["kept"] for stage in again["stages"]}
    assert kept["distil"] and not kept["prune"] and not kept["quantize"], kept
    # a damaged model is no result, and what comes out is as before
    put("config.json", config)
    for name, data in first.items():
        with open(path("out/" + name), "wb") as file:
            file.write(data[:-9] if name == "prune.json" else data)
    again = json.loads(run("compress", path("config.json"), "-o", path("out"), "--json", "--resume"))
    kept = {stage["stage"]: stage["kept"] for stage in again["stages"]}
    assert kept["distil"] and not kept["prune"] and kept["quantize"], kept
    assert content("out/model.json") == first["model.json"] and content("out/prune.json") == first["prune.json"]
    assert not [name for name in os.listdir(path("out")) if "checkpoint" in name]
    put("config.json", {**config, "prnue": {}})
    refused = run("compress", path("config.json"), "-o", path("out"), code=3)
    assert "config.json" in refused and '"prnue": no such key; there are model' in refused, refused
    assert "-o DIR is missing" in run("compress", path("config.json"), code=2)


shutil.rmtree(work, ignore_errors=True)
bars.make(path("data"), 480, 150)
run("train", "--data", path("data"), "--validation", "60", "--family", "width=8,stages=2,depth=2,residual", "--epochs", "4",
    "--batch", "32", "-o", path("full.json"))
prune()
compress()
