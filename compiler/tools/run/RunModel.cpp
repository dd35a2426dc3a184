//===- RunModel.cpp - What onnx-aot-run does ------------------------------===//
//
// How it works:
//   1. read the tensors that are given, by --input, --inputs and --expect;
//   2. an .onnx file: compile it once in this process, with its dims open, to a shared library in a folder of its own,
//      which is removed as soon as the library is loaded;
//   3. find or draw a value for every input, read the dims off their shapes, run, and look at the guards behind the
//      memory;
//   4. compare, write, time or print; then the next data set, with the same library.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/RunModel.h"
#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/import/ModelReader.h"
#include "compiler/import/onnx_model.pb.h"
#include "compiler/tools/run/BindInputs.h"
#include "compiler/tools/run/DataSet.h"
#include "compiler/tools/run/ModelLibrary.h"
#include "compiler/tools/run/Report.h"
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
  bool readGiven(size_t set);
  int runSet(const ModelLibrary &library);
  std::unique_ptr<ModelLibrary> load();
  std::unique_ptr<ModelLibrary> compileAndLoad();
  std::unique_ptr<ModelLibrary> open(StringRef path, StringRef prefix);
  bool compile(CompilerOptions &options);
  bool collectInputs(const onnx_aot_model &model, std::vector<HostTensor> &inputs, std::vector<int64_t> &dims);
  bool collectDims(const onnx_aot_model &model, std::vector<int64_t> &dims);
  bool drawInput(const onnx_aot_model &model, uint32_t index, llvm::ArrayRef<int64_t> dims, HostTensor &input);
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
  std::string inputsDir, expectDir; // of the present data set
  std::vector<DataItem> given, expected;
  bool isSpecialised = false; // for one data set: it has to be compiled again for the next
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

/// The folder of data set `set`; empty where there is none.
static std::string folderOf(llvm::ArrayRef<std::string> folders, size_t set) {
  return set < folders.size() ? folders[set] : "";
}

