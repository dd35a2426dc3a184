//===- SplitMaxima.cpp - maxima over windows, one axis after the other --------------------------------------------===//
//
// The maximum over a window is the maximum over its columns of the maxima over its rows, and neighbouring windows share
// these. Where that is less than half of the work, the kernel becomes two: 5x5 takes 10 maxima for 25. It is exact, and
// a NaN gets through both.
//
//   %y = aot.kernel "pool" maximum over (ky, kx)
//
//   %r = aot.kernel "pool" maximum over kx, for all rows of the data
//   %y = aot.kernel "pool" maximum over ky of %r, and the epilogue
//
// Before: kernels have their layouts, prologues and epilogues.  After: no large window is a maximum in two axes.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_SPLITMAXIMA
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
/// A maximum over two axes of its data, the first of its inputs.
class Maximum {
public:
  explicit Maximum(aot::KernelOp kernel) : kernel(kernel), extents(kernel.getStaticExtents()) {}

  /// Whether it is one that can be split, with a gain.
  bool matches() {
    for (auto [dim, extent] : llvm::enumerate(extents)) {
      if (ShapedType::isDynamic(extent))
        return false;
      if (kernel.isReduction(dim))
        taps.push_back(dim);
    }
    return kernel.getKind() == "pool" && kernel->getNumResults() == 1 && taps.size() == 2 && isMaximum() &&
           readsNothingElse() && findRows() && pays();
  }

  void split() {
    OpBuilder builder(kernel);
    AffineMap data = kernel.getMap(0), result = kernel.getMap(kernel.getInputs().size());
    auto type = cast<RankedTensorType>(kernel.getInit().getType());
    SmallVector<int64_t> shape(type.getShape());
    unsigned rowsOfResult = *result.getResultPosition(builder.getAffineDimExpr(row));
    shape[rowsOfResult] = rowsOfData;

    // Along the columns: all rows of the data.
    SmallVector<AffineExpr> reads(data.getResults()), readsAgain(result.getResults());
    readsAgain[rowsOfResult] = reads[rowsRead];
    reads[rowsRead] = builder.getAffineDimExpr(row);
    Type element = getElementTypeOrSelf(kernel.getInputs().front().getType());
    Value columns = create(builder, taps[1], kernel.getInputs().front(),
                           tensor::EmptyOp::create(builder, kernel.getLoc(), shape, element), data, reads,
                           /*isLast=*/false);
    Value all = create(builder, taps[0], columns, kernel.getInit(), data, readsAgain, /*isLast=*/true);
    kernel.getResults().front().replaceAllUsesWith(all);
    kernel.erase();
  }

private:
  bool isMaximum() {
    Block &block = kernel.getCompute().front();
    auto maximum = dyn_cast<arith::MaximumFOp>(block.front());
    Value element = block.getArgument(0), accumulator = block.getArguments().back();
    return maximum && maximum->getNextNode() == block.getTerminator() &&
           block.getTerminator()->getOperand(0) == maximum.getResult() && element.getType() == accumulator.getType() &&
           ((maximum.getLhs() == element && maximum.getRhs() == accumulator) ||
            (maximum.getLhs() == accumulator && maximum.getRhs() == element)) &&
           kernel.getEpilogue().front().getArgument(0).use_empty();
  }

  bool dependsOnTaps(AffineMap map) const {
    return llvm::any_of(taps, [&](unsigned dim) { return map.isFunctionOfDim(dim); });
  }

  /// Another input that depends on the window only tells its extents.
  bool readsNothingElse() {
    for (unsigned input = 1; input < kernel.getInputs().size(); ++input)
      if (dependsOnTaps(kernel.getMap(input)) && !kernel.getEpilogue().front().getArgument(input).use_empty())
        return false;
    return kernel.getMap(kernel.getInputs().size()).isProjectedPermutation();
  }

  /// The parallel dim that walks the data's rows, and where the data is read by it: nowhere else, and not by columns.
  bool findRows() {
    AffineMap data = kernel.getMap(0);
    std::optional<unsigned> found;
    for (auto [index, expr] : llvm::enumerate(data.getResults())) {
      if (!expr.isFunctionOfDim(taps[0]))
        continue;
      if (found || expr.isFunctionOfDim(taps[1]))
        return false;
      found = index;
    }
    if (!found)
      return false;
    rowsRead = *found;
    std::optional<unsigned> walks;
    for (unsigned dim = 0; dim < extents.size(); ++dim)
      if (!kernel.isReduction(dim) && data.getResult(rowsRead).isFunctionOfDim(dim)) {
        if (walks)
          return false;
        walks = dim;
      }
    if (!walks)
      return false;
    row = *walks;
    auto isElsewhere = [&](auto indexed) {
      return indexed.index() != rowsRead && indexed.value().isFunctionOfDim(row);
    };
    rowsOfData = cast<RankedTensorType>(kernel.getInputs().front().getType()).getDimSize(rowsRead);
    return !ShapedType::isDynamic(rowsOfData) && llvm::none_of(llvm::enumerate(data.getResults()), isElsewhere);
  }

