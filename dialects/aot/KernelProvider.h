//===- KernelProvider.h - who makes kernels from specifications ---------------------------------------------------===//
//
// Passes hand kernels to a provider through this interface; a folder of codegen/ implements it and the driver injects
// it, as it does with target models. A kernel is prepared, that is compiled, before memory is planned, so that what it
// works in is known then. Its code is linked into the module at the very end.
//
// A kernel is a function `void symbol(input..., output, scratch)` of bare pointers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_KERNELPROVIDER_H
#define ONNX_AOT_DIALECTS_AOT_KERNELPROVIDER_H

#include "mlir/IR/Location.h"
#include <optional>
#include <string>
#include <vector>

namespace onnx_aot::aot {

struct PreparedKernel {
  std::string symbol;
  int64_t scratchBytes = 0;
};

/// A kernel that is to be prepared.
struct KernelRequest {
  std::string specification;
  mlir::Location location;
};

/// Families of kernels that differ in whether a provider is worth while.
enum class KernelFamily {
  ResizeByPhases, // the innermost axis stays, or has weights that repeat
  ResizeByFactor, // the same as aot.resample does well: one or two axes, enlarged by a small integer or without weights
  ResizeByTables, // of positions, along the innermost axis
  ResizeOfBytes,  // by phases, of data that is bytes or made of bytes
  Pool,
  Depthwise
};

class KernelProvider {
public:
  virtual ~KernelProvider() = default;
  /// As strategies and reports name it.
  virtual llvm::StringRef name() const = 0;
  /// Whether a kernel of the family with so many results is to be made by it, if it can.
  virtual bool wants(KernelFamily family, int64_t results) const = 0;
  /// Whether it can make kernels for the target at all; if not, the reason has been noted for the kernel at `loc`.
  virtual bool isReady(mlir::Location loc) = 0;
  /// The kernels of `requests`; the same one for the same specification. Null, after the reason has been noted for the
  /// report, where there is none.
  virtual std::vector<std::optional<PreparedKernel>> prepare(llvm::ArrayRef<KernelRequest> requests) = 0;
  /// Notes why the provider does not make a kernel that it would be wanted for.
  virtual void refuse(mlir::Location loc, llvm::StringRef reason) = 0;
};

} // namespace onnx_aot::aot

#endif
