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
      OpBuilder builder(winograd);
      auto type = MemRefType::get({winograd.getScratchSize()}, getElementTypeOrSelf(winograd.getInit().getType()));
      winograd.getScratchMutable().assign(memref::AllocOp::create(builder, winograd.getLoc(), type).getResult());
    });
  }
};
} // namespace
} // namespace onnx_aot
