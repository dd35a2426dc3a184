//===- MovementLowering.h - what the files of the movement family's lowering share --------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_MOVEMENT_MOVEMENTLOWERING_H
#define ONNX_AOT_DIALECTS_ONNX_MOVEMENT_MOVEMENTLOWERING_H

#include "mlir/IR/AffineMap.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot::onnx {

/// A tensor of type `stored` whose element at each index is the element of `source` that `map` gives.
mlir::Value buildMove(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value source, mlir::RankedTensorType stored,
                      mlir::AffineMap map);

/// Pad, CenterCropPad, Trilu and ReverseSequence.
void populateBordersToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace onnx_aot::onnx

#endif
