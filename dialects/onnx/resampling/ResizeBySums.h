//===- ResizeBySums.h - Resize as sums of rows and of neighbours in them ------------------------------------------===//
//
// Most of Resize is aot.resample: one axis, or some axis and the last one, whose positions do not jump about. Where the
// scale is a small integer the positions are those of a few phases, the same all along the axis, so that neither
// extents nor tables are needed; elsewhere they are read from tables. What is left to the general way: elements that
// are not computed in their own type, filters of many taps or of a number that only the run knows, regions.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RESIZEBYSUMS_H
#define ONNX_AOT_DIALECTS_ONNX_RESAMPLING_RESIZEBYSUMS_H

#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/resampling/ResizeTables.h"
#include "dialects/onnx/resampling/RuntimeTables.h"

namespace onnx_aot::onnx {

/// An axis to resize: `sampled` has tables where `sampling` has no phases.
struct SummedAxis {
  SampledAxis sampled;
  aot::SamplingAttr sampling;
  double growth = 1; // below 1 where it is known to shrink
};

/// Whether Resize along `axes` of `rank` dims may be sums, as far as operands and attributes tell.
bool canSum(ResizeOp op, llvm::ArrayRef<int64_t> axes, int64_t rank);

/// The phases of an axis whose scale is a small integer; null where it has none.
aot::SamplingAttr phasesOf(ResizeOp op, int64_t axis, const ResizeAxis &dim);
/// What is to be known of a table; null where it has many taps, or positions that fall back far.
aot::SamplingAttr samplingOf(ResizeOp op, int64_t axis, const ResizeTable &table);
/// The same of tables that the run fills.
aot::SamplingAttr samplingOf(ResizeOp op, int64_t axis, const SampledAxis &table);

/// `data` resized along all axes, which are put in the order of their passes.
mlir::Value buildSums(mlir::OpBuilder &builder, ResizeOp op, mlir::Value data, llvm::MutableArrayRef<SummedAxis> axes);

} // namespace onnx_aot::onnx

#endif
