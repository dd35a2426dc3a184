//===- GridSample.h - lowering of GridSample ----------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_GRIDSAMPLE_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_GRIDSAMPLE_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateGridSampleToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
