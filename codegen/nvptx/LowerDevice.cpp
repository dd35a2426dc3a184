//===- LowerDevice.cpp - the device's operations become calls of the runtime --------------------------------------===//
//
// Each becomes a call of runtime_lib/platform/cuda, whose first argument is the context. What a kernel gets lies in
// cells of the stack, and an array there has their addresses: both are made once and used by all launches, because the
// driver copies what it is passed.
//
//   aot.launch %ctx, @relu_0 blocks(%n, 1, 1) threads 256 shared 0 (%x, %y : ...)
// becomes
//   llvm.store %x_address, %cells[0] ; llvm.store %y_address, %cells[1]
//   llvm.call @onnx_aot_cuda_launch(%ctx, 7, %n, 1, 1, 256, 0, %addresses)
//
// A tensor map is filled by the runtime right before the launch that passes it.
//
// The entry is wrapped: the device is opened before and left after it, whatever its status. A run that copies nothing
// to or from the host leaves a caller's stream without waiting for it. With `fallback` the wrapper calls @main_of_host,
// which the artifact stage links, where the runtime finds no device for the program.
//
// Before: kernels have been compiled.  After: nothing of the host is about devices.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/MemrefOfPointer.h"
#include "codegen/nvptx/Passes.h"
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "onnx_aot/runtime.h"

namespace onnx_aot {
#define GEN_PASS_DEF_LOWERDEVICE
#include "codegen/nvptx/Passes.h.inc"

using namespace mlir;

namespace {
struct LowerDevice : impl::LowerDeviceBase<LowerDevice> {
  using LowerDeviceBase::LowerDeviceBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto entry = module.lookupSymbol<func::FuncOp>("main");
    auto kernels = module->getAttrOfType<ArrayAttr>(kDeviceKernelsAttr);
    if (!entry || !kernels)
      return;
    for (auto [number, kernel] : llvm::enumerate(kernels.getAsRange<DictionaryAttr>()))
      numbers[kernel.getAs<StringAttr>("name").getValue()] = int32_t(number);
    pointer = LLVM::LLVMPointerType::get(&getContext());
    makeCells(entry);
    SmallVector<Operation *> operations;
    needsHost = entry
                    .walk([](Operation *op) {
                      return isa<aot::TransferOp, aot::WaitOp>(op) ? WalkResult::interrupt() : WalkResult::advance();
                    })
                    .wasInterrupted();
    entry.walk([&](Operation *op) {
      if (isa<aot::DeviceMemoryOp, aot::DeviceWeightsOp, aot::TransferOp, aot::WaitOp, aot::LaunchOp, aot::ReplayOp>(
              op))
        operations.push_back(op);
    });
    for (Operation *op : operations)
      lower(op);
    entry.walk([](aot::TensorMapOp map) { map.erase(); });
    wrap(entry);
  }

private:
  //===-- Calls ---------------------------------------------------------------------------------------------------===//

  LLVM::LLVMFuncOp declare(StringRef name, Type result, ArrayRef<Type> parameters) {
    if (auto function = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(name))
      return function;
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    return LLVM::LLVMFuncOp::create(builder, getOperation().getLoc(), name,
                                    LLVM::LLVMFunctionType::get(result, parameters));
  }

  /// `result` is null where there is none.
  Value call(ImplicitLocOpBuilder &b, const Twine &name, Type result, ValueRange arguments) {
    Type type = result ? result : Type(LLVM::LLVMVoidType::get(&getContext()));
    LLVM::LLVMFuncOp function = declare(("onnx_aot_cuda_" + name).str(), type, llvm::to_vector(arguments.getTypes()));
    auto made = LLVM::CallOp::create(b, function, arguments);
    return result ? made.getResult() : Value();
  }

  static Value number(ImplicitLocOpBuilder &b, int64_t value, unsigned bits) {
    return arith::ConstantIntOp::create(b, value, bits);
  }
  static Value asInteger(ImplicitLocOpBuilder &b, Value index, unsigned bits) {
    return arith::IndexCastOp::create(b, b.getIntegerType(bits), index);
  }

