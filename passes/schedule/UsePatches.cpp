//===- UsePatches.cpp - chains of kernels, some rows at a time, to meet a budget of memory ------------------------===//
//
// The first layers of a network over images make its largest tensors. Run to the end some rows at a time, a chain of
// such layers needs memory only for what lies between its ends (patch-based execution: Lin et al., "MCUNetV2:
// Memory-Efficient Patch-based Inference for Tiny Deep Learning", NeurIPS 2021):
//
//   %a = aot.kernel A(%x)                           %y = scf.for strip iter_args(%out)
//   %p = insert_slice %a into zeros                   A makes the rows that B needs, in padding
//   %b = aot.kernel B(%p)                    =>       B makes the rows that C needs, ...
//   %y = aot.kernel C(%b)                             C makes a strip of %out
//
// 1. Chains are followed from their last kernel to their first: each is read by the next alone, through padding or not.
//    Padding of what the first one reads belongs to the chain too.
// 2. A chain is cut into parts, each of which runs as a whole or in strips: by dynamic programming, so that the memory
//    of each part is within the budget if it can be, and as few rows as possible are computed twice.
// 3. Strips begin at row min(strip * rows, all - rows) of the result. What a kernel has to make for the next one begins
//    earlier; at the image's ends, where that would be padding, it begins with the first row or ends with the last one,
//    at another place of a buffer that is as much larger.
//
// Rows at the seams of strips are computed twice. aot-fuse-rows keeps them instead, for speed, and for two kernels.
//
// Before: kernels are final.  After: those of a part in strips stand in a loop, on slices of tensors.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/schedule/Passes.h"
#include "passes/schedule/RowStrips.h"

namespace onnx_aot {
#define GEN_PASS_DEF_USEPATCHES
#include "passes/schedule/Passes.h.inc"

using namespace mlir;
using aot::KernelOp;

namespace {
/// A kernel of a chain, and how it reads what lies before it.
struct Layer {
  mutable KernelOp kernel;
  unsigned rows = 0; // the dim of its result that strips divide

  // The operand that comes from the layer before or, of the first one, is padded here; null: there is none.
  Value source;
  unsigned operand = 0;
  RowAccess access;
  mutable tensor::InsertSliceOp padding; // null where there is none
  Value padValue;

  RankedTensorType made() const { return cast<RankedTensorType>(kernel.getResult(0).getType()); }
  int64_t height() const { return made().getDimSize(rows); }
  RankedTensorType sourceType() const { return cast<RankedTensorType>(source.getType()); }
  RankedTensorType readType() const { return padding ? padding.getDestType() : sourceType(); }
  int64_t sourceHeight() const { return sourceType().getDimSize(access.position); }
  int64_t top() const { return padding ? padding.getStaticOffsets()[access.position] : 0; }

