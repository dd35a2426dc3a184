//===- BufferSizes.h - what is known about the size of a buffer ---------------------------------------------------===//
//
// Three kinds of buffers, by who knows their size:
//
//   Known   the compiler: static, or with a bound for every dim
//   OfDims  the caller: the size, or a bound of it, is a function of the entry's dims
//   Open    the run alone
//
// Sizes of the second kind are `bytes` times a product of factors, which are values of a function that is made for it,
// @arena_bytes. Equal factors are one value there, so that sizes can be compared.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_BUFFERSIZES_H
#define ONNX_AOT_PASSES_BUFFER_BUFFERSIZES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "passes/buffer/DimRanges.h"
#include "llvm/ADT/DenseSet.h"
#include <memory>

namespace onnx_aot {

struct BufferSize {
  enum class Kind { Known, OfDims, Open };
  Kind kind = Kind::Known;
  int64_t bytes = 0;                              // Open: of one element
  llvm::SmallVector<mlir::Value, 2> factors = {}; // i64 values of the size function, sorted

  bool operator==(const BufferSize &other) const {
    return kind == other.kind && bytes == other.bytes && factors == other.factors && kind != Kind::Open;
  }
};

/// Arithmetic on sizes: i64 values from 0 to INT64_MAX, where the largest stands for what is too large.
mlir::Value multiplySizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a, mlir::Value b);
mlir::Value addSizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a, mlir::Value b);
mlir::Value sizeConstant(mlir::OpBuilder &builder, mlir::Location loc, int64_t value);
/// An index as a size: what is negative counts as 0.
mlir::Value sizeOfDim(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value dim);
/// Rounds a size up to a multiple of `alignment`, a power of two.
mlir::Value alignSize(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value size, int64_t alignment);

class BufferSizes {
public:
  /// Sizes from here on are too large for an arena.
  static constexpr int64_t kLimit = int64_t(1) << 62;
  /// A worst case above this is none that anybody would reserve: the bound comes from a range of numbers, not of sizes.
  static constexpr int64_t kLargestWorstCase = int64_t(1) << 32;

  explicit BufferSizes(mlir::func::FuncOp entry) : entry(entry) {}
  BufferSizes(const BufferSizes &) = delete;
  /// A size function that nobody asked for goes.
  ~BufferSizes();

  BufferSize of(mlir::memref::AllocOp alloc);
  /// The most bytes that `dims` times `bytes` can be, where the compiler knows it.
  std::optional<int64_t> knownBytes(llvm::ArrayRef<mlir::OpFoldResult> dims, int64_t bytes);
  /// The size function, (index...) -> index of the entry's dims, without a terminator.
  mlir::func::FuncOp function();
  /// The function stays.
  void keep() { isKept = true; }

private:
  DimRanges &ranges();
  /// `value` of the entry as a value of the size function, or null: only the run knows it.
  mlir::Value clone(mlir::Value value);
  /// A value of the size function that `value` does not exceed, or null.
  mlir::Value bound(mlir::Value value);
  /// Adds the factors of `value`; false where it has no bound.
  bool addFactors(mlir::Value value, BufferSize &size);
  /// Builds an operation of the size function, or finds it.
  template <typename Op, typename... Args> mlir::Value make(Args &&...args) {
    mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(&function().getBody().front());
    return unique(Op::create(builder, entry.getLoc(), std::forward<Args>(args)...));
  }
  mlir::Value unique(mlir::Operation *op, unsigned result = 0);
  mlir::Value guarded(mlir::Value divisor, mlir::Value dividend);

  struct Equivalence : llvm::DenseMapInfo<mlir::Operation *> {
    static unsigned getHashValue(const mlir::Operation *op);
    static bool isEqual(const mlir::Operation *a, const mlir::Operation *b);
  };

  mlir::func::FuncOp entry, sizes;
  bool isKept = false;
  std::unique_ptr<DimRanges> known;
  llvm::DenseMap<mlir::Value, mlir::Value> clones, bounds; // null: there is none
  llvm::DenseSet<mlir::Operation *, Equivalence> made;
};

} // namespace onnx_aot

#endif
