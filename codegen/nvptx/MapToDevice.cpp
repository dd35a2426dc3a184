//===- MapToDevice.cpp - the entry's work becomes the device's ----------------------------------------------------===//
//
//   1. Every structured operation of the entry becomes a kernel in the module @device and a launch (MakeKernels.h), but
//      those that only the host asks for: checks of inputs, which lie there already.
//   2. The entry's buffers become the device's: arena, weights, slots, inputs and outputs are replaced at their roots,
//      so that views, loops and choices between buffers need no change. Inputs are moved there first, outputs back at
//      the end.
//   3. What is left that touches buffers runs on the host, on copies (HostIslands.h).
//   4. The longest run of launches that nothing of the host interrupts is put together, to be replayed (aot.replay).
//
// The context is an argument of the entry from here on, and the arena is what the host needs for its copies alone.
//
// Before: no tensors, buffers have places.  After: no structured operation works on the device's buffers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/HostIslands.h"
#include "codegen/nvptx/MakeKernels.h"
#include "codegen/nvptx/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace onnx_aot {
#define GEN_PASS_DEF_MAPTODEVICE
#include "codegen/nvptx/Passes.h.inc"

using namespace mlir;

namespace {
class Mapper {
public:
  Mapper(ModuleOp module, func::FuncOp entry, const MapToDeviceOptions &options)
      : module(module), entry(entry), body(entry.getBody().front()), deviceBuffers(options.deviceBuffers) {
    context.hasMatrixUnits = options.matrixUnits;
    context.roundsProducts = options.roundProducts;
    context.hasWarpgroups = options.warpgroups;
  }

  LogicalResult run() {
    findArguments();
    checkSizes();
    if (failed(makeKernels(entry, context, deviceBuffers ? ArrayRef<BlockArgument>() : ArrayRef(inputs))))
      return failure();
    nextSlot = contextSlots;
    placeWorkspaces();
    replaceRoots();
    DenseSet<Value> deviceArguments;
    if (deviceBuffers) {
      deviceArguments.insert(inputs.begin(), inputs.end());
      deviceArguments.insert(outputs.begin(), outputs.end());
    }
    HostIslands islands(context.runtime, arena, hostRoots, deviceArguments);
    if (failed(islands.run(entry)))
      return failure();
    finish(islands);
    gatherLaunches();
    return success();
  }

private:
  //===-- Arguments -----------------------------------------------------------------------------------------------===//

  void findArguments() {
    for (BlockArgument argument : body.getArguments()) {
      unsigned index = argument.getArgNumber();
      auto has = [&](StringRef name) { return bool(entry.getArgAttr(index, name)); };
      if (has("aot.context"))
        context.runtime = argument;
      else if (has("onnx.name"))
        (has("bufferize.result") ? outputs : inputs).push_back(argument);
      else if (isa<MemRefType>(argument.getType()) && !has("aot.dims_of"))
        arena = argument;
    }
    if (!context.runtime) {
      Builder builder(entry.getContext());
      NamedAttrList attributes;
      attributes.set("aot.context", builder.getUnitAttr());
      (void)entry.insertArgument(entry.getNumArguments(), LLVM::LLVMPointerType::get(entry.getContext()),
                                 attributes.getDictionary(entry.getContext()), entry.getLoc());
      context.runtime = body.getArguments().back();
    }
    if (auto slots = entry->getAttrOfType<IntegerAttr>("aot.slots"))
      contextSlots = slots.getInt();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    context.module = ModuleOp::create(builder, module.getLoc(), aot::kDeviceModule);
  }

  //===-- Memory --------------------------------------------------------------------------------------------------===//

  /// Kernels use memory of their own one after the other, so that it is one block, which is asked for at the start.
  /// Where its size is not known there, it is asked for where it is used.
  void placeWorkspaces() {
    SmallVector<aot::DeviceMemoryOp> workspaces;
    entry.walk([&](aot::DeviceMemoryOp memory) { workspaces.push_back(memory); });
    if (workspaces.empty())
      return;
    IRRewriter rewriter(OpBuilder(&body, body.begin()));
    Location loc = entry.getLoc();
    Value slot = arith::ConstantIndexOp::create(rewriter, loc, nextSlot++), most;
    SmallVector<aot::DeviceMemoryOp> shared;
    for (aot::DeviceMemoryOp workspace : workspaces) {
      Value bytes = workspace.getBytes();
      if (failed(moveValueDefinitions(rewriter, bytes, slot.getDefiningOp()))) {
        rewriter.setInsertionPoint(workspace);
        workspace.getSlotMutable().assign(arith::ConstantIndexOp::create(rewriter, loc, nextSlot++));
        continue;
      }
      rewriter.setInsertionPoint(slot.getDefiningOp());
      most = most ? rewriter.createOrFold<arith::MaxUIOp>(loc, most, bytes) : bytes;
      shared.push_back(workspace);
    }
    if (shared.empty())
      return;
    rewriter.setInsertionPointAfterValue(slot);
    Value memory = aot::DeviceMemoryOp::create(rewriter, loc, shared.front().getType(), context.runtime, slot, most);
    for (aot::DeviceMemoryOp workspace : shared)
      rewriter.replaceOp(workspace, memory);
  }

