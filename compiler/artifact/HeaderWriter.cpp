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
  std::string dims;  // of the parameter that its dims are written to; empty where they are constant
};

/// All parameters of a run.
struct Signature {
  std::vector<Parameter> tensors;
  std::vector<std::string> dims;      // parameters
  std::vector<std::string> dimMacros; // <PREFIX>_DIM_<NAME>
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
  case 17:
    return {"uint8_t", "float8e4m3fn"};
  case 18:
    return {"uint8_t", "float8e4m3fnuz"};
  case 19:
    return {"uint8_t", "float8e5m2"};
  case 20:
    return {"uint8_t", "float8e5m2fnuz"};
  case 21:
    return {"uint8_t", "uint4"};
  case 22:
    return {"int8_t", "int4"};
  case 23:
    return {"uint8_t", "float4e2m1"};
  case 24:
    return {"uint8_t", "float8e8m0"};
  case 25:
    return {"uint8_t", "uint2"};
  case 26:
    return {"int8_t", "int2"};
  // The graph stage lets no type in whose storage runtime.h does not define.
  default:
    return {"uint8_t", "bytes"};
  }
}

static Signature makeSignature(const ModelInterface &model, StringRef prefix) {
  std::string upper = prefix.upper();
  IdentifierSet names, inputMacros, outputMacros, dimMacros;
  names.reserve("arena");
  names.reserve("ctx");
  for (StringRef suffix : {"_run", "_model", "_weights", "_arena_bytes", "_output_dims"})
    names.reserve((prefix + suffix).str());
  Signature signature;
  // A parameter must not be spelt like one of the macros below.
  auto makeName = [&](std::string name) {
    return names.make(StringRef(sanitizeIdentifier(name)).starts_with(upper + "_") ? "t_" + name : name);
  };
  auto add = [&](const TensorInterface &tensor, bool isOutput) {
    std::string name = makeName(tensor.name);
    auto &macros = isOutput ? outputMacros : inputMacros;
    std::string macro = upper + (isOutput ? "_OUTPUT_" : "_INPUT_") + macros.makeMacroPart(tensor.name);
    signature.tensors.push_back({&tensor, isOutput, cType(tensor.dtype), name, macro, ""});
  };
  for (const TensorInterface &tensor : model.inputs)
    add(tensor, false);
  for (const TensorInterface &tensor : model.outputs)
    add(tensor, true);
  for (const DimInterface &dim : model.dims) {
    signature.dims.push_back(makeName(dim.name));
    signature.dimMacros.push_back(upper + "_DIM_" + dimMacros.makeMacroPart(dim.name));
  }
  for (Parameter &parameter : signature.tensors)
    if (parameter.isOutput && parameter.tensor->isDynamic)
      parameter.dims = names.make(parameter.name + "_dims");
  return signature;
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

/// In one line, or one parameter per line when it does not fit.
static void writePrototype(StringRef start, ArrayRef<std::string> items, raw_ostream &os) {
  std::string line = start.str() + "(" + join(items, ", ") + ");";
  if (line.size() > 120)
    line = start.str() + "(\n    " + join(items, ",\n    ") + ");";
  os << line << "\n";
}

static std::vector<std::string> dimParameters(const Signature &signature) {
  std::vector<std::string> items;
  for (const std::string &dim : signature.dims)
    items.push_back("int64_t " + dim);
  return items;
}

static std::vector<std::string> outputDimsParameters(const Signature &signature) {
  std::vector<std::string> items;
  for (const Parameter &parameter : signature.tensors)
    if (!parameter.dims.empty())
      items.push_back("int64_t " + parameter.dims + "[" +
                      std::to_string(std::max<size_t>(1, parameter.tensor->dims.size())) + "]");
  return items;
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
  remarks.push_back("buffers must not overlap");
  writeComment(remarks, os);

  std::vector<std::string> items;
  for (const Parameter &parameter : signature.tensors)
    items.push_back((parameter.isOutput ? "" : "const ") + parameter.type.name.str() +
                    (parameter.tensor->isInContext ? " **" : " *") + parameter.name);
  append_range(items, dimParameters(signature));
  append_range(items, outputDimsParameters(signature));
  items.push_back("void *arena");
  if (model.slots != 0)
    items.push_back("onnx_aot_context *ctx");
  writePrototype(("onnx_aot_status " + prefix + "_run").str(), items, os);
}

/// The functions that say sizes before a run.
static void writePlan(const ModelInterface &model, StringRef prefix, const Signature &signature, raw_ostream &os) {
  std::vector<std::string> items = dimParameters(signature);
  if (!model.arenaFunction.empty()) {
    os << "\n/* Bytes of the arena of a run with these dims; SIZE_MAX where there is no such run. */\n";
    writePrototype(("size_t " + prefix + "_arena_bytes").str(), items, os);
  }
  if (model.hasDynamicOutputs()) {
    os << "\n/* The outputs' dims of a run with these dims; where data decide, the most that they can be, or -1. */\n";
    append_range(items, outputDimsParameters(signature));
    writePrototype(("onnx_aot_status " + prefix + "_output_dims").str(), items, os);
  }
}

void writeHeader(const ModelInterface &model, StringRef prefix, raw_ostream &os) {
  Signature signature = makeSignature(model, prefix);
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
