//===- EmitProduct.cpp - matrix products in registers -------------------------------------------------------------===//
//
// Each thread of a block makes a part of its tile in registers. Tiles of both operands are brought to shared memory, a
// step of k at a time, and the next step's elements are on their way in registers while a step is computed:
//
//   next = elements of step 0
//   for step in 0 .. steps
//     shared = next; barrier
//     next = elements of step + 1
//     for k in the step: acc[i][j] = compute(R[rows of the thread][k], S[k][columns of the thread], acc[i][j])
//     barrier
//   store epilogue(acc[i][j]), but for what is beyond the ends
//
// Register tiling through shared memory follows Volkov and Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra"
// (SC 2008); a convolution as such a product without a matrix of its patches is the implicit GEMM of Chetlur et al.,
// "cuDNN: Efficient Primitives for Deep Learning" (2014).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/ProductTile.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr TileSize kTiles[] = {{128, 128, 8}, {64, 64, 16}, {32, 32, 16}};
/// A step's elements come while the one before is computed.
constexpr ProductSpeed kSpeed = {100, 800};
/// Fewer rows, columns or products leave most of the smallest tile empty.
constexpr double kFewest = 8;

class RegisterProduct : ProductTile {
public:
  RegisterProduct(const DeviceContext &context, Operation *op, const LoopNest &nest, const ProductNest &product,
                  const TileSize &size)
      : ProductTile(context, op, nest, product, size) {}

  void emit() {
    prepare({/*stages=*/1, /*paddingAlongDepth=*/kGroup, /*paddingAlongLanes=*/kGroup, /*mostChunk=*/1});
    SmallVector<Value> rows = lanesOf(row, divided(thread, kSide)), columns = lanesOf(column, rest(thread, kSide));
    SmallVector<Value> zeros(rows.size() * columns.size(), device.identity());
    SmallVector<Value> sums = sumInTurn(zeros, [&](MutableArrayRef<Value> result) {
      for (int64_t k = 0; k < size.depth; ++k)
        multiplyAt(loadLanes(row, k, rows), loadLanes(column, k, columns), result);
    });
    auto sum = [&](size_t i, size_t j) { return sums[i * columns.size() + j]; };
    storeSums(rows, columns, sum, /*neighbours=*/groupOf(column));
    launch();
  }

private:
  /// Threads form a square, and take so many rows and columns side by side.
  static constexpr int64_t kSide = 16, kGroup = 4;
  static int64_t groupOf(const TileOperand &operand) { return std::min(kGroup, operand.lanes / kSide); }

  /// Lanes of a thread: groups of neighbours, kSide groups apart.
  SmallVector<Value> lanesOf(const TileOperand &operand, Value group) {
    SmallVector<Value> lanes;
    int64_t neighbours = groupOf(operand);
    for (int64_t first = 0; first < operand.lanes; first += neighbours * kSide)
      for (int64_t lane = 0; lane < neighbours; ++lane)
        lanes.push_back(add(times(group, neighbours), first + lane));
    return lanes;
  }

  SmallVector<Value> loadLanes(const TileOperand &operand, int64_t k, ArrayRef<Value> lanes) {
    SmallVector<Value> values;
    Value stage = kernel.index(0), depth = kernel.index(k);
    int64_t neighbours = groupOf(operand);
    Type element = cast<MemRefType>(operand.shared.getType()).getElementType();
    for (size_t lane = 0; lane < lanes.size(); ++lane) {
      if (operand.alongDepth) {
        values.push_back(memref::LoadOp::create(b, operand.shared, ValueRange{stage, lanes[lane], depth}));
        continue;
      }
      auto type = VectorType::get({neighbours}, element);
      auto loaded = vector::LoadOp::create(b, type, operand.shared, ValueRange{stage, depth, lanes[lane]});
      loaded.setAlignmentAttr(
          b.getI64IntegerAttr(std::min<int64_t>(16, llvm::divideCeil(type.getElementTypeBitWidth() * neighbours, 8))));
      for (int64_t i = 0; i < neighbours; ++i)
        values.push_back(vector::ExtractOp::create(b, loaded, i));
      lane += size_t(neighbours) - 1;
    }
    return values;
  }

  void multiplyAt(ArrayRef<Value> left, ArrayRef<Value> right, MutableArrayRef<Value> sums) {
    SmallVector<Value> inputs(device.nest.inputs.size());
    for (auto [i, x] : llvm::enumerate(left))
      for (auto [j, y] : llvm::enumerate(right)) {
        inputs[row.input] = x;
        inputs[column.input] = y;
        Value &sum = sums[i * right.size() + j];
        sum = device.compute(inputs, sum);
      }
  }
};
} // namespace

LogicalResult onnx_aot::emitProduct(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  std::optional<ProductNest> product = ProductNest::of(nest);
  if (!product || estimateVolume(nest, product->rows) < kFewest || estimateVolume(nest, product->columns) < kFewest ||
      estimateVolume(nest, product->depth) < kFewest)
    return failure();
  if (succeeded(emitMatrixProduct(context, op, nest, *product)))
    return success();
  RegisterProduct(context, op, nest, *product, chooseTile(nest, *product, kTiles, kSpeed)).emit();
  return success();
}
