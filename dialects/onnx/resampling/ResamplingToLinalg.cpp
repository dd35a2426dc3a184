//===- ResamplingToLinalg.cpp - Resize as one gather per axis -----------------------------------------------------===//
//
// Resize is separable: one axis after the other, each a linalg.generic that reads its input at positions from a table
// and weights what it reads. Tables are constants (ResizeTables.h), or filled when the model runs where scales, sizes
// or roi are not constant (RuntimeTables.h). Shrinking axes come first and, among equals, the innermost, so that the
// larger passes run along contiguous memory. Nearest neighbour reads all axes at once.
//
//   y[.., o, ..] = sum over taps of weight[o][tap] * x[.., position[o][tap], ..]
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/resampling/AffineGrid.h"
#include "dialects/onnx/resampling/GridSample.h"
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/resampling/ResizeTables.h"
#include "dialects/onnx/resampling/RoiAlign.h"
#include "dialects/onnx/resampling/RuntimeTables.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"
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
  Value gather(Value data, ArrayRef<Resampled> axes, ArrayRef<int64_t> shape) {
    unsigned rank = shape.size();
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Resampled &entry : axes) {
      inputs.push_back(entry.positions.front());
      maps.push_back(along(entry.axis, rank));
    }
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(data.getType()));
    return generic(type, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
      SmallVector<Value> indices = ownIndices(b, rank);
      for (auto [entry, position] : llvm::zip(axes, elements))
        indices[entry.axis] = arith::IndexCastOp::create(b, b.getIndexType(), position);
      return tensor::ExtractOp::create(b, data, indices);
    });
  }

  /// Resizes one axis; `from` and `to` are the element types of data and result: the ONNX type or the compute type.
  Value interpolate(Value data, Type from, Type to, const Resampled &entry) {
    auto shape = SmallVector<int64_t>(cast<RankedTensorType>(data.getType()).getShape());
    size_t taps = entry.positions.size();
    shape[entry.axis] = entry.extent;
    unsigned rank = shape.size();
    auto type = RankedTensorType::get(shape, storageType(to));
    SmallVector<Value> inputs;
    for (size_t tap = 0; tap < taps; ++tap) {
      inputs.push_back(entry.positions[tap]);
      inputs.push_back(entry.weights[tap]);
    }
    SmallVector<AffineMap> maps(inputs.size(), along(entry.axis, rank));
    return generic(type, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
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
    return generic(type, inputs, maps, [&](ImplicitLocOpBuilder &b, ValueRange elements) -> Value {
      Value isOutside;
      for (Value flag : elements.drop_front())
        isOutside = isOutside ? Value(arith::OrIOp::create(b, isOutside, flag)) : flag;
      isOutside =
          arith::CmpIOp::create(b, arith::CmpIPredicate::ne, isOutside, arith::ConstantIntOp::create(b, loc, 0, 8));
      Value substitute = toStorage(b, loc, scalarConstant(b, loc, element, value), element);
      return arith::SelectOp::create(b, isOutside, substitute, elements[0]);
    });
  }

  /// The table of an axis as constants.
  Resampled constantTable(unsigned axis, const ResizeAxis &dim, const ResizeTable &table) {
    Resampled entry{axis, dim.out.get(), {}, {}, Value()};
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
  Value generic(RankedTensorType type, ValueRange inputs, SmallVector<AffineMap> maps,
                llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
    maps.push_back(builder.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(builder, loc, type, inputs, emptyTensor(builder, loc, type), maps, iterators,
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
  static bool hasConstantTables(ResizeOp op) {
    bool isCropped = op.getCoordinateTransformationMode() == "tf_crop_and_resize";
    return (!op.getScales() || getConstantFloats(op.getScales())) &&
           (!op.getSizes() || getConstantIntegers(op.getSizes()) || op.getKeepAspectRatioPolicy() == "stretch") &&
           (!op.getRoi() || !isCropped || getConstantFloats(op.getRoi()));
  }

  /// Sizes that are not constant are known from the result's type where no ratio is kept.
  static void applyResultType(ResizeOp op, MutableArrayRef<ResizeAxis> dims) {
    for (auto [dim, extent] : llvm::zip(dims, type(op.getY()).getShape())) {
      if (dim.out.isKnown() || dim.in.is(0))
        continue;
      dim.out = extent;
      dim.length = extent;
      dim.scale = float(extent) / float(dim.in.get());
    }
  }

  LogicalResult matchAndRewrite(ResizeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ShapeContext ctx;
    FailureOr<std::optional<SmallVector<ResizeAxis>>> dims = resolveResize(op, ctx);
    if (failed(dims))
      return failure(); // reported there
    if (!*dims)
      return rewriter.notifyMatchFailure(op, "its rank is not known");
    Type element = type(op.getX()).getElementType();
    bool isNearest = op.getMode() == "nearest";
    if (type(op.getX()).getNumElements() == 0 && type(op.getY()).getNumElements() != 0)
      return op.emitError("unsupported: Resize of data without elements");
    if (!isNumberType(element) || (!isNearest && (!isArithmeticType(element) || element.isInteger(1))))
      return op.emitError("unsupported: Resize of ") << element << " in mode " << op.getMode();
    if (isNearest && !isArithmeticType(element))
      element = storageType(element); // only moved

    Value data = adaptor.getX();
    SmallVector<SampledAxis> axes;
    ResizeBuilder build(rewriter, op.getLoc(), element);
    if (hasConstantTables(op)) {
      applyResultType(op, **dims);
      for (auto [index, dim] : llvm::enumerate(**dims))
        if (dim.isResized && !dim.in.is(0))
          axes.push_back(build.constantTable(index, dim, makeResizeTable(op, dim)));
    } else if (failed(buildRuntimeTables(op, adaptor, rewriter, build.compute, axes))) {
      return op.emitError("unsupported: antialiasing over more than 128 elements with scales, sizes or roi that are not constant");
    }
    if (axes.empty() || type(op.getY()).getNumElements() == 0) {
      Value empty = emptyTensor(rewriter, op.getLoc(), stored(op.getY()));
      rewriter.replaceOp(op, axes.empty() ? data : empty);
      return success();
    }
    if (isNearest) {
      data = build.gather(data, axes, type(op.getY()).getShape());
    } else {
      ArrayRef<int64_t> from = type(op.getX()).getShape();
      auto growth = [&](const SampledAxis &entry) { return double(entry.extent) / double(from[entry.axis]); };
      llvm::sort(axes, [&](const SampledAxis &left, const SampledAxis &right) {
        return growth(left) != growth(right) ? growth(left) < growth(right) : left.axis > right.axis;
      });
      for (auto [index, axis] : llvm::enumerate(axes)) {
        bool isFirst = index == 0, isLast = index + 1 == axes.size();
        data = build.interpolate(data, isFirst ? element : build.compute, isLast ? element : build.compute, axis);
      }
    }
    rewriter.replaceOp(op, build.extrapolate(data, axes, op.getExtrapolationValue().convertToDouble()));
    return success();
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
