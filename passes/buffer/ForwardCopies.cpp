//===- ForwardCopies.cpp - copies through a buffer between
//---------------------------------------------------------===//
//
// Bufferization does not see that two slices of a buffer lie apart, and moves one onto the other through a third
// buffer:
//
//   %t = memref.alloc()
//   memref.copy %buffer[8, 0], %t             =>      memref.copy %buffer[8, 0], %buffer[0, 0]
//   memref.copy %t, %buffer[0, 0]
//
// Before: there are no tensors.  After: slices that certainly lie apart are copied at once.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FORWARDCOPIES
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
/// Whether two slices of one buffer have no element in common, by the places that are numbers.
bool lieApart(Value left, Value right) {
  auto first = left.getDefiningOp<memref::SubViewOp>(), second = right.getDefiningOp<memref::SubViewOp>();
  if (!first || !second || first.getSource() != second.getSource() || !first.hasUnitStride() || !second.hasUnitStride())
    return false;
  auto endsBefore = [](memref::SubViewOp low, memref::SubViewOp high, size_t dim) {
    int64_t offset = low.getStaticOffsets()[dim], size = low.getStaticSizes()[dim], end = high.getStaticOffsets()[dim];
    return !ShapedType::isDynamic(offset) && !ShapedType::isDynamic(size) && !ShapedType::isDynamic(end) &&
           offset + size <= end;
  };
  for (size_t dim = 0; dim < first.getStaticOffsets().size(); ++dim)
    if (endsBefore(first, second, dim) || endsBefore(second, first, dim))
      return true;
  return false;
}

struct ForwardCopies : impl::ForwardCopiesBase<ForwardCopies> {
  void runOnOperation() override {
    SmallVector<memref::AllocOp> buffers;
    getOperation().walk([&](memref::AllocOp buffer) { buffers.push_back(buffer); });
    for (memref::AllocOp between : buffers) {
      if (!llvm::hasNItems(between->getUsers(), 2))
        continue;
      memref::CopyOp in, out;
      for (Operation *user : between->getUsers())
        if (auto copy = dyn_cast<memref::CopyOp>(user))
          (copy.getTarget() == between ? in : out) = copy;
      if (!in || !out || in->getBlock() != out->getBlock() || !in->isBeforeInBlock(out) ||
          !lieApart(in.getSource(), out.getTarget()))
        continue;
      auto pure = [](Operation &op) { return isMemoryEffectFree(&op); };
      if (!llvm::all_of(llvm::make_range(std::next(in->getIterator()), out->getIterator()), pure))
        continue;
      out.getSourceMutable().assign(in.getSource());
      in.erase();
      between.erase();
    }
  }
};
} // namespace
} // namespace onnx_aot
