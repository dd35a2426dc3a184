//===- PackOperands.cpp - inputs that a run computes, in the order in which kernels read them ---------------------===//
//
// PackWeights lays constants out at compile time. What only a run knows (the keys and values of attention, a product of
// two activations) is laid out by the run, into the same panels of one tile's lanes, where the kernel reads it so often
// that the copy pays for itself:
//
//   %c = aot.kernel "matmul" ins(%a, %b)    =>   %p = linalg.generic ins(%b) : tensor<n/64 x k x 64>
//                                                %c = aot.kernel "matmul" ins(%a, %p), at (n floordiv 64, k, n mod 64)
//
// 1. A transposition (a move or repetition of elements) that makes the operand is looked through: packing moves its
//    elements anyway.
// 2. Three ways are compared by the estimated cycles of the kernel and of the moves before it: as it is, reading
//    through the transposition in place (few rows: lanes along the sum), and packed. What many rows read from beyond
//    the first-level cache, line by line in as many pages, packing makes one stream.
// 3. Panels that the operand fills are one linalg.generic; what is left is another one, into a panel of zeros. They are
//    written right before the kernel, so that the copy is near when it is read.
//
// Goto, van de Geijn: Anatomy of high-performance matrix multiplication (2008), has packing and its reasons.
//
// Before: strategies are chosen.  After: strategies are those for the inputs as they are then read.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PACKOPERANDS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
/// One way to read an input of a kernel.
struct Way {
  unsigned input;
  Value source;
  AffineMap map;
  bool inPanels;
  aot::StrategyAttr strategy;
  double saved, cycles; // a move before the kernel that is not needed; the kernel, and the copy to panels

  /// Against a kernel of `before` cycles.
  double gain(double before) const { return before + saved - cycles; }
};

