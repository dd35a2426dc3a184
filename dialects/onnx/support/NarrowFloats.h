//===- NarrowFloats.h - floats of 8 and 4 bits --------------------------------------------------------------------===//
//
// What it is for: scalar code between f32 and the bits of float8 (E4M3FN, E4M3FNUZ, E5M2, E5M2FNUZ, E8M0FNU) and float4
// (E2M1), by the tables of ONNX's Cast. How it works: integer operations on the bits and one float addition, which
// rounds or normalises a subnormal; nothing here depends on the target, and everything folds on constants.
//
// In memory such an element is an i8 (see Lowering.h); float4 lies in its low 4 bits.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_NARROWFLOATS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_NARROWFLOATS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace onnx_aot::onnx {

/// What Cast's attributes say about conversions to float8.
struct NarrowRounding {
  enum Mode { Up, Down, Nearest };
  bool saturate = true; // out of range: the largest number, else infinity or NaN; no matter for float4
  Mode mode = Up;       // of E8M0 alone; the others round to nearest, ties to even
};

/// Floats of at most 8 bits.
bool isNarrowFloat(mlir::Type type);

/// The f32 (exact) that the i8 `bits` stand for.
mlir::Value decodeNarrowFloat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value bits, mlir::Type type);

/// The i8 of the f32 `value`.
mlir::Value encodeNarrowFloat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, mlir::Type type,
                              NarrowRounding rounding = {});

/// An f64 as an f32 that rounds to any narrower type as the f64 would: inexact results have an odd last bit.
mlir::Value truncateToOdd(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value);

} // namespace onnx_aot::onnx

#endif
