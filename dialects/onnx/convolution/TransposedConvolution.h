//===- TransposedConvolution.h - lowering of ConvTranspose --------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_TRANSPOSEDCONVOLUTION_H
#define ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_TRANSPOSEDCONVOLUTION_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateTransposedConvolutionToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
