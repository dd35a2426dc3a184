//===- ChooseLayout.cpp - channels last, for the whole graph ------------------------------------------------------===//
//
// ONNX's images are stored channel by channel, [n, c, spatial...]. Where vectors run along channels, as they should in
// convolutions and pooling of enough channels, [n, spatial..., c] is better: the lanes are contiguous, a row of pixels
// is a row of a matrix, and no channel count needs filling up. Maps let every operation read and write any layout, so a
// layout is nothing but the type of a tensor.
//
// 1. Tensors that should have one layout form a class: operands and results of elementwise operations, of slices and
//    reshapes of the plane, and of kernels that work channel by channel.
// 2. A class is stored channels last where that saves more vector operations in its kernels than transpositions at its
//    borders cost; a border is where an operation is neither elementwise nor a kernel.
// 3. Operations that make tensors of such a class are made anew. Each gets a transposition back behind it, through
//    which those that follow look.
//
//   %y = aot.kernel "conv" ins(%x : tensor<1x64x56x56xf32>) ...   =>   ins(%x : tensor<1x56x56x64xf32>) ...
//
// Loops follow: a reduction runs over the taps of a window first and over channels last; what works channel by channel
// takes the whole plane of some channels while the image fits the second-level cache, and otherwise all channels of a
// row of pixels before the next row.
//
// Before: elementwise chains are fused.  After: no operation but a transposition at a border moves channels.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/TargetModel.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace onnx_aot {
#define GEN_PASS_DEF_CHOOSELAYOUT
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {

//===-- Orders of dims --------------------------------------------------------------------------------------------===//

/// [n, c, spatial...] -> [n, spatial..., c].
template <typename T> SmallVector<T> channelsLast(ArrayRef<T> list) {
  SmallVector<T> result(list);
  std::rotate(result.begin() + 1, result.begin() + 2, result.end());
  return result;
}

AffineMap channelsLast(AffineMap map) {
  return AffineMap::get(map.getNumDims(), 0, channelsLast(map.getResults()), map.getContext());
}

RankedTensorType channelsLast(RankedTensorType type) {
  return RankedTensorType::get(channelsLast(type.getShape()), type.getElementType());
}

/// What `map` is over dims in another order: new dim i is old dim order[i].
AffineMap reorderDims(AffineMap map, ArrayRef<unsigned> order) {
  SmallVector<AffineExpr> exprs(order.size());
  for (auto [dim, old] : llvm::enumerate(order))
    exprs[old] = getAffineDimExpr(dim, map.getContext());
  return map.replaceDimsAndSymbols(exprs, {}, order.size(), 0);
}

/// A tensor that has a channel dim and a plane (or a line, or a volume).
RankedTensorType imageType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() >= 3 && type.getRank() <= 5 ? type : RankedTensorType();
}

bool isEmpty(Value value) { return isa_and_nonnull<tensor::EmptyOp>(value.getDefiningOp()); }

/// Extents for costs.
int64_t estimate(int64_t extent) { return ShapedType::isDynamic(extent) ? aot::Amount::kTypical : extent; }

double elementsOf(RankedTensorType type) {
  double count = 1;
  for (int64_t extent : type.getShape())
    count *= estimate(extent);
  return count;
}

bool hasPlane(RankedTensorType type) {
  return llvm::any_of(type.getShape().drop_front(2), [](int64_t extent) { return extent != 1; }) &&
         type.getDimSize(1) != 1;
}

/// Whether the groups of a reshape keep n and c apart from the plane.
bool keepsChannels(ArrayRef<ReassociationIndices> groups) {
  return groups.size() >= 3 && groups[0].size() == 1 && groups[1].size() == 1;
}

/// The groups when the channel group is the last.
SmallVector<ReassociationIndices> groupsChannelsLast(ArrayRef<ReassociationIndices> groups) {
  SmallVector<ReassociationIndices> result = {{0}};
  int64_t next = 1;
  for (const ReassociationIndices &group : groups.drop_front(2)) {
    result.emplace_back();
    for (size_t i = 0; i < group.size(); ++i)
      result.back().push_back(next++);
  }
  result.push_back({next});
  return result;
}

//===-- Which operations there are --------------------------------------------------------------------------------===//

