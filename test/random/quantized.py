"""Samplers for quantized networks in QDQ form: each layer is dequantized operands, an operator, perhaps an activation,
and a quantization. All scales are powers of two and sums stay below 2^24, so that floats hold every number on the way
exactly: the results have to be ONNX Runtime's to the bit, whichever way integers are multiplied.
"""
import math

import onnx_proto as onnx
from graphs import Node, Skip
from table import Entry

CPUS = ("native", "x86-64-v3", "x86-64")
CHANNELS = (1, 3, 4, 8, 12, 16, 16, 20, 32, 33)
EXTENTS = (1, 2, 4, 5, 7, 8, 9, 12)
MOST_ELEMENTS = 12000
BYTES = (onnx.INT8, onnx.UINT8)
TABLE = []


def layer(op, weight=1.0):
    def register(function):
        TABLE.append(Entry(op, 13, weight, function))
        return function
    return register


def emit(builder, node):
    """Appends a node in front of the one that a sampler returns; its result."""
    results = builder.run_node(node)
    if not all(builder.usable(node, tensor) for tensor in results):
        raise Skip
    builder.accept(node, results)
    return builder.values[-1]


def constant(builder, dtype, dims, values):
    return builder.leaf(dtype, dims, values, constant=True, static=True)


def scale(builder, low=-6, high=-2):
    return 2.0 ** builder.rng.randint(low, high)


def zero(builder, dtype):
    low, high = (-128, 127) if dtype == onnx.INT8 else (0, 255)
    return builder.choice((0, 0, low, high, builder.rng.randint(low, high)))


def dequantize(builder, value, parameters=None):
    """As floats; which scale and zero point made them is kept with the value."""
    by, point = parameters or getattr(value, "quantized", None) or (scale(builder), zero(builder, value.dtype))
    value.quantized = (by, point)
    operands = [value, constant(builder, onnx.FLOAT, [], [by]), constant(builder, value.dtype, [], [point])]
    return emit(builder, Node("DequantizeLinear", operands, exact=True))


def quantize(builder, value, parameters=None, dtype=None):
    """The last node of a layer."""
    dtype = dtype or builder.choice(BYTES)
    largest = max((abs(one) for one in value.tensor.values), default=1.0)
    exponent = math.ceil(math.log2(max(largest, 1e-3) / 100)) + builder.choice((-1, 0, 0, 1))
    by, point = parameters or (2.0 ** exponent, zero(builder, dtype))
    operands = [value, constant(builder, onnx.FLOAT, [], [by]), constant(builder, dtype, [], [point])]
    made = emit(builder, Node("QuantizeLinear", operands, exact=True))
    made.quantized = (by, point)
    # A layer ends with an operator of its own, so that what is emitted stays a whole.
    return Node("Identity", [made], exact=True)


def tensor(builder, ranks):
    """Bytes that a layer made, most of the time the last ones; a new input otherwise."""
    found = [value for value in builder.values if value.dtype in BYTES and value.rank in ranks and not value.static]
    if found and not builder.chance(0.15):
        return found[-1] if builder.chance(0.7) else builder.choice(found)
    rank = builder.choice(ranks)
    dims = [builder.choice((1, 1, 2)), builder.choice(CHANNELS)] + [builder.choice(EXTENTS) for _ in range(rank - 2)]
    if math.prod(dims) > MOST_ELEMENTS:
        raise Skip
    dtype = builder.choice(BYTES)
    low, high = (-128, 127) if dtype == onnx.INT8 else (0, 255)
    return builder.leaf(dtype, dims, low=low, high=high, constant=False)


def weights(builder, dims, axis):
    """Small constant bytes, dequantized with one scale or one per channel; and these scales."""
    dtype = builder.choice(BYTES)
    center = 0 if dtype == onnx.INT8 else builder.choice((0, 100, 128))
    low = -20 if dtype == onnx.INT8 else max(0, center - 20)
    values = builder.leaf(dtype, dims, low=low, high=center + 20, constant=True, static=True)
    count = dims[axis] if builder.chance(0.6) else 0
    scales = [scale(builder) for _ in range(count or 1)]
    shape = [count] if count else []
    points = [center] * max(count, 1)
    operands = [values, constant(builder, onnx.FLOAT, shape, scales), constant(builder, dtype, shape, points)]
    made = emit(builder, Node("DequantizeLinear", operands, exact=True, axis=axis))
    return made, scales * (1 if count else dims[axis])


