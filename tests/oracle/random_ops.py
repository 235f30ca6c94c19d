# Does `espalier reference` equal TFLite Micro on random models of one or few operators?
# SPDX-License-Identifier: Apache-2.0
"""Builds small .tflite models with random shapes, options, scales and weights, runs each with
TFLite Micro's reference kernels and with `espalier reference`, and compares every byte.

Needs the Python packages tflite-micro, flatbuffers and numpy; exits with 77 without them. For
tests only: the product runs no Python.

usage: random_ops.py --espalier PATH [--count N] [--seed S] [--only KIND] [--keep FOLDER]
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile

EXIT_SKIP = 77

try:
    import flatbuffers
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
except ImportError as missing:
    print(f"SKIP  {missing}")
    sys.exit(EXIT_SKIP)

CODES = schema.BuiltinOperator
TYPES = {np.dtype(np.int8): schema.TensorType.INT8, np.dtype(np.int32): schema.TensorType.INT32}
ACTIVATIONS = [0, 0, 1, 3]  # NONE twice, RELU, RELU6
SAME, VALID = 0, 1


class Model:
    """A graph under construction; tensors are known by their index."""

    def __init__(self, rng):
        self.rng = rng
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "random operators"
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape, scale=None, zero_point=0, data=None, axis=0):
        """Adds a tensor: an activation without data, a constant with it."""
        tensor = schema.TensorT()
        tensor.name = f"t{len(self.graph.tensors)}"
        tensor.shape = [int(size) for size in shape]
        tensor.type = TYPES[data.dtype] if data is not None else schema.TensorType.INT8
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale = scales
            tensor.quantization.zeroPoint = np.broadcast_to(
                np.asarray(zero_point, np.int64), scales.shape).copy()
            tensor.quantization.quantizedDimension = axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def activation(self, shape, scale=None, zero_point=None):
        """Adds an activation with a random scale and zero point where none is given."""
        if scale is None:
            scale = float(np.float32(2.0 ** self.rng.uniform(-7, 1)))
        if zero_point is None:
            zero_point = int(self.rng.integers(-128, 128))
        return self.tensor(shape, scale, zero_point)

    def shape(self, tensor):
        return self.graph.tensors[tensor].shape

    def scale(self, tensor):
        return float(self.graph.tensors[tensor].quantization.scale[0])

    def zero_point(self, tensor):
        return int(self.graph.tensors[tensor].quantization.zeroPoint[0])

    def operator(self, name, inputs, outputs, options=None, **fields):
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(CODES, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, outputs
        if options:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")()
            for key, value in fields.items():
                assert hasattr(operator.builtinOptions, key), key
                setattr(operator.builtinOptions, key, value)
        self.graph.operators.append(operator)

    def bytes(self):
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def pick(rng, values):
    return values[int(rng.integers(len(values)))]


def image(rng, least=1):
    """A random input shape, not smaller than `least` in both directions."""
    return [1, int(rng.integers(least, least + 9)), int(rng.integers(least, least + 9)),
            int(rng.integers(1, 9))]


def window(size, kernel, stride, dilation, padding):
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == SAME else (size - reach) // stride + 1


def random_window(rng, shape, dilations):
    """Options of a window that fits the image: kernel, strides, dilations, padding, out size."""
    while True:
        kernel = rng.integers(1, 5, 2)
        stride = rng.integers(1, 4, 2)
        dilation = rng.integers(1, 4, 2) if dilations else np.ones(2, int)
        if dilations and rng.integers(2):
            stride = np.ones(2, int)
        padding = pick(rng, [SAME, VALID])
        out = [window(shape[1 + i], int(kernel[i]), int(stride[i]), int(dilation[i]), padding)
               for i in range(2)]
        if min(out) >= 1:
            return kernel, stride, dilation, padding, out


def parameters(model, x, weights, axis, channels, taps, y, per_channel):
    """Adds weights and a bias that use most of the output's range."""
    rng = model.rng
    spread = np.sqrt(taps) * 74 * 74 / 50 * model.scale(x) / model.scale(y)
    scale = (1 / spread * 2.0 ** rng.uniform(-1, 1, channels if per_channel else 1))
    scale = scale.astype(np.float32)
    w = model.tensor(weights.shape, scale, 0, weights, axis)
    if rng.integers(4) == 0:
        return [x, w]  # TFLite Micro's depthwise crashes on -1
    bias = rng.integers(-20000, 20000, channels).astype(np.int32)
    return [x, w, model.tensor([channels], scale * np.float32(model.scale(x)), 0, bias)]


