"""Samplers for networks of matrix products whose operands only the run knows, as attention has them: with transpositions
before and elementwise operators behind, batches that repeat, and extents around those of vectors, panels and tiles, from
no elements to more than a hundred.
"""
import math

import onnx_proto as onnx
from graphs import Node, Skip
from table import Entry

EXTENTS = (1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 47, 48, 64, 65, 80, 97, 129)
MOST_ELEMENTS = 17000
TABLE = []


def layer(*ops, weight=1.0):
    def register(function):
        for op in ops:
            TABLE.append(Entry(op, 13, weight, lambda builder, op=op: function(builder, op)))
        return function
    return register


def extent(builder):
    return 0 if builder.chance(0.02) else builder.choice(EXTENTS)


def leaf(builder, dims, constant=False):
    if math.prod(dims) > MOST_ELEMENTS:
        raise Skip
    return builder.leaf(onnx.FLOAT, dims, low=-2, high=2, constant=constant)


def matrix(builder, ranks=(2, 3, 4)):
    """A value of before, most of the time; magnitudes stay small."""
    found = [value for value in builder.values if value.rank in ranks and value.scale < 200]
    if found and builder.chance(0.75):
        return found[-1] if builder.chance(0.6) else builder.choice(found)
    batch = [builder.choice((1, 2, 3, 5)) for _ in range(builder.choice(ranks) - 2)]
    return leaf(builder, batch + [extent(builder), extent(builder)])


def fitting(builder, dims):
    """A value of these dims."""
    found = [value for value in builder.values if value.dims == dims and value.scale < 200]
    return builder.choice(found) if found and builder.chance(0.5) else leaf(builder, dims, builder.chance(0.15))


@layer("MatMul", weight=5.0)
def matmul(builder, op):
    left = matrix(builder)
    batch = left.dims[:-2]
    if builder.chance(0.4):
        batch = [1 if builder.chance(0.3) else dim for dim in batch][builder.choice((0, 0, 1)):]
    operands = [left, fitting(builder, batch + [left.dims[-1], extent(builder)])]
    if builder.chance(0.2):
        operands = [fitting(builder, batch + [extent(builder), left.dims[-2]]), left]
    return Node(op, operands)


@layer("Gemm", weight=2.0)
def gemm(builder, op):
    a = matrix(builder, ranks=(2,))
    trans_a, trans_b = builder.choice((0, 0, 1)), builder.choice((0, 1))
    m, k = reversed(a.dims) if trans_a else a.dims
    n = extent(builder)
    operands = [a, fitting(builder, [n, k] if trans_b else [k, n])]
    if builder.chance(0.5):
        operands.append(fitting(builder, builder.choice(([n], [1, n], [m, 1], [m, n]))))
    return Node(op, operands, transA=trans_a, transB=trans_b, alpha=builder.choice((None, 0.5)))


@layer("Transpose", weight=3.0)
def transpose(builder, op):
    value = matrix(builder)
    last = list(range(value.rank))
    last[-2:] = last[:-3:-1]
    order = builder.rng.sample(range(value.rank), value.rank)
    return Node(op, [value], exact=True, perm=last if builder.chance(0.7) else order)


@layer("Expand", weight=0.5)
def expand(builder, op):
    value = matrix(builder, ranks=(3, 4))
    dims = [builder.choice((2, 3)) if dim == 1 else dim for dim in value.dims]
    return Node(op, [value, builder.parameter(onnx.INT64, [len(dims)], dims)], exact=True)


@layer("Softmax", "Relu", "Tanh", "Neg", weight=0.5)
def alone(builder, op):
    value = matrix(builder)
    return Node(op, [value], axis=-1 if op == "Softmax" else None)


@layer("Add", "Mul", weight=1.0)
def combine(builder, op):
    value = matrix(builder)
    dims = builder.choice((value.dims, value.dims[-1:], value.dims[:-1] + [1], []))
    return Node(op, [value, fitting(builder, list(dims))])
