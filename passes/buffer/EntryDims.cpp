//===- EntryDims.cpp - what the caller can know about the dims of a result ----------------------------------------===//
//
// See EntryDims.h.
//
// 1. tensor.dim of every open dim of the results is rewritten by what MLIR's operations say about the shapes of their
//    results, until it is arithmetic or nothing more is known.
// 2. A value whose backward slice ends in dims of the entry is of dims.
// 3. For others the integer ranges of the values tell how large they can be.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/EntryDims.h"
#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace onnx_aot;

SmallVector<BlockArgument> onnx_aot::dimArguments(func::FuncOp entry) {
  SmallVector<BlockArgument> dims;
  for (BlockArgument argument : entry.getArguments())
    if (entry.getArgAttr(argument.getArgNumber(), "aot.dim"))
      dims.push_back(argument);
  return dims;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Values that are made from dims
//===--------------------------------------------------------------------------------------------------------------===//

static bool isDimArgument(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto entry = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
  return entry && entry.getArgAttr(argument.getArgNumber(), "aot.dim");
}

static bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::CeilDivSIOp, arith::CeilDivUIOp, arith::FloorDivSIOp,
             arith::RemSIOp, arith::RemUIOp>(op);
}

static bool isOfDims(Value value, DenseMap<Value, bool> &known) {
  if (!value.getType().isIntOrIndex())
    return false;
  if (isa<BlockArgument>(value))
    return isDimArgument(value);
  if (auto it = known.find(value); it != known.end())
    return it->second;
  Operation *op = value.getDefiningOp();
  bool holds = isa<func::FuncOp>(op->getParentOp()) && op->getNumRegions() == 0 && isMemoryEffectFree(op) &&
               (isSpeculatable(op) || isDivision(op)) &&
               llvm::all_of(op->getOperands(), [&](Value operand) { return isOfDims(operand, known); });
  known[value] = holds;
  return holds;
}

bool onnx_aot::isOfDims(Value value) {
  DenseMap<Value, bool> known;
  return ::isOfDims(value, known);
}

Value onnx_aot::cloneOfDims(OpBuilder &builder, Value value, IRMapping &mapping) {
  if (Value present = mapping.lookupOrNull(value))
    return present;
  Operation *op = value.getDefiningOp();
  for (Value operand : op->getOperands())
    cloneOfDims(builder, operand, mapping);
  Operation *clone = builder.clone(*op, mapping);
  if (isDivision(clone) && !getConstantIntValue(clone->getOperand(1))) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(clone);
    Value divisor = clone->getOperand(1);
    Value one = arith::ConstantOp::create(builder, op->getLoc(), builder.getIntegerAttr(divisor.getType(), 1));
    clone->setOperand(1, arith::MaxSIOp::create(builder, op->getLoc(), divisor, one));
  }
  return mapping.lookup(value);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The dims of the results
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// The dims of an input are arguments.
struct DimOfInput : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto input = dyn_cast<BlockArgument>(op.getSource());
    auto entry = input ? dyn_cast<func::FuncOp>(input.getOwner()->getParentOp()) : func::FuncOp();
    std::optional<int64_t> axis = op.getConstantIndex();
    if (!entry || !axis)
      return rewriter.notifyMatchFailure(op, "not of an input");
    auto names = entry.getArgAttrOfType<ArrayAttr>(input.getArgNumber(), "onnx.dim_names");
    if (!names || *axis >= int64_t(names.size()))
      return rewriter.notifyMatchFailure(op, "the input's dims have no names");
    for (BlockArgument dim : dimArguments(entry))
      if (entry.getArgAttr(dim.getArgNumber(), "aot.dim") == names[*axis]) {
        rewriter.replaceOp(op, dim);
        return success();
      }
    return rewriter.notifyMatchFailure(op, "no argument has the dim's name");
  }
};

/// Knows the bounds of the entry's dims.
class DimRangeAnalysis : public dataflow::IntegerRangeAnalysis {
public:
  using IntegerRangeAnalysis::IntegerRangeAnalysis;
  void setToEntryState(dataflow::IntegerValueRangeLattice *lattice) override {
    Value value = lattice->getAnchor();
    if (!isDimArgument(value))
      return IntegerRangeAnalysis::setToEntryState(lattice);
    auto argument = cast<BlockArgument>(value);
    auto entry = cast<func::FuncOp>(argument.getOwner()->getParentOp());
    auto bounds = entry.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), "aot.bounds");
    APInt low(64, bounds ? std::max<int64_t>(bounds[0], 0) : 0), high(64, bounds ? bounds[1] : INT64_MAX);
    propagateIfChanged(lattice, lattice->join(IntegerValueRange(ConstantIntRanges::fromSigned(low, high))));
  }
};
} // namespace