  /// How `rows` rows of the result read the source: `window` rows of a buffer from `begin` on, in which `made` rows of
  /// the source lie. At the upper end of the image those begin up to `late` rows later than what is read.
  struct Window {
    int64_t window, made, begin, late, buffer;
  };
  Window windowFor(int64_t count) const {
    int64_t window = access.sizeFor(count), made = std::min(window, sourceHeight());
    int64_t first = access.first - top(), last = access.scale * (height() - count) + first;
    int64_t begin = std::max<int64_t>(0, last - (sourceHeight() - made)), late = std::max<int64_t>(0, -first);
    return {window, made, begin, late, begin + std::max(window, late + made)};
  }
  /// Of that buffer.
  int64_t windowBytes(int64_t count) const {
    return bytesOf(readType()) / readType().getDimSize(access.position) * windowFor(count).buffer;
  }
  /// What a row costs, in points of the kernel's loops.
  double pointsPerRow() const {
    double points = 1;
    for (int64_t extent : kernel.getStaticExtents())
      points *= extent;
    return points / height();
  }
};

/// The operand `number` of `consumer` as what lies before it, if rows of the one are rows of the other.
bool linkTo(Layer &layer, unsigned number) {
  Value value = layer.kernel.getInputs()[number];
  layer.operand = number;
  layer.access = *rowAccess(layer.kernel, loopDimOf(layer.kernel, layer.rows), number);
  if (layer.access.position < 1 || !value.hasOneUse())
    return false;
  if (auto insert = value.getDefiningOp<tensor::InsertSliceOp>()) {
    layer.padding = insert;
    layer.padValue = fillOf(insert.getDest());
    value = insert.getSource();
    auto isDynamic = [](ArrayRef<int64_t> values) { return llvm::any_of(values, ShapedType::isDynamic); };
    if (!layer.padValue || !insert.hasUnitStride() || isDynamic(insert.getStaticOffsets()) ||
        isDynamic(insert.getStaticSizes()) || insert.getSourceType().getRank() != insert.getDestType().getRank())
      return false;
  }
  layer.source = value;
  return true;
}

/// The layers from the first one to `last`.
SmallVector<Layer> chainTo(KernelOp last, unsigned rows) {
  SmallVector<Layer> reversed;
  for (KernelOp kernel = last; hasRows(kernel, rows) && kernel->getBlock() == last->getBlock();) {
    Layer layer{kernel, rows, {}, 0, {}, {}, {}};
    std::optional<Layer> before, padded;
    for (unsigned number = 0; number < kernel.getInputs().size(); ++number) {
      Layer linked = layer;
      if (!linkTo(linked, number))
        continue;
      auto producer = linked.source.getDefiningOp<KernelOp>();
      bool isLayer = linked.source.hasOneUse() && hasRows(producer, linked.access.position) &&
                     producer->getBlock() == last->getBlock();
      if (isLayer && (!before || bytesOf(linked.sourceType()) > bytesOf(before->sourceType())))
        before = linked;
      else if (!isLayer && linked.padding)
        padded = linked;
    }
    reversed.push_back(before ? *before : padded ? *padded : layer);
    if (!before)
      break;
    kernel = before->source.getDefiningOp<KernelOp>();
    rows = before->access.position;
  }
  return SmallVector<Layer>(llvm::reverse(reversed));
}

/// Writes some layers of a chain as a loop over strips of `rows` rows.
class PatchLoop : RowStrips {
public:
  PatchLoop(OpBuilder &builder, ArrayRef<Layer> layers, int64_t rows)
      : RowStrips(ImplicitLocOpBuilder(layers.back().kernel.getLoc(), builder)), layers(layers), rows(rows) {}

  Value build() {
    const Layer &last = layers.back();
    Value result = tensor::EmptyOp::create(b, last.made().getShape(), last.made().getElementType());
    int64_t strips = llvm::divideCeil(last.height(), rows);
    auto loop = scf::ForOp::create(b, index(0), index(strips), index(1), result);
    loop->setAttr(aot::kStripsAttr, b.getUnitAttr());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value row = times(loop.getInductionVar(), rows);
    if (last.height() % rows != 0)
      row = arith::MinUIOp::create(b, row, index(last.height() - rows));
    Value given = readBy(layers.size() - 1, row, rows), carried = loop.getRegionIterArg(0);
    Part strip = {last.rows, row, rows};
    Value made = onRows(last.kernel, last.rows, row, rows, last.operand, given, slice(carried, strip));
    scf::YieldOp::create(b, insert(made, carried, strip));
    return loop.getResult(0);
  }

private:
  /// What `count` rows of layer `number` from `row` on read: made by the layer before, or taken from the source. Null
  /// where the layer reads a part of what is there anyway.
  Value readBy(size_t number, Value row, int64_t count) {
    const Layer &layer = layers[number];
    bool isFirst = number == 0;
    if (isFirst && (!layer.source || !layer.padding))
      return Value();
    Layer::Window window = layer.windowFor(count);
    unsigned dim = layer.access.position;
    Value wanted = plus(times(row, layer.access.scale), layer.access.first - layer.top()), start = wanted;
    if (window.late > 0)
      start = arith::MaxSIOp::create(b, start, index(0));
    if (window.begin > 0)
      start = arith::MinSIOp::create(b, start, index(layer.sourceHeight() - window.made));
    // All that lies before it is done when its buffer comes to life.
    Value given = isFirst ? slice(layer.source, Part{dim, start, window.made}) : readBy(number - 1, start, window.made);
    SmallVector<int64_t> shape(layer.readType().getShape());
    shape[dim] = window.buffer;
    Value buffer = tensor::EmptyOp::create(b, shape, layer.readType().getElementType());
    SmallVector<Part> place;
    if (layer.padding) {
      buffer = padded(layer, window, buffer);
      for (unsigned other = 0; other < shape.size(); ++other)
        if (other != dim)
          place.push_back(
              {other, b.getIndexAttr(layer.padding.getStaticOffsets()[other]), layer.sourceType().getDimSize(other)});
    }
    Value at = start == wanted ? index(window.begin) : plus(b.createOrFold<arith::SubIOp>(start, wanted), window.begin);
    place.push_back({dim, at, window.made});
    Value part = slice(buffer, place);
    Value made;
    if (!isFirst) {
      const Layer &before = layers[number - 1];
      made = onRows(before.kernel, before.rows, start, window.made, before.operand, given, part);
    } else {
      SmallVector<AffineMap> maps(2, b.getMultiDimIdentityMap(shape.size()));
      SmallVector<utils::IteratorType> parallel(shape.size(), utils::IteratorType::parallel);
      made = linalg::GenericOp::create(b, part.getType(), given, part, maps, parallel,
                                       [](OpBuilder &builder, Location loc, ValueRange values) {
                                         linalg::YieldOp::create(builder, loc, values.front());
                                       })
                 .getResult(0);
    }
    buffer = insert(made, buffer, place);
    if (window.begin == 0 && window.buffer == window.window)
      return buffer;
    return slice(buffer, Part{dim, b.getIndexAttr(window.begin), window.window});
  }

