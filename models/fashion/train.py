#!/usr/bin/env python3
"""Trains the embedded network on Fashion-MNIST, prunes it, quantizes it to int8, writes fashion.tflite.

Only needed to make the model anew: tensorflow-cpu 2.16 and Debian's dataset-fashion-mnist.
usage: train.py [FOLDER]
SPDX-License-Identifier: Apache-2.0
"""
import gzip
import pathlib
import sys
import tempfile

import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

DATA = "/usr/share/datasets/fashion-mnist/"
SEED, EPOCHS, TUNE_EPOCHS, SPARSITY = 7, 10, 8, 0.5


def idx(name, header):
    with gzip.open(DATA + name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def load(part):
    images = idx(part + "-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)
    return images.astype(np.float32) / 255, idx(part + "-labels-idx1-ubyte.gz", 8)


def separable(x, channels, stride, number):
    """A depthwise and a pointwise convolution, each normalized and rectified."""
    layers = tf.keras.layers
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"dw{number}")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"pw{number}")(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


def build():
    layers = tf.keras.layers
    image = layers.Input((28, 28, 1), name="image")
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv1")(image)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = separable(x, 32, 1, 2)
    x = separable(x, 48, 2, 3)
    x = layers.Add(name="add4")([x, separable(x, 48, 1, 4)])
    x = separable(x, 64, 1, 5)
    x = layers.AveragePooling2D(7, name="pool")(x)
    return tf.keras.Model(image, layers.Softmax()(layers.Dense(10, name="dense")(layers.Flatten()(x))))


# what the converted operators are called, in the order of the file
OPERATORS = "conv1 dw2 pw2 dw3 pw3 dw4 pw4 add4 dw5 pw5 pool dense softmax".split()


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
        if layer.name.startswith("pw"):
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


def rename(content):
    """Gives the tensors the names of their operators: conv1, conv1/weights, conv1/bias and so on."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    if len(graph.operators) != len(OPERATORS):
        raise SystemExit("the converter made %d operators of %d" % (len(graph.operators), len(OPERATORS)))
    graph.name, graph.tensors[graph.inputs[0]].name = "fashion", "image"
    for operator, name in zip(graph.operators, OPERATORS):
        graph.tensors[operator.outputs[0]].name = name
        if len(operator.inputs) == 3:
            graph.tensors[operator.inputs[1]].name = name + "/weights"
            graph.tensors[operator.inputs[2]].name = name + "/bias"
    model.signatureDefs = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def as_input(images):
    return (np.round(images * 255) - 128).astype(np.int8)


def int8_accuracy(content, images, labels):
    reference = tf.lite.experimental.OpResolverType.BUILTIN_REF
    network = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=reference)
    network.allocate_tensors()
    source, result = network.get_input_details()[0]["index"], network.get_output_details()[0]["index"]
    right = 0
    for image, label in zip(as_input(images), labels):
        network.set_tensor(source, image[None])
        network.invoke()
        right += int(np.argmax(network.get_tensor(result)[0]) == label)
    return right / len(labels)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    train, test = load("train"), load("t10k")
    mirrored = np.concatenate([train[0], train[0][:, :, ::-1]]), np.concatenate([train[1], train[1]])
    model = build()
    fit(model, mirrored, EPOCHS, 3e-3)
    print("float accuracy, dense", model.evaluate(*test, verbose=0)[1])
    fit(model, mirrored, TUNE_EPOCHS, 1e-3, [KeepZeros(prune(model))])
    print("float accuracy, pruned", model.evaluate(*test, verbose=0)[1])
    content = rename(quantize(model, train[0]))
    (folder / "fashion.tflite").write_bytes(content)
    print("int8 accuracy", int8_accuracy(content, *test), "of", len(content), "bytes")


if __name__ == "__main__":
    main()