/// A pure elementwise operation that writes its result in order. What it reads may have any map.
bool isElementwise(linalg::GenericOp generic) {
  return generic.hasPureTensorSemantics() && generic.getNumDpsInits() == 1 && generic.getNumReductionLoops() == 0 &&
         !generic.hasIndexSemantics() && generic.getIndexingMapMatchingResult(generic->getOpResult(0)).isIdentity() &&
         generic.getRegionOutputArgs()[0].use_empty();
}

/// Whether a body knows its loops by their numbers.
bool asksForPositions(aot::KernelOp kernel) {
  return kernel->walk([](linalg::IndexOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// The result of an operation that can make it in another layout, or null.
Value movableResult(Operation *op) {
  bool isMovable =
      llvm::TypeSwitch<Operation *, bool>(op)
          .Case([](linalg::GenericOp generic) { return isElementwise(generic); })
          .Case([](aot::KernelOp kernel) { return kernel->getNumResults() == 1 && !asksForPositions(kernel); })
          .Case([](tensor::InsertSliceOp insert) {
            return insert.getSourceType().getRank() == insert.getDestType().getRank();
          })
          .Case([](tensor::ExtractSliceOp extract) {
            return extract.getSourceType().getRank() == extract.getType().getRank();
          })
          .Case([](tensor::CollapseShapeOp collapse) {
            return imageType(collapse.getSrc()) && keepsChannels(collapse.getReassociationIndices());
          })
          .Case([](tensor::ExpandShapeOp expand) { return keepsChannels(expand.getReassociationIndices()); })
          .Default(false);
  return isMovable && imageType(op->getResult(0)) ? op->getResult(0) : Value();
}

/// The operands that should have the layout of the result.
SmallVector<Value> companions(Operation *op) {
  SmallVector<Value> result;
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    for (OpOperand *operand : generic.getDpsInputOperands())
      if (generic.getMatchingIndexingMap(operand).isIdentity())
        result.push_back(operand->get());
  } else if (auto kernel = dyn_cast<aot::KernelOp>(op)) {
    AffineMap output = kernel.getMap(kernel.getInputs().size());
    for (auto [index, input] : llvm::enumerate(kernel.getInputs())) {
      AffineMap map = kernel.getMap(index);
      // The same channel: what is pooled, convolved depthwise, or added at the end.
      if (map.getNumResults() == output.getNumResults() && map.getNumResults() >= 3 &&
          map.getResult(1) == output.getResult(1))
        result.push_back(input);
    }
  } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    result = {insert.getSource(), insert.getDest()};
  } else {
    result = {op->getOperand(0)};
  }
  llvm::erase_if(result, [](Value value) { return !imageType(value) || isEmpty(value); });
  return result;
}

//===-- What layouts cost -----------------------------------------------------------------------------------------===//

class LayoutCost {
public:
  LayoutCost(const aot::TargetModel &target) : target(target) {}

  /// Vector operations that a kernel saves where result and companions have their channels last.
  double savedByResult(aot::KernelOp kernel) const {
    auto type = cast<RankedTensorType>(kernel.getResult(0).getType());
    int64_t lanes = lanesOf(type);
    if (lanes < 2)
      return 0;
    double points = pointsOf(kernel);
    int64_t channels = channelsPerGroup(kernel);
    // What does not fill its last vector still reads and writes whole lines, as its neighbours in the graph do.
    double last = channels >= lanes ? points / lanes : points / channels;
    return vectorsAlongLine(kernel, lanes) - last;
  }

  /// The same where data that a kernel sums over channels has them last: loads of neighbours instead of a page each,
  /// which few channels do without.
  double savedByData(aot::KernelOp kernel, AffineMap map) const {
    auto type = cast<RankedTensorType>(kernel.getResult(0).getType());
    double channels = 0;
    map.getResult(1).walk([&](AffineExpr expr) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && kernel.isReduction(dim.getPosition()))
        channels = estimate(kernel.getStaticExtents()[dim.getPosition()]);
    });
    int64_t lanes = lanesOf(type);
    bool gains = channels > 0 && lanes >= 2 && savedByResult(kernel) > 0;
    return gains ? 0.2 * std::min(1.0, channels / kManyChannels) * pointsOf(kernel) / lanes : 0;
  }

  /// Vector operations worth the transposition of a tensor.
  double transposition(RankedTensorType type) const { return hasPlane(type) ? elementsOf(type) : 0; }

