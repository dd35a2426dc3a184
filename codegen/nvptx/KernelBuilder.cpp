//===- KernelBuilder.cpp - a kernel of the device, and its launch -------------------------------------------------===//
//
// See KernelBuilder.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/KernelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace onnx_aot;

KernelBuilder::KernelBuilder(const DeviceContext &context, Operation *op, StringRef kind)
    : b(op->getLoc(), op->getContext()), host(op->getLoc(), op), context(context) {
  ModuleOp module = context.module;
  SymbolTable symbols(module);
  b.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(b, kind, b.getFunctionType({}, {}));
  symbols.insert(function); // which makes its name unique
  b.setInsertionPointToStart(function.addEntryBlock());
}

//===-- What the host passes --------------------------------------------------------------------------------------===//

Value KernelBuilder::argument(Value value, Type type) {
  passed.push_back(value);
  return function.getBody().front().addArgument(type, b.getLoc());
}

Value KernelBuilder::passElements(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  Value base = argument(buffer, MemRefType::get({}, type.getElementType()));
  return memref::ReinterpretCastOp::create(b, MemRefType::get({kElements}, type.getElementType()), base, /*offset=*/0,
                                           ArrayRef<int64_t>{kElements}, ArrayRef<int64_t>{1});
}

Value KernelBuilder::passIndex(Value value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return index(*constant);
  // Later code may stand in another region.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  return arith::IndexCastOp::create(b, b.getIndexType(), argument(value, b.getI32Type()));
}

Value KernelBuilder::pass(Value value) {
  Type type = value.getType();
  if (type.isIndex())
    return passIndex(value);
  if (type.isInteger(1)) {
    Value wide = argument(arith::ExtUIOp::create(host, host.getI32Type(), value), b.getI32Type());
    return arith::TruncIOp::create(b, b.getI1Type(), wide);
  }
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return argument(value, type);
  auto metadata = memref::ExtractStridedMetadataOp::create(host, value);
  Value base = argument(metadata.getBaseBuffer(), MemRefType::get({}, memref.getElementType()));
  auto number = [&](OpFoldResult size) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    return constant ? OpFoldResult(b.getIndexAttr(*constant)) : OpFoldResult(passIndex(cast<Value>(size)));
  };
  SmallVector<OpFoldResult> sizes, strides;
  for (OpFoldResult size : metadata.getConstifiedMixedSizes())
    sizes.push_back(number(size));
  for (OpFoldResult stride : metadata.getConstifiedMixedStrides())
    strides.push_back(number(stride));
  OpFoldResult offset = number(metadata.getConstifiedMixedOffset());
  // The type is as open as the numbers; users want that of the host.
  Value buffer = memref::ReinterpretCastOp::create(b, base, offset, sizes, strides);
  return buffer.getType() == type ? buffer : Value(memref::CastOp::create(b, type, buffer));
}

Value KernelBuilder::passTensorMap(Value buffer, Value offset, ValueRange extents, ValueRange strides,
                                   ArrayRef<int64_t> box) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value map = aot::TensorMapOp::create(host, pointer, context.runtime, buffer, offset, extents, strides, box);
  return argument(map, pointer);
}

void KernelBuilder::passCaptured(MutableArrayRef<Region> regions, IRMapping &mapping) {
  SetVector<Value> captured;
  getUsedValuesDefinedAbove(regions, captured);
  for (Value value : captured) {
    Operation *definition = value.getDefiningOp();
    bool isConstant = definition && definition->hasTrait<OpTrait::ConstantLike>();
    if (!mapping.contains(value))
      mapping.map(value, isConstant ? b.clone(*definition)->getResult(0) : pass(value));
  }
}

//===-- The device ------------------------------------------------------------------------------------------------===//

Value KernelBuilder::index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

template <typename Register> static Value readRegister(ImplicitLocOpBuilder &b) {
  return arith::IndexCastUIOp::create(b, b.getIndexType(), Register::create(b, b.getI32Type()));
}

Value KernelBuilder::threadX() { return readRegister<NVVM::ThreadIdXOp>(b); }
Value KernelBuilder::blockX() { return readRegister<NVVM::BlockIdXOp>(b); }
void KernelBuilder::barrier() { NVVM::Barrier0Op::create(b); }

