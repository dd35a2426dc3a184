//===- PlanArena.cpp - every buffer a slice of one arena ----------------------------------------------------------===//
//
// 1. Each memref.alloc gets a lifetime (BufferLifetimes.h) and a size (BufferSizes.h).
// 2. Buffers of known size, static or bounded, are packed by the planner into the arena's first part.
// 3. Behind it, buffers whose sizes are functions of the entry's dims lie in groups: those of one group have the same
//    factors, so that the planner can pack them in units of the factors' product. The size function adds the groups up.
// 4. What only the run knows gets a slot of the context, which grows as needed.
// 5. A buffer that a loop carries gets two places, and a byte of the arena says whose turn it is.
// 6. With `use-outputs`, buffers of known size may lie in the caller's outputs until these are written (OutputSpace.h).
//
//   %0 = memref.alloc() : memref<64xf32>    =>    %0 = memref.view %arena[%c128][] : memref<256xi8> to memref<64xf32>
//
// From here sizes are fixed: later passes may move slices, not grow them, and nothing allocates.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/TargetModel.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/buffer/ArenaPlanner.h"
#include "passes/buffer/BufferLifetimes.h"
#include "passes/buffer/BufferSizes.h"
#include "passes/buffer/DescribeLayers.h"
#include "passes/buffer/OutputSpace.h"
#include "passes/buffer/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLANARENA
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
constexpr int64_t kUsualAlignment = 64; // of an arena that says nothing else

/// Buffers that are packed together: sizes and offsets count in units of `unit` bytes times the factors.
struct Group {
  SmallVector<Value, 2> factors; // of the size function; none: the arena's first part
  int64_t unit = 1;
  SmallVector<PlannedBuffer> planned;
  ArenaPlan plan = {};
  SmallVector<int> outputs = {}; // of each buffer, the output that it lies in; -1: the arena
  Value base = {}, scale = {};   // of the entry, index; null in the first part
};

/// Where a buffer lies: buffer `number` of group `group`, and the next one too if it alternates.
struct Place {
  int group = -1; // -1: a slot
  int number = 0;
  int turn = -1; // the buffer of the first part that tells whose turn it is
};

/// Dim `dim` of a memref, where operations tell: through views, and into branches and loops that do not change it.
Value dimOf(Value memref, int64_t dim, SmallPtrSetImpl<void *> &visited) {
  if (!visited.insert(memref.getAsOpaquePointer()).second)
    return Value();
  auto type = cast<MemRefType>(memref.getType());
  auto sizeAt = [&](auto op) -> Value {
    unsigned dynamic = type.getDynamicDimIndex(dim);
    return op.getDynamicSizes()[dynamic];
  };
  auto common = [](Value a, Value b) { return a == b ? a : Value(); };
  if (!type.isDynamicDim(dim))
    return Value();
  if (auto argument = dyn_cast<BlockArgument>(memref)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    return loop && argument != loop.getInductionVar() ? dimOf(loop.getTiedLoopResult(argument), dim, visited) : Value();
  }
  Operation *op = memref.getDefiningOp();
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return sizeAt(alloc);
  if (auto view = dyn_cast<memref::ViewOp>(op))
    return sizeAt(view);
  if (auto view = dyn_cast<memref::ReinterpretCastOp>(op))
    return dyn_cast<Value>(view.getMixedSizes()[dim]);
  if (auto view = dyn_cast<memref::CastOp>(op); view && isa<MemRefType>(view.getSource().getType()))
    return dimOf(view.getSource(), dim, visited);
  if (auto branches = dyn_cast<scf::IfOp>(op)) {
    unsigned number = cast<OpResult>(memref).getResultNumber();
    return common(dimOf(branches.thenYield().getOperand(number), dim, visited),
                  dimOf(branches.elseYield().getOperand(number), dim, visited));
  }
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    auto result = cast<OpResult>(memref);
    Value initial = dimOf(loop.getTiedLoopInit(result)->get(), dim, visited);
    Value yielded = loop.getYieldedValues()[result.getResultNumber()];
    if (yielded == loop.getTiedLoopRegionIterArg(result))
      return initial;
    return common(initial, dimOf(yielded, dim, visited));
  }
  return Value();
}

