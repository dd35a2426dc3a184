//===- DataTypes.cpp - ONNX's numbers of element types ------------------------------------------------------------===//
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/IR/Operation.h"

using namespace mlir;
using namespace onnx_aot::onnx;

Type onnx_aot::onnx::elementTypeOfDataType(MLIRContext *context, int64_t dataType) {
  auto integer = [&](unsigned width, bool isUnsigned = false) -> Type {
    return IntegerType::get(context, width, isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (dataType) {
  case 1: // FLOAT
    return Float32Type::get(context);
  case 2: // UINT8
    return integer(8, true);
  case 3: // INT8
    return integer(8);
  case 4: // UINT16
    return integer(16, true);
  case 5: // INT16
    return integer(16);
  case 6: // INT32
    return integer(32);
  case 7: // INT64
    return integer(64);
  case 9: // BOOL
    return integer(1);
  case 10: // FLOAT16
    return Float16Type::get(context);
  case 11: // DOUBLE
    return Float64Type::get(context);
  case 12: // UINT32
    return integer(32, true);
  case 13: // UINT64
    return integer(64, true);
  case 16: // BFLOAT16
    return BFloat16Type::get(context);
  case 17: // FLOAT8E4M3FN
    return Float8E4M3FNType::get(context);
  case 18: // FLOAT8E4M3FNUZ
    return Float8E4M3FNUZType::get(context);
  case 19: // FLOAT8E5M2
    return Float8E5M2Type::get(context);
  case 20: // FLOAT8E5M2FNUZ
    return Float8E5M2FNUZType::get(context);
  case 21: // UINT4
    return integer(4, true);
  case 22: // INT4
    return integer(4);
  case 23: // FLOAT4E2M1
    return Float4E2M1FNType::get(context);
  case 24: // FLOAT8E8M0
    return Float8E8M0FNUType::get(context);
  case 25: // UINT2
    return integer(2, true);
  case 26: // INT2
    return integer(2);
  default:
    return {};
  }
}

bool onnx_aot::onnx::isArithmeticType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto integer = dyn_cast<IntegerType>(element))
    return integer.getWidth() == 1 || integer.getWidth() >= 8;
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(element);
}

bool onnx_aot::onnx::isRealType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto integer = dyn_cast<IntegerType>(element))
    return llvm::is_contained({1u, 2u, 4u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type, Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type,
             Float8E5M2FNUZType, Float8E8M0FNUType, Float4E2M1FNType>(element);
}

bool onnx_aot::onnx::isNumberType(Type type) {
  auto complex = dyn_cast<ComplexType>(getElementTypeOrSelf(type));
  return isRealType(complex ? complex.getElementType() : type);
}

static LogicalResult requireTypes(Operation *op, bool (*isAllowed)(Type), StringRef allowed) {
  for (TypeRange types : {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (!isAllowed(type))
        return op->emitError("unsupported: element type ")
               << getElementTypeOrSelf(type) << "; supported are " << allowed;
  return success();
}

LogicalResult onnx_aot::onnx::requireArithmeticTypes(Operation *op) {
  return requireTypes(op, isArithmeticType, kArithmeticTypes);
}

LogicalResult onnx_aot::onnx::requireRealTypes(Operation *op) {
  return requireTypes(op, isRealType, "bool and all integer and floating-point types");
}
