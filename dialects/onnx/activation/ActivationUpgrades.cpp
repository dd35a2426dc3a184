//===- ActivationUpgrades.cpp - old opsets of activations ---------------------------------------------------------===//
//
// Before opset 13 Softmax, LogSoftmax and Hardmax saw their input as a matrix: the dims before `axis` (1 by default)
// were its rows, those from `axis` on its columns. Since then they work along one axis (the last by default).
//
//   Softmax(x : 2x3x4) {axis = 1}   ->   Reshape(Softmax(Flatten(x) {axis = 1} : 2x12) {axis = -1}, [2, 3, 4])
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// The one axis that the columns of the matrix are, if all others from `axis` on have extent 1.
static std::optional<int64_t> onlyAxisFrom(int64_t axis, RankedTensorType type) {
  std::optional<int64_t> only;
  for (int64_t index = axis; index < type.getRank(); ++index) {
    if (type.getDimSize(index) == 1)
      continue;
    if (only)
      return std::nullopt;
    only = index;
  }
  return only ? only : axis;
}

static LogicalResult flattenToMatrix(NodeForm &node) {
  FailureOr<int64_t> axis = node.takeInt("axis", 1);
  if (failed(axis))
    return failure();
  Value data = node.input(0);
  if (!data)
    return success();
  if (auto type = dyn_cast<RankedTensorType>(data.getType())) {
    int64_t start = wrapAxis(*axis, type.getRank());
    if (start < 0 || start > type.getRank())
      return node.fail("axis " + Twine(*axis) + " is outside a tensor of rank " + Twine(type.getRank()));
    if (start < type.getRank()) {
      if (std::optional<int64_t> only = onlyAxisFrom(start, type)) {
        node.attributes.append(node.intAttribute("axis", *only));
        return success();
      }
    }
  }
  Value matrix = node.create("Flatten", data, node.intAttribute("axis", *axis));
  if (!matrix)
    return failure();
  node.inputs[0] = matrix;
  node.attributes.append(node.intAttribute("axis", 1));
  node.wrapResult(0, [data](NodeForm &form, Value result) -> Value {
    auto type = dyn_cast<RankedTensorType>(data.getType());
    Value shape = type && type.hasStaticShape() ? form.integers(type.getShape()) : form.create("Shape", data);
    // Every dim is stated, so a 0 in the shape is an empty dim and not one to copy.
    return shape ? form.create("Reshape", {result, shape}, form.intAttribute("allowzero", 1)) : Value();
  });
  return success();
}

ArrayRef<OpsetUpgrade> getActivationUpgrades() {
  static const OpsetUpgrade table[] = {
      {"Hardmax", 13, flattenToMatrix},
      {"LogSoftmax", 13, flattenToMatrix},
      {"Softmax", 13, flattenToMatrix},
  };
  return table;
}

} // namespace onnx_aot::onnx
