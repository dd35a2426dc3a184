//===- WarpgroupTile.cpp - a block's tile by the matrix units of sm_90a -------------------------------------------===//
//
// See WarpgroupTile.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/WarpgroupTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

/// Of a group.
static constexpr int64_t kThreadsOfGroup = 128;

/// Dims of the batch along which an operand moves.
static SmallVector<unsigned> batchOf(const Access &access, ArrayRef<unsigned> batch) {
  return llvm::filter_to_vector(batch, [&](unsigned dim) { return !access.strides[dim].is(0); });
}

bool WarpgroupTile::takeBoxes(const LoopNest &nest, const ProductNest &product) {
  constexpr int64_t kChunk = 8;    // elements of 16 bytes
  constexpr size_t kMostBatch = 3; // of the five dims of a tensor map
  auto fits = [&](unsigned input, ArrayRef<unsigned> lanes) {
    const Access &access = nest.inputs[input];
    if (lanes.size() != 1 || access.elementType.getIntOrFloatBitWidth() != 16 ||
        batchOf(access, product.batch).size() > kMostBatch)
      return false;
    unsigned neighbours = access.strides[lanes.front()].is(1) ? lanes.front() : product.depth.front();
    return isVector(access, neighbours, kChunk) && nest.dims[neighbours].extent.isMultipleOf(kChunk);
  };
  return product.depth.size() == 1 && fits(product.rowInput, product.rows) &&
         fits(product.columnInput, product.columns);
}

bool WarpgroupTile::hasBoxes() const {
  // What is beyond the end of a part of k would be brought, too.
  return size.parts == 1 && size.rows == 2 * kRow && size.columns == kLanes && takeBoxes(device.nest, product);
}

//===-- Numbers ---------------------------------------------------------------------------------------------------===//

Value WarpgroupTile::number(int64_t value, unsigned bits) { return arith::ConstantIntOp::create(b, value, bits); }
Value WarpgroupTile::as32(Value index) { return b.createOrFold<arith::IndexCastOp>(b.getI32Type(), index); }

static Value sum(ImplicitLocOpBuilder &b, Value left, Value right) {
  return b.createOrFold<arith::AddIOp>(left, right);
}

static Value pointer(ImplicitLocOpBuilder &b, Value address, NVVM::NVVMMemorySpace space) {
  return LLVM::IntToPtrOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), unsigned(space)), address);
}

//===-- Copies ----------------------------------------------------------------------------------------------------===//

/// The dim whose neighbours lie side by side, the other, and those of the batch.
Value WarpgroupTile::passMap(const TileOperand &operand) {
  const Access &access = device.nest.inputs[operand.input];
  unsigned lanes = operand.dims.front(), depth = product.depth.front();
  SmallVector<unsigned> dims = {operand.alongDepth ? depth : lanes, operand.alongDepth ? lanes : depth};
  llvm::append_range(dims, batchOf(access, product.batch));
  SmallVector<Value> extents, strides;
  SmallVector<int64_t> box(dims.size(), 1);
  box[0] = box[1] = kRow;
  for (unsigned dim : dims) {
    extents.push_back(device.hostValueOf(device.nest.dims[dim].extent));
    if (dim != dims.front())
      strides.push_back(device.hostValueOf(access.strides[dim]));
  }
  return kernel.passTensorMap(access.operand, device.hostValueOf(access.offset), extents, strides, box);
}

Value WarpgroupTile::barrierOf(Value stage) {
  Value address = sum(b, barriers, b.createOrFold<arith::MulIOp>(as32(stage), number(kBarrierBytes)));
  return pointer(b, address, NVVM::NVVMMemorySpace::Shared);
}