/// Such a dim, instead of asking the memref.
struct ResolveDim : OpRewritePattern<memref::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(memref::DimOp op, PatternRewriter &rewriter) const override {
    std::optional<int64_t> dim = op.getConstantIndex();
    SmallPtrSet<void *, 8> visited;
    Value size = dim && isa<MemRefType>(op.getSource().getType()) ? dimOf(op.getSource(), *dim, visited) : Value();
    // What is made inside of a branch or a loop is not known outside.
    if (!size || !DominanceInfo().dominates(size, op))
      return rewriter.notifyMatchFailure(op, "not known");
    rewriter.replaceOp(op, size);
    return success();
  }
};

/// Plans one function.
class Planner {
public:
  /// `facts` may be null.
  Planner(func::FuncOp function, int64_t alignment, bool mayUseOutputs, ModelFacts *facts)
      : function(function), alignment(alignment), mayUseOutputs(mayUseOutputs), sizes(function), facts(facts) {}

  LogicalResult run() {
    resolveDims();
    space.emplace(function, mayUseOutputs);
    FailureOr<SmallVector<Buffer>> found = BufferLifetimes::find(function, sizes, space->outputs());
    if (failed(found))
      return failure();
    buffers = std::move(*found);
    groups.emplace_back();
    assignPlaces();
    planFirstPart();
    for (Group &group : llvm::drop_begin(groups))
      group.plan = planArena(group.planned);
    if (facts)
      describe();
    if (failed(addArguments()))
      return failure();
    for (auto [buffer, place] : llvm::zip(buffers, places))
      replace(buffer, place);
    for (auto dealloc : llvm::to_vector(function.getOps<memref::DeallocOp>()))
      dealloc.erase();
    return success();
  }

private:
  /// Sizes become arithmetic on the entry's dims where they can.
  void resolveDims() {
    bool isDynamic = false;
    function.walk([&](memref::AllocOp alloc) { isDynamic |= !alloc.getDynamicSizes().empty(); });
    if (!isDynamic)
      return;
    RewritePatternSet patterns(function.getContext());
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    memref::populateResolveShapedTypeResultDimsPatterns(patterns);
    populateAffineToStdConversionPatterns(patterns);
    patterns.add<ResolveDim>(function.getContext());
    (void)applyPatternsGreedily(function, std::move(patterns));
  }

  //===-- Where buffers lie -------------------------------------------------------------------------------------===//

  void assignPlaces() {
    places.resize(buffers.size());
    for (auto [index, buffer] : llvm::enumerate(buffers)) {
      Place &place = places[index];
      if (buffer.sharesWith >= 0) {
        place = places[buffer.sharesWith];
        PlannedBuffer &shared = groups[place.group].planned[place.number];
        shared.first = std::min(shared.first, buffer.first);
        shared.last = std::max(shared.last, buffer.last);
        continue;
      }
      if (buffer.alternates) {
        // Its byte lives from the entry on: a loop in a loop runs again.
        place.turn = groups.front().planned.size();
        groups.front().planned.push_back({1, 0, INT64_MAX, 1});
      }
      if (buffer.size.kind == BufferSize::Kind::Open) {
        place.number = slots;
        slots += buffer.alternates ? 2 : 1;
        continue;
      }
      place.group = groupOf(buffer.size);
      Group &group = groups[place.group];
      place.number = group.planned.size();
      // Not the bytes alone: an empty tensor still needs a place.
      int64_t units = std::max<int64_t>(1, llvm::divideCeil(buffer.size.bytes, group.unit));
      PlannedBuffer planned = {units, buffer.first, buffer.last, place.group == 0 ? alignmentOf(buffer) : 1,
                               elementAlignment(buffer.alloc.getType().getElementType())};
      group.planned.push_back(planned);
      if (buffer.alternates)
        group.planned.push_back(planned);
    }
  }

  /// The first part may extend into outputs.
  void planFirstPart() {
    Group &group = groups.front();
    SmallVector<int> endsIn(group.planned.size(), -1);
    for (auto [buffer, place] : llvm::zip(buffers, places))
      // Those that share the place are as large, and the last of them is this one.
      if (buffer.endsIn >= 0 && place.group == 0 && group.planned[place.number].last == buffer.last)
        endsIn[place.number] = buffer.endsIn;
    RegionPlan plan = space->plan(group.planned, endsIn);
    group.plan = std::move(plan.arena);
    group.outputs = std::move(plan.regions);
  }