struct PackOperands : impl::PackOperandsBase<PackOperands> {
  explicit PackOperands(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::KernelOp kernel) { kernels.push_back(kernel); });
    for (aot::KernelOp kernel : kernels)
      improve(kernel);
  }

  void improve(aot::KernelOp kernel) {
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
    if (failed(nest) || !nest->hasReduction())
      return;
    double cycles = estimateCycles(*nest, kernel.getStrategyAttr(), *target);
    std::optional<Way> best;
    for (unsigned index = 0; index < kernel.getInputs().size(); ++index)
      if (isCandidate(kernel, *nest, index))
        for (const Way &way : waysOf(kernel, index))
          if (way.gain(cycles) > (best ? best->gain(cycles) : 0))
            best = way;
    if (!best)
      return;
    Operation *move = kernel.getInputs()[best->input].getDefiningOp();
    best->inPanels ? pack(kernel, *best) : readFrom(kernel, best->input, best->source, best->map);
    kernel.setStrategyAttr(best->strategy);
    if (move && isOpTriviallyDead(move))
      move->erase();
  }

  /// Whether the reduction reads the input, and element by element of it.
  static bool isCandidate(aot::KernelOp kernel, const aot::LoopNest &nest, unsigned index) {
    const aot::Access &access = nest.inputs[index];
    return access.inCompute && !access.inEpilogue && !access.packable && kernel.getMap(index).isProjectedPermutation();
  }

  //===-- What is gained ------------------------------------------------------------------------------------------===//

  /// The ways to read input `index` other than as it is.
  SmallVector<Way> waysOf(aot::KernelOp kernel, unsigned index) {
    Value input = kernel.getInputs()[index], source = input;
    AffineMap asItIs = kernel.getMap(index), map = asItIs;
    linalg::GenericOp move = moveBefore(input);
    if (move) {
      source = move.getDpsInputs()[0];
      map = move.getMatchingIndexingMap(move.getDpsInputOperand(0))
                .compose(inversePermutation(move.getMatchingIndexingMap(move.getDpsInitOperand(0))))
                .compose(map);
    }
    // The kernel, for a moment, as it would read that.
    readFrom(kernel, index, source, map);
    FailureOr<aot::LoopNest> through = aot::LoopNest::of(kernel);
    readFrom(kernel, index, input, asItIs);
    SmallVector<Way> ways;
    if (failed(through))
      return ways;
    auto add = [&](bool inPanels, double moves) {
      aot::StrategyAttr strategy = chooseLoopStrategy(*through, *target, &getContext());
      if (!inPanels || takesPanels(kernel, *through, strategy, index))
        ways.push_back({index, source, map, inPanels, strategy, move ? cyclesToMove(input) : 0,
                        moves + estimateCycles(*through, strategy, *target)});
    };
    if (move)
      add(/*inPanels=*/false, 0);
    // A copy costs memory besides.
    if (target->hasLittleMemory())
      return ways;
    through->inputs[index].packable = true;
    add(/*inPanels=*/true, cyclesToMove(source));
    return ways;
  }

  /// What only moves or repeats the elements of its input to make `value`, or null.
  static linalg::GenericOp moveBefore(Value value) {
    auto generic = value.getDefiningOp<linalg::GenericOp>();
    if (!generic || generic.getNumDpsInputs() != 1 || generic.getNumDpsInits() != 1 ||
        !isa<RankedTensorType>(generic.getDpsInputs()[0].getType()) || !generic->hasOneUse())
      return nullptr;
    bool yieldsInput = generic.getBody()->getTerminator()->getOperand(0) == generic.getBody()->getArgument(0);
    bool isMove = generic.getMatchingIndexingMap(generic.getDpsInputOperand(0)).isProjectedPermutation() &&
                  generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isPermutation();
    return yieldsInput && isMove ? generic : nullptr;
  }

  /// Whether the tile of `strategy` reads input `index` along its vectors, for rows that share it.
  static bool takesPanels(aot::KernelOp kernel, const aot::LoopNest &nest, aot::StrategyAttr strategy, unsigned index) {
    int vector = nest.dimOf(strategy.getVector()), row = nest.dimOf(strategy.getRow());
    if (vector < 0 || row < 0 || strategy.getWidth() == 1 || nest.slidesWindow(vector))
      return false;
    const aot::LoopDim &dim = nest.dims[vector];
    const aot::Access &access = nest.inputs[index];
    // Panels do not tell the extent of what they cut: the result does.
    bool isShown = llvm::is_contained(kernel.getMap(kernel.getInputs().size()).getResults(),
                                      getAffineDimExpr(strategy.getVector(), kernel.getContext()));
    return !dim.reduction && dim.original.size() == 1 && (dim.extent.isStatic() || canMaskLanes(nest, vector, index)) &&
           isShown && !access.strides[vector].is(0) && access.strides[row].is(0);
  }

  /// Whether lanes beyond the end of the vector dim can be left out of what is loaded and stored beside the panels.
  static bool canMaskLanes(const aot::LoopNest &nest, int vector, unsigned index) {
    auto isContiguous = [&](const aot::Access &access) {
      const aot::Amount &stride = access.strides[vector];
      return stride.is(0) || stride.is(1) || nest.mayBeUnit(stride);
    };
    bool result = isContiguous(nest.output);
    for (auto [input, access] : llvm::enumerate(nest.inputs))
      result &= input == index || isContiguous(access);
    return result;
  }

  /// Elements are read, their places fetched, and written.
  double cyclesToMove(Value value) const {
    auto type = cast<RankedTensorType>(value.getType());
    double elements = 1;
    for (int64_t extent : type.getShape())
      elements *= ShapedType::isDynamic(extent) ? aot::Amount::kTypical : extent;
    double bytes = elements * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    return bytes / (bytes <= target->secondLevelBytes() / 2 ? kBytesFromNear : kBytesFromFar);
  }

  /// Bytes that are moved per cycle, where source and copy lie in the second-level cache and where they do not.
  static constexpr double kBytesFromNear = 5, kBytesFromFar = 3.5;

  //===-- The rewriting -------------------------------------------------------------------------------------------===//

  static void readFrom(aot::KernelOp kernel, unsigned index, Value value, AffineMap map) {
    kernel.getInputsMutable()[index].set(value);
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    maps[index] = AffineMapAttr::get(map);
    kernel.setIndexingMapsAttr(ArrayAttr::get(kernel.getContext(), maps));
  }

  void pack(aot::KernelOp kernel, const Way &way) {
    ImplicitLocOpBuilder b(kernel.getLoc(), kernel);
    unsigned vector = way.strategy.getVector();
    int64_t panel = way.strategy.getWidth() * way.strategy.getVectors();
    // The source's dims in the order of the kernel's loops, those of the reduction last.
    SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, way.map.getNumResults()));
    auto place = [&](unsigned position) {
      unsigned dim = way.map.getDimPosition(position);
      return std::pair(kernel.isReduction(dim), dim);
    };
    llvm::sort(order, [&](unsigned left, unsigned right) { return place(left) < place(right); });
    unsigned cut = llvm::find_if(order, [&](unsigned position) { return way.map.getDimPosition(position) == vector; }) -
                   order.begin();
    Value panels = fillPanels(b, way.source, order, cut, panel);
    SmallVector<AffineExpr> exprs;
    for (unsigned position : order)
      exprs.push_back(way.map.getResult(position));
    exprs.push_back(exprs[cut] % panel);
    exprs[cut] = exprs[cut].floorDiv(panel);
    readFrom(kernel, way.input, panels, AffineMap::get(way.map.getNumDims(), 0, exprs, b.getContext()));
  }

  /// The dims of `source` in `order`, with order[cut] replaced by the number of a panel, whose elements are the last
  /// dim.
  static Value fillPanels(ImplicitLocOpBuilder &b, Value source, ArrayRef<unsigned> order, unsigned cut,
                          int64_t panel) {
    Type element = getElementTypeOrSelf(source);
    unsigned rank = order.size();
    SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, b.getLoc(), source), shape;
    for (unsigned position : order)
      shape.push_back(extents[position]);
    shape.push_back(b.getIndexAttr(panel));
    Cut parts = cutAt(b, shape[cut], panel);

    // Which element of the source a place in the panels is.
    SmallVector<AffineExpr> exprs(rank);
    for (auto [dim, position] : llvm::enumerate(order))
      exprs[position] = b.getAffineDimExpr(dim);
    exprs[order[cut]] = exprs[order[cut]] * panel + b.getAffineDimExpr(rank);
    SmallVector<AffineMap> maps = {AffineMap::get(rank + 1, 0, exprs, b.getContext()),
                                   b.getMultiDimIdentityMap(rank + 1)};
    auto empty = [&]() -> Value { return tensor::EmptyOp::create(b, shape, element); };
    auto move = [&](Value from) {
      SmallVector<utils::IteratorType> loops(rank + 1, utils::IteratorType::parallel);
      Value to = empty();
      return linalg::GenericOp::create(b, to.getType(), from, to, maps, loops,
                                       [](OpBuilder &builder, Location loc, ValueRange elements) {
                                         linalg::YieldOp::create(builder, loc, elements[0]);
                                       })
          .getResult(0);
    };
    shape[cut] = parts.panels;
    if (isConstantIntValue(parts.rest, 0))
      return move(source);

    Value panels = empty();
    OpFoldResult none = b.getIndexAttr(0), one = b.getIndexAttr(1);
    SmallVector<OpFoldResult> begin(rank + 1, none), ones(rank + 1, one);
    auto insert = [&](Value value) { panels = tensor::InsertSliceOp::create(b, value, panels, begin, shape, ones); };
    shape[cut] = parts.whole;
    if (!isConstantIntValue(parts.whole, 0))
      insert(move(source));
    begin[cut] = parts.whole;
    shape[cut] = one;
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
    insert(linalg::FillOp::create(b, zero, empty()).getResult(0));
    SmallVector<OpFoldResult> first(rank, none), strides(rank, one);
    first[order[cut]] = parts.inWhole;
    extents[order[cut]] = parts.rest;
    shape.back() = parts.rest;
    insert(move(tensor::ExtractSliceOp::create(b, source, first, extents, strides)));
    return panels;
  }

  /// How many panels `extent` points are in, how many of them whole ones with how many points, and what is left for the
  /// last one; where only the run knows, there is always a last one.
  struct Cut {
    OpFoldResult panels, whole, inWhole, rest;
  };

  static Cut cutAt(ImplicitLocOpBuilder &b, OpFoldResult extent, int64_t panel) {
    if (std::optional<int64_t> known = getConstantIntValue(extent))
      return {b.getIndexAttr(llvm::divideCeil(*known, panel)), b.getIndexAttr(*known / panel),
              b.getIndexAttr(*known / panel * panel), b.getIndexAttr(*known % panel)};
    auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(b, value); };
    Value points = cast<Value>(extent), whole = arith::DivUIOp::create(b, points, index(panel));
    Value inWhole = arith::MulIOp::create(b, whole, index(panel));
    return {arith::AddIOp::create(b, whole, index(1)).getResult(), whole, inWhole,
            arith::SubIOp::create(b, points, inWhole).getResult()};
  }

  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createPackOperandsPass(const aot::TargetModel &target) {
  return std::make_unique<PackOperands>(target);
}
} // namespace onnx_aot
