//===- LoopNest.cpp - a structured operation as a strided loop nest -----------------------------------------------===//
#include "dialects/aot/LoopNest.h"
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/ShapedOpInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot::aot;

int64_t Amount::estimate() const {
  int64_t result = factor;
  for (size_t i = 0; i < symbols.size(); ++i)
    if (llvm::MulOverflow(result, kTypical, result))
      return std::numeric_limits<int64_t>::max() / kTypical;
  return result;
}

Amount Amount::operator*(const Amount &other) const {
  Amount product(factor * other.factor);
  if (product.factor == 0)
    return product;
  product.symbols = symbols;
  product.symbols.append(other.symbols);
  llvm::sort(product.symbols);
  return product;
}

namespace {
/// Finds the extents of a nest and the strides of its operands.
class Layouts {
public:
  Layouts(LoopNest &nest) : nest(nest) {}

  /// Sees that dim `dim` of the iteration space walks along dim `index` of `operand`.
  void addExtent(std::optional<Amount> &extent, Value operand, int64_t index) {
    Amount size = sizeOf(operand, index);
    if (!extent)
      extent = size;
    else
      equate(*extent, size);
  }

  /// In terms of the symbols that are left when all extents are seen.
  Amount resolve(const Amount &amount) const {
    Amount result(amount.factor);
    for (unsigned symbol : amount.symbols)
      result = result * (known[symbol] ? resolve(*known[symbol]) : single(symbol));
    return result;
  }

  bool makeAccess(Value operand, AffineMap map, Access &access) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (!type || !type.hasRank())
      return false;
    access.offset = offsetOf(type);
    access.operand = operand;
    access.elementType = type.getElementType();
    access.strides.assign(map.getNumDims(), 0);
    for (auto [expr, stride] : llvm::zip(map.getResults(), stridesOf(operand)))
      if (!addPanel(expr, resolve(stride), access) && !addLinear(expr, resolve(stride), access.strides, access.offset))
        return false;
    // A place in a panel without the panel's number would be another function, and so would a panel's number without a
    // place: it is not the same for all points of a dim that the operand does not move along.
    if (access.panelDim >= 0 &&
        (access.panelStride.is(0) || access.strides[access.panelDim].is(0) ||
         !access.strides[access.panelDim].isStatic() || !access.panelStride.isMultipleOf(access.panel)))
      return false;
    access.packable = map.isProjectedPermutation(/*allowZeroInResults=*/true) && matchPattern(operand, m_Constant());
    return true;
  }

private:
  static Amount single(unsigned symbol) {
    Amount amount(1);
    amount.symbols.push_back(symbol);
    return amount;
  }

  Amount intern(Symbol symbol) {
    for (auto [index, other] : llvm::enumerate(nest.symbols))
      if (other.kind == symbol.kind && other.value == symbol.value && other.dim == symbol.dim &&
          other.left == symbol.left && other.right == symbol.right)
        return single(index);
    nest.symbols.push_back(symbol);
    known.emplace_back();
    return single(nest.symbols.size() - 1);
  }

  void equate(const Amount &left, const Amount &right) {
    Amount a = resolve(left), b = resolve(right);
    if (a == b)
      return;
    // Sizes are a number or a single symbol, unless they are computed by a product.
    auto isSymbol = [](const Amount &amount) { return amount.factor == 1 && amount.symbols.size() == 1; };
    if (isSymbol(a) && !llvm::is_contained(b.symbols, a.symbols[0]))
      known[a.symbols[0]] = b;
    else if (isSymbol(b) && !llvm::is_contained(a.symbols, b.symbols[0]))
      known[b.symbols[0]] = a;
  }

  /// An index value, taken apart where it is a product.
  Amount amountOf(Value value) {
    if (std::optional<int64_t> constant = getConstantIntValue(value))
      return *constant;
    if (auto product = value.getDefiningOp<arith::MulIOp>())
      return amountOf(product.getLhs()) * amountOf(product.getRhs());
    if (auto dim = value.getDefiningOp<ShapedDimOpInterface>())
      if (std::optional<int64_t> index = getConstantIntValue(dim.getDimension()))
        return sizeOf(dim.getShapedValue(), *index);
    return intern({Symbol::Size, value, -1, {}, {}});
  }

  Amount amountOf(OpFoldResult value) {
    std::optional<int64_t> constant = getConstantIntValue(value);
    return constant ? Amount(*constant) : amountOf(cast<Value>(value));
  }

