//===- NestReduction.h - the reduction and the epilogue of one tile -----------------------------------------------===//
//
// What stands inside of the loops over tiles (NestEmitter): loops over the reduction dims that carry the accumulators
// of `tileRows` rows and `chunks`, fetching ahead what the next block of a packed operand is, and the epilogue. Where
// lanes run along a reduction dim, what they hold is combined at the end.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_NESTREDUCTION_H
#define ONNX_AOT_CODEGEN_CPU_NESTREDUCTION_H

#include "codegen/cpu/NestTile.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace onnx_aot {

class NestReduction : protected NestTile {
protected:
  using NestTile::NestTile;

  /// The tile at `ivs`.
  void emitTile();
  /// Keeps LLVM from vectorising what is vectorised, and from unrolling a loop whose body fills the pipelines: unrolled
  /// taps would only lengthen live ranges until accumulators spill.
  void annotate(mlir::scf::ForOp loop, int64_t accumulators);
  /// The last multiple of `step` above `low` that is not beyond `high`.
  mlir::Value wholeSteps(mlir::Value low, mlir::Value high, int64_t step);

  /// Accumulators that hide the latency of two multiply-add units of four cycles.
  static constexpr int64_t kPipelineDepth = 8;

  /// Of the block of rows that is walked; null where all of them are.
  mlir::Value rowBase;

private:
  using Values = llvm::SmallVector<mlir::Value>;
  using Step = llvm::function_ref<Values(Values)>;

  void storeRowByRow(const TileValues &accumulators);
  mlir::Value allocateOnStack(int64_t elements);

  Values reduce(unsigned level, unsigned end, Values accumulators);
  Values repeat(unsigned dim, Values accumulators, Step body);
  Values carry(unsigned dim, Values accumulators, Step body);
  Values carry(unsigned dim, int64_t low, int64_t high, int64_t stepSize, Values accumulators, Step body);
  Values carry(unsigned dim, mlir::Value low, mlir::Value high, int64_t stepSize, Values accumulators, Step body);
  Values nestedCarry(unsigned level, unsigned end, Values values, Step innermost);
  Values step(llvm::ArrayRef<mlir::Value> accumulators);
  void fetchShare(const PackedBlock &packed);

  Values initialAccumulators();
  mlir::Value identity(int64_t lanes);
  TileValues unflatten(llvm::ArrayRef<mlir::Value> values) const;

  void emitHorizontalTile();
  Values sumStatic(int64_t extent, int64_t stepSize);
  Values sumDynamic(const aot::Amount &amount, int64_t stepSize);
  Values sumLanes(llvm::ArrayRef<mlir::Value> partial);
  mlir::Value combine(mlir::Value left, mlir::Value right);
  mlir::Value reduceLanes(mlir::Value vector);
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_NESTREDUCTION_H