def conv(rng):
    model, shape = Model(rng), image(rng)
    kernel, stride, dilation, padding, out = random_window(rng, shape, True)
    channels = int(rng.integers(1, 9))
    x, y = model.activation(shape), model.activation([1, *out, channels])
    weights = rng.integers(-127, 128, [channels, *kernel, shape[3]]).astype(np.int8)
    inputs = parameters(model, x, weights, 0, channels, weights[0].size, y, rng.integers(4) > 0)
    model.operator("CONV_2D", inputs, [y], "Conv2DOptions", padding=padding,
                   strideH=int(stride[0]), strideW=int(stride[1]),
                   dilationHFactor=int(dilation[0]), dilationWFactor=int(dilation[1]),
                   fusedActivationFunction=pick(rng, ACTIVATIONS))
    return model, x, y


def depthwise(rng):
    model, shape = Model(rng), image(rng)
    kernel, stride, dilation, padding, out = random_window(rng, shape, True)
    multiplier = int(rng.integers(1, 4))
    channels = shape[3] * multiplier
    x, y = model.activation(shape), model.activation([1, *out, channels])
    weights = rng.integers(-127, 128, [1, *kernel, channels]).astype(np.int8)
    inputs = parameters(model, x, weights, 3, channels, weights[..., 0].size, y,
                        rng.integers(4) > 0)
    model.operator("DEPTHWISE_CONV_2D", inputs, [y], "DepthwiseConv2DOptions", padding=padding,
                   strideH=int(stride[0]), strideW=int(stride[1]),
                   dilationHFactor=int(dilation[0]), dilationWFactor=int(dilation[1]),
                   depthMultiplier=multiplier, fusedActivationFunction=pick(rng, ACTIVATIONS))
    return model, x, y


def dense(rng):
    model = Model(rng)
    taps, channels = int(rng.integers(1, 200)), int(rng.integers(1, 40))
    x, y = model.activation([1, taps]), model.activation([1, channels])
    weights = rng.integers(-127, 128, [channels, taps]).astype(np.int8)
    inputs = parameters(model, x, weights, 0, channels, taps, y, rng.integers(2) > 0)
    model.operator("FULLY_CONNECTED", inputs, [y], "FullyConnectedOptions",
                   fusedActivationFunction=pick(rng, ACTIVATIONS))
    return model, x, y


def flatten_dense(rng):
    model, shape = Model(rng), image(rng)
    taps, channels = int(np.prod(shape)), int(rng.integers(1, 20))
    x = model.activation(shape)
    flat = model.activation([1, taps], model.scale(x), model.zero_point(x))
    y = model.activation([1, channels])
    target = model.tensor([2], None, 0, np.array([1, taps], np.int32))
    model.operator("RESHAPE", [x, target], [flat], "ReshapeOptions", newShape=[1, taps])
    weights = rng.integers(-127, 128, [channels, taps]).astype(np.int8)
    inputs = parameters(model, flat, weights, 0, channels, taps, y, False)
    model.operator("FULLY_CONNECTED", inputs, [y], "FullyConnectedOptions",
                   fusedActivationFunction=pick(rng, ACTIVATIONS))
    return model, x, y


def add_pool(model, name, x, kernel, stride, padding, out, activation):
    y = model.activation([1, *out, model.shape(x)[3]], model.scale(x), model.zero_point(x))
    model.operator(name, [x], [y], "Pool2DOptions", padding=padding,
                   strideH=int(stride[0]), strideW=int(stride[1]), filterHeight=int(kernel[0]),
                   filterWidth=int(kernel[1]), fusedActivationFunction=activation)
    return y


def pool(name):
    def build(rng):
        model, shape = Model(rng), image(rng)
        kernel, stride, _, padding, out = random_window(rng, shape, False)
        x = model.activation(shape)
        y = add_pool(model, name, x, kernel, stride, padding, out, pick(rng, ACTIVATIONS))
        return model, x, y
    return build


def mean(rng):
    model, shape = Model(rng), image(rng)
    x, keep = model.activation(shape), bool(rng.integers(2))
    out = [1, 1, 1, shape[3]] if keep else [1, shape[3]]
    y = model.activation(out, model.scale(x) * pick(rng, [1.0, 0.37, 0.9, 1.7]),
                         pick(rng, [None, model.zero_point(x)]))
    axes = model.tensor([2], None, 0, np.array([1, 2], np.int32))
    model.operator("MEAN", [x, axes], [y], "ReducerOptions", keepDims=keep)
    return model, x, y


def pad(rng):
    model, shape = Model(rng), image(rng)
    pads = np.zeros((4, 2), np.int32)
    pads[1:3] = rng.integers(0, 4, (2, 2))
    x = model.activation(shape)
    y = model.activation([int(size) for size in np.array(shape) + pads.sum(1)], model.scale(x),
                         model.zero_point(x))
    model.operator("PAD", [x, model.tensor([4, 2], None, 0, pads)], [y], "PadOptions")
    return model, x, y


def two_pools(rng):
    """One image in two branches of equal shape and scales."""
    model, shape = Model(rng), image(rng)
    x = model.activation(shape)
    ones, size = [1, 1], shape[1:3]
    return model, x, [add_pool(model, name, x, rng.integers(1, 5, 2), ones, SAME, size, 0)
                      for name in ("MAX_POOL_2D", "AVERAGE_POOL_2D")]