Value KernelBuilder::shuffleXor(Value value, int64_t mask) {
  Type type = value.getType(), i32 = b.getI32Type();
  unsigned bits = type.getIntOrFloatBitWidth();
  auto number = [&](int64_t x) { return arith::ConstantIntOp::create(b, x, 32).getResult(); };
  auto exchange = [&](Value word) -> Value {
    return NVVM::ShflOp::create(b, word.getType(), number(-1), word, number(mask), number(kWarp - 1),
                                NVVM::ShflKind::bfly, UnitAttr());
  };
  if (type.isF32() || type == i32)
    return exchange(value);
  Type integer = b.getIntegerType(bits);
  Value raw = isa<FloatType>(type) ? Value(arith::BitcastOp::create(b, integer, value)) : value;
  Value result;
  if (bits < 32) {
    result = arith::TruncIOp::create(b, integer, exchange(arith::ExtUIOp::create(b, i32, raw)));
  } else {
    Value shift = arith::ConstantIntOp::create(b, 32, bits);
    Value low = exchange(arith::TruncIOp::create(b, i32, raw));
    Value high = exchange(arith::TruncIOp::create(b, i32, arith::ShRUIOp::create(b, raw, shift)));
    result = arith::OrIOp::create(b, arith::ExtUIOp::create(b, integer, low),
                                  arith::ShLIOp::create(b, arith::ExtUIOp::create(b, integer, high), shift));
  }
  return isa<FloatType>(type) ? Value(arith::BitcastOp::create(b, type, result)) : result;
}

Value KernelBuilder::shared(ArrayRef<int64_t> shape, Type element, int64_t alignment) {
  ModuleOp module = context.module;
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(), b.getI64IntegerAttr(3));
  // Kernels with the same memory share its name, so that equal ones are equal; each kernel has its own all the same.
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << "shared_" << sharedMemories++;
  for (int64_t extent : shape)
    stream << "_" << extent;
  stream << "_" << element;
  if (!module.lookupSymbol(name)) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    memref::GlobalOp::create(top, b.getLoc(), top.getStringAttr(name), top.getStringAttr("private"),
                             TypeAttr::get(type), top.getUnitAttr(), UnitAttr(), top.getI64IntegerAttr(alignment));
  }
  return memref::GetGlobalOp::create(b, type, name);
}

Value KernelBuilder::isHopper() {
  ModuleOp module = context.module;
  if (!module.lookupSymbol(aot::kIsHopper)) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    auto declared = func::FuncOp::create(top, b.getLoc(), aot::kIsHopper, top.getFunctionType({}, {top.getI1Type()}));
    declared.setPrivate();
  }
  return func::CallOp::create(b, aot::kIsHopper, TypeRange(b.getI1Type()), ValueRange()).getResult(0);
}

Value KernelBuilder::launchedShared(int64_t bytes, int64_t alignment) {
  constexpr llvm::StringLiteral kName = "launched_shared_memory";
  constexpr unsigned kShared = unsigned(NVVM::NVVMMemorySpace::Shared);
  ModuleOp module = context.module;
  if (!module.lookupSymbol(kName)) {
    OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
    LLVM::GlobalOp::create(top, b.getLoc(), LLVM::LLVMArrayType::get(top.getI8Type(), 0), /*isConstant=*/false,
                           LLVM::Linkage::External, kName, Attribute(), /*alignment=*/16, kShared);
  }
  // It begins behind the kernel's own memory.
  launchedBytes = bytes + alignment;
  Value start = LLVM::AddressOfOp::create(b, LLVM::LLVMPointerType::get(b.getContext(), kShared), kName);
  Value address = LLVM::PtrToIntOp::create(b, b.getI32Type(), start);
  auto number = [&](int64_t value) { return arith::ConstantIntOp::create(b, value, 32).getResult(); };
  return arith::AndIOp::create(b, arith::AddIOp::create(b, address, number(alignment - 1)), number(-alignment));
}

