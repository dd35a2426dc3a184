//===- OutputSpace.h - the caller's outputs as memory to work in --------------------------------------------------===//
//
// An output holds nothing before a run first writes it, so that until then it may hold buffers of known size: those
// that are dead by then (ArenaRegions.cpp), and the one that the first operation reads exactly where it writes.
//
// The caller aligns an output to its elements alone: a buffer lies in one whose elements are aligned at least as its
// own are. The argument becomes bytes, and an attribute holds its type:
//
//   func.func @main(%y: memref<4x8xf32> {bufferize.result}, %arena: memref<256xi8>)
//   =>
//   func.func @main(%0: memref<128xi8> {aot.buffer = memref<4x8xf32>, bufferize.result}, %arena: memref<128xi8>)
//     %y = memref.view %0[%c0][] : memref<128xi8> to memref<4x8xf32>
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_OUTPUTSPACE_H
#define ONNX_AOT_PASSES_BUFFER_OUTPUTSPACE_H

#include "passes/buffer/ArenaPlanner.h"
#include "passes/buffer/BufferLifetimes.h"

namespace onnx_aot {

/// What a pointer to elements of this type is aligned to.
int64_t elementAlignment(mlir::Type element);

class OutputSpace {
public:
  /// Takes the outputs of `function` if it may use them.
  OutputSpace(mlir::func::FuncOp function, bool mayUse);

  llvm::ArrayRef<Output> outputs() const { return list; }
  /// Where buffers lie; buffer i may end in output `endsIn[i]` unless that is -1.
  RegionPlan plan(llvm::ArrayRef<PlannedBuffer> buffers, llvm::ArrayRef<int> endsIn) const;
  /// The bytes of an output.
  mlir::Value bytesOf(int output);

private:
  llvm::SmallVector<SpareRegion> regions() const;
  RegionPlan planWithOutputs(llvm::ArrayRef<PlannedBuffer> buffers, llvm::ArrayRef<int> endsIn) const;

  mlir::func::FuncOp function;
  llvm::SmallVector<Output> list;
};

} // namespace onnx_aot

#endif