  /// The extent of a dim, traced back to what made the operand so that equal extents become equal symbols.
  Amount sizeOf(Value operand, int64_t dim) {
    auto type = cast<ShapedType>(operand.getType());
    if (dim >= type.getRank())
      return intern({Symbol::Size, operand, dim, {}, {}});
    if (!type.isDynamicDim(dim))
      return type.getDimSize(dim);
    unsigned index = type.getDynamicDimIndex(dim);
    Operation *op = operand.getDefiningOp();
    if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
      return amountOf(empty.getDynamicSizes()[index]);
    if (auto alloc = dyn_cast_or_null<memref::AllocOp>(op))
      return amountOf(alloc.getDynamicSizes()[index]);
    if (auto view = dyn_cast_or_null<memref::ViewOp>(op))
      return amountOf(view.getSizes()[index]);
    if (auto view = dyn_cast_or_null<memref::ReinterpretCastOp>(op))
      return amountOf(view.getMixedSizes()[dim]);
    if (auto broadcast = dyn_cast_or_null<BroadcastOp>(op))
      return amountOf(broadcast.getMixedSizes()[dim]);
    if (isa_and_nonnull<memref::CastOp, tensor::CastOp>(op))
      if (auto source = dyn_cast<ShapedType>(op->getOperand(0).getType()); source.hasRank())
        return sizeOf(op->getOperand(0), dim);
    if (auto styled = dyn_cast_or_null<DestinationStyleOpInterface>(op); styled && isa<TensorType>(type))
      return sizeOf(styled.getTiedOpOperand(cast<OpResult>(operand))->get(), dim);
    return intern({Symbol::Size, operand, dim, {}, {}});
  }

  static Amount offsetOf(ShapedType type) {
    auto memref = dyn_cast<MemRefType>(type);
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    // One that is only known at run time belongs to the operand: addresses are relative to it.
    if (!memref || memref.getLayout().isIdentity() || failed(memref.getStridesAndOffset(strides, offset)) ||
        ShapedType::isDynamic(offset))
      return 0;
    return offset;
  }

  /// The stride of each dim of the operand; tensors count as dense and row-major.
  SmallVector<Amount> stridesOf(Value operand) {
    auto type = cast<ShapedType>(operand.getType());
    SmallVector<Amount> strides(type.getRank(), 1);
    auto memref = dyn_cast<MemRefType>(type);
    // MLIR has no strides for what is dense and empty.
    if (!memref || memref.getLayout().isIdentity()) {
      for (int64_t dim = type.getRank() - 2; dim >= 0; --dim)
        strides[dim] = strides[dim + 1] * resolve(sizeOf(operand, dim + 1));
      return strides;
    }
    SmallVector<int64_t> known;
    int64_t offset;
    if (failed(memref.getStridesAndOffset(known, offset)))
      known.assign(type.getRank(), ShapedType::kDynamic);
    for (auto [dim, stride] : llvm::enumerate(known))
      strides[dim] = ShapedType::isDynamic(stride) ? dynamicStride(operand, dim) : Amount(stride);
    return strides;
  }

  Amount dynamicStride(Value operand, unsigned dim) {
    Operation *op = operand.getDefiningOp();
    if (auto view = dyn_cast_or_null<memref::ReinterpretCastOp>(op)) {
      OpFoldResult stride = view.getMixedStrides()[dim];
      auto value = dyn_cast<Value>(stride);
      bool isChoice = value && value.getDefiningOp() && !value.getDefiningOp<arith::MulIOp>() &&
                      !value.getDefiningOp<ShapedDimOpInterface>() && !getConstantIntValue(value);
      return isChoice ? intern({Symbol::Stride, value, -1, {}, {}}) : amountOf(stride);
    }
    if (auto view = dyn_cast_or_null<memref::SubViewOp>(op)) {
      // Dim `dim` of the view is the one of the source that has as many kept ones before it.
      llvm::SmallBitVector dropped = view.getDroppedDims();
      SmallVector<Amount> strides = stridesOf(view.getSource());
      for (auto [source, kept] = std::pair<unsigned, unsigned>(0, 0); source < strides.size(); ++source)
        if (!dropped.test(source) && kept++ == dim)
          return strides[source] * amountOf(view.getMixedStrides()[source]);
    }
    if (auto cast = dyn_cast_or_null<memref::CastOp>(op); cast && isa<MemRefType>(cast.getSource().getType()))
      return stridesOf(cast.getSource())[dim];
    return intern({Symbol::Stride, operand, dim, {}, {}});
  }

  Amount sum(const Amount &left, const Amount &right) {
    if (left.is(0))
      return right;
    if (right.is(0))
      return left;
    if (left.symbols != right.symbols)
      return intern({Symbol::Sum, Value(), -1, left, right});
    Amount result = left;
    result.factor += right.factor;
    return result.factor == 0 ? Amount(0) : result;
  }

