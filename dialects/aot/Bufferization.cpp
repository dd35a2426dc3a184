//===- Bufferization.cpp - the aot dialect in one-shot bufferization ----------------------------------------------===//
//
// A kernel writes its destination without reading it, and reads its inputs. No operand but the destination aliases the
// result.
//
// A broadcast is a view of its source with stride 0 along what repeats, which nothing may write to:
//
//   aot.broadcast %x sizes(%n) : tensor<?xf32> to tensor<?xf32>
//   =>  %stride = %size_of_x == 1 ? 0 : 1
//       memref.reinterpret_cast %x to offset: [0], sizes: [%n], strides: [%stride]
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace onnx_aot::aot;

namespace {
/// Replaces `op` by what `make` builds of its operands' buffers.
template <typename OpTy, typename Make>
LogicalResult bufferizeKernel(OpTy op, RewriterBase &rewriter, const BufferizationOptions &options,
                              BufferizationState &state, Make make) {
  if (op->getNumResults() == 0)
    return success();
  rewriter.setInsertionPoint(op);
  SmallVector<Value> inputs;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    FailureOr<Value> buffer = getBuffer(rewriter, operand->get(), options, state);
    if (failed(buffer))
      return failure();
    inputs.push_back(*buffer);
  }
  FailureOr<Value> init = getBuffer(rewriter, op.getInit(), options, state);
  if (failed(init))
    return failure();
  make(inputs, *init);
  replaceOpWithBufferizedValues(rewriter, op, {*init});
  return success();
}

template <typename Self, typename OpTy>
struct DestinationBufferization : DstBufferizableOpInterfaceExternalModel<Self, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<OpTy>(op).isDpsInit(&operand);
  }
  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return cast<OpTy>(op).isDpsInit(&operand);
  }
};

struct KernelBufferization : DestinationBufferization<KernelBufferization, KernelOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto kernel = cast<KernelOp>(op);
    return bufferizeKernel(kernel, rewriter, options, state, [&](ArrayRef<Value> inputs, Value init) {
      auto buffered = KernelOp::create(rewriter, kernel.getLoc(), TypeRange(), kernel.getKindAttr(), inputs, init,
                                       kernel.getIndexingMapsAttr(), kernel.getIteratorTypesAttr(),
                                       kernel.getIdentity(), kernel.getStrategyAttr());
      buffered.getCompute().takeBody(kernel.getCompute());
      buffered.getEpilogue().takeBody(kernel.getEpilogue());
    });
  }
};

struct RowsBufferization : DestinationBufferization<RowsBufferization, RowsOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto rows = cast<RowsOp>(op);
    return bufferizeKernel(rows, rewriter, options, state, [&](ArrayRef<Value> inputs, Value init) {
      auto buffered = RowsOp::create(rewriter, rows.getLoc(), TypeRange(), rows.getKindAttr(), inputs, init,
                                     rows.getIndexingMapsAttr(), rows.getReducedAttr());
      buffered.getBody().takeBody(rows.getBody());
    });
  }
};

struct AttentionBufferization : DestinationBufferization<AttentionBufferization, AttentionOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto attention = cast<AttentionOp>(op);
    return bufferizeKernel(attention, rewriter, options, state, [&](ArrayRef<Value> inputs, Value init) {
      auto buffered = AttentionOp::create(rewriter, attention.getLoc(), TypeRange(), inputs, init,
                                          attention.getIndexingMapsAttr(), attention.getZeroRowsAttr());
      buffered.getScores().takeBody(attention.getScores());
      buffered.getFinish().takeBody(attention.getFinish());
    });
  }
};

/// Whether the channels of a buffer lie one by one, and its other strides are numbers. They do not in a part that
/// leaves channels out, and in a value that comes out of a branch in several layouts.
bool hasDenseChannels(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  if (failed(type.getStridesAndOffset(strides, offset)) || llvm::any_of(strides, ShapedType::isDynamic))
    return false;
  return strides.empty() || strides.back() == 1 || type.getShape().back() == 1;
}

