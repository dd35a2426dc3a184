//===- NarrowIndices.cpp - index arithmetic in the width of the target's addresses --------------------------------===//
//
// On targets of 32 bits additions of 64 bits take two instructions, and products of them five. A model whose sizes are
// all known when it is compiled fits such a target as a whole, so that its indices have 32 bits: the module's data
// layout says so, and the conversions to the LLVM dialect go by it. What a model computes in 64 bits becomes an index
// by way of the nearest value that an index can have, so that what was outside of a dimension stays outside of it.
//
// Sizes that only a run knows are checked, and multiplied, in 64 bits: such models keep wide indices.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include <limits>

namespace onnx_aot {
#define GEN_PASS_DEF_NARROWINDICES
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
constexpr int64_t kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();

struct NarrowIndices : impl::NarrowIndicesBase<NarrowIndices> {
  using Base::Base;

  void runOnOperation() override {
    if (addressBits != 32 || hasOpenSizes())
      return;
    getOperation().walk([](Operation *op) {
      if (auto constant = dyn_cast<arith::ConstantIndexOp>(op))
        constant->setAttr("value", IntegerAttr::get(constant.getType(), std::clamp(constant.value(), kLeast, kMost)));
      else if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
        clampOperand(op);
    });
    MLIRContext *context = &getContext();
    auto width = DataLayoutEntryAttr::get(IndexType::get(context), Builder(context).getI64IntegerAttr(32));
    getOperation()->setAttr(DLTIDialect::kDataLayoutAttrName, DataLayoutSpecAttr::get(context, {width}));
  }

private:
  /// Whether functions that callers see have dims or slots of a context.
  bool hasOpenSizes() {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && (function->hasAttr("aot.slots") ||
                                  llvm::any_of(function.getArgumentTypes(), [](Type t) { return isa<IndexType>(t); })))
        return true;
    return false;
  }

  static void clampOperand(Operation *cast) {
    Value wide = cast->getOperand(0);
    if (!getElementTypeOrSelf(wide.getType()).isInteger(64))
      return;
    OpBuilder b(cast);
    auto bound = [&](int64_t value) -> Value {
      TypedAttr attribute = b.getI64IntegerAttr(value);
      if (auto shaped = dyn_cast<ShapedType>(wide.getType()))
        attribute = DenseElementsAttr::get(shaped, attribute);
      return arith::ConstantOp::create(b, cast->getLoc(), attribute);
    };
    Value least;
    if (isa<arith::IndexCastUIOp>(cast)) {
      least = arith::MinUIOp::create(b, cast->getLoc(), wide, bound(kMost));
    } else {
      Value most = arith::MinSIOp::create(b, cast->getLoc(), wide, bound(kMost));
      least = arith::MaxSIOp::create(b, cast->getLoc(), most, bound(kLeast));
    }
    cast->setOperand(0, least);
  }
};
} // namespace
} // namespace onnx_aot
