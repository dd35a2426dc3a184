//===- ElementwiseUpgrades.cpp - old opsets of elementwise operators ----------------------------------------------===//
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// Before opset 7 the second operand's dims lay, by the attribute `axis`, anywhere in those of the first; since then
/// shapes are aligned at their ends. Appending dims of 1 says the same.
static LogicalResult alignSecondOperand(NodeForm &node) {
  Attribute axisAttribute = node.take("axis");
  FailureOr<int64_t> broadcast = node.takeInt("broadcast", 0);
  if (failed(broadcast))
    return failure();
  if (!*broadcast || !axisAttribute || !node.input(0) || !node.input(1))
    return success();
  auto axis = dyn_cast<IntegerAttr>(axisAttribute);
  if (!axis)
    return node.fail("attribute \"axis\" is not an INT");
  auto first = dyn_cast<RankedTensorType>(node.input(0).getType());
  auto second = dyn_cast<RankedTensorType>(node.input(1).getType());
  if (!first || !second)
    return node.unsupported("broadcasting at an axis is supported only where both ranks are known");
  int64_t start = wrapAxis(axis.getInt(), first.getRank());
  int64_t trailing = first.getRank() - start - second.getRank();
  if (start < 0 || trailing < 0)
    return node.fail("the second input does not fit into the first at axis " + Twine(axis.getInt()));
  if (trailing == 0 || second.getRank() == 0)
    return success();
  auto axes = llvm::to_vector(llvm::seq(second.getRank(), second.getRank() + trailing));
  node.inputs[1] = node.create("Unsqueeze", {node.input(1), node.integers(axes)});
  return success(node.inputs[1] != nullptr);
}

/// Before opset 7 a slope of C values went along the channels, which are axis 1.
static LogicalResult alignSlope(NodeForm &node) {
  if (!node.input(0) || !node.input(1))
    return success();
  auto data = dyn_cast<RankedTensorType>(node.input(0).getType());
  auto slope = dyn_cast<RankedTensorType>(node.input(1).getType());
  if (!data || !slope)
    return node.unsupported("an old PRelu is supported only where its ranks are known");
  if (slope.getRank() != 1 || slope.getDimSize(0) == 1 || data.getRank() <= 2)
    return success();
  if (slope.isDynamicDim(0))
    return node.unsupported("an old PRelu is supported only where the slope's size is known");
  auto axes = llvm::to_vector(llvm::seq<int64_t>(1, data.getRank() - 1));
  node.inputs[1] = node.create("Unsqueeze", {node.input(1), node.integers(axes)});
  return success(node.inputs[1] != nullptr);
}

/// Before opset 6 the type was named by a string.
static LogicalResult castTypeByNumber(NodeForm &node) {
  auto name = dyn_cast_or_null<StringAttr>(node.attributes.get("to"));
  if (!name)
    return success();
  int64_t number = llvm::StringSwitch<int64_t>(name.getValue())
                       .Case("FLOAT", 1)
                       .Case("UINT8", 2)
                       .Case("INT8", 3)
                       .Case("UINT16", 4)
                       .Case("INT16", 5)
                       .Case("INT32", 6)
                       .Case("INT64", 7)
                       .Case("STRING", 8)
                       .Case("BOOL", 9)
                       .Case("FLOAT16", 10)
                       .Case("DOUBLE", 11)
                       .Case("UINT32", 12)
                       .Case("UINT64", 13)
                       .Default(0);
  if (!number)
    return node.fail("attribute \"to\" names no data type: \"" + name.getValue() + "\"");
  node.attributes.set("to", node.intAttribute("to", number).getValue());
  return success();
}

static SmallVector<OpsetUpgrade> makeTable() {
  SmallVector<OpsetUpgrade> table = {
      {"Cast", 6, castTypeByNumber},
      {"PRelu", 7, alignSlope},
      {"Clip", 11, attributeToScalarInput("min", 1)},
      {"Clip", 11, attributeToScalarInput("max", 2)},
  };
  // An optimisation hint of opset 1.
  for (StringRef op : {"Abs",       "Add",  "Ceil",    "Clip", "Div", "Elu", "Exp", "Floor", "HardSigmoid",
                       "LeakyRelu", "Log",  "Max",     "Mean", "Min", "Mul", "Neg", "PRelu", "Reciprocal",
                       "Relu",      "Selu", "Sigmoid", "Sqrt", "Sub", "Sum", "Tanh"})
    table.push_back({op, 6, dropAttribute("consumed_inputs")});
  for (StringRef op : {"Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"})
    table.push_back({op, 7, alignSecondOperand});
  return table;
}

ArrayRef<OpsetUpgrade> getElementwiseUpgrades() {
  static const SmallVector<OpsetUpgrade> table = makeTable();
  return table;
}

} // namespace onnx_aot::onnx
