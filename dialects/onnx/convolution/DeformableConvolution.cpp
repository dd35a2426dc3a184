//===- DeformableConvolution.cpp - convolution whose windows read at positions that are data ----------------------===//
//
//   1. column[n, c, k, o] is what window element k of output position o reads in channel c: linearly between elements
//   at
//      o * stride - pad + k * dilation + offset, zero outside of the data, times the mask;
//   2. Y[n, m, o] = B[m] + sum over c and k of column[n, c, k, o] * W[m, c, k], group by group.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/DeformableConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

static FailureOr<Window> windowOf(DeformConvOp op, ArrayRef<Dim> spatial, ArrayRef<Dim> kernel) {
  WindowAttributes attributes;
  attributes.kernelShape = op.getKernelShape();
  attributes.strides = op.getStrides();
  attributes.dilations = op.getDilations();
  attributes.pads = op.getPads();
  return resolveWindow(op, attributes, spatial, kernel);
}

static bool differ(Dim a, Dim b) { return a.isKnown() && b.isKnown() && a.get() != b.get(); }

LogicalResult DeformConvOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX()), w = ctx.shape(getW()), offset = ctx.shape(getOffset());
  Type element = ctx.elementType(getX());
  if (!x || !w) {
    results.emplace_back(element);
    return success();
  }
  if (x->size() < 3 || x->size() != w->size()) // (C1), (C2)
    return emitOpError("data of rank ") << x->size() << " with weights of rank " << w->size();
  int64_t group = getGroup(), offsetGroup = getOffsetGroup();
  Dim channels = (*x)[1], kernel = product(ArrayRef(*w).drop_front(2));
  if (group < 1 || differ((*w)[1] * group, channels) || ((*w)[0].isKnown() && (*w)[0].get() % group != 0)) // (C3)
    return emitOpError("group ") << group << " does not fit the channels of data and weights";
  if (offsetGroup < 1 || (channels.isKnown() && channels.get() % offsetGroup != 0)) // (C14)
    return emitOpError("offset_group ") << offsetGroup << " does not divide the channels";
  FailureOr<Window> window = windowOf(*this, ArrayRef(*x).drop_front(2), ArrayRef(*w).drop_front(2));
  if (failed(window))
    return failure();
  Shape dims = {(*x)[0], (*w)[0]};
  dims.append(outputDims(*window));
  auto check = [&](Value value, StringRef name, int64_t perElement) -> LogicalResult {
    std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
    if (!shape)
      return success();
    bool fits = shape->size() == dims.size() && !differ((*shape)[1], kernel * (offsetGroup * perElement));
    for (size_t dim = 2; fits && dim < dims.size(); ++dim)
      fits = !differ((*shape)[dim], dims[dim]);
    return fits ? success() : emitOpError("the shape of ") << name << " does not fit data and kernel";
  };
  if (failed(check(getOffset(), "offset", x->size() - 2)) || failed(check(getMask(), "mask", 1))) // (C12), (C13)
    return failure();
  results.emplace_back(element, dims);
  return success();
}

