//===- HostIslands.h - what of the entry the device does not do ---------------------------------------------------===//
//
// What it is for: loads of single elements, loops that data control and other scalar code stay on the host. They work
// on copies there. How it works: a run of such operations is an island. What it reads of the device's buffers is
// brought to the host before the first operation that reads it, and what it has written goes back at its end, before
// the next launch. Buffers of which the host has the content already (inputs, weights) are not brought.
//
//   %v = memref.load %x[%i]       =>      %t = memref.view %arena[0] ; aot.transfer %x to %t
//                                         %ok = aot.wait ; aot.require %ok ; %v = memref.load %t[%i]
//
// Copies of static size lie in the arena, others in slots of the context.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_HOSTISLANDS_H
#define ONNX_AOT_CODEGEN_NVPTX_HOSTISLANDS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"

namespace onnx_aot {

/// Whether `op` stores all of `buffer` and reads nothing of it.
bool isMadeAnew(mlir::Operation *op, mlir::Value buffer);

class HostIslands {
public:
  /// `hostRoots` gives the host's buffer for those of the device that have the same content; `deviceArguments` are
  /// the entry's buffers that lie on the device.
  HostIslands(mlir::Value runtime, mlir::Value arena, const llvm::DenseMap<mlir::Value, mlir::Value> &hostRoots,
              const llvm::DenseSet<mlir::Value> &deviceArguments)
      : runtime(runtime), arena(arena), hostRoots(hostRoots), deviceArguments(deviceArguments) {}

  /// Reports what cannot run on the host either.
  mlir::LogicalResult run(mlir::func::FuncOp entry);

  /// What the copies take: of the arena, and slots of the context.
  int64_t arenaBytes() const { return most; }
  int64_t hostSlots() const { return slots; }

private:
  /// A buffer's copy, while an island lasts.
  struct Copy {
    mlir::Value host, root;
    std::optional<std::pair<int64_t, int64_t>> range; // bytes of the root; none where only the run knows
    bool isWritten = false;
  };

  mlir::LogicalResult processBlock(mlir::Block &block);
  mlir::LogicalResult bring(mlir::Operation *op);
  bool isOfDevice(mlir::Value root) const;
  mlir::Value baseOf(mlir::Value value) const;
  /// Whether another buffer has a copy that lies in the same bytes.
  bool meetsOther(mlir::Value buffer) const;
  mlir::FailureOr<mlir::Value> hostOf(mlir::Value value, mlir::Operation *before);
  mlir::FailureOr<mlir::Value> copyOf(mlir::Value buffer, mlir::Operation *before);
  mlir::Value place(mlir::OpBuilder &builder, mlir::Value buffer);
  void markWritten(mlir::Value value);
  void endIsland(mlir::Operation *before);

  mlir::Value runtime, arena;
  const llvm::DenseMap<mlir::Value, mlir::Value> &hostRoots;
  const llvm::DenseSet<mlir::Value> &deviceArguments;
  llvm::MapVector<mlir::Value, Copy> copies;          // by the device's buffer
  llvm::DenseMap<mlir::Value, mlir::Value> hostViews; // of the island
  int64_t used = 0, most = 0, slots = 0;
  bool isBringing = false; // whether a copy is on its way
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_HOSTISLANDS_H