  /// By the maxima for one column of results.
  bool pays() const {
    int64_t direct = extents[row] * extents[taps[0]] * extents[taps[1]];
    return 2 * (rowsOfData * extents[taps[1]] + extents[row] * extents[taps[0]]) <= direct;
  }

  /// The maximum of `data` along the window's dim `tap` alone.
  Value create(OpBuilder &builder, unsigned tap, Value data, Value init, AffineMap dims, ArrayRef<AffineExpr> reads,
               bool isLast) {
    Location loc = kernel.getLoc();
    // Dims without the other one of the window.
    SmallVector<AffineExpr> renumbered;
    SmallVector<Attribute> iterators;
    unsigned left = dims.getNumDims() - 1;
    for (unsigned dim = 0; dim < dims.getNumDims(); ++dim) {
      bool isKept = !kernel.isReduction(dim) || dim == tap;
      renumbered.push_back(isKept ? builder.getAffineDimExpr(iterators.size()) : builder.getAffineConstantExpr(0));
      if (isKept)
        iterators.push_back(kernel.getIteratorTypes()[dim]);
    }
    auto renumber = [&](AffineMap map) { return map.replaceDimsAndSymbols(renumbered, {}, left, 0); };
    MLIRContext *context = builder.getContext();
    SmallVector<Value> inputs = {data, tensor::EmptyOp::create(builder, loc, {extents[tap]}, builder.getI8Type())};
    SmallVector<AffineMap> maps = {renumber(AffineMap::get(dims.getNumDims(), 0, reads, context)),
                                   renumber(AffineMap::get(dims.getNumDims(), 0, builder.getAffineDimExpr(tap)))};
    SmallVector<unsigned> kept; // inputs of the epilogue
    for (unsigned input = 1; isLast && input < kernel.getInputs().size(); ++input)
      if (!dependsOnTaps(kernel.getMap(input))) {
        kept.push_back(input);
        inputs.push_back(kernel.getInputs()[input]);
        maps.push_back(renumber(kernel.getMap(input)));
      }
    maps.push_back(renumber(kernel.getMap(kernel.getInputs().size())));
    auto made = aot::KernelOp::create(builder, loc, TypeRange{init.getType()}, kernel.getKindAttr(), inputs, init,
                                      builder.getAffineMapArrayAttr(maps), builder.getArrayAttr(iterators),
                                      kernel.getIdentity(), aot::StrategyAttr());
    Type accumulator = kernel.getCompute().front().getArguments().back().getType();
    for (Region *region : {&made.getCompute(), &made.getEpilogue()}) {
      Block &block = region->emplaceBlock();
      for (Value input : inputs)
        block.addArgument(getElementTypeOrSelf(input.getType()), loc);
      block.addArgument(accumulator, loc);
    }
    OpBuilder inside(context);
    Block &compute = made.getCompute().front(), &epilogue = made.getEpilogue().front();
    inside.setInsertionPointToEnd(&compute);
    Value larger =
        arith::MaximumFOp::create(inside, loc, compute.getArguments().back(), compute.getArgument(0)).getResult();
    aot::YieldOp::create(inside, loc, larger);
    inside.setInsertionPointToEnd(&epilogue);
    Block &given = kernel.getEpilogue().front();
    IRMapping mapping;
    mapping.map(given.getArguments().back(), epilogue.getArguments().back());
    for (auto [index, input] : llvm::enumerate(kept))
      mapping.map(given.getArgument(input), epilogue.getArgument(2 + index));
    if (!isLast) {
      aot::YieldOp::create(inside, loc, epilogue.getArguments().back());
      return made.getResults().front();
    }
    for (Operation &op : given)
      inside.clone(op, mapping);
    return made.getResults().front();
  }

  aot::KernelOp kernel;
  SmallVector<int64_t> extents;
  SmallVector<unsigned> taps; // dims of the window: of its rows, of its columns
  unsigned row = 0;           // the dim of the result's rows
  unsigned rowsRead = 0;      // which of the data's dims has the rows
  int64_t rowsOfData = 0;
};

struct SplitMaxima : impl::SplitMaximaBase<SplitMaxima> {
  void runOnOperation() override {
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::KernelOp kernel) { kernels.push_back(kernel); });
    for (aot::KernelOp kernel : kernels)
      if (Maximum maximum(kernel); maximum.matches())
        maximum.split();
  }
};
} // namespace
} // namespace onnx_aot
