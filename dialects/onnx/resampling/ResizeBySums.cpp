//===- ResizeBySums.cpp - Resize as sums of rows and of neighbours in them ----------------------------------------===//
#include "dialects/onnx/resampling/ResizeBySums.h"
#include "dialects/onnx/support/Lowering.h"

using namespace mlir;
using namespace onnx_aot::aot;
using namespace onnx_aot::onnx;

/// Code is repeated for every tap, and for every phase.
static constexpr int64_t kMostTaps = 8, kMostPhases = 4;

static bool isNearest(ResizeOp op) { return op.getMode() == "nearest"; }

bool onnx_aot::onnx::canSum(ResizeOp op, ArrayRef<int64_t> axes, int64_t rank) {
  Type element = cast<ShapedType>(op.getX().getType()).getElementType();
  // A region may be walked backwards.
  if (axes.empty() || op.getCoordinateTransformationMode() == "tf_crop_and_resize")
    return false;
  if (isNearest(op))
    return axes.size() == 1 || (axes.size() == 2 && llvm::is_contained(axes, rank - 1));
  return element.isF32() || element.isF64();
}

/// The window of positions [out][taps].
template <typename T> static int64_t windowOf(ArrayRef<T> positions, int64_t taps) {
  int64_t window = 1;
  T last = positions.front();
  for (size_t at = 0; at < positions.size(); at += taps) {
    ArrayRef<T> read = positions.slice(at, taps);
    last = std::max(last, *llvm::max_element(read));
    window = std::max<int64_t>(window, last - *llvm::min_element(read) + 1);
  }
  return window;
}

SamplingAttr onnx_aot::onnx::phasesOf(ResizeOp op, int64_t axis, const ResizeAxis &dim) {
  int64_t scale = int64_t(dim.scale);
  if (!dim.isTold || float(scale) != dim.scale || scale < 2 || scale > kMostPhases || op.getExcludeOutside() ||
      op.getCoordinateTransformationMode() == "align_corners" || !dim.out.equals(dim.in * scale))
    return SamplingAttr();
  // The middle of a short axis, where coordinates are rounded little.
  constexpr int64_t kExtent = 10, kMiddle = 4;
  ResizeAxis probe = dim;
  probe.in = kExtent;
  probe.out = kExtent * scale;
  probe.length = float(kExtent * scale);
  ResizeTable table = makeResizeTable(op, probe);
  if (table.taps > kMostTaps)
    return SamplingAttr();
  SmallVector<int64_t> offsets, later;
  for (int64_t at = kMiddle * scale * table.taps; at < (kMiddle + 1) * scale * table.taps; ++at)
    offsets.push_back(table.positions[at] - kMiddle);
  for (int64_t group = 0; group < 3; ++group)
    for (int64_t offset : offsets)
      later.push_back(group + offset);
  ArrayRef<double> weights = ArrayRef(table.weights).slice(kMiddle * scale * table.taps, scale * table.taps);
  MLIRContext *context = op.getContext();
  return SamplingAttr::get(context, axis, table.taps, windowOf<int64_t>(later, table.taps), scale,
                           DenseI64ArrayAttr::get(context, offsets),
                           isNearest(op) ? DenseF64ArrayAttr() : DenseF64ArrayAttr::get(context, weights));
}

SamplingAttr onnx_aot::onnx::samplingOf(ResizeOp op, int64_t axis, const ResizeTable &table) {
  if (table.positions.empty() || table.taps > kMostTaps)
    return SamplingAttr();
  int64_t window = windowOf<int32_t>(table.positions, table.taps);
  if (window > 2 * kMostTaps)
    return SamplingAttr();
  return SamplingAttr::get(op.getContext(), axis, table.taps, window, 0, DenseI64ArrayAttr(), DenseF64ArrayAttr());
}

SamplingAttr onnx_aot::onnx::samplingOf(ResizeOp op, int64_t axis, const SampledAxis &table) {
  if (table.rows)
    return SamplingAttr();
  // Neighbours, brought inside.
  int64_t taps = table.positions.size();
  return SamplingAttr::get(op.getContext(), axis, taps, taps, 0, DenseI64ArrayAttr(), DenseF64ArrayAttr());
}

/// Resizes some axis, or the last one, or both.
static Value buildSum(OpBuilder &builder, ResizeOp op, Value data, ArrayRef<SummedAxis> axes) {
  Location loc = op.getLoc();
  Type element = getElementTypeOrSelf(data.getType());
  SmallVector<OpFoldResult> from = sizesOf(builder, loc, data), to = from;
  SmallVector<Value> tables;
  SmallVector<Attribute> samplings;
  for (const SummedAxis &axis : axes) {
    to[axis.sampled.axis] = axis.sampled.extent;
    samplings.push_back(axis.sampling);
    if (axis.sampling.getScale() != 0)
      continue;
    tables.append(axis.sampled.positions);
    if (!isNearest(op))
      tables.append(axis.sampled.weights);
  }
  SmallVector<Value> inits = {emptyTensor(builder, loc, to, element)};
  bool isRowsFirst = false;
  if (axes.size() == 2 && !isNearest(op)) {
    isRowsFirst = axes.front().growth < 1;
    OpFoldResult rows = builder.getIndexAttr(isRowsFirst ? 1 : axes.front().sampling.getWindow());
    inits.push_back(emptyTensor(builder, loc, {rows, isRowsFirst ? from.back() : to.back()}, element));
  }
  auto unit = [&](bool is) { return is ? builder.getUnitAttr() : UnitAttr(); };
  return ResampleOp::create(builder, loc, ValueRange(inits).getTypes(), data, tables,
                            /*inputs=*/ValueRange(), inits, builder.getAffineMapArrayAttr({}),
                            builder.getArrayAttr(samplings), unit(isNearest(op)), unit(isRowsFirst))
      .getResults()
      .front();
}

Value onnx_aot::onnx::buildSums(OpBuilder &builder, ResizeOp op, Value data, MutableArrayRef<SummedAxis> axes) {
  llvm::sort(axes,
             [](const SummedAxis &left, const SummedAxis &right) { return left.sampled.axis < right.sampled.axis; });
  // The last one and the one before it together, the others each by itself, those that shrink first.
  bool isPair = axes.size() > 1 && axes.back().sampled.axis + 1 == cast<ShapedType>(data.getType()).getRank();
  size_t single = axes.size() - (isPair ? 2 : 0);
  std::sort(axes.begin(), axes.begin() + single, [](const SummedAxis &left, const SummedAxis &right) {
    return std::pair(left.growth, left.sampled.axis) < std::pair(right.growth, right.sampled.axis);
  });
  for (size_t at = 0; at < single; ++at)
    data = buildSum(builder, op, data, axes.slice(at, 1));
  return isPair ? buildSum(builder, op, data, axes.drop_front(single)) : data;
}