private:
  static constexpr double kManyChannels = 16;

  /// Without vectors those of a tile of scalars count where memory is little: images whose rows lie in one piece can be
  /// made in strips of rows.
  int64_t lanesOf(RankedTensorType type) const {
    constexpr int64_t kScalars = 4;
    Type element = type.getElementType();
    if (!element.isIntOrFloat())
      return 1;
    int64_t bits = target.vectorBits(isa<FloatType>(element));
    if (bits == 0)
      return target.hasLittleMemory() ? kScalars : 1;
    return bits / std::max(32u, element.getIntOrFloatBitWidth());
  }

  static double pointsOf(aot::KernelOp kernel) {
    double points = 1;
    for (int64_t extent : kernel.getStaticExtents())
      points *= estimate(extent);
    return points;
  }

  /// The dim along which neighbouring channels (lines) are walked one by one, or -1.
  static int unitDim(AffineExpr expr) {
    if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr); sum && sum.getKind() == AffineExprKind::Add)
      expr = sum.getRHS();
    auto dim = dyn_cast<AffineDimExpr>(expr);
    return dim ? int(dim.getPosition()) : -1;
  }

  static int64_t channelsPerGroup(aot::KernelOp kernel) {
    int dim = unitDim(kernel.getMap(kernel.getInputs().size()).getResult(1));
    return dim < 0 ? 1 : std::max<int64_t>(1, estimate(kernel.getStaticExtents()[dim]));
  }

  /// Vector operations where lanes run along the innermost dim of the plane.
  static double vectorsAlongLine(aot::KernelOp kernel, int64_t lanes) {
    AffineMap output = kernel.getMap(kernel.getInputs().size());
    double points = pointsOf(kernel);
    int dim = unitDim(output.getResults().back());
    if (dim < 0)
      return points;
    SmallVector<int64_t> extents = kernel.getStaticExtents();
    int64_t line = std::max<int64_t>(1, estimate(extents[dim]));
    bool isStrided = false, hasWindow = false;
    for (unsigned index = 0; index < kernel.getInputs().size(); ++index)
      for (AffineExpr expr : kernel.getMap(index).getResults()) {
        if (!expr.isFunctionOfDim(dim))
          continue;
        hasWindow |= llvm::any_of(llvm::seq<unsigned>(0, kernel.getNumLoops()), [&](unsigned other) {
          return kernel.isReduction(other) && expr.isFunctionOfDim(other);
        });
        isStrided |= !isa<AffineDimExpr>(expr) && unitDim(expr) != dim && !isUnitIn(expr, dim);
      }
    // Without a window the whole plane is one line.
    if (!hasWindow && !isStrided)
      for (AffineExpr expr : output.getResults().drop_front(2).drop_back())
        if (int other = unitDim(expr); other >= 0)
          line *= std::max<int64_t>(1, estimate(extents[other]));
    double vectors = points / line * llvm::divideCeil(line, lanes);
    return vectors * (isStrided ? 2.5 : hasWindow ? 1.15 : 1.05);
  }

  /// Whether `dim` has the factor 1 in a sum.
  static bool isUnitIn(AffineExpr expr, unsigned dim) {
    if (auto self = dyn_cast<AffineDimExpr>(expr))
      return self.getPosition() == dim;
    auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
    return sum && sum.getKind() == AffineExprKind::Add && (isUnitIn(sum.getLHS(), dim) || isUnitIn(sum.getRHS(), dim));
  }

  const aot::TargetModel &target;
};

//===-- The rewriting ---------------------------------------------------------------------------------------------===//

class LayoutRewriter {
public:
  LayoutRewriter(MLIRContext *context, const aot::TargetModel &target) : rewriter(context), target(target) {}

