//===- Random.h - lowering of the random operators ----------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_GENERATOR_RANDOM_H
#define ONNX_AOT_DIALECTS_ONNX_GENERATOR_RANDOM_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {
void populateRandomToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
} // namespace onnx_aot::onnx

#endif
