//===- MakeKernels.cpp - structured operations become kernels and launches ----------------------------------------===//
//
// See MakeKernels.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/MakeKernels.h"
#include "codegen/nvptx/DeviceNest.h"
#include "codegen/nvptx/HostIslands.h"
#include "codegen/nvptx/Independence.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/buffer/DescribeLayers.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
class KernelMaker {
public:
  KernelMaker(func::FuncOp entry, const DeviceContext &context, ArrayRef<BlockArgument> hostInputs)
      : entry(entry), context(context), hostInputs(hostInputs) {}

  /// Copies and named operations become generic ones.
  void makeStructured() {
    IRRewriter rewriter(entry.getContext());
    SmallVector<memref::CopyOp> copies;
    entry.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      rewriter.setInsertionPoint(copy);
      auto structured = linalg::CopyOp::create(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      keepLayer(copy, structured);
      rewriter.eraseOp(copy);
    }
    SmallVector<linalg::LinalgOp> named;
    entry.walk([&](linalg::LinalgOp op) {
      if (!isa<linalg::GenericOp>(op.getOperation()))
        named.push_back(op);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      Attribute layer = op->getAttr(kLayerAttr);
      FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, op);
      if (layer && succeeded(generic))
        (*generic)->setAttr(kLayerAttr, layer);
    }
  }

  LogicalResult makeKernels() {
    SmallVector<Operation *> structured;
    entry.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<linalg::LinalgOp, aot::KernelOp, aot::ResampleOp, aot::RowsOp, aot::AttentionOp>(op))
        return WalkResult::advance();
      structured.push_back(op);
      return WalkResult::skip();
    });
    DenseSet<Operation *> ofHost = hostOperations(structured);
    for (size_t index = 0; index < structured.size(); ++index) {
      Operation *op = structured[index];
      if (ofHost.contains(op))
        continue;
      ArrayRef<Operation *> together = independent(ArrayRef(structured).drop_front(index), ofHost);
      if (together.size() < 2)
        together = ArrayRef(structured).slice(index, 1);
      Operation *last = together.back(), *before = last->getPrevNode();
      if (together.size() > 1) {
        emitTogether(context, together);
      } else {
        FailureOr<bool> isMade = makeKernel(op);
        if (failed(isMade))
          return failure();
        if (!*isMade)
          continue;
      }
      // What now stands between the two came in the last one's place.
      for (Operation *made = before ? before->getNextNode() : &last->getBlock()->front(); made != last;
           made = made->getNextNode())
        made->walk([&](aot::LaunchOp launch) { keepLayers(together, launch); });
      for (Operation *each : together)
        each->erase();
      index += together.size() - 1;
    }
    return success();
  }

