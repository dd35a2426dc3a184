//===- RuntimeTables.h - tables of Resize that are filled when the model runs -------------------------------------===//
//
// Where scales, sizes or roi are inputs of the model but the result's shape is known, positions and weights are
// computed by the model itself: the same formulas as in ResizeTables.cpp, as linalg.generic over the output positions
// of an axis.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RUNTIMETABLES_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RUNTIMETABLES_H

#include "dialects/onnx/resampling/Resampling.h"

namespace onnx_aot::onnx {

/// A resized axis: what its output positions read, one tensor over them per tap.
struct SampledAxis {
  unsigned axis;
  int64_t extent;                           // output positions
  llvm::SmallVector<mlir::Value> positions; // i32, inside the input
  llvm::SmallVector<mlir::Value> weights;   // of the compute type; not read by nearest
  mlir::Value isOutside;                    // i8, or null
};

/// Adds the axes of `op`, whose operands are `adaptor`'s. Fails for antialiasing, which needs the number of taps.
llvm::LogicalResult buildRuntimeTables(ResizeOp op, ResizeOp::Adaptor adaptor, mlir::OpBuilder &builder,
                                       mlir::Type compute, llvm::SmallVectorImpl<SampledAxis> &axes);

} // namespace onnx_aot::onnx

#endif
