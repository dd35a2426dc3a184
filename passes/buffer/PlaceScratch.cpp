//===- PlaceScratch.cpp - memory that kernels work in -------------------------------------------------------------===//
//
// A kernel neither allocates nor keeps anything: what it needs beside its operands is a buffer like others, in use from
// the kernel to the kernel, for which the planner finds a place.
//
//   aot.winograd ... ins(%x, %w) outs(%y)     =>     %s = memref.alloc() ; aot.winograd ... outs(%y) scratch(%s)
//
// Before: there are no tensors.  After: every kernel has its scratch memory.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLACESCRATCH
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PlaceScratch : impl::PlaceScratchBase<PlaceScratch> {
  void runOnOperation() override {
    getOperation().walk([](aot::WinogradOp winograd) {
      if (winograd.getScratch())
        return;
      auto type = MemRefType::get({winograd.getScratchSize()}, getElementTypeOrSelf(winograd.getInit().getType()));
      winograd.getScratchMutable().assign(allocate(winograd, type));
    });
    getOperation().walk([](aot::GeneratedOp generated) {
      if (generated.getScratch() || generated.getScratchBytes() == 0)
        return;
      auto type = MemRefType::get({int64_t(generated.getScratchBytes())}, IntegerType::get(generated.getContext(), 8));
      generated.getScratchMutable().assign(allocate(generated, type));
    });
  }

  static Value allocate(Operation *kernel, MemRefType type) {
    OpBuilder builder(kernel);
    return memref::AllocOp::create(builder, kernel->getLoc(), type);
  }
};
} // namespace
} // namespace onnx_aot
