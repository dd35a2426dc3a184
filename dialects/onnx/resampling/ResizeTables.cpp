//===- ResizeTables.cpp - where each element of a resized axis comes from -----------------------------------------===//
#include "dialects/onnx/resampling/ResizeTables.h"
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/Constants.h"
#include <cmath>
#include <map>

using namespace mlir;
using namespace onnx_aot::onnx;

/// Bounds extents so that their products with scales stay exact in 64 bits.
static constexpr double kLargest = double(int64_t(1) << 31);

static LogicalResult checkWords(ResizeOp op) {
  auto check = [&](StringRef name, StringRef word, ArrayRef<StringRef> known) -> LogicalResult {
    if (llvm::is_contained(known, word)) // (C5)
      return success();
    return op.emitOpError() << name << " \"" << word << "\" is not known";
  };
  if (failed(check("mode", op.getMode(), {"nearest", "linear", "cubic"})) ||
      failed(check("coordinate_transformation_mode", op.getCoordinateTransformationMode(),
                   {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                    "tf_half_pixel_for_nn", "tf_crop_and_resize"})) ||
      failed(check("nearest_mode", op.getNearestMode(),
                   {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "ceil_if_shrinking"})) ||
      failed(
          check("keep_aspect_ratio_policy", op.getKeepAspectRatioPolicy(), {"stretch", "not_larger", "not_smaller"})))
    return failure();
  return success();
}

/// Whether an optional input is there and not the empty tensor that older opsets wrote for an absent one.
static bool isGiven(Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  return value && !(type && type.hasStaticShape() && type.getNumElements() == 0);
}

/// Sets scale and out of the axes from `sizes`.
static LogicalResult applySizes(ResizeOp op, ArrayRef<int64_t> axes, ArrayRef<Dim> sizes,
                                SmallVectorImpl<ResizeAxis> &dims) {
  StringRef policy = op.getKeepAspectRatioPolicy();
  bool keepsRatio = policy != "stretch", isKnown = true;
  float common = 0;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    ResizeAxis &dim = dims[axis];
    Dim size = sizes[index];
    if (size.isKnown() && (size.get() < 0 || double(size.get()) > kLargest)) // (C3)
      return op.emitOpError("the size ") << size.get() << " is not possible";
    dim.out = keepsRatio ? Dim() : size;
    if (!dim.in.isKnown() || dim.in.is(0) || !size.isKnown()) {
      isKnown = false;
      continue;
    }
    dim.isTold = !keepsRatio;
    dim.scale = float(size.get()) / float(dim.in.get());
    bool isBetter = policy == "not_larger" ? dim.scale < common : dim.scale > common;
    common = index == 0 || isBetter ? dim.scale : common;
  }
  if (keepsRatio && isKnown)
    for (int64_t axis : axes) {
      float extent = std::floor(common * float(dims[axis].in.get()) + 0.5f);
      if (extent > kLargest) // (C3)
        return op.emitOpError("axis ") << axis << " of extent " << dims[axis].in.get() << " cannot be scaled by "
                                       << common;
      dims[axis].scale = common;
      dims[axis].out = int64_t(extent);
      dims[axis].isTold = true;
    }
  return success();
}

/// `extent` * `scale` rounded down, where the scale is a fraction with a small power of two below.
static Dim scaled(Dim extent, float scale) {
  for (int64_t divisor = 1; divisor <= 64; divisor *= 2) {
    float multiple = scale * float(divisor);
    if (multiple == std::floor(multiple) && multiple < 1024)
      return (extent * int64_t(multiple)).floorDiv(divisor);
  }
  return Dim();
}

/// The elements of a list of floats, as far as they are constant; also in parts that are joined.
static std::optional<SmallVector<std::optional<double>>> knownFloats(Value list) {
  if (auto constant = getConstantFloats(list))
    return SmallVector<std::optional<double>>(constant->begin(), constant->end());
  SmallVector<std::optional<double>> elements;
  if (auto concat = list.getDefiningOp<ConcatOp>()) {
    for (Value input : concat.getInputs()) {
      auto part = knownFloats(input);
      if (!part)
        return std::nullopt;
      elements.append(part->begin(), part->end());
    }
    return elements;
  }
  auto type = dyn_cast<RankedTensorType>(list.getType());
  if (!type || type.getRank() != 1 || !type.hasStaticShape())
    return std::nullopt;
  elements.resize(type.getNumElements());
  return elements;
}

