//===- UseFusedAttention.cpp - two products and the softmax between them as one kernel ----------------------------===//
//
// For a device. Scores, of which there are queries times keys, do not go through memory then.
//
//   %s = aot.kernel "matmul" %q, %k, epilogue scale and mask
//   %p = aot.rows softmax of %s                                =>   %y = aot.attention ins(%q, %k, %v, %mask)
//   %y = aot.kernel "matmul" %p, %v
//
// 1. A softmax is told by what the body of aot.rows yields: exp(z - max z) / sum exp(z - max z) in one of the forms
//    that lowerings write. How z comes from the scores is a part of the scores, and so is an elementwise operation
//    before that looks at positions (causal masks).
// 2. The iteration dims of both products are found in those of the rows; what is left is d of the first, e of the
//    second product. The query dim is one that moves queries and the result, but neither keys nor values.
//
// Before: aot-use-row-kernels has made softmaxes.  After: no scores of an attention whose head has a known size of at
// most 128, and which nobody else reads, are a tensor.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "dialects/aot/ProductBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_USEFUSEDATTENTION
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
/// Fewer queries leave most of a tile empty; larger heads do not fit what a block has.
constexpr int64_t kFewestQueries = 8, kLargestHead = 128;

//===-- Softmax ---------------------------------------------------------------------------------------------------===//

bool isNumber(Value value, double number) {
  APFloat constant(0.0);
  return matchPattern(value, m_ConstantFloat(&constant)) && constant.convertToDouble() == number;
}

/// What is reduced by `across`, whose step combines it by `Combiner`.
template <typename... Combiner> Value reducedBy(Value value, double identity) {
  auto across = value.getDefiningOp<aot::AcrossOp>();
  auto start = across ? dyn_cast<FloatAttr>(across.getIdentity()) : FloatAttr();
  if (!start || !start.getType().isF32() || start.getValueAsDouble() != identity)
    return Value();
  Block &step = across.getStep().front();
  Operation *last = step.getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<Combiner...>(last) || last->getBlock() != &step)
    return Value();
  Value accumulator = step.getArgument(0), left = last->getOperand(0), right = last->getOperand(1);
  return left == accumulator ? right : right == accumulator ? left : Value();
}

/// The value that is compared with `number`, where `select` gives 0 for those that equal it.
Value zeroWhere(arith::SelectOp select, double number) {
  auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
  if (!compare || compare.getPredicate() != arith::CmpFPredicate::OEQ || !isNumber(compare.getRhs(), number) ||
      !isNumber(select.getTrueValue(), 0))
    return Value();
  return compare.getLhs();
}

struct Softmax {
  Value logits;          // z, in the body
  bool zeroRows = false; // of rows in which all z are -inf

  static std::optional<Softmax> of(aot::RowsOp rows);
};

std::optional<Softmax> Softmax::of(aot::RowsOp rows) {
  AffineMap result = rows.getMap(rows.getInputs().size());
  if (rows.getReduced() != 1 || rows.isOfRow(result) || !result.isProjectedPermutation(/*allowZeroInResults=*/true))
    return std::nullopt;
  Softmax found;
  Value weight = rows.getBody().front().getTerminator()->getOperand(0), sum, power;
  if (auto narrow = weight.getDefiningOp<arith::TruncFOp>())
    weight = narrow.getIn();
  if (auto select = weight.getDefiningOp<arith::SelectOp>()) {
    sum = zeroWhere(select, 0);
    weight = select.getFalseValue();
    found.zeroRows = true;
    auto quotient = weight.getDefiningOp<arith::DivFOp>();
    if (!sum || !quotient || quotient.getRhs() != sum)
      return std::nullopt;
  }
  if (auto quotient = weight.getDefiningOp<arith::DivFOp>()) {
    power = quotient.getLhs();
    sum = quotient.getRhs();
  } else if (auto product = weight.getDefiningOp<arith::MulFOp>()) {
    auto inverse = product.getRhs().getDefiningOp<arith::DivFOp>();
    if (!inverse || !isNumber(inverse.getLhs(), 1))
      return std::nullopt;
    power = product.getLhs();
    sum = inverse.getRhs();
  }
  auto exp = power ? power.getDefiningOp<math::ExpOp>() : math::ExpOp();
  auto distance = exp ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  if (!distance || reducedBy<arith::AddFOp>(sum, 0) != power)
    return std::nullopt;
  found.logits = distance.getLhs();
  Value maximum = distance.getRhs();
  constexpr double kLowest = -std::numeric_limits<double>::infinity();
  if (auto select = maximum.getDefiningOp<arith::SelectOp>()) {
    Value given = zeroWhere(select, kLowest);
    if (!given || given != select.getFalseValue())
      return std::nullopt;
    maximum = given;
  }
  if (reducedBy<arith::MaxNumFOp, arith::MaximumFOp>(maximum, kLowest) != found.logits)
    return std::nullopt;
  return found;
}

