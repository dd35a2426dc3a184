"""Samplers for networks over images: layers as classifiers and detectors have them, with so many channels that the
compiler stores them last, packs weights in panels and uses minimal filtering. Extents and channel counts are odd ones
too, so that tiles, panels and vectors have ends; some planes outgrow what strips of rows keep near.
"""
import onnx_proto as onnx
from graphs import Node, Skip
from table import Entry

CHANNELS = (3, 8, 16, 16, 20, 24, 32, 33, 40)
EXTENTS = (4, 5, 7, 8, 9, 12, 13, 16, 19)
LARGE = (60, 64, 72, 97)
CHAIN_ELEMENTS = 80000
TABLE = []


def layer(*ops, weight=1.0):
    def register(function):
        for op in ops:
            TABLE.append(Entry(op, 13, weight, lambda builder, op=op: function(builder, op)))
        return function
    return register


def chain_table():
    """Layers of which each reads the one before: see image()."""
    return [entry for entry in TABLE if entry.op in ("Conv", "MaxPool", "AveragePool", "Relu", "Clip")]


def image(builder, plane=1):
    """An image made by a layer before, most of the time the last one; a new input otherwise. Magnitudes stay small."""
    found = [value for value in builder.values if value.rank == 4 and value.scale < 500 and min(value.dims[2:]) >= plane]
    if builder.most_elements == CHAIN_ELEMENTS:
        images = [value for value in builder.values if value.rank == 4]
        if not images:
            dims = [1, builder.choice((3, 8, 16)), builder.choice(LARGE), builder.choice(LARGE)]
            return builder.leaf(onnx.FLOAT, dims, low=-2, high=2, constant=False)
        if images[-1] not in found:
            raise Skip
        return images[-1]
    if found and not builder.chance(0.1):
        return found[-1] if builder.chance(0.7) else builder.choice(found)
    dims = [builder.choice((1, 1, 2)), builder.choice(CHANNELS), builder.choice(EXTENTS), builder.choice(EXTENTS)]
    return builder.leaf(onnx.FLOAT, dims, low=-2, high=2, constant=False)


def weights(builder, dims):
    """Initializers small enough that sums of hundreds of products stay small."""
    bound = 0.5 if len(dims) == 1 or dims[1] > 1 else 1
    return builder.leaf(onnx.FLOAT, dims, low=-bound, high=bound, constant=True)


