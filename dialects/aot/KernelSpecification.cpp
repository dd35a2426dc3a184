//===- KernelSpecification.cpp - a loop nest as text for a provider -----------------------------------------------===//
//
// See KernelSpecification.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/KernelSpecification.h"
#include "dialects/aot/PostfixBody.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace onnx_aot::aot;

namespace {
bool writeAddress(const Access &access, llvm::raw_ostream &os, std::string &reason) {
  if (!isWordType(access.elementType)) {
    reason = "an operand has neither f32 nor bytes";
    return false;
  }
  os << " 0";
  for (const Amount &stride : access.strides) {
    if (!stride.isStatic()) {
      reason = "a stride is only known when the model runs";
      return false;
    }
    os << " " << stride.factor;
  }
  if (access.panelDim >= 0 && !access.panelStride.isStatic()) {
    reason = "a stride is only known when the model runs";
    return false;
  }
  if (access.panelDim >= 0)
    os << " panel " << access.panelDim << " " << access.panel << " " << access.panelStride.factor;
  os << (access.elementType.isInteger(8) ? " bytes\n" : "\n");
  return true;
}
} // namespace

std::optional<std::string> onnx_aot::aot::specifyWindow(const LoopNest &nest, StrategyAttr strategy,
                                                        std::string &reason) {
  std::string text = "family window\n";
  llvm::raw_string_ostream os(text);
  int innermost = -1;
  for (auto [index, dim] : llvm::enumerate(nest.dims)) {
    if (!dim.extent.isStatic() || dim.extent.factor < 1) {
      reason = "an extent is only known when the model runs";
      return std::nullopt;
    }
    os << "dim " << dim.extent.factor << (dim.reduction ? " r\n" : " p\n");
    innermost = dim.reduction ? innermost : int(index);
  }
  auto identity = dyn_cast_or_null<FloatAttr>(nest.identity);
  if (!nest.compute || !nest.epilogue || !identity || !identity.getType().isF32()) {
    reason = "it is no reduction of f32";
    return std::nullopt;
  }
  SmallVector<std::string> elements; // of the inputs that are passed, and the accumulator
  int passed = 0;
  for (const Access &input : nest.inputs) {
    elements.push_back(isPassed(input) ? "x" + std::to_string(passed++) : "");
    if (!isPassed(input))
      continue;
    os << "input";
    if (!writeAddress(input, os, reason))
      return std::nullopt;
  }
  elements.push_back("acc");
  os << "output";
  if (!writeAddress(nest.output, os, reason))
    return std::nullopt;
  os << "identity " << floatWord(identity.getValue().convertToFloat()) << "\n";
  for (auto [key, region] : {std::pair("compute", nest.compute), std::pair("epilogue", nest.epilogue)}) {
    std::optional<std::string> body = writePostfix(region->front(), elements, reason);
    if (!body)
      return std::nullopt;
    os << key << *body << "\n";
  }
  int vector = nest.dimOf(strategy.getVector());
  os << "tile " << (vector >= 0 ? vector : innermost) << " " << strategy.getVectors() << " "
     << nest.dimOf(strategy.getRow()) << " " << strategy.getRows() << "\n";
  return text;
}
