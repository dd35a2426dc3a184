"""What the conformance runner reads in, and changes about, the models of the cases.

needs(model)        what a model needs that lies outside the numeric part of ai.onnx: strings, ai.onnx.ml, ImageDecoder
erase_dims(model)   the same model, without the dims of its inputs
ill_formed(model)   why a model would not be well formed without them

A model's dims are erased so: every dim of the graph's inputs (but those with an initializer, which are constants), of
its outputs and of its value_info becomes unknown; ranks stay. Sequences and optionals of tensors likewise.

ONNX wants the rank of every tensor to be known. A case stops being well formed where the rank of a result depends on
a dim that was erased:
  1. the length of a shape is erased: the input that gives Reshape, Expand, ConstantOfShape, AffineGrid, Col2Im or Squeeze
     and Unsqueeze their shape or axes, or GatherND the last dim of its indices, is a graph input or is computed
     from one elementwise, so its length is not known (what comes out of Shape and Size has a known length);
  2. Squeeze has no axes and so removes the dims that are 1, and its operand has erased dims;
  3. a reduction without keepdims takes its axes from such an input.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from onnx_proto import *  # noqa: E402,F403: the names of the fields

NEEDS = ("ImageDecoder", "ai.onnx.ml", "strings")


def nodes_below(graph):
    """All nodes of a graph message and of the graphs in their attributes."""
    for node in graph.messages(GRAPH_NODE):
        yield node
        for attribute in node.messages(NODE_ATTRIBUTE):
            for inner in attribute.messages(ATTRIBUTE_GRAPH) + attribute.messages(ATTRIBUTE_GRAPHS):
                yield from nodes_below(inner)


def graphs_below(graph):
    yield graph
    for node in graph.messages(GRAPH_NODE):
        for attribute in node.messages(NODE_ATTRIBUTE):
            for inner in attribute.messages(ATTRIBUTE_GRAPH) + attribute.messages(ATTRIBUTE_GRAPHS):
                yield from graphs_below(inner)


def operators(model):
    """The operators of a model's main graph."""
    return sorted({node.text(NODE_OP) for node in model.message(MODEL_GRAPH).messages(GRAPH_NODE)})


def is_string(kind):
    """Whether strings occur in a TypeProto."""
    tensors = kind.messages(TYPE_TENSOR) + kind.messages(TYPE_SPARSE)
    inner = [one for number in (TYPE_SEQUENCE, TYPE_OPTIONAL) for one in kind.messages(number)]
    maps = kind.messages(TYPE_MAP)
    return (any(tensor.first(1) == STRING for tensor in tensors + maps)
            or any(is_string(one.message(1)) for one in inner) or any(is_string(one.message(2)) for one in maps))


def makes_strings(node):
    attributes = node.messages(NODE_ATTRIBUTE)
    tensors = [one for attribute in attributes for one in attribute.messages(ATTRIBUTE_TENSOR)]
    return (any(tensor.first(TENSOR_TYPE) == STRING for tensor in tensors)
            or any(attribute.text(ATTRIBUTE_NAME) in ("value_string", "value_strings") for attribute in attributes)
            or any(attribute.text(ATTRIBUTE_NAME) == "to" and attribute.first(ATTRIBUTE_INT) == STRING
                   for attribute in attributes if node.text(NODE_OP) == "Cast"))


def needs(model):
    """The first of NEEDS that a model needs, or None."""
    graph = model.message(MODEL_GRAPH)
    nodes = list(nodes_below(graph)) + [node for function in model.messages(MODEL_FUNCTION) for node in function.messages(7)]
    if any(node.text(NODE_OP) == "ImageDecoder" for node in nodes):
        return "ImageDecoder"
    if any(node.text(NODE_DOMAIN) == "ai.onnx.ml" for node in nodes):
        return "ai.onnx.ml"
    for inner in graphs_below(graph):
        infos = [info for number in (GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO) for info in inner.messages(number)]
        if (any(is_string(info.message(INFO_TYPE)) for info in infos)
                or any(tensor.first(TENSOR_TYPE) == STRING for tensor in inner.messages(GRAPH_INITIALIZER))):
            return "strings"
    return "strings" if any(makes_strings(node) for node in nodes) else None


