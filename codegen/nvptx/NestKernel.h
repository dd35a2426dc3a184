//===- NestKernel.h - an emitter of one nest's kernel -------------------------------------------------------------===//
//
// What emitters of kernels with tiles have in common: the nest as threads see it, its kernel, and arithmetic on
// indices, which is folded where it is known.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_NESTKERNEL_H
#define ONNX_AOT_CODEGEN_NVPTX_NESTKERNEL_H

#include "codegen/nvptx/DeviceNest.h"

namespace onnx_aot {

class NestKernel {
protected:
  NestKernel(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest, llvm::StringRef kind)
      : device(context, op, nest, kind), kernel(device.kernel), b(kernel.b) {}

  mlir::Value add(mlir::Value left, mlir::Value right);
  mlir::Value add(mlir::Value left, int64_t right) { return add(left, kernel.index(right)); }
  mlir::Value times(mlir::Value left, mlir::Value right);
  mlir::Value times(mlir::Value value, int64_t factor) { return times(value, kernel.index(factor)); }
  mlir::Value divided(mlir::Value value, int64_t by);
  mlir::Value rest(mlir::Value value, int64_t by);
  mlir::Value isBelow(mlir::Value value, mlir::Value end);

  DeviceNest device;
  KernelBuilder &kernel;
  mlir::ImplicitLocOpBuilder &b;
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_NESTKERNEL_H
