//===- ResamplingToLinalg.cpp - Resize as one gather per axis -----------------------------------------------------===//
//
// What is not aot.resample (ResizeBySums.h). Resize is separable: one axis after the other, each a linalg.generic that
// reads its input at positions from a table and weights what it reads. Tables are constants (ResizeTables.h), or filled
// when the model runs where scales, sizes, roi or extents are not constant (RuntimeTables.h). Shrinking axes come first
// and, among equals, the innermost, so that the larger passes run along contiguous memory. Nearest neighbour reads all
// axes at once.
//
//   y[.., o, ..] = sum over taps of weight[o][tap] * x[.., position[o][tap], ..]
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/resampling/AffineGrid.h"
#include "dialects/onnx/resampling/GridSample.h"
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/resampling/ResizeBySums.h"
#include "dialects/onnx/resampling/ResizeTables.h"
#include "dialects/onnx/resampling/RoiAlign.h"
#include "dialects/onnx/resampling/RuntimeTables.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {

class ResizeBuilder {
public:
  using Resampled = SampledAxis;

  ResizeBuilder(OpBuilder &builder, Location loc, Type element) : builder(builder), loc(loc), element(element) {
    compute = isa<FloatType>(element) ? computeType(element) : builder.getF32Type();
  }

  /// Reads `data` at the positions of all tables at once.
  Value gather(Value data, ArrayRef<Resampled> axes) {
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, data);
    for (const Resampled &entry : axes)
      sizes[entry.axis] = entry.extent;
    unsigned rank = sizes.size();
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Resampled &entry : axes) {
      inputs.push_back(entry.positions.front());
      maps.push_back(along(entry.axis, rank));
    }
    Type stored = getElementTypeOrSelf(data.getType());
    return generic(sizes, stored, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
      SmallVector<Value> indices = ownIndices(b, rank);
      for (auto [entry, position] : llvm::zip(axes, elements))
        indices[entry.axis] = arith::IndexCastOp::create(b, b.getIndexType(), position);
      return tensor::ExtractOp::create(b, data, indices);
    });
  }

  /// Resizes one axis; `from` and `to` are the element types of data and result: the ONNX type or the compute type.
  Value interpolate(Value data, Type from, Type to, const Resampled &entry) {
    if (entry.rows)
      return interpolateRows(data, from, to, entry);
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, data);
    size_t taps = entry.positions.size();
    sizes[entry.axis] = entry.extent;
    unsigned rank = sizes.size();
    SmallVector<Value> inputs;
    for (size_t tap = 0; tap < taps; ++tap) {
      inputs.push_back(entry.positions[tap]);
      inputs.push_back(entry.weights[tap]);
    }
    SmallVector<AffineMap> maps(inputs.size(), along(entry.axis, rank));
    return generic(sizes, storageType(to), inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
      SmallVector<Value> indices = ownIndices(b, rank);
      Value sum;
      for (size_t tap = 0; tap < taps; ++tap) {
        indices[entry.axis] = arith::IndexCastOp::create(b, b.getIndexType(), elements[2 * tap]);
        Value read = toCompute(b, loc, tensor::ExtractOp::create(b, data, indices), from);
        Value value = castScalar(b, loc, read, from, compute), weight = elements[2 * tap + 1];
        sum = sum ? Value(math::FmaOp::create(b, value, weight, sum)) : Value(arith::MulFOp::create(b, value, weight));
      }
      return toStorage(b, loc, castScalar(b, loc, sum, compute, to), to);
    });
  }

  /// The same for taps whose number the run tells.
  Value interpolateRows(Value data, Type from, Type to, const Resampled &entry) {
    SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, data);
    Value last = asIndex(builder, loc, subtractSizes(builder, loc, sizes[entry.axis], builder.getIndexAttr(1)));
    Value count = asIndex(builder, loc, sizeOf(builder, loc, entry.rows, 1));
    sizes[entry.axis] = entry.extent;
    return buildGenerated(builder, loc, sizes, to, [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      Value row = at[entry.axis];
      Value first =
          arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, entry.first, row).getResult());
      Value zero = scalarConstant(b, loc, compute, 0);
      Value sum = buildFold(b, count, zero, [&](ImplicitLocOpBuilder &i, Value tap, Value carried) -> Value {
        SmallVector<Value> place(at);
        Value inside = arith::MaxSIOp::create(i, arith::AddIOp::create(i, first, tap), indexConstant(i, 0));
        place[entry.axis] = arith::MinSIOp::create(i, inside, last);
        Value read = toCompute(i, loc, tensor::ExtractOp::create(i, data, place), from);
        Value weight = tensor::ExtractOp::create(i, entry.rows, ValueRange{row, tap});
        return math::FmaOp::create(i, castScalar(i, loc, read, from, compute), weight, carried);
      });
      return castScalar(b, loc, sum, compute, to);
    });
  }

  /// Replaces what lies outside of the region in any axis by `value`.
  Value extrapolate(Value data, ArrayRef<Resampled> axes, double value) {
    auto type = cast<RankedTensorType>(data.getType());
    SmallVector<Value> inputs = {data};
    SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(type.getRank())};
    for (const Resampled &entry : axes) {
      if (!entry.isOutside)
        continue;
      inputs.push_back(entry.isOutside);
      maps.push_back(along(entry.axis, type.getRank()));
    }
    if (inputs.size() == 1)
      return data;
    return generic(sizesOf(builder, loc, data), type.getElementType(), inputs, maps,
                   [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
                     Value isOutside;
                     for (Value flag : elements.drop_front())
                       isOutside = isOutside ? Value(arith::OrIOp::create(b, isOutside, flag)) : flag;
                     isOutside = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, isOutside,
                                                       arith::ConstantIntOp::create(b, loc, 0, 8));
                     Value substitute = toStorage(b, loc, scalarConstant(b, loc, element, value), element);
                     return arith::SelectOp::create(b, isOutside, substitute, elements[0]);
                   });
  }

  /// The table of an axis as constants.
  Resampled constantTable(unsigned axis, const ResizeAxis &dim, const ResizeTable &table) {
    Resampled entry{axis, builder.getIndexAttr(dim.out.get()), {}, {}, Value(), Value(), Value()};
    for (int64_t tap = 0; tap < table.taps; ++tap) {
      entry.positions.push_back(positions(table, tap));
      entry.weights.push_back(weights(table, tap));
    }
    if (llvm::is_contained(table.isOutside, 1))
      entry.isOutside = constant(builder.getI8Type(), table.isOutside, "outside");
    return entry;
  }

  Type compute;

