//===- OutlineKernels.cpp - one function per distinct kernel ------------------------------------------------------===//
//
// Each structured operation moves into an internal function that takes its buffers as bare pointers; operations that
// are equal but for their operands share one. The code of repeated layers exists once, and LLVM compiles many small
// functions instead of one large one. Small operations stay where they are: a call would cost more than it saves.
//
//   aot.kernel "conv" ins(%x, %w : ...) outs(%y : ...)   =>   call @conv_0(%x, %w, %y)
//
// Before: structured operations on memrefs in the entry.  After: those worth a call are alone in functions.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/RegionUtils.h"

namespace onnx_aot {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct OutlineKernels : impl::OutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry)
      return;
    SmallVector<Operation *> worthwhile;
    for (Operation &op : entry.getBody().front())
      if (isa<aot::KernelOp, linalg::GenericOp>(op) && isWorthACall(&op))
        worthwhile.push_back(&op);
    for (Operation *op : worthwhile)
      outline(op);
  }

  /// Whether the operation has a loop nest with more points than a call could ever weigh. A bare pointer carries no
  /// dynamic offset.
  static bool isWorthACall(Operation *op) {
    constexpr double kPoints = 4096;
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
    bool hasDynamicOffset = llvm::any_of(op->getOperandTypes(), [](Type type) {
      auto layout = isa<MemRefType>(type) ? dyn_cast<StridedLayoutAttr>(cast<MemRefType>(type).getLayout())
                                          : StridedLayoutAttr();
      return layout && ShapedType::isDynamic(layout.getOffset());
    });
    if (failed(nest) || hasDynamicOffset)
      return false;
    double points = 1;
    for (const aot::LoopDim &dim : nest->dims)
      points *= dim.extent;
    return points >= kPoints;
  }

  void outline(Operation *op) {
    // What a body uses from outside is constant (and goes along) or becomes an argument.
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    SmallVector<Value> arguments(op->getOperands());
    for (Value value : captured) {
      Operation *definition = value.getDefiningOp();
      if (definition && definition->hasTrait<OpTrait::ConstantLike>())
        sinkConstant(op, value, definition);
      else
        arguments.push_back(value);
    }
    func::FuncOp function = arguments.size() == op->getNumOperands() ? findEqual(op) : func::FuncOp();
    if (!function)
      function = makeFunction(op, arguments);
    OpBuilder builder(op);
    func::CallOp::create(builder, op->getLoc(), function, arguments);
    op->erase();
  }

  /// Gives every region of `op` that uses the constant a copy of its own.
  static void sinkConstant(Operation *op, Value value, Operation *definition) {
    for (Region &region : op->getRegions()) {
      bool used = llvm::any_of(value.getUses(), [&](OpOperand &use) {
        return region.isAncestor(use.getOwner()->getParentRegion());
      });
      if (!used)
        continue;
      OpBuilder builder(&region.front(), region.front().begin());
      Value copy = builder.clone(*definition)->getResult(0);
      value.replaceUsesWithIf(
          copy, [&](OpOperand &use) { return region.isAncestor(use.getOwner()->getParentRegion()); });
    }
  }

  func::FuncOp findEqual(Operation *op) {
    for (auto &[function, body] : outlined)
      if (function.getNumArguments() == op->getNumOperands() &&
          llvm::equal(body->getOperandTypes(), op->getOperandTypes()) && areEqual(body, op))
        return function;
    return nullptr;
  }

  /// Whether the operations differ in nothing but their operands: what is computed inside must be wired alike.
  static bool areEqual(Operation *left, Operation *right) {
    DenseMap<Value, Value> counterpart; // of the values inside
    auto check = [&](Value a, Value b) {
      auto found = counterpart.find(a);
      return success(found == counterpart.end() ? !counterpart.contains(b) : found->second == b);
    };
    auto mark = [&](Value a, Value b) { counterpart[a] = b; };
    return OperationEquivalence::isEquivalentTo(left, right, check, mark, OperationEquivalence::IgnoreLocations);
  }

  func::FuncOp makeFunction(Operation *op, ArrayRef<Value> arguments) {
    auto kernel = dyn_cast<aot::KernelOp>(op);
    std::string name = ((kernel ? kernel.getKind() : "elementwise") + "_" + Twine(outlined.size())).str();
    OpBuilder builder(getOperation().getBody(), getOperation().getBody()->end());
    auto type = builder.getFunctionType(ValueRange(arguments).getTypes(), {});
    auto function = func::FuncOp::create(builder, op->getLoc(), name, type);
    function.setPrivate();
    function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    for (auto [value, argument] : llvm::zip(arguments, body->getArguments()))
      mapping.map(value, argument);
    Operation *clone = builder.clone(*op, mapping);
    // The same buffer may be passed for several operands; each has its own argument.
    for (auto [index, operand] : llvm::enumerate(clone->getOpOperands()))
      operand.set(body->getArgument(index));
    func::ReturnOp::create(builder, op->getLoc());
    outlined.push_back({function, clone});
    return function;
  }

  std::vector<std::pair<func::FuncOp, Operation *>> outlined;
};
} // namespace
} // namespace onnx_aot