static void rewriteDims(func::FuncOp entry) {
  MLIRContext *context = entry.getContext();
  RewritePatternSet patterns(context);
  patterns.add<DimOfInput>(context);
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  memref::populateResolveShapedTypeResultDimsPatterns(patterns);
  scf::populateSCFForLoopCanonicalizationPatterns(patterns);
  tensor::DimOp::getCanonicalizationPatterns(patterns, context);
  affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
  (void)applyPatternsGreedily(entry, std::move(patterns));
}

/// An upper bound of each value, kNoBound where there is none.
static SmallVector<int64_t> upperBounds(func::FuncOp entry, ArrayRef<OpFoldResult> dims, DataFlowSolver &solver) {
  SmallVector<int64_t> bounds;
  for (OpFoldResult dim : dims) {
    bounds.push_back(kNoBound);
    if (std::optional<int64_t> constant = getConstantIntValue(dim)) {
      bounds.back() = *constant;
      continue;
    }
    auto *state = solver.lookupState<dataflow::IntegerValueRangeLattice>(cast<Value>(dim));
    if (!state || state->getValue().isUninitialized())
      continue;
    int64_t high = state->getValue().getValue().smax().getSExtValue();
    // Beyond 31 bits nobody meant it: the range is that of arithmetic on an unbounded dim.
    if (high < std::numeric_limits<int32_t>::max())
      bounds.back() = std::max<int64_t>(high, 0);
  }
  return bounds;
}

static ResultDims::Kind sortOf(const ResultDims &result) {
  bool allOfDims = true, allBounded = true, isStatic = true;
  for (auto [dim, bound] : llvm::zip(result.dims, result.max)) {
    auto value = dyn_cast<Value>(dim);
    bool isConstant = getConstantIntValue(dim).has_value();
    isStatic &= isConstant;
    allOfDims &= isConstant || isOfDims(value);
    allBounded &= bound != kNoBound;
  }
  return isStatic     ? ResultDims::Kind::Static
         : allOfDims  ? ResultDims::Kind::OfDims
         : allBounded ? ResultDims::Kind::Bounded
                      : ResultDims::Kind::Open;
}

SmallVector<ResultDims> onnx_aot::resolveResultDims(func::FuncOp entry) {
  auto terminator = cast<func::ReturnOp>(entry.getBody().back().getTerminator());
  SmallVector<ResultDims> results(terminator.getNumOperands());
  SmallVector<RankedTensorType> types;
  for (Value operand : terminator.getOperands())
    types.push_back(cast<RankedTensorType>(operand.getType()));
  if (llvm::all_of(types, [](RankedTensorType type) { return type.hasStaticShape(); })) {
    for (auto [result, type] : llvm::zip(results, types))
      result.max.assign(type.getShape().begin(), type.getShape().end());
    return results;
  }

  // The dims ride on the terminator while they are rewritten, so that they survive it.
  OpBuilder builder(terminator);
  SmallVector<Value> carried(terminator.getOperands());
  for (Value operand : terminator.getOperands()) {
    auto type = cast<RankedTensorType>(operand.getType());
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      if (type.isDynamicDim(axis))
        carried.push_back(tensor::DimOp::create(builder, terminator.getLoc(), operand, axis));
  }
  terminator->setOperands(carried);
  rewriteDims(entry);

  DataFlowSolver solver;
  solver.load<dataflow::DeadCodeAnalysis>();
  solver.load<dataflow::SparseConstantPropagation>();
  solver.load<DimRangeAnalysis>();
  bool isSolved = succeeded(solver.initializeAndRun(entry));

  unsigned next = results.size();
  for (auto [result, type] : llvm::zip(results, types)) {
    for (int64_t axis = 0; axis < type.getRank(); ++axis)
      result.dims.push_back(type.isDynamicDim(axis) ? getAsOpFoldResult(terminator.getOperand(next++))
                                                    : OpFoldResult(builder.getIndexAttr(type.getDimSize(axis))));
    if (isSolved)
      result.max = upperBounds(entry, result.dims, solver);
    else
      result.max.assign(type.getRank(), kNoBound);
    result.kind = sortOf(result);
  }
  terminator->setOperands(ValueRange(terminator.getOperands()).take_front(results.size()));
  return results;
}
