//===- Artifact.cpp - The last stage: output files ------------------------===//
//
// See Artifact.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/Artifact.h"

#include "codegen/RuntimeLink.h"
#include "codegen/cpu/MergeKernels.h"
#include "codegen/halide/HalideProvider.h"
#include "codegen/nvptx/DeviceProgram.h"
#include "compiler/Diagnostics.h"
#include "compiler/artifact/Budget.h"
#include "compiler/artifact/CWriter.h"
#include "compiler/artifact/CodeFacts.h"
#include "compiler/artifact/Depfile.h"
#include "compiler/artifact/EntryPoints.h"
#include "compiler/artifact/Fallback.h"
#include "compiler/artifact/HeaderWriter.h"
#include "compiler/artifact/ObjectWriter.h"
#include "compiler/artifact/OutputFiles.h"
#include "compiler/artifact/ReportWriter.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace onnx_aot {

namespace {
/// What a writer of code gets.
struct WriteJob {
  EmittedModel emitted;
  std::string output;
  OutputFiles &files;
  std::optional<CodeFacts> &code; // what the object takes
  bool isMeasured = false;
};

/// An output kind: how it is written, and whether a header goes with it.
struct KindRow {
  OutputKind kind;
  Error (*write)(WriteJob &job); // null: no LLVM module is needed
  bool hasHeader;
};
} // namespace

static Error emitObject(WriteJob &job, StringRef path) {
  if (!job.isMeasured)
    return writeObject(job.emitted, path);
  FrameSizes frames(job.emitted.module.getContext());
  if (Error error = writeObject(job.emitted, path))
    return error;
  auto code = measureCode(path, job.emitted.module, job.emitted.prefix + "_run", frames.frames());
  if (!code)
    return code.takeError();
  job.code = std::move(*code);
  return Error::success();
}

/// Emits the object beside the output, for the kinds that are made of one.
static Expected<std::string> scratchObject(WriteJob &job) {
  auto object = job.files.addScratch(job.output);
  if (!object)
    return object.takeError();
  if (Error error = emitObject(job, *object))
    return std::move(error);
  return object;
}

static Error writeObjectFile(WriteJob &job) {
  auto path = job.files.add(job.output);
  return path ? emitObject(job, *path) : path.takeError();
}

static Error writeStaticLibraryFile(WriteJob &job) {
  auto object = scratchObject(job);
  if (!object)
    return object.takeError();
  auto path = job.files.add(job.output);
  return path ? writeStaticLibrary(job.emitted, *object, *path) : path.takeError();
}

static Error writeSharedLibraryFile(WriteJob &job) {
  auto object = scratchObject(job);
  if (!object)
    return object.takeError();
  auto path = job.files.add(job.output);
  return path ? writeSharedLibrary(job.emitted, *object, sys::path::filename(job.output), *path) : path.takeError();
}

/// Text goes to a file or, for "-", to stdout once it is complete.
static Error writeText(StringRef output, OutputFiles &files, function_ref<Error(raw_pwrite_stream &)> write) {
  Error result = Error::success();
  if (output == "-") {
    SmallString<0> text;
    raw_svector_ostream stream(text);
    if (Error error = write(stream)) {
      consumeError(std::move(result));
      return error;
    }
    outs() << text;
    outs().flush();
    return result;
  }
  Error written = files.write(output, [&](raw_pwrite_stream &stream) {
    if (Error error = write(stream))
      result = joinErrors(std::move(result), std::move(error));
  });
  return joinErrors(std::move(result), std::move(written));
}

static Error writeAssemblyFile(WriteJob &job) {
  return writeText(job.output, job.files,
                   [&](raw_pwrite_stream &stream) { return writeAssembly(job.emitted, stream); });
}

static Error writeLLVMIRFile(WriteJob &job) {
  return writeText(job.output, job.files, [&](raw_pwrite_stream &stream) { return writeLLVMIR(job.emitted, stream); });
}

static const KindRow kinds[] = {
    {OutputKind::Object, writeObjectFile, true},
    {OutputKind::StaticLibrary, writeStaticLibraryFile, true},
    {OutputKind::SharedLibrary, writeSharedLibraryFile, true},
    {OutputKind::Assembly, writeAssemblyFile, false},
    {OutputKind::LLVMIR, writeLLVMIRFile, false},
    {OutputKind::PTX, nullptr, false},
    {OutputKind::C, nullptr, true},
    {OutputKind::MLIR, nullptr, false},
};

