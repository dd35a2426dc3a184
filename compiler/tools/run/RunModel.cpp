//===- RunModel.cpp - What onnx-aot-run does ------------------------------===//
//
// How it works:
//   1. read the tensors that are given, by --input, --inputs and --expect;
//   2. an .onnx file: fix the shapes of its inputs to those of the tensors, compile it in this process to a shared
//      library in a folder of its own, which is removed as soon as the library is loaded;
//   3. find or draw a value for every input, run, and look at the guards behind the memory;
//   4. compare, write, time or print.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/RunModel.h"
#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/import/ModelReader.h"
#include "compiler/import/onnx_model.pb.h"
#include "compiler/tools/run/DataSet.h"
#include "compiler/tools/run/ModelLibrary.h"
#include "compiler/tools/run/Report.h"
#include "compiler/tools/run/TensorFile.h"
#include "onnx_aot/runtime.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include <chrono>

using namespace onnx_aot;
using llvm::Expected;
using llvm::StringRef;

namespace {

/// One run of the tool.
class Runner {
public:
  Runner(const RunCommand &command, Diagnostics &diagnostics) : command(command), diagnostics(diagnostics) {}
  int run();

private:
  bool readGiven();
  std::unique_ptr<ModelLibrary> load();
  std::unique_ptr<ModelLibrary> compileAndLoad();
  std::unique_ptr<ModelLibrary> open(StringRef path, StringRef prefix);
  bool bindShapes(ImportOptions &import);
  bool collectInputs(const onnx_aot_model &model, std::vector<HostTensor> &inputs);
  bool compare(const std::vector<HostTensor> &outputs);
  void bench(ModelRun &run);

  template <typename T> bool take(Expected<T> value, T &out) {
    if (!value) {
      diagnostics.fault(llvm::toString(value.takeError()));
      return false;
    }
    out = std::move(*value);
    return true;
  }

  const RunCommand &command;
  Diagnostics &diagnostics;
  std::vector<DataItem> given, expected;
};

/// A file of this process's own, gone when this is, and when the process crashes or is interrupted.
struct ScratchFile {
  explicit ScratchFile(StringRef suffix) : code(llvm::sys::fs::createTemporaryFile("onnx-aot-run", suffix, path)) {
    if (!code)
      llvm::sys::RemoveFileOnSignal(path);
  }
  ~ScratchFile() {
    if (code)
      return;
    llvm::sys::fs::remove(path);
    llvm::sys::DontRemoveFileOnSignal(path);
  }
  llvm::SmallString<128> path;
  std::error_code code;
};

} // namespace

//===----------------------------------------------------------------------===//
// Tensors that are given
//===----------------------------------------------------------------------===//

