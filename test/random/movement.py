"""Samplers of operators that move data: shapes, slices, indices, scatters."""
import math

import onnx_proto as onnx
from graphs import MAX_ELEMENTS, Node, Skip
from table import sampler
from tensors import ALL, FLOATS, INTEGERS, NUMBERS, Tensor


@sampler("Transpose", weight=1.2)
def transpose(builder, op):
    value = builder.pick(ALL)
    order = list(range(value.rank))
    builder.rng.shuffle(order)
    return Node(op, [value], exact=True, perm=order if value.rank and builder.chance(0.8) else None)


def factors(builder, count):
    """Extents whose product is `count`."""
    dims = []
    while count > 1 and len(dims) < 3:
        divisors = [k for k in range(1, count + 1) if count % k == 0]
        dims.append(builder.choice(divisors))
        count //= dims[-1]
    return dims + ([count] if count != 1 or builder.chance(0.3) else [])


@sampler("Reshape", weight=1.5)
def reshape(builder, op):
    value = builder.pick(ALL)
    if 0 in value.dims:
        shape = value.dims[:]
        builder.rng.shuffle(shape)
        return Node(op, [value, builder.ints(shape)], exact=True, allowzero=1) if builder.opset >= 14 else \
            Node(op, [value, builder.ints([0] * value.rank)], exact=True)
    shape = factors(builder, math.prod(value.dims))
    if shape and builder.chance(0.4):
        shape[builder.rng.randrange(len(shape))] = -1
    if shape and value.rank and shape[0] == value.dims[0] and builder.chance(0.5):
        shape[0] = 0
    return Node(op, [value, builder.ints(shape)], exact=True)


@sampler("Flatten", weight=0.6)
def flatten(builder, op):
    value = builder.pick(ALL)
    return Node(op, [value], exact=True, axis=builder.choice((None, *range(-value.rank, value.rank + 1))) if value.rank else None)


@sampler("Squeeze", weight=0.7)
def squeeze(builder, op):
    value = builder.pick(ALL, accept=lambda one: 1 in one.dims)
    ones = [axis for axis, dim in enumerate(value.dims) if dim == 1]
    chosen = builder.rng.sample(ones, builder.rng.randint(1, len(ones)))
    axes = [axis - value.rank if builder.chance(0.3) else axis for axis in chosen]
    return Node(op, [value] + ([builder.leaf(onnx.INT64, [len(axes)], axes, constant=True, static=True)]
                               if builder.chance(0.8) else []), exact=True)


@sampler("Unsqueeze", weight=0.7)
def unsqueeze(builder, op):
    value = builder.pick(ALL, rank=range(0, 4))
    more = builder.choice((1, 1, 2))
    axes = builder.rng.sample(range(value.rank + more), more)
    axes = [axis - value.rank - more if builder.chance(0.3) else axis for axis in axes]
    return Node(op, [value, builder.leaf(onnx.INT64, [more], axes, constant=True, static=True)], exact=True)


@sampler("Expand", weight=0.8)
def expand(builder, op):
    value = builder.pick(ALL)
    shape = [builder.choice((1, 2, 3)) if dim == 1 else builder.choice((1, dim)) for dim in value.dims]
    shape = ([builder.choice((1, 2))] if builder.chance(0.3) else []) + shape
    if math.prod(shape) * max(1, math.prod(value.dims)) > 20 * MAX_ELEMENTS:
        raise Skip
    return Node(op, [value, builder.ints(shape)], exact=True)


@sampler("Tile", weight=0.6)
def tile(builder, op):
    value = builder.pick(ALL)
    repeats = [builder.choice((1, 1, 2, 3)) for _ in value.dims]
    return Node(op, [value, builder.ints(repeats)], exact=True)


@sampler("Concat", weight=1.2)
def concat(builder, op):
    value = builder.pick(ALL, rank=range(1, 6))
    axis = builder.rng.randrange(value.rank)
    operands = [value]
    for _ in range(builder.choice((0, 1, 1, 2, 3))):
        dims = value.dims[:]
        dims[axis] = builder.choice((0, 1, 2, 3, dims[axis]))
        operands.append(builder.pick((value.dtype,), dims=dims))
    builder.rng.shuffle(operands)
    return Node(op, operands, exact=True, axis=axis - value.rank if builder.chance(0.3) else axis)


