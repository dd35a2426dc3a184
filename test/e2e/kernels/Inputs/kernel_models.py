"""Models of one operator or few, of sizes at which vectors, tiles and rests are met, as protobuf text.

usage: kernel_models.py NAME FILE.onnxtext     NAME: one of MODELS; `kernel_models.py --list FAMILY` prints them
"""
import random
import sys


FLOAT, UINT8, INT8 = 1, 2, 3  # of TensorProto.DataType


def value(kind, name, dims, element=FLOAT):
    shape = " ".join(f"dim {{ dim_value: {dim} }}" for dim in dims)
    return f'{kind} {{ name: "{name}" type {{ tensor_type {{ elem_type: {element} shape {{ {shape} }} }} }} }}'


def attribute(name, of):
    if isinstance(of, str):
        return f'attribute {{ name: "{name}" type: STRING s: "{of}" }}'
    if isinstance(of, float):
        return f'attribute {{ name: "{name}" type: FLOAT f: {of!r} }}'
    if isinstance(of, int):
        return f'attribute {{ name: "{name}" type: INT i: {of} }}'
    return f'attribute {{ name: "{name}" type: INTS ' + " ".join(f"ints: {each}" for each in of) + " }"


def node(operator, inputs, output, **attributes):
    names = " ".join(f'input: "{name}"' for name in inputs)
    rest = " ".join(attribute(*each) for each in attributes.items())
    return f'node {{ op_type: "{operator}" {names} output: "{output}" name: "{output}_{operator}" {rest} }}'


def floats(name, dims, values):
    return (f'initializer {{ name: "{name}" data_type: 1 ' + " ".join(f"dims: {dim}" for dim in dims) + " "
            + " ".join(f"float_data: {each}" for each in values) + " }")


def integers(name, values):
    return (f'initializer {{ name: "{name}" data_type: 7 dims: {len(values)} '
            + " ".join(f"int64_data: {each}" for each in values) + " }")


def model(nodes, x, y, initializers, of=FLOAT, to=FLOAT):
    return "\n".join(['ir_version: 8 opset_import { domain: "" version: 18 } graph { name: "kernels"', *nodes, value("input", "x", x, of),
                      *initializers, value("output", "y", y, to), "}"]) + "\n"


def resize(shape, to=None, scales=None, **attributes):
    if scales:
        to = [int(dim * scale) for dim, scale in zip(shape, scales)]
        return model([node("Resize", ["x", "", "s"], "y", **attributes)], shape, to,
                     [floats("s", [len(shape)], [float(scale) for scale in scales])])
    return model([node("Resize", ["x", "", "", "s"], "y", **attributes)], shape, to, [integers("s", to)])


def byte(name, value, element=UINT8):
    return f'initializer {{ name: "{name}" data_type: {element} int32_data: {value} }}'


def fused(shape, scales, before=(), after=(), initializers=(), of=FLOAT, to=FLOAT, **attributes):
    """Resize behind and before elementwise nodes (operator, further inputs, attributes)."""
    nodes, last = [], "x"
    for at, (operator, more, given) in enumerate([*before, ("Resize", ["", "s"], attributes), *after]):
        nodes.append(node(operator, [last, *more], f"v{at}", **given))
        last = f"v{at}"
    nodes.append(node("Identity", [last], "y"))
    return model(nodes, shape, [int(dim * scale) for dim, scale in zip(shape, scales)],
                 [floats("s", [len(shape)], [float(scale) for scale in scales]), *initializers], of, to)


