//===- Softmax.h - lowering of the activation functions along an axis ---------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_ACTIVATION_SOFTMAX_H
#define ONNX_AOT_DIALECTS_ONNX_ACTIVATION_SOFTMAX_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// log(softmax(x)) along `axis`; `x` and the result are stored tensors of ONNX element type `element`.
mlir::Value buildLogSoftmax(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value x, mlir::Type element,
                            int64_t axis);

void populateSoftmaxToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace onnx_aot::onnx

#endif
