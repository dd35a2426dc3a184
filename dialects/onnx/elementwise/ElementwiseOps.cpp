//===- ElementwiseOps.cpp - shapes, checks and folds of the elementwise operators ---------------------------------===//
//
// inferResults() of the operators that broadcast all their operands stands in Elementwise.td; their fold is the table's
// (support/Elementwise.h). Here are those that differ.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/elementwise/ElementwiseBodies.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Whether `op` divides integers by a constant that holds a 0: the run fails with a status, so there is no value.
static bool dividesByZero(Operation *op, ArrayRef<Attribute> operands) {
  auto divisor = isa<DivOp, ModOp>(op) ? dyn_cast<ElementsAttr>(operands[1]) : ElementsAttr();
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!divisor || !isa<IntegerType>(divisor.getElementType()))
    return false;
  if (!getRawBytes(divisor, storage, bytes))
    return true;
  int64_t size = bytesPerElement(divisor.getElementType());
  for (; !bytes.empty(); bytes = bytes.drop_front(size))
    if (llvm::all_of(bytes.take_front(size), [](char byte) { return byte == 0; }))
      return true;
  return false;
}

namespace onnx_aot::onnx {
/// The fold of the operators in the table.
OpFoldResult foldByTable(Operation *op, ArrayRef<Attribute> operands) {
  if (!llvm::all_of(operands, [](Attribute operand) { return operand != nullptr; }) || dividesByZero(op, operands))
    return {};
  static const llvm::StringMap<ScalarFn> bodies = [] {
    llvm::StringMap<ScalarFn> map;
    for (const ScalarRow &row : getElementwiseBodies())
      map[row.op] = row.body;
    return map;
  }();
  auto body = bodies.find(op->getName().stripDialect());
  return body == bodies.end() ? OpFoldResult() : OpFoldResult(foldElementwise(op, operands, body->second));
}
} // namespace onnx_aot::onnx

//===-- Checks of attributes --------------------------------------------------------------------------------------===//

LogicalResult ModOp::verify() {
  if (!getFmod() && isa<FloatType>(getElementTypeOrSelf(getA().getType()))) // (C3)
    return emitOpError("floating-point inputs need fmod = 1");
  return success();
}

LogicalResult BitShiftOp::verify() {
  if (getDirection() != "LEFT" && getDirection() != "RIGHT") // (C3)
    return emitOpError("direction must be LEFT or RIGHT, not '") << getDirection() << "'";
  return success();
}

//===-- Where -----------------------------------------------------------------------------------------------------===//

LogicalResult WhereOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getX());
  if (element != ctx.elementType(getY())) // (C2)
    return emitOpError("inputs have different element types: ") << element << " and " << ctx.elementType(getY());
  FailureOr<std::optional<Shape>> shape = // (C1)
      broadcastShapes(*this, {ctx.shape(getCondition()), ctx.shape(getX()), ctx.shape(getY())});
  if (failed(shape))
    return failure();
  results.emplace_back(element, *shape);
  return success();
}

OpFoldResult WhereOp::fold(FoldAdaptor adaptor) { return foldByTable(*this, adaptor.getOperands()); }

//===-- Types -----------------------------------------------------------------------------------------------------===//

LogicalResult IdentityOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(ctx.elementType(getInput()), ctx.shape(getInput()));
  return success();
}

OpFoldResult IdentityOp::fold(FoldAdaptor adaptor) {
  if (adaptor.getInput())
    return adaptor.getInput();
  return getInput().getType() == getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

/// Casts between float types have no limit of size: a model's narrow weights are widened when it is compiled.
static OpFoldResult foldCast(Operation *op, Attribute constant, Type to) {
  Value input = op->getOperand(0);
  auto elements = dyn_cast_or_null<ElementsAttr>(constant);
  if (getElementTypeOrSelf(input.getType()) == to) {
    if (elements)
      return elements;
    return input.getType() == op->getResult(0).getType() ? OpFoldResult(input) : OpFoldResult();
  }
  if (!elements)
    return {};
  auto isPlainFloat = [](Type type) { return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type); };
  bool anySize = isPlainFloat(to) && isa<FloatType>(elements.getElementType());
  if (!anySize || elements.getShapedType().getNumElements() <= 256)
    return foldElementwise(op, constant, castBody);

  SmallVector<char> storage, result;
  ArrayRef<char> bytes;
  if (!getRawBytes(elements, storage, bytes))
    return {};
  const llvm::fltSemantics &source = cast<FloatType>(elements.getElementType()).getFloatSemantics();
  int64_t size = bytesPerElement(elements.getElementType()), resultSize = bytesPerElement(to);
  result.reserve(bytes.size() / size * resultSize);
  for (size_t at = 0; at < bytes.size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, size);
    APFloat number(source, APInt(APFloat::getSizeInBits(source), bits));
    bool lost;
    number.convert(cast<FloatType>(to).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    bits = number.bitcastToAPInt().getZExtValue();
    result.append(reinterpret_cast<char *>(&bits), reinterpret_cast<char *>(&bits) + resultSize);
  }
  return makeConstant(RankedTensorType::get(elements.getShapedType().getShape(), to), result, "cast");
}

template <typename OpTy> static LogicalResult checkRoundMode(OpTy op) {
  if (llvm::is_contained({"up", "down", "nearest"}, op.getRoundMode()))
    return success();
  return op.emitOpError("round_mode must be up, down or nearest, not '") << op.getRoundMode() << "'";
}

LogicalResult CastOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type to = elementTypeOfDataType(getContext(), getTo());
  if (!to) // (C1)
    return emitOpError("unsupported: casts to the data type ") << getTo() << "; supported are numbers and bool";
  if (failed(checkRoundMode(*this)))
    return failure();
  results.emplace_back(to, ctx.shape(getInput()));
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  return foldCast(*this, adaptor.getInput(), getElementTypeOrSelf(getType()));
}

LogicalResult CastLikeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (failed(checkRoundMode(*this)))
    return failure();
  results.emplace_back(ctx.elementType(getTargetType()), ctx.shape(getInput()));
  return success();
}

OpFoldResult CastLikeOp::fold(FoldAdaptor adaptor) {
  return foldCast(*this, adaptor.getInput(), getElementTypeOrSelf(getType()));
}

LogicalResult BitCastOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type from = ctx.elementType(getInput()), to = elementTypeOfDataType(getContext(), getTo());
  if (getTo() == 14 || getTo() == 15)
    to = ComplexType::get(getTo() == 14 ? Type(Float32Type::get(getContext())) : Float64Type::get(getContext()));
  if (!to || !isNumberType(from))
    return emitOpError("unsupported: casts to the data type ") << getTo() << "; supported are numbers and bool";
  auto widthOf = [](Type type) -> unsigned { // bool takes a byte
    if (auto complex = dyn_cast<ComplexType>(type))
      return 2 * complex.getElementType().getIntOrFloatBitWidth();
    return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
  };
  if (widthOf(from) != widthOf(to)) // (C1)
    return emitOpError("element types differ in width: ") << from << " and " << to;
  results.emplace_back(to, ctx.shape(getInput()));
  return success();
}

OpFoldResult BitCastOp::fold(FoldAdaptor adaptor) {
  auto elements = dyn_cast_or_null<ElementsAttr>(adaptor.getInput());
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!elements || !getRawBytes(elements, storage, bytes))
    return {};
  Type to = getElementTypeOrSelf(getType());
  return makeConstant(RankedTensorType::get(elements.getShapedType().getShape(), to), bytes, "bitcast");
}
