//===- Program.cpp - a module as the functions of a C file --------------------------------------------------------===//
//
// See Program.h. Functions come behind those that they call, so that none has to be declared.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/Program.h"
#include "codegen/c/FunctionPrinter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace onnx_aot::c {

/// The functions with bodies, callees first.
static SetVector<func::FuncOp> inOrderOfCalls(ModuleOp module) {
  SetVector<func::FuncOp> order;
  auto visit = [&](auto &&self, func::FuncOp function) -> void {
    if (function.isDeclaration() || order.contains(function))
      return;
    function.walk([&](func::CallOp call) {
      if (auto callee = module.lookupSymbol<func::FuncOp>(call.getCallee()))
        self(self, callee);
    });
    order.insert(function);
  };
  for (auto function : module.getOps<func::FuncOp>())
    visit(visit, function);
  return order;
}

FailureOr<Program> printProgram(ModuleOp module, StringRef prefix, bool movesComplex) {
  FileContext file;
  file.prefix = prefix.str();
  file.movesComplex = movesComplex;
  FailureOr<std::unique_ptr<Ranges>> ranges = Ranges::of(module);
  if (failed(ranges))
    return module.emitError("internal error: the ranges of integers cannot be found");
  file.ranges = std::move(*ranges);
  file.roots = std::make_unique<BufferRoots>(module);

  Program program;
  bool failedAny = false;
  for (func::FuncOp function : inOrderOfCalls(module)) {
    FailureOr<std::string> text = FunctionPrinter(file).print(function);
    failedAny |= failed(text);
    if (succeeded(text))
      program.functions += *text;
  }
  if (failedAny)
    return failure();
  if (auto entry = module.lookupSymbol<func::FuncOp>("main"))
    for (BlockArgument argument : entry.getArguments()) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      std::string read = file.roots->isWritten(argument) ? "" : "const ";
      program.entryParameters.push_back(type ? read + elementType(type.getElementType()) + " *" : "");
    }
  file.needs.largestIndex = std::max(file.needs.largestIndex, file.ranges->largestIndex());
  program.needs = std::move(file.needs);
  program.tables = std::move(file.tables.tables);
  return program;
}

} // namespace onnx_aot::c