  /// Takes d floordiv P, the number of a panel, and d mod P, the place in it; false where `expr` is neither.
  static bool addPanel(AffineExpr expr, const Amount &factor, Access &access) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary)
      return false;
    auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
    auto panel = dyn_cast<AffineConstantExpr>(binary.getRHS());
    bool isNumber = binary.getKind() == AffineExprKind::FloorDiv;
    if (!dim || !panel || (!isNumber && binary.getKind() != AffineExprKind::Mod))
      return false;
    bool isAnother =
        access.panelDim >= 0 && (access.panelDim != int(dim.getPosition()) || access.panel != panel.getValue());
    if (isAnother)
      return false;
    access.panelDim = dim.getPosition();
    access.panel = panel.getValue();
    (isNumber ? access.panelStride : access.strides[dim.getPosition()]) = factor;
    return true;
  }

  /// Adds `expr * factor` to the linear form; false where the expression is not linear.
  bool addLinear(AffineExpr expr, const Amount &factor, MutableArrayRef<Amount> strides, Amount &offset) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      strides[dim.getPosition()] = sum(strides[dim.getPosition()], factor);
      return true;
    }
    if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
      offset = sum(offset, factor * constant.getValue());
      return true;
    }
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary)
      return false;
    if (binary.getKind() == AffineExprKind::Add)
      return addLinear(binary.getLHS(), factor, strides, offset) && addLinear(binary.getRHS(), factor, strides, offset);
    auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
    return binary.getKind() == AffineExprKind::Mul && constant &&
           addLinear(binary.getLHS(), factor * constant.getValue(), strides, offset);
  }

  LoopNest &nest;
  SmallVector<std::optional<Amount>> known; // per symbol: what it was found to equal
};
} // namespace

static bool isVectorizable(Region &region, bool &usesIndex) {
  bool result = true;
  for (Operation &op : region.front().without_terminator()) {
    if (isa<linalg::IndexOp>(op)) {
      usesIndex = true;
      continue;
    }
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (isa<DotOp>(op))
      continue;
    if (op.getNumResults() != 1 || !OpTrait::hasElementwiseMappableTraits(&op) ||
        !VectorType::isValidElementType(op.getResult(0).getType()))
      result = false;
  }
  return result;
}

/// Drops unit dims and merges neighbours (a outer, b inner) where stride[a] == stride[b] * extent[b] for all operands.
static void normalize(LoopNest &nest, int64_t dot) {
  auto eachAccess = [&](auto fn) {
    for (Access &access : nest.inputs)
      fn(access);
    fn(nest.output);
  };
  auto erase = [&](unsigned dim) {
    nest.dims.erase(nest.dims.begin() + dim);
    eachAccess([&](Access &access) {
      access.strides.erase(access.strides.begin() + dim);
      if (access.panelDim == int(dim))
        access.panelDim = -1;
      else if (access.panelDim > int(dim))
        --access.panelDim;
    });
  };
  for (unsigned dim = nest.dims.size(); dim-- > 0;)
    if (nest.dims[dim].extent.is(1))
      erase(dim);
  if (nest.usesIndex)
    return;
  for (unsigned dim = nest.dims.size(); dim-- > 1;) {
    LoopDim &outer = nest.dims[dim - 1], &inner = nest.dims[dim];
    bool merges = outer.reduction == inner.reduction && !llvm::is_contained(inner.original, dot);
    eachAccess([&](Access &access) {
      bool isInPanels = access.panelDim == int(dim) || access.panelDim == int(dim) - 1;
      merges &= !isInPanels && access.strides[dim - 1] == access.strides[dim] * inner.extent;
    });
    if (!merges)
      continue;
    inner.extent = inner.extent * outer.extent;
    inner.original.insert(inner.original.begin(), outer.original.begin(), outer.original.end());
    erase(dim - 1);
  }
}