TargetSpec targetSpec(const CodegenOptions &options) {
  return {options.triple, options.cpu, options.features, options.floatAbi};
}

static OptOptions optOptions(const CodegenOptions &options) {
  OptOptions result;
  switch (options.optLevel) {
  case 0:
    result.level = OptLevel::O0;
    break;
  case 1:
    result.level = OptLevel::O1;
    break;
  case 2:
    result.level = OptLevel::O2;
    break;
  default:
    result.level = OptLevel::O3;
    break;
  }
  if (options.forSize)
    result.level = OptLevel::Os;
  if (options.sanitize == CodegenOptions::Sanitize::Address)
    result.sanitize = Sanitizer::Address;
  if (options.sanitize == CodegenOptions::Sanitize::Thread)
    result.sanitize = Sanitizer::Thread;
  return result;
}

static Error verify(const Module &module) {
  std::string text;
  raw_string_ostream stream(text);
  if (!verifyModule(module, &stream))
    return Error::success();
  return createStringError("invalid LLVM IR: " + StringRef(text).trim());
}

/// From what the codegen stage left to final, optimised code. Functions that others became are noted in `merged`.
static Error finishModule(ArtifactInput &input, TargetMachine &machine, const CompilerOptions &options,
                          MergedKernels &merged) {
  Module &module = *input.llvmModule;
  ModelInterface &model = input.interface;
  prepareModule(module, machine);
  defineDeviceProgram(module, input.module, bool(input.fallback));
  if (input.fallback) {
    prepareModule(*input.fallback, machine);
    if (Error error = linkFallback(module, std::move(input.fallback)))
      return error;
  }
  if (Error error = emitEntryPoints(module, model, options.artifact.prefix))
    return error;
  if (Error error = linkRuntime(module))
    return error;
  prepareModule(module, machine);
  if (Error error = verify(module))
    return error;
  OptOptions optimize = optOptions(options.codegen);
  // Loops whose strides only the run knows come in versions. The unswitching of O3 would multiply those of a nest by
  // each other, in time and size; what it unrolls more than O2 has been tiled before.
  if (optimize.level == OptLevel::O3 && (!model.dims.empty() || model.isOpenCode))
    optimize.level = OptLevel::O2;
  optimizeModule(module, machine, optimize);
  if (options.codegen.forSize)
    merged = mergeKernels(module);
  // Generated kernels have been optimised, by whoever generated them.
  if (input.provider) {
    if (Error error = input.provider->linkInto(module))
      return error;
    // From here no function is added: attributes now hold for all of them.
    prepareModule(module, machine);
  }
  return verify(module);
}

static Error writeHeaderBeside(const KindRow &row, const ArtifactInput &input, const CompilerOptions &options,
                               OutputFiles &files) {
  if (!row.hasHeader || !options.artifact.header || options.artifact.output == "-")
    return Error::success();
  SmallString<128> header(options.artifact.output);
  sys::path::replace_extension(header, "h");
  return files.write(header,
                     [&](raw_pwrite_stream &stream) { writeHeader(input.interface, options.artifact.prefix, stream); });
}

static Error writeCode(const KindRow &row, ArtifactInput &input, TargetMachine &machine, const CompilerOptions &options,
                       OutputFiles &files, std::optional<CodeFacts> &code, MergedKernels &merged) {
  if (Error error = finishModule(input, machine, options, merged))
    return error;
  // First what the user named, so that it is what an error names.
  WriteJob job{{*input.llvmModule, machine, input.interface, options.artifact.prefix},
               options.artifact.output,
               files,
               code,
               options.isMeasured()};
  if (Error error = row.write(job))
    return error;
  return writeHeaderBeside(row, input, options, files);
}

static Error writeCFile(const KindRow &row, ArtifactInput &input, const CompilerOptions &options, OutputFiles &files) {
  Error error = writeText(options.artifact.output, files, [&](raw_pwrite_stream &stream) {
    writeC(input.interface, *input.program, options.artifact.prefix, stream);
    return Error::success();
  });
  return error ? std::move(error) : writeHeaderBeside(row, input, options, files);
}

namespace {
/// While it lives, what LLVM's code generators report is collected; without it LLVM prints it and ends the process,
/// which leaves temporary files behind.
class BackendErrors {
public:
  explicit BackendErrors(LLVMContext &context) : context(context), before(context.getDiagnosticHandler()) {
    context.setDiagnosticHandler(std::make_unique<Collector>(texts));
  }
  ~BackendErrors() { context.setDiagnosticHandler(std::move(before)); }

