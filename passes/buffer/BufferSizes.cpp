//===- BufferSizes.cpp - what is known about the size of a buffer -------------------------------------------------===//
//
// See BufferSizes.h.
//
// 1. A dim with a bound, as the ranges of integers tell, counts as its bound. A buffer of such dims has a known size.
// 2. What else is made from the entry's dims, by operations without effects, is computed anew in the size function,
//    which has no loops and branches: it can be asked before the run. Divisors that no check guards there become 1.
// 3. Of a minimum, of which the run knows one side, the other side is a bound.
//
//   %a = memref.alloc(%batch, %n) : memref<?x?x4xf32>     =>   16 * %batch * %n
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/BufferSizes.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot;

//===--------------------------------------------------------------------------------------------------------------===//
// Arithmetic on sizes
//===--------------------------------------------------------------------------------------------------------------===//

Value onnx_aot::sizeConstant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIntOp::create(builder, loc, value, 64);
}

Value onnx_aot::multiplySizes(OpBuilder &builder, Location loc, Value a, Value b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x == 1 || y == 1)
    return x == 1 ? b : a;
  auto product = arith::MulUIExtendedOp::create(builder, loc, a, b);
  Value zero = sizeConstant(builder, loc, 0);
  Value isLong = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, product.getHigh(), zero);
  Value isNegative = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, product.getLow(), zero);
  Value isLarge = arith::OrIOp::create(builder, loc, isLong, isNegative);
  return arith::SelectOp::create(builder, loc, isLarge, sizeConstant(builder, loc, INT64_MAX), product.getLow());
}

Value onnx_aot::addSizes(OpBuilder &builder, Location loc, Value a, Value b) {
  Value sum = arith::AddIOp::create(builder, loc, a, b);
  Value zero = sizeConstant(builder, loc, 0);
  Value isLarge = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, sum, zero);
  return arith::SelectOp::create(builder, loc, isLarge, sizeConstant(builder, loc, INT64_MAX), sum);
}

Value onnx_aot::alignSize(OpBuilder &builder, Location loc, Value size, int64_t alignment) {
  Value raised = addSizes(builder, loc, size, sizeConstant(builder, loc, alignment - 1));
  return arith::AndIOp::create(builder, loc, raised, sizeConstant(builder, loc, -alignment));
}

Value onnx_aot::sizeOfDim(OpBuilder &builder, Location loc, Value dim) {
  Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), dim);
  return arith::MaxSIOp::create(builder, loc, number, sizeConstant(builder, loc, 0));
}

//===--------------------------------------------------------------------------------------------------------------===//
// The size function
//===--------------------------------------------------------------------------------------------------------------===//

unsigned BufferSizes::Equivalence::getHashValue(const Operation *op) {
  return OperationEquivalence::computeHash(const_cast<Operation *>(op), OperationEquivalence::directHashValue,
                                           OperationEquivalence::ignoreHashValue,
                                           OperationEquivalence::IgnoreLocations);
}

bool BufferSizes::Equivalence::isEqual(const Operation *a, const Operation *b) {
  if (a == b)
    return true;
  auto isReal = [](const Operation *op) { return op != getEmptyKey() && op != getTombstoneKey(); };
  return isReal(a) && isReal(b) &&
         OperationEquivalence::isEquivalentTo(const_cast<Operation *>(a), const_cast<Operation *>(b),
                                              OperationEquivalence::IgnoreLocations);
}

BufferSizes::~BufferSizes() {
  if (sizes && !isKept)
    sizes.erase();
}

DimRanges &BufferSizes::ranges() {
  if (!known)
    known = std::make_unique<DimRanges>(entry);
  return *known;
}

func::FuncOp BufferSizes::function() {
  if (sizes)
    return sizes;
  OpBuilder builder(entry);
  SmallVector<Type> types;
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (entry.getArgAttr(i, "aot.dim"))
      types.push_back(builder.getIndexType());
  std::string name = entry.getName() == "main" ? "arena_bytes" : entry.getName().str() + "_arena_bytes";
  sizes = func::FuncOp::create(builder, entry.getLoc(), name, builder.getFunctionType(types, {builder.getIndexType()}));
  Block *body = sizes.addEntryBlock();
  unsigned next = 0;
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (entry.getArgAttr(i, "aot.dim"))
      clones[entry.getArgument(i)] = body->getArgument(next++);
  return sizes;
}

