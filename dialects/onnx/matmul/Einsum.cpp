//===- Einsum.cpp - sums of products by an equation ---------------------------------------------------------------===//
//
// Each label of the equation is an iteration dim, those of the result first; every term is the indexing map of its
// input, so that transposition, diagonals and broadcasting move no data:
//
//   "bii,ij->bj"   (b, j, i): x[b, i, i] * y[i, j]
//
// With labels that the result lacks it is an aot.kernel "matmul", otherwise a linalg.generic.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/EinsumEquation.h"
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/matmul/MatmulMaps.h"
#include "dialects/onnx/support/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- The equation ----------------------------------------------------------------------------------------------===//

/// The labels of one term, an ellipsis standing for `ellipsis` dims; fails where the term is not well formed.
static FailureOr<EinsumEquation::Labels> parseTerm(Operation *op, StringRef text, int64_t ellipsis) {
  EinsumEquation::Labels labels;
  bool hasEllipsis = false;
  while (!text.empty()) {
    if (text.consume_front("...")) {
      if (hasEllipsis) // (C2)
        return op->emitOpError("the equation has a term with two ellipses");
      hasEllipsis = true;
      for (int64_t dim = ellipsis; dim > 0; --dim)
        labels.push_back(-dim);
      continue;
    }
    if (!llvm::isAlpha(text.front())) // (C2)
      return op->emitOpError("the equation has the character '") << text.take_front(1) << "'";
    labels.push_back(text.front());
    text = text.drop_front();
  }
  return labels;
}

FailureOr<EinsumEquation> EinsumEquation::parse(Operation *op, StringRef text, ArrayRef<int64_t> ranks) {
  std::string compact;
  llvm::copy_if(text, std::back_inserter(compact), [](char c) { return c != ' '; });
  StringRef left = compact, right;
  size_t arrow = left.find("->");
  bool isExplicit = arrow != StringRef::npos;
  if (isExplicit) {
    right = left.drop_front(arrow + 2);
    left = left.take_front(arrow);
  }
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != ranks.size()) // (C3)
    return op->emitOpError("the equation has ") << texts.size() << " terms for " << ranks.size() << " inputs";
  EinsumEquation equation;
  int64_t widest = 0;
  std::map<int, int> uses;
  for (auto [term, rank] : llvm::zip(texts, ranks)) {
    FailureOr<Labels> letters = parseTerm(op, term, 0);
    if (failed(letters))
      return failure();
    int64_t ellipsis = rank - int64_t(letters->size());
    bool hasEllipsis = term.contains("...");
    if (ellipsis < 0 || (ellipsis > 0 && !hasEllipsis)) // (C3)
      return op->emitOpError("the term \"") << term << "\" does not fit an input of rank " << rank;
    equation.terms.push_back(*parseTerm(op, term, ellipsis));
    widest = std::max(widest, ellipsis);
    for (int label : *letters)
      ++uses[label];
  }
  if (!isExplicit) {
    // The dims of the ellipsis, then the labels that occur once, in alphabetical order.
    for (int64_t dim = widest; dim > 0; --dim)
      equation.result.push_back(-dim);
    for (auto [label, count] : uses)
      if (count == 1)
        equation.result.push_back(label);
    return equation;
  }
  FailureOr<Labels> result = parseTerm(op, right, widest);
  if (failed(result))
    return failure();
  if (widest > 0 && !right.contains("...")) // (C2)
    return op->emitOpError("the equation's result lacks the ellipsis of its terms");
  for (size_t index = 0; index < result->size(); ++index) {
    int label = (*result)[index];
    if (label > 0 && !uses.count(label)) // (C2)
      return op->emitOpError("the equation's result has the label '") << char(label) << "', which no term has";
    if (llvm::is_contained(ArrayRef(*result).drop_front(index + 1), label)) // (C2)
      return op->emitOpError("the equation's result has the label '") << char(label) << "' twice";
  }
  equation.result = *result;
  return equation;
}

/// The extent that each label's dims broadcast to.
static FailureOr<std::map<int, Dim>> labelExtents(Operation *op, const EinsumEquation &equation,
                                                  ArrayRef<Shape> shapes) {
  std::map<int, Dim> extents;
  for (auto [shape, term] : llvm::zip(shapes, equation.terms))
    for (auto [label, dim] : llvm::zip(term, shape)) {
      auto [entry, isNew] = extents.try_emplace(label, dim);
      Dim &known = entry->second;
      if (known.isKnown() && dim.isKnown() && !known.is(1) && !dim.is(1) && known.get() != dim.get()) { // (C4)
        op->emitOpError("a label has the extents ") << known.get() << " and " << dim.get();
        return failure();
      }
      known = isNew ? dim : Dim::broadcast(known, dim);
    }
  return extents;
}

LogicalResult EinsumOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (getInputs().empty()) // (C1)
    return emitOpError("there is no input");
  Type elementType = ctx.elementType(getInputs().front());
  SmallVector<int64_t> ranks;
  for (Value input : getInputs()) {
    if (ctx.elementType(input) != elementType) // (C1)
      return emitOpError("the inputs' element types differ");
    if (std::optional<Shape> shape = ctx.shape(input))
      ranks.push_back(shape->size());
  }
  if (ranks.size() != getInputs().size()) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<EinsumEquation> equation = EinsumEquation::parse(*this, getEquation(), ranks);
  if (failed(equation))
    return failure();
  SmallVector<Shape> shapes = llvm::map_to_vector(getInputs(), [&](Value input) { return *ctx.shape(input); });
  FailureOr<std::map<int, Dim>> extents = labelExtents(*this, *equation, shapes);
  if (failed(extents))
    return failure();
  Shape dims;
  for (int label : equation->result)
    dims.push_back((*extents)[label]);
  results.emplace_back(elementType, dims);
  return success();
}

