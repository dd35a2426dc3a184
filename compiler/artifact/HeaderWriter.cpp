//===- HeaderWriter.cpp - The generated header ----------------------------===//
//
// See HeaderWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/HeaderWriter.h"

#include "compiler/artifact/Identifiers.h"
#include "compiler/artifact/ModelInterface.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

static StringRef runtimeHeader() {
  return
#include "compiler/artifact/RuntimeHeader.inc"
      ;
}

namespace {
/// How C sees the elements of an ONNX type.
struct CType {
  StringRef name;
  StringRef remark = ""; // what the C type does not say
  unsigned parts = 1;    // C elements per ONNX element
};

/// A tensor with the names that C knows it by.
struct Parameter {
  const TensorInterface *tensor;
  bool isOutput;
  CType type;
  std::string name;  // of the parameter
  std::string macro; // <PREFIX>_INPUT_<NAME>
};
} // namespace

static CType cType(int32_t dtype) {
  switch (dtype) {
  case 1:
    return {"float"};
  case 2:
    return {"uint8_t"};
  case 3:
    return {"int8_t"};
  case 4:
    return {"uint16_t"};
  case 5:
    return {"int16_t"};
  case 6:
    return {"int32_t"};
  case 7:
    return {"int64_t"};
  case 9:
    return {"uint8_t", "bool"};
  case 10:
    return {"uint16_t", "float16"};
  case 11:
    return {"double"};
  case 12:
    return {"uint32_t"};
  case 13:
    return {"uint64_t"};
  case 14:
    return {"float", "complex", 2};
  case 15:
    return {"double", "complex", 2};
  case 16:
    return {"uint16_t", "bfloat16"};
  // The graph stage lets no type in whose storage runtime.h does not define.
  default:
    return {"uint8_t", "bytes"};
  }
}

static std::vector<Parameter> makeParameters(const ModelInterface &model, StringRef prefix) {
  std::string upper = prefix.upper();
  IdentifierSet names, inputMacros, outputMacros;
  names.reserve("arena");
  for (StringRef suffix : {"_run", "_model", "_weights"})
    names.reserve((prefix + suffix).str());
  std::vector<Parameter> parameters;
  auto add = [&](const TensorInterface &tensor, bool isOutput) {
    // A parameter must not be spelt like one of the macros below.
    std::string name = tensor.name;
    if (StringRef(sanitizeIdentifier(name)).starts_with(upper + "_"))
      name = "t_" + name;
    auto &macros = isOutput ? outputMacros : inputMacros;
    std::string macro = macros.makeMacroPart(tensor.name);
    parameters.push_back({&tensor, isOutput, cType(tensor.dtype), names.make(name),
                          upper + (isOutput ? "_OUTPUT_" : "_INPUT_") + macro});
  };
  for (const TensorInterface &tensor : model.inputs)
    add(tensor, false);
  for (const TensorInterface &tensor : model.outputs)
    add(tensor, true);
  return parameters;
}

/// `image: float[1][1][28][28]`, with the ONNX name where C's differs.
static std::string describe(const Parameter &parameter) {
  std::string text = parameter.name;
  if (parameter.name != parameter.tensor->name)
    text += " (\"" + commentText(parameter.tensor->name) + "\")";
  text += ": " + parameter.type.name.str();
  for (int64_t dim : parameter.tensor->dims)
    text += "[" + std::to_string(dim) + "]";
  if (parameter.type.parts > 1)
    text += "[" + std::to_string(parameter.type.parts) + "]";
  if (!parameter.type.remark.empty())
    text += " (" + parameter.type.remark.str() + ")";
  return text;
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
  // A scalar has no dims; C has no empty initializer.
  if (!tensor.dims.empty()) {
    os << "#define " << parameter.macro << "_DIMS {";
    interleaveComma(tensor.dims, os);
    os << "}\n";
  }
  os << "#define " << parameter.macro << "_BYTES " << tensor.bytes << "u\n";
}

/// In one line, or one parameter per line when it does not fit.
static void writePrototype(ArrayRef<Parameter> parameters, StringRef prefix, raw_ostream &os) {
  std::vector<std::string> items;
  for (const Parameter &parameter : parameters)
    items.push_back((parameter.isOutput ? "" : "const ") + parameter.type.name.str() + " *" + parameter.name);
  items.push_back("void *arena");
  std::string start = ("onnx_aot_status " + prefix + "_run(").str();
  std::string line = start + join(items, ", ") + ");";
  if (line.size() > 120)
    line = start + "\n    " + join(items, ",\n    ") + ");";
  os << line << "\n";
}

void writeHeader(const ModelInterface &model, StringRef prefix, raw_ostream &os) {
  std::string upper = prefix.upper();
  std::vector<Parameter> parameters = makeParameters(model, prefix);

  os << "/* Generated by onnx-aot";
  if (!model.graphName.empty())
    os << " from the graph \"" << commentText(model.graphName) << "\"";
  os << ". */\n"
     << "#ifndef ONNX_AOT_MODEL_HEADER_" << prefix << "\n#define ONNX_AOT_MODEL_HEADER_" << prefix << "\n\n"
     << runtimeHeader().trim() << "\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";

  os << "#define " << upper << "_ARENA_BYTES " << model.arenaBytes << "u /* activations; the caller owns them */\n"
     << "#define " << upper << "_ARENA_ALIGN " << model.arenaAlign << "u\n";
  for (const Parameter &parameter : parameters)
    writeMacros(parameter, os);

  os << "\n";
  std::vector<std::string> remarks;
  for (const Parameter &parameter : parameters)
    remarks.push_back(describe(parameter));
  remarks.push_back(model.arenaBytes == 0 ? "arena may be NULL" : "arena may be reused between calls, one per thread");
  remarks.push_back("buffers must not overlap");
  writeComment(remarks, os);

  writePrototype(parameters, prefix, os);
  os << "\n/* The same, described as data: names, dtypes, dims, sizes, metadata, node names, entry. */\n"
     << "extern const onnx_aot_model " << prefix << "_model;\n\n"
     << "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
}

} // namespace onnx_aot
