"""Writes a model of attention, softmax(Q K^T / sqrt(depth) + mask) V, as exports write it.

usage: make_attention.py FILE.onnx BATCH HEADS QUERIES KEYS DEPTH WIDTH [open] [half] [transposed] [flat] [add|where|causal|rows]

With `open` batch, queries and keys are names of dims; with `half` elements have 16 bits. Keys come as [.. depth, keys] with `transposed`; with `flat` all come as
[batch, place, heads, element] and are transposed in the graph. The mask is added (a row of numbers for each batch), forbids
single scores, those of later keys, or also all of some rows.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
import onnx_proto as onnx  # noqa: E402

file, words, flags = sys.argv[1], list(map(int, sys.argv[2:8])), set(sys.argv[8:])
batch, heads, queries, keys, depth, width = words
if "open" in flags:
    batch, queries, keys = "batch", "queries", "keys"
real = onnx.FLOAT16 if "half" in flags else onnx.FLOAT
graph = onnx.Graph("attention")


def constant(name, kind, shape, values):
    code = {onnx.FLOAT: "f", onnx.FLOAT16: "e", onnx.INT64: "q"}[kind]
    raw = struct.pack(f"<{len(values)}{code}", *values)
    graph.initializers.append(onnx.tensor(kind, shape, raw, name))
    return name


def node(operator, inputs, attributes=None):
    name = f"{operator.lower()}_{len(graph.nodes)}"
    graph.nodes.append(onnx.node(operator, inputs, [name], attributes or {}))
    return name


def operand(name, places, elements, permutation=None):
    """A graph input, as [batch, heads, places, elements] or in the order of `permutation` of these."""
    shape = (batch, places, heads, elements) if "flat" in flags else (batch, heads, places, elements)
    order = [0, 2, 1, 3] if "flat" in flags else [0, 1, 2, 3]
    if permutation:
        order = [order[place] for place in permutation]
        if "transposed" in flags and "flat" not in flags:
            shape, order = (batch, heads, elements, places), [0, 1, 2, 3]
    graph.inputs.append(onnx.value_info(name, real, shape))
    return name if order == [0, 1, 2, 3] else node("Transpose", [name], {"perm": order})


q, k, v = operand("q", queries, depth), operand("k", keys, depth, [0, 1, 3, 2]), operand("v", keys, width)
scores = node("Mul", [node("MatMul", [q, k]), constant("scale", real, (), [depth**-0.5])])
lowest = constant("lowest", real, (), [float("-inf")])
zero = constant("zero", real, (), [0.0])
if "add" in flags:
    graph.inputs.append(onnx.value_info("mask", real, (batch, 1, 1, keys)))
    scores = node("Add", [scores, "mask"])
if "where" in flags or "rows" in flags:
    graph.inputs.append(onnx.value_info("mask", real, (batch, 1, queries, keys)))
    scores = node("Where", [node("Less", ["mask", zero]), lowest, scores])
if "rows" in flags:
    graph.inputs.append(onnx.value_info("row", real, (queries, 1)))
    scores = node("Where", [node("Less", ["row", zero]), lowest, scores])
if "causal" in flags:
    constant("first", onnx.INT64, (), [0])
    constant("step", onnx.INT64, (), [1])
    columns = node("Range", ["first", constant("keys", onnx.INT64, (), [keys]), "step"])
    rows = node("Unsqueeze", [node("Range", ["first", constant("queries", onnx.INT64, (), [queries]), "step"]),
                              constant("axes", onnx.INT64, (1,), [1])])
    scores = node("Where", [node("Less", [rows, columns]), lowest, scores])
y = node("MatMul", [node("Softmax", [scores], {"axis": -1}), v])
graph.outputs = [onnx.value_info(y, real, (batch, heads, queries, width))]
pathlib.Path(file).write_bytes(bytes(onnx.model(graph, 13)))