  /// What is smaller than the arena's alignment does not waste what is left of it.
  int64_t alignmentOf(Buffer &buffer) const {
    Type element = buffer.alloc.getType().getElementType();
    uint64_t natural = llvm::PowerOf2Ceil(isa<IndexType>(element) ? 8 : onnx::bytesPerElement(element));
    return std::min<int64_t>(alignment, std::max(natural, llvm::bit_floor(uint64_t(buffer.size.bytes))));
  }

  /// The group of a size. Multiples of a unit that is the alignment stay aligned whatever the factors are; buffers with
  /// less per factor are put together, where a unit is rounded up at run time.
  int groupOf(const BufferSize &size) {
    if (size.kind == BufferSize::Kind::Known)
      return 0;
    int64_t unit = size.bytes >= alignment ? alignment : std::max<int64_t>(1, size.bytes & -size.bytes);
    const auto *found =
        llvm::find_if(groups, [&](const Group &group) { return group.factors == size.factors && group.unit == unit; });
    if (found != groups.end())
      return found - groups.begin();
    Group group;
    group.factors = size.factors;
    group.unit = unit;
    groups.push_back(std::move(group));
    return groups.size() - 1;
  }

  /// Tells what the function does and where the buffers of known size lie.
  void describe() {
    facts->layers = describeLayers(function);
    facts->arenaLowerBound = groups.front().plan.lowerBound;
    facts->places.clear();
    BufferLifetimes::Steps steps = BufferLifetimes::number(function);
    SmallVector<int64_t> layerSteps; // ascending
    function.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isLayer(op))
        layerSteps.push_back(steps.lookup(op).first);
    });
    const Group &group = groups.front();
    for (auto [planned, offset, output] : llvm::zip(group.planned, group.plan.offsets, group.outputs)) {
      int64_t first = llvm::lower_bound(layerSteps, planned.first) - layerSteps.begin();
      int64_t last = llvm::upper_bound(layerSteps, planned.last) - layerSteps.begin() - 1;
      PlaceFacts place{offset, planned.bytes};
      if (output >= 0)
        place.output = space->outputs()[output].number;
      if (first <= last)
        place.first = first, place.last = last;
      facts->places.push_back(place);
    }
  }

  //===-- The arena ---------------------------------------------------------------------------------------------===//

  LogicalResult addArguments() {
    OpBuilder builder(function.getContext());
    Location loc = function.getLoc();
    int64_t fixed = groups.front().plan.size;
    bool isConstant = groups.size() == 1;
    unsigned position = function.getNumArguments();
    auto type = isConstant ? MemRefType::get({fixed}, builder.getI8Type()) : MemRefType::get({}, builder.getI8Type());
    NamedAttrList attributes;
    if (alignment != kUsualAlignment)
      attributes.set("aot.alignment", builder.getI64IntegerAttr(alignment));
    if (!isConstant)
      attributes.set("aot.arena", builder.getUnitAttr());
    if (failed(function.insertArgument(position, type, attributes.getDictionary(builder.getContext()), loc)))
      return failure();
    arena = function.getArgument(position);
    builder.setInsertionPointToStart(&function.getBody().front());
    if (!isConstant)
      layOut(builder, fixed);
    checkArguments(builder);
    // Both places are free at first; the byte only has to be defined.
    for (const Place &place : places) {
      if (place.turn < 0)
        continue;
      Value cell = turnOf(builder, loc, place), zero = arith::ConstantIndexOp::create(builder, loc, 0);
      Value first = arith::ConstantIntOp::create(builder, loc, 0, 8);
      memref::StoreOp::create(builder, loc, first, cell, zero);
    }
    if (slots == 0)
      return success();
    NamedAttrList contextAttributes;
    contextAttributes.set("aot.context", builder.getUnitAttr());
    if (failed(function.insertArgument(position + 1, LLVM::LLVMPointerType::get(builder.getContext()),
                                       contextAttributes.getDictionary(builder.getContext()), loc)))
      return failure();
    context = function.getArgument(position + 1);
    function->setAttr("aot.slots", builder.getI64IntegerAttr(slots));
    return success();
  }

  /// Adds up the groups in the size function, and does the same in the entry, which finds its groups so.
  void layOut(OpBuilder &builder, int64_t fixed) {
    Location loc = function.getLoc();
    func::FuncOp sizeFunction = sizes.function();
    Block &body = sizeFunction.getBody().front();
    OpBuilder sum = OpBuilder::atBlockEnd(&body);
    Value total = sizeConstant(sum, loc, llvm::alignTo(fixed, alignment));
    SmallVector<std::pair<Value, Value>> layout;
    for (const Group &group : llvm::drop_begin(groups)) {
      Value scale = sizeConstant(sum, loc, group.unit);
      for (Value factor : group.factors)
        scale = multiplySizes(sum, loc, scale, factor);
      if (group.unit % alignment != 0)
        scale = alignSize(sum, loc, scale, alignment);
      layout.emplace_back(total, scale);
      total = addSizes(sum, loc, total, multiplySizes(sum, loc, scale, sizeConstant(sum, loc, group.plan.size)));
    }
    Value limit = sizeConstant(sum, loc, BufferSizes::kLimit), none = sizeConstant(sum, loc, -1);
    Value fits = arith::CmpIOp::create(sum, loc, arith::CmpIPredicate::slt, total, limit);
    Value bytes = arith::SelectOp::create(sum, loc, fits, total, none);
    bytes = arith::IndexCastOp::create(sum, loc, sum.getIndexType(), bytes);

    IRMapping mapping;
    unsigned next = 0;
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      if (function.getArgAttr(i, "aot.dim"))
        mapping.map(body.getArgument(next++), function.getArgument(i));
    for (Operation &op : body)
      builder.clone(op, mapping);
    aot::RequireOp::create(builder, loc, mapping.lookup(fits), aot::Code::dim_out_of_bounds);
    Type index = builder.getIndexType();
    for (auto [group, entry] : llvm::zip(llvm::drop_begin(groups), layout)) {
      group.base = arith::IndexCastOp::create(builder, loc, index, mapping.lookup(entry.first));
      group.scale = arith::IndexCastOp::create(builder, loc, index, mapping.lookup(entry.second));
    }
    auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    SmallVector<OpFoldResult> extents = {mapping.lookup(bytes)}, strides = {builder.getIndexAttr(1)};
    arena = memref::ReinterpretCastOp::create(builder, loc, type, arena, builder.getIndexAttr(0), extents, strides);

    func::ReturnOp::create(sum, loc, bytes);
    sizes.keep();
    function->setAttr("aot.arena_function", FlatSymbolRefAttr::get(sizeFunction.getNameAttr()));
  }

  /// The caller's buffers must have a size too, or arithmetic on places in them would go wrong.
  void checkArguments(OpBuilder &builder) {
    Location loc = function.getLoc();
    SmallVector<std::pair<int64_t, SmallVector<OpFoldResult>>> checked;
    for (auto cast : function.getBody().front().getOps<memref::ReinterpretCastOp>()) {
      auto pointer = dyn_cast<BlockArgument>(cast.getSource());
      int64_t bytes = pointer ? llvm::divideCeil(cast.getType().getElementTypeBitWidth(), 8) : 0;
      SmallVector<OpFoldResult> extents = cast.getMixedSizes();
      bool areDims = llvm::all_of(extents, [](OpFoldResult extent) {
        return isa<Attribute>(extent) || isa<BlockArgument>(cast_if_present<Value>(extent));
      });
      if (!pointer || cast.getResult() == arena || !areDims || sizes.knownBytes(extents, bytes))
        continue;
      std::pair<int64_t, SmallVector<OpFoldResult>> buffer(bytes, extents);
      if (llvm::is_contained(checked, buffer))
        continue;
      checked.push_back(buffer);
      Value size = sizeConstant(builder, loc, bytes);
      for (OpFoldResult extent : extents) {
        Value factor = isa<Attribute>(extent) ? sizeConstant(builder, loc, *getConstantIntValue(extent))
                                              : sizeOfDim(builder, loc, mlir::cast<Value>(extent));
        size = multiplySizes(builder, loc, size, factor);
      }
      Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, size,
                                         sizeConstant(builder, loc, BufferSizes::kLimit));
      aot::RequireOp::create(builder, loc, fits, aot::Code::dim_out_of_bounds);
    }
  }

  //===-- Allocations -------------------------------------------------------------------------------------------===//

  /// The offset in the arena of buffer `number` of `group`.
  static Value offsetOf(OpBuilder &builder, Location loc, const Group &group, int number) {
    Value offset = arith::ConstantIndexOp::create(builder, loc, group.plan.offsets[number]);
    if (!group.base)
      return offset;
    offset = arith::MulIOp::create(builder, loc, offset, group.scale);
    return arith::AddIOp::create(builder, loc, group.base, offset);
  }

  Value turnOf(OpBuilder &builder, Location loc, const Place &place) {
    Value offset = offsetOf(builder, loc, groups.front(), place.turn);
    return memref::ViewOp::create(builder, loc, MemRefType::get({1}, builder.getI8Type()), arena, offset, ValueRange());
  }

  /// Whether it is the second place's turn; the other's the next time.
  Value takeTurn(OpBuilder &builder, Location loc, const Place &place) {
    Value cell = turnOf(builder, loc, place), zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value turn = memref::LoadOp::create(builder, loc, cell, zero);
    Value one = arith::ConstantIntOp::create(builder, loc, 1, 8);
    Value next = arith::XOrIOp::create(builder, loc, turn, one);
    memref::StoreOp::create(builder, loc, next, cell, zero);
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, turn, one);
  }

  void replace(Buffer &buffer, const Place &place) {
    memref::AllocOp alloc = buffer.alloc;
    OpBuilder builder(alloc);
    Location loc = alloc.getLoc();
    bool isSlot = place.group < 0;
    auto at = [&](int number) -> Value {
      return isSlot ? Value(arith::ConstantIndexOp::create(builder, loc, place.number + number))
                    : offsetOf(builder, loc, groups[place.group], place.number + number);
    };
    Value where = at(0);
    if (buffer.alternates) {
      Value isSecond = takeTurn(builder, loc, place);
      where = arith::SelectOp::create(builder, loc, isSecond, at(1), where);
    }
    Value memory = arena;
    if (int output = place.group == 0 ? groups.front().outputs[place.number] : -1; output >= 0)
      memory = space->bytesOf(output);
    if (isSlot) {
      memory = makeSlot(builder, buffer, where);
      where = arith::ConstantIndexOp::create(builder, loc, 0);
    }
    Value view = memref::ViewOp::create(builder, loc, alloc.getType(), memory, where, alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }

  Value makeSlot(OpBuilder &builder, Buffer &buffer, Value slot) {
    Location loc = buffer.alloc.getLoc();
    Value bytes = sizeConstant(builder, loc, buffer.size.bytes);
    for (Value dim : buffer.alloc.getDynamicSizes())
      bytes = multiplySizes(builder, loc, bytes, sizeOfDim(builder, loc, dim));
    bytes = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), bytes);
    auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
    auto memory = aot::SlotOp::create(builder, loc, type, builder.getI1Type(), context, slot, bytes);
    aot::RequireOp::create(builder, loc, memory.getOk(), aot::Code::out_of_memory);
    return memory.getBuffer();
  }

  func::FuncOp function;
  int64_t alignment; // of the arena
  bool mayUseOutputs;
  BufferSizes sizes;
  std::optional<OutputSpace> space;
  SmallVector<Buffer> buffers;
  SmallVector<Place> places;
  SmallVector<Group> groups; // the first is the arena's first part
  Value arena, context;
  int64_t slots = 0;
  ModelFacts *facts;
};

struct PlanArena : impl::PlanArenaBase<PlanArena> {
  using Base::Base;
  PlanArena(const PlanArenaOptions &options, ModelFacts *facts) : Base(options), facts(facts) {}

  void runOnOperation() override {
    for (auto function : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (!function.isExternal() && !function->hasAttr("aot.plan") &&
          failed(Planner(function, alignment, useOutputs, facts).run()))
        return signalPassFailure();
  }

  ModelFacts *facts = nullptr;
};
} // namespace

std::unique_ptr<Pass> createPlanArenaPass(const aot::TargetModel &target, ModelFacts *facts) {
  return std::make_unique<PlanArena>(PlanArenaOptions{target.bufferAlignment(), target.hasLittleMemory()}, facts);
}
} // namespace onnx_aot