Value allocateLike(RewriterBase &rewriter, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return memref::AllocOp::create(rewriter, loc, MemRefType::get(type.getShape(), type.getElementType()));
}

/// `make(inputs, result)` with copies of the buffers that its code is not made for: those that do not fit.
template <typename Make>
void makeOfFitting(RewriterBase &rewriter, Location loc, ArrayRef<Value> given, Value init,
                   llvm::function_ref<bool(Value)> fits, Make make) {
  SmallVector<Value> inputs(given);
  for (Value &input : inputs)
    if (!fits(input)) {
      Value copy = allocateLike(rewriter, loc, input);
      memref::CopyOp::create(rewriter, loc, input, copy);
      input = copy;
    }
  Value result = fits(init) ? init : allocateLike(rewriter, loc, init);
  make(ArrayRef(inputs), result);
  if (result != init)
    memref::CopyOp::create(rewriter, loc, result, init);
}

struct WinogradBufferization : DestinationBufferization<WinogradBufferization, WinogradOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto winograd = cast<WinogradOp>(op);
    Location loc = op->getLoc();
    return bufferizeKernel(winograd, rewriter, options, state, [&](ArrayRef<Value> given, Value init) {
      makeOfFitting(rewriter, loc, given, init, hasDenseChannels, [&](ArrayRef<Value> inputs, Value result) {
        auto buffered = WinogradOp::create(
            rewriter, loc, TypeRange(), inputs[0], inputs[1], inputs.drop_front(2), result,
            /*scratch=*/Value(), winograd.getIndexingMapsAttr(), winograd.getTileAttr(), winograd.getPadsAttr(),
            winograd.getBlockAttr(), winograd.getGroupAttr(), winograd.getStrategyAttr(), winograd.getErrorAttr());
        buffered.getEpilogue().takeBody(winograd.getEpilogue());
      });
    });
  }
};

struct ResampleBufferization : DestinationBufferization<ResampleBufferization, ResampleOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto resample = cast<ResampleOp>(op);
    if (op->getNumResults() == 0)
      return success();
    rewriter.setInsertionPoint(op);
    SmallVector<Value> buffers;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    size_t tables = resample.getTables().size(), inputs = resample.getInputs().size();
    ArrayRef<Value> inits = ArrayRef(buffers).drop_front(1 + tables + inputs);
    auto buffered =
        ResampleOp::create(rewriter, op->getLoc(), TypeRange(), buffers[0], ArrayRef(buffers).slice(1, tables),
                           ArrayRef(buffers).slice(1 + tables, inputs), inits, resample.getIndexingMapsAttr(),
                           resample.getSamplingsAttr(), resample.getMovesAttr(), resample.getRowsFirstAttr());
    buffered.getEpilogue().takeBody(resample.getEpilogue());
    replaceOpWithBufferizedValues(rewriter, op, inits);
    return success();
  }
};

/// Whether elements lie one by one, wherever the first one lies.
bool isDense(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0, dense = 1;
  if (!type.hasStaticShape() || failed(type.getStridesAndOffset(strides, offset)))
    return false;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    if (type.getDimSize(dim) != 1 && strides[dim] != dense)
      return false;
    dense *= type.getDimSize(dim);
  }
  return true;
}

struct GeneratedBufferization : DestinationBufferization<GeneratedBufferization, GeneratedOp> {
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto generated = cast<GeneratedOp>(op);
    Location loc = op->getLoc();
    return bufferizeKernel(generated, rewriter, options, state, [&](ArrayRef<Value> given, Value init) {
      makeOfFitting(rewriter, loc, given, init, isDense, [&](ArrayRef<Value> inputs, Value result) {
        GeneratedOp::create(rewriter, loc, TypeRange(), generated.getKindAttr(), generated.getProviderAttr(),
                            generated.getSymbolAttr(), generated.getScratchBytesAttr(),
                            /*specification=*/StringAttr(), inputs, result, /*scratch=*/Value());
      });
    });
  }
};

