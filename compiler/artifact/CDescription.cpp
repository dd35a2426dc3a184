//===- CDescription.cpp - The description of a model, as C ----------------===//
//
// See CDescription.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/CDescription.h"

#include "codegen/c/CText.h"
#include "compiler/artifact/ModelInterface.h"
#include "onnx_aot/runtime.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

namespace {
class DescriptionWriter {
public:
  DescriptionWriter(const ModelInterface &model, StringRef prefix, raw_ostream &os)
      : model(model), prefix(prefix.str()), os(os) {}

  void write(bool isPlanned);

private:
  std::string string(StringRef text);
  std::string array(StringRef type, StringRef name, const std::vector<std::string> &rows);
  std::string tensors(ArrayRef<TensorInterface> list, StringRef kind);

  const ModelInterface &model;
  std::string prefix;
  raw_ostream &os;
  unsigned longStrings = 0;
};
} // namespace

static std::string unsigned64(uint64_t value) { return "UINT64_C(" + std::to_string(value) + ")"; }

static std::string signed64(int64_t value) {
  return value == INT64_MIN ? "INT64_MIN" : "INT64_C(" + std::to_string(value) + ")";
}

/// A literal, or the name of an array where it is too long for one.
std::string DescriptionWriter::string(StringRef text) {
  std::string literal = c::stringLiteral(text);
  if (literal.front() == '"')
    return literal;
  std::string name = prefix + "_text" + std::to_string(longStrings++);
  os << "static const char " << name << "[] = " << literal << ";\n";
  return name;
}

/// Writes a table; its name, or NULL where it has no rows.
std::string DescriptionWriter::array(StringRef type, StringRef name, const std::vector<std::string> &rows) {
  if (rows.empty())
    return "NULL";
  std::string full = prefix + "_" + name.str();
  os << "static const " << type << " " << full << "[] = {\n    " << join(rows, ",\n    ") << "};\n";
  return full;
}

std::string DescriptionWriter::tensors(ArrayRef<TensorInterface> list, StringRef kind) {
  std::vector<std::string> rows;
  for (auto [index, tensor] : enumerate(list)) {
    std::vector<std::string> dims;
    for (int64_t dim : tensor.dims)
      dims.push_back(signed64(dim));
    std::string table = array("int64_t", (kind + Twine(index) + "_dims").str(), dims);
    unsigned flags =
        (tensor.isDynamic ? ONNX_AOT_TENSOR_DYNAMIC : 0) | (tensor.isInContext ? ONNX_AOT_TENSOR_IN_CONTEXT : 0);
    rows.push_back("{" + string(tensor.name) + ", " + table + ", " + unsigned64(tensor.bytes) + ", " +
                   std::to_string(tensor.dtype) + ", " + std::to_string(tensor.dims.size()) + ", " +
                   std::to_string(flags) + "u, " + std::to_string(tensor.elementBytes) + "u}");
  }
  return array("onnx_aot_tensor_info", (kind + "s").str(), rows);
}

void DescriptionWriter::write(bool isPlanned) {
  os << "\n";
  std::string inputs = tensors(model.inputs, "input"), outputs = tensors(model.outputs, "output");
  std::vector<std::string> metadata, nodes, dims;
  for (const auto &[key, value] : model.metadata) {
    std::string name = string(key), text = string(value);
    metadata.push_back("{" + name + ", " + text + "}");
  }
  for (const std::string &name : model.nodeNames)
    nodes.push_back(string(name));
  for (const DimInterface &dim : model.dims)
    dims.push_back("{" + string(dim.name) + ", " + signed64(dim.min) + ", " + signed64(dim.max) + "}");
  auto count = [](size_t number) { return std::to_string(number) + "u"; };
  std::vector<std::string> fields = {
      count(ONNX_AOT_ABI_VERSION),
      count(model.inputs.size()),
      count(model.outputs.size()),
      count(model.metadata.size()),
      count(model.nodeNames.size()),
      count(model.arenaAlign),
      count(model.dims.size()),
      count(model.slots),
      unsigned64(model.arenaBytes),
      unsigned64(model.weightBytes),
      signed64(model.modelVersion),
      string(prefix),
      string(model.graphName),
      string(model.producerName),
      string(model.producerVersion),
      string(model.domain),
      string(model.docString),
      inputs,
      outputs,
      array("onnx_aot_key_value", "metadata", metadata),
      array("char *const", "nodes", nodes),
      array("onnx_aot_dim_info", "dims", dims),
      isPlanned ? prefix + "_plan" : "NULL",
      prefix + "_entry",
      model.slots != 0 ? "onnx_aot_context_init" : "NULL",
      model.slots != 0 ? "onnx_aot_context_destroy" : "NULL",
  };
  os << "\nconst onnx_aot_model " << prefix << "_model = {\n    " << join(fields, ",\n    ") << "};\n";
}

void writeCDescription(const ModelInterface &model, StringRef prefix, bool isPlanned, raw_ostream &os) {
  DescriptionWriter(model, prefix, os).write(isPlanned);
}

} // namespace onnx_aot
