"""Samplers for Resize alone and between elementwise operators: all modes and coordinates, by scales and by sizes, along
any axes, with extents around those of vectors, so that phases, tables, borders and rows that are kept are met.
"""
import math

import onnx_proto as onnx
from graphs import Node, Skip
from table import Entry

EXTENTS = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 19, 20, 21, 31, 33, 47, 64, 65)
SCALES = (0.5, 1.0, 1.25, 1.5, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 4.0, 5.0, 0.375, 8.0)
MOST_ELEMENTS = 20000
TABLE = []


def layer(*ops, weight=1.0):
    def register(function):
        for op in ops:
            TABLE.append(Entry(op, 13, weight, lambda builder, op=op: function(builder, op)))
        return function
    return register


def image(builder, types, rank):
    found = [value for value in builder.values if value.rank == rank and value.dtype in types and value.scale < 100]
    if found and builder.chance(0.4):
        return builder.choice(found)
    dims = [builder.choice((1, 2, 3)) if axis < rank - 2 else builder.choice(EXTENTS) for axis in range(rank)]
    if rank > 2 and builder.chance(0.2):  # the largest extent elsewhere
        dims[-1], dims[-3] = dims[-3], dims[-1]
    return builder.leaf(builder.choice(types), dims, low=-2, high=2, constant=False)


@layer("Resize", weight=6.0)
def resize(builder, op):
    mode = builder.choice(("nearest", "linear", "cubic"))
    types = {"nearest": (onnx.FLOAT, onnx.FLOAT, onnx.INT32, onnx.UINT8, onnx.INT8),
             "linear": (onnx.FLOAT,) * 5 + (onnx.UINT8,)}.get(mode, (onnx.FLOAT,))
    value = image(builder, types, builder.choice((2, 4, 4)) if mode == "cubic" else builder.choice((1, 2, 3, 4, 4, 5)))
    coordinates = ["half_pixel", "half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    if builder.opset >= 19 and mode != "nearest":
        coordinates.append("half_pixel_symmetric")
    attributes = {"mode": mode, "coordinate_transformation_mode": builder.choice(coordinates)}
    if mode == "nearest":
        attributes["nearest_mode"] = builder.choice((None, "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
    if mode == "cubic":
        attributes["cubic_coeff_a"] = builder.choice((None, -0.5))
        attributes["exclude_outside"] = builder.choice((None, 0, 1))
    if value.dtype == onnx.FLOAT and mode != "nearest" and builder.opset >= 18:  # ONNX Runtime rounds bytes then
        attributes["antialias"] = builder.choice((None, None, 1))
        if mode == "cubic" and attributes["antialias"]:
            attributes["exclude_outside"] = 1  # ONNX Runtime does so in any case, ONNX's reference does not
    # Which axes change: the last two most of the time.
    resized = set(range(value.rank)[-2:])
    if builder.chance(0.3):
        resized = {axis for axis in range(value.rank) if builder.chance(0.5)}
    common = builder.choice(SCALES)
    if builder.chance(0.6):
        scales = [(common if builder.chance(0.7) else builder.choice(SCALES)) if axis in resized else 1.0
                  for axis in range(value.rank)]
        dims = [math.floor(dim * scale) for dim, scale in zip(value.dims, scales)]
        if any(scale != 1 and dim == out for dim, scale, out in zip(value.dims, scales, dims)):
            raise Skip  # ONNX Runtime looks at extents alone then
        if attributes["coordinate_transformation_mode"] in ("align_corners", "pytorch_half_pixel") and \
                any(scale % 1 for scale in scales):
            raise Skip  # where the extent is no integer, see explained.py
        operands = [value, None, builder.parameter(onnx.FLOAT, [value.rank], scales)]
    else:
        dims = [builder.choice((dim * 2, dim * 3, builder.rng.randint(1, 3 * dim + 1))) if axis in resized else dim
                for axis, dim in enumerate(value.dims)]
        operands = [value, None, None, builder.ints(dims)]
    if mode == "linear" and value.dtype == onnx.UINT8:
        # Sums that become integers toward zero: where weights are not exact, one level more or less is a matter of rounding.
        isExact = all(out in (dim, 2 * dim, 4 * dim, dim / 2) for dim, out in zip(value.dims, dims))
        if not isExact or attributes["coordinate_transformation_mode"] not in ("half_pixel", "asymmetric"):
            raise Skip
    if min(dims) < 1 or math.prod(dims) > MOST_ELEMENTS:
        raise Skip
    return Node(op, operands, exact=mode == "nearest", **attributes)


@layer("Cast", weight=1.5)
def cast(builder, op):
    """Images of bytes as floats."""
    return Node(op, [image(builder, (onnx.UINT8, onnx.INT8), builder.choice((4, 4, 5)))], exact=True, to=onnx.FLOAT)


@layer("Clip", weight=0.5)
def clip(builder, op):
    return Node(op, [image(builder, (onnx.FLOAT,), 4), *(builder.parameter(onnx.FLOAT, [], [bound]) for bound in (-1.0, 1.5))])


@layer("Relu", "Neg", weight=0.5)
def alone(builder, op):
    return Node(op, [image(builder, (onnx.FLOAT,), 4)])


@layer("Add", "Mul", weight=1.5)
def combine(builder, op):
    value = image(builder, (onnx.FLOAT,), 4)
    dims = builder.choice((value.dims, value.dims[1:], value.dims[-1:], [value.dims[1], 1, 1], value.dims[:-1] + [1], []))
    found = [one for one in builder.values if one.dims == dims and one.dtype == onnx.FLOAT and one.scale < 100]
    other = builder.choice(found) if found else builder.leaf(onnx.FLOAT, list(dims), low=-2, high=2)
    return Node(op, [value, other])


@layer("Concat", weight=0.5)
def concat(builder, op):
    value = image(builder, (onnx.FLOAT,), 4)
    others = [value] + [one for one in builder.values if one.dtype == value.dtype and one.dims == value.dims]
    return Node(op, [value, builder.choice(others)], axis=builder.choice((0, 1, 2, 3)), exact=True)
