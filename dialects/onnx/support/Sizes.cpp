//===- Sizes.cpp - extents as values of the program ---------------------------------------------------------------===//
#include "dialects/onnx/support/Sizes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace onnx_aot::onnx;

using Kind = DimSymbol::Kind;

//===-- Arithmetic ------------------------------------------------------------------------------------------------===//

std::optional<int64_t> onnx_aot::onnx::constantSize(OpFoldResult size) { return getConstantIntValue(size); }

Value onnx_aot::onnx::asIndex(OpBuilder &builder, Location loc, OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(builder, loc, size);
}

/// `Op` on two sizes, folded as far as its folder goes.
template <typename Op> static OpFoldResult combine(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  Value result = builder.createOrFold<Op>(loc, asIndex(builder, loc, a), asIndex(builder, loc, b));
  return getAsOpFoldResult(result);
}

OpFoldResult onnx_aot::onnx::addSizes(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  if (constantSize(a) == 0 || constantSize(b) == 0)
    return constantSize(a) == 0 ? b : a;
  return combine<arith::AddIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::subtractSizes(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  return constantSize(b) == 0 ? a : combine<arith::SubIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::multiplySizes(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  if (constantSize(a) == 1 || constantSize(b) == 1)
    return constantSize(a) == 1 ? b : a;
  return combine<arith::MulIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::divideSizes(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  return constantSize(b) == 1 ? a : combine<arith::FloorDivSIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::minSize(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  return combine<arith::MinSIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::maxSize(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b) {
  return combine<arith::MaxSIOp>(builder, loc, a, b);
}

OpFoldResult onnx_aot::onnx::productOf(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes) {
  OpFoldResult result = builder.getIndexAttr(1);
  for (OpFoldResult size : sizes)
    result = multiplySizes(builder, loc, result, size);
  return result;
}

//===-- Tensors ---------------------------------------------------------------------------------------------------===//

OpFoldResult onnx_aot::onnx::sizeOf(OpBuilder &builder, Location loc, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return builder.getIndexAttr(type.getDimSize(dim));
  return getAsOpFoldResult(builder.createOrFold<tensor::DimOp>(loc, tensor, dim));
}

SmallVector<OpFoldResult> onnx_aot::onnx::sizesOf(OpBuilder &builder, Location loc, Value tensor) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < cast<RankedTensorType>(tensor.getType()).getRank(); ++dim)
    sizes.push_back(sizeOf(builder, loc, tensor, dim));
  return sizes;
}

SmallVector<int64_t> onnx_aot::onnx::staticShape(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes,
                             [](OpFoldResult size) { return constantSize(size).value_or(ShapedType::kDynamic); });
}

//===-- Expressions -----------------------------------------------------------------------------------------------===//

/// The entry's argument for a named dim; where it has none yet, the dim of an input that has the name.
static Value buildNamed(OpBuilder &builder, Location loc, StringRef name) {
  auto function = builder.getInsertionBlock()->getParentOp()->getParentOfType<FunctionOpInterface>();
  if (auto self = dyn_cast<FunctionOpInterface>(builder.getInsertionBlock()->getParentOp()))
    function = self;
  auto arguments = function.getFunctionBody().front().getArguments();
  for (BlockArgument argument : arguments)
    if (auto dim = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "aot.dim"))
      if (dim.getValue() == name)
        return argument;
  for (BlockArgument argument : arguments)
    if (auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "onnx.dim_names"))
      for (auto [index, entry] : llvm::enumerate(names))
        if (cast<StringAttr>(entry).getValue() == name)
          return builder.createOrFold<tensor::DimOp>(loc, argument, index);
  llvm_unreachable("a named dim is an input's");
}

/// What has been built of one size: symbols share their operands.
using BuiltSizes = llvm::DenseMap<const DimExpr *, OpFoldResult>;

static OpFoldResult buildSize(OpBuilder &builder, Location loc, Dim dim, ValueMapping lowered, BuiltSizes &built);

static OpFoldResult buildSymbol(OpBuilder &builder, Location loc, const DimSymbol &symbol, ValueMapping lowered,
                                BuiltSizes &built) {
  auto operand = [&](Dim dim) { return ::buildSize(builder, loc, dim, lowered, built); };
  switch (symbol.kind) {
  case Kind::Named:
    return buildNamed(builder, loc, symbol.name);
  case Kind::Extent:
    return sizeOf(builder, loc, lowered(symbol.value), symbol.index);
  case Kind::Element: {
    Value list = lowered(symbol.value);
    SmallVector<Value> at;
    if (cast<RankedTensorType>(list.getType()).getRank() == 1)
      at.push_back(arith::ConstantIndexOp::create(builder, loc, symbol.index));
    Value element = builder.createOrFold<tensor::ExtractOp>(loc, list, at);
    auto type = cast<IntegerType>(getElementTypeOrSelf(symbol.value.getType()));
    if (type.isUnsigned() || type.getWidth() == 1)
      return getAsOpFoldResult(builder.createOrFold<arith::IndexCastUIOp>(loc, builder.getIndexType(), element));
    return getAsOpFoldResult(builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(), element));
  }
  case Kind::FloorDiv:
    return divideSizes(builder, loc, operand(symbol.lhs), operand(symbol.rhs));
  case Kind::Min:
    return minSize(builder, loc, operand(symbol.lhs), operand(symbol.rhs));
  case Kind::Max:
    return maxSize(builder, loc, operand(symbol.lhs), operand(symbol.rhs));
  case Kind::Broadcast: {
    Value a = asIndex(builder, loc, operand(symbol.lhs)), b = asIndex(builder, loc, operand(symbol.rhs));
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value isOne = builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, a, one);
    return getAsOpFoldResult(builder.createOrFold<arith::SelectOp>(loc, isOne, b, a));
  }
  case Kind::Wrap: {
    Value index = asIndex(builder, loc, operand(symbol.lhs));
    Value raised = asIndex(builder, loc, addSizes(builder, loc, index, operand(symbol.rhs)));
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value isNegative = builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, index, zero);
    return getAsOpFoldResult(builder.createOrFold<arith::SelectOp>(loc, isNegative, raised, index));
  }
  }
  llvm_unreachable("every kind of symbol is built above");
}

static OpFoldResult buildSize(OpBuilder &builder, Location loc, Dim dim, ValueMapping lowered, BuiltSizes &built) {
  if (dim.isKnown())
    return builder.getIndexAttr(dim.get());
  assert(dim.isSymbolic() && "an unknown dim has no value");
  if (OpFoldResult present = built.lookup(dim.getExpr()))
    return present;
  OpFoldResult total = builder.getIndexAttr(0);
  for (const DimExpr::Term &term : dim.getExpr()->terms) {
    OpFoldResult value = builder.getIndexAttr(term.coefficient);
    for (unsigned symbol : term.symbols)
      value = multiplySizes(builder, loc, value,
                            buildSymbol(builder, loc, (*dim.getExpr()->table)[symbol], lowered, built));
    total = addSizes(builder, loc, total, value);
  }
  built[dim.getExpr()] = total;
  return total;
}

OpFoldResult onnx_aot::onnx::buildSize(OpBuilder &builder, Location loc, Dim dim, ValueMapping lowered) {
  BuiltSizes built;
  return ::buildSize(builder, loc, dim, lowered, built);
}
