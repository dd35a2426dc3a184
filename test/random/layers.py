"""Samplers of products, convolutions, pools, resampling, quantisation, recurrent layers and control flow."""
import math

import onnx_proto as onnx
from graphs import Node, Skip
from table import sampler
from tensors import ALL, FLOATS, NUMBERS, Tensor


@sampler("MatMul", weight=2.0)
def matmul(builder, op):
    left = builder.pick(FLOATS + (onnx.INT32, onnx.INT64), rank=range(1, 5))
    k, n = left.dims[-1], builder.choice((1, 2, 3, 5, 8, 17))
    dims = [k] if builder.chance(0.15) else [k, n]
    if len(dims) == 2 and left.rank > 2 and builder.chance(0.5):
        dims = [1 if builder.chance(0.3) else dim for dim in left.dims[:-2]] + dims
    return Node(op, [left, builder.pick((left.dtype,), dims=dims)])


@sampler("Gemm", weight=1.5)
def gemm(builder, op):
    a = builder.pick((onnx.FLOAT, onnx.DOUBLE), rank=2)
    trans_a, trans_b = builder.choice((None, 0, 1)), builder.choice((None, 0, 1))
    m, k = reversed(a.dims) if trans_a else a.dims
    n = builder.choice((1, 2, 3, 5, 8, 17))
    operands = [a, builder.pick((a.dtype,), dims=[n, k] if trans_b else [k, n])]
    if builder.chance(0.6):
        operands.append(builder.pick((a.dtype,), dims=builder.choice(([], [1], [n], [1, n], [m, 1], [m, n], [1, 1]))))
    return Node(op, operands, transA=trans_a, transB=trans_b, alpha=builder.choice((None, 0.5, 2.0)), beta=builder.choice((None, 0.5, 0.0)))


@sampler("Einsum", weight=0.6)
def einsum(builder, op):
    sizes = {letter: builder.choice((1, 2, 3, 4)) for letter in "ijkb"}
    equation = builder.choice(("ij,jk->ik", "bij,bjk->bik", "ij,ij->i", "ij->ji", "ij->", "i,j->ij", "bij,kj->bik", "ij,jk",
                               "ii->i" if builder.chance(0.2) else "ij->j", "...ij,...jk->...ik", "bik,bjk->bij"))
    operands = []
    for term in equation.split("->")[0].split(","):
        dims = [sizes[letter] for letter in term.replace("...", "b")]
        operands.append(builder.pick((onnx.FLOAT, onnx.DOUBLE), dims=dims) if not operands else
                        builder.pick((operands[0].dtype,), dims=dims))
    return Node(op, operands, equation=equation)


def window(builder, spatial, transposed=False):
    """Attributes of a sliding window over extents: kernel, strides, dilations, pads or auto_pad."""
    rank = len(spatial)
    kernel = [builder.rng.randint(1, min(3, dim)) for dim in spatial]
    attributes = {"kernel_shape": kernel}
    if builder.chance(0.5):
        attributes["strides"] = [builder.choice((1, 2, 3)) for _ in spatial]
    if builder.chance(0.3):
        attributes["dilations"] = [builder.choice((1, 2)) if 2 * (k - 1) + 1 <= dim else 1 for k, dim in zip(kernel, spatial)]
    if builder.chance(0.4):
        attributes["pads"] = [builder.rng.randint(0, k - 1) for k in kernel * 2]
    elif builder.chance(0.4) and "dilations" not in attributes:
        attributes["auto_pad"] = builder.choice(("SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"))
    return attributes


def image(builder, types, low=3, high=5):
    return builder.pick(types, rank=range(low, high + 1), accept=lambda one: min(one.dims) > 0 and max(one.dims[2:]) > 1)


