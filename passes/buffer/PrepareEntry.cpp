//===- PrepareEntry.cpp - the entry's ABI -------------------------------------------------------------------------===//
//
// The entry takes its inputs and outputs as buffers and returns a status. Results are written to their buffers by the
// operations that make them, where bufferization can arrange it, and are copied elsewhere.
//
//   func.func @main(%x: tensor<4xf32>) -> tensor<4xf32>
// becomes
//   func.func @main(%x: memref<4xf32>, %y: memref<4xf32> {bufferize.result}) -> i32 {
//     %0 = bufferization.to_tensor %x restrict
//     ...
//     bufferization.materialize_in_destination %1 in restrict writable %y
//     return %c0_i32
//
// A tensor whose dims are only known at run time crosses as a bare pointer, a memref of rank 0, and has its shape put
// on inside; its argument says what it stands for. The dims of such a result go to an argument of their own, behind the
// entry's dims (EntryDims.h tells the three kinds of such results):
//
//   func.func @main(%x: memref<f32> {aot.tensor = tensor<?x3xf32>, aot.dims = array<i64: -1, 3>},
//                   %y: memref<f32> {aot.tensor = tensor<?x3xf32>, aot.dims = array<i64: -1, 3>,
//                                    aot.max_dims = array<i64: 8, 3>, bufferize.result},
//                   %batch: index {aot.dim = "batch", aot.bounds = array<i64: 1, 8>},
//                   %y_dims: memref<2xi64> {aot.dims_of = 0 : i64}) -> i32
//
// aot.dims: an extent, or -1 - k for the k-th dim of the entry, or -2^63 for what only aot.dims_of says. A result of
// the kind Open has `aot.slot`: its argument is a memref<i64> that the address of its elements is stored to.
//
// Where a result has aot.dims_of there is also a function that says its dims before the run, or their bounds where data
// decide, and -1 where there are none. Its status is that of the checks that need no data:
//
//   func.func @output_dims(%batch: index, %y_dims: memref<2xi64>) -> i32 attributes {aot.plan}
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "passes/buffer/EntryDims.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PREPAREENTRY
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
using Kind = ResultDims::Kind;

struct PrepareEntry : impl::PrepareEntryBase<PrepareEntry> {
  void getDependentDialects(DialectRegistry &registry) const override {
    PrepareEntryBase::getDependentDialects(registry);
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry)
      return;
    body = &entry.getBody().front();
    SmallVector<ResultDims> results = resolveResultDims(entry);
    dims = dimArguments(entry);
    entry.getAllArgAttrs(attributes);
    for (BlockArgument argument : llvm::to_vector(body->getArguments()))
      if (isa<RankedTensorType>(argument.getType()))
        takeInput(argument);