private:
  /// `to` does what `from` did, for the report.
  static void keepLayer(Operation *from, Operation *to) {
    if (Attribute layer = from->getAttr(kLayerAttr))
      to->setAttr(kLayerAttr, layer);
  }

  /// A launch does what all of `operations` did.
  static void keepLayers(ArrayRef<Operation *> operations, aot::LaunchOp launch) {
    SmallVector<Attribute> layers;
    for (Operation *op : operations)
      if (Attribute layer = op->getAttr(kLayerAttr))
        layers.push_back(layer);
    if (!layers.empty())
      launch->setAttr(kLayersAttr, ArrayAttr::get(launch.getContext(), layers));
  }

  /// The first of `operations` that are elementwise and independent of each other, with nothing between them.
  static ArrayRef<Operation *> independent(ArrayRef<Operation *> operations, const DenseSet<Operation *> &ofHost) {
    constexpr size_t kMost = 8, kMostOperands = 64; // a kernel has 4 KB of them
    auto isElementwise = [&](Operation *op) {
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
      return isa<linalg::GenericOp, aot::KernelOp>(op) && succeeded(nest) && !nest->compute &&
             !isTransposition(*nest) && !ofHost.contains(op) && !isEmpty(op) && !isTooLarge(op);
    };
    size_t count = 0, operands = 0;
    for (; count < std::min(operations.size(), kMost); ++count) {
      Operation *op = operations[count];
      operands += op->getNumOperands();
      if (!isElementwise(op) || operands > kMostOperands || (count != 0 && !follows(op, operations[count - 1])) ||
          llvm::any_of(operations.take_front(count), [&](Operation *other) { return mayDepend(op, other); }))
        break;
    }
    return operations.take_front(count);
  }

  /// Whether nothing that touches memory is between two operations.
  static bool follows(Operation *op, Operation *before) {
    if (op->getBlock() != before->getBlock())
      return false;
    Operation *between = before->getNextNode();
    while (between != op && isMemoryEffectFree(between))
      between = between->getNextNode();
    return between == op;
  }

  static bool isTooLarge(Operation *op) {
    return llvm::any_of(op->getOperandTypes(), [](Type type) {
      auto buffer = dyn_cast<MemRefType>(type);
      return buffer && buffer.hasStaticShape() && buffer.getNumElements() > KernelBuilder::kMostElements;
    });
  }

  /// False where the host has to do it.
  FailureOr<bool> makeKernel(Operation *op) {
    if (isEmpty(op))
      return true;
    for (Type type : op->getOperandTypes())
      if (auto buffer = dyn_cast<MemRefType>(type);
          buffer && buffer.hasStaticShape() && buffer.getNumElements() > KernelBuilder::kMostElements)
        return op->emitError("unsupported: a tensor of ")
               << buffer.getNumElements() << " elements on a device, where indices have 32 bits";
    if (auto resample = dyn_cast<aot::ResampleOp>(op)) {
      emitResample(context, resample);
      return true;
    }
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
    if (isFused(op)) {
      bool isMade = succeeded(nest) &&
                    succeeded(isa<aot::RowsOp>(op) ? emitRows(context, op, *nest) : emitAttention(context, op, *nest));
      return isMade ? FailureOr<bool>(true) : op->emitError("internal error: a fused kernel that no loop nest tells");
    }
    if (failed(nest))
      return succeeded(emitStructured(context, op));
    if (failed(emitProduct(context, op, *nest)))
      emitReduction(context, op, *nest);
    return true;
  }

  /// Whether only the device has code for it.
  static bool isFused(Operation *op) { return isa<aot::RowsOp, aot::AttentionOp>(op); }

  /// Whether nothing is stored.
  static bool isEmpty(Operation *op) {
    auto styled = cast<DestinationStyleOpInterface>(op);
    return llvm::all_of(styled.getDpsInits(), [](Value init) {
      auto type = dyn_cast<MemRefType>(init.getType());
      return type && type.hasStaticShape() && type.getNumElements() == 0;
    });
  }

  /// What views are made of.
  static Value rootOf(Value value) {
    while (auto view = value.getDefiningOp<ViewLikeOpInterface>())
      value = view.getViewSource();
    return value;
  }

  /// Whether the host has the elements: of inputs that lie there, and of weights.
  bool isOnHost(Value buffer) const {
    Value root = rootOf(buffer);
    return isa_and_nonnull<memref::GetGlobalOp>(root.getDefiningOp()) || llvm::is_contained(hostInputs, root);
  }

  /// The buffer that `value` is a part of: bytes that were given to it, or an argument.
  static Value bufferOf(Value value) {
    while (auto view = value.getDefiningOp<ViewLikeOpInterface>()) {
      if (isa<memref::ViewOp>(view))
        break;
      value = view.getViewSource();
    }
    return value;
  }

  /// Whether what `op` stores to `buffer` is for the host alone: until a kernel stores all of it anew, nothing but
  /// `isOfHost` and loads of single elements touch it.
  static bool isReadByHost(Operation *op, Value buffer, llvm::function_ref<bool(Operation *)> isOfHost) {
    if (!buffer.getDefiningOp())
      return false;
    SmallVector<Value> views = {buffer};
    DenseSet<Operation *> users;
    while (!views.empty())
      for (Operation *user : views.pop_back_val().getUsers()) {
        if (user->getBlock() != op->getBlock())
          return false;
        if (isa<ViewLikeOpInterface>(user))
          llvm::append_range(views, user->getResults());
        else if (op->isBeforeInBlock(user))
          users.insert(user);
      }
    for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
      if (!users.contains(next) || isOfHost(next) || isa<memref::LoadOp, memref::DimOp>(next))
        continue;
      return isMadeAnew(next, buffer);
    }
    return true;
  }

  /// Small operations on what the host has, for nobody but the host.
  DenseSet<Operation *> hostOperations(ArrayRef<Operation *> structured) const {
    constexpr double kMostPoints = 1 << 16;
    DenseSet<Operation *> result;
    for (Operation *op : llvm::reverse(structured)) {
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
      double points = 1;
      if (succeeded(nest))
        for (const aot::LoopDim &dim : nest->dims)
          points *= double(dim.extent.estimate());
      auto styled = cast<DestinationStyleOpInterface>(op);
      SetVector<Value> captured;
      getUsedValuesDefinedAbove(op->getRegions(), captured);
      auto isElsewhere = [&](Value value) { return isa<MemRefType>(value.getType()) && !isOnHost(value); };
      bool isSmall = succeeded(nest) && points <= kMostPoints;
      bool isReady = llvm::none_of(styled.getDpsInputs(), isElsewhere) && llvm::none_of(captured, isElsewhere);
      bool isForHost = llvm::all_of(styled.getDpsInits(), [&](Value init) {
        return isReadByHost(op, bufferOf(init), [&](Operation *user) { return result.contains(user); });
      });
      if (isSmall && isReady && isForHost && !isFused(op))
        result.insert(op);
    }
    return result;
  }

  func::FuncOp entry;
  const DeviceContext &context;
  ArrayRef<BlockArgument> hostInputs;
};
} // namespace

LogicalResult onnx_aot::makeKernels(func::FuncOp entry, const DeviceContext &context,
                                    ArrayRef<BlockArgument> hostInputs) {
  KernelMaker maker(entry, context, hostInputs);
  maker.makeStructured();
  return maker.makeKernels();
}
