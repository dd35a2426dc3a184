"""Samplers of elementwise operators, reductions and what normalises along axes."""
import math

import onnx_proto as onnx
from graphs import Node
from table import sampler
from tensors import ALL, FLOATS, INTEGERS, NUMBERS, SIGNED, UNSIGNED

UNARY_RANGES = {"Sqrt": (0.125, 9), "Log": (0.125, 9), "Asin": (-1, 1), "Acos": (-1, 1), "Atanh": (-0.875, 0.875), "Acosh": (1, 9),
                "Exp": (-4, 4), "Sinh": (-4, 4), "Cosh": (-4, 4), "Tan": (-1, 1), "Reciprocal": (0.25, 8)}


@sampler("Sqrt", "Log", "Asin", "Acos", "Atanh", "Acosh", "Exp", "Sinh", "Cosh", "Tan", "Reciprocal", "Sin", "Cos",
         "Atan", "Asinh", "Tanh", "Sigmoid", "Erf", "Softplus", "Softsign", weight=0.45)
def unary_function(builder, op):
    low, high = UNARY_RANGES.get(op, (None, None))
    # Near the ends of their domains a difference in the last place becomes a large one.
    return Node(op, [builder.pick(low=low, high=high, exact=op in ("Asin", "Acos", "Acosh", "Atanh"))])


@sampler("Ceil", "Floor", "Round", "IsNaN", "IsInf", weight=0.5)
def unary_jump(builder, op):
    return Node(op, [builder.pick(exact=True)], exact=True)


@sampler("Abs", "Neg", "Relu", "Sign", weight=0.7)
def unary_exact(builder, op):
    return Node(op, [builder.pick(FLOATS + SIGNED, exact=op == "Sign")], exact=True)


