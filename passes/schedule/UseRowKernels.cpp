//===- UseRowKernels.cpp - reductions of rows and what is made of them as one kernel ------------------------------===//
//
// For a device, where each kernel is a launch that brings its operands from memory and stores its result there.
//
//   %m = aot.kernel "reduce" max %x             =>   %y = aot.rows ins(%x) { ^bb0(%e):
//   %p = linalg.generic exp(%x - %m)                    %m = aot.across max(%e); %p = exp(%e - %m)
//   %s = aot.kernel "reduce" sum %p                     %s = aot.across sum(%p); yield %p / %s }
//   %y = linalg.generic %p / %s
//
// 1. From an operation, the root, backwards: a producer joins where all that read its result have, at one place for
//    each point of the root's iteration space, the frame. Reshapes that move no element are looked through.
// 2. A reduction joins where the dims that it reduces are the frame's last ones, the same for all; those are a row.
// 3. Reductions become aot.across, whose steps hold what depends on the accumulator. The rest of their bodies, and
// those
//    of elementwise operations, become the body.
//
// Before: elementwise chains and epilogues are fused.  After: nothing reads a statistic of a row that could be made
// where it is read.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "passes/schedule/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace onnx_aot {
#define GEN_PASS_DEF_USEROWKERNELS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
bool isReshape(Operation *op) {
  return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(op);
}

/// Whether operands are read at sums of places: not by the number of a group of places that share an element.
bool readsPlaceByPlace(ArrayAttr maps) {
  auto isLinear = [](AffineExpr expr) {
    bool divides = false;
    expr.walk([&](AffineExpr part) {
      AffineExprKind kind = part.getKind();
      divides |= kind == AffineExprKind::FloorDiv || kind == AffineExprKind::CeilDiv || kind == AffineExprKind::Mod;
    });
    return !divides;
  };
  return llvm::all_of(maps.getAsValueRange<AffineMapAttr>(),
                      [&](AffineMap map) { return llvm::all_of(map.getResults(), isLinear); });
}

/// Elementwise, without a look at positions or at other tensors.
bool isElementwise(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return generic && generic.getNumDpsInits() == 1 && generic.getNumDpsInputs() > 0 &&
         generic.getNumReductionLoops() == 0 && generic.hasPureTensorSemantics() &&
         generic.getRegionOutputArgs()[0].use_empty() && readsPlaceByPlace(generic.getIndexingMaps()) &&
         generic.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>() &&
         llvm::all_of(generic.getBody()->without_terminator(), [](Operation &part) {
           return part.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&part);
         });
}

/// A kernel of real numbers whose partial results can be combined by exchanges between threads. Those of integers are
/// mostly checks of inputs, which the host may make by itself.
bool isReduction(Operation *op) {
  auto kernel = dyn_cast<aot::KernelOp>(op);
  if (!kernel || kernel.getKind() != "reduce" || kernel.getResults().size() != 1 ||
      !kernel.getInit().getDefiningOp<tensor::EmptyOp>() || !readsPlaceByPlace(kernel.getIndexingMaps()))
    return false;
  FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
  Operation *combiner = succeeded(nest) && nest->hasReduction() ? nest->combiner() : nullptr;
  Type type = combiner ? combiner->getResult(0).getType() : Type();
  bool isExchanged = isa_and_nonnull<FloatType>(type) && type.getIntOrFloatBitWidth() >= 8;
  auto isElementwiseBody = [](Region &region) {
    return llvm::all_of(region.front().without_terminator(), [](Operation &part) {
      return part.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&part);
    });
  };
  return isExchanged && isElementwiseBody(kernel.getCompute()) && isElementwiseBody(kernel.getEpilogue());
}

AffineMap mapOf(OpOperand &operand) {
  if (auto kernel = dyn_cast<aot::KernelOp>(operand.getOwner()))
    return kernel.getMap(operand.getOperandNumber());
  return cast<linalg::GenericOp>(operand.getOwner()).getMatchingIndexingMap(&operand);
}

