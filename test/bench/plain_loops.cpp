//===- plain_loops.cpp - A model as plain loops, for another compiler -----===//
//
// What it is for: the baseline "linalg lowered to plain loops and compiled by clang -O3". How it works: the model goes
// through the stages import, graph and tensor of the compiler; then, instead of the schedule stage, every operation
// becomes its scalar loop nest in the order of its dims: nothing is fused, tiled, packed or vectorised. What comes out
// is LLVM IR before any optimisation:
//
//   plain_loops MODEL.onnx DIR [flags of onnx-aot]     writes DIR/plain.ll, DIR/weights.bin and DIR/weights.s
//   clang-22 -O3 -march=native -fPIC -shared DIR/plain.ll DIR/weights.s -o DIR/plain.so
//
// The shared library has the same C interface as ours (prefix `model`).
//
//===----------------------------------------------------------------------===//
#include "codegen/RuntimeLink.h"
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/TargetMachine.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/Pipeline.h"
#include "compiler/artifact/Artifact.h"
#include "compiler/artifact/EntryPoints.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/WeightsWriter.h"
#include "compiler/import/GraphImporter.h"
#include "compiler/import/ModelReader.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "passes/schedule/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
/// The CPU, said to have registers of no more than a byte: every strategy becomes scalar code.
class ScalarTarget : public CpuTargetModel {
public:
  using CpuTargetModel::CpuTargetModel;
  int64_t vectorBits(bool) const override { return 8; }
  int64_t scalarRegisters(bool) const override { return 0; }
};
} // namespace

/// Runs the stages; the interface is taken after the buffer stage.
static FailureOr<ModelInterface> lowerToLoops(ModuleOp module, const CompilerOptions &options,
                                              const CpuTargetModel &target) {
  auto run = [&](llvm::function_ref<void(OpPassManager &)> build) {
    PassManager passes(module.getContext());
    build(passes);
    return passes.run(module);
  };
  auto stage = [&](Stage which) {
    return run([&](OpPassManager &passes) { buildStage(passes, which, options, {target}); });
  };
  auto scalarSchedule = [&](OpPassManager &passes) {
    OpPassManager &functions = passes.nest<func::FuncOp>();
    functions.addPass(createLinalgGeneralizeNamedOpsPass());
    functions.addPass(createChooseStrategyPass(target));
  };
  if (failed(stage(Stage::Graph)) || failed(stage(Stage::Tensor)) || failed(run(scalarSchedule)))
    return failure();
  WalkResult scalar = module->walk([](aot::KernelOp kernel) {
    aot::StrategyAttr strategy = kernel.getStrategyAttr();
    if (strategy && strategy.getVector() < 0 && strategy.getRows() == 1)
      return WalkResult::advance();
    kernel.emitError("the baseline needs a scalar strategy");
    return WalkResult::interrupt();
  });
  if (scalar.wasInterrupted() || failed(stage(Stage::Buffer)))
    return failure();
  FailureOr<ModelInterface> interface = ModelInterface::fromModule(module);
  if (failed(interface) || failed(stage(Stage::Codegen)))
    return failure();
  return interface;
}

static llvm::Error writeFile(const llvm::Twine &path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path.str(), error);
  if (error)
    return llvm::createFileError(path, error);
  write(stream);
  stream.close();
  return llvm::Error::success();
}

/// The code with its entry points, the weights left to another object.
static llvm::Error writeFiles(llvm::Module &module, llvm::TargetMachine &machine, ModelInterface &interface,
                              llvm::StringRef directory) {
  prepareModule(module, machine);
  if (llvm::Error error = emitEntryPoints(module, interface, "model"))
    return error;
  if (llvm::Error error = linkRuntime(module))
    return error;
  prepareModule(module, machine);

  llvm::GlobalVariable *weights = module.getNamedGlobal("model_weights");
  if (weights) {
    weights->setInitializer(nullptr);
    weights->setLinkage(llvm::GlobalValue::ExternalLinkage);
    weights->setVisibility(llvm::GlobalValue::HiddenVisibility);
    weights->setSection("");
    weights->setComdat(nullptr);
  }
  std::vector<char> bytes(interface.weightBytes);
  writeWeights(interface, bytes, /*bigEndian=*/false);
  llvm::Error binary = writeFile(directory + "/weights.bin", [&](llvm::raw_ostream &stream) {
    stream << llvm::StringRef(bytes.data(), bytes.size());
  });
  llvm::Error assembly = writeFile(directory + "/weights.s", [&](llvm::raw_ostream &stream) {
    stream << "\t.section .rodata,\"a\",@progbits\n\t.balign " << interface.weightAlign
           << "\n\t.globl model_weights\n\t.hidden model_weights\nmodel_weights:\n\t.incbin \"" << directory
           << "/weights.bin\"\n\t.byte 0\n\t.section .note.GNU-stack,\"\",@progbits\n";
  });
  llvm::Error code =
      writeFile(directory + "/plain.ll", [&](llvm::raw_ostream &stream) { module.print(stream, nullptr); });
  return llvm::joinErrors(llvm::joinErrors(std::move(binary), std::move(assembly)), std::move(code));
}

static int writePlainLoops(llvm::ArrayRef<const char *> arguments, llvm::StringRef directory,
                           Diagnostics &diagnostics) {
  CompileCommand command;
  if (parseCompileCommand(arguments, command, diagnostics) != onnx_aot::ParseResult::Proceed)
    return diagnostics.exitStatus();
  std::string error;
  auto machine = createTargetMachine(targetSpec(command.options.codegen), error);
  if (!machine) {
    diagnostics.fault(error);
    return 1;
  }
  ScalarTarget target(*machine);
  auto model = readModel(command.model, diagnostics);
  if (!model)
    return diagnostics.exitStatus();

  DialectRegistry registry;
  registerAllOnnxAotDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  DiagnosticCapture capture(context, diagnostics);
  OwningOpRef<ModuleOp> module = importModel(*model, command.options.import, context, diagnostics);
  if (!module || diagnostics.hasErrors())
    return diagnostics.exitStatus();
  FailureOr<ModelInterface> interface = lowerToLoops(*module, command.options, target);
  if (failed(interface))
    return 1;

  module->walk([](LLVM::LLVMFuncOp function) { function.removeArgAttrsAttr(); });
  llvm::LLVMContext llvmContext;
  auto llvmModule = translateModuleToLLVMIR(*module, llvmContext, "plain");
  if (!llvmModule) {
    diagnostics.internal("translation to LLVM IR failed");
    return 2;
  }
  if (llvm::Error failure = writeFiles(*llvmModule, *machine, *interface, directory)) {
    diagnostics.fault(llvm::toString(std::move(failure)));
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    llvm::errs() << "usage: plain_loops MODEL.onnx DIR [flags of onnx-aot ...]\n";
    return 1;
  }
  std::string output = std::string(argv[2]) + "/plain.ll";
  std::vector<const char *> arguments = {"onnx-aot", argv[1], "-o", output.c_str(), "--name=model"};
  arguments.insert(arguments.end(), argv + 3, argv + argc);

  Diagnostics diagnostics;
  int status = writePlainLoops(arguments, argv[2], diagnostics);
  diagnostics.flush();
  return std::max(status, diagnostics.exitStatus());
}