  /// Makes `op` anew, with its result channels last.
  void convert(Operation *op) {
    rewriter.setInsertionPoint(op);
    Value made = llvm::TypeSwitch<Operation *, Value>(op)
                     .Case([&](linalg::GenericOp generic) { return convertGeneric(generic); })
                     .Case([&](aot::KernelOp kernel) { return convertKernel(kernel); })
                     .Case([&](tensor::InsertSliceOp insert) {
                       return tensor::InsertSliceOp::create(rewriter, op->getLoc(), toLast(insert.getSource()),
                                                            toLast(insert.getDest()),
                                                            channelsLast<OpFoldResult>(insert.getMixedOffsets()),
                                                            channelsLast<OpFoldResult>(insert.getMixedSizes()),
                                                            channelsLast<OpFoldResult>(insert.getMixedStrides()))
                           .getResult();
                     })
                     .Case([&](tensor::ExtractSliceOp extract) {
                       return tensor::ExtractSliceOp::create(rewriter, op->getLoc(), channelsLast(extract.getType()),
                                                             toLast(extract.getSource()),
                                                             channelsLast<OpFoldResult>(extract.getMixedOffsets()),
                                                             channelsLast<OpFoldResult>(extract.getMixedSizes()),
                                                             channelsLast<OpFoldResult>(extract.getMixedStrides()))
                           .getResult();
                     })
                     .Case([&](tensor::CollapseShapeOp collapse) {
                       return tensor::CollapseShapeOp::create(
                                  rewriter, op->getLoc(), channelsLast(cast<RankedTensorType>(collapse.getType())),
                                  toLast(collapse.getSrc()), groupsChannelsLast(collapse.getReassociationIndices()))
                           .getResult();
                     })
                     .Case([&](tensor::ExpandShapeOp expand) {
                       SmallVector<OpFoldResult> sizes = expand.getMixedOutputShape();
                       return tensor::ExpandShapeOp::create(
                                  rewriter, op->getLoc(), channelsLast(cast<RankedTensorType>(expand.getType())),
                                  toLast(expand.getSrc()), groupsChannelsLast(expand.getReassociationIndices()),
                                  channelsLast<OpFoldResult>(sizes))
                           .getResult();
                     });
    Value back = transpose(made, cast<RankedTensorType>(op->getResult(0).getType()).getRank(), /*toLast=*/false);
    converted[back] = made;
    op->getResult(0).replaceAllUsesWith(back);
    rewriter.eraseOp(op);
  }

  /// Lets an operation whose result stays as it is read the tensors that have been made anew.
  void readConverted(Operation *op) {
    if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
      SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
      for (OpOperand *operand : generic.getDpsInputOperands())
        if (Value made = converted.lookup(operand->get())) {
          operand->set(made);
          AffineMap &map = maps[operand->getOperandNumber()];
          map = channelsLast(map);
        }
      generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    } else if (auto kernel = dyn_cast<aot::KernelOp>(op)) {
      SmallVector<AffineMap> maps;
      SmallVector<Value> inputs = readInputs(kernel, maps);
      maps.push_back(kernel.getMap(inputs.size()));
      kernel.getInputsMutable().assign(inputs);
      kernel.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    }
  }

  /// Removes transpositions that nobody needed, and copies that have become the identity.
  void clean(func::FuncOp function) {
    function.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
      if (isOpTriviallyDead(op))
        return rewriter.eraseOp(op);
      auto generic = dyn_cast<linalg::GenericOp>(op);
      if (!generic || generic.getNumDpsInputs() != 1 || generic.getNumResults() != 1 ||
          generic.getResult(0).getType() != generic.getDpsInputOperand(0)->get().getType() ||
          !llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
        return;
      if (generic.getBody()->getTerminator()->getOperand(0) == generic.getBody()->getArgument(0))
        rewriter.replaceOp(generic, generic.getDpsInputOperand(0)->get());
    });
  }

