//===- CEntryPoints.cpp - The C functions of a model, as C ----------------===//
//
// See CEntryPoints.h, and EntryPoints.cpp for what each of them does.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/CEntryPoints.h"

#include "codegen/c/Program.h"
#include "compiler/artifact/CDescription.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/Signature.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

namespace {
class CEntryWriter {
public:
  CEntryWriter(const ModelInterface &model, const c::Program &program, StringRef prefix, raw_ostream &os)
      : model(model), program(program), prefix(prefix.str()), signature(model, prefix), os(os) {}

  void write();

private:
  void writeRun();
  void writeEntry();
  void writeArenaBytes();
  void writeOutputDims();
  void writePlan();

  std::string missing(const Parameter &parameter) const;
  void returnIf(const std::vector<std::string> &conditions, StringRef code);
  void refuseWideDims();
  bool isPlanned() const { return !model.arenaFunction.empty() || model.hasDynamicOutputs(); }

  const ModelInterface &model;
  const c::Program &program;
  std::string prefix;
  Signature signature;
  raw_ostream &os;
};
} // namespace

void CEntryWriter::returnIf(const std::vector<std::string> &conditions, StringRef code) {
  if (conditions.empty())
    return;
  os << "  if (" << join(conditions, " ||\n      ") << ")\n    return " << code << ";\n";
}

/// When a pointer is NULL that may not be; empty where it may. An empty buffer has no address to check.
std::string CEntryWriter::missing(const Parameter &parameter) const {
  const TensorInterface &tensor = *parameter.tensor;
  if (tensor.bytes == 0 && !tensor.isInContext)
    return "";
  std::vector<std::string> terms = {parameter.name + " == NULL"};
  if (!tensor.isInContext)
    for (int64_t dim : tensor.dims)
      if (dim < 0 && dim != TensorInterface::computed)
        terms.push_back(signature.dims[size_t(-1 - dim)] + " != 0");
  return terms.size() == 1 ? terms.front() : "(" + join(terms, " && ") + ")";
}

/// The model counts in ptrdiff_t, which may be narrower than what the caller passes.
void CEntryWriter::refuseWideDims() {
  std::vector<std::string> conditions;
  for (const std::string &dim : signature.dims)
    conditions.push_back("(int64_t)(ptrdiff_t)" + dim + " != " + dim);
  returnIf(conditions, "ONNX_AOT_DIM_OUT_OF_BOUNDS");
}

void CEntryWriter::writeRun() {
  os << "\n" << prototype("onnx_aot_status " + prefix + "_run", signature.runParameters()) << " {\n";
  std::vector<std::string> conditions;
  for (const Parameter &parameter : signature.tensors)
    if (std::string condition = missing(parameter); !condition.empty())
      conditions.push_back(condition);
  for (const Parameter &parameter : signature.tensors)
    if (!parameter.dims.empty())
      conditions.push_back(parameter.dims + " == NULL");
  if (model.arenaBytes != 0)
    conditions.push_back("arena == NULL");
  if (model.slots != 0)
    conditions.push_back("ctx == NULL");
  returnIf(conditions, "ONNX_AOT_NULL_ARGUMENT");
  if (model.arenaBytes != 0 && model.arenaAlign > 1)
    returnIf({"(uintptr_t)arena % " + std::to_string(model.arenaAlign) + "u != 0u"}, "ONNX_AOT_ARENA_ALIGNMENT");
  refuseWideDims();

  // The model stores addresses of memory in the context as 64-bit numbers.
  std::vector<std::string> arguments, addresses;
  auto take = [&](const std::string &value, bool isPointer) {
    const std::string &type = program.entryParameters[arguments.size()];
    arguments.push_back(isPointer ? "(" + type + ")" + value : value);
  };
  for (const Parameter &parameter : signature.tensors) {
    if (!parameter.tensor->isInContext) {
      take(parameter.name, true);
      continue;
    }
    std::string number = "address" + std::to_string(addresses.size());
    os << "  int64_t " << number << " = 0;\n";
    addresses.push_back("  *" + parameter.name + " = (" + parameter.type.name.str() + " *)(uintptr_t)" + number +
                        ";\n");
    take("&" + number, true);
  }
  for (const std::string &dim : signature.dims)
    take("(ptrdiff_t)" + dim, false);
  for (const Parameter &parameter : signature.tensors)
    if (!parameter.dims.empty())
      take(parameter.dims, true);
  take("arena", true);
  if (model.slots != 0)
    take("ctx", false);
  std::string call = prefix + "_main(" + join(arguments, ", ") + ")";
  if (addresses.empty()) {
    os << "  return (onnx_aot_status)" << call << ";\n}\n";
    return;
  }
  os << "  onnx_aot_status status = (onnx_aot_status)" << call << ";\n"
     << join(addresses, "") << "  return status;\n}\n";
}