  /// `buffer` with the padding beside the rows, and where rows may be missing.
  Value padded(const Layer &layer, const Layer::Window &window, Value buffer) {
    unsigned rowDim = layer.access.position;
    ArrayRef<int64_t> offsets = layer.padding.getStaticOffsets();
    for (unsigned dim = 0; dim < offsets.size(); ++dim) {
      if (dim == rowDim)
        continue;
      int64_t end = offsets[dim] + layer.sourceType().getDimSize(dim), all = layer.readType().getDimSize(dim);
      if (offsets[dim] > 0)
        buffer = pad(buffer, layer.padValue, {dim, b.getIndexAttr(0), offsets[dim]});
      if (end < all)
        buffer = pad(buffer, layer.padValue, {dim, b.getIndexAttr(end), all - end});
    }
    if (window.late > 0)
      buffer = pad(buffer, layer.padValue, {rowDim, b.getIndexAttr(window.begin), window.late});
    if (int64_t end = window.begin + window.window; window.made < end)
      buffer = pad(buffer, layer.padValue, {rowDim, b.getIndexAttr(window.made), end - window.made});
    return buffer;
  }

  ArrayRef<Layer> layers;
  int64_t rows;
};

/// How to run a part of a chain.
struct Plan {
  int64_t excess = 0;  // bytes above the budget
  double repeated = 0; // points of loops that are computed again
  int64_t rows = 0;    // of a strip; 0: as a whole

  bool operator<(const Plan &other) const {
    return std::tuple(excess, repeated) < std::tuple(other.excess, other.repeated);
  }
};

struct UsePatches : impl::UsePatchesBase<UsePatches> {
  using Base::Base;

  void runOnOperation() override {
    for (Block &block : getOperation().getBody())
      runOn(block);
  }

  void runOn(Block &block) {
    SmallVector<KernelOp> kernels(block.getOps<KernelOp>());
    llvm::DenseSet<Operation *> taken;
    for (KernelOp last : llvm::reverse(kernels)) {
      if (taken.contains(last))
        continue;
      SmallVector<Layer> longest;
      for (unsigned rows = 1; rows < 4; ++rows)
        if (SmallVector<Layer> chain = chainTo(last, rows); chain.size() > longest.size())
          longest = chain;
      for (const Layer &layer : longest)
        taken.insert(layer.kernel);
      if (!longest.empty())
        cut(longest);
    }
  }

  /// Runs the chain in the parts that need least.
  void cut(ArrayRef<Layer> chain) {
    int64_t budget = bytes - liveBeside(chain);
    // The best way to run the first layers, up to each, and where its last part begins.
    SmallVector<Plan> best(chain.size() + 1);
    SmallVector<std::pair<size_t, int64_t>> parts(chain.size() + 1);
    for (size_t end = 1; end <= chain.size(); ++end) {
      best[end].excess = INT64_MAX;
      // What needs no loop comes first, and stays where nothing is better.
      for (size_t begin = end; begin-- > 0;) {
        Plan part = planOf(chain.slice(begin, end - begin), budget);
        Plan sum = {std::max(best[begin].excess, part.excess), best[begin].repeated + part.repeated, part.rows};
        if (sum < best[end]) {
          best[end] = sum;
          parts[end] = {begin, part.rows};
        }
      }
    }
    for (size_t end = chain.size(); end > 0; end = parts[end].first)
      if (auto [begin, rows] = parts[end]; rows > 0)
        runInStrips(chain.slice(begin, end - begin), rows);
  }