@sampler("Split", weight=0.9)
def split(builder, op):
    value = builder.pick(ALL, rank=range(1, 6), accept=lambda one: max(one.dims) > 1)
    axis = builder.choice([axis for axis, dim in enumerate(value.dims) if dim > 1])
    dim = value.dims[axis]
    if builder.opset >= 18 and builder.chance(0.5):
        count = builder.rng.randint(1, min(dim, 4))
        return Node(op, [value], outputs=count, exact=True, axis=axis, num_outputs=count)
    cuts = sorted(builder.rng.randint(0, dim) for _ in range(builder.choice((1, 2))))
    sizes = [b - a for a, b in zip([0] + cuts, cuts + [dim])]
    return Node(op, [value, builder.ints(sizes)], outputs=len(sizes), exact=True, axis=axis - value.rank if builder.chance(0.3) else axis)


@sampler("Slice", weight=1.4)
def slices(builder, op):
    value = builder.pick(ALL, rank=range(1, 6))
    axes = builder.rng.sample(range(value.rank), builder.rng.randint(1, value.rank))
    steps = [builder.choice((1, 1, 1, 2, 3, -1, -2)) for _ in axes]
    starts, ends = [], []
    for axis, step in zip(axes, steps):
        dim = value.dims[axis]
        low, high = sorted(builder.rng.randint(0, dim + 1) for _ in range(2))
        start, end = (low, high) if step > 0 else (high, low - 1 if low else -dim - 3)
        if step > 0:
            start = start - dim if builder.chance(0.2) and start < dim else start
            end = builder.choice((end, 2**31 - 1, 2**63 - 1)) if builder.chance(0.2) else end
        starts.append(start), ends.append(end)
    named = [axis - value.rank if builder.chance(0.3) else axis for axis in axes]
    if builder.chance(0.3):
        operands = [builder.ints(starts), builder.ints(ends)]
        return Node(op, [value] + operands + [builder.leaf(onnx.INT64, [len(named)], named, constant=True, static=True)] +
                    ([builder.ints(steps)]), exact=True)
    dtype = builder.choice((onnx.INT32, onnx.INT64))
    ends = [min(end, 2**31 - 1) for end in ends] if dtype == onnx.INT32 else ends
    constants = [builder.leaf(dtype, [len(axes)], numbers, constant=True, static=True) for numbers in (starts, ends, named, steps)]
    return Node(op, [value] + constants, exact=True)


@sampler("Pad", weight=1.0)
def pad(builder, op):
    mode = builder.choice((None, "constant", "reflect", "edge") + (("wrap",) if builder.opset >= 19 else ()))
    least = 2 if mode in ("reflect", "edge", "wrap") else 0
    value = builder.pick(ALL, rank=range(1, 5), accept=lambda one: min(one.dims) >= least)
    limit = {"reflect": lambda dim: dim - 1, "wrap": lambda dim: dim}.get(mode, lambda dim: 3)
    pads = [builder.rng.randint(0, min(3, limit(dim))) if builder.chance(0.6) else 0 for dim in value.dims * 2]
    if mode in (None, "constant") and builder.chance(0.2):
        pads = [-1 if dim > 2 and builder.chance(0.3) else one for dim, one in zip(value.dims * 2, pads)]
    operands = [value, builder.ints(pads)]
    if mode in (None, "constant") and builder.chance(0.5):
        operands.append(builder.leaf(value.dtype, []))
    return Node(op, operands, exact=True, mode=mode)


@sampler("DepthToSpace", "SpaceToDepth", weight=0.4)
def blocks(builder, op):
    size = builder.choice((1, 2))
    n, c, h, w = builder.choice((1, 2)), builder.choice((1, 2)), builder.choice((1, 2, 3)), builder.choice((1, 2))
    dims = [n, c * size * size, h, w] if op == "DepthToSpace" else [n, c, h * size, w * size]
    mode = builder.choice((None, "DCR", "CRD")) if op == "DepthToSpace" else None
    return Node(op, [builder.pick((onnx.FLOAT, onnx.DOUBLE), dims=dims)], exact=True, blocksize=size, mode=mode)


@sampler("Trilu", since=14, weight=0.5)
def trilu(builder, op):
    value = builder.pick(ALL, rank=range(2, 5))
    operands = [value] + ([builder.leaf(onnx.INT64, [], [builder.rng.randint(-3, 3)], constant=True, static=True)] if builder.chance(0.6) else [])
    return Node(op, operands, exact=True, upper=builder.choice((None, 0, 1)))


@sampler("EyeLike", weight=0.3)
def eye_like(builder, op):
    return Node(op, [builder.pick(NUMBERS, rank=2)], exact=True, k=builder.choice((None, -1, 1)),
                dtype=builder.choice((None, onnx.FLOAT, onnx.INT64)))