@layer("Conv", weight=6.0)
def conv(builder, op):
    value = image(builder)
    channels, plane = value.dims[1], value.dims[2:]
    size = builder.choice([k for k in (1, 1, 3, 3, 3, 5) if k <= min(plane) + 1])
    kernel = [size, size] if builder.chance(0.85) else [size, 1]
    group = channels if builder.chance(0.25) else builder.choice([1, 1, 1] + [k for k in (2, 4) if channels % k == 0])
    wide = CHANNELS[-3:] if plane[0] * plane[1] > 1000 else CHANNELS
    out = group * builder.choice((1, 2)) if group == channels else group * (builder.choice(wide) // group or 1)
    pads = [k // 2 for k in kernel] * 2 if builder.chance(0.7) else [builder.rng.randint(0, k // 2) for k in kernel * 2]
    if any(dim + before + after < k for dim, before, after, k in zip(plane, pads, pads[2:], kernel)):
        raise Skip
    operands = [value, weights(builder, [out, channels // group] + kernel)]
    if builder.chance(0.6):
        operands.append(weights(builder, [out]))
    strides = builder.choice((None, None, None, [2, 2], [2, 1], [3, 3]))
    dilations = [2, 2] if min(plane) > 2 * size and builder.chance(0.15) else None
    return Node(op, operands, group=group, pads=pads, strides=strides, kernel_shape=kernel, dilations=dilations)


@layer("ConvTranspose", weight=0.5)
def conv_transpose(builder, op):
    value = image(builder)
    channels = value.dims[1]
    kernel, strides = ([builder.choice((1, 2, 3, 4)), builder.choice((2, 3, 4))] for _ in range(2))
    strides = builder.choice(([1, 1], [2, 2], [2, 2], strides))
    group = builder.choice([1, 1] + [k for k in (2, 4) if channels % k == 0])
    pads = [builder.rng.randint(0, min(1, k - 1)) for k in kernel * 2]
    padding = [builder.rng.randint(0, stride - 1) for stride in strides]
    operands = [value, weights(builder, [channels, builder.choice(CHANNELS) // group or 1] + kernel)]
    return Node(op, operands, kernel_shape=kernel, strides=strides, group=group, pads=pads, output_padding=padding)


@layer("MaxPool", "AveragePool", weight=0.8)
def pool(builder, op):
    value = image(builder, plane=3)
    size = builder.choice((2, 3, 3))
    pads = [1] * 4 if size == 3 and builder.chance(0.5) else None
    count = builder.choice((0, 1)) if op == "AveragePool" else None
    return Node(op, [value], kernel_shape=[size] * 2, strides=builder.choice((None, [2, 2], [3, 3])), pads=pads,
                count_include_pad=count, ceil_mode=builder.choice((None, 0, 1)))


@layer("GlobalAveragePool", "Softplus", "Sigmoid", "Tanh", "Neg", weight=0.3)
def alone(builder, op):
    return Node(op, [image(builder)])


@layer("Relu", "HardSwish", weight=1.2)
def activation(builder, op):
    if op == "HardSwish" and builder.opset < 14:
        raise Skip
    return Node(op, [image(builder)])


@layer("Clip", weight=0.5)
def clip(builder, op):
    bound = lambda number: builder.leaf(onnx.FLOAT, [], [number], constant=True, static=True)
    return Node(op, [image(builder), bound(0.0), bound(6.0)])


@layer("Add", "Mul", weight=1.2)
def combine(builder, op):
    """With another image of its size (a residual), or a number per channel."""
    value = image(builder)
    same = [other for other in builder.values if other.dims == value.dims and other is not value and other.scale < 20]
    if same and builder.chance(0.8):
        return Node(op, [value, builder.choice(same)])
    return Node(op, [value, weights(builder, [value.dims[1], 1, 1])])


@layer("BatchNormalization", weight=0.5)
def batch_normalization(builder, op):
    value = image(builder)
    channels = value.dims[1]
    variance = builder.leaf(onnx.FLOAT, [channels], low=0.5, high=2, constant=True)
    return Node(op, [value] + [weights(builder, [channels]) for _ in range(3)] + [variance])


@layer("Concat", weight=0.8)
def concat(builder, op):
    value = image(builder)
    same = [other for other in builder.values
            if other.rank == 4 and other.dims[0] == value.dims[0] and other.dims[2:] == value.dims[2:]]
    return Node(op, [value] + [builder.choice(same or [value]) for _ in range(builder.choice((1, 1, 2)))], axis=1)


@layer("Split", weight=0.4)
def split(builder, op):
    value = image(builder)
    if value.dims[1] % 2 or builder.opset < 13:
        raise Skip
    half = value.dims[1] // 2
    return Node(op, [value, builder.ints([half, half])], outputs=2, axis=1)


@layer("Transpose", weight=0.3)
def transpose(builder, op):
    return Node(op, [image(builder)], perm=builder.choice(([0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2])))


@layer("Pad", weight=0.3)
def pad(builder, op):
    return Node(op, [image(builder), builder.ints([0, 0, 1, 0, 0, 0, 0, 2])])


@layer("Reshape", weight=0.2)
def reshape(builder, op):
    return Node(op, [image(builder), builder.ints([0, 0, -1])])


@layer("Slice", weight=0.5)
def part(builder, op):
    """Some channels, every second one, or a part of the plane."""
    value = image(builder)
    axis = builder.choice((1, 1, 2, 3))
    start, step = builder.choice((0, 1)), builder.choice((1, 2))
    if value.dims[axis] < 3:
        raise Skip
    return Node(op, [value] + [builder.ints([number]) for number in (start, value.dims[axis], axis, step)])
