//===- Elementwise.cpp - folding and lowering of elementwise operators --------------------------------------------===//
//
// Folding runs the operator's scalar body: its operations are emitted once into a block of their own, then, for each
// element of the result, folded one after the other with the elements as operands.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Elementwise.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/NarrowFloats.h"
#include "mlir/Dialect/Traits.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Folding ---------------------------------------------------------------------------------------------------===//

/// The element at `index` in compute form, a narrow float in stored form.
static TypedAttr loadElement(ArrayRef<char> bytes, int64_t index, Type type) {
  int64_t size = bytesPerElement(type);
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + index * size, size);
  if (isNarrowFloat(type))
    return IntegerAttr::get(storageType(type), APInt(8, bits));
  Type compute = computeType(type);
  if (auto real = dyn_cast<FloatType>(type)) {
    APFloat number(real.getFloatSemantics(), APInt(64, bits).trunc(real.getWidth()));
    bool lost;
    number.convert(cast<FloatType>(compute).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return FloatAttr::get(compute, number);
  }
  APInt number = APInt(64, bits).trunc(type.getIntOrFloatBitWidth());
  unsigned width = compute.getIntOrFloatBitWidth();
  return IntegerAttr::get(compute, isUnsigned(type) ? number.zext(width) : number.sext(width));
}

/// Appends an element in compute form (a narrow float: in stored form); false when it is not a number.
static bool storeElement(Attribute value, Type type, SmallVectorImpl<char> &bytes) {
  APInt bits;
  if (auto real = dyn_cast_or_null<FloatAttr>(value)) {
    APFloat number = real.getValue();
    bool lost;
    number.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    bits = number.bitcastToAPInt();
  } else if (auto integer = dyn_cast_or_null<IntegerAttr>(value)) {
    bits = integer.getValue();
  } else {
    return false;
  }
  // The upper bits of 2- and 4-bit elements are zero in constants.
  uint64_t word = bits.trunc(std::min(bits.getBitWidth(), type.getIntOrFloatBitWidth())).zextOrTrunc(64).getZExtValue();
  const char *begin = reinterpret_cast<const char *>(&word);
  bytes.append(begin, begin + bytesPerElement(type));
  return true;
}

/// Folds the operations of `block` in order with `arguments` as the block's arguments; the value of `result`, or null.
static Attribute evaluate(Block &block, ArrayRef<TypedAttr> arguments, Value result) {
  llvm::SmallDenseMap<Value, Attribute, 16> values;
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    values[argument] = value;
  for (Operation &op : block) {
    SmallVector<Attribute> operands;
    for (Value operand : op.getOperands())
      operands.push_back(values.lookup(operand));
    SmallVector<OpFoldResult> folded;
    if (op.getNumRegions() != 0 || failed(op.fold(operands, folded)) || folded.size() != op.getNumResults())
      return {};
    for (auto [value, fold] : llvm::zip(op.getResults(), folded)) {
      Attribute attribute = dyn_cast<Attribute>(fold);
      if (!attribute)
        attribute = values.lookup(cast<Value>(fold));
      // Poison stops here: it would be a wrong answer.
      if (!isa_and_nonnull<IntegerAttr, FloatAttr>(attribute))
        return {};
      values[value] = attribute;
    }
  }
  return values.lookup(result);
}

