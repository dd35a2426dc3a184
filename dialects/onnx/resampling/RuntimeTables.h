//===- RuntimeTables.h - tables of Resize that are filled when the model runs -------------------------------------===//
//
// Where scales, sizes, roi or the data's extents are known to the run only, positions and weights are computed by the
// model itself: the same formulas as in ResizeTables.cpp, as linalg.generic over the output positions of an axis.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RUNTIMETABLES_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RUNTIMETABLES_H

#include "dialects/onnx/resampling/Resampling.h"

namespace onnx_aot::onnx {

/// A resized axis: what its output positions read, one tensor over them per tap.
struct SampledAxis {
  unsigned axis;
  mlir::OpFoldResult extent;                // output positions
  llvm::SmallVector<mlir::Value> positions; // i32, inside the input
  llvm::SmallVector<mlir::Value> weights;   // of the compute type; not read by nearest
  mlir::Value isOutside;                    // i8, or null
  /// Instead of taps where their number is not known: position o reads from first[o] on, which may lie outside of the
  /// input, with the weights in row o.
  mlir::Value first, rows;
};

/// A Resize whose axes are looked at one by one. `axes` are those that scales, sizes and roi are about.
struct ResizeOperands {
  ResizeOp op;
  ResizeOp::Adaptor adaptor;
  llvm::SmallVector<int64_t> axes;
  llvm::SmallVector<mlir::OpFoldResult> in; // the data's extents

  ResizeOperands(ResizeOp op, ResizeOp::Adaptor adaptor, mlir::OpBuilder &builder);
};

/// The extent of the result along axes[place], as the run computes it from scales, sizes and roi; it is checked.
mlir::OpFoldResult buildExtent(const ResizeOperands &operands, mlir::OpBuilder &builder, unsigned place);

/// The tables along axes[place], whose result has `extent` elements.
SampledAxis buildRuntimeTable(const ResizeOperands &operands, mlir::OpBuilder &builder, mlir::Type compute,
                              unsigned place, mlir::OpFoldResult extent);

} // namespace onnx_aot::onnx

#endif