bool Runner::readGiven(size_t set) {
  inputsDir = folderOf(command.inputsDirs, set);
  expectDir = folderOf(command.expectDirs, set);
  given.clear();
  expected.clear();
  // The first item of a name counts: --input before --inputs.
  for (const auto &[name, file] : command.inputs) {
    if (llvm::Error error = addItems(file, name, -1, given))
      diagnostics.fault(llvm::toString(std::move(error)));
  }
  // A folder with references holds the inputs they were made from.
  const std::string &folder = inputsDir.empty() ? expectDir : inputsDir;
  if (!folder.empty()) {
    std::vector<DataItem> items;
    if (take(readDataSet(folder, DataRole::Input), items))
      llvm::move(items, std::back_inserter(given));
  }
  if (!expectDir.empty()) {
    if (take(readDataSet(expectDir, DataRole::Output), expected) && expected.empty())
      diagnostics.fault(expectDir + ": there are no reference outputs in it");
  }
  return !diagnostics.hasErrors();
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

/// Compiles the model for the values that are given. Where that fails because a sequence's length depends on values of
/// inputs, these are fixed, too.
bool Runner::compile(CompilerOptions &options) {
  std::unique_ptr<LoadedModel> loaded = readModel(command.model, diagnostics);
  if (!loaded)
    return false;
  const pb::GraphProto &graph = loaded->proto->graph();
  onnx_aot::bindShapes(graph, given, options.import);
  isSpecialised = !options.import.sequences.empty();
  CompilerOptions specialised = options;
  if (bindDecidingValues(graph, given, specialised.import)) {
    Diagnostics quiet;
    quiet.setQuiet(true);
    if (compileModel(command.model, options, quiet) == 0 && !quiet.hasErrors())
      return true;
    isSpecialised = true;
    options = std::move(specialised);
  }
  int status = compileModel(command.model, options, diagnostics);
  diagnostics.setFile("");
  return status == 0 && !diagnostics.hasErrors();
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
  ScratchFile library("so");
  if (library.code) {
    diagnostics.fault("a temporary file cannot be made: " + library.code.message());
    return nullptr;
  }
  options.artifact.output = library.path.str().str();
  options.artifact.header = false;
  if (!compile(options))
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

/// `float[batch][3]`
static std::string modelTypeText(const onnx_aot_model &model, const onnx_aot_tensor_info &info) {
  std::string text = typeText(info.dtype, {});
  for (int64_t dim : llvm::ArrayRef(info.dims, info.rank))
    text += "[" + (dim < 0 ? std::string(model.dims[-1 - dim].name) : std::to_string(dim)) + "]";
  return text;
}

/// Reads the model's dims off the tensors that are given; where none says one, --dim may. -1: not known.
bool Runner::collectDims(const onnx_aot_model &model, std::vector<int64_t> &dims) {
  dims.assign(model.num_dims, -1);
  std::vector<std::string> source(model.num_dims);
  for (uint32_t i = 0; i < model.num_inputs; ++i) {
    const onnx_aot_tensor_info &info = model.inputs[i];
    const DataItem *item = findItem(given, info.name, i);
    if (!item || item->tensor.dims.size() != size_t(info.rank))
      continue;
    for (auto [axis, dim] : llvm::enumerate(llvm::ArrayRef(info.dims, info.rank))) {
      if (dim >= 0)
        continue;
      int64_t k = -1 - dim, extent = item->tensor.dims[axis];
      if (dims[k] < 0) {
        dims[k] = extent;
        source[k] = info.name;
      } else if (dims[k] != extent) {
        diagnostics.fault("dimension '" + llvm::Twine(model.dims[k].name) + "' is " + llvm::Twine(extent) +
                          " in the value of input '" + info.name + "', but " + llvm::Twine(dims[k]) + " in that of '" +
                          source[k] + "'");
      }
    }
  }
  for (const auto &[name, extent] : command.options.import.dims)
    for (uint32_t k = 0; k < model.num_dims; ++k)
      if (name == model.dims[k].name && dims[k] < 0)
        dims[k] = extent;
  for (uint32_t k = 0; k < model.num_dims; ++k) {
    const onnx_aot_dim_info &dim = model.dims[k];
    if (dims[k] >= 0 && (dims[k] < dim.min || dims[k] > dim.max))
      diagnostics.fault("dimension '" + llvm::Twine(dim.name) + "' is " + llvm::Twine(dims[k]) + "; the model takes " +
                        llvm::Twine(dim.min) + (dim.max == INT64_MAX ? " or more" : " to " + llvm::Twine(dim.max)));
  }
  return !diagnostics.hasErrors();
}

/// A value for an input that none is given for.
bool Runner::drawInput(const onnx_aot_model &model, uint32_t index, llvm::ArrayRef<int64_t> dims, HostTensor &input) {
  for (int64_t &dim : input.dims) {
    if (dim >= 0)
      continue;
    int64_t k = -1 - dim;
    if (dims[k] < 0) {
      diagnostics.fault("dimension '" + llvm::Twine(model.dims[k].name) + "' of input '" + input.name +
                        "' is not known: give a value for the input, or --dim " + model.dims[k].name + "=N");
      return false;
    }
    dim = dims[k];
  }
  fillRandom(input, command.seed + index);
  return true;
}

bool Runner::collectInputs(const onnx_aot_model &model, std::vector<HostTensor> &inputs, std::vector<int64_t> &dims) {
  if (!collectDims(model, dims))
    return false;
  llvm::StringSet<> names;
  uint32_t drawn = 0;
  for (uint32_t i = 0; i < model.num_inputs; ++i) {
    HostTensor input = describe(model.inputs[i]);
    names.insert(input.name);
    names.insert(listName(input.name));
    const DataItem *item = findItem(given, input.name, i);
    if (!item) {
      if (drawInput(model, i, dims, input))
        inputs.push_back(std::move(input));
      ++drawn;
      continue;
    }
    HostTensor value = item->tensor;
    adoptDtype(value, input.dtype);
    bool fits = value.dtype == input.dtype && value.dims.size() == input.dims.size() &&
                llvm::all_of(llvm::zip(value.dims, input.dims),
                             [](auto pair) { return std::get<1>(pair) < 0 || std::get<0>(pair) == std::get<1>(pair); });
    if (!fits)
      diagnostics.fault("input '" + input.name + "' is " + modelTypeText(model, model.inputs[i]) +
                        ", but the value given for it is " + typeText(value.dtype, value.dims));
    value.name = input.name;
    inputs.push_back(std::move(value));
  }
  if (drawn > 0 && drawn == model.num_inputs && !inputsDir.empty())
    diagnostics.fault(inputsDir + ": none of its tensors is an input of the model");
  for (const auto &[name, file] : command.inputs)
    if (!names.contains(name) && !findList(given, name, -1)) // an empty one has no tensors
      diagnostics.fault("--input=" + name + "=" + file + ": the model has no input of this name");
  // A dim of no input that is left was given by a value that did not fit, which has been said.
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
    adoptDtype(reference, output.dtype);
    Comparison comparison = compareTensors(output, reference, {command.rtol, command.atol});
    printComparison(os, output, comparison);
    passed &= comparison.passed;
    ++compared;
  }
  for (const DataItem &list : expected) {
    if (list.length < 0)
      continue;
    int64_t count =
        llvm::count_if(outputs, [&](const HostTensor &output) { return listName(output.name) == list.tensor.name; });
    ++compared;
    if (count == list.length)
      continue;
    os << list.tensor.name << ": has " << count << " elements, the reference has " << list.length << "\n";
    passed = false;
  }
  if (compared == 0) {
    diagnostics.fault(expectDir + ": none of its references is of an output of the model");
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
  // Which data set, where there are several.
  bool isOneOfMany = std::max(command.inputsDirs.size(), command.expectDirs.size()) > 1;
  std::string label = command.model + (isOneOfMany ? " " + (inputsDir.empty() ? expectDir : inputsDir) : "");
  printTiming(llvm::outs(), label, summarise(std::move(times)), command.json);
}

int Runner::runSet(const ModelLibrary &library) {
  const onnx_aot_model &model = library.getModel();
  std::vector<HostTensor> inputs;
  std::vector<int64_t> dims;
  if (!collectInputs(model, inputs, dims))
    return diagnostics.exitStatus();

  ModelRun modelRun(model, inputs, dims);
  if (uint32_t status = modelRun.run()) {
    std::string reason = modelRun.deviceText(library);
    diagnostics.fault(command.model + ": the run failed: " + library.statusText(status) +
                      (reason.empty() ? "" : ": " + reason));
    return diagnostics.exitStatus();
  }
  if (std::string reason = modelRun.deviceText(library); !reason.empty())
    diagnostics.warning(command.model + " ran on the CPU: " + reason);
  Expected<std::vector<HostTensor>> outputs = modelRun.outputs();
  if (!outputs) {
    diagnostics.internal(llvm::toString(outputs.takeError()));
    return diagnostics.exitStatus();
  }

  if (!command.outDir.empty())
    if (llvm::Error error = writeDataSet(command.outDir, inputs, *outputs))
      diagnostics.fault(llvm::toString(std::move(error)));
  bool passed = true;
  if (!expectDir.empty())
    passed = compare(*outputs);
  else if (!command.bench)
    for (const HostTensor &output : *outputs)
      printOutput(llvm::outs(), output);
  if (command.bench)
    bench(modelRun);
  return std::max(diagnostics.exitStatus(), passed ? 0 : 1);
}

int Runner::run() {
  if (!readGiven(0))
    return diagnostics.exitStatus();
  if (!command.emitC.empty()) {
    CompilerOptions options = command.options;
    options.artifact.output = command.emitC;
    (void)compile(options);
    return diagnostics.exitStatus();
  }
  std::unique_ptr<ModelLibrary> library = load();
  if (!library)
    return diagnostics.exitStatus();
  int status = runSet(*library);
  size_t sets = std::max(command.inputsDirs.size(), command.expectDirs.size());
  for (size_t set = 1; set < sets && !diagnostics.hasErrors(); ++set)
    if (readGiven(set) && (!isSpecialised || (library = load())))
      status = std::max(status, runSet(*library));
  return std::max(status, diagnostics.exitStatus());
}

int onnx_aot::runModel(const RunCommand &command, Diagnostics &diagnostics) {
  return Runner(command, diagnostics).run();
}