  /// `result`, or what was reported meanwhile: then `result` is only its consequence.
  Error join(Error result) {
    if (texts.empty())
      return result;
    consumeError(std::move(result));
    return createStringError(std::make_error_code(std::errc::not_supported),
                             "no code for this target: " + llvm::join(texts, "; "));
  }

private:
  struct Collector : DiagnosticHandler {
    explicit Collector(std::vector<std::string> &texts) : texts(texts) {}
    bool handleDiagnostics(const DiagnosticInfo &info) override {
      if (info.getSeverity() != DS_Error)
        return true;
      std::string text;
      raw_string_ostream stream(text);
      DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
      texts.push_back(StringRef(text).trim().str());
      return true;
    }
    std::vector<std::string> &texts;
  };

  LLVMContext &context;
  std::unique_ptr<DiagnosticHandler> before;
  std::vector<std::string> texts;
};
} // namespace

static Error writeMLIR(mlir::ModuleOp module, StringRef output, OutputFiles &files) {
  return writeText(output, files, [&](raw_pwrite_stream &stream) {
    // Locations name the nodes that code comes from.
    module.print(stream, mlir::OpPrintingFlags().enableDebugInfo());
    return Error::success();
  });
}

mlir::LogicalResult writeArtifact(ArtifactInput &input, const CompilerOptions &options, Diagnostics &diagnostics) {
  const ArtifactOptions &artifact = options.artifact;
  const KindRow *row = find_if(kinds, [&](const KindRow &candidate) { return candidate.kind == artifact.kind; });
  if (artifact.prefix == "onnx_aot") {
    diagnostics.fault("--name=onnx_aot: onnx_aot_model is a name of the runtime; choose another prefix");
    return mlir::failure();
  }
  OutputFiles files(input.inputFiles);
  std::optional<CodeFacts> code;
  MergedKernels merged;
  Error error = Error::success();
  if (row->kind == OutputKind::MLIR) {
    error = joinErrors(std::move(error), writeMLIR(input.module, artifact.output, files));
  } else if (row->kind == OutputKind::PTX) {
    error = joinErrors(std::move(error), writeText(artifact.output, files, [&](raw_pwrite_stream &stream) {
                         stream << firstDeviceText(input.module);
                         return Error::success();
                       }));
  } else if (row->kind == OutputKind::C) {
    error = joinErrors(std::move(error), writeCFile(*row, input, options, files));
  } else {
    std::string reason;
    auto machine = createTargetMachine(targetSpec(options.codegen), reason, optOptions(options.codegen).level);
    if (!machine) {
      consumeError(std::move(error));
      diagnostics.fault(reason);
      return mlir::failure();
    }
    BackendErrors reported(input.llvmModule->getContext());
    error = joinErrors(std::move(error), reported.join(writeCode(*row, input, *machine, options, files, code, merged)));
  }
  ModelFacts facts = input.facts ? *input.facts : ModelFacts();
  for (LayerFacts &layer : facts.layers)
    if (auto found = merged.find(layer.function); found != merged.end())
      layer.function = found->second;
  if (!error && code && !checkBudget(facts, input.interface, *code, artifact, diagnostics))
    return mlir::failure();
  if (!error && !options.depfile.empty())
    error = files.write(options.depfile,
                        [&](raw_pwrite_stream &stream) { writeDepfile(artifact.output, input.inputFiles, stream); });
  ArrayRef<KernelRefusal> refusals = input.provider ? input.provider->refusals() : ArrayRef<KernelRefusal>();
  BuiltModel built = {facts,   input.interface, code ? &*code : nullptr, refusals,
                      options, input.modelPath, input.fallbackFacts};
  for (StringRef report : options.reports)
    if (!error)
      error = files.write(report, [&](raw_pwrite_stream &stream) { writeReport(built, report, stream); });
  if (!error)
    error = files.publish();
  if (!error)
    return mlir::success();
  // An error with a code is what the system refuses or the target lacks; all others are ours.
  handleAllErrors(std::move(error), [&](const ErrorInfoBase &info) {
    if (info.convertToErrorCode() != inconvertibleErrorCode())
      diagnostics.fault(info.message());
    else
      diagnostics.internal(info.message());
  });
  return mlir::failure();
}

} // namespace onnx_aot