  //===-- Roots ---------------------------------------------------------------------------------------------------===//

  Value bytes(OpBuilder &builder, MemRefType type, ValueRange sizes) {
    Value product =
        arith::ConstantIndexOp::create(builder, entry.getLoc(), llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    unsigned next = 0;
    for (int64_t extent : type.getShape()) {
      Value factor = ShapedType::isDynamic(extent)
                         ? sizes[next++]
                         : arith::ConstantIndexOp::create(builder, entry.getLoc(), extent).getResult();
      product = builder.createOrFold<arith::MulIOp>(entry.getLoc(), product, factor);
    }
    return product;
  }

  /// Sizes that only the run knows are in reach of the device's indices, or the run ends.
  void checkSizes() {
    SmallVector<Value> buffers;
    entry.walk([&](memref::ViewOp view) { buffers.push_back(view); });
    for (ArrayRef<BlockArgument> list : {ArrayRef(inputs), ArrayRef(outputs)})
      for (BlockArgument argument : list)
        for (Operation *user : argument.getUsers())
          if (auto shaped = dyn_cast<memref::ReinterpretCastOp>(user))
            buffers.push_back(shaped);
    for (Value buffer : buffers) {
      auto type = cast<MemRefType>(buffer.getType());
      if (type.hasStaticShape())
        continue;
      OpBuilder builder(buffer.getContext());
      builder.setInsertionPointAfterValue(buffer);
      Location loc = entry.getLoc();
      // Each product is within reach before the next factor comes, so that none overflows 64 bits.
      Value most = arith::ConstantIndexOp::create(builder, loc, KernelBuilder::kMostElements), elements;
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        Value extent = builder.createOrFold<memref::DimOp>(loc, buffer, dim);
        extent = arith::MinUIOp::create(builder, loc, extent, arith::AddIOp::create(builder, loc, most, one(builder)));
        elements = elements ? arith::MulIOp::create(builder, loc, elements, extent).getResult() : extent;
        elements =
            arith::MinUIOp::create(builder, loc, elements, arith::AddIOp::create(builder, loc, most, one(builder)));
      }
      Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule, elements, most);
      aot::RequireOp::create(builder, loc, fits, aot::Code::dim_out_of_bounds);
    }
  }
  Value one(OpBuilder &builder) { return arith::ConstantIndexOp::create(builder, entry.getLoc(), 1); }

  Value memory(OpBuilder &builder, Value bytes) {
    Location loc = entry.getLoc();
    auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    Value slot = arith::ConstantIndexOp::create(builder, loc, nextSlot++);
    return aot::DeviceMemoryOp::create(builder, loc, type, context.runtime, slot, bytes);
  }

  /// Memory of the device for a dense buffer of `type`, whose layout may be written as strides.
  Value buffer(OpBuilder &builder, MemRefType type, ValueRange sizes) {
    Location loc = entry.getLoc();
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    auto dense = MemRefType::get(type.getShape(), type.getElementType());
    Value view = memref::ViewOp::create(builder, loc, dense, memory(builder, bytes(builder, type, sizes)), zero, sizes);
    return type == dense ? view : Value(memref::CastOp::create(builder, loc, type, view));
  }

  void replaceRoots() {
    replaceArena();
    replaceWeights();
    replaceSlots();
    if (deviceBuffers)
      return;
    for (BlockArgument argument : inputs)
      replaceBuffer(argument, /*isInput=*/true);
    for (BlockArgument argument : outputs)
      replaceBuffer(argument, /*isInput=*/false);
  }

