//===- OrderOperations.cpp - the order of operations that needs least memory --------------------------------------===//
//
// Where a network branches, the order of what does not depend on each other decides how many buffers are in use at the
// same time. Looks for an order with a lower peak by dynamic programming over the sets of operations that may be done,
// as Ahn et al. do ("Ordering Chaos: Memory-Aware Scheduling of Irregularly Wired Neural Networks for Edge Devices",
// MLSys 2020): of all ways to the same set, the one with the lowest peak counts. Of the sets of one size the best
// kWidth are kept, which is all of them in small graphs.
//
//   exp %x -> %a (large)                exp %x -> %a (large)
//   exp %x -> %b (large)       =>       reduce %a -> %c (small)
//   reduce %a -> %c (small)             exp %x -> %b (large)
//   reduce %b -> %d (small)             reduce %b -> %d (small)
//
// - Operations that touch one buffer stay in their order if one of them writes it. None crosses one whose effects are
// not
//   known, nor a check (aot.require).
// - Views and allocations go where they are first needed.
// - The search counts an elementwise operation over a buffer of the same size as working in its place; what is so in
// the
//   end is for BufferLifetimes. Its live bytes decide: an order that does not lower their peak is taken back.
//
// Before: there are no tensors, kernels have their scratch memory.  After: the same operations in another order.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "passes/buffer/BufferLifetimes.h"
#include "passes/buffer/Passes.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <functional>
#include <map>

namespace onnx_aot {
#define GEN_PASS_DEF_ORDEROPERATIONS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
/// How many sets of one size are kept, and how many operations are searched at all.
constexpr size_t kWidth = 64, kMostOperations = 500;

/// An operation that touches memory, by numbers of buffers.
struct Node {
  Operation *op;
  SmallVector<unsigned, 4> reads, writes;
  SmallVector<unsigned, 4> after; // nodes that must be done before
  int64_t inner = 0;              // bytes of buffers inside of it
};

/// What is allocated: its size and who touches it.
struct Root {
  int64_t bytes = 0;
  SmallVector<unsigned, 4> touchedBy = {};
};

struct State {
  llvm::BitVector done;
  int64_t live = 0, peak = 0;
  SmallVector<unsigned> order;
};

class Ordering {
public:
  explicit Ordering(Block &block) : block(block) {}

  /// False where nothing can be said or gained.
  bool find(SmallVectorImpl<Operation *> &order) {
    collect();
    if (nodes.size() > kMostOperations)
      return false;
    SmallVector<unsigned> given = llvm::to_vector(llvm::seq<unsigned>(0, nodes.size()));
    int64_t before = peakOf(given), least = 0;
    for (const Node &node : nodes)
      least = std::max(least, touchedBytes(node));
    if (before <= least)
      return false;
    std::optional<State> best = search(before);
    if (!best)
      return false;
    for (unsigned number : best->order)
      order.push_back(nodes[number].op);
    return true;
  }

private:
  //===-- What there is -----------------------------------------------------------------------------------------===//

  /// The value that a chain of views starts from.
  static Value rootOf(Value value) {
    while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
      value = view.getViewSource();
    return value;
  }

  static int64_t bytesOf(memref::AllocOp alloc) {
    Type element = alloc.getType().getElementType();
    return alloc.getType().getNumElements() * (isa<IndexType>(element) ? 8 : onnx::bytesPerElement(element));
  }

  void collect() {
    llvm::MapVector<Value, SmallVector<unsigned>> writers, readers;
    SmallVector<unsigned> sinceBarrier;
    std::optional<unsigned> barrier;
    for (Operation &op : block.without_terminator()) {
      if (isMemoryEffectFree(&op) || isa<memref::AllocOp>(op)) {
        if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
          number[alloc.getResult()] = roots.size();
          roots.push_back({bytesOf(alloc)});
        }
        continue;
      }
      unsigned index = nodes.size();
      Node node{&op, {}, {}, {}};
      llvm::SmallSetVector<unsigned, 8> after;
      llvm::SmallSetVector<Value, 8> reads, writes;
      bool isKnown = effectsOf(op, reads, writes, node.inner);
      if (!isKnown) {
        after.insert(sinceBarrier.begin(), sinceBarrier.end());
        sinceBarrier.clear();
      }
      if (barrier)
        after.insert(*barrier);
      for (Value value : reads) {
        after.insert(writers[value].begin(), writers[value].end());
        readers[value].push_back(index);
      }
      for (Value value : writes) {
        after.insert(writers[value].begin(), writers[value].end());
        after.insert(readers[value].begin(), readers[value].end());
        writers[value].push_back(index);
      }
      after.remove(index);
      // Values that are no memory.
      for (Value operand : usedFromOutside(op))
        if (Operation *definition = operand.getDefiningOp(); definition && nodeOf.contains(definition))
          after.insert(nodeOf[definition]);
      nodeOf[&op] = index;
      for (Value value : reads)
        if (number.contains(value))
          node.reads.push_back(number[value]);
      for (Value value : writes)
        if (number.contains(value))
          node.writes.push_back(number[value]);
      llvm::SmallSetVector<unsigned, 8> touched(node.reads.begin(), node.reads.end());
      touched.insert(node.writes.begin(), node.writes.end());
      for (unsigned root : touched)
        roots[root].touchedBy.push_back(index);
      node.after.assign(after.begin(), after.end());
      nodes.push_back(std::move(node));
      if (isKnown)
        sinceBarrier.push_back(index);
      else
        barrier = index;
    }
  }

