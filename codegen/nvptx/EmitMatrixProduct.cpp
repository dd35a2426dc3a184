//===- EmitMatrixProduct.cpp - matrix products by the matrix units ------------------------------------------------===//
//
// Elements of 16 bits, sums of 32: mma.sync.m16n8k16. Eight warps, two by four, share a tile; each makes a part of it
// in fragments of 16 by 8 sums, whose operands ldmatrix takes from shared memory, transposed where they lie [k][lane].
//
// With --precision=tf32 32-bit floats are rounded to 19 bits on their way from shared memory to mma.sync.m16n8k8, where
// ldmatrix takes pairs of 16 bits for one element; it cannot transpose those, and loads of single elements do.
//
// Where both operands are brought in chunks of 16 bytes, cp.async brings them, several steps ahead:
//
//   copy steps 0 .. stages - 2
//   for step in 0 .. steps
//     wait until step has come; barrier
//     copy step + stages - 1 to the stage that step - 1 was in
//     for k in the step, 16 at a time: ldmatrix, mma.sync
//
// Otherwise (convolutions, mostly) they go through registers, as in EmitProduct. Rows of shared memory are 16 bytes
// longer than needed, so that the eight rows of a matrix lie in different banks; where single elements are loaded, four
// threads along k and eight along the lanes do with 32 bytes.
//
// What a fragment is: MatrixFragments.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/MatrixFragments.h"
#include "codegen/nvptx/WarpgroupTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr TileSize kTiles[] = {{128, 128, 32}, {64, 64, 32}, {32, 32, 32}};
constexpr TileSize kWideTiles[] = {{128, 128, 16}, {64, 64, 16}, {32, 32, 16}}; // of 32-bit elements
/// Of a chunk, and of what ldmatrix takes of a row of a matrix.
constexpr int64_t kChunkBytes = 16;
/// Of mma.sync in practice, which takes half as many of 32-bit elements, and with several steps on their way.
constexpr ProductSpeed kSpeed = {512, 400}, kWideSpeed = {256, 400};
/// Of wgmma, whose steps are twice as long.
constexpr ProductSpeed kWarpgroupSpeed = {1536, 200};
constexpr int64_t kRows = 16, kColumns = 8, kDepthBytes = 32; // of one instruction

class MatrixProduct : WarpgroupTile {
public:
  MatrixProduct(const DeviceContext &context, Operation *op, const LoopNest &nest, const ProductNest &product,
                const TileSize &size)
      : WarpgroupTile(context, op, nest, product, size), warpRows(size.rows / 2), warpColumns(size.columns / 4),
        element(nest.inputs[product.rowInput].elementType), chunk(kChunkBytes * 8 / element.getIntOrFloatBitWidth()),
        depth(kDepthBytes * 8 / element.getIntOrFloatBitWidth()), hasWarpgroups(context.hasWarpgroups) {}

  void emit() {
    // As many steps on their way as 48 KB hold.
    int64_t stages = size.rows >= 128 ? 2 : 4;
    prepare({stages, /*paddingAlongDepth=*/chunk, /*paddingAlongLanes=*/8, chunk});
    if (hasWarpgroups && hasBoxes())
      kernel.emitIf(kernel.isHopper(), [&] { multiplyByWarpgroups(); }, [&] { multiplyByWarps(stages); });
    else
      multiplyByWarps(stages);
    launch();
  }

private:
  void multiplyByWarps(int64_t stages) {
    lane = rest(thread, KernelBuilder::kWarp);
    Value warp = divided(thread, KernelBuilder::kWarp);
    firstRow = times(divided(warp, 4), warpRows);
    firstColumn = times(rest(warp, 4), warpColumns);
    bool isAsynchronous = row.chunk == chunk && column.chunk == chunk;
    SmallVector<Value> sums =
        isAsynchronous
            ? multiplyAhead(stages)
            : sumInTurn(zeros(), [&](MutableArrayRef<Value> result) { multiplyStep(kernel.index(0), result); });
    storeFragments(sums);
  }

  int64_t rowFragments() const { return warpRows / kRows; }
  int64_t columnFragments() const { return warpColumns / kColumns; }

  SmallVector<Value> zeros() {
    auto type = VectorType::get({2, 2}, b.getF32Type());
    return SmallVector<Value>(size_t(rowFragments() * columnFragments()),
                              arith::ConstantOp::create(b, b.getZeroAttr(type)));
  }

  //===-- Steps ---------------------------------------------------------------------------------------------------===//