Value BufferSizes::unique(Operation *op, unsigned result) {
  auto [found, isNew] = made.insert(op);
  if (isNew)
    return op->getResult(result);
  op->erase();
  return (*found)->getResult(result);
}

/// A divisor that a check may guard in the run.
Value BufferSizes::guarded(Value divisor, Value dividend) {
  Type type = divisor.getType();
  auto width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  auto number = [&](const APInt &value) {
    return make<arith::ConstantOp>(cast<TypedAttr>(IntegerAttr::get(type, value)));
  };
  Value zero = number(APInt(width, 0)), one = number(APInt(width, 1));
  Value minusOne = number(APInt::getAllOnes(width)), lowest = number(APInt::getSignedMinValue(width));
  auto equal = [&](Value a, Value b) { return make<arith::CmpIOp>(arith::CmpIPredicate::eq, a, b); };
  Value overflows = make<arith::AndIOp>(equal(divisor, minusOne), equal(dividend, lowest));
  Value isBad = make<arith::OrIOp>(equal(divisor, zero), overflows);
  return make<arith::SelectOp>(isBad, one, divisor);
}

Value BufferSizes::clone(Value value) {
  function();
  if (auto found = clones.find(value); found != clones.end())
    return found->second;
  clones[value] = Value();
  Operation *op = value.getDefiningOp();
  bool isDivision = isa_and_nonnull<arith::DivSIOp, arith::DivUIOp, arith::CeilDivSIOp, arith::CeilDivUIOp,
                                    arith::FloorDivSIOp, arith::RemSIOp, arith::RemUIOp>(op);
  if (!op || !value.getType().isIntOrIndex() || op->getNumRegions() != 0 || !isMemoryEffectFree(op) ||
      (!isSpeculatable(op) && !isDivision))
    return Value();
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value copy = clone(operand);
    if (!copy)
      return Value();
    mapping.map(operand, copy);
  }
  if (isDivision && !isSpeculatable(op))
    mapping.map(op->getOperand(1), guarded(mapping.lookup(op->getOperand(1)), mapping.lookup(op->getOperand(0))));
  OpBuilder builder = OpBuilder::atBlockEnd(&function().getBody().front());
  Value copy = unique(builder.clone(*op, mapping), cast<OpResult>(value).getResultNumber());
  clones[value] = copy;
  return copy;
}

