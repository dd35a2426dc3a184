//===- AffineGrid.h - lowering of AffineGrid ----------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_AFFINEGRID_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_AFFINEGRID_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateAffineGridToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
