//===- OpsetUpgrade.cpp - from old opsets to the newest form of an operator ---------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- NodeForm --------------------------------------------------------------------------------------------------===//

void NodeForm::setInput(unsigned index, Value value) {
  if (inputs.size() <= index)
    inputs.resize(index + 1);
  inputs[index] = value;
}

FailureOr<int64_t> NodeForm::takeInt(StringRef name, int64_t absent) {
  Attribute attribute = take(name);
  if (!attribute)
    return absent;
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getInt();
  return fail("attribute \"" + name + "\" is not an INT");
}

Value NodeForm::integers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(static_cast<int64_t>(values.size()), IntegerType::get(context, 64));
  return constant(DenseElementsAttr::get(type, values));
}

Value NodeForm::scalarLike(double value, Value like) {
  Type element = getElementTypeOrSelf(like.getType());
  auto type = RankedTensorType::get({}, element);
  if (auto floating = dyn_cast<FloatType>(element)) {
    APFloat converted(value);
    bool losesInfo;
    // Old operators were defined for float values of their attributes: what lies outside a narrow type is its infinity.
    converted.convert(floating.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
    return constant(DenseElementsAttr::get(type, converted));
  }
  if (auto integer = dyn_cast<IntegerType>(element))
    return constant(DenseElementsAttr::get(
        type, APInt(64, static_cast<uint64_t>(static_cast<int64_t>(value))).sextOrTrunc(integer.getWidth())));
  (void)unsupported("an attribute cannot become an input of this element type");
  return Value();
}

NamedAttribute NodeForm::intAttribute(StringRef name, int64_t value) const {
  return {StringAttr::get(context, name), IntegerAttr::get(IntegerType::get(context, 64), value)};
}

NamedAttribute NodeForm::stringAttribute(StringRef name, StringRef value) const {
  return {StringAttr::get(context, name), StringAttr::get(context, value)};
}

LogicalResult NodeForm::fail(const Twine &reason) {
  builder->error(reason, /*isUnsupported=*/false);
  return failure();
}

LogicalResult NodeForm::unsupported(const Twine &reason) {
  builder->error(reason, /*isUnsupported=*/true);
  return failure();
}

//===-- Moves -----------------------------------------------------------------------------------------------------===//

/// An attribute may only become an input where the node does not have that input already.
static LogicalResult checkFree(NodeForm &node, StringRef name, unsigned index) {
  if (!node.input(index))
    return success();
  return node.fail("has the attribute \"" + name + "\" and too many inputs for its opset");
}

UpgradeFn onnx_aot::onnx::attributeToInput(StringRef name, unsigned index) {
  return [=](NodeForm &node) -> LogicalResult {
    Attribute attribute = node.take(name);
    if (!attribute)
      return success();
    if (failed(checkFree(node, name, index)))
      return failure();
    Value value;
    if (auto ints = dyn_cast<DenseI64ArrayAttr>(attribute)) {
      value = node.integers(ints.asArrayRef());
    } else if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
      value = node.integers(integer.getInt());
    } else if (auto floats = dyn_cast<DenseF32ArrayAttr>(attribute)) {
      auto type = RankedTensorType::get(floats.size(), Float32Type::get(node.getContext()));
      value = node.constant(DenseElementsAttr::get(type, floats.asArrayRef()));
    } else {
      return node.fail("attribute \"" + name + "\" has the wrong type");
    }
    node.setInput(index, value);
    return success(value != nullptr);
  };
}

UpgradeFn onnx_aot::onnx::attributeToScalarInput(StringRef name, unsigned index) {
  return [=](NodeForm &node) -> LogicalResult {
    Attribute attribute = node.take(name);
    if (!attribute)
      return success();
    if (failed(checkFree(node, name, index)))
      return failure();
    Value value;
    if (auto number = dyn_cast<FloatAttr>(attribute)) {
      if (!node.input(0))
        return node.fail("its first input is missing");
      value = node.scalarLike(number.getValueAsDouble(), node.input(0));
    } else if (auto integer = dyn_cast<IntegerAttr>(attribute)) {
      auto type = RankedTensorType::get({}, IntegerType::get(node.getContext(), 64));
      value = node.constant(DenseElementsAttr::get(type, ArrayRef<int64_t>(integer.getInt())));
    } else {
      return node.fail("attribute \"" + name + "\" has the wrong type");
    }
    node.setInput(index, value);
    return success(value != nullptr);
  };
}

UpgradeFn onnx_aot::onnx::renameAttribute(StringRef from, StringRef to) {
  return [=](NodeForm &node) -> LogicalResult {
    if (Attribute attribute = node.take(from))
      node.attributes.set(to, attribute);
    return success();
  };
}

UpgradeFn onnx_aot::onnx::dropAttribute(StringRef name) {
  return [=](NodeForm &node) -> LogicalResult {
    node.take(name);
    return success();
  };
}

UpgradeFn onnx_aot::onnx::defaultInt(StringRef name, int64_t value) {
  return [=](NodeForm &node) -> LogicalResult {
    if (!node.attributes.get(name))
      node.attributes.append(node.intAttribute(name, value));
    return success();
  };
}

UpgradeFn onnx_aot::onnx::defaultString(StringRef name, StringRef value) {
  return [=](NodeForm &node) -> LogicalResult {
    if (!node.attributes.get(name))
      node.attributes.append(node.stringAttribute(name, value));
    return success();
  };
}

UpgradeFn onnx_aot::onnx::renameOp(StringRef to) {
  return [=](NodeForm &node) -> LogicalResult {
    node.op = to.str();
    return success();
  };
}

UpgradeFn onnx_aot::onnx::sequence(std::initializer_list<UpgradeFn> steps) {
  return [steps = SmallVector<UpgradeFn>(steps)](NodeForm &node) -> LogicalResult {
    for (const UpgradeFn &step : steps)
      if (failed(step(node)))
        return failure();
    return success();
  };
}