void KernelBuilder::emitIf(Value condition, llvm::function_ref<void()> body, llvm::function_ref<void()> otherwise) {
  auto ifOp = scf::IfOp::create(b, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  body();
  if (!otherwise)
    return;
  b.setInsertionPointToStart(ifOp.elseBlock());
  otherwise();
}

SmallVector<Value> KernelBuilder::emitFor(Value low, Value high, Value step, ValueRange carried,
                                          llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, low, high, step, carried);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (carried.empty()) {
    b.setInsertionPointToEnd(loop.getBody());
    return {};
  }
  scf::YieldOp::create(b, next);
  return loop.getResults();
}

Value KernelBuilder::workspace(Value count, Type element) {
  Value zero = arith::ConstantIndexOp::create(host, 0); // the slot too, until the mapper gives one
  Value size = arith::ConstantIndexOp::create(host, llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
  auto bytes = MemRefType::get({ShapedType::kDynamic}, host.getI8Type());
  Value memory =
      aot::DeviceMemoryOp::create(host, bytes, context.runtime, zero, host.createOrFold<arith::MulIOp>(count, size));
  return memref::ViewOp::create(host, MemRefType::get({ShapedType::kDynamic}, element), memory, zero, count);
}

SmallVector<Value> KernelBuilder::emitUnrolledFor(Value low, Value high, int64_t step, int64_t times,
                                                  ValueRange carried,
                                                  llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  if (times == 1)
    return emitFor(low, high, index(step), carried, body);
  SmallVector<Value> values(carried);
  values.push_back(low); // where the rest begins
  Value lastWhole = b.createOrFold<arith::SubIOp>(high, index((times - 1) * step));
  values = emitFor(low, lastWhole, index(times * step), values, [&](Value iv, ValueRange inner) {
    SmallVector<Value> next(inner.drop_back());
    for (int64_t number = 0; number < times; ++number)
      next = body(b.createOrFold<arith::AddIOp>(iv, index(number * step)), next);
    next.push_back(b.createOrFold<arith::AddIOp>(iv, index(times * step)));
    return next;
  });
  Value rest = values.pop_back_val();
  return emitFor(rest, high, index(step), values, body);
}

//===-- The launch ------------------------------------------------------------------------------------------------===//

void KernelBuilder::launch(ArrayRef<Value> blocks, int64_t threads) {
  ModuleOp module = context.module;
  Block &body = function.getBody().front();
  b.setInsertionPointToEnd(&body);
  func::ReturnOp::create(b);
  function.setType(b.getFunctionType(body.getArgumentTypes(), {}));
  function->setAttr(aot::kThreadsAttr, b.getI64IntegerAttr(threads));
  if (launchedBytes != 0)
    function->setAttr(aot::kSharedBytesAttr, b.getI64IntegerAttr(launchedBytes));
  for (auto [index, value] : llvm::enumerate(passed))
    if (value.getDefiningOp<aot::TensorMapOp>())
      function.setArgAttr(unsigned(index), aot::kTensorMapAttr, b.getUnitAttr());

  func::FuncOp callee = function;
  for (auto other : module.getOps<func::FuncOp>()) {
    if (other == function || other.getFunctionType() != function.getFunctionType() ||
        other->getAttr(aot::kThreadsAttr) != function->getAttr(aot::kThreadsAttr) ||
        other->getAttr(aot::kSharedBytesAttr) != function->getAttr(aot::kSharedBytesAttr) ||
        other.getArgAttrsAttr() != function.getArgAttrsAttr() ||
        !OperationEquivalence::isRegionEquivalentTo(&other.getBody(), &function.getBody(),
                                                    OperationEquivalence::IgnoreLocations))
      continue;
    callee = other;
    function.erase();
    break;
  }
  Value one = arith::ConstantIndexOp::create(host, 1);
  std::array<Value, 3> grid{one, one, one};
  llvm::copy(blocks, grid.begin());
  aot::LaunchOp::create(host, context.runtime, FlatSymbolRefAttr::get(callee.getSymNameAttr()), grid[0], grid[1],
                        grid[2], host.getI64IntegerAttr(threads), host.getI64IntegerAttr(launchedBytes), passed);
}
