//===- OnnxDialect.cpp - registration of the onnx dialect ---------------------------------------------------------===//
//
// The operator families register themselves: Families.inc is made from the folders that exist.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/generator/Generator.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace onnx_aot::onnx;

#include "dialects/onnx/OnnxDialect.cpp.inc"
#include "dialects/onnx/OnnxInterfaces.cpp.inc"

void OnnxDialect::initialize() {
  addTypes<SequenceType, OptionalType>();
#define ONNX_FAMILY(Name) add##Name##Ops();
#include "dialects/onnx/Families.inc"
#undef ONNX_FAMILY
}

Type OnnxDialect::parseType(DialectAsmParser &parser) const { return parseSequenceType(parser); }
void OnnxDialect::printType(Type type, DialectAsmPrinter &printer) const { printSequenceType(type, printer); }

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || !isa<TensorType>(type))
    return nullptr;
  return ConstantOp::create(builder, loc, elements.getShapedType(), elements);
}
