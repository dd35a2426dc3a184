//===- Signature.cpp - The names and types of a model's C functions -------===//
//
// See Signature.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/Signature.h"

#include "compiler/artifact/Identifiers.h"
#include "compiler/artifact/ModelInterface.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace onnx_aot {

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

Signature::Signature(const ModelInterface &model, StringRef prefix) : hasContext(model.slots != 0) {
  std::string upper = prefix.upper();
  IdentifierSet names, inputMacros, outputMacros, usedDimMacros;
  names.reserve("arena");
  names.reserve("ctx");
  for (StringRef suffix : {"_run", "_model", "_weights", "_arena_bytes", "_output_dims", "_main"})
    names.reserve((prefix + suffix).str());
  // A parameter must not be spelt like one of the macros below.
  auto makeName = [&](const std::string &name) {
    return names.make(StringRef(sanitizeIdentifier(name)).starts_with(upper + "_") ? "t_" + name : name);
  };
  auto add = [&](const TensorInterface &tensor, bool isOutput) {
    std::string name = makeName(tensor.name);
    auto &macros = isOutput ? outputMacros : inputMacros;
    std::string macro = upper + (isOutput ? "_OUTPUT_" : "_INPUT_") + macros.makeMacroPart(tensor.name);
    tensors.push_back({&tensor, isOutput, cType(tensor.dtype), name, macro, ""});
  };
  for (const TensorInterface &tensor : model.inputs)
    add(tensor, false);
  for (const TensorInterface &tensor : model.outputs)
    add(tensor, true);
  for (const DimInterface &dim : model.dims) {
    dims.push_back(makeName(dim.name));
    dimMacros.push_back(upper + "_DIM_" + usedDimMacros.makeMacroPart(dim.name));
  }
  for (Parameter &parameter : tensors)
    if (parameter.isOutput && parameter.tensor->isDynamic)
      parameter.dims = names.make(parameter.name + "_dims");
}

std::vector<std::string> Signature::dimParameters() const {
  std::vector<std::string> items;
  for (const std::string &dim : dims)
    items.push_back("int64_t " + dim);
  return items;
}

std::vector<std::string> Signature::outputDimsParameters() const {
  std::vector<std::string> items;
  for (const Parameter &parameter : tensors)
    if (!parameter.dims.empty())
      items.push_back("int64_t " + parameter.dims + "[" +
                      std::to_string(std::max<size_t>(1, parameter.tensor->dims.size())) + "]");
  return items;
}

std::vector<std::string> Signature::runParameters() const {
  std::vector<std::string> items;
  for (const Parameter &parameter : tensors)
    items.push_back((parameter.isOutput ? "" : "const ") + parameter.type.name.str() +
                    (parameter.tensor->isInContext ? " **" : " *") + parameter.name);
  append_range(items, dimParameters());
  append_range(items, outputDimsParameters());
  items.push_back("void *arena");
  if (hasContext)
    items.push_back("onnx_aot_context *ctx");
  return items;
}

std::string prototype(StringRef start, const std::vector<std::string> &items) {
  std::string line = start.str() + "(" + join(items, ", ") + ")";
  return line.size() <= 119 ? line : start.str() + "(\n    " + join(items, ",\n    ") + ")";
}

} // namespace onnx_aot
