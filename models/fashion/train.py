#!/usr/bin/env python3
"""Trains the embedded network on Fashion-MNIST, prunes it, quantizes it to int8, writes fashion.tflite.

Only needed to make the model anew: tensorflow-cpu 2.16 and Debian's dataset-fashion-mnist.
usage: train.py [OUTPUT]
SPDX-License-Identifier: Apache-2.0
"""
import gzip
import sys
import tempfile

import numpy as np
import tensorflow as tf

DATA = "/usr/share/datasets/fashion-mnist/"
SEED, EPOCHS, TUNE_EPOCHS, SPARSITY = 7, 4, 2, 0.5


def idx(name, header):
    with gzip.open(DATA + name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def load(part):
    images = idx(part + "-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
    return images.astype(np.float32) / 255, idx(part + "-labels-idx1-ubyte.gz", 8)


def separable(x, channels, stride, name):
    """A depthwise and a pointwise convolution, each normalized and rectified."""
    layers = tf.keras.layers
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=name + "_depthwise")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(channels, 1, use_bias=False, name=name + "_pointwise")(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def build():
    layers = tf.keras.layers
    image = layers.Input((28, 28, 1), batch_size=None, name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = separable(x, 32, 1, "block1")
    x = separable(x, 48, 2, "block2")
    x = layers.Add()([x, separable(x, 48, 1, "block3")])
    x = separable(x, 64, 1, "block4")
    x = layers.AveragePooling2D(7)(x)
    return tf.keras.Model(image, layers.Softmax()(layers.Dense(10, name="classes")(layers.Flatten()(x))))


class KeepZeros(tf.keras.callbacks.Callback):
    """Holds pruned weights at zero while the others are tuned."""

    def __init__(self, masks):
        super().__init__()
        self.masks = masks

    def on_train_batch_end(self, batch, logs=None):
        for variable, mask in self.masks:
            variable.assign(variable * mask)


def prune(model):
    masks = []
    for layer in model.layers:
        if layer.name.endswith("_pointwise"):
            weights = layer.kernel.numpy()
            mask = (np.abs(weights) > np.quantile(np.abs(weights), SPARSITY)).astype(np.float32)
            layer.kernel.assign(weights * mask)
            masks.append((layer.kernel, tf.constant(mask)))
    return masks


def fit(model, data, epochs, rate, callbacks=()):
    steps = epochs * len(data[0]) // 128
    schedule = tf.keras.optimizers.schedules.CosineDecay(rate, steps)
    model.compile(tf.keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(*data, batch_size=128, epochs=epochs, callbacks=list(callbacks), verbose=2)


def quantize(model, images):
    with tempfile.TemporaryDirectory() as folder:
        archive = tf.keras.export.ExportArchive()
        archive.track(model)
        image = tf.TensorSpec((1, 28, 28, 1), tf.float32)
        archive.add_endpoint("serve", lambda x: model(x, training=False), input_signature=[image])
        archive.write_out(folder)
        return convert(tf.lite.TFLiteConverter.from_saved_model(folder), images)


def convert(converter, images):
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([i[None]] for i in images[:1000])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def main():
    tf.keras.utils.set_random_seed(SEED)
    train, test = load("train"), load("t10k")
    mirrored = np.concatenate([train[0], train[0][:, :, ::-1]]), np.concatenate([train[1], train[1]])
    model = build()
    fit(model, mirrored, EPOCHS, 3e-3)
    fit(model, mirrored, TUNE_EPOCHS, 1e-3, [KeepZeros(prune(model))])
    print("float accuracy", model.evaluate(*test, verbose=0)[1])
    with open(sys.argv[1] if len(sys.argv) > 1 else "fashion.tflite", "wb") as file:
        file.write(quantize(model, train[0]))


if __name__ == "__main__":
    main()