# --- Without dims.


def erase_type(kind):
    """A TypeProto whose tensors have unknown dims."""
    kind.rewrite(TYPE_TENSOR, lambda tensor: tensor.rewrite(2, lambda shape: shape.rewrite(1, lambda dim: Message())))
    for number in (TYPE_SEQUENCE, TYPE_OPTIONAL):
        kind.rewrite(number, lambda inner: inner.rewrite(1, erase_type))
    return kind


def initialized(graph):
    sparse = [one.message(1).text(TENSOR_NAME) for one in graph.messages(GRAPH_SPARSE)]
    return {tensor.text(TENSOR_NAME) for tensor in graph.messages(GRAPH_INITIALIZER)} | set(sparse)


def erase_dims(model):
    def erase_info(info):
        return info if info.text(INFO_NAME) in constants else info.rewrite(INFO_TYPE, erase_type)

    def erase_graph(graph):
        for number in (GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO):
            graph.rewrite(number, erase_info)
        return graph

    constants = initialized(model.message(MODEL_GRAPH))
    return model.rewrite(MODEL_GRAPH, erase_graph)


# The input whose length (or, for GatherND, whose last dim) decides the rank of the result.
SHAPES = {"Reshape": 1, "Expand": 1, "ConstantOfShape": 0, "AffineGrid": 1, "Col2Im": 1, "Squeeze": 1, "Unsqueeze": 1,
          "GatherND": 1}
# What a value with the length of its operands is computed by.
ELEMENTWISE = {"Identity", "Cast", "CastLike", "Abs", "Neg", "Add", "Sub", "Mul", "Div", "Max", "Min", "Where", "Mod"}


def rank_of(info):
    shape = info.message(INFO_TYPE).message(TYPE_TENSOR).first(2)
    return None if shape is None else len(Message(shape).messages(1))


def attribute_int(node, name, default):
    for attribute in node.messages(NODE_ATTRIBUTE):
        if attribute.text(ATTRIBUTE_NAME) == name:
            return attribute.first(ATTRIBUTE_INT, default)
    return default


class Lengths:
    """Which values of a graph have a length (their first dim) that is known although the inputs' dims are erased."""

    def __init__(self, graph):
        constants = initialized(graph)
        # A scalar has no dims that could be erased.
        self.erased = {info.text(INFO_NAME) for info in graph.messages(GRAPH_INPUT)
                       if info.text(INFO_NAME) not in constants and rank_of(info) != 0}
        self.makers = {output: node for node in graph.messages(GRAPH_NODE) for output in node.texts(NODE_OUTPUT)}

    def known(self, value, depth=64):
        if value in self.erased:
            return False
        node = self.makers.get(value)
        if node is None or depth == 0 or node.text(NODE_OP) not in ELEMENTWISE | {"Concat"}:
            return True
        return all(self.known(operand, depth - 1) for operand in node.texts(NODE_INPUT))


def ill_formed(model):
    """Why a model has no known ranks once its inputs' dims are erased; None where it has."""
    graph = model.message(MODEL_GRAPH)
    lengths = Lengths(graph)
    for node in graph.messages(GRAPH_NODE):
        op, inputs = node.text(NODE_OP), node.texts(NODE_INPUT)
        at = SHAPES.get(op)
        if op.startswith("Reduce") and not attribute_int(node, "keepdims", 1):
            at = 1
        if at is not None and len(inputs) > at and inputs[at] and not lengths.known(inputs[at]):
            return f"the rank of the result of {op} depends on the erased length of {inputs[at]}"
        if op == "Squeeze" and len(inputs) < 2 and inputs[0] in lengths.erased and \
                not any(attribute.text(ATTRIBUTE_NAME) == "axes" for attribute in node.messages(NODE_ATTRIBUTE)):
            return f"Squeeze without axes: the rank of its result depends on the erased dims of {inputs[0]}"
    return None
