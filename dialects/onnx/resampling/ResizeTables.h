//===- ResizeTables.h - where each element of a resized axis comes from -------------------------------------------===//
//
// Everything that Resize says about coordinates is evaluated at compile time into one table per axis: for each output
// position the input positions it reads and their weights. Coordinates are computed in single precision, as runtimes
// do, so that ties fall on the same side.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RESIZETABLES_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RESIZETABLES_H

#include "dialects/onnx/resampling/Resampling.h"

namespace onnx_aot::onnx {

/// One dim of the data. An axis that is not resized has `isResized` false and in == out.
struct ResizeAxis {
  Dim in, out;
  bool isResized = false;
  bool isTold = false; // scale or size and region are constants; with known extents, all below is known
  float scale = 1.0f;
  float length = 0.0f;            // the extent before it is rounded down: align_corners counts in it
  float start = 0.0f, end = 1.0f; // the region of interest, normalised
};

/// The dims of `op`, known as far as the data's shape and the constants go; nullopt where the rank is not known. Emits
/// errors for what is not valid (C1) .. (C5).
llvm::FailureOr<std::optional<llvm::SmallVector<ResizeAxis>>> resolveResize(ResizeOp op, ShapeContext &ctx);

struct ResizeTable {
  int64_t taps = 0;
  llvm::SmallVector<int32_t> positions; // [out][taps], inside the input
  llvm::SmallVector<double> weights;    // [out][taps]
  llvm::SmallVector<char> isOutside;    // [out]: tf_crop_and_resize asks for the extrapolation value
};

/// The table of a resized axis with known extents.
ResizeTable makeResizeTable(ResizeOp op, const ResizeAxis &axis);

} // namespace onnx_aot::onnx

#endif