AffineMap resultMap(Operation *op) { return mapOf(cast<DestinationStyleOpInterface>(op).getDpsInitsMutable()[0]); }

/// The extent of a dim, by what made the value as far as operations tell: a number, a value of the entry, or the tensor
/// and the dim that nobody knows.
struct Extent {
  OpFoldResult size;
  int64_t dim = -1; // of the tensor `size`
  bool operator==(const Extent &other) const { return size == other.size && dim == other.dim; }
  bool isUnit() const { return dim < 0 && getConstantIntValue(size) == 1; }
};

Extent extentOf(Value value, int64_t dim) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(dim))
    return {Builder(value.getContext()).getIndexAttr(type.getDimSize(dim))};
  Operation *op = value.getDefiningOp();
  if (auto empty = dyn_cast_or_null<tensor::EmptyOp>(op))
    return {empty.getMixedSizes()[dim]};
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op))
    return {expand.getMixedOutputShape()[dim]};
  if (auto cast = dyn_cast_or_null<tensor::CastOp>(op); cast && isa<RankedTensorType>(cast.getSource().getType()))
    return extentOf(cast.getSource(), dim);
  if (auto broadcast = dyn_cast_or_null<aot::BroadcastOp>(op))
    return {broadcast.getMixedSizes()[dim]};
  if (auto styled = dyn_cast_or_null<DestinationStyleOpInterface>(op))
    return extentOf(styled.getTiedOpOperand(cast<OpResult>(value))->get(), dim);
  return {value, dim};
}

/// Dims of `value` that have more than one element.
SmallVector<unsigned> properDims(Value value) {
  SmallVector<unsigned> dims;
  for (int64_t dim = 0; dim < cast<RankedTensorType>(value.getType()).getRank(); ++dim)
    if (!extentOf(value, dim).isUnit())
      dims.push_back(dim);
  return dims;
}

/// `map`, by which `to` is read, for what `from` was before reshapes: nothing where these do more than add and remove
/// dims of one element.
std::optional<AffineMap> before(Value from, Value to, AffineMap map) {
  if (from == to)
    return map;
  SmallVector<unsigned> source = properDims(from), target = properDims(to);
  if (source.size() != target.size())
    return std::nullopt;
  SmallVector<AffineExpr> exprs(cast<RankedTensorType>(from.getType()).getRank(),
                                getAffineConstantExpr(0, map.getContext()));
  for (auto [s, t] : llvm::zip(source, target)) {
    if (!(extentOf(from, s) == extentOf(to, t)))
      return std::nullopt;
    exprs[s] = map.getResult(t);
  }
  return AffineMap::get(map.getNumDims(), 0, exprs, map.getContext());
}

/// What becomes one kernel.
class RowChain {
public:
  explicit RowChain(Operation *root) : root(root), frame(resultMap(root).getNumDims()) {
    SmallVector<AffineExpr> exprs;
    for (unsigned dim = 0; dim < frame; ++dim)
      exprs.push_back(getAffineDimExpr(dim, root->getContext()));
    if (isReduction(root) && !setReduced(reducedDims(root, exprs)))
      return;
    members[root] = exprs;
  }

  /// Finds the members; false where nothing is gained.
  bool grow() {
    if (members.empty())
      return false;
    for (Operation *op = root->getPrevNode(); op; op = op->getPrevNode())
      if (isElementwise(op) || isReduction(op))
        tryAdd(op);
    if (!fitsRegisters())
      dropCostlyHeads();
    return members.size() > 1 && reduced != 0 && isWorthwhile();
  }

  void build();

  const llvm::MapVector<Operation *, SmallVector<AffineExpr>> &all() const { return members; }

private:
  //===-- Members -------------------------------------------------------------------------------------------------===//

