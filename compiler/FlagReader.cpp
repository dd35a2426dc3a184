//===- FlagReader.cpp - From a flag to the structs of options -------------===//
//
// What each flag of Options.td does, one at a time. What only shows when all flags are known is for Options.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/FlagReader.h"
#include "codegen/nvptx/Architecture.h"
#include "compiler/Diagnostics.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace onnx_aot;
using llvm::StringRef;
using llvm::Twine;

static std::optional<Stage> parseStage(StringRef text) {
  for (Stage stage : {Stage::Import, Stage::Graph, Stage::Tensor, Stage::Schedule, Stage::Buffer, Stage::Codegen})
    if (stageName(stage) == text)
      return stage;
  return std::nullopt;
}

void FlagReader::fault(const GivenFlag &flag, const Twine &reason) { diagnostics.fault(flag.spelled + ": " + reason); }

void FlagReader::notYet(const std::string &spelled) { diagnostics.unsupported(spelled + " is not supported yet"); }

void FlagReader::apply(const GivenFlag &flag) {
  switch (flag.id) {
  case OPT_INPUT:
    return positional.push_back(flag.value.str());
  case OPT_o:
    return applyText(flag, options.artifact.output);
  case OPT_emit:
    return applyText(flag, emit);
  case OPT_stop_after:
    options.stopAfter = parseStage(flag.value);
    if (!options.stopAfter)
      fault(flag, "the stages are import, graph, tensor, schedule, buffer and codegen");
    return;
  case OPT_name:
    return applyText(flag, name);
  case OPT_depfile:
    return applyText(flag, options.depfile);
  case OPT_report:
    return applyText(flag, options.reports.emplace_back());
  case OPT_max_ram:
    return applySize(flag, options.artifact.maxRam);
  case OPT_max_flash:
    return applySize(flag, options.artifact.maxFlash);
  case OPT_check:
    check = true;
    return;
  case OPT_list_ops:
    listOps = true;
    return;
  case OPT_json:
    json = true;
    return;
  case OPT_dim:
    return applyDim(flag);
  case OPT_shape:
    return applyShape(flag);
  case OPT_value:
    return applyValue(flag);
  case OPT_target:
    return applyText(flag, options.codegen.triple);
  case OPT_mcpu:
    return applyCpu(flag);
  case OPT_mattr:
    return applyText(flag, options.codegen.features);
  case OPT_float_abi:
    if (flag.value != "soft" && flag.value != "hard")
      return fault(flag, "expected soft or hard");
    options.codegen.floatAbi = flag.value.str();
    return;
  case OPT_allocator:
    if (flag.value != "none" && flag.value != "context")
      return fault(flag, "expected none or context");
    options.buffer.allocates = flag.value == "context";
    return;
  case OPT_O:
    return applyLevel(flag);
  case OPT_fast_math:
    options.codegen.fastMath = true;
    return;
  case OPT_verify_contracts:
    options.verifyContracts = true;
    return;
  case OPT_sanitize:
    if (flag.value != "address" && flag.value != "thread")
      fault(flag, "expected address or thread");
    options.codegen.sanitize =
        flag.value == "thread" ? CodegenOptions::Sanitize::Thread : CodegenOptions::Sanitize::Address;
    return;
  case OPT_quiet:
    options.quiet = true;
    return;
  case OPT_version:
    version = true;
    return;
  case OPT_help:
    help = true;
    return;
  case OPT_kernels:
    return applyKernels(flag);
  case OPT_device:
  case OPT_gpu_arch:
  case OPT_io:
    return applyDevice(flag);
  case OPT_cubin:
    options.device.hasMachineCode = true;
    return;
  case OPT_precision:
    return applyPrecision(flag);
  case OPT_threads:
  case OPT_weights:
    return; // other values than what happens anyway have been refused
  default:
    if (run)
      return applyToRun(flag);
    diagnostics.internal(flag.spelled + " has no effect");
  }
}

