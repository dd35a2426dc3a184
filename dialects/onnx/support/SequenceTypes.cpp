//===- SequenceTypes.cpp - the types of values that are not tensors -----------------------------------------------===//
#include "dialects/onnx/support/SequenceTypes.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace onnx_aot::onnx;

MLIR_DEFINE_EXPLICIT_TYPE_ID(onnx_aot::onnx::SequenceType)
MLIR_DEFINE_EXPLICIT_TYPE_ID(onnx_aot::onnx::OptionalType)

Type onnx_aot::onnx::tensorElementType(Type type) {
  if (auto optional = dyn_cast<OptionalType>(type))
    return tensorElementType(optional.getWrapped());
  if (auto sequence = dyn_cast<SequenceType>(type))
    return sequence.getElementType();
  return getElementTypeOrSelf(type);
}

Type onnx_aot::onnx::parseSequenceType(AsmParser &parser) {
  StringRef keyword;
  Type inner;
  llvm::SMLoc start = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword) || parser.parseLess() || parser.parseType(inner) || parser.parseGreater())
    return Type();
  if (keyword == "opt" && !isa<OptionalType>(inner))
    return OptionalType::get(inner);
  if (keyword == "seq" && !isCompound(inner))
    return SequenceType::get(inner);
  parser.emitError(start, "expected seq<ELEMENT>, opt<ELEMENT> or opt<!onnx.seq<ELEMENT>>");
  return Type();
}

void onnx_aot::onnx::printSequenceType(Type type, AsmPrinter &printer) {
  if (auto sequence = dyn_cast<SequenceType>(type))
    printer << "seq<" << sequence.getElementType() << ">";
  else
    printer << "opt<" << cast<OptionalType>(type).getWrapped() << ">";
}
