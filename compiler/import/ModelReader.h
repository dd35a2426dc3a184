//===- ModelReader.h - From a file to a ModelProto ----------------------------------------------------------------===//
//
// What it is for: reads a model and keeps everything that the rest of the compilation points into. How it works: the
// file is mapped and parsed through a protobuf arena (or as protobuf text when its suffix is .onnxtext, .textproto or
// .pbtxt, for tests that one can read); tensors in external files are mapped when they are asked for.
//
// Holds after: the proto has a graph. Attributes of imported tensors point into the proto and the mapped files, so the
// LoadedModel must outlive the MLIR module made from it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_MODELREADER_H
#define ONNX_AOT_COMPILER_IMPORT_MODELREADER_H

#include "compiler/import/ExternalData.h"
#include "llvm/ADT/StringRef.h"
#include <google/protobuf/arena.h>
#include <memory>
#include <string>
#include <vector>

namespace onnx_aot {

class Diagnostics;

namespace pb {
class ModelProto;
} // namespace pb

struct LoadedModel {
  /// `path` is where the model lies (or would lie: tests make models in memory).
  explicit LoadedModel(llvm::StringRef path);
  LoadedModel(const LoadedModel &) = delete;
  LoadedModel &operator=(const LoadedModel &) = delete;

  /// The model file and the external data files read so far, for a depfile.
  std::vector<std::string> filesRead() const;

  std::string path;
  google::protobuf::Arena arena;
  pb::ModelProto *proto; // in the arena, never null
  ExternalData external;
};

/// Null when the file cannot be read or is not an ONNX model; the reason is in `diagnostics`, whose file this sets.
std::unique_ptr<LoadedModel> readModel(llvm::StringRef path, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_MODELREADER_H