  /// Of the first element, as 64 bits.
  static Value addressOf(ImplicitLocOpBuilder &b, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, buffer);
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (succeeded(type.getStridesAndOffset(strides, offset)) && ShapedType::isDynamic(offset)) {
      Value elements = memref::ExtractStridedMetadataOp::create(b, buffer).getOffset();
      Value bytes = arith::ConstantIndexOp::create(b, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
      address = arith::AddIOp::create(b, address, arith::MulIOp::create(b, elements, bytes));
    }
    return asInteger(b, address, 64);
  }

  Value pointerOf(ImplicitLocOpBuilder &b, Value buffer) {
    return LLVM::IntToPtrOp::create(b, pointer, addressOf(b, buffer));
  }

  static Value bytesOf(ImplicitLocOpBuilder &b, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    Value bytes = arith::ConstantIndexOp::create(b, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      bytes = b.createOrFold<arith::MulIOp>(bytes, b.createOrFold<memref::DimOp>(buffer, dim));
    return asInteger(b, bytes, 64);
  }

  //===-- Operations ----------------------------------------------------------------------------------------------===//

  void lower(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Value ctx = op->getOperand(0);
    Type i32 = b.getI32Type(), i64 = b.getI64Type();
    if (auto memory = dyn_cast<aot::DeviceMemoryOp>(op)) {
      Value address =
          call(b, "memory", i64, {ctx, asInteger(b, memory.getSlot(), 32), asInteger(b, memory.getBytes(), 64)});
      replace(b, memory.getBuffer(), address, memory.getBytes());
    } else if (auto weights = dyn_cast<aot::DeviceWeightsOp>(op)) {
      Value size = arith::ConstantIndexOp::create(b, weights.getBuffer().getType().getNumElements());
      replace(b, weights.getBuffer(), call(b, "weights", i64, ctx), size);
    } else if (auto transfer = dyn_cast<aot::TransferOp>(op)) {
      Value source = transfer.getSource(), target = transfer.getTarget(), bytes = bytesOf(b, source);
      if (transfer.getToDevice())
        call(b, "upload", {}, {ctx, addressOf(b, target), pointerOf(b, source), bytes});
      else
        call(b, "download", {}, {ctx, pointerOf(b, target), addressOf(b, source), bytes});
    } else if (auto wait = dyn_cast<aot::WaitOp>(op)) {
      Value code = call(b, "wait", i32, ctx);
      wait.replaceAllUsesWith(arith::CmpIOp::create(b, arith::CmpIPredicate::eq, code, number(b, 0, 32)).getResult());
    } else if (auto launch = dyn_cast<aot::LaunchOp>(op)) {
      lowerLaunch(b, launch);
    } else if (auto replay = dyn_cast<aot::ReplayOp>(op)) {
      return lowerReplay(b, replay);
    }
    op->erase();
  }

  void replace(ImplicitLocOpBuilder &b, Value buffer, Value address, Value size) {
    Value at = LLVM::IntToPtrOp::create(b, pointer, address);
    buffer.replaceAllUsesWith(memrefOfPointer(b, b.getLoc(), at, size, cast<MemRefType>(buffer.getType())));
  }

  void lowerLaunch(ImplicitLocOpBuilder &b, aot::LaunchOp launch) {
    SmallVector<size_t> maps;
    for (auto [at, value] : llvm::enumerate(launch.getPassed())) {
      Value cell = cellAt(b, at);
      if (auto map = value.getDefiningOp<aot::TensorMapOp>()) {
        LLVM::StoreOp::create(b, fillMap(b, map, maps.size()), addressAt(b, at));
        maps.push_back(at);
        continue;
      }
      Type type = value.getType();
      Value content = isa<MemRefType>(type) ? addressOf(b, value) : type.isIndex() ? asInteger(b, value, 32) : value;
      LLVM::StoreOp::create(b, content, cell);
    }
    auto integer = [&](Value index) { return asInteger(b, index, 32); };
    call(b, "launch", {},
         {launch.getCtx(), number(b, numbers.lookup(launch.getKernel()), 32), integer(launch.getX()),
          integer(launch.getY()), integer(launch.getZ()), number(b, launch.getThreads(), 32),
          number(b, launch.getSharedBytes(), 32), addresses});
    for (size_t at : maps)
      LLVM::StoreOp::create(b, cellAt(b, at), addressAt(b, at));
  }

  /// Describes a tensor in the place of the launch's map `number`, whose address it returns.
  Value fillMap(ImplicitLocOpBuilder &b, aot::TensorMapOp map, size_t number) {
    Value source = map.getSource();
    int64_t bytes = llvm::divideCeil(cast<MemRefType>(source.getType()).getElementTypeBitWidth(), 8);
    Value bytesOfOne = this->number(b, bytes, 64);
    auto inBytes = [&](Value elements) -> Value {
      return arith::MulIOp::create(b, asInteger(b, elements, 64), bytesOfOne);
    };
    SmallVector<Value> content;
    for (Value extent : map.getExtents())
      content.push_back(asInteger(b, extent, 64));
    for (Value stride : map.getStrides())
      content.push_back(inBytes(stride));
    for (int64_t extent : map.getBox())
      content.push_back(this->number(b, extent, 64));
    for (auto [at, value] : llvm::enumerate(content))
      LLVM::StoreOp::create(
          b, value, LLVM::GEPOp::create(b, pointer, b.getI64Type(), facts, ArrayRef<LLVM::GEPArg>{int32_t(at)}));
    Value place =
        LLVM::GEPOp::create(b, pointer, b.getI8Type(), maps, ArrayRef<LLVM::GEPArg>{int32_t(number) * kMapBytes});
    Value address = arith::AddIOp::create(b, addressOf(b, source), inBytes(map.getOffset()));
    call(b, "tensor_map", {},
         {map.getCtx(), place, address, this->number(b, bytes, 32), this->number(b, int64_t(map.getBox().size()), 32),
          facts});
    return place;
  }

  void lowerReplay(ImplicitLocOpBuilder &b, aot::ReplayOp replay) {
    Value ctx = replay.getCtx();
    for (auto [at, value] : llvm::enumerate(replay.getKey()))
      LLVM::StoreOp::create(b, asInteger(b, value, 64), cellAt(b, at));
    Value done = call(b, "begin_graph", b.getI32Type(), {ctx, cells, number(b, replay.getKey().size(), 32)});
    Value isWanted = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, done, number(b, 0, 32));
    auto ifOp = scf::IfOp::create(b, isWanted, /*withElseRegion=*/false);
    Block *body = ifOp.thenBlock();
    body->getOperations().splice(body->begin(), replay.getBody().front().getOperations());
    b.setInsertionPoint(body->getTerminator());
    call(b, "end_graph", {}, ctx);
    replay.erase();
  }

