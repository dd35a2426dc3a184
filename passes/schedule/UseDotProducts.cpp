//===- UseDotProducts.cpp - products of bytes, four at a time -----------------------------------------------------===//
//
// Where the target adds the products of four pairs of bytes to a sum of 32 bits with one instruction or two (VNNI,
// SDOT, SMLAD), the reduction dim along which the data are neighbours is split into words of four:
//
//   sum over k of x[m, k] * w[k, n]   =>   sum over k, q of x[m, 4 k + q] * w[k, n, q]    with aot.dot
//
// Weights are constant and laid out anew. An instruction that takes one pair of signs gets it by inverting the top bit
// of the data: x + 128 for signed x, x - 128 for unsigned ones; what that adds, 128 times the sum of a channel's
// weights, is a constant that the epilogue takes off again.
//
// Before: kernels and layouts are final.  After: kernels of bytes with words to read hold an aot.dot.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/aot/TargetModel.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "passes/schedule/Passes.h"
#include "llvm/ADT/StringSwitch.h"

namespace onnx_aot {
#define GEN_PASS_DEF_USEDOTPRODUCTS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;
using aot::DotProduct;

namespace {
constexpr int64_t kWord = aot::DotOp::kBytes;

/// The operands of acc + extend(x) * extend(w).
struct ByteProduct {
  unsigned data, weights; // inputs of the kernel
  bool dataIsUnsigned, weightsAreUnsigned;
};

/// The input that `value` extends to 32 bits, and whether as an unsigned one.
std::optional<std::pair<unsigned, bool>> extendedInput(Value value) {
  Operation *op = value.getDefiningOp();
  if (!isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp>(op) || !op->getOperand(0).getType().isInteger(8))
    return std::nullopt;
  auto argument = dyn_cast<BlockArgument>(op->getOperand(0));
  if (!argument)
    return std::nullopt;
  return std::pair(argument.getArgNumber(), isa<arith::ExtUIOp>(op));
}

std::optional<ByteProduct> matchProduct(aot::KernelOp kernel) {
  Block &body = kernel.getCompute().front();
  auto sum = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  if (!sum || !sum.getType().isInteger(32))
    return std::nullopt;
  Value accumulator = body.getArguments().back();
  Value added = sum.getLhs() == accumulator ? sum.getRhs() : sum.getRhs() == accumulator ? sum.getLhs() : Value();
  auto product = added ? added.getDefiningOp<arith::MulIOp>() : arith::MulIOp();
  if (!product)
    return std::nullopt;
  auto left = extendedInput(product.getLhs()), right = extendedInput(product.getRhs());
  if (!left || !right)
    return std::nullopt;
  auto isConstant = [&](unsigned input) { return matchPattern(kernel.getInputs()[input], m_Constant()); };
  if (isConstant(left->first))
    std::swap(left, right);
  if (!isConstant(right->first) || left->first == right->first)
    return std::nullopt;
  return ByteProduct{left->first, right->first, left->second, right->second};
}

class WordSplitter {
public:
  WordSplitter(aot::KernelOp kernel, DotProduct instruction) : kernel(kernel), instruction(instruction) {}

  void run() {
    std::optional<ByteProduct> match = matchProduct(kernel);
    if (!match)
      return;
    product = *match;
    int dim = wordDim();
    ElementsAttr weights;
    if (dim < 0 || !matchPattern(kernel.getInputs()[product.weights], m_Constant(&weights)) ||
        !onnx::getRawBytes(weights, storage, bytes))
      return;
    bool flips = false;
    if (instruction == DotProduct::SameSigns)
      flips = product.dataIsUnsigned != product.weightsAreUnsigned;
    else if (instruction == DotProduct::UnsignedBySigned) {
      if (product.weightsAreUnsigned)
        return;
      flips = !product.dataIsUnsigned;
    }
    if (flips)
      correct();
    split(dim);
    rewriteBody(flips);
  }

private:
  /// The reduction dim of whole words along which data are neighbours, or -1.
  int wordDim() {
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
    AffineMap weights = kernel.getMap(product.weights);
    if (failed(nest) || !weights.isProjectedPermutation(/*allowZeroInResults=*/true))
      return -1;
    SmallVector<int64_t> extents = kernel.getStaticExtents();
    auto data = cast<RankedTensorType>(kernel.getInputs()[product.data].getType());
    auto weightsType = cast<RankedTensorType>(kernel.getInputs()[product.weights].getType());
    AffineMap map = kernel.getMap(product.data);
    if (map.getNumResults() == 0)
      return -1;
    // The last index that moves at all is the one of neighbours.
    int64_t last = map.getNumResults() - 1;
    while (last > 0 && data.getDimSize(last) == 1)
      --last;
    // What the top bits add is counted over the weights: each of them is to be read once per result.
    for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim)
      if (kernel.isReduction(dim) && !weights.isFunctionOfDim(dim))
        return -1;
    for (auto [position, expr] : llvm::enumerate(weights.getResults()))
      if (isa<AffineConstantExpr>(expr) && weightsType.getDimSize(position) != 1)
        return -1;
    for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim) {
      bool isElsewhere =
          llvm::any_of(map.getResults().take_front(last), [&](AffineExpr expr) { return expr.isFunctionOfDim(dim); });
      if (kernel.isReduction(dim) && extents[dim] > 0 && extents[dim] % kWord == 0 && !isElsewhere &&
          isUnitIn(map.getResult(last), dim) && weights.isFunctionOfDim(dim))
        return dim;
    }
    return -1;
  }