  static SmallVector<Value> usedFromOutside(Operation &op) {
    SmallVector<Value> used;
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (!op.isAncestor(operand.getParentBlock()->getParentOp()))
          used.push_back(operand);
    });
    return used;
  }

  /// False where the operation is one that no other may cross.
  static bool effectsOf(Operation &op, llvm::SmallSetVector<Value, 8> &reads, llvm::SmallSetVector<Value, 8> &writes,
                        int64_t &inner) {
    bool isKnown = op.getNumResults() == 0;
    op.walk([&](Operation *part) {
      if (auto alloc = dyn_cast<memref::AllocOp>(part)) {
        inner += bytesOf(alloc);
        return;
      }
      // What has but the effects of its body is a loop or a branch.
      auto effects = dyn_cast<MemoryEffectOpInterface>(part);
      if (isMemoryEffectFree(part) || (!effects && part->hasTrait<OpTrait::HasRecursiveMemoryEffects>()))
        return;
      isKnown &= isa<DestinationStyleOpInterface, memref::CopyOp, memref::LoadOp, memref::StoreOp>(part);
      for (OpOperand &operand : part->getOpOperands()) {
        if (!isa<BaseMemRefType>(operand.get().getType()))
          continue;
        Value root = rootOf(operand.get());
        Operation *definition = root.getDefiningOp();
        bool isInner =
            definition ? op.isProperAncestor(definition) : op.isAncestor(root.getParentBlock()->getParentOp());
        bool isMemory = definition ? isa<memref::AllocOp, memref::GetGlobalOp>(definition) : !isInner;
        isKnown &= isMemory;
        if (isInner)
          continue;
        if (!effects || effects.getEffectOnValue<MemoryEffects::Read>(operand.get()))
          reads.insert(root);
        if (!effects || effects.getEffectOnValue<MemoryEffects::Write>(operand.get()))
          writes.insert(root);
      }
    });
    return isKnown;
  }

  //===-- What an order takes -----------------------------------------------------------------------------------===//

  int64_t touchedBytes(const Node &node) const {
    llvm::SmallSetVector<unsigned, 8> touched(node.reads.begin(), node.reads.end());
    touched.insert(node.writes.begin(), node.writes.end());
    int64_t sum = node.inner;
    for (unsigned root : touched)
      sum += roots[root].bytes;
    return sum - inPlaceBytes(node);
  }

  /// What an elementwise operation saves that may write over what it reads.
  int64_t inPlaceBytes(const Node &node) const {
    auto generic = dyn_cast<linalg::GenericOp>(node.op);
    if (!generic || generic.getNumReductionLoops() != 0 || node.writes.size() != 1 ||
        !llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); }))
      return 0;
    int64_t bytes = roots[node.writes.front()].bytes;
    bool isAlike = llvm::any_of(
        node.reads, [&](unsigned root) { return root != node.writes.front() && roots[root].bytes == bytes; });
    return isAlike ? bytes : 0;
  }

  /// Does node `index`.
  void advance(State &state, unsigned index) const {
    const Node &node = nodes[index];
    llvm::SmallSetVector<unsigned, 8> touched(node.reads.begin(), node.reads.end());
    touched.insert(node.writes.begin(), node.writes.end());
    int64_t dying = 0, dyingAlike = 0, born = 0;
    auto isDone = [&](unsigned other) { return state.done.test(other); };
    for (unsigned root : touched) {
      const Root &buffer = roots[root];
      bool isNew = llvm::none_of(buffer.touchedBy, isDone);
      born += isNew ? buffer.bytes : 0;
      if (llvm::count_if(buffer.touchedBy, isDone) + 1 == int64_t(buffer.touchedBy.size())) {
        dying += buffer.bytes;
        if (!isNew && buffer.bytes == inPlaceBytes(node))
          dyingAlike = buffer.bytes;
      }
    }
    state.peak = std::max(state.peak, state.live + born + node.inner - dyingAlike);
    state.live += born - dying;
    state.done.set(index);
    state.order.push_back(index);
  }

  int64_t peakOf(ArrayRef<unsigned> order) const {
    State state{llvm::BitVector(nodes.size()), 0, 0, {}};
    for (unsigned index : order)
      advance(state, index);
    return state.peak;
  }

  std::optional<State> search(int64_t before) const {
    std::vector<State> states = {State{llvm::BitVector(nodes.size()), 0, 0, {}}};
    for (size_t step = 0; step < nodes.size(); ++step) {
      llvm::MapVector<llvm::hash_code, State> next;
      for (const State &state : states)
        for (unsigned index = 0; index < nodes.size(); ++index) {
          auto isDone = [&](unsigned other) { return state.done.test(other); };
          if (state.done.test(index) || !llvm::all_of(nodes[index].after, isDone))
            continue;
          State further = state;
          advance(further, index);
          if (further.peak >= before)
            continue;
          auto [found, isNew] = next.try_emplace(llvm::hash_value(llvm::ArrayRef(further.done.getData())), further);
          if (!isNew && further.peak < found->second.peak && found->second.done == further.done)
            found->second = std::move(further);
        }
      states.clear();
      for (auto &entry : next)
        states.push_back(std::move(entry.second));
      // Among equals, the order that is nearest to the given one.
      llvm::sort(states, [](const State &a, const State &b) {
        return std::tie(a.peak, a.live, a.order) < std::tie(b.peak, b.live, b.order);
      });
      if (states.size() > kWidth)
        states.resize(kWidth);
    }
    return states.empty() ? std::nullopt : std::optional(std::move(states.front()));
  }

  Block &block;
  std::vector<Node> nodes;
  std::vector<Root> roots;
  llvm::DenseMap<Value, unsigned> number; // of the buffers
  llvm::DenseMap<Operation *, unsigned> nodeOf;
};