void WarpgroupTile::bringOperand(const TileOperand &operand, Value map, Value laneStart, Value from, Value target,
                                 Value barrier) {
  SmallVector<Value> batch;
  for (unsigned dim : batchOf(device.nest.inputs[operand.input], product.batch))
    batch.push_back(as32(device.ivs[dim]));
  for (int64_t box : {0, 1}) {
    Value lanes = as32(add(laneStart, box * kRow)), depth = as32(from);
    SmallVector<Value> corner = {operand.alongDepth ? depth : lanes, operand.alongDepth ? lanes : depth};
    llvm::append_range(corner, batch);
    Value place = pointer(b, sum(b, target, number(box * kBoxBytes)), NVVM::NVVMMemorySpace::SharedCluster);
    NVVM::CpAsyncBulkTensorGlobalToSharedClusterOp::create(b, place, map, corner, barrier, ValueRange(), Value(),
                                                           Value(), NVVM::TMALoadMode::TILE, /*isCTAOnly=*/false,
                                                           NVVM::CTAGroupKindAttr(), Value());
  }
}

void WarpgroupTile::bringStep(Value from, Value stage) {
  Value barrier = barrierOf(stage);
  NVVM::MBarrierArriveExpectTxOp::create(b, Type(), barrier, number(kStageBytes), NVVM::MemScopeKind::CTA,
                                         /*relaxed=*/false, Value());
  Value target = sum(b, memory, b.createOrFold<arith::MulIOp>(as32(stage), number(kStageBytes)));
  bringOperand(row, rowMap, rowStart, from, target, barrier);
  bringOperand(column, columnMap, columnStart, from, sum(b, target, number(kOperandBytes)), barrier);
}

//===-- Products --------------------------------------------------------------------------------------------------===//

/// Bits 0-13: the address, 16-29: from a row of boxes to the next, 32-45: from eight rows to the next, all in units of
/// 16 bytes; 62-63: rows of 128 bytes, swizzled. Rows are lanes where neighbours lie along k, and then the second has
/// no meaning.
Value WarpgroupTile::descriptor(const TileOperand &operand, Value address) {
  constexpr int64_t kUnit = 16;
  int64_t boxes = operand.alongDepth ? 1 : kBoxBytes / kUnit, eightRows = 8 * kRowBytes / kUnit;
  int64_t layout = int64_t(uint64_t(1) << 62 | uint64_t(eightRows) << 32 | uint64_t(boxes) << 16);
  Value units = arith::AndIOp::create(b, arith::ShRUIOp::create(b, address, number(4)), number(0x3fff));
  return arith::OrIOp::create(b, arith::ExtUIOp::create(b, b.getI64Type(), units), number(layout, 64));
}

Value WarpgroupTile::multiplyStep(Value stage, Value sums) {
  Type element = device.nest.inputs[row.input].elementType;
  NVVM::WGMMATypes type = element.isF16() ? NVVM::WGMMATypes::f16 : NVVM::WGMMATypes::bf16;
  Value start = sum(b, memory, b.createOrFold<arith::MulIOp>(as32(stage), number(kStageBytes)));
  // The group's rows are one box, which is 64 lanes either way.
  Value rows = sum(b, start, arith::MulIOp::create(b, as32(group), number(kBoxBytes)));
  Value columns = sum(b, start, number(kOperandBytes));
  auto at = [&](const TileOperand &operand, Value address, int64_t k) {
    int64_t bytes = operand.alongDepth ? 2 * k : kRowBytes * k;
    return descriptor(operand, sum(b, address, number(bytes)));
  };
  auto shape = NVVM::MMAShapeAttr::get(b.getContext(), int(kRow), int(kLanes), int(kDepthOfOne));
  // "row" and "col" are how k lies in a matrix product's usual notation: along the rows of A and the columns of B.
  auto layoutA = row.alongDepth ? NVVM::MMALayout::row : NVVM::MMALayout::col;
  auto layoutB = column.alongDepth ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  NVVM::WgmmaFenceAlignedOp::create(b);
  for (int64_t k = 0; k < kRow; k += kDepthOfOne)
    sums = NVVM::WgmmaMmaAsyncOp::create(b, sums.getType(), sums, at(row, rows, k), at(column, columns, k), shape, type,
                                         type, NVVM::WGMMATypes::f32, NVVM::WGMMAScaleOut::one, NVVM::WGMMAScaleIn::one,
                                         NVVM::WGMMAScaleIn::one, layoutA, layoutB, NVVM::MMAIntOverflowAttr());
  NVVM::WgmmaGroupSyncAlignedOp::create(b);
  NVVM::WgmmaWaitGroupSyncOp::create(b, 0);
  return sums;
}