private:
  /// `value` with its channels last.
  Value toLast(Value value) {
    if (Value made = converted.lookup(value))
      return made;
    return transpose(value, imageType(value).getRank(), /*toLast=*/true);
  }

  Value emptyLast(Value value, Location loc) {
    return onnx::emptyTensor(rewriter, loc, channelsLast<OpFoldResult>(onnx::sizesOf(rewriter, loc, value)),
                             getElementTypeOrSelf(value.getType()));
  }

  Value transpose(Value value, int64_t rank, bool toLast) {
    Location loc = value.getLoc();
    SmallVector<OpFoldResult> sizes = onnx::sizesOf(rewriter, loc, value);
    if (toLast)
      sizes = channelsLast<OpFoldResult>(sizes);
    else
      std::rotate(sizes.begin() + 1, sizes.end() - 1, sizes.end());
    if (isEmpty(value))
      return onnx::emptyTensor(rewriter, loc, sizes, getElementTypeOrSelf(value.getType()));
    AffineMap last = channelsLast(rewriter.getMultiDimIdentityMap(rank));
    AffineMap read = toLast ? inversePermutation(last) : last;
    auto type = cast<RankedTensorType>(value.getType());
    auto channelDim = toLast ? 1 : rank - 1;
    bool moves = type.getDimSize(channelDim) != 1;
    bool hasOthers = false;
    for (int64_t dim = 1; dim < rank; ++dim)
      hasOthers |= dim != channelDim && type.getDimSize(dim) != 1;
    if ((!moves || !hasOthers) && type.hasStaticShape())
      return onnx::buildReshape(rewriter, loc, value, sizes);
    Value empty = onnx::emptyTensor(rewriter, loc, sizes, type.getElementType());
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    return linalg::GenericOp::create(rewriter, loc, empty.getType(), value, empty,
                                     ArrayRef<AffineMap>{read, rewriter.getMultiDimIdentityMap(rank)}, iterators,
                                     [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                       linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                     })
        .getResult(0);
  }

  Value convertGeneric(linalg::GenericOp generic) {
    unsigned rank = generic.getNumLoops();
    SmallVector<unsigned> order = channelsLast<unsigned>(llvm::to_vector(llvm::seq<unsigned>(0, rank)));
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      AffineMap map = generic.getMatchingIndexingMap(operand);
      Value made = converted.lookup(operand->get());
      inputs.push_back(made ? made : operand->get());
      maps.push_back(reorderDims(made ? channelsLast(map) : map, order));
    }
    maps.push_back(rewriter.getMultiDimIdentityMap(rank));
    Value init = generic.getDpsInits()[0];
    Value empty = emptyLast(init, generic.getLoc());
    auto made = linalg::GenericOp::create(rewriter, generic.getLoc(), empty.getType(), inputs, empty, maps,
                                          generic.getIteratorTypesArray());
    rewriter.cloneRegionBefore(generic.getRegion(), made.getRegion(), made.getRegion().end());
    return made.getResult(0);
  }

  SmallVector<Value> readInputs(aot::KernelOp kernel, SmallVectorImpl<AffineMap> &maps) {
    SmallVector<Value> inputs;
    for (auto [index, input] : llvm::enumerate(kernel.getInputs())) {
      Value made = converted.lookup(input);
      inputs.push_back(made ? made : input);
      maps.push_back(made ? channelsLast(kernel.getMap(index)) : kernel.getMap(index));
    }
    return inputs;
  }

  Value convertKernel(aot::KernelOp kernel) {
    SmallVector<AffineMap> maps;
    SmallVector<Value> inputs = readInputs(kernel, maps);
    AffineMap output = kernel.getMap(inputs.size());
    maps.push_back(channelsLast(output));
    SmallVector<unsigned> order = loopOrder(kernel, output);
    SmallVector<Attribute> iterators;
    for (unsigned old : order)
      iterators.push_back(kernel.getIteratorTypes()[old]);
    for (AffineMap &map : maps)
      map = reorderDims(map, order);
    Value empty = emptyLast(kernel.getInit(), kernel.getLoc());
    auto made = aot::KernelOp::create(rewriter, kernel.getLoc(), TypeRange{empty.getType()}, kernel.getKindAttr(),
                                      inputs, empty, rewriter.getAffineMapArrayAttr(maps),
                                      rewriter.getArrayAttr(iterators), kernel.getIdentity(), kernel.getStrategyAttr());
    made.getCompute().takeBody(kernel.getCompute());
    made.getEpilogue().takeBody(kernel.getEpilogue());
    return made.getResult(0);
  }

  /// Old dims in their new order: see the head of this file.
  SmallVector<unsigned> loopOrder(aot::KernelOp kernel, AffineMap output) const {
    SmallVector<unsigned> channel, rest, taps, sums;
    bool sumsChannels = false;
    for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim) {
      if (!kernel.isReduction(dim)) {
        (output.getResult(1).isFunctionOfDim(dim) ? channel : rest).push_back(dim);
        continue;
      }
      bool isSum = false;
      for (unsigned index = 0; index < kernel.getInputs().size(); ++index) {
        AffineMap map = kernel.getMap(index);
        isSum |= map.getNumResults() == output.getNumResults() && map.getResult(1).isFunctionOfDim(dim) &&
                 map.getResult(0) == output.getResult(0);
      }
      sumsChannels |= isSum;
      (isSum ? sums : taps).push_back(dim);
    }
    SmallVector<unsigned> order;
    double bytes = 0;
    for (Value input : kernel.getInputs())
      bytes = std::max(bytes, 4 * elementsOf(cast<RankedTensorType>(input.getType())));
    if (sumsChannels || bytes <= target.secondLevelBytes() / 2) {
      for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim)
        if (!kernel.isReduction(dim))
          order.push_back(dim);
    } else {
      // The channels stand before the innermost dim of the plane.
      AffineExpr line = output.getResults().back();
      auto innermost = llvm::find_if(rest, [&](unsigned dim) { return line.isFunctionOfDim(dim); });
      order.assign(rest.begin(), innermost);
      order.append(channel);
      order.append(innermost, rest.end());
    }
    order.append(taps);
    order.append(sums);
    return order;
  }

  IRRewriter rewriter;
  const aot::TargetModel &target;
  /// A transposition back -> the tensor that is stored channels last.
  DenseMap<Value, Value> converted;
};