def concat(rng):
    model, x, branches = two_pools(rng)
    shape = model.shape(x)
    branches.insert(int(rng.integers(3)), x)
    y = model.activation(shape[:3] + [3 * shape[3]], model.scale(x), model.zero_point(x))
    model.operator("CONCATENATION", branches, [y], "ConcatenationOptions",
                   axis=pick(rng, [3, -1]))
    return model, x, y


def add(rng):
    """The image plus a 1x1 convolution of it, which has a scale of its own."""
    model, shape = Model(rng), image(rng)
    x, b, y = (model.activation(shape) for _ in range(3))
    weights = rng.integers(-127, 128, [shape[3], 1, 1, shape[3]]).astype(np.int8)
    inputs = parameters(model, x, weights, 0, shape[3], shape[3], b, True)
    model.operator("CONV_2D", inputs, [b], "Conv2DOptions", padding=VALID, strideH=1, strideW=1,
                   dilationHFactor=1, dilationWFactor=1)
    model.operator("ADD", pick(rng, [[x, b], [b, x]]), [y], "AddOptions",
                   fusedActivationFunction=pick(rng, ACTIVATIONS))
    return model, x, y


def softmax(rng):
    model = Model(rng)
    shape = [1, int(rng.integers(1, 120))]
    x = model.activation(shape, float(2.0 ** rng.uniform(-9, 1)))
    y = model.activation(shape, 1 / 256, -128)
    model.operator("SOFTMAX", [x], [y], "SoftmaxOptions", beta=pick(rng, [1.0, 1.0, 0.5, 2.0]))
    return model, x, y


def logistic(rng):
    model, shape = Model(rng), image(rng)
    x = model.activation(shape, float(2.0 ** rng.uniform(-9, 1)))
    y = model.activation(shape, 1 / 256, -128)
    model.operator("LOGISTIC", [x], [y])
    return model, x, y


KINDS = {
    "conv": conv, "depthwise": depthwise, "dense": dense, "flatten_dense": flatten_dense,
    "max_pool": pool("MAX_POOL_2D"), "average_pool": pool("AVERAGE_POOL_2D"), "mean": mean,
    "pad": pad, "concat": concat, "add": add, "softmax": softmax, "logistic": logistic,
}


def run_tflm(content, x):
    interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20)
    interpreter.set_input(x, 0)
    interpreter.invoke()
    return interpreter.get_output(0).reshape(-1)


def run_ours(espalier, folder, content, x):
    """Returns the output's bytes, or the error's text."""
    paths = [os.path.join(folder, name) for name in ("model.tflite", "in.bin", "out.bin")]
    for path, data in zip(paths, (content, x.tobytes())):
        with open(path, "wb") as file:
            file.write(data)
    done = subprocess.run([espalier, "reference", paths[0], "--input", paths[1],
                           "--output", paths[2]], capture_output=True, text=True, check=False)
    if done.returncode:
        return None, f"exit code {done.returncode}: {done.stderr.strip()}"
    with open(paths[2], "rb") as file:
        return np.frombuffer(file.read(), np.int8), ""


def check(espalier, folder, kind, seed):
    """Returns (elements, mismatches, what went wrong)."""
    rng = np.random.default_rng(seed)
    model, x, y = KINDS[kind](rng)
    model.graph.inputs, model.graph.outputs = [x], [y]
    content = model.bytes()
    data = rng.integers(-128, 128, model.shape(x)).astype(np.int8)
    got, problem = run_ours(espalier, folder, content, data)
    expected = run_tflm(content, data)
    if got is None:
        return expected.size, expected.size, problem
    if got.size != expected.size:
        return expected.size, expected.size, f"{expected.size} bytes expected, got {got.size}"
    wrong = np.flatnonzero(got != expected)
    if wrong.size:
        problem = f"element {wrong[0]}: expected {expected[wrong[0]]}, got {got[wrong[0]]}"
    return expected.size, wrong.size, problem


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--count", type=int, default=25, help="models of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(KINDS))
    parser.add_argument("--keep", help="a folder for the files of the last model")
    args = parser.parse_args()
    if not os.access(args.espalier, os.X_OK):
        print(f"SKIP  no program {args.espalier}")
        return EXIT_SKIP
    failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        for kind in [args.only] if args.only else KINDS:
            sums = collections.Counter()
            for i in range(args.count):
                size, wrong, problem = check(args.espalier, args.keep or temporary, kind,
                                             [args.seed, i])
                sums.update(elements=size, mismatches=wrong)
                if wrong:
                    failures += 1
                    print(f"FAIL  {kind}, seed {args.seed}, model {i}: {problem}")
            print(f"{'FAIL' if sums['mismatches'] else 'ok  '}  {kind}: {args.count} models, "
                  f"{sums['elements']} elements compared, {sums['mismatches']} mismatches")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