@sampler("Elu", "Selu", "Celu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "HardSwish", "Shrink", weight=0.45)
def unary_attributes(builder, op):
    given = {"Elu": ["alpha"], "Selu": ["alpha", "gamma"], "Celu": ["alpha"], "LeakyRelu": ["alpha"], "ThresholdedRelu": ["alpha"],
             "HardSigmoid": ["alpha", "beta"], "HardSwish": [], "Shrink": ["lambd", "bias"]}[op]
    attributes = {name: builder.choice((0.25, 0.5, 1.0, 1.5)) for name in given if builder.chance(0.6)}
    return Node(op, [builder.pick(exact=op in ("ThresholdedRelu", "Shrink"))], **attributes)


@sampler("Mish", since=18, weight=0.3)
def mish(builder, op):
    return Node(op, [builder.pick()])


@sampler("Gelu", since=20, weight=0.5)
def gelu(builder, op):
    return Node(op, [builder.pick()], approximate=builder.choice((None, "none", "tanh")))


@sampler("Identity", weight=0.3)
def identity(builder, op):
    return Node(op, [builder.pick(ALL)], exact=True)


@sampler("Not", weight=0.5)
def logical_not(builder, op):
    return Node(op, [builder.pick((onnx.BOOL,))])


def two(builder, types, exact=False, low=None, high=None):
    first = builder.pick(types, exact=exact)
    second = builder.partner(first, low=low, high=high, exact=exact)
    return [first, second]


@sampler("Add", "Sub", "Mul", weight=1.2)
def arithmetic(builder, op):
    operands = two(builder, NUMBERS)
    if builder.chance(0.3):
        operands.reverse()
    return Node(op, operands, exact=op != "Mul")


@sampler("Div", weight=1.0)
def division(builder, op):
    return Node(op, two(builder, NUMBERS, low=1))


@sampler("Pow", weight=0.6)
def power(builder, op):
    base = builder.pick(FLOATS, low=0.25, high=6) if builder.chance(0.7) else builder.pick(INTEGERS, low=0, high=5)
    exponent = builder.partner(base, (onnx.FLOAT,) if base.dtype in FLOATS else (base.dtype,), low=0, high=3)
    return Node(op, [base, exponent])


@sampler("Mod", weight=0.6)
def modulo(builder, op):
    if builder.chance(0.4):
        return Node(op, two(builder, NUMBERS, exact=True, low=1), fmod=1)
    return Node(op, two(builder, INTEGERS, exact=True, low=1))


@sampler("Max", "Min", "Sum", "Mean", weight=0.7)
def variadic(builder, op):
    first = builder.pick(NUMBERS if op in ("Max", "Min") else FLOATS)
    return Node(op, [first] + [builder.partner(first) for _ in range(builder.choice((0, 1, 1, 2)))],
                exact=op in ("Max", "Min"))


@sampler("And", "Or", "Xor", weight=0.5)
def logical(builder, op):
    return Node(op, two(builder, (onnx.BOOL,)))


@sampler("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", weight=0.6)
def comparison(builder, op):
    if op.endswith("OrEqual") and builder.opset < 16 and builder.chance(0.5):
        op = op[:-7]
    return Node(op, two(builder, NUMBERS + ((onnx.BOOL,) if op == "Equal" else ()), exact=True))


@sampler("BitShift", weight=0.4)
def bit_shift(builder, op):
    return Node(op, two(builder, UNSIGNED, low=0, high=7), direction=builder.choice(("LEFT", "RIGHT")))


@sampler("BitwiseAnd", "BitwiseOr", "BitwiseXor", since=18, weight=0.4)
def bitwise(builder, op):
    return Node(op, two(builder, INTEGERS))


@sampler("BitwiseNot", since=18, weight=0.3)
def bitwise_not(builder, op):
    return Node(op, [builder.pick(INTEGERS)])


@sampler("PRelu", weight=0.6)
def prelu(builder, op):
    value = builder.pick(FLOATS + (onnx.INT32, onnx.INT64))
    dims = [1 if builder.chance(0.4) else dim for dim in value.dims][builder.choice((0, 0, 1)):]
    return Node(op, [value, builder.pick((value.dtype,), dims=dims)])


@sampler("Where", weight=1.0)
def where(builder, op):
    first = builder.pick(ALL)
    return Node(op, [builder.partner(first, (onnx.BOOL,)), first, builder.partner(first)], exact=True)


@sampler("Clip", weight=0.8)
def clip(builder, op):
    value = builder.pick(NUMBERS)
    bounds = [builder.leaf(value.dtype, [], low=low, high=high) if builder.chance(0.7) else None
              for low, high in ((0, 2), (3, 5))]
    return Node(op, [value] + bounds, exact=True)


@sampler("Cast", weight=1.2)
def cast(builder, op):
    value = builder.pick(ALL)
    to = builder.choice(ALL)
    if value.dtype in FLOATS and to not in FLOATS:
        # What is out of the range of an integer, ONNX leaves undefined.
        low, high = (None, None) if to == onnx.BOOL else (-100, 100) if to in SIGNED else (0, 100)
        value = builder.pick(FLOATS, exact=True, low=low, high=high)
    elif value.dtype in FLOATS:
        to = builder.choice(FLOATS)
    return Node(op, [value], exact=value.dtype not in FLOATS, to=to)


@sampler("CastLike", since=18, weight=0.4)
def cast_like(builder, op):
    value = builder.pick(INTEGERS + (onnx.BOOL,))
    return Node(op, [value, builder.pick(ALL)], exact=True)


# --- Along axes.


def some_axes(builder, rank):
    axes = sorted(builder.rng.sample(range(rank), builder.rng.randint(0, rank)))
    return [axis - rank if builder.chance(0.4) else axis for axis in axes]


@sampler("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
         "ReduceLogSumExp", "ReduceSumSquare", weight=0.7)
def reduction(builder, op):
    integers = {"ReduceMax": (onnx.INT32, onnx.INT64, onnx.INT8, onnx.UINT8), "ReduceL2": (), "ReduceLogSum": (), "ReduceLogSumExp": ()}
    integers["ReduceMin"] = integers["ReduceMax"]
    types = FLOATS + integers.get(op, (onnx.INT32, onnx.INT64))
    low, high = {"ReduceLogSum": (0.25, 8), "ReduceProd": (-2, 2)}.get(op, (None, None))
    value = builder.pick(types, rank=range(0, 6), low=low, high=high)
    axes = some_axes(builder, value.rank)
    attributes = {"keepdims": builder.choice((None, 0, 1))}
    operands = [value]
    if axes or builder.chance(0.2):
        if op == "ReduceSum" or builder.opset >= 18:
            operands.append(builder.leaf(onnx.INT64, [len(axes)], axes, constant=True, static=True))
            attributes["noop_with_empty_axes"] = builder.choice((None, 0, 1))
        elif axes:
            attributes["axes"] = axes
    return Node(op, operands, exact=op in ("ReduceMax", "ReduceMin"), **attributes)


def with_axis(builder, types, exact=False, least=1):
    value = builder.pick(types, rank=range(1, 6), exact=exact, accept=lambda one: min(one.dims, default=0) >= least)
    return value, builder.rng.randrange(-value.rank, value.rank)


@sampler("ArgMax", "ArgMin", weight=0.7)
def arg_extreme(builder, op):
    value, axis = with_axis(builder, FLOATS + (onnx.INT32, onnx.INT8, onnx.UINT8), exact=True)
    return Node(op, [value], axis=axis, keepdims=builder.choice((None, 0, 1)), select_last_index=builder.choice((None, 0, 1)))


@sampler("Softmax", "LogSoftmax", weight=0.9)
def softmax(builder, op):
    value, axis = with_axis(builder, FLOATS)
    return Node(op, [value], axis=builder.choice((None, axis)))


@sampler("Hardmax", weight=0.4)
def hardmax(builder, op):
    value, axis = with_axis(builder, FLOATS, exact=True)
    return Node(op, [value], exact=True, axis=builder.choice((None, axis)))


@sampler("CumSum", since=14, weight=0.7)
def cumulative_sum(builder, op):
    value, axis = with_axis(builder, FLOATS + (onnx.INT32, onnx.INT64), least=0)
    return Node(op, [value, builder.leaf(onnx.INT64, [], [axis], constant=True, static=True)],
                exclusive=builder.choice((None, 0, 1)), reverse=builder.choice((None, 0, 1)))


@sampler("TopK", weight=0.8)
def top_k(builder, op):
    value, axis = with_axis(builder, FLOATS + (onnx.INT32, onnx.INT64, onnx.UINT8), exact=True)
    k = builder.rng.randint(0 if builder.chance(0.05) else 1, value.dims[axis])
    return Node(op, [value, builder.ints([k])], outputs=2, exact=True, axis=axis, largest=builder.choice((None, 0, 1)))


@sampler("LpNormalization", weight=0.5)
def lp_normalization(builder, op):
    value, axis = with_axis(builder, FLOATS)
    return Node(op, [value], axis=builder.choice((None, axis)), p=builder.choice((None, 1, 2)))


@sampler("MeanVarianceNormalization", weight=0.3)
def mean_variance(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=4, accept=lambda one: min(one.dims) > 0 and math.prod(one.dims) > 4)
    return Node(op, [value], axes=builder.choice((None, [0, 2, 3], [1], [2, 3])))


@sampler("LayerNormalization", since=17, weight=0.8)
def layer_normalization(builder, op):
    value, axis = with_axis(builder, FLOATS)
    dims = value.dims[axis:]
    operands = [value, builder.pick((value.dtype,), dims=dims)]
    if builder.chance(0.6):
        operands.append(builder.pick((value.dtype,), dims=dims))
    return Node(op, operands, outputs=builder.choice((1, 1, 2, 3)) if value.dtype == onnx.FLOAT else 1, axis=axis)


@sampler("RMSNormalization", since=23, weight=0.8)
def rms_normalization(builder, op):
    value, axis = with_axis(builder, (onnx.FLOAT, onnx.DOUBLE))
    return Node(op, [value, builder.pick((value.dtype,), dims=value.dims[axis:])], axis=axis)


@sampler("Swish", since=24, weight=0.4)
def swish(builder, op):
    return Node(op, [builder.pick()], alpha=builder.choice((None, 0.5, 2.0)))


@sampler("InstanceNormalization", weight=0.6)
def instance_normalization(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=range(3, 6), accept=lambda one: min(one.dims) > 0)
    return Node(op, [value] + [builder.pick((value.dtype,), dims=[value.dims[1]]) for _ in range(2)],
                epsilon=builder.choice((None, 0.01)))


@sampler("GroupNormalization", since=21, weight=0.5)
def group_normalization(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=range(3, 5), accept=lambda one: min(one.dims) > 0)
    groups = builder.choice([k for k in range(1, value.dims[1] + 1) if value.dims[1] % k == 0])
    return Node(op, [value] + [builder.pick((value.dtype,), dims=[value.dims[1]]) for _ in range(2)], num_groups=groups)


@sampler("BatchNormalization", since=15, weight=0.7)
def batch_normalization(builder, op):
    value = builder.pick(FLOATS, rank=range(2, 6), accept=lambda one: one.dims[1] > 0)
    dims = [value.dims[1]]
    operands = [value] + [builder.pick((value.dtype,), dims=dims) for _ in range(3)]
    return Node(op, operands + [builder.leaf(value.dtype, dims, low=0.5, high=4)], epsilon=builder.choice((None, 0.01)))


@sampler("LRN", weight=0.4)
def local_response(builder, op):
    value = builder.pick((onnx.FLOAT,), rank=4, accept=lambda one: min(one.dims) > 0)
    return Node(op, [value], size=builder.choice((1, 3, 5)), alpha=builder.choice((None, 0.5)), bias=builder.choice((None, 2.0)))
