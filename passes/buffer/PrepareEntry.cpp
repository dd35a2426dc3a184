//===- PrepareEntry.cpp - the entry's ABI -------------------------------------------------------------------------===//
//
// The entry takes its inputs and outputs as buffers and returns a status. Results are written to their buffers by the
// operations that make them, where bufferization can arrange it, and are copied elsewhere.
//
//   func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
// becomes
//   func.func @main(%x: memref<4xf32>, %y: memref<4xf32> {bufferize.result}) -> i32 {
//     %0 = bufferization.to_tensor %x restrict
//     ...
//     bufferization.materialize_in_destination %1 in restrict writable %y
//     return %c0_i32
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PREPAREENTRY
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PrepareEntry : impl::PrepareEntryBase<PrepareEntry> {
  void getDependentDialects(DialectRegistry &registry) const override {
    PrepareEntryBase::getDependentDialects(registry);
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!function)
      return;
    Block &body = function.getBody().front();
    OpBuilder builder(&getContext());
    Location loc = function.getLoc();

    builder.setInsertionPointToStart(&body);
    for (BlockArgument argument : llvm::to_vector(body.getArguments())) {
      auto type = cast<RankedTensorType>(argument.getType());
      argument.setType(bufferOf(type));
      Value tensor = bufferization::ToTensorOp::create(builder, loc, type, argument, /*restrict=*/true);
      argument.replaceAllUsesExcept(tensor, tensor.getDefiningOp());
    }

    auto terminator = cast<func::ReturnOp>(body.getTerminator());
    builder.setInsertionPoint(terminator);
    SmallVector<DictionaryAttr> attributes;
    function.getAllArgAttrs(attributes);
    for (auto [index, result] : llvm::enumerate(terminator.getOperands())) {
      BlockArgument buffer = body.addArgument(bufferOf(cast<RankedTensorType>(result.getType())), loc);
      auto store = bufferization::MaterializeInDestinationOp::create(builder, loc, result, buffer);
      store.setRestrict(true);
      store.setWritable(true);
      NamedAttrList list(function.getResultAttrDict(index));
      list.set("bufferize.result", builder.getUnitAttr());
      attributes.push_back(list.getDictionary(&getContext()));
    }
    Value ok = arith::ConstantIntOp::create(builder, loc, 0, 32);
    func::ReturnOp::create(builder, terminator.getLoc(), ok);
    terminator.erase();
    function.removeResAttrsAttr();
    function.setType(builder.getFunctionType(body.getArgumentTypes(), {builder.getI32Type()}));
    function.setAllArgAttrs(attributes);
  }

  static MemRefType bufferOf(RankedTensorType type) { return MemRefType::get(type.getShape(), type.getElementType()); }
};
} // namespace
} // namespace onnx_aot