  /// Whether `dim` has the factor 1 in a sum.
  static bool isUnitIn(AffineExpr expr, unsigned dim) {
    if (auto self = dyn_cast<AffineDimExpr>(expr))
      return self.getPosition() == dim;
    auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
    return sum && sum.getKind() == AffineExprKind::Add && (isUnitIn(sum.getLHS(), dim) || isUnitIn(sum.getRHS(), dim));
  }

  /// Takes off in the epilogue what the inverted top bits of the data add to each result.
  void correct() {
    AffineMap map = kernel.getMap(product.weights);
    auto type = cast<RankedTensorType>(kernel.getInputs()[product.weights].getType());
    SmallVector<int64_t> shape, strides(type.getRank(), 0);
    SmallVector<AffineExpr> exprs;
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || kernel.isReduction(dim.getPosition()))
        continue;
      shape.push_back(type.getDimSize(position));
      exprs.push_back(expr);
    }
    int64_t stride = 1;
    for (int64_t position = type.getRank() - 1; position >= 0; --position) {
      auto dim = dyn_cast<AffineDimExpr>(map.getResult(position));
      if (!dim || kernel.isReduction(dim.getPosition()))
        continue;
      strides[position] = stride;
      stride *= type.getDimSize(position);
    }
    SmallVector<int32_t> sums(stride, 0);
    for (size_t index = 0; index < bytes.size(); ++index) {
      int64_t rest = index, channel = 0;
      for (int64_t position = type.getRank() - 1; position >= 0; --position) {
        channel += rest % type.getDimSize(position) * strides[position];
        rest /= type.getDimSize(position);
      }
      int32_t weight = product.weightsAreUnsigned ? int32_t(uint8_t(bytes[index])) : int32_t(int8_t(bytes[index]));
      sums[channel] += product.dataIsUnsigned ? 128 * weight : -128 * weight;
    }
    OpBuilder builder(kernel);
    auto sumType = RankedTensorType::get(shape, builder.getI32Type());
    Value constant = arith::ConstantOp::create(builder, kernel.getLoc(), sumType,
                                               onnx::makeConstantOf(sumType, ArrayRef(sums), "sign_corrections"));
    unsigned at = kernel.getInputs().size();
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue());
    maps.insert(maps.end() - 1,
                AffineMapAttr::get(AffineMap::get(kernel.getNumLoops(), 0, exprs, kernel.getContext())));
    kernel.getInputsMutable().append(constant);
    kernel.setIndexingMapsAttr(builder.getArrayAttr(maps));
    kernel.getCompute().front().insertArgument(at, builder.getI32Type(), kernel.getLoc());
    Block &epilogue = kernel.getEpilogue().front();
    Value addend = epilogue.insertArgument(at, builder.getI32Type(), kernel.getLoc());
    Value sum = epilogue.getArguments().back();
    builder.setInsertionPointToStart(&epilogue);
    auto corrected = arith::AddIOp::create(builder, kernel.getLoc(), sum, addend);
    sum.replaceAllUsesExcept(corrected, corrected);
  }

  /// Makes words of `dim`: it counts them, and a new last dim their bytes.
  void split(unsigned dim) {
    MLIRContext *context = kernel.getContext();
    unsigned loops = kernel.getNumLoops();
    AffineExpr word = getAffineDimExpr(dim, context), byte = getAffineDimExpr(loops, context);
    SmallVector<Attribute> maps;
    for (unsigned operand = 0; operand < kernel->getNumOperands(); ++operand) {
      AffineMap map = kernel.getMap(operand);
      SmallVector<AffineExpr> exprs(map.getResults());
      for (AffineExpr &expr : exprs)
        if (operand != product.weights && expr.isFunctionOfDim(dim))
          expr = expr.replace(word, word * kWord + byte);
      if (operand == product.weights)
        exprs.push_back(byte);
      maps.push_back(AffineMapAttr::get(AffineMap::get(loops + 1, 0, exprs, context)));
    }
    OpBuilder builder(kernel);
    unsigned position = llvm::find(kernel.getMap(product.weights).getResults(), word) -
                        kernel.getMap(product.weights).getResults().begin();
    kernel.getInputsMutable()[product.weights].set(splitWeights(builder, position));
    kernel.setIndexingMapsAttr(builder.getArrayAttr(maps));
    SmallVector<Attribute> iterators(kernel.getIteratorTypes().getValue());
    iterators.push_back(builder.getStringAttr("reduction"));
    kernel.setIteratorTypesAttr(builder.getArrayAttr(iterators));
  }

  /// The weights with the bytes of the words along `position` as their last dim.
  Value splitWeights(OpBuilder &builder, unsigned position) {
    auto type = cast<RankedTensorType>(kernel.getInputs()[product.weights].getType());
    SmallVector<int64_t> shape(type.getShape());
    int64_t inner = 1, extent = shape[position];
    for (int64_t size : type.getShape().drop_front(position + 1))
      inner *= size;
    SmallVector<char> words(bytes.size());
    for (int64_t index = 0; index < int64_t(bytes.size()); ++index) {
      int64_t rest = index % inner, along = index / inner % extent, outer = index / inner / extent;
      words[((outer * (extent / kWord) + along / kWord) * inner + rest) * kWord + along % kWord] = bytes[index];
    }
    shape[position] = extent / kWord;
    shape.push_back(kWord);
    auto split = RankedTensorType::get(shape, type.getElementType());
    return arith::ConstantOp::create(builder, kernel.getLoc(), split, onnx::makeConstant(split, words, "words"));
  }

  void rewriteBody(bool flips) {
    Block &body = kernel.getCompute().front();
    Operation *yield = body.getTerminator();
    OpBuilder builder(yield);
    auto flag = [&](bool value) { return value ? builder.getUnitAttr() : UnitAttr(); };
    Value dot =
        aot::DotOp::create(builder, kernel.getLoc(), builder.getI32Type(), body.getArguments().back(),
                           body.getArgument(product.data), body.getArgument(product.weights),
                           flag(product.dataIsUnsigned != flips), flag(product.weightsAreUnsigned), flag(flips));
    yield->setOperand(0, dot);
    SmallVector<Operation *> ops = llvm::map_to_vector(body.without_terminator(), [](Operation &op) { return &op; });
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty())
        op->erase();
  }

  aot::KernelOp kernel;
  DotProduct instruction;
  ByteProduct product;
  SmallVector<char> storage;
  ArrayRef<char> bytes; // of the weights
};

struct UseDotProducts : impl::UseDotProductsBase<UseDotProducts> {
  using UseDotProductsBase::UseDotProductsBase;
  explicit UseDotProducts(DotProduct instruction) : instruction(instruction) {}

  LogicalResult initialize(MLIRContext *) override {
    if (!signs.empty())
      instruction = llvm::StringSwitch<DotProduct>(signs)
                        .Case("any", DotProduct::AnySigns)
                        .Case("same", DotProduct::SameSigns)
                        .Case("unsigned-by-signed", DotProduct::UnsignedBySigned)
                        .Default(DotProduct::None);
    return success();
  }

  void runOnOperation() override {
    if (instruction == DotProduct::None)
      return;
    SmallVector<aot::KernelOp> kernels;
    getOperation().walk([&](aot::KernelOp kernel) { kernels.push_back(kernel); });
    for (aot::KernelOp kernel : kernels)
      WordSplitter(kernel, instruction).run();
  }

  DotProduct instruction = DotProduct::None;
};
} // namespace

std::unique_ptr<Pass> createUseDotProductsPass(const aot::TargetModel &target) {
  return std::make_unique<UseDotProducts>(target.dotProduct());
}
} // namespace onnx_aot