/// The operations of the body that `value` comes from, in their order; nothing where one is a reduction.
std::optional<SmallVector<Operation *>> slice(Block &body, Value value) {
  DenseSet<Operation *> needed;
  SmallVector<Value> open = {value};
  while (!open.empty()) {
    Operation *op = open.pop_back_val().getDefiningOp();
    if (!op || op->getBlock() != &body || !needed.insert(op).second)
      continue;
    if (isa<aot::AcrossOp>(op))
      return std::nullopt;
    llvm::append_range(open, op->getOperands());
  }
  SmallVector<Operation *> result;
  for (Operation &op : body)
    if (needed.contains(&op))
      result.push_back(&op);
  return result;
}

//===-- Products --------------------------------------------------------------------------------------------------===//

/// The iteration dims of an operation as dims of the attention.
using Dims = SmallVector<AffineExpr>;

/// Gives the dims that move `own` (the map of an operand) the places that `at` has, which reads the same tensor.
bool assign(Dims &dims, AffineMap own, AffineMap at) {
  for (auto [expr, place] : llvm::zip(own.getResults(), at.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim) {
      if (!isa<AffineConstantExpr>(expr))
        return false;
      continue;
    }
    if (dims[dim.getPosition()] && dims[dim.getPosition()] != place)
      return false;
    dims[dim.getPosition()] = place;
  }
  return true;
}

/// A kernel that adds products of two inputs of floats in 32 bits, over one dim, for nobody but one reader.
struct Product {
  aot::KernelOp kernel;
  aot::ProductBody inputs{};
  unsigned reduction = 0;

  static std::optional<Product> of(aot::KernelOp kernel) {
    std::optional<aot::ProductBody> body =
        kernel ? aot::ProductBody::of(kernel.getCompute().front()) : std::optional<aot::ProductBody>();
    auto identity = body ? dyn_cast<FloatAttr>(kernel.getIdentity()) : FloatAttr();
    if (!identity || !identity.getType().isF32() || !identity.getValue().isZero())
      return std::nullopt;
    Product product{kernel, *body};
    unsigned reductions = 0;
    for (unsigned dim = 0; dim < kernel.getNumLoops(); ++dim)
      if (kernel.isReduction(dim)) {
        product.reduction = dim;
        ++reductions;
      }
    for (unsigned input : {body->left, body->right}) {
      Type element = getElementTypeOrSelf(kernel.getInputs()[input].getType());
      if (!element.isF32() && !element.isF16() && !element.isBF16())
        return std::nullopt;
      if (!kernel.getMap(input).isProjectedPermutation(/*allowZeroInResults=*/true))
        return std::nullopt;
    }
    return reductions == 1 ? std::optional<Product>(product) : std::nullopt;
  }
};

/// Where an element of a transposed tensor is in the tensor that was transposed; nothing where `value` is made in
/// another way. Tiles are brought from either.
std::optional<AffineMap> beforeTransposition(Value value) {
  auto generic = value.getDefiningOp<linalg::GenericOp>();
  if (!generic || generic.getNumDpsInputs() != 1 || generic.getNumReductionLoops() != 0 ||
      !generic.hasPureTensorSemantics() ||
      generic.getBody()->getTerminator()->getOperand(0) != generic.getBody()->getArgument(0))
    return std::nullopt;
  AffineMap from = generic.getMatchingIndexingMap(generic.getDpsInputOperand(0)),
            to = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  if (!from.isPermutation() || !to.isPermutation())
    return std::nullopt;
  return from.compose(inversePermutation(to));
}

//===-- Attention -------------------------------------------------------------------------------------------------===//

class Attention {
public:
  explicit Attention(aot::RowsOp rows)
      : rows(rows), frame(rows.getNumLoops()), loops(frame + 2), context(rows.getContext()) {}

