"""Writes models for report.test.

usage: report_model.py layers OUT      a convolution, a product, and a product in a loop of five rounds
       report_model.py decoder OUT     four products, the last of which has the largest result by far
       report_model.py uneven N OUT    three 3x3 convolutions whose weights are about 1, but for one of each output that is N
"""
import sys


def dims(shape):
    return " ".join(f"dims: {extent}" for extent in shape)


def tensor(name, shape, values):
    return f'initializer {{ name: "{name}" {dims(shape)} data_type: 1 float_data: {list(values)} }}\n'


def value(kind, name, shape, dtype=1):
    extents = " ".join(f"dim {{ dim_value: {extent} }}" for extent in shape)
    return f'{kind} {{ name: "{name}" type {{ tensor_type {{ elem_type: {dtype} shape {{ {extents} }} }} }} }}\n'


def node(op, name, inputs, output, attribute=""):
    inputs = " ".join(f'input: "{name}"' for name in inputs)
    return f'node {{ op_type: "{op}" name: "{name}" {inputs} output: "{output}" {attribute} }}\n'


def numbers(count):
    """Numbers from [-1, 1)."""
    state = 1
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2**31
        yield state / 2**30 - 1


PADS = 'attribute { name: "pads" type: INTS ints: [1, 1, 1, 1] }'


def layers():
    body = ('name: "round"\n' + node("MatMul", "turn", ["state", "square"], "next") + node("Identity", "on", ["go"], "go_on")
            + value("input", "i", [], 7) + value("input", "go", [], 9) + value("input", "state", [1, 10])
            + value("output", "go_on", [], 9) + value("output", "next", [1, 10]))
    return (node("Conv", "edges", ["x", "kernel"], "c", PADS) + node("Relu", "clip", ["c"], "r")
            + node("Reshape", "flat", ["r", "row"], "f") + node("MatMul", "classes", ["f", "weights"], "y")
            + node("Loop", "rounds", ["five", "", "y"], "z", f'attribute {{ name: "body" type: GRAPH g {{ {body} }} }}')
            + tensor("kernel", [3, 2, 3, 3], numbers(54)) + tensor("weights", [48, 10], numbers(480))
            + tensor("square", [10, 10], numbers(100))
            + 'initializer { name: "row" dims: 2 data_type: 7 int64_data: [1, 48] }\n'
            + 'initializer { name: "five" data_type: 7 int64_data: 5 }\n'
            + value("input", "x", [1, 2, 4, 4]) + value("output", "z", [1, 10]))


def uneven(largest):
    channels = 32
    weights = list(numbers(channels * channels * 9))
    for output in range(channels):
        weights[output * channels * 9 + 4] = largest
    shape = [1, channels, 32, 32]
    return ("".join(node("Conv", f"conv{i}", [f"x{i}", "w"], f"x{i + 1}", PADS) for i in range(3))
            + tensor("w", [channels, channels, 3, 3], weights) + value("input", "x0", shape) + value("output", "x3", shape))


def decoder():
    widths = [16, 128, 128, 16, 640]
    pairs = list(zip(widths, widths[1:]))
    return ("".join(node("MatMul", f"product{i}", [f"x{i}", f"w{i}"], f"x{i + 1}") for i in range(len(pairs)))
            + "".join(tensor(f"w{i}", pair, numbers(pair[0] * pair[1])) for i, pair in enumerate(pairs))
            + value("input", "x0", [1, 16]) + value("output", "x4", [1, 640]))


graph = {"layers": layers, "decoder": decoder, "uneven": lambda: uneven(float(sys.argv[2]))}[sys.argv[1]]()
with open(sys.argv[-1], "w") as file:
    file.write(f'ir_version: 8\nopset_import {{ version: 13 }}\ngraph {{\nname: "graph"\n{graph}}}\n')