namespace {
struct LowerDeformConv : OnnxLowering<DeformConvOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DeformConvOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Shape x = shape(op.getX()), w = shape(op.getW());
    FailureOr<Window> window = windowOf(op, ArrayRef(x).drop_front(2), ArrayRef(w).drop_front(2));
    if (failed(window))
      return failure();
    requireShapes(op, *window, rewriter);
    Location loc = op.getLoc();
    Sizes extents = {sizeOf(rewriter, loc, adaptor.getX(), 0), sizeOf(rewriter, loc, adaptor.getW(), 0)};
    for (Dim dim : outputDims(*window))
      extents.push_back(buildSize(rewriter, loc, dim, lowered(rewriter)));
    Value columns = buildColumns(op, adaptor, *window, extents, rewriter);
    Value result = buildProduct(op, adaptor, columns, extents, rewriter);
    rewriter.replaceOp(op, fitTensor(rewriter, loc, result, stored(op.getY())));
    return success();
  }

  /// The run checks what is not known of the shapes.
  void requireShapes(DeformConvOp op, const Window &window, ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    auto check = [&](Dim a, Dim b) {
      if (!a.equals(b))
        requireEqual(rewriter, loc, buildSize(rewriter, loc, a, lowered(rewriter)),
                     buildSize(rewriter, loc, b, lowered(rewriter)), aot::Code::shape_mismatch);
    };
    requireFit(rewriter, loc, window, lowered(rewriter));
    Shape x = shape(op.getX()), w = shape(op.getW());
    int64_t group = op.getGroup(), offsetGroup = op.getOffsetGroup();
    check(x[1], w[1] * group);
    check(w[0], w[0].floorDiv(group) * group);
    check(x[1], x[1].floorDiv(offsetGroup) * offsetGroup);
    for (auto [dim, extent] : llvm::zip(window, ArrayRef(w).drop_front(2)))
      check(dim.kernel, extent);
    if (op.getB())
      check(shape(op.getB())[0], w[0]);
    auto checkData = [&](Value value, int64_t perElement) {
      Shape given = shape(value);
      check(given[0], x[0]);
      check(given[1], product(ArrayRef(w).drop_front(2)) * (offsetGroup * perElement));
      for (auto [dim, extent] : llvm::zip(window, ArrayRef(given).drop_front(2)))
        check(dim.out, extent);
    };
    checkData(op.getOffset(), x.size() - 2);
    if (op.getMask())
      checkData(op.getMask(), 1);
  }

  /// [n, c, k, o...] in the compute type.
  Value buildColumns(DeformConvOp op, OpAdaptor adaptor, const Window &window, ArrayRef<OpFoldResult> extents,
                     ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    int64_t spatial = window.size();
    Sizes tapCounts;
    SmallVector<Value> taps;
    for (const WindowDim &dim : window) {
      tapCounts.push_back(buildSize(rewriter, loc, dim.kernel, lowered(rewriter)));
      taps.push_back(asIndex(rewriter, loc, tapCounts.back()));
    }
    OpFoldResult channels = sizeOf(rewriter, loc, adaptor.getX(), 1),
                 groups = rewriter.getIndexAttr(op.getOffsetGroup());
    OpFoldResult kernel = productOf(rewriter, loc, tapCounts);
    Value channelsPerOffset = asIndex(rewriter, loc, divideSizes(rewriter, loc, channels, groups));
    Value kernelElements = asIndex(rewriter, loc, kernel);
    Sizes columnSizes = {extents[0], channels, kernel};
    columnSizes.append(extents.begin() + 2, extents.end());
    Value data = adaptor.getX(), offset = adaptor.getOffset(), mask = adaptor.getMask();
    return buildGenerated(rewriter, loc, columnSizes, real, [&](ImplicitLocOpBuilder &b, ValueRange at) {
      Arithmetic a{b, real};
      // Offsets and masks are per group of channels and window element.
      Value place = a.add(a.mul(a.div(at[1], channelsPerOffset), kernelElements), at[2]);
      auto read = [&](Value tensor, Value channel) {
        SmallVector<Value> index = {at[0], channel};
        index.append(at.begin() + 3, at.end());
        return toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, tensor, index), element);
      };
      // The coordinates of the window element, the last dim first.
      SmallVector<Value> positions(spatial);
      Value rest = at[2];
      for (int64_t dim = spatial - 1; dim >= 0; --dim) {
        const WindowDim &entry = window[dim];
        Value step = arith::RemSIOp::create(b, rest, taps[dim]);
        rest = a.div(rest, taps[dim]);
        Value start = a.sub(a.mul(at[3 + dim], indexConstant(b, entry.stride)), indexConstant(b, entry.low.get()));
        Value fixed = a.add(start, a.mul(step, indexConstant(b, entry.dilation)));
        Value channel = a.add(a.mul(place, indexConstant(b, spatial)), indexConstant(b, dim));
        positions[dim] = a.add(a.toReal(fixed), read(offset, channel));
      }
      Value value = readBetween(a, data, element, {at[0], at[1]}, positions);
      return mask ? a.mul(value, read(mask, place)) : value;
    });
  }

  /// Over the dims n, group, m (of the group), o..., c (of the group), k; the channels of all operands are split into
  /// (group, channel of the group).
  Value buildProduct(DeformConvOp op, OpAdaptor adaptor, Value columns, ArrayRef<OpFoldResult> extents,
                     ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    unsigned spatial = extents.size() - 2, loops = 5 + spatial;
    OpFoldResult group = rewriter.getIndexAttr(op.getGroup());
    Sizes columnSizes = sizesOf(rewriter, loc, columns);
    OpFoldResult channels = sizeOf(rewriter, loc, adaptor.getW(), 1), kernel = columnSizes[2];
    OpFoldResult features = divideSizes(rewriter, loc, extents[1], group);
    columnSizes[1] = channels;
    columnSizes.insert(columnSizes.begin() + 1, group);
    auto dim = [&](unsigned position) { return rewriter.getAffineDimExpr(position); };
    AffineExpr c = dim(3 + spatial), k = dim(4 + spatial);
    SmallVector<AffineExpr> column = {dim(0), dim(1), c, k}, result = {dim(0), dim(1), dim(2)};
    for (unsigned at = 0; at < spatial; ++at) {
      column.push_back(dim(3 + at));
      result.push_back(dim(3 + at));
    }
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, op.getContext()); };
    KernelSpec spec;
    spec.kind = "conv";
    spec.inputs = {buildReshape(rewriter, loc, columns, columnSizes),
                   buildReshape(rewriter, loc, adaptor.getW(), Sizes{group, features, channels, kernel})};
    spec.maps = {map(column), map({dim(1), dim(2), c, k})};
    if (adaptor.getB()) {
      spec.inputs.push_back(buildReshape(rewriter, loc, adaptor.getB(), Sizes{group, features}));
      spec.maps.push_back(map({dim(1), dim(2)}));
    }
    spec.maps.push_back(map(result));
    spec.isReduction.assign(loops, false);
    spec.isReduction[3 + spatial] = spec.isReduction[4 + spatial] = true;
    spec.identity = rewriter.getFloatAttr(real, 0.0);
    spec.resultSizes = {extents[0], group, features};
    spec.resultSizes.append(extents.begin() + 2, extents.end());
    spec.resultType = RankedTensorType::get(staticShape(spec.resultSizes), element);
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
      return math::FmaOp::create(b, v[0], toCompute(b, b.getLoc(), v[1], element), sum);
    };
    bool hasBias = adaptor.getB() != nullptr;
    spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
      if (hasBias)
        sum = arith::AddFOp::create(b, sum, toCompute(b, b.getLoc(), v[2], element));
      return toStorage(b, b.getLoc(), sum, element);
    };
    return buildReshape(rewriter, loc, buildKernel(rewriter, loc, spec), extents);
  }
};
} // namespace

void onnx_aot::onnx::populateDeformableConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerDeformConv>(converter, patterns.getContext());
}
