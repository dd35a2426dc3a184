//===- InferShapes.cpp - folding and shape refinement in one walk -------------------------------------------------===//
//
// Imported types are as precise as the graph alone allows; once input dims are fixed, more can be known. Operations are
// visited in order, bodies before the operator around them: each is folded if its operands are constant by now (so that
// chains such as Shape -> Gather -> Concat -> Reshape vanish), otherwise its result types are computed anew from its
// operands' and refined. The branch that a constant condition takes replaces its If: the other one's shapes do not
// matter. Dims may be symbolic (ShapeAnalysis); a small integer tensor whose elements turn out to be numbers
// nevertheless becomes a constant. Sequences and optionals are replaced by tensors on the way (ResolveSequences.h).
//
// Before: types as imported.  After: no operation's types can be refined further.
//
//   %s = onnx.Shape %x : (tensor<2x3xf32>) -> tensor<1xi64>     =>  %s = onnx.Constant dense<[2, 3]> : tensor<2xi64>
//   %r = onnx.Reshape %x, %s : ... -> tensor<*xf32>             =>  ... -> tensor<2x3xf32>
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/ShapeAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/FoldUtils.h"
#include "passes/graph/ResolveSequences.h"
#include "llvm/Support/Threading.h"

namespace onnx_aot {
#define GEN_PASS_DEF_INFERSHAPES
#include "passes/graph/Passes.h.inc"

using namespace mlir;

namespace {
/// One walk over a function.
class ShapeWalk {
public:
  explicit ShapeWalk(func::FuncOp function)
      : folder(function.getContext()),
        sequences(shapes, [this](Block::iterator first, Block::iterator last) { return visit(first, last); }) {
    shapes.addArguments(function);
  }

  LogicalResult run(func::FuncOp function) {
    if (failed(visit(function.getBody().front())))
      return failure();
    return sequences.finish(function);
  }

private:
  LogicalResult visit(Block &block) { return visit(block.begin(), block.end()); }

  /// Visits operations in order, and of each operation the bodies first.
  LogicalResult visit(Block::iterator first, Block::iterator last) {
    bool isBad = false;
    for (Block::iterator next = first; next != last;) {
      Operation *op = &*next++;
      if (!isa<onnx::OnnxOpInterface>(op) || succeeded(folder.tryToFold(op)))
        continue;
      if (auto branches = dyn_cast<onnx::IfOp>(op))
        if (Region *taken = branches.getTakenBranch()) {
          next = replaceByBody(op, taken->front());
          continue;
        }
      if (SequenceResolver::concerns(op)) {
        FailureOr<Block::iterator> after = sequences.resolve(op);
        isBad |= failed(after);
        if (succeeded(after))
          next = *after;
        continue;
      }
      if (auto branches = dyn_cast<onnx::IfOp>(op)) {
        FailureOr<Region *> only = visitBranches(branches);
        isBad |= failed(only);
        if (succeeded(only) && *only) {
          next = replaceByBody(op, (*only)->front());
          continue;
        }
      } else if (failed(visitBodies(op))) {
        isBad = true;
      }
      isBad |= failed(refine(op));
      becomeConstant(op);
    }
    return failure(isBad);
  }

  //===-- Bodies --------------------------------------------------------------------------------------------------===//

  LogicalResult visitBodies(Operation *op) {
    auto loop = dyn_cast<onnx::LoopOp>(op);
    // What a body would do to shapes does not matter where it never runs.
    if (loop && loop.getTripCount() == 0)
      return failed(loop.refineBody()) ? failure() : visit(loop.getBody().front());
    if (loop)
      return visitRepeated(
          op, loop.getBody(), [&] { return loop.refineBody(); }, loop.getVInitial().size(), 2, 1);
    if (auto scan = dyn_cast<onnx::ScanOp>(op))
      return visitRepeated(
          op, scan.getBody(), [&] { return scan.refineBody(); }, scan.getNumStates(), 0, 0);
    bool isBad = false;
    for (Region &body : op->getRegions())
      if (!body.empty()) // an optional one
        isBad |= failed(visit(body.front()));
    return failure(isBad);
  }

  /// The body of a loop begins with the types of the initial values. Where an iteration makes another one of a carried
  /// value, the body is visited anew with what both have in common, until nothing changes. `argument` and `value` are
  /// the places of the first carried value among the body's inputs and outputs.
  LogicalResult visitRepeated(Operation *op, Region &body, llvm::function_ref<LogicalResult()> refineBody,
                              unsigned carried, unsigned argument, unsigned value) {
    if (failed(refineBody()))
      return failure();
    Operation *terminator = body.front().getTerminator();
    if (body.getNumArguments() < carried + argument || terminator->getNumOperands() < carried + value)
      return visit(body.front()); // the inference reports it
    while (true) {
      Region before;
      IRMapping mapping;
      if (carried > 0)
        body.cloneInto(&before, mapping);
      if (failed(visit(body.front())) || failed(adoptDeclared(op, body, carried, argument, value)))
        return failure();
      SmallVector<Type> wider;
      bool isStable = true;
      for (unsigned index = 0; index < carried; ++index) {
        Type start = body.getArgument(argument + index).getType();
        Type next = body.front().getTerminator()->getOperand(value + index).getType();
        wider.push_back(commonType(start, next));
        isStable &= wider.back() == start;
      }
      if (isStable)
        return success();
      body.walk([&](Operation *inner) { shapes.forget(inner); });
      body.takeBody(before);
      for (Operation &inner : body.front())
        openTypes(&inner);
      for (auto [index, type] : llvm::enumerate(wider))
        body.getArgument(argument + index).setType(type);
    }
  }