  bool match() {
    std::optional<Softmax> found = Softmax::of(rows);
    if (!found || !rows->hasOneUse())
      return false;
    softmax = *found;
    std::optional<SmallVector<Operation *>> ops = slice(rows.getBody().front(), softmax.logits);
    if (!ops || !matchValues() || !matchScores())
      return false;
    ofLogits = *ops;
    return findQuery() && haveKnownSizes();
  }

  void build();

private:
  AffineExpr dim(unsigned position) const { return getAffineDimExpr(position, context); }

  /// The second product. Dims of the rows come first here, then d, then e.
  bool matchValues() {
    OpOperand &use = *rows->use_begin();
    std::optional<Product> product = Product::of(dyn_cast<aot::KernelOp>(use.getOwner()));
    unsigned weights = use.getOperandNumber();
    if (!product || product->kernel->getBlock() != rows->getBlock() ||
        (weights != product->inputs.left && weights != product->inputs.right))
      return false;
    last = *product;
    value = weights == last.inputs.left ? last.inputs.right : last.inputs.left;
    if (!last.kernel.getEpilogue().front().getArgument(weights).use_empty())
      return false;
    ofLast.assign(last.kernel.getNumLoops(), AffineExpr());
    if (!assign(ofLast, last.kernel.getMap(weights), rows.getMap(rows.getInputs().size())))
      return false;
    if (ofLast[last.reduction] != dim(frame - 1))
      return false;
    int free = 0;
    for (AffineExpr &expr : ofLast)
      if (!expr) {
        expr = dim(frame + 1);
        ++free;
      }
    return free == 1;
  }

  /// The first one, and an elementwise operation behind it.
  bool matchScores() {
    for (auto [index, input] : llvm::enumerate(rows.getInputs())) {
      if (!input.hasOneUse() || !input.getDefiningOp() || input.getDefiningOp()->getBlock() != rows->getBlock())
        continue;
      scoresInput = index;
      if (matchProduct(input.getDefiningOp<aot::KernelOp>(), rows.getMap(index)))
        return true;
      auto generic = input.getDefiningOp<linalg::GenericOp>();
      if (generic && matchPositions(generic, rows.getMap(index)))
        return true;
    }
    return false;
  }

