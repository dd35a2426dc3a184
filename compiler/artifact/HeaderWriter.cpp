//===- HeaderWriter.cpp - The generated header ----------------------------===//
//
// See HeaderWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/HeaderWriter.h"

#include "compiler/artifact/Identifiers.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/Signature.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

static StringRef runtimeHeader() {
  return
#include "compiler/artifact/RuntimeHeader.inc"
      ;
}

/// `image: float[batch][1][28][28]`, with the ONNX name where C's differs.
static std::string describe(const Parameter &parameter, const Signature &signature) {
  std::string text = parameter.name;
  if (parameter.name != parameter.tensor->name)
    text += " (\"" + commentText(parameter.tensor->name) + "\")";
  text += ": " + parameter.type.name.str();
  for (auto [axis, dim] : enumerate(parameter.tensor->dims)) {
    if (dim >= 0)
      text += "[" + std::to_string(dim) + "]";
    else if (dim == TensorInterface::computed)
      text += "[" + parameter.dims + "[" + std::to_string(axis) + "]]";
    else
      text += "[" + signature.dims[-1 - dim] + "]";
  }
  if (parameter.type.parts > 1)
    text += "[" + std::to_string(parameter.type.parts) + "]";
  if (!parameter.type.remark.empty())
    text += " (" + parameter.type.remark.str() + ")";
  if (parameter.tensor->isInContext)
    text += " in memory of ctx, valid until its next run";
  return text;
}

/// `batch: 1 to 8`, with the ONNX name where C's differs.
static std::string describe(const DimInterface &dim, const std::string &name) {
  std::string text = name;
  if (name != dim.name)
    text += " (\"" + commentText(dim.name) + "\")";
  text += ": " + std::to_string(dim.min);
  return text + (dim.max == INT64_MAX ? " or more" : " to " + std::to_string(dim.max));
}

/// One comment, broken between items when it does not fit into a line.
static void writeComment(ArrayRef<std::string> items, raw_ostream &os) {
  std::string line = join(items, "; ");
  if (line.size() <= 112) {
    os << "/* " << line << " */\n";
    return;
  }
  os << "/*\n";
  for (auto [index, item] : enumerate(items))
    os << " * " << item << (index + 1 < items.size() ? ";\n" : "\n");
  os << " */\n";
}

static void writeMacros(const Parameter &parameter, raw_ostream &os) {
  const TensorInterface &tensor = *parameter.tensor;
  os << "#define " << parameter.macro << "_RANK " << tensor.dims.size() << "u\n";
  if (tensor.isDynamic) {
    if (tensor.bytes != TensorInterface::unbounded && !tensor.isInContext)
      os << "#define " << parameter.macro << "_MAX_BYTES " << tensor.bytes << "u\n";
    return;
  }
  // A scalar has no dims; C has no empty initializer.
  if (!tensor.dims.empty()) {
    os << "#define " << parameter.macro << "_DIMS {";
    interleaveComma(tensor.dims, os);
    os << "}\n";
  }
  os << "#define " << parameter.macro << "_BYTES " << tensor.bytes << "u\n";
}

static void writeMacros(const ModelInterface &model, StringRef upper, const Signature &signature, raw_ostream &os) {
  if (model.arenaFunction.empty())
    os << "#define " << upper << "_ARENA_BYTES " << model.arenaBytes << "u /* activations; the caller owns them */\n";
  os << "#define " << upper << "_ARENA_ALIGN " << model.arenaAlign << "u\n";
  for (auto [dim, macro] : zip(model.dims, signature.dimMacros)) {
    os << "#define " << macro << "_MIN " << dim.min << "\n";
    if (dim.max != INT64_MAX)
      os << "#define " << macro << "_MAX " << dim.max << "\n";
  }
  for (const Parameter &parameter : signature.tensors)
    writeMacros(parameter, os);
}

static void writeRun(const ModelInterface &model, StringRef prefix, const Signature &signature, raw_ostream &os) {
  std::vector<std::string> remarks;
  for (const Parameter &parameter : signature.tensors)
    remarks.push_back(describe(parameter, signature));
  for (auto [dim, name] : zip(model.dims, signature.dims))
    remarks.push_back(describe(dim, name));
  remarks.push_back(model.arenaBytes == 0 ? "arena may be NULL" : "arena may be reused between calls, one per thread");
  if (model.slots != 0)
    remarks.push_back("ctx: what onnx_aot_context_init began, one per thread");
  remarks.push_back("buffers must not overlap; a run works in the arena and, before it writes them, in outputs");
  writeComment(remarks, os);

  os << prototype(("onnx_aot_status " + prefix + "_run").str(), signature.runParameters()) << ";\n";
}

/// The functions that say sizes before a run.
static void writePlan(const ModelInterface &model, StringRef prefix, const Signature &signature, raw_ostream &os) {
  std::vector<std::string> items = signature.dimParameters();
  if (!model.arenaFunction.empty()) {
    os << "\n/* Bytes of the arena of a run with these dims; SIZE_MAX where there is no such run. */\n";
    os << prototype(("size_t " + prefix + "_arena_bytes").str(), items) << ";\n";
  }
  if (model.hasDynamicOutputs()) {
    os << "\n/* The outputs' dims of a run with these dims; where data decide, the most that they can be, or -1. */\n";
    append_range(items, signature.outputDimsParameters());
    os << prototype(("onnx_aot_status " + prefix + "_output_dims").str(), items) << ";\n";
  }
}

void writeHeader(const ModelInterface &model, StringRef prefix, raw_ostream &os) {
  Signature signature(model, prefix);
  os << "/* Generated by onnx-aot";
  if (!model.graphName.empty())
    os << " from the graph \"" << commentText(model.graphName) << "\"";
  os << ". */\n"
     << "#ifndef ONNX_AOT_MODEL_HEADER_" << prefix << "\n#define ONNX_AOT_MODEL_HEADER_" << prefix << "\n\n"
     << runtimeHeader().trim() << "\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  writeMacros(model, prefix.upper(), signature, os);
  os << "\n";
  writeRun(model, prefix, signature, os);
  writePlan(model, prefix, signature, os);
  os << "\n/* The same, described as data: names, dtypes, dims, sizes, metadata, node names, entry. */\n"
     << "extern const onnx_aot_model " << prefix << "_model;\n\n"
     << "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

} // namespace onnx_aot
