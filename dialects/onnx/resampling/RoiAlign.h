//===- RoiAlign.h - lowering of pooling over regions --------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_ROIALIGN_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_ROIALIGN_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateRoiAlignToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
