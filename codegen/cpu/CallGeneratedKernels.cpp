//===- CallGeneratedKernels.cpp - calls of what a provider made ---------------------------------------------------===//
//
// An aot.generated, and an aot.kernel whose strategy names the provider, become a call of the provider's function,
// which is linked into the module at the end. It takes pointers to the first element that the kernel's maps read. The
// kernels are there already (aot-generate-resize, aot-prepare-kernels). Should one have other strides by now, the
// provider makes another one; what it refuses gets the loops that the strategy says.
//
//   aot.kernel "pool" ... strategy<provider = "halide", ...>   =>   call @hk_1f(%x, %y, %null)
//
// Before: structured operations on memrefs.  After: none is the provider's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/KernelProvider.h"
#include "dialects/aot/KernelSpecification.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace onnx_aot {
#define GEN_PASS_DEF_CALLGENERATEDKERNELS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct CallGeneratedKernels : impl::CallGeneratedKernelsBase<CallGeneratedKernels> {
  explicit CallGeneratedKernels(aot::KernelProvider *provider = nullptr) : provider(provider) {}

  void runOnOperation() override {
    SmallVector<aot::GeneratedOp> generated;
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::GeneratedOp op) { generated.push_back(op); });
    getOperation().walk([&](aot::KernelOp op) {
      if (provider && op.getStrategyAttr() && op.getStrategyAttr().getProvider() == provider->name())
        kernels.push_back(op);
    });
    for (aot::GeneratedOp op : generated)
      call(op);
    for (aot::KernelOp op : kernels)
      call(op);
  }

private:
  void call(aot::GeneratedOp op) {
    OpBuilder builder(op);
    SmallVector<Value> pointers;
    for (Value input : op.getInputs())
      pointers.push_back(pointerTo(builder, input, offsetOf(input)));
    pointers.push_back(pointerTo(builder, op.getInit(), offsetOf(op.getInit())));
    pointers.push_back(op.getScratch() ? pointerTo(builder, op.getScratch(), offsetOf(op.getScratch()))
                                       : nullPointer(builder, op.getLoc()));
    callFunction(builder, op.getLoc(), op.getSymbol(), pointers);
    op.erase();
  }

  void call(aot::KernelOp op) {
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
    std::string reason;
    std::optional<std::string> text =
        succeeded(nest) ? aot::specifyWindow(*nest, op.getStrategyAttr(), reason) : std::nullopt;
    if (!text)
      return provider->refuse(op.getLoc(), reason);
    std::optional<aot::PreparedKernel> kernel = provider->prepare(aot::KernelRequest{*text, op.getLoc()}).front();
    if (!kernel || kernel->scratchBytes != 0)
      return;
    OpBuilder builder(op);
    SmallVector<Value> pointers;
    for (const aot::Access &input : nest->inputs)
      if (aot::isPassed(input))
        pointers.push_back(pointerTo(builder, input.operand, input.offset.factor));
    pointers.push_back(pointerTo(builder, nest->output.operand, nest->output.offset.factor));
    pointers.push_back(nullPointer(builder, op.getLoc()));
    callFunction(builder, op.getLoc(), kernel->symbol, pointers);
    op.erase();
  }

  /// Of the first element, as far as the type tells.
  static int64_t offsetOf(Value buffer) {
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    (void)cast<MemRefType>(buffer.getType()).getStridesAndOffset(strides, offset);
    return ShapedType::isDynamic(offset) ? 0 : offset;
  }

  /// The address of the element `offset` of a buffer, behind an offset that only the run knows.
  static Value pointerTo(OpBuilder &builder, Value buffer, int64_t offset) {
    Location loc = buffer.getLoc();
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<int64_t> strides;
    int64_t known = 0;
    (void)type.getStridesAndOffset(strides, known);
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
    Value places = arith::ConstantIndexOp::create(builder, loc, offset * bytes);
    if (ShapedType::isDynamic(known)) {
      Value start = memref::ExtractStridedMetadataOp::create(builder, loc, buffer).getOffset();
      Value size = arith::ConstantIndexOp::create(builder, loc, bytes);
      places = arith::AddIOp::create(builder, loc, places, arith::MulIOp::create(builder, loc, start, size));
    }
    address = arith::AddIOp::create(builder, loc, address, places);
    Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
    return LLVM::IntToPtrOp::create(builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), number);
  }

  static Value nullPointer(OpBuilder &builder, Location loc) {
    return LLVM::ZeroOp::create(builder, loc, LLVM::LLVMPointerType::get(builder.getContext()));
  }

  void callFunction(OpBuilder &builder, Location loc, StringRef symbol, ValueRange pointers) {
    ModuleOp module = getOperation();
    auto function = module.lookupSymbol<func::FuncOp>(symbol);
    if (!function) {
      OpBuilder atEnd(module.getBody(), module.getBody()->end());
      function = func::FuncOp::create(atEnd, loc, symbol, builder.getFunctionType(pointers.getTypes(), {}));
      function.setPrivate();
    }
    func::CallOp::create(builder, loc, function, pointers);
  }

  aot::KernelProvider *provider;
};
} // namespace

std::unique_ptr<Pass> createCallGeneratedKernelsPass(aot::KernelProvider *provider) {
  return std::make_unique<CallGeneratedKernels>(provider);
}
} // namespace onnx_aot