FailureOr<LoopNest> LoopNest::of(Operation *op) {
  LoopNest nest;
  SmallVector<AffineMap> maps;
  SmallVector<bool> reduction;
  SmallVector<Value> operands(op->getOperands());
  if (auto kernel = dyn_cast<KernelOp>(op)) {
    for (unsigned i = 0; i < operands.size(); ++i)
      maps.push_back(kernel.getMap(i));
    for (unsigned i = 0; i < kernel.getNumLoops(); ++i)
      reduction.push_back(kernel.isReduction(i));
    nest.compute = &kernel.getCompute();
    nest.epilogue = &kernel.getEpilogue();
    nest.identity = kernel.getIdentity();
  } else if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    bool readsOutput = llvm::any_of(generic.getRegionOutputArgs(), [](Value arg) { return !arg.use_empty(); });
    if (generic.getNumDpsInits() != 1 || generic.getNumReductionLoops() != 0 || readsOutput)
      return failure();
    maps = generic.getIndexingMapsArray();
    reduction.assign(generic.getNumLoops(), false);
    nest.epilogue = &generic.getRegion();
  } else if (auto rows = dyn_cast<RowsOp>(op)) {
    llvm::append_range(maps, rows.getIndexingMaps().getAsValueRange<AffineMapAttr>());
    reduction.assign(rows.getNumLoops(), false);
    std::fill_n(reduction.rbegin(), rows.getReduced(), true);
    nest.epilogue = &rows.getBody();
  } else if (auto attention = dyn_cast<AttentionOp>(op)) {
    llvm::append_range(maps, attention.getIndexingMaps().getAsValueRange<AffineMapAttr>());
    reduction.assign(attention.getNumLoops(), false);
    reduction[attention.dimOfKey()] = reduction[attention.dimOfDepth()] = true;
    nest.compute = &attention.getScores();
    nest.epilogue = &attention.getFinish();
    // Positions are those of the operation's dims, and each of the last four has a part of its own.
    nest.usesIndex = true;
  } else {
    return failure();
  }
  SmallVector<std::optional<Amount>> extents(reduction.size());
  Layouts layouts(nest);
  for (auto [operand, map] : llvm::zip(operands, maps)) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (!type || !type.hasRank())
      return failure();
    for (auto [index, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        layouts.addExtent(extents[dim.getPosition()], operand, index);
  }
  for (auto [operand, map] : llvm::zip(operands, maps)) {
    Access access;
    if (!layouts.makeAccess(operand, map, access))
      return failure();
    nest.inputs.push_back(access);
  }
  nest.output = nest.inputs.pop_back_val();
  for (auto [index, extent] : llvm::enumerate(extents)) {
    if (!extent)
      return failure(); // no operand shows this dim's extent
    nest.dims.push_back({layouts.resolve(*extent), reduction[index], {unsigned(index)}});
  }
  for (auto [index, access] : llvm::enumerate(nest.inputs)) {
    access.inCompute = nest.compute && !nest.compute->front().getArgument(index).use_empty();
    access.inEpilogue = !nest.epilogue->front().getArgument(index).use_empty();
  }
  nest.vectorizable = isVectorizable(*nest.epilogue, nest.usesIndex);
  if (nest.compute)
    nest.vectorizable &= isVectorizable(*nest.compute, nest.usesIndex);
  bool hasDot = nest.compute && !nest.compute->getOps<DotOp>().empty();
  int64_t dot = hasDot ? int64_t(reduction.size()) - 1 : -1;
  normalize(nest, dot);
  nest.dot = nest.dimOf(dot);
  return nest;
}

bool LoopNest::hasReduction() const {
  return llvm::any_of(dims, [](const LoopDim &dim) { return dim.reduction; });
}

int64_t LoopNest::reductionVolume() const {
  Amount volume = 1;
  for (const LoopDim &dim : dims)
    if (dim.reduction)
      volume = volume * dim.extent;
  return volume.estimate();
}

bool LoopNest::slidesWindow(int vector) const {
  if (vector < 0 || dims[vector].reduction || !hasReduction())
    return false;
  bool isSmall = llvm::all_of(dims, [](const LoopDim &dim) {
    return !dim.reduction || (dim.extent.isStatic() && dim.extent.factor <= kMostTaps);
  });
  return isSmall &&
         llvm::all_of(inputs, [&](const Access &access) { return !access.inCompute || !access.strides[vector].is(0); });
}

bool LoopNest::mayBeUnit(const Amount &stride) const {
  return stride.factor == 1 && stride.symbols.size() == 1 && symbols[stride.symbols[0]].kind == Symbol::Stride;
}

int LoopNest::dimOf(int64_t original) const {
  for (auto [index, dim] : llvm::enumerate(dims))
    if (llvm::is_contained(dim.original, unsigned(original)))
      return index;
  return -1;
}

Operation *LoopNest::combiner() const {
  if (!compute)
    return nullptr;
  Block &block = compute->front();
  Value accumulator = block.getArguments().back();
  Operation *last = block.getTerminator()->getOperand(0).getDefiningOp();
  if (!last || !accumulator.hasOneUse() || *accumulator.user_begin() != last)
    return nullptr;
  if (auto dot = dyn_cast<DotOp>(last))
    return dot.getSum() == accumulator ? last : nullptr;
  // An fma accumulates through its addend.
  if (isa<math::FmaOp>(last))
    return last->getOperand(2) == accumulator ? last : nullptr;
  bool combines = isa<arith::AddFOp, arith::AddIOp, arith::MulFOp, arith::MulIOp, arith::MaximumFOp, arith::MinimumFOp,
                      arith::MaxNumFOp, arith::MinNumFOp, arith::MaxSIOp, arith::MaxUIOp, arith::MinSIOp,
                      arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(last);
  return combines ? last : nullptr;
}
