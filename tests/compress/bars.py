"""A small labelled data set made on the spot: noise with a bright bar, whose row says the class.

SPDX-License-Identifier: Apache-2.0
"""
import gzip
import os
import random
import struct


def _put_idx(path, shape, values):
    with gzip.GzipFile(path + ".gz", "wb", mtime=0) as file:
        file.write(struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(values))


def _put_images(prefix, count, side, classes, rng):
    labels = [i % classes for i in range(count)]
    pixels = []
    for label in labels:
        image = [rng.randrange(120) for _ in range(side * side)]
        row = 1 + label * (side - 2) // classes
        image[row * side:(row + 1) * side] = [220] * side
        pixels += image
    _put_idx(prefix + "-images-idx3-ubyte", (count, side, side), pixels)
    _put_idx(prefix + "-labels-idx1-ubyte", (count,), labels)


def make(folder, train, test, side=12, classes=3):
    """Writes a folder of IDX files with so many samples of side x side."""
    os.makedirs(folder)
    rng = random.Random(1)
    _put_images(os.path.join(folder, "train"), train, side, classes, rng)
    _put_images(os.path.join(folder, "t10k"), test, side, classes, rng)
