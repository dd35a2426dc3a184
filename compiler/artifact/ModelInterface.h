//===- ModelInterface.h - What a compiled model shows to C ----------------===//
//
// What it is for: everything that the header, the descriptor `<prefix>_model` and the object's weights are made from,
// taken out of the IR once, after the buffer stage. How it works: `fromModule` reads the entry's signature, its
// argument attributes and the module's attributes:
//
//   func.func @main(%x: memref<1x4xf32> {onnx.name = "x", onnx.dtype = 1 : i32},
//                   %y: memref<1x4xf32> {onnx.name = "y", onnx.dtype = 1 : i32, bufferize.result},
//                   %arena: memref<256xi8>) -> i32
//   memref.global "private" @weights : memref<64xi8> {alignment = 64, aot.slices = [{offset = 0, value = dense<..>}]}
//
// Holds after: every tensor has a static shape and a size that does not overflow; every weight slice lies inside the
// weights and holds exactly the bytes of its type. The slices point into the IR's attributes: the context must outlive
// them.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H
#define ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace onnx_aot {

/// An input or an output.
struct TensorInterface {
  std::string name;  // as in the ONNX graph
  int32_t dtype = 0; // ONNX's TensorProto.DataType
  llvm::SmallVector<int64_t, 4> dims;
  uint64_t bytes = 0;
};

/// A part of the weights.
struct WeightSlice {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  mlir::ElementsAttr value; // dense or dense_resource
};

struct ModelInterface {
  std::vector<TensorInterface> inputs, outputs;
  uint64_t arenaBytes = 0;
  uint32_t arenaAlign = 64;
  uint64_t weightBytes = 0;
  uint32_t weightAlign = 64;
  std::vector<WeightSlice> slices;

  int64_t modelVersion = 0;
  std::string graphName, producerName, producerVersion, domain, docString;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> nodeNames;

  /// Reports errors on the operations of `module`.
  static mlir::FailureOr<ModelInterface> fromModule(mlir::ModuleOp module);
};

/// Bytes that `elements` values of `type` take in a buffer: types below a byte are packed, as ONNX packs them. Nothing
/// when the type has no such form or the size overflows.
std::optional<uint64_t> packedBytes(mlir::Type type, int64_t elements);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H
