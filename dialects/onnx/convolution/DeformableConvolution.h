//===- DeformableConvolution.h - lowering of DeformConv and Col2Im ------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_DEFORMABLECONVOLUTION_H
#define ONNX_AOT_DIALECTS_ONNX_CONVOLUTION_DEFORMABLECONVOLUTION_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateDeformableConvolutionToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
void populateCol2ImToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
