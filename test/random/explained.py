"""Differences from ONNX Runtime that are not ours: where it does something else than ONNX's specification says, or
where the specification leaves the result open. One entry per cause: operators, condition on the node of a case that
was shrunk to it, reason. Every entry was looked at by hand; a new difference is a bug until one explains it here."""

import onnx_proto as onnx


def attribute(node, name, default=None):
    return node.attributes.get(name, default)


def operand(node, at):
    return node.operands[at].tensor if at < len(node.operands) and node.operands[at] else None


def empty_reduction(node):
    axes = attribute(node, "axes") or (operand(node, 1).values if operand(node, 1) else [])
    return not operand(node, 0).values and any(axis < 0 for axis in axes)


def rounded_size(node):
    scales = operand(node, 2)
    return attribute(node, "coordinate_transformation_mode") in ("align_corners", "pytorch_half_pixel") and scales is not None and \
        any((dim * scale) % 1 for dim, scale in zip(operand(node, 0).dims, scales.values))


REDUCTIONS = ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
              "ReduceLogSumExp", "ReduceSumSquare")
EXPLAINED = [
    (REDUCTIONS, empty_reduction,
     "of a tensor without elements, ONNX Runtime does not reduce axes that are counted from the end"),
    (("Resize",), rounded_size,
     "align_corners and pytorch_half_pixel where scale times extent is no integer: ONNX's reference looks at that product, "
     "ONNX Runtime at its floor"),
    (("GridSample",), lambda node: attribute(node, "padding_mode") == "border" and attribute(node, "mode") in ("cubic", "bicubic"),
     "cubic with border: ONNX's reference brings the position inside first, ONNX Runtime only the neighbours"),
    (("ConvTranspose",), lambda node: attribute(node, "auto_pad", "").startswith("SAME"),
     "SAME where the kernel is smaller than the stride: the result is input times stride; ONNX Runtime makes it smaller"),
    (("Loop",), lambda node: operand(node, 0) is not None and operand(node, 0).values == [0],
     "without an iteration, the extents of a collected output are open; ONNX Runtime takes 0"),
    (("LpPool",), lambda node: attribute(node, "auto_pad", "").startswith("SAME"),
     "SAME where the kernel is smaller than the stride: nothing is padded; ONNX Runtime pads by a negative number"),
    (("LSTM",), lambda node: attribute(node, "clip") is not None,
     "clip bounds the input of every activation; ONNX Runtime leaves out the one of the cell state"),
    (("Gelu",), lambda node: operand(node, 0).dtype == onnx.DOUBLE and attribute(node, "approximate") == "tanh",
     "ONNX Runtime's constants are of float for doubles"),
    (("HardSwish",), lambda node: operand(node, 0).dtype == onnx.DOUBLE, "ONNX Runtime's constants are of float for doubles"),
]


# What ends with a message where ONNX Runtime goes on: operators, text of the message, reason.
REFUSED = [
    (("Squeeze", "GatherND"), "the number of dimensions of the result depends on data",
     "ranks are known when a model is compiled, so axes or tuples that only the run tells are refused"),
    (("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), "the shapes do not fit together",
     "fewer targets than rows of data at the second size, which ONNX Runtime does not look at"),
    (("ReduceMean",), "empty reduction", "the mean of no integers has no value; ONNX Runtime stores something"),
]


def explanation(nodes, message):
    """Why one of these nodes may differ as `message` says; None where nothing explains it."""
    for node in nodes:
        for ops, status, reason in REFUSED:
            if node.op in ops and status in message:
                return f"{node.op}: {reason}"
        for ops, condition, reason in EXPLAINED:
            if node.op in ops and condition(node):
                return f"{node.op if len(ops) < 3 else 'reductions'}: {reason}"
    return None
