//===- Independence.cpp - whether operations touch the same elements ----------------------------------------------===//
//
// See Independence.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/Independence.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace onnx_aot;

static Value sourceOf(Value value) {
  auto view = value.getDefiningOp<ViewLikeOpInterface>();
  return view ? view.getViewSource() : Value();
}

/// What a value is a view of, itself first.
static SmallVector<Value> sourcesOf(Value value) {
  SmallVector<Value> sources;
  for (; value; value = sourceOf(value)) {
    // Places are counted from the base again.
    if (value.getDefiningOp<memref::ReinterpretCastOp>())
      sources.clear();
    sources.push_back(value);
  }
  return sources;
}

/// Bytes of memory that are there as long as the run: no other one has them.
static bool isPlace(Value root) {
  if (auto argument = dyn_cast<BlockArgument>(root))
    return isa<func::FuncOp>(argument.getOwner()->getParentOp());
  return isa<memref::GetGlobalOp>(root.getDefiningOp());
}

/// The bytes of a root that were given to a buffer.
static std::optional<std::pair<int64_t, int64_t>> bytesOf(ArrayRef<Value> sources) {
  for (Value source : sources) {
    auto view = source.getDefiningOp<memref::ViewOp>();
    if (!view)
      continue;
    if (view.getSource() != sources.back())
      return std::nullopt;
    std::optional<int64_t> begin = getConstantIntValue(view.getByteShift());
    auto type = cast<MemRefType>(source.getType());
    if (!begin || !type.hasStaticShape())
      return std::nullopt;
    int64_t bytes = type.getNumElements() * int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    return std::pair(*begin, *begin + bytes);
  }
  return std::nullopt;
}

/// Whether boxes of the same buffer lie apart along some dim.
static bool areApart(memref::SubViewOp left, memref::SubViewOp right) {
  for (unsigned dim = 0; dim < left.getSourceType().getRank(); ++dim) {
    auto number = [](OpFoldResult value) { return getConstantIntValue(value); };
    auto lowOfLeft = number(left.getMixedOffsets()[dim]), lowOfRight = number(right.getMixedOffsets()[dim]);
    auto sizeOfLeft = number(left.getMixedSizes()[dim]), sizeOfRight = number(right.getMixedSizes()[dim]);
    auto stepOfLeft = number(left.getMixedStrides()[dim]), stepOfRight = number(right.getMixedStrides()[dim]);
    if (!lowOfLeft || !lowOfRight || stepOfLeft != 1 || stepOfRight != 1)
      continue;
    if ((sizeOfLeft && *lowOfLeft + *sizeOfLeft <= *lowOfRight) ||
        (sizeOfRight && *lowOfRight + *sizeOfRight <= *lowOfLeft))
      return true;
  }
  return false;
}

bool onnx_aot::mayMeet(Value left, Value right) {
  SmallVector<Value> ofLeft = sourcesOf(left), ofRight = sourcesOf(right);
  if (ofLeft.back() != ofRight.back())
    return !isPlace(ofLeft.back()) || !isPlace(ofRight.back());
  auto bytesOfLeft = bytesOf(ofLeft), bytesOfRight = bytesOf(ofRight);
  if (bytesOfLeft && bytesOfRight &&
      (bytesOfLeft->second <= bytesOfRight->first || bytesOfRight->second <= bytesOfLeft->first))
    return false;
  for (Value part : ofLeft)
    for (Value other : ofRight) {
      auto box = part.getDefiningOp<memref::SubViewOp>(), otherBox = other.getDefiningOp<memref::SubViewOp>();
      if (box && otherBox && box.getSource() == otherBox.getSource() && areApart(box, otherBox))
        return false;
    }
  return true;
}

bool onnx_aot::mayDepend(Operation *left, Operation *right) {
  auto touches = [](Operation *op, Value stored) {
    SetVector<Value> touched(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), touched);
    return llvm::any_of(touched,
                        [&](Value value) { return isa<MemRefType>(value.getType()) && mayMeet(value, stored); });
  };
  auto storesTo = [](Operation *op, llvm::function_ref<bool(Value)> isTouched) {
    return llvm::any_of(cast<DestinationStyleOpInterface>(op).getDpsInits(), isTouched);
  };
  return storesTo(left, [&](Value stored) { return touches(right, stored); }) ||
         storesTo(right, [&](Value stored) { return touches(left, stored); });
}