def bias(builder, by, scales):
    """None, floats, or integers of the sum's scale or of another one."""
    kind = builder.choice((None, "floats", "integers", "integers", "others"))
    count = len(scales)
    if kind is None:
        return None
    if kind == "floats":
        return constant(builder, onnx.FLOAT, [count], [builder.rng.randint(-64, 64) / 16 for _ in range(count)])
    values = constant(builder, onnx.INT32, [count], [builder.rng.randint(-500, 500) for _ in range(count)])
    own = [by * one * (2 if kind == "others" else 1) for one in scales]
    return emit(builder, Node("DequantizeLinear", [values, constant(builder, onnx.FLOAT, [count], own)], exact=True, axis=0))


def activated(builder, value):
    kind = builder.choice((None, None, "Relu", "Clip"))
    if kind is None:
        return value
    bounds = [constant(builder, onnx.FLOAT, [], [one]) for one in (0.0, 4.0)] if kind == "Clip" else []
    return emit(builder, Node(kind, [value] + bounds, exact=True))


@layer("Conv", weight=6.0)
def conv(builder):
    value = tensor(builder, (3, 4))
    channels, plane = value.dims[1], value.dims[2:]
    group = channels if builder.chance(0.3) else builder.choice([1, 1, 1] + [k for k in (2, 4) if channels % k == 0])
    out = group * builder.choice((1, 1, 2)) if group == channels else group * (builder.choice(CHANNELS) // group or 1)
    kernel = [builder.choice([k for k in (1, 1, 2, 3, 4, 5) if k <= extent + 1]) for extent in plane]
    pads = [builder.rng.randint(0, k // 2) for k in kernel * 2]
    strides = [builder.choice((1, 1, 2)) for _ in plane]
    data = dequantize(builder, value)
    kernels, scales = weights(builder, [out, channels // group] + kernel, 0)
    operands = [data, kernels, bias(builder, value.quantized[0], scales)]
    made = emit(builder, Node("Conv", operands, exact=True, kernel_shape=kernel, pads=pads, strides=strides, group=group))
    return quantize(builder, activated(builder, made))


@layer("Gemm", weight=2.0)
def gemm(builder):
    value = tensor(builder, (2,))
    columns, transposed = builder.choice(CHANNELS), builder.chance(0.6)
    data = dequantize(builder, value)
    shape = [columns, value.dims[1]] if transposed else [value.dims[1], columns]
    matrix, scales = weights(builder, shape, 0 if transposed else 1)
    operands = [data, matrix, bias(builder, value.quantized[0], scales)]
    made = emit(builder, Node("Gemm", operands, exact=True, transB=int(transposed)))
    return quantize(builder, activated(builder, made))


@layer("MatMul", weight=2.0)
def matmul(builder):
    value = tensor(builder, (2, 3))
    data = dequantize(builder, value)
    matrix, _ = weights(builder, [value.dims[-1], builder.choice(CHANNELS)], 1)
    made = emit(builder, Node("MatMul", [data, matrix], exact=True))
    return quantize(builder, made)


@layer("MaxPool", weight=1.0)
def maximum(builder):
    value = tensor(builder, (4,))
    if min(value.dims[2:]) < 2:
        raise Skip
    data = dequantize(builder, value)
    made = emit(builder, Node("MaxPool", [data], exact=True, kernel_shape=[2, 2], strides=[2, 2]))
    return quantize(builder, made, value.quantized, value.dtype)


@layer("AveragePool", weight=1.0)
def average(builder):
    value = tensor(builder, (4,))
    if min(value.dims[2:]) < 2:
        raise Skip
    made = emit(builder, Node("AveragePool", [dequantize(builder, value)], exact=True, kernel_shape=[2, 2],
                              strides=builder.choice(([1, 1], [2, 2]))))
    return quantize(builder, made)


@layer("Add", weight=1.5)
def residual(builder):
    value = tensor(builder, (3, 4))
    same = [one for one in builder.values if one.dtype in BYTES and one.dims == value.dims and not one.static]
    made = emit(builder, Node("Add", [dequantize(builder, value), dequantize(builder, builder.choice(same or [value]))],
                              exact=True))
    return quantize(builder, activated(builder, made))


@layer("Transpose", weight=0.5)
def transpose(builder):
    value = tensor(builder, (4,))
    made = emit(builder, Node("Transpose", [dequantize(builder, value)], exact=True, perm=[0, 2, 3, 1]))
    return quantize(builder, made, value.quantized, value.dtype)


@layer("Reshape", weight=0.7)
def reshape(builder):
    value = tensor(builder, (3, 4))
    made = emit(builder, Node("Reshape", [dequantize(builder, value), builder.ints([0, -1])], exact=True))
    return quantize(builder, made, value.quantized, value.dtype)


@layer("DequantizeLinear", weight=0.5)
def floats(builder):
    value = tensor(builder, (2, 3, 4))
    return Node("Relu", [dequantize(builder, value)], exact=True)