  /// A static buffer, or what a pointer is shaped to.
  void replaceBuffer(BlockArgument argument, bool isInput) {
    OpBuilder builder(&body, body.begin());
    Value hostBuffer = argument;
    SmallVector<Value> sizes;
    if (entry.getArgAttr(argument.getArgNumber(), "aot.slot"))
      return openOutputs.push_back(argument);
    if (entry.getArgAttr(argument.getArgNumber(), "aot.tensor")) {
      // The tensor itself comes first; others of its shapes are those in which it is broadcast.
      memref::ReinterpretCastOp whole;
      for (Operation *user : argument.getUsers())
        if (auto shaped = dyn_cast<memref::ReinterpretCastOp>(user))
          if (!whole || shaped->isBeforeInBlock(whole))
            whole = shaped;
      if (!whole)
        return;
      builder.setInsertionPointAfter(whole);
      hostBuffer = whole.getResult();
      sizes.assign(whole.getSizes().begin(), whole.getSizes().end());
    }
    auto type = cast<MemRefType>(hostBuffer.getType());
    Value deviceBuffer = buffer(builder, type, sizes);
    hostBuffer.replaceAllUsesWith(deviceBuffer);
    if (hostBuffer != argument)
      argument.replaceUsesWithIf(deviceBuffer, [&](OpOperand &use) {
        return isa<memref::ReinterpretCastOp>(use.getOwner()) && use.getOwner() != hostBuffer.getDefiningOp();
      });
    if (isInput) {
      builder.setInsertionPointAfterValue(deviceBuffer);
      aot::TransferOp::create(builder, entry.getLoc(), context.runtime, hostBuffer, deviceBuffer, /*to_device=*/true);
      hostRoots[deviceBuffer] = hostBuffer;
      return;
    }
    results.push_back({deviceBuffer, hostBuffer});
  }

  void replaceArena() {
    if (!arena)
      return;
    OpBuilder builder(&body, body.begin());
    Location loc = entry.getLoc();
    auto type = cast<MemRefType>(arena.getType());
    if (type.getRank() == 1) {
      if (arena.use_empty())
        return;
      Value size = arith::ConstantIndexOp::create(builder, loc, type.getNumElements());
      Value memoryOfDevice = memref::CastOp::create(builder, loc, type, memory(builder, size));
      arena.replaceAllUsesWith(memoryOfDevice);
      return;
    }
    for (Operation *user : llvm::make_early_inc_range(arena.getUsers())) {
      auto shaped = cast<memref::ReinterpretCastOp>(user);
      builder.setInsertionPoint(shaped);
      shaped.replaceAllUsesWith(memory(builder, shaped.getSizes().front()));
      shaped.erase();
    }
    arena.setType(MemRefType::get({0}, builder.getI8Type()));
  }

  void replaceWeights() {
    SmallVector<memref::GetGlobalOp> gets;
    entry.walk([&](memref::GetGlobalOp get) { gets.push_back(get); });
    if (gets.empty())
      return;
    OpBuilder builder(&body, body.begin());
    auto type = cast<MemRefType>(gets.front().getType());
    Value ofHost = memref::GetGlobalOp::create(builder, entry.getLoc(), type, gets.front().getName());
    Value ofDevice = aot::DeviceWeightsOp::create(builder, entry.getLoc(), type, context.runtime);
    for (memref::GetGlobalOp get : gets) {
      get.replaceAllUsesWith(ofDevice);
      get.erase();
    }
    hostRoots[ofDevice] = ofHost;
  }

  /// Memory of the context becomes the device's; where there is none, the stream fails.
  void replaceSlots() {
    SmallVector<aot::SlotOp> slots;
    entry.walk([&](aot::SlotOp slot) { slots.push_back(slot); });
    for (aot::SlotOp slot : slots) {
      OpBuilder builder(slot);
      Value memoryOfDevice = aot::DeviceMemoryOp::create(builder, slot.getLoc(), slot.getBuffer().getType(),
                                                         context.runtime, slot.getSlot(), slot.getBytes());
      slot.getBuffer().replaceAllUsesWith(memoryOfDevice);
      slot.getOk().replaceAllUsesWith(arith::ConstantIntOp::create(builder, slot.getLoc(), 1, 1));
      slot.erase();
    }
  }

  //===-- The end -------------------------------------------------------------------------------------------------===//

  void finish(const HostIslands &islands) {
    Operation *terminator = body.getTerminator();
    OpBuilder builder(terminator);
    Location loc = entry.getLoc();
    int64_t slots = islands.hostSlots();
    for (auto [deviceBuffer, hostBuffer] : results)
      aot::TransferOp::create(builder, loc, context.runtime, deviceBuffer, hostBuffer, /*to_device=*/false);
    for (BlockArgument pointer : openOutputs)
      giveOpenOutput(pointer, builder, slots);
    // The arena is now what the host's copies take.
    auto type = MemRefType::get({islands.arenaBytes()}, builder.getI8Type());
    arena.setType(type);
    entry.removeArgAttr(arena.getArgNumber(), "aot.arena");
    if (auto function = entry->getAttrOfType<FlatSymbolRefAttr>("aot.arena_function")) {
      entry->removeAttr("aot.arena_function");
      if (auto sizes = module.lookupSymbol<func::FuncOp>(function.getValue()))
        sizes.erase();
    }
    entry->setAttr("aot.slots", builder.getI64IntegerAttr(std::max<int64_t>(slots, 1)));
    entry.setType(builder.getFunctionType(body.getArgumentTypes(), entry.getResultTypes()));
  }

