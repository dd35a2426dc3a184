//===- LoopNest.cpp - a structured operation as a strided loop nest -----------------------------------------------===//
#include "dialects/aot/LoopNest.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace onnx_aot::aot;

/// Adds `expr * factor` to the linear form; false where the expression is not linear.
static bool addLinear(AffineExpr expr, int64_t factor, MutableArrayRef<int64_t> strides, int64_t &offset) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    strides[dim.getPosition()] += factor;
    return true;
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += factor * constant.getValue();
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

/// Element strides and offset of a static shaped type; tensors count as dense and row-major. An offset that is only known
/// at run time belongs to the operand: addresses are relative to it.
static bool layoutOf(ShapedType type, SmallVectorImpl<int64_t> &strides, int64_t &offset) {
  if (!type.hasRank() || !type.hasStaticShape())
    return false;
  offset = 0;
  // MLIR has no strides for what is dense and empty.
  if (auto memref = dyn_cast<MemRefType>(type); memref && !memref.getLayout().isIdentity()) {
    if (failed(memref.getStridesAndOffset(strides, offset)))
      return false;
    if (ShapedType::isDynamic(offset))
      offset = 0;
    return llvm::none_of(strides, ShapedType::isDynamic);
  }
  strides.assign(type.getRank(), 1);
  for (int64_t dim = type.getRank() - 2; dim >= 0; --dim)
    strides[dim] = strides[dim + 1] * type.getDimSize(dim + 1);
  return true;
}

static bool makeAccess(Value operand, AffineMap map, Access &access) {
  auto type = dyn_cast<ShapedType>(operand.getType());
  SmallVector<int64_t> layout;
  if (!type || !layoutOf(type, layout, access.offset))
    return false;
  access.operand = operand;
  access.elementType = type.getElementType();
  access.strides.assign(map.getNumDims(), 0);
  for (auto [expr, stride] : llvm::zip(map.getResults(), layout))
    if (!addLinear(expr, stride, access.strides, access.offset))
      return false;
  access.packable = map.isProjectedPermutation(/*allowZeroInResults=*/true) && matchPattern(operand, m_Constant());
  return true;
}

static bool isVectorizable(Region &region, bool &usesIndex) {
  bool result = true;
  for (Operation &op : region.front().without_terminator()) {
    if (isa<linalg::IndexOp>(op)) {
      usesIndex = true;
      continue;
    }
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (op.getNumResults() != 1 || !OpTrait::hasElementwiseMappableTraits(&op) ||
        !VectorType::isValidElementType(op.getResult(0).getType()))
      result = false;
  }
  return result;
}

/// Drops unit dims and merges neighbours (a outer, b inner) where stride[a] == stride[b] * extent[b] for all operands.
static void normalize(LoopNest &nest) {
  auto eachAccess = [&](auto fn) {
    for (Access &access : nest.inputs)
      fn(access);
    fn(nest.output);
  };
  auto erase = [&](unsigned dim) {
    nest.dims.erase(nest.dims.begin() + dim);
    eachAccess([&](Access &access) { access.strides.erase(access.strides.begin() + dim); });
  };
  for (unsigned dim = nest.dims.size(); dim-- > 0;)
    if (nest.dims[dim].extent == 1)
      erase(dim);
  if (nest.usesIndex)
    return;
  for (unsigned dim = nest.dims.size(); dim-- > 1;) {
    LoopDim &outer = nest.dims[dim - 1], &inner = nest.dims[dim];
    bool merges = outer.reduction == inner.reduction;
    eachAccess([&](Access &access) {
      merges &= access.strides[dim - 1] == access.strides[dim] * inner.extent;
    });
    if (!merges)
      continue;
    inner.extent *= outer.extent;
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
  } else {
    return failure();
  }
  SmallVector<int64_t> extents(reduction.size(), -1);
  for (auto [operand, map] : llvm::zip(operands, maps)) {
    Access access;
    if (!makeAccess(operand, map, access))
      return failure();
    for (auto [index, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        extents[dim.getPosition()] = cast<ShapedType>(operand.getType()).getDimSize(index);
    nest.inputs.push_back(access);
  }
  nest.output = nest.inputs.pop_back_val();
  for (auto [index, extent] : llvm::enumerate(extents)) {
    if (extent < 0)
      return failure(); // no operand shows this dim's extent
    nest.dims.push_back({extent, reduction[index], {unsigned(index)}});
  }
  for (auto [index, access] : llvm::enumerate(nest.inputs)) {
    access.inCompute = nest.compute && !nest.compute->front().getArgument(index).use_empty();
    access.inEpilogue = !nest.epilogue->front().getArgument(index).use_empty();
  }
  nest.vectorizable = isVectorizable(*nest.epilogue, nest.usesIndex);
  if (nest.compute)
    nest.vectorizable &= isVectorizable(*nest.compute, nest.usesIndex);
  normalize(nest);
  return nest;
}

bool LoopNest::hasReduction() const {
  return llvm::any_of(dims, [](const LoopDim &dim) { return dim.reduction; });
}

int64_t LoopNest::reductionVolume() const {
  int64_t volume = 1;
  for (const LoopDim &dim : dims)
    if (dim.reduction)
      volume *= dim.extent;
  return volume;
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
  // An fma accumulates through its addend.
  if (isa<math::FmaOp>(last))
    return last->getOperand(2) == accumulator ? last : nullptr;
  bool combines = isa<arith::AddFOp, arith::AddIOp, arith::MulFOp, arith::MulIOp, arith::MaximumFOp, arith::MinimumFOp,
                      arith::MaxNumFOp, arith::MinNumFOp, arith::MaxSIOp, arith::MaxUIOp, arith::MinSIOp,
                      arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(last);
  return combines ? last : nullptr;
}
