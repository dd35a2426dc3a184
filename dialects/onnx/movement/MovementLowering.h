//===- MovementLowering.h - what the files of the movement family's lowering share --------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_MOVEMENT_MOVEMENTLOWERING_H
#define ONNX_AOT_DIALECTS_ONNX_MOVEMENT_MOVEMENTLOWERING_H

#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/Checks.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// A tensor of `sizes` whose element at each index is the element of `source` that `map` gives.
mlir::Value buildMove(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source,
                      llvm::ArrayRef<mlir::OpFoldResult> sizes, mlir::AffineMap map);

/// The run ends unless a list whose length its type does not tell has `length` entries.
void requireLength(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value list, int64_t length);

/// Slice whose starts, ends, steps or axes are data; `stored` is the result's type, whose dims may be open.
mlir::Value buildSliceByData(mlir::OpBuilder &builder, mlir::Location loc, SliceOp::Adaptor operands,
                             mlir::RankedTensorType stored);

/// Pad, CenterCropPad, Trilu and ReverseSequence.
void populateBordersToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace onnx_aot::onnx

#endif