  /// An iteration may make values of an extent that depends on data, and that the model says is always the same: of a
  /// carried value the extent that it had before, of a collected one any. Then the value is viewed under the declared
  /// shape, which a run checks.
  LogicalResult adoptDeclared(Operation *op, Region &body, unsigned carried, unsigned argument, unsigned value) {
    auto yield = cast<onnx::YieldOp>(body.front().getTerminator());
    std::optional<ArrayAttr> declared = yield.getDeclared();
    if (!declared || declared->size() != yield.getValues().size())
      return success();
    for (unsigned index = value; index < yield.getValues().size(); ++index) {
      auto type = dyn_cast<RankedTensorType>(cast<TypeAttr>((*declared)[index]).getValue());
      auto present = dyn_cast<RankedTensorType>(yield.getValues()[index].getType());
      if (!type || !type.hasStaticShape() || !present || present.hasStaticShape() ||
          failed(verifyCompatibleShape(type, present)))
        continue;
      auto isKnown = [&](onnx::Dim dim) { return shapes.isKnownBefore(op, dim); };
      bool isCarried = index < value + carried;
      if (isCarried ? body.getArgument(index - value + argument).getType() != type
                    : llvm::all_of(shapes.shapeOf(yield.getValues()[index]), isKnown))
        continue;
      Operation *before = yield->getPrevNode();
      OpBuilder builder(yield);
      TensorOps ops(builder, yield.getLoc());
      yield->setOperand(index, ops.reshape(yield.getValues()[index], ops.integers(type.getShape())));
      if (failed(visit(before ? std::next(Block::iterator(before)) : body.front().begin(), Block::iterator(yield))))
        return failure();
    }
    return success();
  }

  /// The most precise type that values of both types have.
  static Type commonType(Type a, Type b) {
    auto first = dyn_cast<RankedTensorType>(a), second = dyn_cast<RankedTensorType>(b);
    if (a == b || getElementTypeOrSelf(a) != getElementTypeOrSelf(b)) // the inference reports the latter
      return a;
    if (!first || !second || first.getRank() != second.getRank())
      return UnrankedTensorType::get(getElementTypeOrSelf(a));
    SmallVector<int64_t> dims;
    for (auto [x, y] : llvm::zip(first.getShape(), second.getShape()))
      dims.push_back(x == y ? x : ShapedType::kDynamic);
    return first.clone(dims);
  }

  /// A squeeze of a dim that is not known to be 1 is exported as an If: the dim is removed where it is 1, and stays
  /// elsewhere. The rank would depend on data then, which no other operator could work with: the dim is taken to be 1,
  /// which the run checks. Null for any other If.
  Region *squeezingBranch(onnx::IfOp op) {
    Operation *ends[2] = {op.getThenBranch().front().getTerminator(), op.getElseBranch().front().getTerminator()};
    for (unsigned branch : {0, 1}) {
      auto squeezes = [&](unsigned index) {
        Value kept = ends[1 - branch]->getOperand(index);
        while (auto identity = kept.getDefiningOp<onnx::IdentityOp>())
          kept = identity.getInput();
        auto squeeze = ends[branch]->getOperand(index).getDefiningOp<onnx::SqueezeOp>();
        return squeeze && squeeze.getData() == kept && isa<RankedTensorType>(squeeze.getType()) &&
               isa<RankedTensorType>(kept.getType());
      };
      if (op->getNumResults() == 0 || !llvm::all_of(llvm::seq(0u, op->getNumResults()), squeezes))
        continue;
      op.emitWarning("the rank of its output depends on data; it is compiled for the rank after the Squeeze, and a run "
                     "for which the condition takes the other branch will fail");
      OpBuilder builder(op);
      onnx::RequireOp::create(builder, op.getLoc(), op.getCond(), /*expected=*/branch == 0, "shape_mismatch");
      return branch == 0 ? &op.getThenBranch() : &op.getElseBranch();
    }
    return nullptr;
  }