/// Sets scale and out of the axes from `scales`.
static LogicalResult applyScales(ResizeOp op, ArrayRef<int64_t> axes, ArrayRef<std::optional<double>> scales,
                                 bool isCropped, SmallVectorImpl<ResizeAxis> &dims) {
  for (auto [scale, axis] : llvm::zip(scales, axes)) {
    ResizeAxis &dim = dims[axis];
    if (!scale)
      continue;
    dim.isTold = true;
    dim.scale = *scale;
    if (!(dim.scale > 0) || !std::isfinite(dim.scale)) // (C2)
      return op.emitOpError("the scale of axis ") << axis << " must be positive and finite";
    if (!dim.in.isKnown()) {
      dim.out = isCropped ? Dim() : scaled(dim.in, dim.scale);
      continue;
    }
    float extent = float(dim.in.get()) * dim.scale;
    if (isCropped)
      extent *= dim.end - dim.start;
    if (!(extent >= 0) || extent > kLargest) // (C2)
      return op.emitOpError("axis ") << axis << " of extent " << dim.in.get() << " cannot be scaled by " << dim.scale;
    dim.out = int64_t(std::floor(extent));
    dim.length = extent;
  }
  return success();
}

FailureOr<std::optional<SmallVector<ResizeAxis>>> onnx_aot::onnx::resolveResize(ResizeOp op, ShapeContext &ctx) {
  if (failed(checkWords(op)))
    return failure();
  std::optional<Shape> x = ctx.shape(op.getX());
  if (!x)
    return std::optional<SmallVector<ResizeAxis>>();
  int64_t rank = x->size();
  SmallVector<int64_t> axes;
  if (op.getAxes()) {
    FailureOr<SmallVector<int64_t>> normalized = normalizeAxes(op, *op.getAxes(), rank); // (C4)
    if (failed(normalized))
      return failure();
    axes = *normalized;
    SmallVector<bool> seen(rank, false);
    for (int64_t axis : axes) {
      if (seen[axis]) // (C4)
        return op.emitOpError("axis ") << axis << " appears twice";
      seen[axis] = true;
    }
  } else {
    for (int64_t axis = 0; axis < rank; ++axis)
      axes.push_back(axis);
  }
  SmallVector<ResizeAxis> dims(rank);
  for (int64_t axis = 0; axis < rank; ++axis) {
    dims[axis].in = (*x)[axis];
    dims[axis].out = llvm::is_contained(axes, axis) ? Dim() : (*x)[axis];
  }
  bool isCropped = op.getCoordinateTransformationMode() == "tf_crop_and_resize";
  std::optional<SmallVector<double>> roi;
  if (isCropped && isGiven(op.getRoi())) {
    roi = getConstantFloats(op.getRoi());
    if (roi && roi->size() != 2 * axes.size()) // (C1)
      return op.emitOpError("roi has ") << roi->size() << " elements, " << 2 * axes.size() << " are needed";
    if (roi)
      for (auto [index, axis] : llvm::enumerate(axes)) {
        dims[axis].start = (*roi)[index];
        dims[axis].end = (*roi)[axes.size() + index];
        if (!std::isfinite(dims[axis].start) || !std::isfinite(dims[axis].end)) // (C1)
          return op.emitOpError("roi must be finite");
      }
  }
  bool hasOpenRoi = isCropped && isGiven(op.getRoi()) && !roi;
  bool hasScales = isGiven(op.getScales()), hasSizes = isGiven(op.getSizes());
  if (hasScales == hasSizes) // (C3)
    return op.emitOpError("needs exactly one of scales and sizes");
  auto scales = hasScales ? knownFloats(op.getScales()) : std::nullopt;
  auto sizes = hasScales ? std::nullopt : ctx.dims(op.getSizes());
  if ((scales && scales->size() != axes.size()) || (sizes && sizes->size() != axes.size())) // (C2) (C3)
    return op.emitOpError("needs one scale or size for each of ") << axes.size() << " axes";
  if (sizes && failed(applySizes(op, axes, *sizes, dims)))
    return failure();
  if (scales && failed(applyScales(op, axes, *scales, isCropped, dims)))
    return failure();
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (hasOpenRoi) {
      dim.isTold = false;
      dim.out = hasScales && llvm::is_contained(axes, axis) ? Dim() : dim.out;
    }
    if (hasSizes && dim.out.isKnown())
      dim.length = float(dim.out.get());
    bool isIdentity = dim.out.equals(dim.in) && dim.scale == 1.0f && !isCropped && (dim.isTold || hasSizes);
    dim.isResized = !isIdentity && llvm::is_contained(axes, axis);
  }
  return std::optional<SmallVector<ResizeAxis>>(dims);
}