@sampler("ReverseSequence", weight=0.4)
def reverse_sequence(builder, op):
    value = builder.pick(ALL, rank=range(2, 5), accept=lambda one: min(one.dims) > 0)
    time = builder.choice((0, 1))
    lengths = [builder.rng.randint(1, value.dims[time]) for _ in range(value.dims[1 - time])]
    return Node(op, [value, builder.leaf(onnx.INT64, [len(lengths)], lengths, constant=True)], exact=True, time_axis=time, batch_axis=1 - time)


@sampler("Shape", "Size", weight=0.6)
def shape(builder, op):
    value = builder.pick(ALL)
    if op == "Shape" and builder.opset >= 15 and builder.chance(0.4):
        return Node(op, [value], exact=True, start=builder.rng.randint(-3, 3), end=builder.choice((None, -1, 2)))
    return Node(op, [value], exact=True)


@sampler("Gather", weight=1.2)
def gather(builder, op):
    value = builder.pick(ALL, rank=range(1, 5))
    axis = builder.rng.randrange(-value.rank, value.rank)
    dim = value.dims[axis]
    dims = builder.dims(builder.choice((0, 1, 1, 2)))
    if not dim and math.prod(dims):
        raise Skip
    indices = builder.leaf(builder.choice((onnx.INT64, onnx.INT32)), dims,
                           [builder.rng.randint(-dim, dim - 1) for _ in range(math.prod(dims))])
    return Node(op, [value, indices], exact=True, axis=builder.choice((axis, axis, None)) if value.rank == 1 else axis)


@sampler("GatherElements", weight=0.7)
def gather_elements(builder, op):
    value = builder.pick(ALL, rank=range(1, 5), accept=lambda one: min(one.dims) > 0)
    axis = builder.rng.randrange(-value.rank, value.rank)
    dims = [builder.rng.randint(1, dim) for dim in value.dims]
    dims[axis] = builder.rng.randint(1, 4)
    dim = value.dims[axis]
    return Node(op, [value, builder.leaf(onnx.INT64, dims, [builder.rng.randint(-dim, dim - 1) for _ in range(math.prod(dims))])],
                exact=True, axis=axis)


@sampler("GatherND", weight=0.6)
def gather_nd(builder, op):
    value = builder.pick(ALL, rank=range(1, 5), accept=lambda one: min(one.dims) > 0)
    batch = builder.choice([0, 0] + ([1] if value.rank > 1 else []))
    depth = builder.rng.randint(1, value.rank - batch)
    front = value.dims[:batch] + builder.dims(builder.choice((0, 1)), least=1)
    limits = value.dims[batch : batch + depth]
    indices = [builder.rng.randint(-limit, limit - 1) for _ in range(math.prod(front)) for limit in limits]
    return Node(op, [value, builder.leaf(onnx.INT64, front + [depth], indices)], exact=True, batch_dims=batch)