  void tryAdd(Operation *op) {
    std::optional<AffineMap> place = placeOfResult(op->getResult(0), op->getResult(0));
    if (!place || !*place)
      return;
    AffineMap result = resultMap(op);
    SmallVector<AffineExpr> dims(result.getNumDims());
    for (auto [expr, at] : llvm::zip(result.getResults(), place->getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim) // a dim of one element, which the result keeps
        continue;
      // What slides would be computed again for each place.
      if (!isa<AffineDimExpr, AffineConstantExpr>(at))
        return;
      if (dims[dim.getPosition()] && dims[dim.getPosition()] != at)
        return;
      dims[dim.getPosition()] = at;
    }
    if (isReduction(op) && !addReduction(op, dims))
      return;
    if (llvm::all_of(dims, [](AffineExpr expr) { return bool(expr); }))
      members[op] = dims;
  }

  /// Where each point of the frame reads `source`, which `value` is after reshapes: nothing where anybody else reads
  /// it, or two do at different places; a null map where nobody reads it.
  std::optional<AffineMap> placeOfResult(Value source, Value value) {
    AffineMap place;
    for (OpOperand &use : value.getUses()) {
      Operation *user = use.getOwner();
      std::optional<AffineMap> next;
      if (isReshape(user)) {
        next = placeOfResult(source, user->getResult(0));
      } else if (auto found = members.find(user);
                 found != members.end() && !cast<DestinationStyleOpInterface>(user).isDpsInit(&use)) {
        next = before(source, value, inFrame(use));
      }
      if (!next || (place && *next && *next != place))
        return std::nullopt;
      if (*next)
        place = *next;
    }
    return place;
  }