  void copy(const TileOperand &operand, Value from, Value stage) {
    for (int64_t number = 0; number < chunksPerThread(operand); ++number) {
      std::pair<Value, Value> found = source(operand, number, from);
      Value at = found.first, isInside = found.second;
      Place place = placeOf(operand, number);
      // What is not inside is not read, and zeros take its place.
      Value start = arith::SelectOp::create(b, isInside, at, kernel.index(0));
      Value count = arith::SelectOp::create(b, isInside, kernel.index(chunk), kernel.index(0));
      forChunk(operand, number, [&] {
        nvgpu::DeviceAsyncCopyOp::create(b, token(), operand.shared, ValueRange{stage, place.row, place.neighbour},
                                         device.elementsOf(operand.input), ValueRange{start}, b.getIndexAttr(chunk),
                                         count, /*bypassL1=*/b.getUnitAttr());
      });
    }
  }

  nvgpu::DeviceAsyncTokenType token() { return nvgpu::DeviceAsyncTokenType::get(b.getContext()); }

  /// A group of copies, to be waited for as one.
  Value copyStep(Value from, Value stage) {
    copy(row, from, stage);
    copy(column, from, stage);
    return nvgpu::DeviceAsyncCreateGroupOp::create(b, token(), ValueRange());
  }

  Value choose(Value left, Value right, Value ifEqual, Value otherwise) {
    Value isEqual = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, left, right);
    return arith::SelectOp::create(b, isEqual, ifEqual, otherwise);
  }

  SmallVector<Value> multiplyAhead(int64_t stages) {
    SmallVector<Value> carried = zeros();
    Value group;
    for (int64_t stage = 0; stage < stages - 1; ++stage)
      group = copyStep(add(depthStart, stage * size.depth), kernel.index(stage));
    Value zero = kernel.index(0), last = kernel.index(stages - 1);
    carried.push_back(zero); // the stage
    carried.push_back(group);
    auto step = [&](Value from, ValueRange values) {
      Value stage = values.drop_back().back();
      // Groups end in their order: the step's has when there are only the later ones.
      nvgpu::DeviceAsyncWaitOp::create(b, values.back(), b.getI32IntegerAttr(int32_t(stages - 2)));
      kernel.barrier();
      Value next = copyStep(add(from, (stages - 1) * size.depth), choose(stage, zero, last, add(stage, -1)));
      SmallVector<Value> sums(values.drop_back(2));
      multiplyStep(stage, sums);
      sums.push_back(choose(stage, last, zero, add(stage, 1)));
      sums.push_back(next);
      return sums;
    };
    SmallVector<Value> results = kernel.emitFor(depthStart, depthEnd, kernel.index(size.depth), carried, step);
    results.truncate(results.size() - 2);
    return results;
  }

  //===-- Fragments -----------------------------------------------------------------------------------------------===//

  bool isWide() const { return element.isF32(); }

  /// Four matrices of 8 lanes and 16 bytes along k. Those of rows: both halves of the lanes, then the same further
  /// along k; those of columns: both halves of k, then the same for the next lanes.
  Value loadMatrices(const TileOperand &operand, Value stage, Value firstLane, int64_t k, bool isOfRows,
                     int64_t count) {
    if (isWide() && !operand.alongDepth)
      return loadElements(operand, stage, firstLane, k, isOfRows, count);
    Value inMatrix = rest(lane, 8), matrix = divided(lane, 8);
    Value low = rest(matrix, 2), high = divided(matrix, 2);
    // What goes along lanes and along k, of the matrix.
    Value alongLanes = count == 2 ? kernel.index(0) : times(isOfRows ? low : high, 8);
    Value alongDepth = times(isOfRows ? high : low, chunk);
    Value lanes = add(firstLane, alongLanes), depth = add(alongDepth, k);
    Value at = operand.alongDepth ? add(lanes, inMatrix) : add(depth, inMatrix);
    Value neighbour = operand.alongDepth ? depth : lanes;
    Value loaded =
        nvgpu::LdMatrixOp::create(b, VectorType::get({count, isWide() ? 1 : 2}, element), operand.shared,
                                  ValueRange{stage, at, neighbour}, /*transpose=*/!operand.alongDepth, uint32_t(count));
    return isWide() ? rounded(loaded) : loaded;
  }

  /// The same of 32-bit elements that lie [k][lane]: a thread has lane / 4 of the lanes and lane mod 4 along k.
  Value loadElements(const TileOperand &operand, Value stage, Value firstLane, int64_t k, bool isOfRows,
                     int64_t count) {
    Value matrices = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get({count, 1}, element)));
    Value inLanes = add(firstLane, divided(lane, 4)), inDepth = add(rest(lane, 4), k);
    for (int64_t matrix = 0; matrix < count; ++matrix) {
      int64_t low = matrix % 2, high = matrix / 2;
      Value depth = add(inDepth, (isOfRows ? high : low) * chunk), at = add(inLanes, (isOfRows ? low : high) * 8);
      Value loaded = memref::LoadOp::create(b, operand.shared, ValueRange{stage, depth, at});
      matrices = vector::InsertOp::create(b, loaded, matrices, ArrayRef<int64_t>{matrix, 0});
    }
    return rounded(matrices);
  }

  /// To the nearest number of tf32; the matrix units would cut off.
  Value rounded(Value matrices) {
    for (int64_t matrix = 0; matrix < cast<VectorType>(matrices.getType()).getDimSize(0); ++matrix) {
      Value number = vector::ExtractOp::create(b, matrices, ArrayRef<int64_t>{matrix, 0});
      Value bits = NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), number, NVVM::FPRoundingMode::RNA);
      matrices = vector::InsertOp::create(b, arith::BitcastOp::create(b, element, bits), matrices,
                                          ArrayRef<int64_t>{matrix, 0});
    }
    return matrices;
  }

  void multiplyStep(Value stage, MutableArrayRef<Value> sums) {
    for (int64_t k = 0; k < size.depth; k += depth) {
      SmallVector<Value> left, right;
      for (int64_t i = 0; i < rowFragments(); ++i)
        left.push_back(loadMatrices(row, stage, add(firstRow, i * kRows), k, /*isOfRows=*/true, 4));
      for (int64_t j = 0; j < columnFragments(); j += 2) {
        int64_t count = j + 1 < columnFragments() ? 4 : 2;
        Value both = loadMatrices(column, stage, add(firstColumn, j * kColumns), k, /*isOfRows=*/false, count);
        if (count == 2) {
          right.push_back(both);
          continue;
        }
        for (int64_t half : {0, 2})
          right.push_back(vector::ExtractStridedSliceOp::create(b, both, ArrayRef<int64_t>{half}, ArrayRef<int64_t>{2},
                                                                ArrayRef<int64_t>{1}));
      }
      for (auto [i, x] : llvm::enumerate(left))
        for (auto [j, y] : llvm::enumerate(right)) {
          Value &sum = sums[i * right.size() + j];
          sum = multiplyFragments(b, x, y, sum);
        }
    }
  }

  /// Of each fragment a thread has two neighbours in row lane / 4, and two in the row eight below.
  void storeFragments(ArrayRef<Value> sums) {
    SmallVector<Value> rows, columns;
    Value inRow = divided(lane, 4), inColumn = times(rest(lane, 4), 2);
    for (int64_t i = 0; i < rowFragments(); ++i)
      for (int64_t half : {0, 8})
        rows.push_back(add(add(firstRow, inRow), i * kRows + half));
    for (int64_t j = 0; j < columnFragments(); ++j)
      for (int64_t neighbour : {0, 1})
        columns.push_back(add(add(firstColumn, inColumn), j * kColumns + neighbour));
    storeSums(
        rows, columns,
        [&](size_t i, size_t j) -> Value {
          Value fragment = sums[(i / 2) * size_t(columnFragments()) + j / 2];
          return vector::ExtractOp::create(b, fragment, ArrayRef<int64_t>{int64_t(i % 2), int64_t(j % 2)});
        },
        /*neighbours=*/2);
  }

  int64_t warpRows, warpColumns;
  Type element;
  int64_t chunk, depth; // elements of a chunk, and of one instruction along k
  bool hasWarpgroups;
  Value lane, firstRow, firstColumn;
};
} // namespace

LogicalResult onnx_aot::emitMatrixProduct(const DeviceContext &context, Operation *op, const LoopNest &nest,
                                          const ProductNest &product) {
  Type left = nest.inputs[product.rowInput].elementType, right = nest.inputs[product.columnInput].elementType;
  bool isNarrow = left.isF16() || left.isBF16(), isRounded = left.isF32() && context.roundsProducts;
  auto identity = dyn_cast<FloatAttr>(nest.identity);
  bool startsAtZero = identity && identity.getType().isF32() && identity.getValue().isZero();
  if (!context.hasMatrixUnits || left != right || !(isNarrow || isRounded) || !startsAtZero)
    return failure();
  TileSize size = isNarrow ? chooseTile(nest, product, kTiles, kSpeed,
                                        context.hasWarpgroups && WarpgroupTile::takeBoxes(nest, product)
                                            ? std::optional(kWarpgroupSpeed)
                                            : std::nullopt)
                           : chooseTile(nest, product, kWideTiles, kWideSpeed);
  MatrixProduct(context, op, nest, product, size).emit();
  return success();
}
