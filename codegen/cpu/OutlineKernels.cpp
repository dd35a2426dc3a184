//===- OutlineKernels.cpp - one function per distinct kernel ------------------------------------------------------===//
//
// Each structured operation moves into an internal function that takes its buffers as bare pointers; operations that
// are equal but for their operands share one. The code of repeated layers exists once, and LLVM compiles many small
// functions instead of one large one. Small operations stay where they are: a call would cost more than it saves.
//
//   aot.kernel "conv" ins(%x, %w : ...) outs(%y : ...)   =>   call @conv_0(%x, %w, %y)
//
// A bare pointer carries no extents: of a buffer whose extents, strides or offset only the run knows, the base goes to
// the function, followed by these numbers, and the function makes the buffer anew (memref.reinterpret_cast).
//
// Before: structured operations on memrefs in the entry.  After: those worth a call are alone in functions.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/buffer/DescribeLayers.h"

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
    collect(entry.getBody().front(), worthwhile);
    for (Operation *op : worthwhile)
      outline(op);
  }

  /// Those of the entry and of its loops over strips of rows.
  static void collect(Block &block, SmallVectorImpl<Operation *> &worthwhile) {
    for (Operation &op : block)
      if (op.hasAttr(aot::kStripsAttr))
        collect(op.getRegion(0).front(), worthwhile);
      else if (isa<aot::WinogradOp, aot::ResampleOp, aot::GeneratedOp>(op) ||
               (isa<aot::KernelOp, linalg::GenericOp>(op) && isWorthACall(&op)))
        worthwhile.push_back(&op);
  }

  /// Whether the operation has a loop nest with more points than a call could ever weigh.
  static bool isWorthACall(Operation *op) {
    constexpr double kPoints = 4096;
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
    if (failed(nest))
      return false;
    double points = 1;
    for (const aot::LoopDim &dim : nest->dims)
      points *= dim.extent.estimate();
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
    // Which layer it is does not make it another kernel.
    Attribute layer = op->removeDiscardableAttr(kLayerAttr);
    func::FuncOp function = arguments.size() == op->getNumOperands() ? findEqual(op) : func::FuncOp();
    if (!function)
      function = makeFunction(op, arguments);
    if (layer) {
      auto known = function->getAttrOfType<ArrayAttr>(kLayersAttr);
      SmallVector<Attribute> layers = known ? llvm::to_vector(known) : SmallVector<Attribute>();
      layers.push_back(layer);
      function->setAttr(kLayersAttr, ArrayAttr::get(&getContext(), layers));
    }
    OpBuilder builder(op);
    SmallVector<Value> passed;
    for (Value argument : arguments)
      pass(builder, op->getLoc(), argument, passed);
    func::CallOp::create(builder, op->getLoc(), function, passed);
    op->erase();
  }

  /// The layout of a buffer that no bare pointer can stand for.
  struct DynamicLayout {
    MemRefType type;
    SmallVector<int64_t> strides;
    int64_t offset = 0;

    explicit DynamicLayout(Type argument) : type(dyn_cast<MemRefType>(argument)) {
      if (type)
        (void)type.getStridesAndOffset(strides, offset);
      if (!type ||
          (type.hasStaticShape() && !ShapedType::isDynamic(offset) && llvm::none_of(strides, ShapedType::isDynamic)))
        type = MemRefType();
    }
    explicit operator bool() const { return bool(type); }
    /// Strides that the extents do not give.
    bool passesStrides() const { return !type.getLayout().isIdentity(); }
  };

  /// Adds to `passed` what a function gets for `argument`.
  static void pass(OpBuilder &builder, Location loc, Value argument, SmallVectorImpl<Value> &passed) {
    DynamicLayout layout(argument.getType());
    if (!layout) {
      passed.push_back(argument);
      return;
    }
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, argument);
    passed.push_back(metadata.getBaseBuffer());
    if (ShapedType::isDynamic(layout.offset))
      passed.push_back(metadata.getOffset());
    for (auto [dim, size] : llvm::enumerate(layout.type.getShape())) {
      if (ShapedType::isDynamic(size))
        passed.push_back(metadata.getSizes()[dim]);
      if (layout.passesStrides() && ShapedType::isDynamic(layout.strides[dim]))
        passed.push_back(metadata.getStrides()[dim]);
    }
  }

  static SmallVector<OpFoldResult> denseStrides(OpBuilder &builder, Location loc, const DynamicLayout &layout,
                                                ArrayRef<OpFoldResult> sizes) {
    SmallVector<OpFoldResult> strides(sizes.size(), builder.getIndexAttr(1));
    for (int64_t dim = int64_t(sizes.size()) - 2; dim >= 0; --dim) {
      if (!ShapedType::isDynamic(layout.strides[dim])) {
        strides[dim] = builder.getIndexAttr(layout.strides[dim]);
        continue;
      }
      Value inner = getValueOrCreateConstantIndexOp(builder, loc, strides[dim + 1]);
      Value extent = getValueOrCreateConstantIndexOp(builder, loc, sizes[dim + 1]);
      strides[dim] = arith::MulIOp::create(builder, loc, inner, extent).getResult();
    }
    return strides;
  }

  /// The counterpart of pass(): takes as many arguments of the function's, of which more are made here, as there are.
  static Value receive(OpBuilder &builder, Location loc, Type type, Block *body) {
    DynamicLayout layout(type);
    if (!layout)
      return body->addArgument(type, loc);
    Type index = builder.getIndexType();
    Value base = body->addArgument(MemRefType::get({}, layout.type.getElementType()), loc);
    OpFoldResult offset = builder.getIndexAttr(layout.offset);
    if (ShapedType::isDynamic(layout.offset))
      offset = body->addArgument(index, loc);
    int64_t rank = layout.type.getRank();
    SmallVector<OpFoldResult> sizes(rank), strides(rank);
    for (int64_t dim = 0; dim < rank; ++dim) {
      sizes[dim] = builder.getIndexAttr(layout.type.getDimSize(dim));
      if (layout.type.isDynamicDim(dim))
        sizes[dim] = body->addArgument(index, loc);
      if (!layout.passesStrides())
        continue;
      strides[dim] = builder.getIndexAttr(layout.strides[dim]);
      if (ShapedType::isDynamic(layout.strides[dim]))
        strides[dim] = body->addArgument(index, loc);
    }
    if (!layout.passesStrides())
      strides = denseStrides(builder, loc, layout, sizes);
    return memref::ReinterpretCastOp::create(builder, loc, layout.type, base, offset, sizes, strides);
  }

  /// Gives every region of `op` that uses the constant a copy of its own.
  static void sinkConstant(Operation *op, Value value, Operation *definition) {
    for (Region &region : op->getRegions()) {
      bool used = llvm::any_of(value.getUses(),
                               [&](OpOperand &use) { return region.isAncestor(use.getOwner()->getParentRegion()); });
      if (!used)
        continue;
      OpBuilder builder(&region.front(), region.front().begin());
      Value copy = builder.clone(*definition)->getResult(0);
      value.replaceUsesWithIf(copy,
                              [&](OpOperand &use) { return region.isAncestor(use.getOwner()->getParentRegion()); });
    }
  }

  func::FuncOp findEqual(Operation *op) {
    for (auto &[function, body] : outlined)
      if (body->getNumOperands() == op->getNumOperands() && captures[function] == 0 &&
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
    auto generated = dyn_cast<aot::GeneratedOp>(op);
    StringRef kind = kernel                     ? kernel.getKind()
                     : generated                ? generated.getKind()
                     : isa<aot::WinogradOp>(op) ? "winograd"
                     : isa<aot::ResampleOp>(op) ? "resample"
                                                : "elementwise";
    std::string name = (kind + "_" + Twine(outlined.size())).str();
    OpBuilder builder(getOperation().getBody(), getOperation().getBody()->end());
    auto function = func::FuncOp::create(builder, op->getLoc(), name, builder.getFunctionType({}, {}));
    function.setPrivate();
    function->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));
    function->setAttr("passthrough", builder.getStrArrayAttr({"noinline"}));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    IRMapping mapping;
    SmallVector<Value> received;
    for (Value value : arguments) {
      received.push_back(receive(builder, op->getLoc(), value.getType(), body));
      mapping.map(value, received.back());
    }
    Operation *clone = builder.clone(*op, mapping);
    // The same buffer may be passed for several operands; each has its own argument.
    for (auto [index, operand] : llvm::enumerate(clone->getOpOperands()))
      operand.set(received[index]);
    func::ReturnOp::create(builder, op->getLoc());
    function.setType(builder.getFunctionType(body->getArgumentTypes(), {}));
    captures[function] = arguments.size() - op->getNumOperands();
    outlined.push_back({function, clone});
    return function;
  }

  std::vector<std::pair<func::FuncOp, Operation *>> outlined;
  /// How many values from outside a function takes apart from its operation's operands.
  DenseMap<Operation *, size_t> captures;
};
} // namespace
} // namespace onnx_aot
