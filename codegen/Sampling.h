//===- Sampling.h - what a position of a resized axis reads -------------------------------------------------------===//
//
// What it is for: aot.resample says by phases or by tables which elements a position of the result reads, and by which
// weights; emitters for all targets ask here.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_SAMPLING_H
#define ONNX_AOT_CODEGEN_SAMPLING_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// An axis, its extents, and its tables where it has some: one per tap.
struct SampledAxis {
  aot::SamplingAttr sampling;
  mlir::Value in, out;
  llvm::SmallVector<mlir::Value> positions, weights;

  bool hasPhases() const { return sampling.getScale() != 0; }
  int64_t offset(int64_t phase, int64_t tap) const { return sampling.getOffsets()[phase * sampling.getTaps() + tap]; }
  double weight(int64_t phase, int64_t tap) const { return sampling.getWeights()[phase * sampling.getTaps() + tap]; }
};

/// What an output position reads; no weight where elements are moved.
struct Tap {
  mlir::Value position, weight;
};

/// `position`, or the end of the axis that it is beyond.
mlir::Value insideOf(mlir::ImplicitLocOpBuilder &b, const SampledAxis &axis, mlir::Value position);

/// The taps of an output position; weights are of type `element`, none where elements are moved.
llvm::SmallVector<Tap> tapsAt(mlir::ImplicitLocOpBuilder &b, const SampledAxis &axis, mlir::Value position,
                              mlir::Type element, bool moves);

/// sum + weight * value in vectors of `lanes`, the first of them without `sum`; `value` itself without a weight.
mlir::Value accumulateTap(mlir::ImplicitLocOpBuilder &b, mlir::Value sum, mlir::Value value, mlir::Value weight,
                          int64_t lanes);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_SAMPLING_H
