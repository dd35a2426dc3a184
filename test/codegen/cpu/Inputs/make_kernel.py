"""Writes a model of one product, by a constant or of two inputs, or of a chain of equal convolutions, as test/bench/operators.py times them.

usage: make_kernel.py FILE.onnx product|inputs ROWS COLUMNS DEPTH
       make_kernel.py FILE.onnx chain CHANNELS SIZE OUTPUTS,KERNEL,STRIDE,GROUPS ...
"""
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TESTS / "bench"), str(TESTS)]
from operators import Chain, Product, RunTimeProduct  # noqa: E402


def make(kind, *words):
    if kind == "product":
        return Product(*map(int, words))
    if kind == "inputs":
        return RunTimeProduct((), *map(int, words))
    return Chain(int(words[0]), int(words[1]), [tuple(map(int, layer.split(","))) for layer in words[2:]])


model, _ = make(*sys.argv[2:]).build()
pathlib.Path(sys.argv[1]).write_bytes(bytes(model))