Value BufferSizes::bound(Value value) {
  if (Value exact = clone(value))
    return exact;
  if (auto found = bounds.find(value); found != bounds.end())
    return found->second;
  bounds[value] = Value();
  Operation *op = value.getDefiningOp();
  Value result;
  if (isa_and_nonnull<arith::MinSIOp>(op)) {
    Value a = bound(op->getOperand(0)), b = bound(op->getOperand(1));
    result = a && b ? make<arith::MinSIOp>(a, b) : a ? a : b;
  } else if (isa_and_nonnull<arith::MaxSIOp, arith::SelectOp>(op)) {
    unsigned first = isa<arith::SelectOp>(op);
    Value a = bound(op->getOperand(first)), b = bound(op->getOperand(first + 1));
    result = a && b && value.getType().isIntOrIndex() ? make<arith::MaxSIOp>(a, b) : Value();
  } else if (isa_and_nonnull<arith::IndexCastOp, arith::ExtSIOp>(op)) {
    // Wider: order is kept.
    Value source = op->getOperand(0);
    auto width = [](Type type) { return type.isIndex() ? 64 : type.getIntOrFloatBitWidth(); };
    Value a = width(source.getType()) <= width(value.getType()) ? bound(source) : Value();
    if (a && isa<arith::IndexCastOp>(op))
      result = make<arith::IndexCastOp>(value.getType(), a);
    else if (a)
      result = make<arith::ExtSIOp>(value.getType(), a);
  }
  bounds[value] = result;
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Sizes
//===--------------------------------------------------------------------------------------------------------------===//

static int64_t bytesOf(Type element) { return element.isIndex() ? 8 : onnx::bytesPerElement(element); }

/// `a * b` for numbers that are not negative, or nothing where that is no size of an arena.
static std::optional<int64_t> product(int64_t a, int64_t b) {
  int64_t result;
  if (llvm::MulOverflow(a, b, result) || result >= BufferSizes::kLimit)
    return std::nullopt;
  return result;
}

bool BufferSizes::addFactors(Value value, BufferSize &size) {
  std::optional<int64_t> number = getConstantIntValue(value);
  auto multiply = value.getDefiningOp<arith::MulIOp>();
  if (!number && multiply && ranges().isNonNegative(multiply.getLhs()) && ranges().isNonNegative(multiply.getRhs()))
    return addFactors(multiply.getLhs(), size) && addFactors(multiply.getRhs(), size);
  Value dim = number ? Value() : clone(value);
  if (!number && !dim)
    number = ranges().bound(value);
  if (number) {
    std::optional<int64_t> bytes = product(size.bytes, std::max<int64_t>(*number, 0));
    size.bytes = bytes.value_or(0);
    return bytes && (getConstantIntValue(value) || *bytes <= kLargestWorstCase);
  }
  if (!dim)
    dim = bound(value);
  if (!dim)
    return false;
  Value factor = make<arith::IndexCastOp>(IntegerType::get(value.getContext(), 64), dim);
  if (!ranges().isNonNegative(value)) {
    Value zero = make<arith::ConstantOp>(cast<TypedAttr>(IntegerAttr::get(factor.getType(), 0)));
    factor = make<arith::MaxSIOp>(factor, zero);
  }
  size.factors.push_back(factor);
  return true;
}

/// The product of `dims`' bounds and `bytes`, if all have one.
std::optional<int64_t> BufferSizes::knownBytes(ArrayRef<OpFoldResult> dims, int64_t bytes) {
  std::optional<int64_t> result = bytes;
  for (OpFoldResult dim : dims) {
    std::optional<int64_t> number = getConstantIntValue(dim);
    if (!number)
      number = ranges().bound(cast<Value>(dim));
    result = result && number ? product(*result, std::max<int64_t>(*number, 0)) : std::nullopt;
  }
  return result && *result <= kLargestWorstCase ? result : std::nullopt;
}

BufferSize BufferSizes::of(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  BufferSize size{BufferSize::Kind::Known, bytesOf(type.getElementType())};
  for (int64_t extent : type.getShape())
    if (!ShapedType::isDynamic(extent))
      size.bytes *= extent;
  const BufferSize open{BufferSize::Kind::Open, size.bytes};
  // What outlives the run does not lie in the arena.
  SmallVector<Value> views = {alloc.getResult()};
  while (!views.empty()) {
    for (Operation *user : views.pop_back_val().getUsers()) {
      if (isa<memref::ExtractAlignedPointerAsIndexOp>(user))
        return open;
      if (isa<memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp, memref::ReinterpretCastOp>(user))
        views.push_back(user->getResult(0));
    }
  }
  if (alloc.getDynamicSizes().empty())
    return size;
  if (std::optional<int64_t> bytes = knownBytes(getAsOpFoldResult(alloc.getDynamicSizes()), size.bytes)) {
    size.bytes = *bytes;
    return size;
  }
  for (Value dim : alloc.getDynamicSizes())
    if (!addFactors(dim, size))
      return open;
  if (!size.factors.empty())
    size.kind = BufferSize::Kind::OfDims;
  // Equal factors are one value: any order that is the same everywhere will do. That of the function is deterministic.
  llvm::sort(size.factors,
             [](Value a, Value b) { return a != b && a.getDefiningOp()->isBeforeInBlock(b.getDefiningOp()); });
  return size;
}