  /// Where each point of the frame reads an operand of a member; a dim of one element is 0, but not in a row, whose
  /// extents the operands show.
  AffineMap inFrame(OpOperand &operand) {
    SmallVector<AffineExpr> dims;
    for (AffineExpr expr : members[operand.getOwner()]) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      bool isUnit = dim && dim.getPosition() < frame - reduced && extentOfDim(root, dim.getPosition()).isUnit();
      dims.push_back(isUnit ? getAffineConstantExpr(0, root->getContext()) : expr);
    }
    return mapOf(operand).replaceDimsAndSymbols(dims, {}, frame, 0);
  }

  /// Finds what the reduced dims of `op` are in the frame: the last ones, in their order.
  bool addReduction(Operation *op, SmallVectorImpl<AffineExpr> &dims) {
    auto kernel = cast<aot::KernelOp>(op);
    SmallVector<unsigned> own;
    for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim)
      if (kernel.isReduction(dim))
        own.push_back(dim);
    if (own.size() > frame)
      return false;
    for (auto [index, dim] : llvm::enumerate(own)) {
      unsigned ofFrame = frame - own.size() + index;
      if (!(extentOfDim(op, dim) == extentOfDim(root, ofFrame)))
        return false;
      dims[dim] = getAffineDimExpr(ofFrame, op->getContext());
    }
    // A statistic is of a row as a whole.
    for (auto [dim, expr] : llvm::enumerate(dims)) {
      auto at = dyn_cast_if_present<AffineDimExpr>(expr);
      if (at && !kernel.isReduction(dim) && at.getPosition() >= frame - own.size())
        return false;
    }
    return setReduced(own.size());
  }

  /// The extent of an iteration dim.
  static Extent extentOfDim(Operation *op, unsigned dim) {
    for (OpOperand &operand : op->getOpOperands())
      for (auto [index, expr] : llvm::enumerate(mapOf(operand).getResults()))
        if (expr == getAffineDimExpr(dim, op->getContext()))
          return extentOf(operand.get(), index);
    return {};
  }

  /// How many dims a reduction that is the root reduces: 0 where they are not the last ones.
  static unsigned reducedDims(Operation *op, ArrayRef<AffineExpr> dims) {
    auto kernel = cast<aot::KernelOp>(op);
    unsigned count = 0;
    while (count < dims.size() && kernel.isReduction(dims.size() - 1 - count))
      ++count;
    for (unsigned dim = 0; dim + count < dims.size(); ++dim)
      if (kernel.isReduction(dim))
        return 0;
    return count;
  }

  bool setReduced(unsigned count) {
    if (count == 0 || (reduced != 0 && reduced != count))
      return false;
    reduced = count;
    return true;
  }

  //===-- What pays -----------------------------------------------------------------------------------------------===//

  /// Estimated where only the run knows.
  double volume(unsigned from, unsigned to) const {
    double product = 1;
    for (unsigned dim = from; dim < to; ++dim) {
      std::optional<int64_t> extent = getConstantIntValue(extentOfDim(root, dim).size);
      product *= double(extent.value_or(aot::Amount::kTypical));
    }
    return product;
  }

  /// Whether elements are computed once and kept.
  bool fitsRegisters() const {
    for (unsigned dim = frame - reduced; dim < frame; ++dim)
      if (Extent extent = extentOfDim(root, dim); extent.dim >= 0 || !getConstantIntValue(extent.size))
        return false;
    return volume(frame - reduced, frame) <= aot::kRowInRegisters;
  }

  /// A few long rows leave most of a device without work.
  bool isWorthwhile() const {
    constexpr double kEnoughRows = 64, kShortRow = 4096;
    return volume(0, frame - reduced) >= kEnoughRows || volume(frame - reduced, frame) <= kShortRow;
  }

  /// Elements that are not kept are computed again for each reduction and for the result: what depends on no reduction
  /// and is more than plain arithmetic is better stored.
  void dropCostlyHeads() {
    SmallVector<Operation *> order = inOrder();
    DenseSet<Operation *> depending;
    bool isCostly = false;
    for (Operation *op : order) {
      bool depends = isReduction(op) || llvm::any_of(op->getOperands(), [&](Value operand) {
                       return depending.contains(sourceOf(operand).getDefiningOp());
                     });
      if (depends) {
        depending.insert(op);
        continue;
      }
      op->walk([&](Operation *part) { isCostly |= part->getDialect()->getNamespace() == "math"; });
    }
    if (isCostly)
      members.remove_if([&](auto &member) { return !depending.contains(member.first); });
  }

  static Value sourceOf(Value value) {
    while (isReshape(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    return value;
  }

  /// Members as they stand in the block.
  SmallVector<Operation *> inOrder() const {
    SmallVector<Operation *> order;
    for (auto &member : members)
      order.push_back(member.first);
    llvm::sort(order, [](Operation *left, Operation *right) { return left->isBeforeInBlock(right); });
    return order;
  }

  //===-- The kernel ----------------------------------------------------------------------------------------------===//

  void cloneGeneric(OpBuilder &b, linalg::GenericOp generic);
  void cloneReduction(OpBuilder &b, aot::KernelOp kernel);
  /// The element of `operand` in the body.
  Value elementOf(OpOperand &operand);

  Operation *root;
  unsigned frame, reduced = 0;
  llvm::MapVector<Operation *, SmallVector<AffineExpr>> members; // their dims in the frame

  Block *body = nullptr;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  DenseMap<Operation *, Value> made; // the element of each member's result
};
} // namespace

Value RowChain::elementOf(OpOperand &operand) {
  if (Value element = made.lookup(sourceOf(operand.get()).getDefiningOp()))
    return element;
  AffineMap map = inFrame(operand);
  for (auto [index, input] : llvm::enumerate(inputs))
    if (input == operand.get() && maps[index] == map)
      return body->getArgument(index);
  inputs.push_back(operand.get());
  maps.push_back(map);
  return body->addArgument(getElementTypeOrSelf(operand.get().getType()), operand.getOwner()->getLoc());
}

void RowChain::cloneGeneric(OpBuilder &b, linalg::GenericOp generic) {
  IRMapping mapping;
  for (OpOperand *operand : generic.getDpsInputOperands())
    mapping.map(generic.getMatchingBlockArgument(operand), elementOf(*operand));
  for (Operation &op : generic.getBody()->without_terminator())
    b.clone(op, mapping);
  made[generic] = mapping.lookupOrDefault(generic.getBody()->getTerminator()->getOperand(0));
}

