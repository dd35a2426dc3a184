//===- TargetLimits.cpp - whether a target can run the model at all -----------------------------------------------===//
//
// Two things are known when every buffer has its place, and are the user's to change:
//
//   - a buffer whose size only the run knows is asked of the context, which takes it from the program's allocator. On
//     bare metal nobody has one unless --allocator=context says so;
//   - on 32-bit targets buffers are indexed by 32-bit numbers with a sign.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/TargetLimits.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/artifact/ModelInterface.h"
#include "dialects/aot/AotDialect.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace onnx_aot;

/// The node whose code first touches a buffer of the context; what asks for it often belongs to none.
static NodeRef nodeOf(aot::SlotOp slot) {
  llvm::SetVector<Operation *> open;
  open.insert(slot);
  for (size_t at = 0; at < open.size(); ++at) {
    NodeRef node = nodeOfLocation(open[at]->getLoc());
    if (!node.opType.empty())
      return node;
    open.insert(open[at]->user_begin(), open[at]->user_end());
  }
  return {};
}

static void checkAllocator(ModuleOp module, const ModelInterface &model, StringRef triple, Diagnostics &diagnostics) {
  std::string reason = (" is known in a run only, and " + triple +
                        " has no allocator: fix or bound the dims that it depends on (--dim NAME=N, --dim NAME=LO..HI, "
                        "--shape, --value), "
                        "or pass --allocator=context to let runs take memory from functions that the program gives to "
                        "onnx_aot_context_init")
                           .str();
  for (const TensorInterface &tensor : model.outputs)
    if (tensor.isInContext)
      diagnostics.fault("the size of the output \"" + tensor.name + "\"" + reason);
  module.walk([&](aot::SlotOp slot) {
    NodeRef node = nodeOf(slot);
    if (!node.opType.empty())
      diagnostics.user(node, "the size of a buffer" + reason);
    else if (!diagnostics.hasErrors())
      diagnostics.fault("the size of a buffer" + reason);
  });
}

static void checkSizes(const ModelInterface &model, StringRef triple, Diagnostics &diagnostics) {
  constexpr uint64_t most = INT32_MAX;
  auto check = [&](const Twine &what, uint64_t bytes) {
    if (bytes > most && bytes != TensorInterface::unbounded)
      diagnostics.fault(what + " need " + Twine(bytes) + " bytes, but the 32-bit target " + triple +
                        " indexes at most " + Twine(most) +
                        " bytes of a buffer: choose smaller dims (--dim, --shape) or a 64-bit target");
  };
  for (const TensorInterface &tensor : model.inputs)
    check("the elements of the input \"" + tensor.name + "\"", tensor.bytes);
  for (const TensorInterface &tensor : model.outputs)
    check("the elements of the output \"" + tensor.name + "\"", tensor.bytes);
  check("the weights", model.weightBytes);
  check("the activations in the arena", model.arenaBytes);
}

bool onnx_aot::checkTargetLimits(ModuleOp module, const ModelInterface &model, const CompilerOptions &options,
                                 Diagnostics &diagnostics) {
  size_t before = diagnostics.errors().size();
  if (!options.buffer.hasAllocator)
    checkAllocator(module, model, options.codegen.triple, diagnostics);
  if (llvm::Triple(options.codegen.triple).isArch32Bit())
    checkSizes(model, options.codegen.triple, diagnostics);
  return diagnostics.errors().size() == before;
}
