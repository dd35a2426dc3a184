//===- AttentionTile.h - a block's part of an attention -----------------------------------------------------------===//
//
// What it is for: both kinds of attention kernels share here where a block's queries are, how tiles of queries, keys
// and values come to shared memory, what becomes of a sum of products as a score, and how results leave. How it works:
// a block has a tile of queries of one element of the batch and walks tiles of keys; tiles are [place][element of the
// head] in shared memory, however operands lie, with zeros for what is beyond the ends.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_ATTENTIONTILE_H
#define ONNX_AOT_CODEGEN_NVPTX_ATTENTIONTILE_H

#include "codegen/nvptx/NestKernel.h"

namespace onnx_aot {

class AttentionTile : protected NestKernel {
protected:
  struct Size {
    int64_t queries, keys; // of a tile
    int64_t threads;
    int64_t padding; // elements by which heads are padded to multiples
  };

  AttentionTile(const DeviceContext &context, aot::AttentionOp op, const aot::LoopNest &nest, const Size &size);

  /// Finds the block's queries.
  void place();
  /// Brings `rows` of an operand from `start` on to the rows of shared memory from `firstRow` on.
  void bring(unsigned input, mlir::Value start, mlir::Value tile, mlir::Value firstRow, int64_t rows);
  /// Begins to; the copies of a thread end in the order in which it has begun them.
  void copy(unsigned input, mlir::Value start, mlir::Value tile, mlir::Value firstRow, int64_t rows);
  /// Whether an operand lies in whole chunks of 16 bytes of neighbours of a head, so that it can be copied.
  bool liesInChunks(unsigned input) const { return chunkOf(input) > 1; }
  /// Shared memory for `rows` of an operand, each of which is `padding` elements longer than a head.
  mlir::Value tileLike(unsigned input, mlir::Type element, int64_t rows, int64_t padding);

  /// The score of a sum: of query and key by their numbers in the attention; -inf beyond the last key.
  mlir::Value score(mlir::Value sum, mlir::Value query, mlir::Value key);
  /// (maximum so far, that of the next scores) -> (their maximum, what is subtracted: 0 instead of -inf).
  std::pair<mlir::Value, mlir::Value> advance(mlir::Value maximum, mlir::Value next);
  /// What the weighted sum is multiplied by in the end: 1 / `sum`, but 0 where there are no keys, or where rows without
  /// a key that counts are to be 0.
  mlir::Value inverse(mlir::Value sum);
  /// Stores the epilogue of `value`, unless it is beyond the ends.
  void store(mlir::Value value, mlir::Value query, mlir::Value element);
  void launch() { kernel.launch(blocks, size.threads); }

  mlir::Value constant(double value);
  /// Elements of a head, padded, of queries and keys and of values.
  int64_t depth() const { return padded(dims.depth); }
  int64_t width() const { return padded(dims.value); }

  aot::AttentionOp op;
  const Size size;
  /// Of the nest; -1 where there is one element.
  struct {
    int query, key, depth, value;
  } dims;
  mlir::Value thread, queryStart, queries, keys; // the last two: how many there are

private:
  int64_t extent(int dim) const { return dim < 0 ? 1 : device.nest.dims[unsigned(dim)].extent.factor; }
  int64_t padded(int dim) const { return int64_t(llvm::alignTo(uint64_t(extent(dim)), uint64_t(size.padding))); }
  mlir::Value extentValue(int dim);
  void setIv(int dim, mlir::Value value) {
    if (dim >= 0)
      device.ivs[unsigned(dim)] = value;
  }
  /// Where the rows of an operand's tile are counted, and their elements.
  std::pair<int, int> dimsOf(unsigned input) const;
  /// Elements that are brought at once.
  int64_t chunkOf(unsigned input) const;
  aot::Amount strideOf(unsigned input, int dim) const {
    return dim < 0 ? aot::Amount(0) : device.nest.inputs[input].strides[unsigned(dim)];
  }
  struct Place {
    mlir::Value row, element;      // in the tile
    mlir::Value isChunk, isInside; // of the tile; of the operand
    mlir::Value address;
  };
  Place placeOf(unsigned input, mlir::Value number, mlir::Value start, int64_t rows);

  llvm::SmallVector<mlir::Value> bases; // address of the first element, of queries, keys and values
  mlir::Value blocks;
};

/// By the matrix units; fails where they do not take these elements.
mlir::LogicalResult emitMatrixAttention(const DeviceContext &context, aot::AttentionOp op, const aot::LoopNest &nest);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_ATTENTIONTILE_H
