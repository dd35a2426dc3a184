//===- ProductTile.h - a block's tile of a matrix product ---------------------------------------------------------===//
//
// What it is for: whatever multiplies, a block of threads makes a tile of the result of a ProductNest; here is where
// tiles lie, how elements of the operands come to shared memory, and how sums leave. How it works: an operand's tile is
// [lane][k] or [k][lane] in shared memory, where lanes are its rows or columns, as its neighbours lie in memory, so
// that neighbouring threads bring neighbouring elements, in chunks of 16 bytes where these begin at multiples of 16.
// Where tiles are few and k is long, k is cut in parts, of which a block takes one (PartialResults.h).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_PRODUCTTILE_H
#define ONNX_AOT_CODEGEN_NVPTX_PRODUCTTILE_H

#include "codegen/nvptx/NestKernel.h"
#include "codegen/nvptx/PartialResults.h"
#include "codegen/nvptx/ProductNest.h"

namespace onnx_aot {

struct TileSize {
  int64_t rows, columns, depth;
  /// At most so many blocks share a tile, each with a part of k.
  int64_t parts = 1;
};

/// How tiles lie in shared memory: their number, how many elements rows are longer than needed, by what neighbours are
/// neighbours along, and the elements that a chunk has at most.
struct TileLayout {
  int64_t stages, paddingAlongDepth, paddingAlongLanes, mostChunk;
};

/// One operand's part of a tile.
struct TileOperand {
  unsigned input;
  llvm::SmallVector<unsigned> dims; // of its lanes
  int64_t lanes, depth;
  bool alongDepth = false; // its neighbours are neighbours along k
  int64_t chunk = 1;       // elements that are brought at once
  int64_t pitch = 0;       // elements from one row of the shared tile to the next

  mlir::Value shared;                                       // [stage][row][neighbour]
  llvm::SmallVector<mlir::Value> laneAddress, isLaneInside; // of the chunks that a thread brings
};

class ProductTile : protected NestKernel {
protected:
  static constexpr int64_t kThreads = 256;

  ProductTile(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest, const ProductNest &product,
              const TileSize &size);

  /// Finds the block's tile and how both operands lie.
  void prepare(const TileLayout &layout);

  int64_t chunksPerThread(const TileOperand &operand) const {
    return llvm::divideCeil(operand.lanes * operand.depth, kThreads * operand.chunk);
  }
  /// The row of the shared tile, and the place in it, of chunk `number` of the thread; the lane and k of its first
  /// element.
  struct Place {
    mlir::Value row, neighbour, lane, k;
  };
  Place placeOf(const TileOperand &operand, int64_t number);
  /// Address of a chunk in memory, of the step that begins at `from`, and whether it is inside of the operand.
  std::pair<mlir::Value, mlir::Value> source(const TileOperand &operand, int64_t number, mlir::Value from);
  /// Runs `body` for chunk `number` of the threads that have one.
  void forChunk(const TileOperand &operand, int64_t number, llvm::function_ref<void()> body);

  /// The loop over the steps of the block's k, which brings the elements of the next step while `multiply` adds the
  /// products of one, whose elements are in the first stage, to the sums. Returns the sums.
  llvm::SmallVector<mlir::Value> sumInTurn(llvm::SmallVector<mlir::Value> sums,
                                           llvm::function_ref<void(llvm::MutableArrayRef<mlir::Value>)> multiply);

  /// Stores the epilogue of sums, unless they are beyond the ends: sums[i][j] is that of rows[i] and columns[j] of the
  /// tile. So many columns each are `neighbours`, the first of which is a multiple of them: where the result and what
  /// the epilogue reads are vectors of them, or of a part of them, these are stored at once.
  void storeSums(llvm::ArrayRef<mlir::Value> rows, llvm::ArrayRef<mlir::Value> columns,
                 llvm::function_ref<mlir::Value(size_t, size_t)> sum, int64_t neighbours = 1);
  /// Launches the kernel, and the one that combines parts.
  void launch();

  const ProductNest product;
  const TileSize size;
  TileOperand row, column;
  mlir::Value thread, rowStart, columnStart, depthStart, depthEnd; // the latter two: of the block's part of k

private:
  /// The chunks that the thread brings, zeros beyond the ends; and their way to shared memory.
  llvm::SmallVector<mlir::Value> bring(const TileOperand &operand, mlir::Value from);
  void place(const TileOperand &operand, mlir::ValueRange chunks);
  void placeBlock();
  void lay(TileOperand &operand, mlir::Value start, mlir::Value end, const TileLayout &layout);
  int64_t sumsAtOnce(int64_t neighbours) const;
  mlir::Value offsetOf(const aot::Access &access, llvm::ArrayRef<unsigned> dims);
  const aot::Access &accessOf(const TileOperand &operand) const { return device.nest.inputs[operand.input]; }

  const DeviceContext &context;
  mlir::Operation *op;
  PartialResults partial;
  mlir::Value rowsOfAll, columnsOfAll, batch, part;
};

/// How fast a kernel is, in clock cycles of one multiprocessor: multiplications in each, and how long a step of k takes
/// at least, which is the way from memory.
struct ProductSpeed {
  double products, latency;
};

/// The fastest of `sizes` by a model of its time, with the number of parts that k is cut in. `whole` is how fast the
/// first of them is where k is not cut; the same as the others without it.
TileSize chooseTile(const aot::LoopNest &nest, const ProductNest &product, llvm::ArrayRef<TileSize> sizes,
                    const ProductSpeed &speed, std::optional<ProductSpeed> whole = std::nullopt);

/// By the matrix units; fails where they do not take these elements.
mlir::LogicalResult emitMatrixProduct(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest,
                                      const ProductNest &product);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_PRODUCTTILE_H