/// Of every eight columns a thread has two neighbours in row lane / 4 of its warp's 16, and two in the row eight below.
void WarpgroupTile::storeSumsOf(Value sums) {
  Value lane = rest(thread, KernelBuilder::kWarp), warp = divided(rest(thread, kThreadsOfGroup), KernelBuilder::kWarp);
  Value firstRow = add(add(times(group, kRow), times(warp, 16)), divided(lane, 4));
  Value firstColumn = times(rest(lane, 4), 2);
  SmallVector<Value> rows = {firstRow, add(firstRow, 8)}, columns;
  for (int64_t eight = 0; eight < kLanes; eight += 8)
    for (int64_t neighbour : {0, 1})
      columns.push_back(add(firstColumn, eight + neighbour));
  auto sum = [&](size_t i, size_t j) -> Value {
    return LLVM::ExtractValueOp::create(b, sums, ArrayRef<int64_t>{int64_t(j / 2 * 4 + i * 2 + j % 2)});
  };
  storeSums(rows, columns, sum, /*neighbours=*/2);
}

//===-- The tile --------------------------------------------------------------------------------------------------===//

void WarpgroupTile::multiplyByWarpgroups() {
  constexpr int64_t kNanoseconds = 10'000'000; // after which a thread that waits looks again
  rowMap = passMap(row);
  columnMap = passMap(column);
  memory = kernel.launchedShared(kStages * (kStageBytes + kBarrierBytes), /*alignment=*/8 * kRowBytes);
  barriers = sum(b, memory, number(kStages * kStageBytes));
  group = divided(thread, kThreadsOfGroup);
  Value zero = kernel.index(0), stages = kernel.index(kStages);
  Value steps = b.createOrFold<arith::CeilDivUIOp>(depthEnd, kernel.index(kRow));
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, thread, zero);
  kernel.emitIf(isFirst, [&] {
    for (int64_t stage = 0; stage < kStages; ++stage)
      NVVM::MBarrierInitOp::create(b, barrierOf(kernel.index(stage)), number(1), Value());
    NVVM::FenceMbarrierInitOp::create(b);
  });
  kernel.barrier();
  kernel.emitIf(isFirst, [&] {
    for (int64_t stage = 0; stage < kStages; ++stage)
      kernel.emitIf(isBelow(kernel.index(stage), steps),
                    [&] { bringStep(kernel.index(stage * kRow), kernel.index(stage)); });
  });
  NVVM::SyncWarpOp::create(b, number(-1));

  SmallVector<Type> registers(kRow * kLanes / kThreadsOfGroup, b.getF32Type());
  Value none = LLVM::ZeroOp::create(b, LLVM::LLVMStructType::getLiteral(b.getContext(), registers));
  auto step = [&](Value number, ValueRange values) -> SmallVector<Value> {
    Value stage = values[1], phase = values[2];
    NVVM::MBarrierTryWaitParityOp::create(b, barrierOf(stage), phase, this->number(kNanoseconds));
    Value sums = multiplyStep(stage, values[0]);
    kernel.barrier();
    Value next = add(number, stages);
    kernel.emitIf(arith::AndIOp::create(b, isFirst, isBelow(next, steps)),
                  [&] { bringStep(times(next, kRow), stage); });
    NVVM::SyncWarpOp::create(b, this->number(-1));
    // The next stage, and after the last one the first, whose barrier is in its other phase then.
    Value isLast = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, stage, kernel.index(kStages - 1));
    Value nextStage = arith::SelectOp::create(b, isLast, zero, add(stage, 1));
    Value otherPhase = arith::XOrIOp::create(b, phase, this->number(1));
    return {sums, nextStage, arith::SelectOp::create(b, isLast, otherPhase, phase)};
  };
  SmallVector<Value> results = kernel.emitFor(zero, steps, kernel.index(1), {none, zero, number(0)}, step);
  storeSumsOf(results[0]);
}