  //===-- Cells ---------------------------------------------------------------------------------------------------===//

  void makeCells(func::FuncOp entry) {
    size_t most = 1;
    entry.walk([&](aot::LaunchOp launch) { most = std::max(most, size_t(launch.getPassed().size())); });
    entry.walk([&](aot::ReplayOp replay) { most = std::max(most, size_t(replay.getKey().size())); });
    ImplicitLocOpBuilder b(entry.getLoc(), OpBuilder::atBlockBegin(&entry.getBody().front()));
    Value count = number(b, int64_t(most), 32);
    cells = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), count, /*alignment=*/8);
    addresses = LLVM::AllocaOp::create(b, pointer, pointer, count, /*alignment=*/8);
    for (size_t at = 0; at < most; ++at)
      LLVM::StoreOp::create(b, cellAt(b, at), addressAt(b, at));
    size_t mostMaps = 0;
    entry.walk([&](aot::LaunchOp launch) {
      mostMaps = std::max<size_t>(mostMaps, llvm::count_if(launch.getPassed(), [](Value value) {
                                    return bool(value.getDefiningOp<aot::TensorMapOp>());
                                  }));
    });
    if (mostMaps == 0)
      return;
    maps =
        LLVM::AllocaOp::create(b, pointer, b.getI8Type(), number(b, int64_t(mostMaps) * kMapBytes, 32), kMapAlignment);
    LLVM::MemsetOp::create(b, maps, number(b, 0, 8), number(b, int64_t(mostMaps) * kMapBytes, 64),
                           /*isVolatile=*/false);
    facts = LLVM::AllocaOp::create(b, pointer, b.getI64Type(), number(b, kMostFacts, 32), /*alignment=*/8);
  }

  Value addressAt(ImplicitLocOpBuilder &b, size_t at) {
    return LLVM::GEPOp::create(b, pointer, pointer, addresses, ArrayRef<LLVM::GEPArg>{int32_t(at)});
  }

  Value cellAt(ImplicitLocOpBuilder &b, size_t at) {
    return LLVM::GEPOp::create(b, pointer, b.getI64Type(), cells, ArrayRef<LLVM::GEPArg>{int32_t(at)});
  }

  //===-- The entry -----------------------------------------------------------------------------------------------===//

  void wrap(func::FuncOp entry) {
    ModuleOp module = getOperation();
    ImplicitLocOpBuilder b(entry.getLoc(), &getContext());
    b.setInsertionPoint(entry);
    auto wrapper = func::FuncOp::create(b, "main", entry.getFunctionType());
    SmallVector<DictionaryAttr> attributes;
    entry.getAllArgAttrs(attributes);
    wrapper.setAllArgAttrs(attributes);
    unsigned context = 0;
    while (!entry.getArgAttr(context, "aot.context"))
      ++context;
    entry.setSymName("main_of_device");
    entry.setPrivate();
    entry->setAttr("llvm.linkage", LLVM::LinkageAttr::get(&getContext(), LLVM::Linkage::Internal));

    LLVM::GlobalOp program = declareProgram(module);
    b.setInsertionPointToStart(wrapper.addEntryBlock());
    Value ctx = wrapper.getArgument(context), zero = number(b, 0, 32);
    Value code = call(b, "open", b.getI32Type(), {ctx, LLVM::AddressOfOp::create(b, program)});
    Value isOpen = isEqual(b, code, zero);
    auto choice = scf::IfOp::create(b, b.getI32Type(), isOpen, /*withElseRegion=*/true);
    func::ReturnOp::create(b, choice.getResults());
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, fallback ? runOnHost(b, wrapper, code) : code);
    b.setInsertionPointToStart(choice.thenBlock());
    Value status = func::CallOp::create(b, entry, wrapper.getArguments()).getResult(0);
    Value left = call(b, needsHost ? "end" : "leave", b.getI32Type(), ctx);
    scf::YieldOp::create(b, arith::SelectOp::create(b, isEqual(b, left, zero), status, left).getResult());
  }

  static Value isEqual(ImplicitLocOpBuilder &b, Value left, Value right) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, left, right);
  }

  /// The status of the run on the host where `code` says that there is no device for it, else `code`.
  Value runOnHost(ImplicitLocOpBuilder &b, func::FuncOp wrapper, Value code) {
    auto outside = OpBuilder::atBlockBegin(getOperation().getBody());
    auto host = func::FuncOp::create(outside, b.getLoc(), kHostEntry, wrapper.getFunctionType());
    host.setPrivate();
    Value isMissing = isEqual(b, code, number(b, ONNX_AOT_NO_DEVICE, 32));
    Value isOther = isEqual(b, code, number(b, ONNX_AOT_DEVICE_UNSUPPORTED, 32));
    auto choice = scf::IfOp::create(b, b.getI32Type(), arith::OrIOp::create(b, isMissing, isOther), true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, code);
    b.setInsertionPointToStart(choice.thenBlock());
    scf::YieldOp::create(b, func::CallOp::create(b, host, wrapper.getArguments()).getResult(0));
    return choice.getResult(0);
  }

  /// The artifact stage defines it (DeviceProgram.h): weights have no address before.
  LLVM::GlobalOp declareProgram(ModuleOp module) {
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    return LLVM::GlobalOp::create(builder, module.getLoc(), LLVM::LLVMArrayType::get(builder.getI8Type(), 1),
                                  /*isConstant=*/true, LLVM::Linkage::External, "onnx_aot_cuda_program", Attribute());
  }

  llvm::StringMap<int32_t> numbers; // of the kernels
  Type pointer;
  Value cells, addresses;
  bool needsHost = false; // a run copies to or from the host

  /// Of a CUtensorMap; and the extents, strides and box of five dims.
  static constexpr int32_t kMapBytes = 128, kMapAlignment = 64, kMostFacts = 14;
  Value maps, facts;
};
} // namespace
} // namespace onnx_aot
