//===- KernelBuilder.h - a kernel of the device, and its launch ---------------------------------------------------===//
//
// What it is for: a kernel has two sides: the function that every thread runs, and the operands that the host passes.
// How it works: `b` stands in the function; each pass... adds an argument to it and the host's value to the launch, and
// returns the value that stands for it in the function. Buffers are passed as the addresses of their first elements,
// indices as 32 bits, which is the width of indices on the device: no buffer has 2^31 elements.
//
//   KernelBuilder kernel(context, "relu");
//   Value x = kernel.passElements(hostBuffer);        // memref<2147483647xf32> of the function
//   ...
//   kernel.launch(blocks, threads);
//
// A kernel that equals one of the module is that one.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_KERNELBUILDER_H
#define ONNX_AOT_CODEGEN_NVPTX_KERNELBUILDER_H

#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <array>

namespace onnx_aot {

/// What kernels of one module are made with.
struct DeviceContext {
  mlir::ModuleOp module; // @device
  mlir::Value runtime;   // the context that the entry gets
  bool hasMatrixUnits = false;
  bool roundsProducts = false; // of 32-bit floats, to tf32
  bool hasWarpgroups = false;  // one of the architectures is sm_90a
};

class KernelBuilder {
public:
  static constexpr int64_t kWarp = 32;
  /// More elements than a buffer has: the extent of buffers whose extent does not matter.
  static constexpr int64_t kElements = INT32_MAX;
  /// That a buffer has at most: counters of loops go a step beyond, and have 32 bits with a sign.
  static constexpr int64_t kMostElements = kElements - (1 << 16);

  /// Launches stand before `op`, in whose place the kernel is. `kind` begins its name.
  KernelBuilder(const DeviceContext &context, mlir::Operation *op, llvm::StringRef kind);

  mlir::ImplicitLocOpBuilder b;    // in the function
  mlir::ImplicitLocOpBuilder host; // before `op`

  /// The elements of a buffer by linear address: from its base, or from its offset where that is dynamic.
  mlir::Value passElements(mlir::Value buffer);
  mlir::Value passIndex(mlir::Value index);
  /// Any value: a buffer with its layout, or a number.
  mlir::Value pass(mlir::Value value);
  /// A map of boxes of a tensor (aot.tensor_map); extents and strides are the host's.
  mlir::Value passTensorMap(mlir::Value buffer, mlir::Value offset, mlir::ValueRange extents, mlir::ValueRange strides,
                            llvm::ArrayRef<int64_t> box);
  /// Maps all that `regions` use from outside: constants are cloned, the rest is passed.
  void passCaptured(llvm::MutableArrayRef<mlir::Region> regions, mlir::IRMapping &mapping);

  mlir::Value index(int64_t value);
  mlir::Value threadX();
  mlir::Value blockX();
  /// Waits for all threads of the block.
  void barrier();
  /// `value` of the lane whose number differs by the bits of `mask`.
  mlir::Value shuffleXor(mlir::Value value, int64_t mask);
  /// Memory that the threads of a block share.
  mlir::Value shared(llvm::ArrayRef<int64_t> shape, mlir::Type element, int64_t alignment = 16);
  /// Whether the code is compiled for sm_90a; what stands below is not there elsewhere.
  mlir::Value isHopper();
  /// The address, in shared memory, of `bytes` that launches give to kernels for sm_90a, as 32 bits.
  mlir::Value launchedShared(int64_t bytes, int64_t alignment);
  /// An scf.if whose body `b` stands in while `body` runs.
  void emitIf(mlir::Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> otherwise = nullptr);
  /// A loop from low to high; `body` gets the counter and the values carried along and returns their successors.
  llvm::SmallVector<mlir::Value>
  emitFor(mlir::Value low, mlir::Value high, mlir::Value step, mlir::ValueRange carried,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);

  /// The same with several steps in an iteration as long as there are as many, so that their loads are on their way
  /// together.
  llvm::SmallVector<mlir::Value>
  emitUnrolledFor(mlir::Value low, mlir::Value high, int64_t step, int64_t times, mlir::ValueRange carried,
                  llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);

  /// On the host: memory of the device for `count` elements, which other kernels use before and after. Call it once.
  mlir::Value workspace(mlir::Value count, mlir::Type element);

  /// Ends the function and launches it; `blocks` are the host's indices, of which those that are missing are 1.
  void launch(llvm::ArrayRef<mlir::Value> blocks, int64_t threads);
  /// Ends without a kernel.
  void abandon() { function.erase(); }

private:
  mlir::Value argument(mlir::Value passed, mlir::Type type);

  DeviceContext context;
  mlir::func::FuncOp function;
  llvm::SmallVector<mlir::Value> passed;
  unsigned sharedMemories = 0;
  int64_t launchedBytes = 0;
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_KERNELBUILDER_H
