//===- DeviceNest.h - a loop nest as threads see it ---------------------------------------------------------------===//
//
// What it is for: the emitters of kernels share here how a point of a nest's iteration space becomes addresses, loads,
// a clone of the bodies and a store. How it works: `ivs` has one value per dim of the nest; what only the run knows is
// passed by the host when it is first asked for.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_DEVICENEST_H
#define ONNX_AOT_CODEGEN_NVPTX_DEVICENEST_H

#include "codegen/nvptx/KernelBuilder.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"

namespace onnx_aot {

class DeviceNest {
public:
  /// Passes the operands and all that the bodies use from outside.
  DeviceNest(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest, llvm::StringRef kind);
  /// The same in a kernel that does other things too.
  DeviceNest(KernelBuilder &kernel, mlir::Operation *op, const aot::LoopNest &nest);

  /// On the device.
  mlir::Value valueOf(const aot::Amount &amount);
  /// On the host.
  mlir::Value hostValueOf(const aot::Amount &amount);
  /// On the host: the product of the extents.
  mlir::Value hostVolume(llvm::ArrayRef<unsigned> dims);
  /// On the device: the product of the extents.
  mlir::Value volume(llvm::ArrayRef<unsigned> dims);

  /// Sets the ivs of `dims` from a number of a point, the last dim being the fastest.
  void delinearize(mlir::Value number, llvm::ArrayRef<unsigned> dims);
  mlir::Value address(const aot::Access &access);
  /// The elements of all inputs that are read by `inCompute`'s body, or the epilogue's; null for the others. Lanes run
  /// along dim `laneDim`.
  llvm::SmallVector<mlir::Value> loadInputs(bool inCompute, int64_t lanes = 1, int laneDim = -1);
  mlir::Value load(unsigned input, int64_t lanes = 1, int laneDim = -1);
  mlir::Value compute(llvm::ArrayRef<mlir::Value> inputs, mlir::Value accumulator, int64_t lanes = 1, int laneDim = -1);
  /// `accumulator` is null where nothing is reduced.
  void storeResult(mlir::Value accumulator, int64_t lanes = 1, int laneDim = -1);
  /// The same with the inputs of the epilogue, one per input of the nest.
  void storeResult(llvm::ArrayRef<mlir::Value> inputs, mlir::Value accumulator, int64_t lanes = 1, int laneDim = -1);
  /// An element, or a vector of those along the dim that lanes run along.
  void store(mlir::Value value);
  /// In each of `lanes` lanes.
  mlir::Value identity(int64_t lanes = 1);
  /// The reduction's combination of two accumulators; of nests that have a combiner.
  mlir::Value combine(mlir::Value left, mlir::Value right);
  /// Adds what the bodies use from outside.
  void mapCaptured(mlir::IRMapping &mapping) const;
  /// All elements of an input, by linear address.
  mlir::Value elementsOf(unsigned input) { return elements[input]; }

private:
  std::unique_ptr<KernelBuilder> own; // null where others are in the kernel

public:
  const aot::LoopNest nest;
  KernelBuilder &kernel;
  mlir::ImplicitLocOpBuilder &b;
  llvm::SmallVector<mlir::Value> ivs;
  llvm::SmallVector<unsigned> parallelDims, reductionDims;

private:
  void passOperands(mlir::Operation *op);
  aot::Amount product(llvm::ArrayRef<unsigned> dims) const;
  mlir::Value hostValueOf(const aot::Symbol &symbol);
  mlir::Value clone(mlir::Region &body, llvm::ArrayRef<mlir::Value> inputs, mlir::Value accumulator, int64_t lanes,
                    int laneDim);

  llvm::SmallVector<mlir::Value> elements; // of the inputs, then of the output
  llvm::SmallVector<mlir::Value> symbols;  // on the device; null until they are asked for
  mlir::IRMapping captured;
};

/// Whether `lanes` elements along `dim` are one vector of at most 16 bytes, aligned to its size, wherever they begin.
bool isVector(const aot::Access &access, unsigned dim, int64_t lanes);
/// Of a vector that begins at a multiple of its size, or of 16 bytes where it is longer.
mlir::IntegerAttr vectorAlignment(mlir::Builder &builder, mlir::VectorType type);
/// How many neighbours along `dim` can be taken at once: `most`, which is a power of two, or a part of it. They are
/// vectors, or one element, in all inputs and the output that `takes` holds for.
int64_t lanesAlong(const aot::LoopNest &nest, unsigned dim, llvm::function_ref<bool(const aot::Access &)> takes,
                   int64_t most = 4);
/// Whether accumulators of `nest` can be combined across threads.
bool canCombine(const aot::LoopNest &nest);

/// (a, b) -> the combination of both by `combiner`, which combines an accumulator and a value; `value` of all of
/// `lanes` neighbouring lanes, combined by exchanges.
mlir::Value combine(mlir::ImplicitLocOpBuilder &b, mlir::Operation *combiner, mlir::Value left, mlir::Value right);
mlir::Value combineLanes(KernelBuilder &kernel, mlir::Operation *combiner, mlir::Value value, int64_t lanes);

/// Kernels by the shape of the nest; each launches what it makes. They refuse none.
void emitPointwise(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
/// Elementwise operations of which none touches what another one stores, as one kernel in the place of the last.
void emitTogether(const DeviceContext &context, llvm::ArrayRef<mlir::Operation *> operations);
void emitReduction(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
/// Whether neighbours of an elementwise operation lie along several dims, so that tiles pay; fails where they do not.
bool isTransposition(const aot::LoopNest &nest);
mlir::LogicalResult emitTranspose(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
/// Fails where neighbouring results are not made of neighbouring elements.
mlir::LogicalResult emitColumnReduction(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
/// Fails where the nest is no sum of products of two operands that is worth tiles.
mlir::LogicalResult emitProduct(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
void emitResample(const DeviceContext &context, aot::ResampleOp op);
/// The kernel of an aot.rows, and of an aot.attention.
mlir::LogicalResult emitRows(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
mlir::LogicalResult emitAttention(const DeviceContext &context, mlir::Operation *op, const aot::LoopNest &nest);
/// Linalg operations that are no nest: a thread for each point of the parallel dims.
mlir::LogicalResult emitStructured(const DeviceContext &context, mlir::Operation *op);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_DEVICENEST_H