void FlagReader::applyToRun(const GivenFlag &flag) {
  switch (flag.id) {
  case OPT_input: {
    auto [input, file] = flag.value.split('=');
    if (input.empty() || file.empty())
      return fault(flag, "expected NAME=FILE");
    run->inputs.emplace_back(input.str(), file.str());
    return;
  }
  case OPT_inputs:
    return applyText(flag, run->inputsDirs.emplace_back());
  case OPT_expect:
    return applyText(flag, run->expectDirs.emplace_back());
  case OPT_emit_c:
    return applyText(flag, run->emitC);
  case OPT_out:
    return applyText(flag, run->outDir);
  case OPT_seed:
    if (flag.value.getAsInteger(10, run->seed))
      fault(flag, "expected a whole number");
    return;
  case OPT_rtol:
    return applyTolerance(flag, run->rtol);
  case OPT_atol:
    return applyTolerance(flag, run->atol);
  case OPT_bench:
    run->bench = true;
    return;
  case OPT_runs:
    if (flag.value.getAsInteger(10, run->runs) || run->runs < 1)
      fault(flag, "expected a whole number from 1");
    return;
  default:
    diagnostics.internal(flag.spelled + " has no effect");
  }
}

void FlagReader::applyKernels(const GivenFlag &flag) {
  auto choice = llvm::StringSwitch<std::optional<KernelChoice>>(flag.value)
                    .Case("auto", KernelChoice::Auto)
                    .Case("mlir", KernelChoice::Mlir)
                    .Case("halide", KernelChoice::Halide)
                    .Case("reference", KernelChoice::Reference)
                    .Default(std::nullopt);
  if (!choice)
    return fault(flag, "expected auto, mlir, halide or reference");
  options.kernels = *choice;
}

void FlagReader::applyDevice(const GivenFlag &flag) {
  DeviceOptions &device = options.device;
  if (flag.id == OPT_device) {
    if (flag.value != "cuda" && flag.value != "cuda,cpu")
      return fault(flag, "expected cuda, or cuda,cpu for an object that runs without a GPU too");
    device.isUsed = true;
    device.hasFallback = flag.value == "cuda,cpu";
  } else if (flag.id == OPT_io) {
    if (flag.value != "host" && flag.value != "device")
      return fault(flag, "expected host or device");
    device.hasBuffers = flag.value == "device";
  } else {
    for (StringRef name : llvm::split(flag.value, ',')) {
      if (!nvptx::Architecture::named(name))
        return fault(flag, "'" + name + "' is no GPU that code is made for; known are " + nvptx::Architecture::known());
      if (!llvm::is_contained(device.architectures, name))
        device.architectures.push_back(name.str());
    }
  }
}

void FlagReader::applyPrecision(const GivenFlag &flag) {
  auto choice = llvm::StringSwitch<std::optional<Precision>>(flag.value)
                    .Case("fp32", Precision::Single)
                    .Case("tf32", Precision::TensorFloat)
                    .Case("fp16", Precision::Half)
                    .Case("bf16", Precision::Brain)
                    .Default(std::nullopt);
  if (!choice)
    return fault(flag, "expected fp32, tf32, fp16 or bf16");
  options.graph.precision = *choice;
}

void FlagReader::applyText(const GivenFlag &flag, std::string &out) {
  if (flag.value.empty())
    fault(flag, "the value is empty");
  out = flag.value.str();
}

void FlagReader::applySize(const GivenFlag &flag, std::optional<uint64_t> &out) {
  StringRef digits = flag.value;
  unsigned shift = digits.consume_back_insensitive("k") ? 10 : digits.consume_back_insensitive("m") ? 20 : 0;
  uint64_t value = 0;
  if (digits.getAsInteger(10, value) || value > (uint64_t(1) << 40))
    return fault(flag, "expected a number of bytes, such as 65536, 64K or 1M");
  out = value << shift;
}

void FlagReader::applyTolerance(const GivenFlag &flag, std::optional<double> &out) {
  double value = 0;
  if (flag.value.getAsDouble(value) || !(value >= 0))
    fault(flag, "expected a number from 0");
  out = value;
}