  /// An output whose size only the run knows goes to memory of the context, whose address leaves the run.
  void giveOpenOutput(BlockArgument pointer, OpBuilder &end, int64_t &slots) {
    auto store = cast<memref::StoreOp>(*pointer.user_begin());
    auto number = store.getValueToStore().getDefiningOp<arith::IndexCastOp>();
    auto address = number.getIn().getDefiningOp<memref::ExtractAlignedPointerAsIndexOp>();
    Value ofDevice = address.getSource();
    auto type = cast<MemRefType>(ofDevice.getType());
    OpBuilder builder(address);
    Location loc = entry.getLoc();
    SmallVector<Value> sizes;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        sizes.push_back(memref::DimOp::create(builder, loc, ofDevice, dim));
    Value slot = arith::ConstantIndexOp::create(builder, loc, slots++);
    auto raw = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    auto memoryOfHost =
        aot::SlotOp::create(builder, loc, raw, builder.getI1Type(), context.runtime, slot, bytes(builder, type, sizes));
    aot::RequireOp::create(builder, loc, memoryOfHost.getOk(), aot::Code::out_of_memory);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value ofHost = memref::ViewOp::create(builder, loc, type, memoryOfHost.getBuffer(), zero, sizes);
    address.getSourceMutable().assign(ofHost);
    aot::TransferOp::create(end, loc, context.runtime, ofDevice, ofHost, /*to_device=*/false);
  }

  /// Whether all that `op` is given is the same in every run with the same dims and memory: nothing of it is a value
  /// that the host has read from a buffer.
  static bool followsFromDims(Operation *op) {
    SmallVector<Value> open(op->getOperands());
    DenseSet<Value> seen;
    while (!open.empty()) {
      Value value = open.pop_back_val();
      Operation *maker = value.getDefiningOp();
      if (!maker || !seen.insert(value).second || isa<aot::DeviceMemoryOp, aot::DeviceWeightsOp>(maker))
        continue;
      if (!isMemoryEffectFree(maker) || maker->getNumRegions() != 0)
        return false;
      llvm::append_range(open, maker->getOperands());
    }
    return true;
  }

  /// The longest run of launches that follow from the dims, with nothing of the host between them.
  SmallVector<Operation *> longestRun() {
    SmallVector<Operation *> longest, run;
    for (Operation &op : body) {
      if (isa<aot::LaunchOp>(op) && followsFromDims(&op)) {
        run.push_back(&op);
        if (run.size() > longest.size())
          longest = run;
      } else if (!isMemoryEffectFree(&op) && !(isa<aot::RequireOp>(op) && followsFromDims(&op))) {
        run.clear();
      }
    }
    return longest;
  }

  /// That run becomes an aot.replay: a context keeps one graph.
  void gatherLaunches() {
    SmallVector<Operation *> launches = longestRun();
    if (launches.size() < 2)
      return;
    // What stands between launches follows from none of them.
    SmallVector<Operation *> between;
    for (Operation &op : llvm::make_range(launches.front()->getIterator(), launches.back()->getIterator()))
      if (!isa<aot::LaunchOp>(op))
        between.push_back(&op);
    for (Operation *op : between)
      op->moveBefore(launches.front());
    SmallVector<Value> key;
    for (BlockArgument argument : body.getArguments())
      if (entry.getArgAttr(argument.getArgNumber(), "aot.dim"))
        key.push_back(argument);
    OpBuilder builder(launches.front());
    if (deviceBuffers)
      for (ArrayRef<BlockArgument> list : {ArrayRef(inputs), ArrayRef(outputs)})
        for (BlockArgument argument : list)
          key.push_back(memref::ExtractAlignedPointerAsIndexOp::create(builder, entry.getLoc(), argument));
    auto replay = aot::ReplayOp::create(builder, entry.getLoc(), context.runtime, key);
    Block *block = &replay.getBody().emplaceBlock();
    for (Operation *launch : launches)
      launch->moveBefore(block, block->end());
  }

  ModuleOp module;
  func::FuncOp entry;
  Block &body;
  bool deviceBuffers;
  DeviceContext context;
  BlockArgument arena;
  SmallVector<BlockArgument> inputs, outputs, openOutputs;
  SmallVector<std::pair<Value, Value>> results; // the device's buffer, the host's
  DenseMap<Value, Value> hostRoots;             // the host's buffer of the same content as the device's
  int64_t contextSlots = 0, nextSlot = 0;
};

struct MapToDevice : impl::MapToDeviceBase<MapToDevice> {
  using MapToDeviceBase::MapToDeviceBase;

  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (entry && failed(Mapper(getOperation(), entry, {deviceBuffers, matrixUnits, roundProducts, warpgroups}).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace onnx_aot
