//===- ModelInterface.h - What a compiled model shows to C ----------------===//
//
// What it is for: everything that the header, the descriptor `<prefix>_model` and the object's weights are made from,
// taken out of the IR once, after the buffer stage. How it works: `fromModule` reads the entry's signature, its
// argument attributes and the module's attributes:
//
//   func.func @main(%x: memref<1x4xf32> {onnx.name = "x", onnx.dtype = 1 : i32},
//                   %y: memref<1x4xf32> {onnx.name = "y", onnx.dtype = 1 : i32, bufferize.result},
//                   %arena: memref<256xi8>) -> i32
// Where dims are only known at run time, the arguments say more (see passes/buffer/PrepareEntry.cpp for aot.dims and
// aot.max_dims, and passes/buffer/Passes.td for aot.arena_function, aot.arena, aot.context and aot.slots):
//
//   func.func @main(%x: memref<f32> {aot.tensor = tensor<?x4xf32>, aot.dims = array<i64: -1, 4>},
//                   %y: memref<f32> {aot.tensor = tensor<?x4xf32>, aot.dims = ..., aot.max_dims = ...,
//                   bufferize.result}, %batch: index {aot.dim = "batch", aot.bounds = array<i64: 1, 8>}, %y_dims:
//                   memref<2xi64> {aot.dims_of = 0 : i64}, %arena: memref<256xi8>) -> i32
//
//   memref.global "private" @weights : memref<64xi8> {alignment = 64, aot.slices = [{offset = 0, value = dense<..>}]}
//
// Holds after: no size of a tensor overflows; every weight slice lies inside the
// weights and holds exactly the bytes of its type. The slices point into the IR's attributes: the context must outlive
// them.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H
#define ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace onnx_aot {

/// A dimension that the caller passes.
struct DimInterface {
  std::string name; // as in the ONNX graph, or made of an input's name
  int64_t min = 0, max = INT64_MAX;
};

/// An input or an output.
struct TensorInterface {
  static constexpr int64_t computed = INT64_MIN;
  static constexpr uint64_t unbounded = UINT64_MAX;

  std::string name;                   // as in the ONNX graph
  int32_t dtype = 0;                  // ONNX's TensorProto.DataType
  llvm::SmallVector<int64_t, 4> dims; // -1 - k for the model's dimension k
  uint64_t bytes = 0;                 // of the largest one where the shape is not constant
  uint32_t elementBytes = 0;
  bool isDynamic = false;
  bool isInContext = false; // an output that lies in memory of the context
};

/// A part of the weights.
struct WeightSlice {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  mlir::ElementsAttr value; // dense or dense_resource
};

struct ModelInterface {
  std::vector<TensorInterface> inputs, outputs;
  std::vector<DimInterface> dims;
  uint64_t arenaBytes = 0;      // TensorInterface::unbounded where `arenaFunction` says it
  uint64_t leastArenaBytes = 0; // where `arenaFunction` says less
  std::string arenaFunction;
  uint64_t slots = 0;      // of the context; 0: none is needed
  bool isOpenCode = false; // the CPU's code has buffers whose sizes only a run knows
  uint32_t arenaAlign = 64;
  uint64_t weightBytes = 0;
  uint32_t weightAlign = 64;
  std::vector<WeightSlice> slices;

  int64_t modelVersion = 0;
  std::string graphName, producerName, producerVersion, domain, docString;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<std::string> nodeNames;

  bool hasDynamicOutputs() const {
    return llvm::any_of(outputs, [](const TensorInterface &tensor) { return tensor.isDynamic; });
  }

  /// Takes in what another version of the model needs, whose weights begin as these do. False where it is not to be
  /// called in the same way.
  bool join(const ModelInterface &other);

  /// Reports errors on the operations of `module`.
  static mlir::FailureOr<ModelInterface> fromModule(mlir::ModuleOp module);
};

/// Bytes that `elements` values of `type` take in a buffer: types below a byte are packed, as ONNX packs them. Nothing
/// when the type has no such form or the size overflows.
std::optional<uint64_t> packedBytes(mlir::Type type, int64_t elements);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_MODELINTERFACE_H
