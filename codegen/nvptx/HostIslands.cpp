//===- HostIslands.cpp - what of the entry the device does not do -------------------------------------------------===//
//
// See HostIslands.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/HostIslands.h"
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace onnx_aot;

/// What `value` is a view of; null where it is none.
static Value sourceOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto view = dyn_cast_or_null<ViewLikeOpInterface>(op))
    return view.getViewSource();
  if (auto metadata = dyn_cast_or_null<memref::ExtractStridedMetadataOp>(op))
    return metadata.getSource();
  return Value();
}

static Value rootOf(Value value) {
  while (Value source = sourceOf(value))
    value = source;
  return value;
}

/// Whether operations of the device, or buffers that they make, are in `op`, or buffers themselves are passed on by it.
static bool isControl(Operation &op) {
  if (op.getNumRegions() == 0)
    return false;
  auto isBuffer = [](Type type) { return isa<MemRefType>(type); };
  bool carries =
      llvm::any_of(op.getResultTypes(), isBuffer) || llvm::any_of(op.getRegions(), [&](Region &region) {
        return llvm::any_of(region, [&](Block &block) { return llvm::any_of(block.getArgumentTypes(), isBuffer); });
      });
  return carries || op.walk([](Operation *inner) {
                        return isa<aot::LaunchOp, aot::DeviceMemoryOp>(inner) ? WalkResult::interrupt()
                                                                              : WalkResult::advance();
                      }).wasInterrupted();
}

LogicalResult HostIslands::run(func::FuncOp entry) { return processBlock(entry.getBody().front()); }

LogicalResult HostIslands::processBlock(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    bool isOfStream = isa<aot::LaunchOp, aot::TransferOp, aot::DeviceMemoryOp>(op);
    if (isOfStream || isControl(op) || op.hasTrait<OpTrait::IsTerminator>()) {
      endIsland(&op);
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          if (failed(processBlock(inner)))
            return failure();
    } else if (!isMemoryEffectFree(&op) && failed(bring(&op))) {
      return failure();
    }
  }
  return success();
}

/// Of the entry's arguments, what the device has was replaced before; what is carried by loops is the device's.
bool HostIslands::isOfDevice(Value root) const {
  if (auto argument = dyn_cast<BlockArgument>(root))
    return !isa<func::FuncOp>(argument.getOwner()->getParentOp()) || deviceArguments.contains(argument);
  return !isa<memref::GetGlobalOp, memref::AllocaOp, memref::AllocOp, aot::SlotOp>(root.getDefiningOp());
}

/// Whether nothing in `scope` stores to `value`.
static bool isOnlyRead(Value value, Operation *scope) {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *user = use.getOwner();
    if (!scope->isAncestor(user) || isa<memref::LoadOp>(user))
      return true;
    if (auto styled = dyn_cast<DestinationStyleOpInterface>(user))
      return !styled.isDpsInit(&use);
    if (isa<ViewLikeOpInterface, memref::ExtractStridedMetadataOp>(user))
      return llvm::all_of(user->getResults(), [&](Value result) { return isOnlyRead(result, scope); });
    return isa<memref::DimOp>(user);
  });
}

LogicalResult HostIslands::bring(Operation *op) {
  SetVector<Value> touched(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), touched);
  touched.remove_if([&](Value value) { return !isa<MemRefType>(value.getType()) || !isOfDevice(rootOf(value)); });
  // What another buffer had in the same bytes goes back before any of the operation's own is brought.
  if (llvm::any_of(touched, [&](Value value) { return meetsOther(baseOf(value)); }))
    endIsland(op);
  isBringing = false;
  for (Value value : touched) {
    bool isWritten = !isOnlyRead(value, op);
    FailureOr<Value> host = hostOf(value, op);
    if (failed(host))
      return failure();
    value.replaceUsesWithIf(*host, [&](OpOperand &use) { return op->isAncestor(use.getOwner()); });
    if (isWritten)
      markWritten(value);
  }
  if (!isBringing)
    return success();
  // One wait for all that were brought.
  OpBuilder builder(op);
  Value ok = aot::WaitOp::create(builder, op->getLoc(), builder.getI1Type(), runtime);
  aot::RequireOp::create(builder, op->getLoc(), ok, aot::Code::device_error);
  return success();
}

/// The bytes of its root that a buffer takes.
static std::optional<std::pair<int64_t, int64_t>> rangeOf(Value buffer) {
  auto view = buffer.getDefiningOp<memref::ViewOp>();
  auto type = cast<MemRefType>(buffer.getType());
  std::optional<int64_t> begin = view ? getConstantIntValue(view.getByteShift()) : std::nullopt;
  if (!begin || !type.hasStaticShape())
    return std::nullopt;
  return std::pair(*begin,
                   *begin + type.getNumElements() * int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8)));
}