@sampler("Conv", weight=2.5)
def conv(builder, op):
    value = image(builder, (onnx.FLOAT, onnx.FLOAT, onnx.DOUBLE))
    channels = value.dims[1]
    group = builder.choice([1, 1, channels] + [k for k in range(1, channels + 1) if channels % k == 0])
    out = group * builder.choice((1, 2, 3, 5))
    attributes = window(builder, value.dims[2:])
    operands = [value, builder.pick((value.dtype,), dims=[out, channels // group] + attributes["kernel_shape"])]
    if builder.chance(0.5):
        operands.append(builder.pick((value.dtype,), dims=[out]))
    return Node(op, operands, group=group if group > 1 or builder.chance(0.3) else None, **attributes)


@sampler("ConvTranspose", weight=1.0)
def conv_transpose(builder, op):
    value = image(builder, (onnx.FLOAT,), high=4)
    channels = value.dims[1]
    group = builder.choice([1, 1] + [k for k in range(1, channels + 1) if channels % k == 0])
    attributes = window(builder, value.dims[2:])
    kernel = attributes["kernel_shape"]
    if builder.chance(0.3) and "auto_pad" not in attributes:
        attributes["output_padding"] = [builder.rng.randint(0, stride - 1) for stride in attributes.get("strides", [1] * len(kernel))]
    operands = [value, builder.pick((value.dtype,), dims=[channels, builder.choice((1, 2, 3))] + kernel)]
    if builder.chance(0.5):
        operands.append(builder.pick((value.dtype,), dims=[operands[1].dims[1] * group]))
    return Node(op, operands, group=group if group > 1 else None, **attributes)


@sampler("MaxPool", "AveragePool", "LpPool", weight=1.0)
def pool(builder, op):
    types = (onnx.FLOAT, onnx.FLOAT, onnx.DOUBLE, onnx.INT8, onnx.UINT8) if op == "MaxPool" else (onnx.FLOAT,)
    value = image(builder, types)
    attributes = window(builder, value.dims[2:])
    if op == "LpPool" or (op == "AveragePool" and builder.opset < 19):
        attributes.pop("dilations", None)
    if op != "LpPool" and "auto_pad" not in attributes and builder.chance(0.3):
        attributes["ceil_mode"] = 1
    if op == "AveragePool":
        attributes["count_include_pad"] = builder.choice((None, 0, 1))
    if op == "LpPool":
        attributes["p"] = builder.choice((None, 1, 2, 3))
    outputs = builder.choice((1, 1, 2)) if op == "MaxPool" and value.exact else 1
    return Node(op, [value], outputs=outputs, exact=op == "MaxPool", infinite=False, **attributes)


@sampler("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", weight=0.5)
def global_pool(builder, op):
    return Node(op, [image(builder, (onnx.FLOAT,))], exact=op == "GlobalMaxPool",
                p=builder.choice((None, 1, 2)) if op == "GlobalLpPool" else None)


@sampler("Resize", weight=1.2)
def resize(builder, op):
    mode = builder.choice(("nearest", "nearest", "linear", "cubic"))
    value = builder.pick((onnx.FLOAT,), rank=4 if mode == "cubic" else (3, 4) if mode == "nearest" else 4,
                         accept=lambda one: min(one.dims) > 0)
    coordinates = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"]
    if builder.opset >= 19 and mode != "nearest":
        coordinates.append("half_pixel_symmetric")
    attributes = {"mode": mode, "coordinate_transformation_mode": builder.choice(coordinates)}
    if mode == "nearest":
        attributes["nearest_mode"] = builder.choice((None, "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"))
    if mode == "cubic":
        attributes["cubic_coeff_a"] = builder.choice((None, -0.5))
        attributes["exclude_outside"] = builder.choice((None, 0, 1))
    front = value.rank - builder.choice((1, 2))
    if builder.chance(0.5):
        scales = [1.0] * front + [builder.choice((0.5, 2.0, 1.0, 3.0, 1.5)) for _ in value.dims[front:]]
        if any(math.floor(dim * scale) < 1 for dim, scale in zip(value.dims, scales)):
            raise Skip
        operands = [value, None, builder.parameter(onnx.FLOAT, [value.rank], scales)]
    else:
        sizes = value.dims[:front] + [builder.rng.randint(1, 2 * dim + 1) for dim in value.dims[front:]]
        operands = [value, None, None, builder.ints(sizes)]
    return Node(op, operands, exact=mode == "nearest", **attributes)


@sampler("GridSample", since=16, weight=0.5)
def grid_sample(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=4, accept=lambda one: min(one.dims) > 0)
    modes = ("linear", "cubic") if builder.opset >= 20 else ("bilinear", "bicubic")
    dims = [value.dims[0], builder.choice((1, 2, 3)), builder.choice((1, 2)), 2]
    # Odd multiples of 1/64 keep away from where nearest neighbours change.
    grid = [builder.rng.randint(-80, 80) / 64 + 1 / 128 for _ in range(math.prod(dims))]
    return Node(op, [value, builder.leaf(onnx.FLOAT, dims, grid)], mode=builder.choice(modes),
                padding_mode=builder.choice((None, "zeros", "border", "reflection")), align_corners=builder.choice((None, 0, 1)))


@sampler("Det", weight=0.3)
def determinant(builder, op):
    n = builder.choice((1, 2, 3, 4))
    return Node(op, [builder.pick((onnx.FLOAT,), dims=builder.choice(([], [2], [2, 1])) + [n, n])])


@sampler("DFT", since=17, weight=0.4)
def dft(builder, op):
    dims = [builder.choice((1, 2)), builder.choice((1, 2, 4, 5, 8)), builder.choice((1, 2))]
    value = builder.pick((onnx.FLOAT,), dims=dims)
    onesided = builder.choice((None, 1)) if dims[-1] == 1 else None
    inverse = None if onesided else builder.choice((None, 0, 1))
    if builder.opset >= 20:
        return Node(op, [value, None, builder.leaf(onnx.INT64, [], [1], constant=True, static=True)], onesided=onesided, inverse=inverse)
    return Node(op, [value], axis=1, onesided=onesided, inverse=inverse)


@sampler("HannWindow", "HammingWindow", "BlackmanWindow", since=17, weight=0.15)
def window_function(builder, op):
    return Node(op, [builder.leaf(onnx.INT64, [], [builder.rng.randint(2, 12)], constant=True, static=True)],
                periodic=builder.choice((None, 0, 1)))


@sampler("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss", weight=0.4)
def loss(builder, op):
    scores = builder.pick((onnx.FLOAT,), rank=range(2, 5), accept=lambda one: min(one.dims) > 0)
    classes = scores.dims[1]
    dims = scores.dims[:1] + scores.dims[2:]
    labels = builder.leaf(onnx.INT64, dims, [builder.rng.randrange(classes) for _ in range(math.prod(dims))])
    operands = [scores, labels]
    if builder.chance(0.4):
        operands.append(builder.leaf(onnx.FLOAT, [classes], low=0.25, high=2))
    return Node(op, operands, reduction=builder.choice((None, "none", "sum", "mean")), ignore_index=builder.choice((None, None, 0, -1)))


@sampler("Dropout", weight=0.2)
def dropout(builder, op):
    return Node(op, [builder.pick()], outputs=builder.choice((1, 2)), exact=True)


@sampler("STFT", since=17, weight=0.3)
def stft(builder, op):
    length, frame = builder.choice((8, 9, 12)), builder.choice((2, 4, 5))
    value = builder.pick((onnx.FLOAT,), dims=[builder.choice((1, 2)), length, 1])
    window = builder.leaf(onnx.FLOAT, [frame], low=0.25, high=1) if builder.chance(0.6) else None
    scalar = lambda number: builder.leaf(onnx.INT64, [], [number], constant=True, static=True)
    return Node(op, [value, scalar(builder.choice((1, 2, 3))), window, scalar(frame)], onesided=builder.choice((None, 0, 1)))


@sampler("AffineGrid", since=20, weight=0.3)
def affine_grid(builder, op):
    n, spatial = builder.choice((1, 2)), [builder.choice((2, 3)) for _ in range(builder.choice((2, 3)))]
    theta = builder.pick((onnx.FLOAT,), dims=[n, len(spatial), len(spatial) + 1])
    return Node(op, [theta, builder.ints([n, 1] + spatial)], align_corners=builder.choice((None, 0, 1)))


@sampler("Col2Im", since=18, weight=0.3)
def col2im(builder, op):
    extents, block = [builder.choice((3, 4, 5)) for _ in range(2)], [builder.choice((1, 2, 3)) for _ in range(2)]
    strides = [builder.choice((1, 2)) for _ in range(2)]
    places = math.prod((extent - size) // stride + 1 for extent, size, stride in zip(extents, block, strides))
    value = builder.pick((onnx.FLOAT,), dims=[builder.choice((1, 2)), builder.choice((1, 2)) * math.prod(block), places])
    shapes = [builder.leaf(onnx.INT64, [2], numbers, constant=True, static=True) for numbers in (extents, block)]
    return Node(op, [value] + shapes, strides=strides)


@sampler("MaxUnpool", weight=0.3)
def max_unpool(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=4, accept=lambda one: min(one.dims) > 0)
    n, c, h, w = value.dims
    # Places of the maxima in an unpooled result with windows of 2x2: one in each window.
    places = []
    for plane in range(n * c):
        for y in range(h):
            for x in range(w):
                row, column = 2 * y + builder.choice((0, 1)), 2 * x + builder.choice((0, 1))
                places.append((plane * 2 * h + row) * 2 * w + column)
    return Node(op, [value, builder.leaf(onnx.INT64, value.dims, places)], exact=True, kernel_shape=[2, 2], strides=[2, 2])


@sampler("RoiAlign", since=16, weight=0.4)
def roi_align(builder, op):
    value = image(builder, (onnx.FLOAT,), low=4, high=4)
    count = builder.choice((1, 2, 3))
    regions = []
    for _ in range(count):
        x, y = builder.rng.randint(0, 8) / 4, builder.rng.randint(0, 8) / 4
        regions += [x, y, x + builder.rng.randint(1, 20) / 4, y + builder.rng.randint(1, 20) / 4]
    batch = builder.leaf(onnx.INT64, [count], [builder.rng.randrange(value.dims[0]) for _ in range(count)])
    return Node(op, [value, builder.leaf(onnx.FLOAT, [count, 4], regions), batch], mode=builder.choice((None, "avg", "max")),
                output_height=builder.choice((None, 2)), output_width=builder.choice((None, 3)),
                sampling_ratio=builder.choice((None, 1, 2)), spatial_scale=builder.choice((None, 0.5)),
                coordinate_transformation_mode=builder.choice((None, "half_pixel", "output_half_pixel")))


@sampler("DeformConv", since=22, weight=0.3)
def deform_conv(builder, op):
    value = image(builder, (onnx.FLOAT,), low=4, high=4)
    kernel = [builder.rng.randint(1, min(2, dim)) for dim in value.dims[2:]]
    out = [dim - k + 1 for dim, k in zip(value.dims[2:], kernel)]
    weight = builder.leaf(onnx.FLOAT, [builder.choice((1, 2)), value.dims[1]] + kernel)
    dims = [value.dims[0], 2 * math.prod(kernel)] + out
    offsets = [builder.rng.randint(-40, 40) / 32 + 1 / 64 for _ in range(math.prod(dims))]
    return Node(op, [value, weight, builder.leaf(onnx.FLOAT, dims, offsets)], kernel_shape=kernel)


@sampler("NonMaxSuppression", weight=0.3)
def non_max_suppression(builder, op):
    if not builder.run_time_shapes:
        raise Skip
    boxes, classes = builder.choice((1, 4, 6)), builder.choice((1, 2))
    corners = [(builder.rng.randint(0, 20) / 4, builder.rng.randint(0, 20) / 4) for _ in range(boxes)]
    boxes_value = builder.leaf(onnx.FLOAT, [1, boxes, 4], [number for x, y in corners for number in (x, y, x + 2.0, y + 1.5)])
    # Scores without equal pairs, which have no order.
    scores = [(k + 1) / 32 for k in range(boxes * classes)]
    builder.rng.shuffle(scores)
    scalar = lambda dtype, number: builder.leaf(dtype, [1], [number], constant=True, static=True)
    return Node(op, [boxes_value, builder.leaf(onnx.FLOAT, [1, classes, boxes], scores), scalar(onnx.INT64, builder.choice((1, 2, 5))),
                     scalar(onnx.FLOAT, 0.3125), scalar(onnx.FLOAT, builder.choice((0.0, 0.125)))], exact=True)


@sampler("Attention", since=23, weight=0.8)
def attention(builder, op):
    batch, heads, queries, keys, size = (builder.choice(some) for some in ((1, 2), (1, 2), (1, 2, 3), (1, 3, 4), (1, 2, 4)))
    group = builder.choice((1, heads))
    leaf = lambda dims: builder.pick((onnx.FLOAT,), dims=dims, low=-4, high=4)
    operands = [leaf([batch, heads, queries, size]), leaf([batch, heads // group, keys, size]), leaf([batch, heads // group, keys, size])]
    if builder.chance(0.4):
        operands.append(leaf([queries, keys]))
    return Node(op, operands, is_causal=builder.choice((None, 0, 1)) if queries == keys else None,
                scale=builder.choice((None, 0.5)), softcap=builder.choice((None, 2.0)))


@sampler("RotaryEmbedding", since=23, weight=0.4)
def rotary_embedding(builder, op):
    batch, heads, steps, size = (builder.choice(some) for some in ((1, 2), (1, 2), (1, 2, 3), (2, 4, 6)))
    value = builder.pick((onnx.FLOAT,), dims=[batch, heads, steps, size])
    caches = [builder.leaf(onnx.FLOAT, [batch, steps, size // 2], low=-1, high=1) for _ in range(2)]
    return Node(op, [value] + caches, interleaved=builder.choice((None, 0, 1)))


# --- Quantisation.


def scale(builder, dims=()):
    return builder.leaf(onnx.FLOAT, list(dims), [builder.choice((0.25, 0.5, 1.0, 0.125)) for _ in range(math.prod(dims))], constant=True)


@sampler("QuantizeLinear", weight=0.9)
def quantize(builder, op):
    value = builder.pick((onnx.FLOAT,), exact=True, rank=range(0, 5))
    types = (onnx.INT8, onnx.UINT8) + ((onnx.INT16, onnx.UINT16) if builder.opset >= 21 else ())
    dtype = builder.choice(types)
    if value.rank and builder.chance(0.4):
        axis = builder.rng.randrange(-value.rank, value.rank)
        dims = [value.dims[axis]]
        return Node(op, [value, scale(builder, dims), builder.leaf(dtype, dims, constant=True)], axis=axis)
    return Node(op, [value, scale(builder)] + ([builder.leaf(dtype, [], constant=True)] if builder.chance(0.8) else []))


@sampler("DequantizeLinear", weight=0.9)
def dequantize(builder, op):
    types = (onnx.INT8, onnx.UINT8, onnx.INT32) + ((onnx.INT16, onnx.UINT16) if builder.opset >= 21 else ())
    value = builder.pick(types, rank=range(0, 5))
    point = value.dtype != onnx.INT32 and builder.chance(0.8)
    if value.rank and builder.chance(0.4):
        axis = builder.rng.randrange(-value.rank, value.rank)
        dims = [value.dims[axis]]
        return Node(op, [value, scale(builder, dims)] + ([builder.leaf(value.dtype, dims, constant=True)] if point else []), axis=axis)
    return Node(op, [value, scale(builder)] + ([builder.leaf(value.dtype, [], constant=True)] if point else []))


@sampler("DynamicQuantizeLinear", weight=0.4)
def dynamic_quantize(builder, op):
    # Of 0 and 255 eighths alone, so that no element lies halfway between two steps.
    value = builder.leaf(onnx.FLOAT, builder.dims(least=1), None)
    value.tensor.values = [builder.choice((0.0, 15.9375, 31.875)) for _ in value.tensor.values]
    return Node(op, [value], outputs=3)


@sampler("MatMulInteger", weight=0.6)
def matmul_integer(builder, op):
    # ONNX Runtime leaves products of no terms unwritten.
    left = builder.pick((onnx.INT8, onnx.UINT8), rank=range(2, 4), accept=lambda one: one.dims[-1] > 0)
    right = builder.leaf(builder.choice((onnx.INT8, onnx.UINT8)) if left.dtype == onnx.UINT8 else onnx.INT8,
                         [left.dims[-1], builder.choice((1, 3, 8))])
    operands = [left, right]
    if builder.chance(0.5):
        operands += [builder.leaf(left.dtype, []), builder.leaf(right.dtype, [])]
    return Node(op, operands)


@sampler("ConvInteger", weight=0.5)
def conv_integer(builder, op):
    value = image(builder, (onnx.UINT8,), high=4)
    attributes = window(builder, value.dims[2:])
    weight = builder.leaf(onnx.UINT8, [builder.choice((1, 2, 4)), value.dims[1]] + attributes["kernel_shape"])
    return Node(op, [value, weight] + ([builder.leaf(onnx.UINT8, [])] if builder.chance(0.5) else []), **attributes)


@sampler("QLinearMatMul", weight=0.5)
def qlinear_matmul(builder, op):
    left = builder.pick((onnx.INT8, onnx.UINT8), rank=range(2, 4), accept=lambda one: one.dims[-1] > 0)
    right = builder.leaf(left.dtype, [left.dims[-1], builder.choice((1, 3, 8))])
    point = lambda dtype: builder.leaf(dtype, [], constant=True)
    return Node(op, [left, scale(builder), point(left.dtype), right, scale(builder), point(right.dtype), scale(builder), point(left.dtype)])


@sampler("QLinearConv", weight=0.6)
def qlinear_conv(builder, op):
    value = image(builder, (onnx.UINT8, onnx.INT8), high=4)
    attributes = window(builder, value.dims[2:])
    out = builder.choice((1, 2, 4))
    weight = builder.leaf(value.dtype, [out, value.dims[1]] + attributes["kernel_shape"], constant=True)
    per_channel = [out] if builder.chance(0.4) else []
    point = lambda dtype: builder.leaf(dtype, [], constant=True)
    operands = [value, scale(builder), point(value.dtype), weight, scale(builder, per_channel),
                builder.leaf(value.dtype, per_channel, [0] * math.prod(per_channel), constant=True), scale(builder), point(value.dtype)]
    if builder.chance(0.4):
        operands.append(builder.leaf(onnx.INT32, [out], constant=True))
    return Node(op, operands, **attributes)


# --- Recurrent layers and control flow.


@sampler("RNN", "GRU", "LSTM", since=14, weight=0.6)
def recurrent(builder, op):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[op]
    direction = builder.choice((None, "forward", "reverse", "bidirectional"))
    d, hidden = 2 if direction == "bidirectional" else 1, builder.choice((1, 3, 4))
    value = builder.pick((onnx.FLOAT,), rank=3, accept=lambda one: min(one.dims) > 0)
    steps, batch, size = value.dims
    leaf = lambda dims: builder.leaf(onnx.FLOAT, dims, low=-1, high=1)
    operands = [value, leaf([d, gates * hidden, size]), leaf([d, gates * hidden, hidden])]
    operands.append(leaf([d, 2 * gates * hidden]) if builder.chance(0.6) else None)
    operands.append(builder.leaf(onnx.INT32, [batch], [builder.rng.randint(1, steps) for _ in range(batch)]) if builder.chance(0.3) else None)
    operands.append(leaf([d, batch, hidden]) if builder.chance(0.4) else None)
    attributes = {"hidden_size": hidden, "direction": direction}
    if op == "GRU":
        attributes["linear_before_reset"] = builder.choice((None, 0, 1))
    if op == "LSTM" and builder.chance(0.4):
        operands += [leaf([d, batch, hidden]), leaf([d, 3 * hidden]) if builder.chance(0.5) else None]
    if builder.chance(0.2):
        attributes["clip"] = 1.5
    return Node(op, operands, outputs=3 if op == "LSTM" and builder.chance(0.5) else 2, **attributes)


def body_node(builder, source, target, captured):
    """One elementwise node of a body: from `source` and a captured value, or from `source` alone."""
    if captured is not None:
        return onnx.node(builder.choice(("Add", "Sub", "Mul")), [source, captured], [target], name=target)
    return onnx.node(builder.choice(("Neg", "Abs", "Relu", "Tanh")), [source], [target], name=target)


def open_info(name, like):
    """What a body says about a value: its type and rank. Its extents may be others when the model runs."""
    return onnx.value_info(name, like.dtype, [None] * like.rank)


def same_dims(builder, value):
    found = [one for one in builder.values if one.dims == value.dims and one.dtype == value.dtype]
    return builder.choice(found) if found and builder.chance(0.7) else None


@sampler("If", weight=0.5)
def branches(builder, op):
    value = builder.pick((onnx.FLOAT,))
    condition = builder.leaf(onnx.BOOL, [])
    graphs, other = [], same_dims(builder, value)
    for name in ("then", "else"):
        graph = onnx.Graph(name)
        result = f"{name}{len(builder.nodes)}"
        graph.nodes = [body_node(builder, value.name, result, other.name if other else None)]
        graph.outputs = [open_info(result, value)]
        graphs.append(graph)
    node = Node(op, [condition], then_branch=graphs[0], else_branch=graphs[1])
    node.captured = [value] + ([other] if other else [])
    return node


@sampler("Loop", weight=0.4)
def loop(builder, op):
    value = builder.pick((onnx.FLOAT,))
    other = same_dims(builder, value)
    graph, n = onnx.Graph("body"), len(builder.nodes)
    graph.inputs = [onnx.value_info(f"i{n}", onnx.INT64, []), onnx.value_info(f"c{n}", onnx.BOOL, []),
                    open_info(f"v{n}", value)]
    graph.nodes = [onnx.node("Identity", [f"c{n}"], [f"d{n}"]), body_node(builder, f"v{n}", f"w{n}", other.name if other else None)]
    graph.outputs = [onnx.value_info(f"d{n}", onnx.BOOL, []), open_info(f"w{n}", value)]
    scans = builder.chance(0.5)
    if scans:
        graph.nodes.append(onnx.node("Neg", [f"w{n}"], [f"s{n}"]))
        graph.outputs.append(open_info(f"s{n}", value))
    trips = builder.leaf(onnx.INT64, [], [builder.rng.randint(0 if builder.chance(0.1) else 1, 3)], constant=not builder.run_time_shapes or builder.chance(0.6), static=True)
    node = Node(op, [trips, None, value], outputs=2 if scans else 1, body=graph)
    node.captured = [other] if other else []
    return node


@sampler("Scan", weight=0.4)
def scan(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=range(1, 4), accept=lambda one: one.dims[0] > 0)
    state, n = builder.pick((onnx.FLOAT,), dims=value.dims[1:]), len(builder.nodes)
    graph = onnx.Graph("body")
    graph.inputs = [open_info(f"a{n}", state), open_info(f"b{n}", state)]
    graph.nodes = [onnx.node("Add", [f"a{n}", f"b{n}"], [f"s{n}"]), onnx.node(builder.choice(("Identity", "Neg")), [f"s{n}"], [f"t{n}"])]
    graph.outputs = [open_info(f"s{n}", state), open_info(f"t{n}", state)]
    return Node(op, [state, value], outputs=2, num_scan_inputs=1, body=graph, scan_input_directions=builder.choice((None, [1])),
                scan_output_directions=builder.choice((None, [1])))