  Plan planOf(ArrayRef<Layer> layers, int64_t budget) const {
    Plan best;
    best.excess = INT64_MAX;
    if (layers.size() == 1)
      best = {std::max<int64_t>(0, wholeBytes(layers.front()) - budget), 0, 0};
    if (layers.size() == 1 && (best.excess == 0 || !layers.front().padding || layers.front().source.getDefiningOp()))
      return best;
    for (int64_t rows = layers.back().height() - 1; rows > 0; --rows) {
      Plan plan = {std::max<int64_t>(0, stripBytes(layers, rows) - budget), repeatedPoints(layers, rows), rows};
      if (plan < best)
        best = plan;
    }
    return best;
  }

  /// A tensor of the arena; what the caller gives takes nothing of it.
  static int64_t arenaBytes(Value value) {
    return value.getDefiningOp() && !isa<arith::ConstantOp>(value.getDefiningOp()) ? bytesOf(value.getType()) : 0;
  }

  static bool isReturned(Value value) {
    return llvm::any_of(value.getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); });
  }

  /// The result with what is put around it, unless it is the caller's.
  static int64_t resultBytes(const Layer &layer) {
    Value result = layer.kernel.getResult(0);
    if (isReturned(result))
      return 0;
    if (result.hasOneUse())
      if (auto insert = dyn_cast<tensor::InsertSliceOp>(*result.user_begin()); insert && insert.getSource() == result)
        return bytesOf(insert.getDestType());
    return bytesOf(result.getType());
  }

  /// All that the layers read from outside.
  static int64_t operandBytes(ArrayRef<Layer> layers, bool areStrips) {
    int64_t sum = 0;
    for (auto [number, layer] : llvm::enumerate(layers))
      for (auto [operand, value] : llvm::enumerate(layer.kernel.getInputs())) {
        bool isLinked = layer.source && operand == layer.operand;
        if (isLinked && number > 0)
          continue;
        sum += isLinked && areStrips && layer.padding ? arenaBytes(layer.source) : arenaBytes(value);
      }
    return sum;
  }

  static int64_t wholeBytes(const Layer &layer) { return operandBytes(layer, false) + resultBytes(layer); }

  /// In a loop over strips, a kernel's window and the one that it writes to are in use at the same time.
  static int64_t stripBytes(ArrayRef<Layer> layers, int64_t rows) {
    int64_t most = 0, written = 0; // of the layer behind
    for (auto [number, layer] : llvm::enumerate(llvm::reverse(layers))) {
      bool isFirst = number + 1 == layers.size();
      bool hasWindow = layer.source && (!isFirst || layer.padding);
      int64_t read = hasWindow ? layer.windowBytes(rows) : 0;
      most = std::max(most, read + written);
      written = read;
      if (hasWindow)
        rows = layer.windowFor(rows).made;
    }
    return operandBytes(layers, true) + resultBytes(layers.back()) + most;
  }

  static double repeatedPoints(ArrayRef<Layer> layers, int64_t rows) {
    int64_t strips = llvm::divideCeil(layers.back().height(), rows);
    double points = 0;
    for (auto [number, layer] : llvm::enumerate(llvm::reverse(layers))) {
      points += layer.pointsPerRow() * double(strips * rows - layer.height());
      if (number + 1 < layers.size())
        rows = layer.windowFor(rows).made;
    }
    return points;
  }

  /// Bytes that are in use all the while the chain runs, beside what it reads and makes.
  static int64_t liveBeside(ArrayRef<Layer> chain) {
    Operation *first = chain.front().kernel, *last = chain.back().kernel;
    Block *block = last->getBlock();
    auto isBehind = [&](Operation *user) {
      Operation *ancestor = block->findAncestorOpInBlock(*user);
      return ancestor && last->isBeforeInBlock(ancestor);
    };
    int64_t sum = 0;
    for (Operation &op : *block) {
      if (&op == first)
        break;
      if (isa<tensor::EmptyOp, arith::ConstantOp>(op))
        continue;
      for (Value result : op.getResults()) {
        auto type = dyn_cast<RankedTensorType>(result.getType());
        if (type && type.hasStaticShape() && llvm::any_of(result.getUsers(), isBehind))
          sum += bytesOf(type);
      }
    }
    return sum;
  }

  static void runInStrips(ArrayRef<Layer> layers, int64_t rows) {
    OpBuilder builder(layers.back().kernel);
    layers.back().kernel.getResult(0).replaceAllUsesWith(PatchLoop(builder, layers, rows).build());
    for (const Layer &layer : llvm::reverse(layers)) {
      tensor::InsertSliceOp padding = layer.padding;
      layer.kernel.erase();
      if (padding && padding->use_empty())
        padding.erase();
    }
  }
};
} // namespace
} // namespace onnx_aot
