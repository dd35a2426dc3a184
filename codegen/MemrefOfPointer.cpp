//===- MemrefOfPointer.cpp - a buffer from an address -------------------------------------------------------------===//
#include "codegen/MemrefOfPointer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"

using namespace mlir;

Value onnx_aot::memrefOfPointer(OpBuilder &builder, Location loc, Value pointer, Value size, MemRefType type) {
  Operation *around = builder.getInsertionBlock()->getParentOp();
  Type width = builder.getIntegerType(DataLayout::closest(around).getTypeSizeInBits(builder.getIndexType()));
  Type list = LLVM::LLVMArrayType::get(width, 1);
  Type structure =
      LLVM::LLVMStructType::getLiteral(builder.getContext(), {pointer.getType(), pointer.getType(), width, list, list});
  Value descriptor = LLVM::PoisonOp::create(builder, loc, structure);
  auto set = [&](Value value, ArrayRef<int64_t> position) {
    descriptor = LLVM::InsertValueOp::create(builder, loc, descriptor, value, position);
  };
  set(pointer, {0});
  set(pointer, {1});
  set(LLVM::ConstantOp::create(builder, loc, width, 0), {2});
  set(arith::IndexCastOp::create(builder, loc, width, size), {3, 0});
  set(LLVM::ConstantOp::create(builder, loc, width, 1), {4, 0});
  return UnrealizedConversionCastOp::create(builder, loc, type, descriptor).getResult(0);
}