struct ChooseLayout : impl::ChooseLayoutBase<ChooseLayout> {
  explicit ChooseLayout(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<Operation *> operations;
    function.walk([&](Operation *op) { operations.push_back(op); });

    llvm::EquivalenceClasses<Value> classes;
    for (Operation *op : operations)
      if (Value result = movableResult(op)) {
        classes.insert(result);
        for (Value companion : companions(op))
          classes.unionSets(result, companion);
      }
    DenseMap<Value, double> saved = savedPerClass(operations, classes);
    auto isLast = [&](Value value) {
      return classes.contains(value) && saved.lookup(classes.getLeaderValue(value)) > 0;
    };

    SmallVector<bool> converts;
    for (Operation *op : operations) {
      Value result = movableResult(op);
      converts.push_back(result && isLast(result));
    }
    if (!llvm::is_contained(converts, true))
      return;
    LayoutRewriter rewriter(&getContext(), *target);
    for (auto [op, isConverted] : llvm::zip(operations, converts))
      isConverted ? rewriter.convert(op) : rewriter.readConverted(op);
    rewriter.clean(function);
  }

  DenseMap<Value, double> savedPerClass(ArrayRef<Operation *> operations,
                                        const llvm::EquivalenceClasses<Value> &classes) const {
    LayoutCost cost(*target);
    DenseMap<Value, double> saved;
    auto add = [&](Value value, double amount) {
      if (classes.contains(value))
        saved[classes.getLeaderValue(value)] += amount;
    };
    DenseSet<Value> entering;
    for (Operation *op : operations) {
      Value result = movableResult(op);
      bool readsAnyLayout = isa<linalg::GenericOp, aot::KernelOp>(op);
      auto kernel = dyn_cast<aot::KernelOp>(op);
      if (kernel && result && (kernel.getKind() == "conv" || kernel.getKind() == "pool")) {
        add(result, cost.savedByResult(kernel));
        for (auto [index, input] : llvm::enumerate(kernel.getInputs()))
          if (imageType(input))
            add(input, cost.savedByData(kernel, kernel.getMap(index)));
      }
      for (Value operand : op->getOperands()) {
        RankedTensorType type = imageType(operand);
        if (!type || isEmpty(operand) || isa<tensor::DimOp>(op))
          continue;
        // Leaves the class here, or enters it.
        if (!result && !readsAnyLayout)
          add(operand, -cost.transposition(type));
        Operation *definition = operand.getDefiningOp();
        bool isMade = definition && movableResult(definition) == operand;
        if (result && !readsAnyLayout && !isMade && entering.insert(operand).second)
          add(operand, -cost.transposition(type));
      }
    }
    return saved;
  }

  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createChooseLayoutPass(const aot::TargetModel &target) {
  return std::make_unique<ChooseLayout>(target);
}
} // namespace onnx_aot