void RowChain::cloneReduction(OpBuilder &b, aot::KernelOp kernel) {
  Block &compute = kernel.getCompute().front(), &epilogue = kernel.getEpilogue().front();
  IRMapping mapping, finish;
  for (auto [index, operand] : llvm::enumerate(kernel.getInputsMutable())) {
    // One that no body reads is there for the extents that it shows.
    Value element = elementOf(operand);
    mapping.map(compute.getArgument(index), element);
    finish.map(epilogue.getArgument(index), element);
  }
  DenseSet<Value> accumulated = {compute.getArguments().back()};
  SmallVector<Operation *> step;
  for (Operation &op : compute.without_terminator()) {
    if (llvm::none_of(op.getOperands(), [&](Value operand) { return accumulated.contains(operand); })) {
      b.clone(op, mapping);
      continue;
    }
    step.push_back(&op);
    accumulated.insert(op.result_begin(), op.result_end());
  }
  auto across = aot::AcrossOp::create(b, kernel.getLoc(), kernel.getIdentity().getType(), kernel.getIdentity());
  Block &block = across.getStep().emplaceBlock();
  mapping.map(compute.getArguments().back(), block.addArgument(kernel.getIdentity().getType(), kernel.getLoc()));
  OpBuilder inner = OpBuilder::atBlockEnd(&block);
  for (Operation *op : step)
    inner.clone(*op, mapping);
  aot::YieldOp::create(inner, kernel.getLoc(), mapping.lookupOrDefault(compute.getTerminator()->getOperand(0)));

  finish.map(epilogue.getArguments().back(), across.getResult());
  for (Operation &op : epilogue.without_terminator())
    b.clone(op, finish);
  made[kernel] = finish.lookupOrDefault(epilogue.getTerminator()->getOperand(0));
}

void RowChain::build() {
  OpBuilder builder(root);
  SmallVector<Operation *> order = inOrder();
  Region region;
  body = &region.emplaceBlock();
  OpBuilder b(root->getContext());
  b.setInsertionPointToEnd(body);
  SmallVector<Location> locations;
  for (Operation *op : order) {
    locations.push_back(op->getLoc());
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      cloneGeneric(b, generic);
    else
      cloneReduction(b, cast<aot::KernelOp>(op));
  }
  aot::YieldOp::create(b, root->getLoc(), made[root]);
  maps.push_back(resultMap(root).replaceDimsAndSymbols(members[root], {}, frame, 0));
  auto rows = aot::RowsOp::create(builder, builder.getFusedLoc(locations), root->getResultTypes(), "rows", inputs,
                                  cast<DestinationStyleOpInterface>(root).getDpsInits()[0],
                                  builder.getAffineMapArrayAttr(maps), reduced);
  rows.getBody().takeBody(region);
  root->replaceAllUsesWith(rows);
}

namespace {
struct UseRowKernels : impl::UseRowKernelsBase<UseRowKernels> {
  void runOnOperation() override {
    SmallVector<Operation *> roots;
    getOperation().walk([&](Operation *op) {
      if (isElementwise(op) || isReduction(op))
        roots.push_back(op);
    });
    DenseSet<Operation *> done;
    for (Operation *root : llvm::reverse(roots)) {
      if (done.contains(root))
        continue;
      RowChain chain(root);
      if (!chain.grow())
        continue;
      chain.build();
      for (auto &member : chain.all())
        done.insert(member.first);
      // Users before what they use.
      SmallVector<Operation *> members;
      for (auto &member : chain.all())
        members.push_back(member.first);
      eraseChain(members);
    }
  }

  /// Members, the last one first, and the reshapes between them.
  static void eraseChain(ArrayRef<Operation *> members) {
    for (Operation *op : members) {
      eraseReshapes(op->getResult(0));
      op->erase();
    }
  }

  static void eraseReshapes(Value value) {
    for (Operation *user : llvm::make_early_inc_range(value.getUsers())) {
      eraseReshapes(user->getResult(0));
      user->erase();
    }
  }
};
} // namespace
} // namespace onnx_aot