private:
  Value generic(ArrayRef<OpFoldResult> sizes, Type stored, ValueRange inputs, SmallVector<AffineMap> maps,
                llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
    maps.push_back(builder.getMultiDimIdentityMap(sizes.size()));
    SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
    Value empty = emptyTensor(builder, loc, sizes, stored);
    return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                     [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                       ImplicitLocOpBuilder b(bodyLoc, nested);
                                       linalg::YieldOp::create(b, body(b, elements.drop_back()));
                                     })
        .getResult(0);
  }

  AffineMap along(unsigned axis, unsigned rank) {
    return AffineMap::get(rank, 0, builder.getAffineDimExpr(axis), builder.getContext());
  }

  static SmallVector<Value> ownIndices(ImplicitLocOpBuilder &b, unsigned rank) {
    SmallVector<Value> indices;
    for (unsigned dim = 0; dim < rank; ++dim)
      indices.push_back(linalg::IndexOp::create(b, dim));
    return indices;
  }

  template <typename T> Value constant(Type type, const SmallVector<T> &values, StringRef hint) {
    auto tensor = RankedTensorType::get({int64_t(values.size())}, type);
    ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
    return arith::ConstantOp::create(builder, loc, tensor, cast<TypedAttr>(makeConstant(tensor, bytes, hint)));
  }

  Value positions(const ResizeTable &table, int64_t tap) {
    SmallVector<int32_t> column;
    for (size_t at = tap; at < table.positions.size(); at += table.taps)
      column.push_back(table.positions[at]);
    return constant(builder.getI32Type(), column, "positions");
  }

  Value weights(const ResizeTable &table, int64_t tap) {
    SmallVector<double> column;
    for (size_t at = tap; at < table.weights.size(); at += table.taps)
      column.push_back(table.weights[at]);
    if (compute.isF64())
      return constant(compute, column, "weights");
    return constant(compute, SmallVector<float>(column.begin(), column.end()), "weights");
  }

  OpBuilder &builder;
  Location loc;
  Type element;
};

