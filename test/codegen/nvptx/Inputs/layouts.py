"""Writes a model of three products whose operands lie in all ways in which matrix units of sm_90a take them: neighbours
along k or not, and in batches.

usage: layouts.py FILE.onnx
"""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[3])]
import onnx_proto as onnx  # noqa: E402

INPUTS = {
    "a": (136, 1408), "b": (1500, 136),  # both transposed
    "c": (16, 384, 88), "d": (16, 88, 384),  # one batch
    "e": (2, 12, 272, 72), "f": (2, 12, 72, 264),  # of two dims, between which the result has its rows
}

graph = onnx.Graph("layouts")
graph.inputs = [onnx.value_info(name, onnx.FLOAT, shape) for name, shape in INPUTS.items()]
graph.nodes = [
    onnx.node("Gemm", ["a", "b"], ["x"], {"transA": 1, "transB": 1}),
    onnx.node("MatMul", ["c", "d"], ["y"], {}),
    onnx.node("MatMul", ["e", "f"], ["t"], {}),
    onnx.node("Transpose", ["t"], ["z"], {"perm": [0, 2, 1, 3]}),
]
graph.outputs = [onnx.value_info("x", onnx.FLOAT, (1408, 1500)), onnx.value_info("y", onnx.FLOAT, (16, 384, 384)),
                 onnx.value_info("z", onnx.FLOAT, (2, 272, 12, 264))]
pathlib.Path(sys.argv[1]).write_bytes(bytes(onnx.model(graph, 13)))