  bool matchPositions(linalg::GenericOp generic, AffineMap at) {
    bool isPlain = generic.getNumDpsInits() == 1 && generic.getNumReductionLoops() == 0 &&
                   generic.hasPureTensorSemantics() && generic.getRegionOutputArgs()[0].use_empty() &&
                   llvm::all_of(generic.getBody()->without_terminator(), [](Operation &op) {
                     return op.hasTrait<OpTrait::ConstantLike>() || isa<linalg::IndexOp>(op) ||
                            OpTrait::hasElementwiseMappableTraits(&op);
                   });
    Dims dims(generic.getNumLoops());
    if (!isPlain || !assign(dims, generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)), at) ||
        llvm::is_contained(dims, AffineExpr()))
      return false;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      AffineMap read = generic.getMatchingIndexingMap(operand).replaceDimsAndSymbols(dims, {}, frame, 0);
      auto kernel = operand->get().getDefiningOp<aot::KernelOp>();
      if (kernel && kernel->hasOneUse() && kernel->getBlock() == rows->getBlock() && matchProduct(kernel, read)) {
        positions = generic;
        ofPositions = dims;
        scoresOperand = operand;
        return true;
      }
    }
    return false;
  }

  bool matchProduct(aot::KernelOp kernel, AffineMap at) {
    std::optional<Product> product = Product::of(kernel);
    if (!product)
      return false;
    first = *product;
    ofFirst.assign(kernel.getNumLoops(), AffineExpr());
    if (!assign(ofFirst, kernel.getMap(kernel.getInputs().size()), at) || ofFirst[first.reduction])
      return false;
    ofFirst[first.reduction] = dim(frame);
    if (llvm::is_contained(ofFirst, AffineExpr()))
      return false;
    // Keys are what moves along the keys.
    bool isLeft = placeOf(kernel, first.inputs.left, ofFirst).isFunctionOfDim(frame - 1);
    bool isRight = placeOf(kernel, first.inputs.right, ofFirst).isFunctionOfDim(frame - 1);
    key = isLeft ? first.inputs.left : first.inputs.right;
    query = isLeft ? first.inputs.right : first.inputs.left;
    return isLeft != isRight;
  }

  AffineMap placeOf(aot::KernelOp kernel, unsigned operand, const Dims &dims) const {
    return kernel.getMap(operand).replaceDimsAndSymbols(dims, {}, loops, 0);
  }

  bool findQuery() {
    AffineMap q = placeOf(first.kernel, query, ofFirst), k = placeOf(first.kernel, key, ofFirst),
              v = placeOf(last.kernel, value, ofLast), y = placeOf(last.kernel, last.kernel.getInputs().size(), ofLast);
    for (unsigned at = frame - 1; at-- > 0;)
      if (q.isFunctionOfDim(at) && y.isFunctionOfDim(at) && !k.isFunctionOfDim(at) && !v.isFunctionOfDim(at)) {
        dimOfQuery = at;
        return k.isFunctionOfDim(frame) && q.isFunctionOfDim(frame) && v.isFunctionOfDim(frame - 1) &&
               v.isFunctionOfDim(frame + 1);
      }
    return false;
  }

  int64_t extentOf(aot::KernelOp kernel, unsigned operand, const Dims &dims, unsigned at) const {
    for (auto [result, expr] : llvm::enumerate(placeOf(kernel, operand, dims).getResults()))
      if (expr == dim(at))
        return cast<ShapedType>(kernel.getInputs()[operand].getType()).getDimSize(result);
    return ShapedType::kDynamic;
  }

  bool haveKnownSizes() const {
    auto isHead = [](int64_t size) { return !ShapedType::isDynamic(size) && size <= kLargestHead; };
    int64_t queries = extentOf(first.kernel, query, ofFirst, dimOfQuery);
    return isHead(extentOf(first.kernel, key, ofFirst, frame)) &&
           isHead(extentOf(last.kernel, value, ofLast, frame + 1)) &&
           (ShapedType::isDynamic(queries) || queries >= kFewestQueries);
  }

  //===-- The kernel ----------------------------------------------------------------------------------------------===//

  /// The number of an input, read at `map` over the dims of the rows, d and e.
  unsigned inputOf(Value tensor, AffineMap map) {
    map = map.replaceDimsAndSymbols(order, {}, loops, 0);
    for (unsigned index = aot::AttentionOp::Others; index < inputs.size(); ++index)
      if (inputs[index] == tensor && maps[index] == map)
        return index;
    inputs.push_back(tensor);
    maps.push_back(map);
    return inputs.size() - 1;
  }

  aot::RowsOp rows;
  unsigned frame, loops;
  MLIRContext *context;
  Softmax softmax;
  SmallVector<Operation *> ofLogits;
  Product first, last;
  linalg::GenericOp positions;
  OpOperand *scoresOperand = nullptr;
  unsigned scoresInput = 0, query = 0, key = 0, value = 0, dimOfQuery = 0;
  Dims ofFirst, ofPositions, ofLast; // dims of the rows, then d, then e

  Dims order; // of those in the attention
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
};
} // namespace

