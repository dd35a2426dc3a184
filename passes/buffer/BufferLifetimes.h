//===- BufferLifetimes.h - from when to when a buffer is in use ---------------------------------------------------===//
//
// Operations are numbered in the order in which they stand, those in branches and loops too. A buffer lives from its
// first to its last use. A use in a loop that the buffer does not belong to takes as long as the loop; within the loop
// that allocates it, a buffer is made anew in each iteration, so that its place may serve others before and behind.
//
// A value that a loop carries from one iteration to the next lives in both: its buffer alternates between two places.
//
// An output is the caller's buffer; it holds nothing before its first use.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_BUFFERLIFETIMES_H
#define ONNX_AOT_PASSES_BUFFER_BUFFERLIFETIMES_H

#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/buffer/BufferSizes.h"

namespace onnx_aot {

struct Buffer {
  mlir::memref::AllocOp alloc;
  BufferSize size;
  int64_t first = INT64_MAX, last = -1;
  int sharesWith = -1;     // the buffer, an earlier one, whose place this one takes over
  int endsIn = -1;         // the output, by its place in a list, whose first operation may read it where it writes
  bool alternates = false; // a loop carries it
};

/// An argument of the entry that a run writes, of static shape.
struct Output {
  mlir::BlockArgument argument;
  unsigned number; // among all outputs
  int64_t bytes;
  int64_t first; // step of its first use; INT64_MAX: none
};

class BufferLifetimes {
public:
  /// The number of an operation, and the last one of those inside of it.
  struct Span {
    int64_t first, last;
  };
  using Steps = llvm::DenseMap<mlir::Operation *, Span>;

  /// Numbers the operations of `function`.
  static Steps number(mlir::func::FuncOp function);
  /// The outputs of `function` that are dense and not empty.
  static llvm::SmallVector<Output> outputs(mlir::func::FuncOp function);
  /// Finds all buffers of `function`; they live from step to step of these numbers. Some may end in `outputs`.
  static llvm::FailureOr<llvm::SmallVector<Buffer>> find(mlir::func::FuncOp function, BufferSizes &sizes,
                                                         llvm::ArrayRef<Output> outputs = {});

private:
  llvm::LogicalResult collect(mlir::func::FuncOp function, BufferSizes &sizes);
  llvm::LogicalResult addUses(mlir::Value value, Buffer &buffer, size_t index, mlir::Operation *carrier);
  /// What else may be (a part of) the buffer where `operand`, which is, is passed on.
  llvm::LogicalResult passOn(mlir::OpOperand &operand, Buffer &buffer, size_t index, mlir::Operation *carrier);
  Span spanOf(mlir::Operation *user, const Buffer &buffer) const;
  bool mayBe(mlir::Value value, size_t index) const;
  bool readsOnce(mlir::linalg::GenericOp generic, size_t index) const;
  bool mayWriteOver(mlir::linalg::GenericOp generic, const aot::Access &input, const aot::Access &output) const;
  void shareInPlace(mlir::func::FuncOp function);
  void endInOutputs(mlir::func::FuncOp function, llvm::ArrayRef<Output> outputs);

  Steps steps;
  llvm::DenseMap<mlir::Value, size_t> owner;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<size_t, 2>> aliases; // the buffers that a value may be (a part of)
  llvm::DenseSet<std::pair<mlir::Value, mlir::Operation *>> visited; // for one buffer, with the carrier
  llvm::SmallVector<Buffer> buffers;
};

} // namespace onnx_aot

#endif