/// The buffer that is copied where `value` is a view of it: bytes that were given to it, or a root.
Value HostIslands::baseOf(Value value) const {
  while (!hostRoots.contains(value)) {
    Value source = sourceOf(value);
    if (!source || (isa<memref::ViewOp>(value.getDefiningOp()) && !hostRoots.contains(rootOf(value))))
      break;
    value = source;
  }
  return value;
}

/// Whether a root is memory of its own.
static bool isPlace(Value root) {
  if (auto argument = dyn_cast<BlockArgument>(root))
    return isa<func::FuncOp>(argument.getOwner()->getParentOp());
  return isa<aot::DeviceMemoryOp, aot::DeviceWeightsOp>(root.getDefiningOp());
}

bool HostIslands::meetsOther(Value buffer) const {
  Value root = rootOf(buffer);
  auto range = rangeOf(buffer);
  return llvm::any_of(copies, [&](const auto &entry) {
    const auto &[known, copy] = entry;
    if (known == buffer)
      return false;
    // What is chosen between buffers, or carried by a loop, may be any of them.
    if (copy.root != root)
      return !isPlace(root) || !isPlace(copy.root);
    return !range || !copy.range || (range->first < copy.range->second && copy.range->first < range->second);
  });
}

FailureOr<Value> HostIslands::hostOf(Value value, Operation *before) {
  if (Value known = hostViews.lookup(value))
    return known;
  if (auto same = hostRoots.find(value); same != hostRoots.end())
    return same->second;
  if (baseOf(value) == value)
    return copyOf(value, before);
  Value source = sourceOf(value);
  FailureOr<Value> host = hostOf(source, before);
  if (failed(host))
    return failure();
  OpBuilder builder(before);
  IRMapping mapping;
  mapping.map(source, *host);
  Operation *view = builder.clone(*value.getDefiningOp(), mapping);
  for (auto [ofDevice, ofHost] : llvm::zip(value.getDefiningOp()->getResults(), view->getResults()))
    hostViews[ofDevice] = ofHost;
  return hostViews[value];
}

bool onnx_aot::isMadeAnew(Operation *op, Value buffer) {
  // The only element.
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return store.getMemRef() == buffer && store.getMemRefType().hasStaticShape() &&
           store.getMemRefType().getNumElements() == 1;
  auto kernel = dyn_cast<aot::KernelOp>(op);
  return kernel && kernel.getInit() == buffer && !llvm::is_contained(kernel.getInputs(), buffer);
}

FailureOr<Value> HostIslands::copyOf(Value buffer, Operation *before) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.getLayout().isIdentity()) {
    before->emitError("unsupported: on a device this operation runs on the host, but its buffer is not dense");
    return failure();
  }
  Copy copy{Value(), rootOf(buffer), rangeOf(buffer)};
  OpBuilder builder(before);
  Location loc = before->getLoc();
  copy.host = place(builder, buffer);
  if (!isMadeAnew(before, buffer)) {
    isBringing = true;
    aot::TransferOp::create(builder, loc, runtime, buffer, copy.host, /*to_device=*/false);
  }
  copies.insert({buffer, copy});
  hostViews[buffer] = copy.host;
  return copy.host;
}

/// Memory of the host for a copy.
Value HostIslands::place(OpBuilder &builder, Value buffer) {
  constexpr int64_t kAlignment = 64;
  Location loc = builder.getInsertionPoint()->getLoc();
  auto type = cast<MemRefType>(buffer.getType());
  int64_t element = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  if (type.hasStaticShape()) {
    Value at = arith::ConstantIndexOp::create(builder, loc, used);
    used += llvm::alignTo(std::max<int64_t>(type.getNumElements() * element, 1), kAlignment);
    most = std::max(most, used);
    return memref::ViewOp::create(builder, loc, type, arena, at, ValueRange());
  }
  SmallVector<Value> sizes;
  Value bytes = arith::ConstantIndexOp::create(builder, loc, element);
  for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
    Value size = memref::DimOp::create(builder, loc, buffer, int64_t(dim));
    if (ShapedType::isDynamic(extent))
      sizes.push_back(size);
    bytes = arith::MulIOp::create(builder, loc, bytes, size);
  }
  auto raw = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  Value slot = arith::ConstantIndexOp::create(builder, loc, slots++);
  auto memory = aot::SlotOp::create(builder, loc, raw, builder.getI1Type(), runtime, slot, bytes);
  aot::RequireOp::create(builder, loc, memory.getOk(), aot::Code::out_of_memory);
  return memref::ViewOp::create(builder, loc, type, memory.getBuffer(), zero, sizes);
}

void HostIslands::markWritten(Value value) {
  for (; value; value = sourceOf(value))
    if (auto *copy = copies.find(value); copy != copies.end()) {
      copy->second.isWritten = true;
      return;
    }
}

void HostIslands::endIsland(Operation *before) {
  OpBuilder builder(before);
  for (auto &[buffer, copy] : copies)
    if (copy.isWritten)
      aot::TransferOp::create(builder, before->getLoc(), runtime, copy.host, buffer, /*to_device=*/true);
  copies.clear();
  hostViews.clear();
  used = 0;
}
