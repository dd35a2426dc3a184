//===- NarrowIndex.cpp - 32-bit indices where addresses have 32 bits ----------------------------------------------===//
//
// Counters and addresses of 64 bits are pairs of registers on a 32-bit target, where the conversions to LLVM make an
// i32 of an index. No buffer is larger than such an index reaches (TargetLimits.cpp), but numbers that a run reads from
// tensors may be: the end of a slice is often INT64_MAX. They saturate, so that what was out of range still is, and
// what is clamped to a dim is clamped as before:
//
//   %i = arith.index_cast %x : i64 to index
// becomes
//   %low = arith.minsi %x, 2147483647 ; %in = arith.maxsi %low, -2147483648 ; %i = arith.index_cast %in : i64 to index
//
// Before: an index is still of no particular width.  After: constants and casts fit an index of 32 bits with a sign,
// and the module's data layout gives an index that width.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Pass/Pass.h"

namespace onnx_aot {
#define GEN_PASS_DEF_NARROWINDEX
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

static Value constantLike(ImplicitLocOpBuilder &b, Type type, int64_t value) {
  auto number = IntegerAttr::get(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    return arith::ConstantOp::create(b, DenseElementsAttr::get(shaped, Attribute(number)));
  return arith::ConstantOp::create(b, number);
}

/// Integers of at least 32 bits; a narrower one fits, unless it is as wide and has no sign.
static void saturate(Operation *cast, bool isSigned) {
  Type from = cast->getOperand(0).getType();
  unsigned bits = getElementTypeOrSelf(from).isIndex() ? 0 : getElementTypeOrSelf(from).getIntOrFloatBitWidth();
  if (bits < (isSigned ? 33u : 32u))
    return;
  ImplicitLocOpBuilder b(cast->getLoc(), cast);
  Value most = constantLike(b, from, INT32_MAX), value = cast->getOperand(0);
  if (isSigned)
    value = arith::MaxSIOp::create(b, arith::MinSIOp::create(b, value, most), constantLike(b, from, INT32_MIN));
  else
    value = arith::MinUIOp::create(b, value, most);
  cast->setOperand(0, value);
}

static void saturate(arith::ConstantOp constant) {
  auto narrow = [](int64_t value) { return std::clamp<int64_t>(value, INT32_MIN, INT32_MAX); };
  if (!getElementTypeOrSelf(constant.getType()).isIndex())
    return;
  if (auto number = dyn_cast<IntegerAttr>(constant.getValue())) {
    constant.setValueAttr(IntegerAttr::get(number.getType(), narrow(number.getInt())));
  } else if (auto numbers = dyn_cast<DenseIntElementsAttr>(constant.getValue())) {
    SmallVector<APInt> values;
    for (const APInt &value : numbers)
      values.push_back(APInt(64, narrow(value.getSExtValue()), /*isSigned=*/true));
    constant.setValueAttr(DenseElementsAttr::get(numbers.getType(), values));
  }
}

namespace {
struct NarrowIndex : impl::NarrowIndexBase<NarrowIndex> {
  void runOnOperation() override {
    SmallVector<Operation *> operations;
    getOperation().walk([&](Operation *op) { operations.push_back(op); });
    for (Operation *op : operations)
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        saturate(constant);
      else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
        saturate(op, isa<arith::IndexCastOp>(op));
    auto width = DataLayoutEntryAttr::get(IndexType::get(&getContext()),
                                          IntegerAttr::get(IntegerType::get(&getContext(), 64), 32));
    getOperation()->setAttr(DLTIDialect::kDataLayoutAttrName, DataLayoutSpecAttr::get(&getContext(), {width}));
  }
};
} // namespace
} // namespace onnx_aot
