//===- DescribeLayers.h - what a model does, layer by layer -------------------------------------------------------===//
//
// Facts for --report. A layer is what does the work of a run: an aot.kernel, an aot.winograd, a structured operation of
// linalg or a copy. Scalar code in loops of its own (TopK, NonMaxSuppression ...) is none.
//
// Before: there are no tensors, weights have addresses, kernels their scratch memory; code still has structure.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_DESCRIBELAYERS_H
#define ONNX_AOT_PASSES_BUFFER_DESCRIBELAYERS_H

#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace onnx_aot {

/// A launch of a kernel on a device.
struct LaunchFacts {
  std::string kernel;
  std::array<std::optional<int64_t>, 3> blocks;
  int64_t threads = 0; // of a block
};

/// Numbers are those of one run; none where only the run knows them.
struct LayerFacts {
  mlir::Location location;    // names the ONNX node
  std::string function;       // that it became; empty: a part of the entry
  std::string kernel;         // "conv", "winograd F(4x4, 3x3)", "elementwise" ...
  std::string provider;       // of the kernel's code; empty: chosen when code is emitted
  aot::StrategyAttr strategy; // null where there is none to tell
  /// Of sums of products, by the direct algorithm; 0 for other layers.
  std::optional<int64_t> multiplyAdds;
  /// Constants that it reads, as they are packed.
  int64_t weightBytes = 0;
  std::optional<int64_t> readBytes, writtenBytes;
  /// Of minimal filtering: see dialects/aot/WinogradError.h.
  std::optional<double> error, directError;
  /// What it has become on a device; none for what the CPU does.
  std::vector<LaunchFacts> launches = {};
};

/// A place of the arena or of an output, and the layers from when to when it is in use; none where it is only between
/// two.
struct PlaceFacts {
  int64_t offset = 0, bytes = 0;
  std::optional<size_t> output = {};
  std::optional<int64_t> first = {}, last = {};
};

/// A copy between the host and a device.
struct TransferFacts {
  mlir::Location location; // the node before which it stands, or no node's: an input or output
  bool isToDevice = false;
  std::optional<int64_t> bytes; // of a run
};

struct DeviceFacts {
  std::vector<TransferFacts> transfers;  // in the order in which they stand
  std::vector<mlir::Location> hostNodes; // of what is left on the host
  std::optional<int64_t> waits;          // for what the host needs amid a run
};

struct ModelFacts {
  std::vector<LayerFacts> layers; // in the order in which they stand
  std::vector<PlaceFacts> places; // those of known size
  int64_t arenaLowerBound = 0;    // the largest sum of what must lie in it at the same time
  std::optional<DeviceFacts> device = {};
};

/// On a layer, while code is made: its number. On a function: those of the layers that it computes.
inline constexpr llvm::StringLiteral kLayerAttr = "aot.layer", kLayersAttr = "aot.layers";

bool isLayer(mlir::Operation *op);

/// How often `op` is executed in a run, and the bytes of `buffer` that it touches then.
std::optional<int64_t> timesInRun(mlir::Operation *op);
std::optional<int64_t> bytesInRun(mlir::Operation *op, mlir::Value buffer);

/// The layers of `function`, in order, which get their numbers.
std::vector<LayerFacts> describeLayers(mlir::func::FuncOp function);

} // namespace onnx_aot

#endif
