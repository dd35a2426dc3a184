//===- NestTile.h - the operands and bodies of one tile of a loop nest --------------------------------------------===//
//
// What it is for: NestEmitter makes the loops; here is what stands inside of them. How it works: operands are buffers
// of one dimension, addressed by linear indices that follow from the loops' variables (`ivs`); a tile of `tileRows`
// rows and `chunks` of the vector dim is loaded, a body is cloned for each row and chunk, and the results are stored.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_NESTTILE_H
#define ONNX_AOT_CODEGEN_CPU_NESTTILE_H

#include "codegen/cpu/NestPlan.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// The values of one tile: [row][chunk].
using TileValues = llvm::SmallVector<llvm::SmallVector<mlir::Value>>;

class NestTile : protected NestPlan {
protected:
  NestTile(mlir::OpBuilder &builder, mlir::Location loc, const aot::LoopNest &nest, aot::StrategyAttr strategy)
      : NestPlan(nest, strategy), b(loc, builder) {}

  /// Emits what stands in front of all loops.
  void prepare();

  mlir::Value index(int64_t value);
  /// What is only known at run time; prepare() has computed it.
  mlir::Value valueOf(const aot::Amount &amount);

  /// Adds row `row` to the tiles of the inputs that `wanted` names. Rows and vectors that read the same share a load.
  void loadRow(int64_t row, llvm::function_ref<bool(const aot::Access &)> wanted,
               llvm::SmallVectorImpl<TileValues> &tiles);
  /// Asks for what lies at linear address `at` of an input, for later; `locality` 3 is the first-level cache, 2 the
  /// second.
  void prefetch(const aot::Access &access, mlir::Value at, uint32_t locality);
  /// Stores the epilogue of `accumulators`, which are empty where the nest reduces nothing.
  void store(const TileValues &accumulators);
  mlir::Value cloneBody(mlir::Region &body, llvm::ArrayRef<TileValues> inputs, int64_t row, size_t chunkIndex,
                        mlir::Value accumulator);

  mlir::ImplicitLocOpBuilder b;
  mlir::Value zero;
  llvm::SmallVector<mlir::Value> ivs;
  int64_t tileRows = 1;
  llvm::SmallVector<Chunk> chunks;

private:
  mlir::Value valueOf(const aot::Symbol &symbol);
  void materializeAll();
  /// The operand as a one-dimensional buffer that begins at its base address, or at its offset where that is dynamic.
  mlir::Value flatten(const aot::Access &access);
  mlir::Value flattenDynamic(mlir::Value operand);
  /// Address of the tile's first point; `row` and `lane` are added as constants. A tile lies in one panel.
  mlir::Value address(const aot::Access &access, int64_t row, int64_t lane);
  mlir::Value maskOf(const Chunk &chunk);
  mlir::Value load(mlir::Value buffer, const aot::Access &access, int64_t row, const Chunk &chunk);
  /// The neighbours that an aot.dot takes for each lane.
  mlir::Value loadWords(mlir::Value buffer, const aot::Access &access, int64_t row, const Chunk &chunk);
  /// Every second element, from two vectors of which the later ends at the last element that is wanted, so that nothing
  /// beyond the buffer is read.
  mlir::Value loadEven(mlir::Value buffer, const aot::Access &access, int64_t row, const Chunk &chunk,
                       mlir::VectorType type);
  /// Whether a square block of an input, whose rows are its neighbours, is to be turned; loads one, row by row of the
  /// tile.
  bool isTurned(const aot::Access &access, const Chunk &chunk) const;
  llvm::SmallVector<mlir::Value> loadTurned(mlir::Value buffer, const aot::Access &access, const Chunk &chunk);
  void storeChunk(mlir::Value value, int64_t row, const Chunk &chunk);

  /// The value of iteration dim `original` of the operation at each lane.
  mlir::Value position(uint64_t original, int64_t row, const Chunk &chunk);

  llvm::DenseMap<std::pair<size_t, size_t>, llvm::SmallVector<mlir::Value>> turnedBlocks; // of (input, chunk)
  llvm::SmallVector<mlir::Value> flat;
  mlir::Value flatOutput;
  llvm::SmallVector<std::pair<aot::Amount, mlir::Value>> amounts;
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_NESTTILE_H