/// The position in the input that output position `at` corresponds to.
static float originalPosition(StringRef mode, const ResizeAxis &axis, int64_t at) {
  float position = at, in = axis.in.get(), out = axis.length;
  if (mode == "asymmetric")
    return position / axis.scale;
  if (mode == "align_corners")
    return out == 1 ? 0.0f : position * (in - 1) / (out - 1);
  if (mode == "tf_half_pixel_for_nn")
    return (position + 0.5f) / axis.scale;
  if (mode == "tf_crop_and_resize")
    return out > 1 ? axis.start * (in - 1) + position * (axis.end - axis.start) * (in - 1) / (out - 1)
                   : 0.5f * (axis.start + axis.end) * (in - 1);
  if (mode == "pytorch_half_pixel" && out <= 1)
    return 0.0f;
  float offset = 0;
  if (mode == "half_pixel_symmetric")
    offset = in / 2 * (1 - float(axis.out.get()) / (axis.scale * in));
  return offset + (position + 0.5f) / axis.scale - 0.5f;
}

static int64_t nearestPosition(StringRef mode, const ResizeAxis &axis, float position) {
  if (mode == "ceil_if_shrinking")
    return axis.scale < 1 ? std::ceil(position) : std::floor(position);
  if (mode == "floor")
    return std::floor(position);
  if (mode == "ceil")
    return std::ceil(position);
  return mode == "round_prefer_ceil" ? std::floor(position + 0.5f) : std::ceil(position - 0.5f);
}

static double linearWeight(double distance) { return std::max(0.0, 1.0 - std::abs(distance)); }

static double cubicWeight(double distance, double a) {
  double x = std::abs(distance);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
}

/// The weights by input position, which may lie outside.
static std::map<int64_t, double> weightsAt(ResizeOp op, const ResizeAxis &axis, double position) {
  bool isCubic = op.getMode() == "cubic";
  // Antialiasing widens the filter when the axis shrinks.
  double stretch = op.getAntialias() ? std::min(double(axis.scale), 1.0) : 1.0;
  double reach = std::min((isCubic ? 2.0 : 1.0) / stretch, 2.0 * double(axis.in.get()) + 16);
  double a = op.getCubicCoeffA().convertToDouble();
  std::map<int64_t, double> weights;
  double sum = 0;
  for (int64_t at = std::floor(position - reach); at <= std::ceil(position + reach); ++at) {
    double distance = (double(at) - position) * stretch;
    double weight = isCubic ? cubicWeight(distance, a) : linearWeight(distance);
    bool isInside = at >= 0 && at < axis.in.get();
    if (weight == 0 || (op.getExcludeOutside() && !isInside))
      continue;
    weights[at] = weight;
    sum += weight;
  }
  if ((op.getAntialias() || op.getExcludeOutside()) && sum != 0)
    for (auto &entry : weights)
      entry.second /= sum;
  return weights;
}

ResizeTable onnx_aot::onnx::makeResizeTable(ResizeOp op, const ResizeAxis &axis) {
  ResizeTable table;
  StringRef mode = op.getCoordinateTransformationMode();
  int64_t last = axis.in.get() - 1;
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at, 0, last); };
  // Taps that fall on the same element after clamping are one.
  std::vector<std::map<int64_t, double>> rows;
  for (int64_t at = 0; at < axis.out.get(); ++at) {
    float position = originalPosition(mode, axis, at);
    table.isOutside.push_back(mode == "tf_crop_and_resize" && (position < 0 || position > float(last)));
    // Far outside, everything is the border.
    position = std::isnan(position) ? 0.0f : position;
    position = std::clamp(position, -8.0f, float(last) + 8.0f);
    std::map<int64_t, double> row;
    if (op.getMode() == "nearest")
      row[clamp(nearestPosition(op.getNearestMode(), axis, position))] = 1.0;
    else
      for (auto [tap, weight] : weightsAt(op, axis, position))
        row[clamp(tap)] += weight;
    if (row.empty())
      row[clamp(std::floor(position))] = 0.0;
    table.taps = std::max<int64_t>(table.taps, row.size());
    rows.push_back(std::move(row));
  }
  for (const std::map<int64_t, double> &row : rows) {
    for (auto [tap, weight] : row) {
      table.positions.push_back(tap);
      table.weights.push_back(weight);
    }
    for (int64_t missing = row.size(); missing < table.taps; ++missing) {
      table.positions.push_back(row.begin()->first);
      table.weights.push_back(0.0);
    }
  }
  return table;
}
