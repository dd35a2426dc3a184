//===- EraseNarrowFloats.cpp - 16-bit floats as integers ----------------------------------------------------------===//
//
// aot-lower-math leaves no arithmetic on bf16, nor on f16 where the target does not convert it; what is left of them is
// moved only. LLVM does not know that: it selects between two bf16 values as floats, and calls __truncsfbf2 for it.
// Here these types become i16, in every operation, type and constant.
//
//   %1 = llvm.load %0 : !llvm.ptr -> bf16     =>     %1 = llvm.load %0 : !llvm.ptr -> i16
//
// Before: LLVM dialect.  After: no bf16, and f16 only with `hardware-f16`.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/BuiltinOps.h"

namespace onnx_aot {
#define GEN_PASS_DEF_ERASENARROWFLOATS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct EraseNarrowFloats : impl::EraseNarrowFloatsBase<EraseNarrowFloats> {
  using EraseNarrowFloatsBase::EraseNarrowFloatsBase;

  void runOnOperation() override {
    auto isErased = [this](Type type) { return type.isBF16() || (type.isF16() && !hardwareF16); };
    Type integer = IntegerType::get(&getContext(), 16);
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](FloatType type) -> std::optional<Type> {
      return isErased(type) ? std::optional<Type>(integer) : std::nullopt;
    });
    replacer.addReplacement([&](FloatAttr value) -> std::optional<Attribute> {
      if (!isErased(value.getType()))
        return std::nullopt;
      return IntegerAttr::get(integer, value.getValue().bitcastToAPInt());
    });
    replacer.addReplacement([&](DenseFPElementsAttr value) -> std::optional<Attribute> {
      if (!isErased(value.getElementType()))
        return std::nullopt;
      return value.bitcast(integer);
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  }
};
} // namespace
} // namespace onnx_aot