void CEntryWriter::writeEntry() {
  os << "\nstatic onnx_aot_status " << prefix
     << "_entry(const void *const *inputs, void *const *outputs, const int64_t *dims,\n"
        "    int64_t *const *output_dims, void *arena, onnx_aot_context *ctx) {\n";
  std::vector<std::string> conditions, arguments;
  auto take = [&](StringRef array, size_t count, auto &&argument) {
    if (count == 0) {
      os << "  (void)" << array << ";\n";
      return;
    }
    conditions.push_back((array + " == NULL").str());
    for (size_t i = 0; i < count; ++i)
      if (std::string text = argument(i); !text.empty())
        arguments.push_back(text);
  };
  auto at = [](StringRef array, size_t i) { return (array + "[" + Twine(i) + "]").str(); };
  size_t numInputs = model.inputs.size();
  take("inputs", numInputs,
       [&](size_t i) { return "(const " + signature.tensors[i].type.name.str() + " *)" + at("inputs", i); });
  take("outputs", model.outputs.size(), [&](size_t i) {
    const Parameter &parameter = signature.tensors[numInputs + i];
    return "(" + parameter.type.name.str() + (parameter.tensor->isInContext ? " **)" : " *)") + at("outputs", i);
  });
  take("dims", model.dims.size(), [&](size_t i) { return at("dims", i); });
  take("output_dims", model.hasDynamicOutputs() ? model.outputs.size() : 0,
       [&](size_t i) { return model.outputs[i].isDynamic ? at("output_dims", i) : std::string(); });
  arguments.push_back("arena");
  if (model.slots != 0)
    arguments.push_back("ctx");
  else
    os << "  (void)ctx;\n";
  returnIf(conditions, "ONNX_AOT_NULL_ARGUMENT");
  os << "  return " << prefix << "_run(" << join(arguments, ", ") << ");\n}\n";
}

void CEntryWriter::writeArenaBytes() {
  os << "\n" << prototype("size_t " + prefix + "_arena_bytes", signature.dimParameters()) << " {\n";
  std::vector<std::string> arguments, conditions;
  for (const std::string &dim : signature.dims) {
    conditions.push_back("(int64_t)(ptrdiff_t)" + dim + " != " + dim);
    arguments.push_back("(ptrdiff_t)" + dim);
  }
  returnIf(conditions, "SIZE_MAX");
  // The model's function says -1 where it does not know, which is the largest number too.
  os << "  uint64_t bytes = (uint64_t)(int64_t)" << prefix << "_" << model.arenaFunction << "_of_dims("
     << join(arguments, ", ") << ");\n"
     << "  return bytes >= SIZE_MAX ? SIZE_MAX : (size_t)bytes;\n}\n";
}

void CEntryWriter::writeOutputDims() {
  std::vector<std::string> parameters = signature.dimParameters(), conditions, arguments;
  append_range(parameters, signature.outputDimsParameters());
  for (const std::string &dim : signature.dims)
    arguments.push_back("(ptrdiff_t)" + dim);
  for (const Parameter &parameter : signature.tensors)
    if (!parameter.dims.empty()) {
      conditions.push_back(parameter.dims + " == NULL");
      arguments.push_back(parameter.dims);
    }
  os << "\n" << prototype("onnx_aot_status " + prefix + "_output_dims", parameters) << " {\n";
  returnIf(conditions, "ONNX_AOT_NULL_ARGUMENT");
  refuseWideDims();
  os << "  return (onnx_aot_status)" << prefix << "_output_dims_of_dims(" << join(arguments, ", ") << ");\n}\n";
}

void CEntryWriter::writePlan() {
  os << "\nstatic onnx_aot_status " << prefix
     << "_plan(const int64_t *dims, uint64_t *arena_bytes, int64_t *const *output_dims) {\n";
  std::vector<std::string> conditions = {"arena_bytes == NULL"}, arguments;
  if (model.dims.empty())
    os << "  (void)dims;\n";
  else
    conditions.push_back("dims == NULL");
  if (model.hasDynamicOutputs())
    conditions.push_back("output_dims == NULL");
  else
    os << "  (void)output_dims;\n";
  returnIf(conditions, "ONNX_AOT_NULL_ARGUMENT");
  for (size_t i = 0; i < model.dims.size(); ++i)
    arguments.push_back("dims[" + std::to_string(i) + "]");
  if (model.arenaFunction.empty()) {
    os << "  *arena_bytes = " << model.arenaBytes << "u;\n";
  } else {
    os << "  size_t bytes = " << prefix << "_arena_bytes(" << join(arguments, ", ") << ");\n";
    returnIf({"bytes == SIZE_MAX"}, "ONNX_AOT_DIM_OUT_OF_BOUNDS");
    os << "  *arena_bytes = bytes;\n";
  }
  for (size_t i = 0; i < model.outputs.size(); ++i)
    if (model.outputs[i].isDynamic)
      arguments.push_back("output_dims[" + std::to_string(i) + "]");
  if (model.hasDynamicOutputs())
    os << "  return " << prefix << "_output_dims(" << join(arguments, ", ") << ");\n}\n";
  else
    os << "  return ONNX_AOT_OK;\n}\n";
}

void CEntryWriter::write() {
  writeRun();
  writeEntry();
  if (!model.arenaFunction.empty())
    writeArenaBytes();
  if (model.hasDynamicOutputs())
    writeOutputDims();
  if (isPlanned())
    writePlan();
  writeCDescription(model, prefix, isPlanned(), os);
}

void writeCEntryPoints(const ModelInterface &model, const c::Program &program, StringRef prefix, raw_ostream &os) {
  CEntryWriter(model, program, prefix, os).write();
}

} // namespace onnx_aot
