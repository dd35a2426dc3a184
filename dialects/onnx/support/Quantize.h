//===- Quantize.h - scaled floats to narrow integers --------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_QUANTIZE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_QUANTIZE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot::onnx {

/// saturate(round(value) + zeroPoint) of the integer type `to` of up to 16 bits, as it is stored; halves go to even,
/// NaN to the lowest value. `value` and `zeroPoint`, a whole number (or null, 0), are f32.
mlir::Value roundAndSaturate(mlir::ImplicitLocOpBuilder &b, mlir::Value value, mlir::Value zeroPoint, mlir::Type to);

/// What the sum of x * w exceeds that of (x - dataZero) * w by, negated: one number for each of `channels`, the one of
/// the weight at a flat index being `channelOf` it. None where an operand is not constant, or w has a zero point other
/// than 0.
std::optional<llvm::SmallVector<int32_t>> zeroPointShare(mlir::Value dataZero, mlir::Value weights,
                                                         mlir::Value weightZero, int64_t channels,
                                                         llvm::function_ref<int64_t(int64_t)> channelOf);

/// A constant of such numbers; null where all are 0.
mlir::Value makeShare(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<int32_t> share);

} // namespace onnx_aot::onnx

#endif