bool Runner::readGiven() {
  // The first item of a name counts: --input before --inputs.
  for (const auto &[name, file] : command.inputs) {
    HostTensor tensor;
    if (!take(readTensorFile(file), tensor))
      continue;
    tensor.name = name;
    given.push_back({std::move(tensor), -1});
  }
  // A folder with references holds the inputs they were made from.
  const std::string &folder = command.inputsDir.empty() ? command.expectDir : command.inputsDir;
  if (!folder.empty()) {
    std::vector<DataItem> items;
    if (take(readDataSet(folder, DataRole::Input), items))
      llvm::move(items, std::back_inserter(given));
  }
  if (!command.expectDir.empty()) {
    if (take(readDataSet(command.expectDir, DataRole::Output), expected) && expected.empty())
      diagnostics.fault(command.expectDir + ": there are no reference outputs in it");
  }
  return !diagnostics.hasErrors();
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// An input of a dynamic model gets the shape of the tensor that is given for it.
bool Runner::bindShapes(ImportOptions &import) {
  std::unique_ptr<LoadedModel> loaded = readModel(command.model, diagnostics);
  if (!loaded)
    return false;
  const pb::GraphProto &graph = loaded->proto->graph();
  llvm::StringSet<> initializers;
  for (const pb::TensorProto &tensor : graph.initializer())
    initializers.insert(tensor.name());
  int64_t position = 0;
  for (const pb::ValueInfoProto &input : graph.input()) {
    if (initializers.contains(input.name()))
      continue;
    const DataItem *item = findItem(given, input.name(), position++);
    const pb::TypeProto::Tensor &type = input.type().tensor_type();
    bool isStatic = type.has_shape() &&
                    llvm::all_of(type.shape().dim(),
                                 [](const pb::TensorShapeProto::Dimension &dim) { return dim.has_dim_value(); });
    if (item && !isStatic)
      import.shapes.emplace(input.name(), item->tensor.dims);
  }
  return true;
}

std::unique_ptr<ModelLibrary> Runner::open(StringRef path, StringRef prefix) {
  Expected<std::unique_ptr<ModelLibrary>> library = ModelLibrary::open(path, prefix);
  if (library)
    return std::move(*library);
  diagnostics.fault(command.model + ": " + llvm::toString(library.takeError()));
  return nullptr;
}

std::unique_ptr<ModelLibrary> Runner::compileAndLoad() {
  llvm::Triple target(command.options.codegen.triple), host(llvm::sys::getProcessTriple());
  if (target.getArch() != host.getArch() || target.getOS() != host.getOS()) {
    diagnostics.fault("--target=" + target.str() + ": its code does not run on this machine");
    return nullptr;
  }
  CompilerOptions options = command.options;
  if (!bindShapes(options.import))
    return nullptr;
  ScratchFile library("so");
  if (library.code) {
    diagnostics.fault("a temporary file cannot be made: " + library.code.message());
    return nullptr;
  }
  options.artifact.output = library.path.str().str();
  options.artifact.header = false;
  int status = compileModel(command.model, options, diagnostics);
  diagnostics.setFile("");
  if (status || diagnostics.hasErrors())
    return nullptr;
  return open(library.path, options.artifact.prefix);
}

std::unique_ptr<ModelLibrary> Runner::load() {
  if (StringRef(command.model).ends_with(".so"))
    return open(command.model, "");
  return compileAndLoad();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// NumPy files hold bfloat16 values as 16-bit integers.
static void adoptType(HostTensor &tensor, int32_t dtype) {
  if (dtype == ONNX_AOT_BFLOAT16 && tensor.dtype == ONNX_AOT_UINT16)
    tensor.dtype = ONNX_AOT_BFLOAT16;
}

bool Runner::collectInputs(const onnx_aot_model &model, std::vector<HostTensor> &inputs) {
  llvm::StringSet<> names;
  uint32_t drawn = 0;
  for (uint32_t i = 0; i < model.num_inputs; ++i) {
    HostTensor input = describe(model.inputs[i]);
    names.insert(input.name);
    const DataItem *item = findItem(given, input.name, i);
    if (!item) {
      fillRandom(input, command.seed + i);
      inputs.push_back(std::move(input));
      ++drawn;
      continue;
    }
    HostTensor value = item->tensor;
    adoptType(value, input.dtype);
    if (value.dtype != input.dtype || value.dims != input.dims)
      diagnostics.fault("input '" + input.name + "' is " + typeText(input.dtype, input.dims) +
                        ", but the value given for it is " + typeText(value.dtype, value.dims));
    value.name = input.name;
    inputs.push_back(std::move(value));
  }
  if (drawn > 0 && drawn == model.num_inputs && !command.inputsDir.empty())
    diagnostics.fault(command.inputsDir + ": none of its tensors is an input of the model");
  for (const auto &[name, file] : command.inputs)
    if (!names.contains(name))
      diagnostics.fault("--input=" + name + "=" + file + ": the model has no input of this name");
  return !diagnostics.hasErrors();
}

//===----------------------------------------------------------------------===//
// Outputs and times
//===----------------------------------------------------------------------===//

bool Runner::compare(const std::vector<HostTensor> &outputs) {
  // A reader of JSON wants nothing else on standard output.
  llvm::raw_ostream &os = command.json ? llvm::errs() : llvm::outs();
  bool passed = true;
  size_t compared = 0;
  for (auto [index, output] : llvm::enumerate(outputs)) {
    const DataItem *item = findItem(expected, output.name, index);
    if (!item) {
      os << output.name << " " << typeText(output.dtype, output.dims) << ": no reference\n";
      continue;
    }
    HostTensor reference = item->tensor;
    adoptType(reference, output.dtype);
    Comparison comparison = compareTensors(output, reference, {command.rtol, command.atol});
    printComparison(os, output, comparison);
    passed &= comparison.passed;
    ++compared;
  }
  if (compared == 0) {
    diagnostics.fault(command.expectDir + ": none of its references is of an output of the model");
    return false;
  }
  return passed;
}

void Runner::bench(ModelRun &run) {
  using Clock = std::chrono::steady_clock;
  auto timedRun = [&] {
    Clock::time_point start = Clock::now();
    run.run();
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  // Warm up until caches, page tables and the clock frequency have settled.
  Clock::time_point warmUntil = Clock::now() + std::chrono::milliseconds(200);
  for (int i = 0; i < 3 || (Clock::now() < warmUntil && i < 10000); ++i)
    timedRun();
  std::vector<double> times(command.runs);
  for (double &time : times)
    time = timedRun();
  printTiming(llvm::outs(), command.model, summarise(std::move(times)), command.json);
}

int Runner::run() {
  if (!readGiven())
    return diagnostics.exitStatus();
  std::unique_ptr<ModelLibrary> library = load();
  if (!library)
    return diagnostics.exitStatus();
  const onnx_aot_model &model = library->getModel();
  std::vector<HostTensor> inputs;
  if (!collectInputs(model, inputs))
    return diagnostics.exitStatus();

  ModelRun modelRun(model, inputs);
  if (uint32_t status = modelRun.run()) {
    diagnostics.fault(command.model + ": the run failed: " + library->statusText(status));
    return diagnostics.exitStatus();
  }
  Expected<std::vector<HostTensor>> outputs = modelRun.outputs();
  if (!outputs) {
    diagnostics.internal(llvm::toString(outputs.takeError()));
    return diagnostics.exitStatus();
  }

  if (!command.outDir.empty())
    if (llvm::Error error = writeDataSet(command.outDir, inputs, *outputs))
      diagnostics.fault(llvm::toString(std::move(error)));
  bool passed = true;
  if (!command.expectDir.empty())
    passed = compare(*outputs);
  else if (!command.bench)
    for (const HostTensor &output : *outputs)
      printOutput(llvm::outs(), output);
  if (command.bench)
    bench(modelRun);
  return std::max(diagnostics.exitStatus(), passed ? 0 : 1);
}

int onnx_aot::runModel(const RunCommand &command, Diagnostics &diagnostics) {
  return Runner(command, diagnostics).run();
}