ElementsAttr onnx_aot::onnx::foldElementwise(Operation *op, ArrayRef<Attribute> operands, ScalarFn body,
                                             int64_t maxBytes) {
  Type resultElement = getElementTypeOrSelf(op->getResult(0).getType());
  if (operands.empty() || !isRealType(resultElement))
    return {};

  // The operands' bytes and the result's shape.
  SmallVector<SmallVector<char>> storage(operands.size());
  SmallVector<ArrayRef<char>> bytes(operands.size());
  SmallVector<Type> types;
  SmallVector<SmallVector<int64_t>> shapes;
  SmallVector<int64_t> shape;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    auto elements = dyn_cast_or_null<ElementsAttr>(operand);
    if (!elements || !isRealType(elements.getElementType()))
      return {};
    types.push_back(elements.getElementType());
    shapes.emplace_back(elements.getShapedType().getShape());
    SmallVector<int64_t> merged;
    if (!OpTrait::util::getBroadcastedShape(shape, shapes.back(), merged))
      return {};
    shape = merged;
  }
  auto resultType = RankedTensorType::get(shape, resultElement);
  int64_t count = resultType.getNumElements();
  if (count * bytesPerElement(resultElement) > maxBytes)
    return {};
  for (auto [index, operand] : llvm::enumerate(operands))
    if (!getRawBytes(cast<ElementsAttr>(operand), storage[index], bytes[index]))
      return {};

  // The body, once.
  Block block;
  for (Type type : types)
    block.addArgument(isNarrowFloat(type) ? storageType(type) : computeType(type), op->getLoc());
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  ImplicitLocOpBuilder b(op->getLoc(), builder);
  SmallVector<Value> scalars;
  for (auto [argument, type] : llvm::zip(block.getArguments(), types))
    scalars.push_back(isNarrowFloat(type) ? toCompute(b, b.getLoc(), argument, type) : Value(argument));
  ScalarBody scalarBody{b, scalars, types, resultElement};
  Value result = body(op, scalarBody);
  if (result && isNarrowFloat(resultElement))
    result = toStorage(b, b.getLoc(), result, resultElement);
  if (!result)
    return {};

  SmallVector<char> resultBytes;
  SmallVector<int64_t> at(shape.size(), 0);
  for (int64_t index = 0; index < count; ++index) {
    SmallVector<TypedAttr> elements;
    for (auto [operand, operandShape] : llvm::enumerate(shapes)) {
      int64_t linear = 0;
      size_t offset = shape.size() - operandShape.size();
      for (auto [dim, extent] : llvm::enumerate(operandShape))
        linear = linear * extent + (extent == 1 ? 0 : at[offset + dim]);
      elements.push_back(loadElement(bytes[operand], linear, types[operand]));
    }
    if (!storeElement(evaluate(block, elements, result), resultElement, resultBytes))
      return {};
    for (int64_t dim = shape.size() - 1; dim >= 0 && ++at[dim] == shape[dim]; --dim)
      at[dim] = 0;
  }
  return makeConstant(resultType, resultBytes, "folded");
}

//===-- Lowering --------------------------------------------------------------------------------------------------===//

namespace {
struct LowerScalarRow : ConversionPattern {
  LowerScalarRow(TypeConverter &converter, MLIRContext *context, ScalarRow row)
      : ConversionPattern(converter, ("onnx." + row.op).str(), 1, context), body(row.body) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (failed(requireRealTypes(op)))
      return failure();
    Value result = op->getResult(0);
    auto resultType = cast<RankedTensorType>(result.getType());
    FailureOr<SmallVector<OpFoldResult>> sizes = lowerSizes(getTypeConverter(), rewriter, op, result);
    if (failed(sizes))
      return failure();
    SmallVector<Type> types;
    SmallVector<Value> aligned;
    for (auto [operand, lowered] : llvm::zip(op->getOperands(), operands)) {
      types.push_back(getElementTypeOrSelf(operand.getType()));
      aligned.push_back(alignOperand(getTypeConverter(), rewriter, op, operand, lowered, result, *sizes));
    }
    Value built = buildElementwise(rewriter, op->getLoc(), resultType, aligned, types,
                                   [&](ScalarBody &s) { return body(op, s); });
    // The operands may tell more of the extents than the type of the result.
    rewriter.replaceOp(op, castTensor(rewriter, op->getLoc(), built, getTypeConverter()->convertType(resultType)));
    return success();
  }

  ScalarFn body;
};
} // namespace

void onnx_aot::onnx::populateElementwiseRows(ArrayRef<ScalarRow> rows, TypeConverter &converter,
                                             RewritePatternSet &patterns) {
  for (const ScalarRow &row : rows)
    patterns.add<LowerScalarRow>(converter, patterns.getContext(), row);
}
