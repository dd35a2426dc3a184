//===- PartialResults.h - reductions that several blocks share ----------------------------------------------------===//
//
// What it is for: few results of long reductions leave most of a GPU idle. Then the reduction is cut in parts, and
// blocks of their own reduce each. How it works: a part's accumulators go to memory of the device; a second kernel
// combines those of each result in their order, so that results are the same in every run, and applies the epilogue:
//
//   partial[part][result] = compute over k in part * length .. (part + 1) * length
//   out[result] = epilogue(combine of partial[0][result], partial[1][result], ...)
//
// Of a matrix product this is "split-K". What a part has beyond the end of the reduction is nothing: its accumulators
// are the identity. Where dims are open, the run chooses how many parts there are, up to what was found by estimates.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_PARTIALRESULTS_H
#define ONNX_AOT_CODEGEN_NVPTX_PARTIALRESULTS_H

#include "codegen/nvptx/DeviceNest.h"

namespace onnx_aot {

class PartialResults {
public:
  /// The results of `device`'s nest are numbered by `dims`, the parallel dims, the last of which is the fastest.
  PartialResults(DeviceNest &device, llvm::ArrayRef<unsigned> dims) : device(device), dims(dims) {}

  /// Cuts the reduction in at most `most` parts, the extents of all but the last one being multiples of `granule`, so
  /// that there are about `enough` blocks; `blocks` are those of one part, each with at most `resultsOfBlock` results.
  /// Does nothing where `most` is 1.
  void cut(int64_t most, int64_t granule, mlir::Value blocks, int64_t resultsOfBlock, int64_t enough);
  bool isCut() const { return bool(hostParts); }
  /// The blocks of all parts, on the host.
  mlir::Value allBlocks() const { return hostBlocks; }

  /// Where part number `part` begins and ends along the reduction.
  std::pair<mlir::Value, mlir::Value> boundsOf(mlir::Value part);
  /// Stores the accumulator of result number `result`, or a vector of those from there on, where the last dim's extent
  /// is a multiple of it.
  void store(mlir::Value accumulator, mlir::Value part, mlir::Value result);
  /// Launches the second kernel, after the first one.
  void combine(const DeviceContext &context, mlir::Operation *op);

private:
  DeviceNest &device;
  llvm::SmallVector<unsigned> dims;
  mlir::Value hostParts, hostBlocks, hostPartial; // on the host
  mlir::Value length, partial;                    // on the device
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_PARTIALRESULTS_H
