//===- Compiler.cpp - the whole way from a model to its files -----------------------------------------------------===//
//
//   read the model -> import -> graph -> tensor -> schedule -> buffer -> codegen -> LLVM IR -> files
//
// Each stage runs as a pass manager of its own, so that --stop-after can end behind any of them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/Compiler.h"
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/TargetMachine.h"
#include "compiler/Diagnostics.h"
#include "compiler/Pipeline.h"
#include "compiler/artifact/Artifact.h"
#include "compiler/import/GraphImporter.h"
#include "compiler/import/ModelReader.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace onnx_aot;

static constexpr Stage kStages[] = {Stage::Import,   Stage::Graph,  Stage::Tensor,
                                    Stage::Schedule, Stage::Buffer, Stage::Codegen};

/// Prints the stage that runs, on a terminal only.
static void showProgress(Stage stage, const CompilerOptions &options) {
  if (!options.quiet && llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << "\r\033[K" << stageName(stage) << " stage" << (stage == Stage::Codegen ? "\r\033[K" : "");
}

static LogicalResult runStage(ModuleOp module, Stage stage, const CompilerOptions &options,
                              const CpuTargetModel &target) {
  showProgress(stage, options);
  PassManager passes(module.getContext());
  buildStage(passes, stage, options, target);
  return passes.run(module);
}

int onnx_aot::compileModel(llvm::StringRef path, const CompilerOptions &options, Diagnostics &diagnostics) {
  diagnostics.setQuiet(options.quiet);
  std::string error;
  auto machine = createTargetMachine(targetSpec(options.codegen), error);
  if (!machine) {
    diagnostics.fault(error);
    return diagnostics.exitStatus();
  }
  CpuTargetModel target(*machine);

  std::unique_ptr<LoadedModel> model = readModel(path, diagnostics);
  if (!model)
    return diagnostics.exitStatus();
  DialectRegistry registry;
  registerAllOnnxAotDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  DiagnosticCapture capture(context, diagnostics);
  OwningOpRef<ModuleOp> module = importModel(*model, options.import, context, diagnostics);
  if (!module || diagnostics.hasErrors())
    return diagnostics.exitStatus();

  ArtifactInput input;
  bool stopped = false;
  for (Stage stage : kStages) {
    if (stopped)
      break;
    if (failed(runStage(*module, stage, options, target))) {
      if (!diagnostics.hasErrors())
        diagnostics.internal("the " + stageName(stage) + " stage failed without saying why");
      return diagnostics.exitStatus();
    }
    if (stage == Stage::Buffer) {
      FailureOr<ModelInterface> interface = ModelInterface::fromModule(*module);
      if (failed(interface))
        return diagnostics.exitStatus();
      input.interface = *interface;
    }
    stopped = options.stopAfter == stage;
  }

  llvm::LLVMContext llvmContext;
  input.module = *module;
  input.inputFiles = model->filesRead();
  if (options.artifact.kind != OutputKind::MLIR) {
    // What the arguments stand for is in the interface by now; LLVM has no word for it.
    module->walk([](LLVM::LLVMFuncOp function) { function.removeArgAttrsAttr(); });
    input.llvmModule = translateModuleToLLVMIR(*module, llvmContext, options.artifact.prefix);
    if (!input.llvmModule) {
      diagnostics.internal("translation to LLVM IR failed");
      return diagnostics.exitStatus();
    }
  }
  (void)writeArtifact(input, options, diagnostics);
  // The LLVM module goes before its context.
  input.llvmModule.reset();
  return diagnostics.exitStatus();
}
