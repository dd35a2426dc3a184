//===- MemrefOfPointer.h - a buffer from an address ---------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_MEMREFOFPOINTER_H
#define ONNX_AOT_CODEGEN_MEMREFOFPOINTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace onnx_aot {

/// The buffer of `size` elements (an index) at `pointer`, an !llvm.ptr, as `type`, which has one dim. Its descriptor is
/// built by hand, because no operation of the memref dialect makes one from a pointer; the cast that stands for it
/// vanishes when memrefs are converted.
mlir::Value memrefOfPointer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value pointer, mlir::Value size,
                            mlir::MemRefType type);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_MEMREFOFPOINTER_H