  /// Visits both branches of an If. With these shapes one of them may contradict itself: a model that tells the rank of
  /// its input apart, say. Then the run must not take it, which is checked, and the other one is returned.
  FailureOr<Region *> visitBranches(onnx::IfOp op) {
    struct Complaint {
      Location loc;
      std::string text;
    };
    SmallVector<Complaint> complaints[2];
    Region *branches[2] = {&op.getThenBranch(), &op.getElseBranch()};
    bool isBad[2], isLacking = false;
    for (auto [branch, list, bad] : llvm::zip(branches, complaints, isBad)) {
      uint64_t thread = llvm::get_threadid();
      ScopedDiagnosticHandler collect(op.getContext(), [&, &list = list](Diagnostic &diagnostic) {
        if (llvm::get_threadid() != thread || diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return failure();
        list.push_back({diagnostic.getLocation(), diagnostic.str()});
        isLacking |= StringRef(list.back().text).starts_with("unsupported");
        return success();
      });
      bad = failed(visit(branch->front()));
    }
    if (!isBad[0] && !isBad[1])
      return squeezingBranch(op);
    if ((isBad[0] && isBad[1]) || isLacking) {
      for (ArrayRef<Complaint> list : complaints)
        for (const Complaint &complaint : list)
          emitError(complaint.loc) << complaint.text;
      return failure();
    }
    int bad = isBad[0] ? 0 : 1;
    for (const Complaint &complaint : complaints[bad])
      emitWarning(complaint.loc) << complaint.text << "; a run that takes this branch of an If will fail";
    OpBuilder builder(op);
    onnx::RequireOp::create(builder, op.getLoc(), op.getCond(), /*expected=*/bad == 1, "shape_mismatch");
    branches[bad]->walk([&](Operation *inner) { shapes.forget(inner); });
    return branches[1 - bad];
  }

  /// Puts the operations of `body` in the place of `op`; returns the first of them, or what follows.
  Block::iterator replaceByBody(Operation *op, Block &body) {
    Operation *terminator = body.getTerminator();
    Block::iterator before(op), first = body.begin();
    if (first == Block::iterator(terminator))
      first = std::next(before);
    op->getBlock()->getOperations().splice(before, body.getOperations(), body.begin(), Block::iterator(terminator));
    for (auto [result, value] : llvm::zip(op->getResults(), terminator->getOperands()))
      result.replaceAllUsesWith(value);
    shapes.forget(op);
    op->erase();
    return first;
  }

  /// Replaces a result whose elements are all known, which need not be because the operands are constant: one element
  /// of the shape of ?x3.
  void becomeConstant(Operation *op) {
    for (Value result : op->getResults()) {
      const onnx::Shape *elements = shapes.recordedElements(result);
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!elements || result.use_empty() || !llvm::all_of(*elements, [](onnx::Dim dim) { return dim.isKnown(); }))
        continue;
      unsigned width = type.getElementTypeBitWidth();
      auto values = llvm::map_to_vector(
          *elements, [&](onnx::Dim dim) { return APInt(64, uint64_t(dim.get())).zextOrTrunc(width); });
      OpBuilder builder(op->getContext());
      builder.setInsertionPointAfter(op);
      result.replaceAllUsesWith(
          onnx::ConstantOp::create(builder, op->getLoc(), type, DenseElementsAttr::get(type, values)));
    }
  }

  LogicalResult refine(Operation *op) {
    FailureOr<SmallVector<Type>> types = shapes.record(op);
    if (failed(types))
      return failure();
    for (auto [result, type] : llvm::zip(op->getResults(), *types))
      if (isMorePrecise(type, result.getType()))
        result.setType(type);
    return success();
  }

  /// A type is replaced by one that says more, never by one that says less.
  static bool isMorePrecise(Type next, Type present) {
    auto ranked = dyn_cast<RankedTensorType>(next);
    auto before = dyn_cast<RankedTensorType>(present);
    if (!ranked || next == present)
      return false;
    return !before || ranked.getNumDynamicDims() < before.getNumDynamicDims();
  }

  OperationFolder folder;
  onnx::ShapeAnalysis shapes;
  SequenceResolver sequences;
};

struct InferShapes : impl::InferShapesBase<InferShapes> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (failed(ShapeWalk(function).run(function)))
      return signalPassFailure();
    adoptDeclarations(function);
    refineSignature(function);
  }

  /// An output whose shape depends on data has the shape that the model declares, if it declares one: the operator's
  /// lowering decides whether that is all it needs to know.
  static void adoptDeclarations(func::FuncOp function) {
    for (auto [index, operand] : llvm::enumerate(function.getBody().back().getTerminator()->getOperands())) {
      auto declared = function.getResultAttrOfType<TypeAttr>(index, "onnx.declared");
      auto present = dyn_cast<RankedTensorType>(operand.getType());
      bool isOpen = !present || !present.hasStaticShape();
      if (declared && isOpen && succeeded(verifyCompatibleShape(declared.getValue(), operand.getType())) &&
          isa_and_nonnull<onnx::OnnxOpInterface>(operand.getDefiningOp()))
        operand.setType(declared.getValue());
      function.removeResultAttr(index, StringAttr::get(function.getContext(), "onnx.declared"));
    }
  }

  static void refineSignature(func::FuncOp function) {
    Operation *terminator = function.getBody().back().getTerminator();
    function.setType(
        FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), terminator->getOperandTypes()));
  }
};
} // namespace
} // namespace onnx_aot
