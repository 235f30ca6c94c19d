"""Unpacks the traces of the ONNX bundle for onnx_models_test, then runs it.

SPDX-License-Identifier: Apache-2.0

usage: onnx_traces.py TEST FOLDER WORK: TEST is onnx_models_test, FOLDER the bundle, WORK a folder
for what is unpacked. A trace is a .npz of integer tensors by their names; each becomes a .npy of
its own, with its type in the name and slashes replaced. Exits with 77 when there is no bundle.
"""
import os
import subprocess
import sys
import zipfile


def unpack(path, folder):
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            data = archive.read(entry)
            kind = data[10:200].split(b"'descr': '|")[1][:2].decode() if b"'|" in data[:200] else "other"
            name = entry.filename.removesuffix(".npy").replace("/", "@")
            with open(os.path.join(folder, f"{name}.{kind}.npy"), "wb") as file:
                file.write(data)


def main():
    test, bundle, work = sys.argv[1:4]
    trained = os.path.join(bundle, "trained")
    if not os.path.isdir(trained):
        print(f"skipped: no {trained}")
        return 77
    for model in sorted(os.listdir(trained)):
        for file in sorted(os.listdir(os.path.join(trained, model))):
            if file.endswith(".trace.npz"):
                unpack(os.path.join(trained, model, file),
                       os.path.join(work, file.removesuffix(".trace.npz")))
    return subprocess.run([test, "--traces", work, bundle], check=False).returncode


sys.exit(main())