/// The strides and the offset of the view, as far as types tell them: a dim that certainly repeats has stride 0, one
/// that may repeat a dynamic stride.
MemRefType viewType(BroadcastOp op, MemRefType source) {
  SmallVector<int64_t> known;
  int64_t offset = 0;
  if (failed(source.getStridesAndOffset(known, offset))) {
    known.assign(source.getRank(), ShapedType::kDynamic);
    offset = ShapedType::kDynamic;
  }
  SmallVector<int64_t> strides(op.getMissingDims(), 0);
  for (auto [extent, stride] : llvm::zip(source.getShape(), known))
    strides.push_back(extent == 1 ? 0 : ShapedType::isDynamic(extent) ? ShapedType::kDynamic : stride);
  auto layout = StridedLayoutAttr::get(op.getContext(), offset, strides);
  return MemRefType::get(op.getType().getShape(), op.getType().getElementType(), layout, source.getMemorySpace());
}

struct BroadcastBufferization : BufferizableOpInterface::ExternalModel<BroadcastBufferization, BroadcastOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *op, OpOperand &, const AnalysisState &) const {
    return {{op->getResult(0), BufferRelation::Unknown}};
  }
  /// Several of its elements are one.
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }

  FailureOr<BufferLikeType> getBufferType(Operation *op, Value, const BufferizationOptions &options,
                                          const BufferizationState &state, SmallVector<Value> &invocations) const {
    auto broadcast = cast<BroadcastOp>(op);
    auto source = bufferization::getBufferType(broadcast.getSource(), options, state, invocations);
    if (failed(source))
      return failure();
    return cast<BufferLikeType>(viewType(broadcast, cast<MemRefType>(*source)));
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto broadcast = cast<BroadcastOp>(op);
    FailureOr<Value> source = getBuffer(rewriter, broadcast.getSource(), options, state);
    if (failed(source))
      return failure();
    Location loc = op->getLoc();
    auto sourceType = cast<MemRefType>(source->getType());
    MemRefType type = viewType(broadcast, sourceType);
    auto metadata = memref::ExtractStridedMetadataOp::create(rewriter, loc, *source);
    SmallVector<int64_t> known;
    int64_t offset = 0;
    (void)type.getStridesAndOffset(known, offset);
    SmallVector<OpFoldResult> strides;
    int64_t missing = broadcast.getMissingDims();
    for (auto [dim, stride] : llvm::enumerate(known)) {
      if (!ShapedType::isDynamic(stride)) {
        strides.push_back(rewriter.getIndexAttr(stride));
        continue;
      }
      Value real = metadata.getStrides()[dim - missing];
      if (sourceType.isDynamicDim(dim - missing)) {
        Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0),
              one = arith::ConstantIndexOp::create(rewriter, loc, 1);
        Value repeats =
            arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, metadata.getSizes()[dim - missing], one);
        real = arith::SelectOp::create(rewriter, loc, repeats, zero, real);
      }
      strides.push_back(real);
    }
    OpFoldResult start = ShapedType::isDynamic(offset) ? OpFoldResult(metadata.getOffset())
                                                       : OpFoldResult(rewriter.getIndexAttr(offset));
    Value view = memref::ReinterpretCastOp::create(rewriter, loc, type, metadata.getBaseBuffer(), start,
                                                   broadcast.getMixedSizes(), strides);
    replaceOpWithBufferizedValues(rewriter, op, view);
    return success();
  }
};
} // namespace

void onnx_aot::aot::registerBufferization(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, memref::MemRefDialect>();
  registry.addExtension(+[](MLIRContext *context, AotDialect *) {
    KernelOp::attachInterface<KernelBufferization>(*context);
    WinogradOp::attachInterface<WinogradBufferization>(*context);
    ResampleOp::attachInterface<ResampleBufferization>(*context);
    GeneratedOp::attachInterface<GeneratedBufferization>(*context);
    RowsOp::attachInterface<RowsBufferization>(*context);
    AttentionOp::attachInterface<AttentionBufferization>(*context);
    BroadcastOp::attachInterface<BroadcastBufferization>(*context);
  });
}