struct LowerResize : OnnxLowering<ResizeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ResizeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ShapeContext ctx = context();
    FailureOr<std::optional<SmallVector<ResizeAxis>>> dims = resolveResize(op, ctx);
    if (failed(dims))
      return failure(); // reported there
    if (!*dims)
      return rewriter.notifyMatchFailure(op, "its rank is not known");
    Type element = type(op.getX()).getElementType();
    bool isNearest = op.getMode() == "nearest";
    RankedTensorType result = stored(op.getY());
    if (!isNumberType(element) || (!isNearest && (!isArithmeticType(element) || element.isInteger(1))))
      return op.emitError("unsupported: Resize of ") << element << " in mode " << op.getMode();
    if (isNearest && !isArithmeticType(element))
      element = storageType(element); // only moved

    ResizeBuilder build(rewriter, op.getLoc(), element);
    ResizeOperands operands(op, adaptor, rewriter);
    SmallVector<Found, 0> found;
    for (auto [place, axis] : llvm::enumerate(operands.axes)) {
      ResizeAxis dim = (**dims)[axis];
      if (!dim.isResized)
        continue;
      OpFoldResult extent = extentOf(op, operands, rewriter, dim, place);
      if (!dim.out.isKnown() && !result.isDynamicDim(axis))
        applyResultType(op, dim, result.getDimSize(axis));
      found.push_back({unsigned(place), dim, extent, std::nullopt});
      if (dim.isTold && dim.in.isKnown() && dim.out.isKnown() && dim.in.get() != 0)
        found.back().table = makeResizeTable(op, dim);
    }
    if (std::optional<Value> sums = buildSums(op, adaptor.getX(), build, operands, rewriter, found)) {
      rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), *sums, result));
      return success();
    }
    SmallVector<SampledAxis> axes;
    for (const Found &one : found)
      axes.push_back(tablesOf(op, build, operands, rewriter, one));
    Value resized = axes.empty() ? adaptor.getX() : resample(op, build, adaptor.getX(), element, axes);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), resized, result));
    return success();
  }

  /// A resized axis: which of the operands' axes it is, and its table where that is constant.
  struct Found {
    unsigned place;
    ResizeAxis dim;
    OpFoldResult extent;
    std::optional<ResizeTable> table;
  };

  static SampledAxis tablesOf(ResizeOp op, ResizeBuilder &build, const ResizeOperands &operands,
                              ConversionPatternRewriter &rewriter, const Found &found) {
    if (found.table)
      return build.constantTable(operands.axes[found.place], found.dim, *found.table);
    return buildRuntimeTable(operands, rewriter, build.compute, found.place, found.extent);
  }

  /// The result by ResizeBySums, where that is possible.
  std::optional<Value> buildSums(ResizeOp op, Value data, ResizeBuilder &build, const ResizeOperands &operands,
                                 ConversionPatternRewriter &rewriter, ArrayRef<Found> found) const {
    SmallVector<int64_t> resized;
    for (const Found &one : found)
      resized.push_back(operands.axes[one.place]);
    bool isWide = op.getAntialias() && op.getMode() != "nearest";
    if (!canSum(op, resized, operands.in.size()))
      return std::nullopt;
    SmallVector<SummedAxis, 0> axes;
    for (auto [one, axis] : llvm::zip(found, resized)) {
      // Whose extent is exactly a multiple of the data's.
      bool isExact = one.dim.in.isKnown() || (type(op.getY()).isDynamicDim(axis) && one.dim.out.isSymbolic() &&
                                              shape(op.getY())[axis].equals(one.dim.out));
      SummedAxis summed{{unsigned(axis), one.extent, {}, {}, Value(), Value(), Value()}, onnx_aot::aot::SamplingAttr()};
      if (isExact)
        summed.sampling = phasesOf(op, axis, one.dim);
      if (!summed.sampling && one.table)
        summed.sampling = samplingOf(op, axis, *one.table);
      if (!summed.sampling && (one.table || isWide))
        return std::nullopt;
      if (one.dim.in.isKnown() && one.dim.out.isKnown() && one.dim.in.get() > 0)
        summed.growth = double(one.dim.out.get()) / double(one.dim.in.get());
      else if (one.dim.isTold)
        summed.growth = one.dim.scale;
      axes.push_back(std::move(summed));
    }
    for (auto [one, summed] : llvm::zip(found, axes)) {
      if (summed.sampling && summed.sampling.getScale() != 0)
        continue;
      summed.sampled = tablesOf(op, build, operands, rewriter, one);
      if (!summed.sampling)
        summed.sampling = samplingOf(op, summed.sampled.axis, summed.sampled);
    }
    return onnx_aot::onnx::buildSums(rewriter, op, data, axes);
  }

  /// The extent of the result along an axis, which an input without elements must not have.
  OpFoldResult extentOf(ResizeOp op, const ResizeOperands &operands, ConversionPatternRewriter &rewriter,
                        const ResizeAxis &dim, unsigned place) const {
    Location loc = op.getLoc();
    int64_t axis = operands.axes[place];
    OpFoldResult declared = rewriter.getIndexAttr(type(op.getY()).getDimSize(axis)), extent = declared;
    bool isDeclared = !type(op.getY()).isDynamicDim(axis);
    if (!isDeclared || !dim.out.isKnown()) {
      extent = buildExtent(operands, rewriter, place);
      // The same value wherever the result's extent is asked for.
      Dim known = shape(op.getY())[axis];
      if (!isDeclared && dim.out.isSymbolic() && known.equals(dim.out))
        extent = buildSize(rewriter, loc, known, lowered(rewriter));
      if (isDeclared)
        requireEqual(rewriter, loc, extent, declared, onnx_aot::aot::Code::shape_mismatch);
      extent = isDeclared ? declared : extent;
    }
    if (!dim.in.isAtLeast(1)) {
      ImplicitLocOpBuilder b(loc, rewriter);
      auto is = [&](arith::CmpIPredicate predicate, OpFoldResult size) -> Value {
        return b.createOrFold<arith::CmpIOp>(predicate, asIndex(b, loc, size), indexConstant(b, 0));
      };
      Value hasNone = is(arith::CmpIPredicate::eq, extent);
      Value isValid = b.createOrFold<arith::OrIOp>(hasNone, is(arith::CmpIPredicate::ne, operands.in[axis]));
      require(b, loc, isValid, onnx_aot::aot::Code::invalid_value);
    }
    return extent;
  }

  /// Sizes that are not constant are known from the result's type where no ratio is kept.
  static void applyResultType(ResizeOp op, ResizeAxis &dim, int64_t extent) {
    if (!op.getSizes() || op.getKeepAspectRatioPolicy() != "stretch" || !dim.in.isKnown() || dim.in.is(0) ||
        op.getCoordinateTransformationMode() == "tf_crop_and_resize")
      return;
    dim.out = extent;
    dim.length = extent;
    dim.scale = float(extent) / float(dim.in.get());
    dim.isTold = true;
  }

  static Value resample(ResizeOp op, ResizeBuilder &build, Value data, Type element,
                        MutableArrayRef<SampledAxis> axes) {
    if (op.getMode() == "nearest") {
      data = build.gather(data, axes);
    } else {
      ArrayRef<int64_t> from = type(op.getX()).getShape();
      auto growth = [&](const SampledAxis &entry) {
        std::optional<int64_t> extent = constantSize(entry.extent);
        return extent && !ShapedType::isDynamic(from[entry.axis]) ? double(*extent) / double(from[entry.axis]) : 1.0;
      };
      llvm::sort(axes, [&](const SampledAxis &left, const SampledAxis &right) {
        return growth(left) != growth(right) ? growth(left) < growth(right) : left.axis > right.axis;
      });
      for (auto [index, axis] : llvm::enumerate(axes)) {
        bool isFirst = index == 0, isLast = index + 1 == axes.size();
        data = build.interpolate(data, isFirst ? element : build.compute, isLast ? element : build.compute, axis);
      }
    }
    return build.extrapolate(data, axes, op.getExtrapolationValue().convertToDouble());
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateResamplingToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerResize>(converter, patterns.getContext());
  populateGridSampleToLinalg(converter, patterns);
  populateAffineGridToLinalg(converter, patterns);
  populateRoiAlignToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