    terminator = cast<func::ReturnOp>(body->getTerminator());
    unsigned position = dims.empty() ? body->getNumArguments() : dims.front().getArgNumber();
    for (auto [index, result] : llvm::enumerate(results))
      giveResult(index, result, position + index);
    for (auto [index, result] : llvm::enumerate(results))
      if (result.kind != Kind::Static)
        giveDims(index, result);
    OpBuilder builder(terminator);
    Value ok = arith::ConstantIntOp::create(builder, entry.getLoc(), 0, 32);
    func::ReturnOp::create(builder, terminator.getLoc(), ok);
    terminator.erase();
    entry.removeResAttrsAttr();
    entry.setType(builder.getFunctionType(body->getArgumentTypes(), {builder.getI32Type()}));
    entry.setAllArgAttrs(attributes);
    if (llvm::any_of(results, [](const ResultDims &result) { return result.kind != Kind::Static; }))
      makePlan(results);
  }

  static MemRefType bufferOf(RankedTensorType type) { return MemRefType::get(type.getShape(), type.getElementType()); }
  static MemRefType pointerOf(RankedTensorType type) { return MemRefType::get({}, type.getElementType()); }

  //===-- Inputs ------------------------------------------------------------------------------------------------===//

  void takeInput(BlockArgument argument) {
    auto type = cast<RankedTensorType>(argument.getType());
    OpBuilder builder(body, body->begin());
    Location loc = entry.getLoc();
    Value buffer = argument;
    SmallVector<Operation *, 1> own;
    if (type.hasStaticShape()) {
      argument.setType(bufferOf(type));
    } else {
      SmallVector<OpFoldResult> extents = extentsOf(argument, type, builder);
      argument.setType(pointerOf(type));
      buffer = shape(builder, loc, argument, type, extents);
      own.push_back(buffer.getDefiningOp());
      NamedAttrList list(attributes[argument.getArgNumber()]);
      describe(list, type, extents);
      attributes[argument.getArgNumber()] = list.getDictionary(&getContext());
    }
    Value tensor = bufferization::ToTensorOp::create(builder, loc, type, buffer, /*restrict=*/true);
    own.push_back(tensor.getDefiningOp());
    argument.replaceUsesWithIf(tensor, [&](OpOperand &use) { return !llvm::is_contained(own, use.getOwner()); });
  }

  SmallVector<OpFoldResult> extentsOf(BlockArgument argument, RankedTensorType type, OpBuilder &builder) {
    auto names = attributes[argument.getArgNumber()].getAs<ArrayAttr>("onnx.dim_names");
    SmallVector<OpFoldResult> extents;
    for (int64_t axis = 0; axis < type.getRank(); ++axis) {
      if (!type.isDynamicDim(axis)) {
        extents.push_back(builder.getIndexAttr(type.getDimSize(axis)));
        continue;
      }
      const auto *dim = llvm::find_if(
          dims, [&](BlockArgument dim) { return attributes[dim.getArgNumber()].get("aot.dim") == names[axis]; });
      assert(dim != dims.end() && "aot-bind-dims has made an argument for every name");
      extents.push_back(*dim);
    }
    return extents;
  }

  /// The dense row-major buffer of `type` that begins at `pointer`. Its sizes and strides are constants exactly where
  /// those of the type are.
  static Value shape(OpBuilder &builder, Location loc, Value pointer, RankedTensorType type,
                     ArrayRef<OpFoldResult> extents) {
    SmallVector<OpFoldResult> sizes, strides(extents.size());
    for (auto [extent, number] : llvm::zip(extents, type.getShape()))
      sizes.push_back(ShapedType::isDynamic(number)
                          ? OpFoldResult(getValueOrCreateConstantIndexOp(builder, loc, extent))
                          : OpFoldResult(builder.getIndexAttr(number)));
    OpFoldResult stride = builder.getIndexAttr(1);
    for (size_t axis = sizes.size(); axis-- > 0;) {
      strides[axis] = stride;
      auto a = dyn_cast<Attribute>(stride), b = dyn_cast<Attribute>(sizes[axis]);
      if (axis == 0)
        break;
      if (a && b)
        stride = builder.getIndexAttr(*getConstantIntValue(a) * *getConstantIntValue(b));
      else if (a && getConstantIntValue(a) == 1)
        stride = sizes[axis];
      else
        stride = arith::MulIOp::create(builder, loc, getValueOrCreateConstantIndexOp(builder, loc, stride),
                                       getValueOrCreateConstantIndexOp(builder, loc, sizes[axis]))
                     .getResult();
    }
    return memref::ReinterpretCastOp::create(builder, loc, bufferOf(type), pointer, builder.getIndexAttr(0), sizes,
                                             strides);
  }

  /// What a bare pointer stands for.
  void describe(NamedAttrList &list, RankedTensorType type, ArrayRef<OpFoldResult> extents) {
    SmallVector<int64_t> numbers;
    for (OpFoldResult extent : extents) {
      const auto *dim = llvm::find_if(dims, [&](BlockArgument dim) { return OpFoldResult(dim) == extent; });
      numbers.push_back(dim != dims.end() ? -1 - int64_t(dim - dims.begin())
                                          : getConstantIntValue(extent).value_or(INT64_MIN));
    }
    list.set("aot.tensor", TypeAttr::get(type));
    list.set("aot.dims", DenseI64ArrayAttr::get(&getContext(), numbers));
  }

  //===-- Results -----------------------------------------------------------------------------------------------===//

  void giveResult(unsigned index, const ResultDims &result, unsigned position) {
    Location loc = entry.getLoc();
    OpBuilder builder(terminator);
    Value tensor = terminator.getOperand(index);
    auto type = cast<RankedTensorType>(tensor.getType());
    NamedAttrList list(entry.getResultAttrDict(index));
    list.set("bufferize.result", builder.getUnitAttr());
    if (result.kind == Kind::Static && !type.hasStaticShape()) { // which is known only now
      SmallVector<int64_t> extents(result.max);
      type = type.clone(extents);
      tensor = tensor::CastOp::create(builder, loc, type, tensor);
    }

    Value buffer;
    if (result.kind == Kind::Static) {
      buffer = body->insertArgument(position, bufferOf(type), loc);
    } else {
      describe(list, type, result.dims);
      list.set("aot.max_dims", builder.getDenseI64ArrayAttr(result.max));
      bool isOpen = result.kind == Kind::Open;
      if (isOpen)
        list.set("aot.slot", builder.getUnitAttr());
      Value pointer =
          body->insertArgument(position, isOpen ? MemRefType::get({}, builder.getI64Type()) : pointerOf(type), loc);
      buffer = isOpen ? giveSlot(builder, loc, pointer, type, result) : shapeEarly(builder, loc, pointer, type, result);
    }
    attributes.insert(attributes.begin() + position, list.getDictionary(&getContext()));
    auto store = bufferization::MaterializeInDestinationOp::create(builder, loc, tensor, buffer);
    store.setRestrict(true);
    store.setWritable(true);
  }

  /// A destination at the entry's start, where its dims can be computed there, so that it may be written early.
  Value shapeEarly(OpBuilder &builder, Location loc, Value pointer, RankedTensorType type, const ResultDims &result) {
    if (result.kind != Kind::OfDims)
      return shape(builder, loc, pointer, type, result.dims);
    OpBuilder early(body, body->begin());
    IRMapping mapping;
    for (BlockArgument dim : dims)
      mapping.map(dim, dim);
    SmallVector<OpFoldResult> extents;
    for (OpFoldResult dim : result.dims)
      extents.push_back(getConstantIntValue(dim) ? dim : OpFoldResult(cloneOfDims(early, cast<Value>(dim), mapping)));
    return shape(early, loc, pointer, type, extents);
  }

  /// Memory whose address leaves the run. PlanArena makes it a slot of the context.
  Value giveSlot(OpBuilder &builder, Location loc, Value pointer, RankedTensorType type, const ResultDims &result) {
    SmallVector<Value> extents;
    for (auto [extent, number] : llvm::zip(result.dims, type.getShape()))
      if (ShapedType::isDynamic(number))
        extents.push_back(getValueOrCreateConstantIndexOp(builder, loc, extent));
    Value buffer =
        memref::AllocOp::create(builder, loc, bufferOf(type), extents, builder.getI64IntegerAttr(kSlotAlignment));
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
    Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
    memref::StoreOp::create(builder, loc, number, pointer);
    return buffer;
  }

  //===-- Dims of results ---------------------------------------------------------------------------------------===//

  MemRefType dimsType(const ResultDims &result) {
    return MemRefType::get({int64_t(result.dims.size())}, IntegerType::get(&getContext(), 64));
  }

  static void storeDims(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> dims, Value buffer) {
    for (auto [axis, dim] : llvm::enumerate(dims)) {
      Value index = arith::ConstantIndexOp::create(builder, loc, axis);
      Value value = getValueOrCreateConstantIndexOp(builder, loc, dim);
      Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
      memref::StoreOp::create(builder, loc, number, buffer, index);
    }
  }

  void giveDims(unsigned index, const ResultDims &result) {
    OpBuilder builder(terminator);
    Value buffer = body->addArgument(dimsType(result), entry.getLoc());
    attributes.push_back(
        builder.getDictionaryAttr(builder.getNamedAttr("aot.dims_of", builder.getI64IntegerAttr(index))));
    storeDims(builder, entry.getLoc(), result.dims, buffer);
  }

  //===-- The function that says dims before a run --------------------------------------------------------------===//

  void makePlan(ArrayRef<ResultDims> results) {
    OpBuilder builder(entry);
    SmallVector<Type> types(dims.size(), builder.getIndexType());
    for (const ResultDims &result : results)
      if (result.kind != Kind::Static)
        types.push_back(dimsType(result));
    auto plan = func::FuncOp::create(builder, entry.getLoc(), "output_dims",
                                     builder.getFunctionType(types, {builder.getI32Type()}));
    plan->setAttr("aot.plan", builder.getUnitAttr());
    Block *block = plan.addEntryBlock();
    builder.setInsertionPointToStart(block);
    IRMapping mapping;
    mapping.map(ValueRange(SmallVector<Value>(dims.begin(), dims.end())),
                block->getArguments().take_front(dims.size()));
    for (auto check : body->getOps<aot::RequireOp>())
      if (isOfDims(check.getCondition()))
        aot::RequireOp::create(builder, check.getLoc(), cloneOfDims(builder, check.getCondition(), mapping),
                               check.getCode());
    unsigned next = dims.size();
    for (const ResultDims &result : results) {
      if (result.kind == Kind::Static)
        continue;
      SmallVector<OpFoldResult> extents;
      for (auto [dim, bound] : llvm::zip(result.dims, result.max)) {
        if (getConstantIntValue(dim))
          extents.push_back(dim);
        else if (isOfDims(cast<Value>(dim)))
          extents.push_back(cloneOfDims(builder, cast<Value>(dim), mapping));
        else
          extents.push_back(builder.getIndexAttr(bound == kNoBound ? -1 : bound));
      }
      storeDims(builder, entry.getLoc(), extents, block->getArgument(next++));
    }
    Value ok = arith::ConstantIntOp::create(builder, entry.getLoc(), 0, 32);
    func::ReturnOp::create(builder, entry.getLoc(), ok);
  }

  static constexpr int64_t kSlotAlignment = 64;

  func::FuncOp entry;
  Block *body = nullptr;
  func::ReturnOp terminator;
  SmallVector<BlockArgument> dims;        // in their order; they move when results are inserted before them
  SmallVector<DictionaryAttr> attributes; // of the arguments
};
} // namespace
} // namespace onnx_aot