//===-- Lowering --------------------------------------------------------------------------------------------------===//

namespace {
struct LowerEinsum : OnnxLowering<EinsumOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(EinsumOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    SmallVector<int64_t> ranks;
    for (Value input : op.getInputs())
      ranks.push_back(type(input).getRank());
    FailureOr<EinsumEquation> equation = EinsumEquation::parse(op, op.getEquation(), ranks);
    if (failed(equation))
      return failure();
    SmallVector<Shape> shapes = llvm::map_to_vector(op.getInputs(), [&](Value input) { return shape(input); });
    FailureOr<std::map<int, Dim>> extents = labelExtents(op, *equation, shapes);
    if (failed(extents))
      return failure();
    std::map<int, unsigned> dims;
    for (int label : equation->result)
      dims.try_emplace(label, dims.size());
    unsigned parallel = dims.size();
    // A sum over one element is none.
    for (auto [label, extent] : *extents)
      if (!extent.is(1))
        dims.try_emplace(label, dims.size());
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (auto [input, own, term] : llvm::zip(adaptor.getInputs(), shapes, equation->terms)) {
      Shape full;
      SmallVector<OpFoldResult> fullSizes;
      for (int label : term) {
        full.push_back((*extents)[label]);
        FailureOr<OpFoldResult> size = lowerSize(getTypeConverter(), rewriter, op, full.back());
        if (failed(size))
          return failure();
        fullSizes.push_back(*size);
      }
      inputs.push_back(alignTo(rewriter, op.getLoc(), input, own, full, fullSizes));
      SmallVector<AffineExpr> exprs;
      for (auto [label, extent] : llvm::zip(term, own))
        exprs.push_back(extent.is(1) ? getAffineConstantExpr(0, context) : getAffineDimExpr(dims[label], context));
      maps.push_back(AffineMap::get(dims.size(), 0, exprs, context));
    }
    SmallVector<AffineExpr> result;
    for (unsigned dim = 0; dim < parallel; ++dim)
      result.push_back(getAffineDimExpr(dim, context));
    maps.push_back(AffineMap::get(dims.size(), 0, result, context));
    Type element = type(op.getOutput()).getElementType();
    FailureOr<SmallVector<OpFoldResult>> resultSizes = sizes(rewriter, op, op.getOutput());
    if (failed(resultSizes))
      return failure();
    Value made = dims.size() == parallel ? buildProducts(rewriter, op.getLoc(), inputs, maps, *resultSizes, element)
                                         : buildSums(rewriter, op.getLoc(), inputs, maps, *resultSizes, element);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), made, stored(op.getOutput())));
    return success();
  }

  static Value product(ImplicitLocOpBuilder &b, ValueRange elements, Type element) {
    Value result;
    for (Value stored : elements) {
      Value value = toCompute(b, b.getLoc(), stored, element);
      if (!result)
        result = value;
      else if (isa<FloatType>(value.getType()))
        result = arith::MulFOp::create(b, result, value);
      else
        result = arith::MulIOp::create(b, result, value);
    }
    return result;
  }

  static Value buildProducts(OpBuilder &builder, Location loc, ValueRange inputs, ArrayRef<AffineMap> maps,
                             ArrayRef<OpFoldResult> sizes, Type element) {
    SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
    Value empty = emptyTensor(builder, loc, sizes, storageType(element));
    return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                     [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                       ImplicitLocOpBuilder b(bodyLoc, nested);
                                       Value value = product(b, elements.drop_back(), element);
                                       linalg::YieldOp::create(b, toStorage(b, bodyLoc, value, element));
                                     })
        .getResult(0);
  }

  static Value buildSums(OpBuilder &builder, Location loc, ArrayRef<Value> inputs, ArrayRef<AffineMap> maps,
                         ArrayRef<OpFoldResult> sizes, Type element) {
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs.assign(inputs.begin(), inputs.end());
    spec.maps.assign(maps.begin(), maps.end());
    spec.isReduction.assign(maps.front().getNumDims(), true);
    std::fill_n(spec.isReduction.begin(), sizes.size(), false);
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(computeType(element)));
    spec.resultType = RankedTensorType::get(staticShape(sizes), storageType(element));
    spec.resultSizes.assign(sizes.begin(), sizes.end());
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      bool isFloat = isa<FloatType>(sum.getType());
      if (isFloat && x.size() > 1)
        return math::FmaOp::create(b, product(b, x.drop_back(), element), product(b, x.back(), element), sum);
      Value term = product(b, x, element);
      return isFloat ? Value(arith::AddFOp::create(b, sum, term)) : Value(arith::AddIOp::create(b, sum, term));
    };
    spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange, Value sum) {
      return toStorage(b, b.getLoc(), sum, element);
    };
    return buildKernel(builder, loc, spec);
  }
};
} // namespace

void onnx_aot::onnx::populateEinsumToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerEinsum>(converter, patterns.getContext());
}