def pool(operator, shape, kernel, stride=1, pad=0, dilation=1, ceil_mode=0, **attributes):
    reach = dilation * (kernel - 1) + 1
    out = [(dim + 2 * pad - reach + (stride - 1 if ceil_mode else 0)) // stride + 1 for dim in shape[2:]]
    if ceil_mode:  # no window begins in the padding behind the data
        out = [size - ((size - 1) * stride >= dim + pad) for size, dim in zip(out, shape[2:])]
    return model([node(operator, ["x"], "y", kernel_shape=[kernel] * len(out), strides=[stride] * len(out),
                       pads=[pad] * 2 * len(out), dilations=[dilation] * len(out), ceil_mode=ceil_mode, **attributes)],
                 shape, [*shape[:2], *out], [])


def conv(name, x, y, outputs, inputs, kernel, stride, groups):
    draw = random.Random(name)
    weights = [f"{draw.uniform(-1, 1):.4f}" for _ in range(outputs * (inputs // groups) * kernel * kernel + outputs)]
    return (node("Conv", [x, name + "_w", name + "_b"], y, kernel_shape=[kernel, kernel], strides=[stride, stride],
                 pads=[kernel // 2] * 4, group=groups),
            [floats(name + "_w", [outputs, inputs // groups, kernel, kernel], weights[outputs:]),
             floats(name + "_b", [outputs], weights[:outputs])])


def depthwise(channels, size, kernel, stride):
    """Alone: the data is stored as it comes."""
    out = (size + 2 * (kernel // 2) - kernel) // stride + 1
    made, weights = conv("depthwise", "x", "y", channels, channels, kernel, stride, channels)
    return model([made], [1, channels, size, size], [1, channels, out, out], weights)


def chain(channels, size, kernel, stride):
    """Between two convolutions, for which images are stored with their channels last; a Clip becomes its epilogue."""
    out = (size + 2 * (kernel // 2) - kernel) // stride + 1
    first, first_weights = conv("first", "x", "a", channels, channels, 1, 1, 1)
    middle, weights = conv("depthwise", "a", "b", channels, channels, kernel, stride, channels)
    last, last_weights = conv("last", "d", "y", channels, channels, 1, 1, 1)
    pooled = node("MaxPool", ["c"], "d", kernel_shape=[3, 3], pads=[1] * 4)
    return model([first, middle, node("Clip", ["b", "low", "high"], "c"), pooled, last], [1, channels, size, size],
                 [1, channels, out, out], [*first_weights, *weights, *last_weights, floats("low", [], [0]), floats("high", [], [6])])


def alike(channels, size):
    """Three layers that differ in their weights alone; the last one does not write into padding."""
    made, weights = zip(*(conv(f"layer{x}", x, y, channels, channels, 3, 1, channels) for x, y in ("xa", "ab", "by")))
    return model(made, [1, channels, size, size], [1, channels, size, size], sum(weights, []))


IMAGE = [1, 3, 19, 37]
MODELS = {"resize": {}, "pool": {}, "depthwise": {}}
for mode in ("nearest", "linear", "cubic"):
    for coordinates in ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners", "half_pixel_symmetric"):
        for scale in (2.0, 3.0, 1.5, 0.5, 1.37) if coordinates == "half_pixel" else (2.0, 1.37):
            MODELS["resize"][f"{mode}-{coordinates}-{scale}"] = resize(
                [2, 3, 20, 36], scales=[1, 1, scale, scale], mode=mode, coordinate_transformation_mode=coordinates)
    MODELS["resize"][f"{mode}-sizes"] = resize(IMAGE, to=[1, 3, 50, 91], mode=mode)
    MODELS["resize"][f"{mode}-shrunk"] = resize(IMAGE, to=[1, 3, 7, 11], mode=mode)
    MODELS["resize"][f"{mode}-mixed"] = resize(IMAGE, to=[1, 3, 38, 30], mode=mode)
    MODELS["resize"][f"{mode}-columns"] = resize(IMAGE, scales=[1, 1, 1, 3], mode=mode)
    MODELS["resize"][f"{mode}-rows"] = resize(IMAGE, scales=[1, 1, 2, 1], mode=mode)
    MODELS["resize"][f"{mode}-tiny"] = resize([1, 1, 2, 3], scales=[1, 1, 2, 2], mode=mode)
    MODELS["resize"][f"{mode}-line"] = resize([2, 5, 50], scales=[1, 1, 4], mode=mode)
    if mode != "cubic":
        MODELS["resize"][f"{mode}-channels-last"] = resize([1, 9, 12, 20], scales=[1, 2, 3, 1], mode=mode)
    if mode != "nearest":
        MODELS["resize"][f"{mode}-outside"] = resize(IMAGE, scales=[1, 1, 3, 3], mode=mode, exclude_outside=1)
        MODELS["resize"][f"{mode}-antialias"] = resize(IMAGE, to=[1, 3, 8, 13], mode=mode, antialias=1)
MODELS["resize"]["cubic-coefficient"] = resize(IMAGE, scales=[1, 1, 2, 2], mode="cubic", cubic_coeff_a=-0.5)
for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
    MODELS["resize"][f"nearest-{rounding}"] = resize(IMAGE, scales=[1, 1, 2.5, 2.5], mode="nearest", nearest_mode=rounding)
for mode in ("nearest", "linear"):
    for scale in (2.0, 1.5, 0.5, 1.37):
        MODELS["resize"][f"volume-{mode}-{scale}"] = resize([1, 2, 8, 10, 20], scales=[1, 1, scale, scale, scale], mode=mode)
    MODELS["resize"][f"volume-{mode}-mixed"] = resize([1, 2, 8, 10, 20], scales=[1, 1, 3, 0.5, 1.5], mode=mode)
    MODELS["resize"][f"volume-{mode}-last"] = resize([1, 6, 7, 8, 5], scales=[1, 2, 3, 1.5, 1], mode=mode)
    MODELS["resize"][f"volume-{mode}-tiny"] = resize([2, 2, 2, 2], scales=[1, 2, 2, 2], mode=mode)
# With what is elementwise before and behind it, which becomes part of the kernel.
MODELS["fused"] = {}
MEAN, SCALE = floats("mean", [3, 1, 1], [0.1, -0.2, 0.3]), floats("scale", [3, 1, 1], [2, 3, 4])
LAST = floats("mean", [3], [0.1, -0.2, 0.3])
WHOLE = floats("whole", [1, 3, 30, 54], [f"{(step * 37 % 101) / 50 - 1:.3f}" for step in range(3 * 30 * 54)])
NORMALISE = [("Sub", ["mean"], {}), ("Div", ["scale"], {})]
CAST = [("Cast", [], {"to": FLOAT})]
LEVELS = [floats("step", [], [0.05]), floats("step2", [], [0.06]), byte("zero", 3), byte("zero2", 40)]
for scale in (2.0, 1.5, 0.5, 1.37):
    by, image = [1, 1, scale, scale], [1, 3, 20, 36]
    for mode in ("nearest", "linear", "cubic") if scale in (1.5, 1.37) else ("linear",):
        MODELS["fused"][f"{mode}-{scale}-normalise"] = fused(image, by, (), NORMALISE, [MEAN, SCALE], mode=mode)
        MODELS["fused"][f"{mode}-{scale}-bytes-normalise"] = fused(image, by, CAST, NORMALISE, [MEAN, SCALE], UINT8, mode=mode)
    MODELS["fused"][f"signed-{scale}"] = fused(image, by, CAST, [("LeakyRelu", [], {"alpha": 0.1})], (), INT8, mode="linear")
MODELS["fused"]["last"] = fused([1, 20, 36, 3], [1, 2, 1.5, 1], CAST, [("Sub", ["mean"], {}), ("Relu", [], {})], [LAST], UINT8, mode="linear")
MODELS["fused"]["batch"] = fused([2, 3, 10, 18], [1, 1, 2, 2], (), NORMALISE, [MEAN, SCALE], mode="linear")
MODELS["fused"]["whole"] = fused([1, 3, 20, 36], [1, 1, 1.5, 1.5], (), [("Add", ["whole"], {}), ("Clip", ["low", "high"], {})],
                                 [WHOLE, floats("low", [], [-0.5]), floats("high", [], [1])], mode="linear")
MODELS["fused"]["volume"] = fused([1, 3, 4, 10, 18], [1, 1, 2, 2, 2], CAST, [("Relu", [], {})], (), UINT8, mode="linear")
# Bytes that are interpolated: results may differ by one where a sum is an integer but for its rounding.
MODELS["bytes"] = {}
for mode in ("linear", "cubic"):
    for scale in (2.0, 1.5, 0.5, 1.37):
        for of in (UINT8, INT8) if mode == "linear" else (UINT8,):
            MODELS["bytes"][f"{mode}-{scale}-{of}"] = fused([1, 3, 20, 36], [1, 1, scale, scale], of=of, to=of, mode=mode)
for scale in (2.0, 1.5, 1.37):
    MODELS["bytes"][f"levels-{scale}"] = fused([1, 3, 20, 36], [1, 1, scale, scale], [("DequantizeLinear", ["step", "zero"], {})],
                                               [("QuantizeLinear", ["step2", "zero2"], {})], LEVELS, UINT8, UINT8, mode="linear")
for size in ([2, 7, 13, 29], [1, 16, 24, 24]):
    channels = size[1]
    for kernel, stride, pad, dilation, ceil_mode in ((3, 2, 1, 1, 0), (2, 2, 0, 1, 0), (3, 1, 1, 1, 0), (3, 2, 0, 1, 1), (3, 1, 2, 2, 0)):
        name = f"{channels}-{kernel}-{stride}-{pad}-{dilation}-{ceil_mode}"
        for p in (1, 2):
            MODELS["pool"][f"lp-{name}-{p}"] = pool("LpPool", size, kernel, stride, pad, dilation, ceil_mode, p=p)
        MODELS["pool"]["max-" + name] = pool("MaxPool", size, kernel, stride, pad, dilation, ceil_mode)
        for counts in (0, 1):
            MODELS["pool"][f"average-{name}-{counts}"] = pool("AveragePool", size, kernel, stride, pad, dilation, ceil_mode, count_include_pad=counts)
# Large windows are maxima of one axis after the other. Roots of negative numbers are NaN, which every window keeps.
MODELS["maxima"] = {}
for size in ([2, 7, 23, 29], [1, 16, 24, 24], [1, 4, 9, 70]):
    for kernel, stride, pad, dilation, ceil_mode in ((5, 1, 2, 1, 0), (7, 2, 3, 1, 1), (5, 1, 4, 2, 0)):
        text = pool("MaxPool", size, kernel, stride, pad, dilation, ceil_mode)
        roots = node("Add", ["x", "more"], "a") + node("Sqrt", ["a"], "b") + floats("more", [], [0.98])
        MODELS["maxima"][f"{size[1]}-{kernel}-{stride}-{pad}"] = text.replace('input: "x" output: "y"', 'input: "b" output: "y"').replace(
            "node {", roots + " node {", 1)
MODELS["global"] = {"max": model([node("GlobalMaxPool", ["x"], "y")], [2, 19, 9, 7], [2, 19, 1, 1], [])}
MODELS["alike"] = {"depthwise": alike(24, 14)}
MODELS["pool"]["line"] = pool("MaxPool", [2, 6, 70], 3, 2, 1)
for channels, size, kernel, stride in ((24, 14, 3, 1), (32, 15, 3, 2), (13, 20, 5, 1)):
    MODELS["depthwise"][f"alone-{channels}"] = depthwise(channels, size, kernel, stride)
    MODELS["depthwise"][f"chain-{channels}"] = chain(channels, size, kernel, stride)

if __name__ == "__main__":
    if sys.argv[1] == "--list":
        print("\n".join(MODELS[sys.argv[2]]))
    else:
        family, _, name = sys.argv[1].partition("/")
        with open(sys.argv[2], "w") as file:
            file.write(MODELS[family][name])
