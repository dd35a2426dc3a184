//===- WarpgroupTile.h - a block's tile by the matrix units of sm_90a ---------------------------------------------===//
//
// What it is for: on compute capability 9.0 four warps together multiply matrices that lie in shared memory (wgmma),
// and one thread has boxes of a tensor brought there (TMA). Both are of that architecture alone, so a kernel has this
// form of its tile beside the one for all (EmitMatrixProduct.cpp), with the same blocks, threads and operands.
//
// How it works: 256 threads are two groups of four warps, which have 64 rows of the tile each.
//
//   thread 0: bring steps 0 .. kStages - 1; the barrier of a stage is told of the bytes that come
//   for step in 0 .. steps
//     wait at the barrier of the stage until all bytes have come
//     wgmma of the step's 64 k, 16 at a time; wait for them; barrier of all threads
//     thread 0: bring step + kStages to the same stage
//   store epilogue(sums)
//
// Boxes that end beyond the tensor are filled up with zeros. Two blocks share a multiprocessor, and one multiplies
// while the other waits. Rows of 128 bytes are swizzled as "Asynchronous Warpgroup Level Matrix Instructions" of the
// PTX ISA manual describes it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_WARPGROUPTILE_H
#define ONNX_AOT_CODEGEN_NVPTX_WARPGROUPTILE_H

#include "codegen/nvptx/ProductTile.h"

namespace onnx_aot {

class WarpgroupTile : protected ProductTile {
public:
  /// Whether both operands can be brought in boxes: of 16-bit elements, with one dim each of lanes and of k, in chunks
  /// of 16 bytes.
  static bool takeBoxes(const aot::LoopNest &nest, const ProductNest &product);

protected:
  using ProductTile::ProductTile;

  /// Whether the tile is made so.
  bool hasBoxes() const;
  void multiplyByWarpgroups();

private:
  /// Elements of 16 bits in the 128 bytes of a row, which is as far as a step goes along k, too.
  static constexpr int64_t kRow = 64, kRowBytes = 128;
  static constexpr int64_t kStages = 3;
  /// A box is 64 rows; an operand has two, of its lanes.
  static constexpr int64_t kBoxBytes = kRow * kRowBytes, kOperandBytes = 2 * kBoxBytes, kStageBytes = 2 * kOperandBytes;
  static constexpr int64_t kBarrierBytes = 8;
  static constexpr int64_t kLanes = 2 * kRow; // columns of one instruction, which has kRow rows
  static constexpr int64_t kDepthOfOne = 16;  // k of one instruction

  mlir::Value passMap(const TileOperand &operand);
  /// Begins to bring the step whose k are from `from` on.
  void bringStep(mlir::Value from, mlir::Value stage);
  void bringOperand(const TileOperand &operand, mlir::Value map, mlir::Value laneStart, mlir::Value from,
                    mlir::Value target, mlir::Value barrier);
  mlir::Value multiplyStep(mlir::Value stage, mlir::Value sums);
  /// Of an operand's boxes at an address of shared memory, as wgmma wants it.
  mlir::Value descriptor(const TileOperand &operand, mlir::Value address);
  void storeSumsOf(mlir::Value sums);

  mlir::Value number(int64_t value, unsigned bits = 32);
  mlir::Value as32(mlir::Value index);
  mlir::Value barrierOf(mlir::Value stage);

  mlir::Value rowMap, columnMap, memory, barriers; // the latter two: addresses in shared memory, of 32 bits
  mlir::Value group;                               // the thread's group of four warps
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_WARPGROUPTILE_H