@sampler("ScatterElements", weight=0.6)
def scatter_elements(builder, op):
    reductions = (None, "none") + (("add", "mul") if builder.opset >= 16 else ()) + (("max", "min") if builder.opset >= 18 else ())
    reduction = builder.choice(reductions)
    value = builder.pick(ALL if reduction in (None, "none") else (onnx.FLOAT, onnx.INT32, onnx.INT64), rank=range(1, 5),
                         accept=lambda one: min(one.dims) > 0)
    axis = builder.rng.randrange(-value.rank, value.rank)
    dims = [builder.rng.randint(1, dim) for dim in value.dims]
    dim, length = value.dims[axis], dims[axis]
    # Without a reduction no place may be written twice, so every line along the axis has different indices.
    strides = [math.prod(dims[k + 1:]) for k in range(len(dims))]
    positive = axis % value.rank
    lines = {}
    indices = []
    for at in range(math.prod(dims)):
        line = at - (at // strides[positive] % length) * strides[positive]
        order = lines.setdefault(line, builder.rng.sample(range(dim), length))
        index = order[at // strides[positive] % length]
        indices.append(index - dim if builder.chance(0.2) else index)
    return Node(op, [value, builder.leaf(onnx.INT64, dims, indices), builder.pick((value.dtype,), dims=dims)],
                exact=reduction in (None, "none", "max", "min"), axis=axis, reduction=reduction)


@sampler("ScatterND", weight=0.6)
def scatter_nd(builder, op):
    reductions = (None, "none") + (("add", "mul") if builder.opset >= 16 else ()) + (("max", "min") if builder.opset >= 18 else ())
    reduction = builder.choice(reductions)
    value = builder.pick(ALL if reduction in (None, "none") else (onnx.FLOAT, onnx.INT32, onnx.INT64), rank=range(1, 5),
                         accept=lambda one: min(one.dims) > 0)
    depth = builder.rng.randint(1, value.rank)
    places = math.prod(value.dims[:depth])
    chosen = builder.rng.sample(range(places), builder.rng.randint(0 if builder.chance(0.1) else 1, min(places, 5)))
    indices = []
    for place in chosen:
        coordinates = []
        for dim in reversed(value.dims[:depth]):
            coordinates.append(place % dim - (dim if builder.chance(0.2) else 0))
            place //= dim
        indices += reversed(coordinates)
    return Node(op, [value, builder.leaf(onnx.INT64, [len(chosen), depth], indices),
                     builder.pick((value.dtype,), dims=[len(chosen)] + value.dims[depth:])],
                exact=reduction in (None, "none", "max", "min"), reduction=reduction)


@sampler("OneHot", weight=0.5)
def one_hot(builder, op):
    depth = builder.rng.randint(1, 5)
    kinds = ((onnx.INT64, onnx.INT64, onnx.INT64), (onnx.FLOAT, onnx.FLOAT, onnx.FLOAT), (onnx.INT64, onnx.INT32, onnx.FLOAT),
             (onnx.INT64, onnx.INT64, onnx.FLOAT), (onnx.INT32, onnx.INT32, onnx.INT32), (onnx.INT64, onnx.FLOAT, onnx.FLOAT))
    indices_type, depth_type, values_type = builder.choice(kinds)
    dims = builder.dims(builder.choice((1, 1, 2, 3)))
    number = float if indices_type == onnx.FLOAT else int
    # Indices outside of the range are allowed: no place is hot then.
    indices = builder.leaf(indices_type, dims, [number(builder.rng.randint(-depth - 1, depth)) for _ in range(math.prod(dims))])
    count = builder.leaf(depth_type, builder.choice(([], [1])), [float(depth) if depth_type == onnx.FLOAT else depth],
                         constant=True, static=True)
    return Node(op, [indices, count, builder.leaf(values_type, [2])], exact=True, axis=builder.choice((None, 0, -1)))


@sampler("Range", weight=0.4)
def ranges(builder, op):
    dtype = builder.choice((onnx.INT64, onnx.INT32, onnx.FLOAT, onnx.DOUBLE, onnx.INT16))
    start, delta, count = builder.rng.randint(-5, 5), builder.choice((-2, -1, 1, 3)), builder.rng.randint(0, 9)
    number = float if dtype in FLOATS else int
    return Node(op, [builder.leaf(dtype, [], [number(one)], constant=not builder.run_time_shapes or builder.chance(0.7), static=True)
                     for one in (start, start + delta * count, delta)], exact=True)


@sampler("ConstantOfShape", weight=0.4)
def constant_of_shape(builder, op):
    dtype = builder.choice(ALL)
    value = Tensor(dtype, [1], builder.numbers(dtype, 1)).proto("value") if builder.chance(0.7) else None
    return Node(op, [builder.ints(builder.dims())], exact=True, value=value)


@sampler("Constant", weight=0.4)
def constant(builder, op):
    dtype, dims = builder.choice(ALL), builder.dims()
    return Node(op, [], exact=True, value=Tensor(dtype, dims, builder.numbers(dtype, math.prod(dims))).proto("value"))


@sampler("NonZero", weight=0.4)
def non_zero(builder, op):
    if not builder.run_time_shapes:
        raise Skip
    return Node(op, [builder.pick(ALL, exact=True, rank=range(1, 5))], exact=True)


@sampler("Compress", weight=0.4)
def compress(builder, op):
    if not builder.run_time_shapes:
        raise Skip
    value = builder.pick(ALL, rank=range(1, 5), accept=lambda one: min(one.dims) > 0)
    axis = builder.choice((None, *range(-value.rank, value.rank)))
    dim = math.prod(value.dims) if axis is None else value.dims[axis]
    return Node(op, [value, builder.leaf(onnx.BOOL, [builder.rng.randint(1, dim)], constant=False)], exact=True, axis=axis)


@sampler("Unique", weight=0.4)
def unique(builder, op):
    if not builder.run_time_shapes:
        raise Skip
    value = builder.pick((onnx.FLOAT, onnx.INT64, onnx.DOUBLE, onnx.INT8), exact=True, rank=range(1, 4), accept=lambda one: min(one.dims) > 0)
    return Node(op, [value], outputs=builder.choice((1, 2, 3, 4)), exact=True, axis=builder.choice((None, *range(value.rank))),
                sorted=builder.choice((None, 0, 1)))


@sampler("CenterCropPad", since=18, weight=0.3)
def center_crop_pad(builder, op):
    value = builder.pick((onnx.FLOAT, onnx.INT64), rank=range(1, 4), accept=lambda one: min(one.dims) > 0)
    return Node(op, [value, builder.ints([builder.rng.randint(1, 6) for _ in value.dims])], exact=True)
