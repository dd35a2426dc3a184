//===- CausalConvolution.h - lowering of CausalConvWithState ------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_CAUSALCONVOLUTION_H
#define ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_CAUSALCONVOLUTION_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateCausalConvolutionToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
