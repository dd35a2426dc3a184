//===- DataExtents.h - extents that an operator cannot tell before it runs ----------------------------------------===//
//
// A model may declare the shape of what depends on data. Then the type of the result is static, and yet the operator's
// lowering has to compute the extents from the data: to compare them with the declared ones (see fitTensor).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATAEXTENTS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATAEXTENTS_H

#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// Whether an extent of `result` is not told by what exists before `op`, whatever the model declares.
bool hasDataExtents(const mlir::TypeConverter *converter, mlir::Operation *op, mlir::Value result);

} // namespace onnx_aot::onnx

#endif
