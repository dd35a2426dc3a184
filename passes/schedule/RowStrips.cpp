//===- RowStrips.cpp - kernels of some rows at a time -------------------------------------------------------------===//
//
// See RowStrips.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/schedule/RowStrips.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace onnx_aot;
using aot::KernelOp;

//===-- Which rows ------------------------------------------------------------------------------------------------===//

int64_t onnx_aot::bytesOf(Type type) {
  auto shaped = cast<ShapedType>(type);
  return shaped.getNumElements() * llvm::divideCeil(shaped.getElementTypeBitWidth(), 8);
}

int onnx_aot::loopDimOf(KernelOp kernel, unsigned position) {
  AffineMap map = kernel.getMap(kernel.getInputs().size());
  if (map.getNumResults() <= position)
    return -1;
  auto dim = dyn_cast<AffineDimExpr>(map.getResult(position));
  return dim && !kernel.isReduction(dim.getPosition()) ? int(dim.getPosition()) : -1;
}

namespace {
/// A linear expression as coefficient * dim + what lies between `low` and `high`.
struct LinearRange {
  int64_t coefficient = 0, low = 0, high = 0;
};
} // namespace

/// Nothing where `expr` is not linear.
static std::optional<LinearRange> rangeOf(AffineExpr expr, unsigned rows, ArrayRef<int64_t> extents) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dim.getPosition() == rows ? LinearRange{1, 0, 0} : LinearRange{0, 0, extents[dim.getPosition()] - 1};
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return LinearRange{0, constant.getValue(), constant.getValue()};
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  std::optional<LinearRange> left = binary ? rangeOf(binary.getLHS(), rows, extents) : std::nullopt;
  if (!left)
    return std::nullopt;
  if (binary.getKind() == AffineExprKind::Add) {
    std::optional<LinearRange> right = rangeOf(binary.getRHS(), rows, extents);
    if (!right)
      return std::nullopt;
    return LinearRange{left->coefficient + right->coefficient, left->low + right->low, left->high + right->high};
  }
  auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (binary.getKind() != AffineExprKind::Mul || !constant)
    return std::nullopt;
  int64_t factor = constant.getValue();
  return LinearRange{factor * left->coefficient, std::min(factor * left->low, factor * left->high),
                     std::max(factor * left->low, factor * left->high)};
}

std::optional<RowAccess> onnx_aot::rowAccess(KernelOp kernel, unsigned dim, unsigned operand) {
  SmallVector<int64_t> extents = kernel.getStaticExtents();
  RowAccess access;
  for (auto [position, expr] : llvm::enumerate(kernel.getMap(operand).getResults())) {
    if (!expr.isFunctionOfDim(dim))
      continue;
    std::optional<LinearRange> range = rangeOf(expr, dim, extents);
    if (access.position >= 0 || !range || range->coefficient < 1)
      return std::nullopt;
    access = {int(position), range->coefficient, range->low, range->high - range->low + 1};
  }
  return access;
}

bool onnx_aot::hasRows(KernelOp kernel, unsigned position) {
  if (!kernel || kernel->getNumResults() != 1 || kernel.getStrategy() || loopDimOf(kernel, position) < 0)
    return false;
  auto isStatic = [](Value value) { return cast<ShapedType>(value.getType()).hasStaticShape(); };
  auto type = cast<RankedTensorType>(kernel.getResult(0).getType());
  if (!llvm::all_of(kernel->getOperands(), isStatic) || type.getNumElements() == 0 || type.getDimSize(0) != 1 ||
      llvm::any_of(kernel.getStaticExtents(), ShapedType::isDynamic))
    return false;
  for (unsigned operand = 0; operand < kernel->getNumOperands(); ++operand)
    if (!rowAccess(kernel, loopDimOf(kernel, position), operand))
      return false;
  return true;
}

Value onnx_aot::fillOf(Value tensor) {
  auto generic = tensor.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 0)
    return Value();
  Value value = generic.getBody()->getTerminator()->getOperand(0);
  return matchPattern(value, m_Constant()) ? value : Value();
}

//===-- Parts of tensors ------------------------------------------------------------------------------------------===//

Value RowStrips::index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
Value RowStrips::times(Value value, int64_t factor) { return b.createOrFold<arith::MulIOp>(value, index(factor)); }
Value RowStrips::plus(Value value, int64_t summand) { return b.createOrFold<arith::AddIOp>(value, index(summand)); }

std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>> RowStrips::place(Value tensor, ArrayRef<Part> ranges) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)),
      sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
  for (const Part &range : ranges) {
    std::optional<int64_t> constant = getConstantIntValue(range.offset);
    offsets[range.dim] = constant ? OpFoldResult(b.getIndexAttr(*constant)) : range.offset;
    sizes[range.dim] = b.getIndexAttr(range.size);
  }
  return {offsets, sizes};
}

Value RowStrips::slice(Value tensor, ArrayRef<Part> ranges) {
  auto [offsets, sizes] = place(tensor, ranges);
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, tensor, offsets, sizes, ones);
}

Value RowStrips::insert(Value part, Value tensor, ArrayRef<Part> ranges) {
  auto [offsets, sizes] = place(tensor, ranges);
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(b, part, tensor, offsets, sizes, ones);
}

Value RowStrips::pad(Value tensor, Value value, Part range) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[range.dim] = range.size;
  Value empty = tensor::EmptyOp::create(b, shape, type.getElementType());
  auto fill = linalg::GenericOp::create(
      b, empty.getType(), ValueRange{}, empty, b.getMultiDimIdentityMap(type.getRank()),
      SmallVector<utils::IteratorType>(type.getRank(), utils::IteratorType::parallel),
      [&](OpBuilder &builder, Location loc, ValueRange) { linalg::YieldOp::create(builder, loc, value); });
  return insert(fill.getResult(0), tensor, range);
}

Value RowStrips::onRows(KernelOp kernel, unsigned position, Value row, int64_t rows, unsigned operand, Value given,
                        Value init) {
  unsigned dim = loopDimOf(kernel, position);
  SmallVector<Value> inputs;
  for (auto [number, value] : llvm::enumerate(kernel.getInputs())) {
    RowAccess access = *rowAccess(kernel, dim, number);
    if (given && number == operand)
      inputs.push_back(given);
    else if (access.position < 0)
      inputs.push_back(value);
    else
      inputs.push_back(slice(current(value), Part{unsigned(access.position),
                                                  plus(times(row, access.scale), access.first), access.sizeFor(rows)}));
  }
  auto made = KernelOp::create(b, kernel.getLoc(), init.getType(), kernel.getKindAttr(), inputs, init,
                               kernel.getIndexingMapsAttr(), kernel.getIteratorTypesAttr(), kernel.getIdentity(),
                               /*strategy=*/aot::StrategyAttr());
  IRMapping mapping;
  kernel.getCompute().cloneInto(&made.getCompute(), mapping);
  kernel.getEpilogue().cloneInto(&made.getEpilogue(), mapping);
  return made.getResult(0);
}
