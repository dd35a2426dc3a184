//===- RetypeEmptyArguments.cpp - empty buffers as bare pointers --------------------------------------------------===//
//
// MLIR passes a memref as a bare pointer only if its strides are positive, which the canonical strides of an empty
// tensor of several dims are not. Such arguments become memref<0xi8>, and are viewed under their own type inside.
//
//   func.func @main(%x: memref<2x0x4xf32>)   =>   func.func @main(%a: memref<0xi8>) { %x = memref.view %a[%c0][] ...
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Pass/Pass.h"

namespace onnx_aot {
#define GEN_PASS_DEF_RETYPEEMPTYARGUMENTS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct RetypeEmptyArguments : impl::RetypeEmptyArgumentsBase<RetypeEmptyArguments> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    Block &body = function.getBody().front();
    OpBuilder builder(&body, body.begin());
    auto empty = MemRefType::get({0}, builder.getI8Type());
    for (BlockArgument argument : body.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type || type.getRank() < 2 || !type.hasStaticShape() || !llvm::is_contained(type.getShape(), 0))
        continue;
      argument.setType(empty);
      Value zero = arith::ConstantIndexOp::create(builder, function.getLoc(), 0);
      auto view = memref::ViewOp::create(builder, function.getLoc(), type, argument, zero, ValueRange());
      argument.replaceAllUsesExcept(view, view);
    }
    function.setType(builder.getFunctionType(body.getArgumentTypes(), function.getResultTypes()));
  }
};
} // namespace
} // namespace onnx_aot