void Attention::build() {
  // The dims of the batch, then the query, the key, d and e.
  unsigned next = 0;
  for (unsigned at = 0; at < loops; ++at)
    order.push_back(at == dimOfQuery ? dim(frame - 2) : at + 1 < frame ? dim(next++) : dim(at));
  auto require = [&](aot::KernelOp kernel, unsigned operand, const Dims &dims) {
    Value tensor = kernel.getInputs()[operand];
    AffineMap map = placeOf(kernel, operand, dims).replaceDimsAndSymbols(order, {}, loops, 0);
    while (std::optional<AffineMap> moved = beforeTransposition(tensor)) {
      tensor = tensor.getDefiningOp()->getOperand(0);
      map = moved->compose(map);
    }
    inputs.push_back(tensor);
    maps.push_back(map);
  };
  require(first.kernel, query, ofFirst);
  require(first.kernel, key, ofFirst);
  require(last.kernel, value, ofLast);

  // What the bodies read besides, by the arguments that stand for it.
  SmallVector<std::pair<Value, unsigned>> ofScores, ofFinish;
  auto note = [&](auto &list, Value argument, Value tensor, AffineMap map) {
    if (!argument.use_empty())
      list.push_back({argument, inputOf(tensor, map)});
  };
  Block &epilogue = first.kernel.getEpilogue().front(), &finish = last.kernel.getEpilogue().front();
  for (auto [index, tensor] : llvm::enumerate(first.kernel.getInputs()))
    note(ofScores, epilogue.getArgument(index), tensor, placeOf(first.kernel, index, ofFirst));
  if (positions)
    for (OpOperand *operand : positions.getDpsInputOperands())
      if (operand != scoresOperand)
        note(ofScores, positions.getMatchingBlockArgument(operand), operand->get(),
             positions.getMatchingIndexingMap(operand).replaceDimsAndSymbols(ofPositions, {}, loops, 0));
  Block &body = rows.getBody().front();
  DenseSet<Value> read;
  for (Operation *op : ofLogits)
    read.insert(op->operand_begin(), op->operand_end());
  for (auto [index, tensor] : llvm::enumerate(rows.getInputs()))
    if (index != scoresInput && read.contains(body.getArgument(index)))
      note(ofScores, body.getArgument(index), tensor,
           AffineMap::get(loops, 0, rows.getMap(index).getResults(), context));
  for (auto [index, tensor] : llvm::enumerate(last.kernel.getInputs()))
    note(ofFinish, finish.getArgument(index), tensor, placeOf(last.kernel, index, ofLast));

  maps.push_back(
      placeOf(last.kernel, last.kernel.getInputs().size(), ofLast).replaceDimsAndSymbols(order, {}, loops, 0));
  OpBuilder builder(last.kernel);
  Location loc = builder.getFusedLoc({first.kernel.getLoc(), rows.getLoc(), last.kernel.getLoc()});
  auto attention = aot::AttentionOp::create(builder, loc, last.kernel.getResultTypes(), inputs, last.kernel.getInit(),
                                            builder.getAffineMapArrayAttr(maps),
                                            softmax.zeroRows ? builder.getUnitAttr() : UnitAttr());
  auto open = [&](Region &region) {
    Block *block = builder.createBlock(&region);
    for (Value input : inputs)
      block->addArgument(getElementTypeOrSelf(input.getType()), loc);
    return block;
  };
  auto append = [&](auto &&ops, IRMapping &mapping) {
    for (Operation &op : ops)
      builder.clone(op, mapping);
  };
  // Scores: the first product's epilogue, the operation behind it, and what the softmax makes of its operand.
  Block *scores = open(attention.getScores());
  SmallVector<Value> at;
  for (unsigned index = 0; index < loops; ++index)
    at.push_back(scores->addArgument(builder.getIndexType(), loc));
  IRMapping mapping;
  for (auto [argument, input] : ofScores)
    mapping.map(argument, scores->getArgument(input));
  mapping.map(epilogue.getArguments().back(), scores->addArgument(builder.getF32Type(), loc));
  append(epilogue.without_terminator(), mapping);
  Value score = mapping.lookupOrDefault(epilogue.getTerminator()->getOperand(0));
  if (positions) {
    mapping.map(positions.getMatchingBlockArgument(scoresOperand), score);
    for (Operation &op : positions.getBody()->without_terminator()) {
      auto index = dyn_cast<linalg::IndexOp>(op);
      if (!index) {
        builder.clone(op, mapping);
        continue;
      }
      auto place = dyn_cast<AffineDimExpr>(ofPositions[index.getDim()].replaceDims(order));
      mapping.map(index.getResult(),
                  place ? at[place.getPosition()] : arith::ConstantIndexOp::create(builder, loc, 0).getResult());
    }
    score = mapping.lookupOrDefault(positions.getBody()->getTerminator()->getOperand(0));
  }
  mapping.map(body.getArgument(scoresInput), score);
  append(llvm::make_pointee_range(ofLogits), mapping);
  aot::YieldOp::create(builder, loc, mapping.lookupOrDefault(softmax.logits));

  Block *end = open(attention.getFinish());
  IRMapping toEnd;
  for (auto [argument, input] : ofFinish)
    toEnd.map(argument, end->getArgument(input));
  toEnd.map(finish.getArguments().back(), end->addArgument(builder.getF32Type(), loc));
  append(finish.without_terminator(), toEnd);
  aot::YieldOp::create(builder, loc, toEnd.lookupOrDefault(finish.getTerminator()->getOperand(0)));

  last.kernel->replaceAllUsesWith(attention);
  last.kernel.erase();
  rows.erase();
  if (positions)
    positions.erase();
  first.kernel.erase();
}

namespace {
struct UseFusedAttention : impl::UseFusedAttentionBase<UseFusedAttention> {
  void runOnOperation() override {
    SmallVector<aot::RowsOp> all;
    getOperation().walk([&](aot::RowsOp rows) { all.push_back(rows); });
    for (aot::RowsOp rows : all)
      if (Attention attention(rows); attention.match())
        attention.build();
  }
};
} // namespace
} // namespace onnx_aot
