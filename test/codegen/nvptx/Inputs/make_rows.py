"""Writes a model of one operator over the last axis of a matrix.

usage: make_rows.py FILE.onnx OPERATOR ROWS COLUMNS|open [half]

With `open` both dims are names; with `half` elements have 16 bits.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3]))
import onnx_proto as onnx  # noqa: E402

file, operator, rows, columns = sys.argv[1:5]
shape = ("rows", "columns") if columns == "open" else (int(rows), int(columns))
kind = onnx.FLOAT16 if "half" in sys.argv else onnx.FLOAT
graph = onnx.Graph("rows")
graph.inputs.append(onnx.value_info("x", kind, shape))
inputs = ["x"]
if operator.endswith("Normalization") and operator != "LpNormalization":
    for name in ("scale", "bias")[: 2 if operator == "LayerNormalization" else 1]:
        graph.inputs.append(onnx.value_info(name, kind, shape[1:]))
        inputs.append(name)
graph.nodes.append(onnx.node(operator, inputs, ["y"], {"axis": -1}))
graph.outputs = [onnx.value_info("y", kind, shape)]
pathlib.Path(file).write_bytes(bytes(onnx.model(graph, 23)))
