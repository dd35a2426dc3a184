//===- Quantize.h - scaled floats to narrow integers --------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_QUANTIZE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_QUANTIZE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot::onnx {

/// saturate(round(value) + zeroPoint) of the integer type `to` of up to 16 bits, as it is stored; halves go to even,
/// NaN to the lowest value. `value` and `zeroPoint`, a whole number (or null, 0), are f32.
mlir::Value roundAndSaturate(mlir::ImplicitLocOpBuilder &b, mlir::Value value, mlir::Value zeroPoint, mlir::Type to);

} // namespace onnx_aot::onnx

#endif