void FlagReader::applyDim(const GivenFlag &flag) {
  auto [dim, value] = flag.value.rsplit('=');
  int64_t extent = 0;
  if (dim.empty() || value.empty())
    return fault(flag, "expected NAME=N or NAME=LO..HI, such as batch=1");
  auto isExtent = [](StringRef text, int64_t &out) { return !text.getAsInteger(10, out) && out >= 0; };
  if (!value.contains("..")) {
    if (!isExtent(value, extent))
      return fault(flag, "'" + value + "' is not a dimension");
    return setDim(dim, {extent, extent});
  }
  auto [low, high] = value.split("..");
  DimBounds bounds;
  if (!isExtent(low, bounds.low) || (!high.empty() && !isExtent(high, bounds.high)))
    return fault(flag, "'" + value + "' is not a range of dimensions, such as 1..8 or 1..");
  if (bounds.low > bounds.high)
    return fault(flag, "the range " + value + " is empty");
  setDim(dim, bounds);
}

/// A later flag replaces an earlier one of the same name.
void FlagReader::setDim(StringRef name, DimBounds bounds) {
  ImportOptions &import = options.import;
  import.dims.erase(name.str());
  import.bounds.erase(name.str());
  if (bounds.low == bounds.high)
    import.dims[name.str()] = bounds.low;
  else
    import.bounds[name.str()] = bounds;
}

static bool parseShape(StringRef text, std::vector<int64_t> &shape, StringRef &wrong) {
  llvm::SmallVector<StringRef> parts;
  if (!text.empty()) // nothing: a scalar
    text.split(parts, 'x');
  for (StringRef part : parts) {
    int64_t extent = 0;
    wrong = part;
    if (part.getAsInteger(10, extent) || extent < 0)
      return false;
    shape.push_back(extent);
  }
  return true;
}

void FlagReader::applyShape(const GivenFlag &flag) {
  auto [input, value] = flag.value.rsplit('=');
  if (input.empty() || input.size() == flag.value.size())
    return fault(flag, "expected INPUT=1x3x224x224");
  llvm::SmallVector<StringRef> parts;
  if (value != "none")
    value.split(parts, ',');
  std::vector<std::vector<int64_t>> shapes(parts.size());
  StringRef wrong;
  for (auto [part, shape] : llvm::zip(parts, shapes))
    if (!parseShape(part, shape, wrong))
      return fault(flag, "'" + wrong + "' is not a dimension");
  // Later flags replace earlier ones. One shape may also be that of a sequence's only element.
  options.import.shapes.erase(input.str());
  options.import.sequences.erase(input.str());
  if (shapes.size() == 1)
    options.import.shapes[input.str()] = std::move(shapes.front());
  else
    options.import.sequences[input.str()] = std::move(shapes);
}

void FlagReader::applyValue(const GivenFlag &flag) {
  auto [input, value] = flag.value.rsplit('=');
  if (input.empty() || input.size() == flag.value.size())
    return fault(flag, "expected INPUT=5 or INPUT=1,2,3");
  llvm::SmallVector<StringRef> parts;
  if (!value.empty()) // nothing: a tensor without elements
    value.split(parts, ',');
  std::vector<int64_t> values;
  for (StringRef part : parts) {
    int64_t number = part == "true";
    if (part != "true" && part != "false" && part.getAsInteger(10, number))
      return fault(flag, "'" + part + "' is not an integer");
    values.push_back(number);
  }
  options.import.values[input.str()] = std::move(values);
}

void FlagReader::applyLevel(const GivenFlag &flag) {
  options.codegen.forSize = flag.value == "s";
  if (options.codegen.forSize)
    options.codegen.optLevel = 2;
  else if (flag.value.size() == 1 && flag.value[0] >= '0' && flag.value[0] <= '3')
    options.codegen.optLevel = flag.value[0] - '0';
  else
    fault(flag, "the optimisation levels are -O0, -O1, -O2, -O3 and -Os");
}

void FlagReader::applyCpu(const GivenFlag &flag) {
  if (flag.value.contains(','))
    return notYet(flag.spelled);
  applyText(flag, options.codegen.cpu);
}