struct OrderOperations : impl::OrderOperationsBase<OrderOperations> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    // Sizes that only a run knows cannot be compared.
    auto isDynamic = [](memref::AllocOp alloc) {
      return alloc.getType().hasStaticShape() ? WalkResult::advance() : WalkResult::interrupt();
    };
    if (!function.getBody().hasOneBlock() || function.walk(isDynamic).wasInterrupted())
      return;
    Block &block = function.getBody().front();
    SmallVector<Operation *> order, given;
    if (!Ordering(block).find(order))
      return;
    for (Operation &op : block.without_terminator())
      given.push_back(&op);
    FailureOr<int64_t> before = peakOf(function);
    arrange(block, order);
    FailureOr<int64_t> after = peakOf(function);
    if (failed(before) || failed(after))
      return signalPassFailure();
    if (*after >= *before)
      for (Operation *op : given)
        op->moveBefore(block.getTerminator());
  }

  /// The largest sum of buffers that are in use at the same time.
  static FailureOr<int64_t> peakOf(func::FuncOp function) {
    BufferSizes sizes(function);
    FailureOr<SmallVector<Buffer>> buffers = BufferLifetimes::find(function, sizes);
    if (failed(buffers))
      return failure();
    std::map<int64_t, int64_t> changes; // of the sum, by step
    SmallVector<std::pair<int64_t, int64_t>> spans;
    for (Buffer &buffer : *buffers) {
      spans.push_back({buffer.first, buffer.last});
      int place = spans.size() - 1;
      while ((*buffers)[place].sharesWith >= 0)
        place = (*buffers)[place].sharesWith;
      spans[place] = {std::min(spans[place].first, buffer.first), std::max(spans[place].second, buffer.last)};
    }
    for (auto [buffer, span] : llvm::zip(*buffers, spans))
      if (buffer.sharesWith < 0) {
        changes[span.first] += buffer.size.bytes;
        changes[span.second + 1] -= buffer.size.bytes;
      }
    int64_t live = 0, peak = 0;
    for (auto [step, change] : changes)
      peak = std::max(peak, live += change);
    return peak;
  }

  /// Puts `order` at the end of the block, each operation behind what it needs that is not in `order`.
  static void arrange(Block &block, ArrayRef<Operation *> order) {
    llvm::DenseSet<Operation *> isOrdered(order.begin(), order.end()), moved;
    std::function<void(Operation *)> move = [&](Operation *op) {
      if (!moved.insert(op).second)
        return;
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *definition = operand.getDefiningOp();
              definition && definition->getBlock() == &block && !isOrdered.contains(definition))
            move(definition);
      });
      op->moveBefore(block.getTerminator());
    };
    SmallVector<Operation *> all;
    for (Operation &op : block.without_terminator())
      all.push_back(&op);
    for (Operation *op : order)
      move(op);
    for (Operation *op : all)
      move(op);
  }
};
} // namespace
} // namespace onnx_aot
