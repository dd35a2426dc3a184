//===- ModelReader.cpp - From a file to a ModelProto --------------------------------------------------------------===//
#include "compiler/import/ModelReader.h"
#include "compiler/Diagnostics.h"
#include "compiler/import/onnx_model.pb.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>

using namespace llvm;
using namespace onnx_aot;

/// A protobuf message is at most 2 GB (2^31 - 1 bytes); larger models keep their weights in external files.
static constexpr uint64_t maxModelBytes = (uint64_t(1) << 31) - 1;

/// How deep messages may nest, as protobuf has it for binary files: a subgraph takes three levels. The bound keeps
/// recursive readers off the stack's end.
static constexpr int maxNesting = 100;

LoadedModel::LoadedModel(StringRef path)
    : path(path.str()), proto(google::protobuf::Arena::CreateMessage<pb::ModelProto>(&arena)),
      external(sys::path::parent_path(path)) {}

std::vector<std::string> LoadedModel::filesRead() const {
  std::vector<std::string> files{path};
  files.insert(files.end(), external.files().begin(), external.files().end());
  return files;
}

namespace {
/// Keeps the first error of a text model, with its place.
struct TextErrors : google::protobuf::io::ErrorCollector {
  void AddError(int line, int column, const std::string &message) override {
    if (first.empty())
      first = "line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + message;
  }
  std::string first;
};
} // namespace

static bool parseText(StringRef text, pb::ModelProto &proto, Diagnostics &diagnostics) {
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  google::protobuf::TextFormat::Parser parser;
  TextErrors errors;
  parser.RecordErrorsTo(&errors);
  parser.SetRecursionLimit(maxNesting);
  if (parser.Parse(&stream, &proto))
    return true;
  diagnostics.fault("not an ONNX model in protobuf text format: " + errors.first);
  return false;
}

static bool parseBinary(StringRef bytes, pb::ModelProto &proto, Diagnostics &diagnostics) {
  // The parser would write to stderr by itself; what it has to say becomes the one message below.
  google::protobuf::LogHandler *previous = google::protobuf::SetLogHandler(nullptr);
  bool parsed = proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::SetLogHandler(previous);
  if (!parsed)
    diagnostics.fault(
        "not an ONNX model, or the file is damaged or cut off: it does not parse as a protobuf ModelProto");
  return parsed;
}

std::unique_ptr<LoadedModel> onnx_aot::readModel(StringRef path, Diagnostics &diagnostics) {
  diagnostics.setFile(path);
  if (sys::fs::is_directory(path)) {
    diagnostics.fault("is a directory, not a model file");
    return nullptr;
  }
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    diagnostics.fault("cannot be read: " + buffer.getError().message());
    return nullptr;
  }
  StringRef bytes = (*buffer)->getBuffer();
  if (bytes.empty()) {
    diagnostics.fault("the file is empty");
    return nullptr;
  }
  if (bytes.size() > maxModelBytes) {
    diagnostics.fault(
        "the file is larger than 2 GB, the limit of a protobuf message; save the model with external data");
    return nullptr;
  }

  auto model = std::make_unique<LoadedModel>(path);
  StringRef suffix = sys::path::extension(path);
  bool isText = suffix == ".onnxtext" || suffix == ".textproto" || suffix == ".pbtxt";
  if (!(isText ? parseText : parseBinary)(bytes, *model->proto, diagnostics))
    return nullptr;
  if (!model->proto->has_graph()) {
    diagnostics.fault("not an ONNX model, or cut off: it has no graph");
    return nullptr;
  }
  return model;
}
