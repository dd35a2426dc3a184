//===- DeviceNest.cpp - a loop nest as threads see it -------------------------------------------------------------===//
//
// See DeviceNest.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "codegen/VectorBody.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

DeviceNest::DeviceNest(const DeviceContext &context, Operation *op, const LoopNest &nest, StringRef kind)
    : own(std::make_unique<KernelBuilder>(context, op, kind)), nest(nest), kernel(*own), b(kernel.b),
      symbols(nest.symbols.size()) {
  passOperands(op);
}

DeviceNest::DeviceNest(KernelBuilder &kernel, Operation *op, const LoopNest &nest)
    : nest(nest), kernel(kernel), b(kernel.b), symbols(nest.symbols.size()) {
  passOperands(op);
}

void DeviceNest::passOperands(Operation *op) {
  for (const Access &access : nest.inputs)
    elements.push_back(kernel.passElements(access.operand));
  elements.push_back(kernel.passElements(nest.output.operand));
  kernel.passCaptured(op->getRegions(), captured);
  for (auto [index, dim] : llvm::enumerate(nest.dims))
    (dim.reduction ? reductionDims : parallelDims).push_back(index);
  ivs.assign(nest.dims.size(), kernel.index(0));
}

//===-- Amounts ---------------------------------------------------------------------------------------------------===//

Value DeviceNest::hostValueOf(const Symbol &symbol) {
  ImplicitLocOpBuilder &host = kernel.host;
  if (symbol.kind == Symbol::Sum)
    return arith::AddIOp::create(host, hostValueOf(symbol.left), hostValueOf(symbol.right));
  if (symbol.dim < 0)
    return symbol.value;
  if (symbol.kind == Symbol::Size)
    return memref::DimOp::create(host, symbol.value, symbol.dim);
  return memref::ExtractStridedMetadataOp::create(host, symbol.value).getStrides()[symbol.dim];
}

Value DeviceNest::hostValueOf(const Amount &amount) {
  Value result = arith::ConstantIndexOp::create(kernel.host, amount.factor);
  for (unsigned symbol : amount.symbols)
    result = kernel.host.createOrFold<arith::MulIOp>(result, hostValueOf(nest.symbols[symbol]));
  return result;
}

Amount DeviceNest::product(ArrayRef<unsigned> dims) const {
  Amount product = 1;
  for (unsigned dim : dims)
    product = product * nest.dims[dim].extent;
  return product;
}

Value DeviceNest::hostVolume(ArrayRef<unsigned> dims) { return hostValueOf(product(dims)); }
Value DeviceNest::volume(ArrayRef<unsigned> dims) { return valueOf(product(dims)); }

Value DeviceNest::valueOf(const Amount &amount) {
  Value result = amount.factor == 1 && !amount.symbols.empty() ? Value() : kernel.index(amount.factor);
  for (unsigned symbol : amount.symbols) {
    if (!symbols[symbol])
      symbols[symbol] = kernel.passIndex(hostValueOf(nest.symbols[symbol]));
    result = result ? b.createOrFold<arith::MulIOp>(result, symbols[symbol]) : symbols[symbol];
  }
  return result;
}

//===-- Points ----------------------------------------------------------------------------------------------------===//

void DeviceNest::delinearize(Value number, ArrayRef<unsigned> dims) {
  for (unsigned dim : llvm::reverse(dims)) {
    if (dim == dims.front()) {
      ivs[dim] = number;
      return;
    }
    Value extent = valueOf(nest.dims[dim].extent);
    ivs[dim] = arith::RemUIOp::create(b, number, extent);
    number = arith::DivUIOp::create(b, number, extent);
  }
}

Value DeviceNest::address(const Access &access) {
  Value sum = valueOf(access.offset);
  auto add = [&](Value iv, const Amount &stride) {
    if (!stride.is(0))
      sum = b.createOrFold<arith::AddIOp>(sum, b.createOrFold<arith::MulIOp>(iv, valueOf(stride)));
  };
  for (auto [dim, stride] : llvm::enumerate(access.strides)) {
    if (int(dim) != access.panelDim) {
      add(ivs[dim], stride);
      continue;
    }
    Value panel = kernel.index(access.panel);
    add(arith::DivUIOp::create(b, ivs[dim], panel), access.panelStride);
    add(arith::RemUIOp::create(b, ivs[dim], panel), stride);
  }
  return sum;
}

bool onnx_aot::isVector(const Access &access, unsigned dim, int64_t lanes) {
  constexpr int64_t kVectorBytes = 16;
  auto type = cast<MemRefType>(access.operand.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  bool isKnown = succeeded(type.getStridesAndOffset(strides, offset)) && !ShapedType::isDynamic(offset);
  bool isWhole = type.getElementType().isIntOrFloat() && type.getElementTypeBitWidth() % 8 == 0 &&
                 lanes * type.getElementTypeBitWidth() / 8 <= kVectorBytes;
  if (!isKnown || !isWhole || access.panelDim >= 0 || !access.strides[dim].is(1) || !access.offset.isMultipleOf(lanes))
    return false;
  for (auto [other, stride] : llvm::enumerate(access.strides))
    if (other != dim && !stride.isMultipleOf(lanes))
      return false;
  return true;
}

int64_t onnx_aot::lanesAlong(const LoopNest &nest, unsigned dim, llvm::function_ref<bool(const Access &)> takes,
                             int64_t most) {
  if (!nest.vectorizable)
    return 1;
  for (int64_t lanes = most; lanes > 1; lanes /= 2) {
    bool fits = nest.dims[dim].extent.isMultipleOf(lanes) &&
                (!takes(nest.output) || isVector(nest.output, dim, lanes)) &&
                llvm::all_of(nest.inputs, [&](const Access &access) {
                  bool isOne = access.strides[dim].is(0) && access.panelDim != int(dim);
                  return !takes(access) || isOne || isVector(access, dim, lanes);
                });
    if (fits)
      return lanes;
  }
  return 1;
}

bool onnx_aot::canCombine(const LoopNest &nest) {
  Operation *combiner = nest.combiner();
  if (!combiner || isa<DotOp>(combiner))
    return false;
  Type type = combiner->getResult(0).getType();
  unsigned bits = type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
  return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

IntegerAttr onnx_aot::vectorAlignment(Builder &builder, VectorType type) {
  constexpr int64_t kMostBytes = 16;
  int64_t bytes = type.getNumElements() * int64_t(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  return builder.getI64IntegerAttr(std::min(kMostBytes, bytes));
}

Value DeviceNest::load(unsigned input, int64_t lanes, int laneDim) {
  const Access &access = nest.inputs[input];
  Value at = address(access);
  if (lanes == 1 || access.strides[laneDim].is(0))
    return asVector(b, memref::LoadOp::create(b, elements[input], at), lanes);
  auto type = VectorType::get({lanes}, access.elementType);
  auto loaded = vector::LoadOp::create(b, type, elements[input], ValueRange{at});
  loaded.setAlignmentAttr(vectorAlignment(b, type));
  return loaded;
}

SmallVector<Value> DeviceNest::loadInputs(bool inCompute, int64_t lanes, int laneDim) {
  SmallVector<Value> values;
  for (auto [index, access] : llvm::enumerate(nest.inputs))
    values.push_back((inCompute ? access.inCompute : access.inEpilogue) ? load(index, lanes, laneDim) : Value());
  return values;
}

//===-- Bodies ----------------------------------------------------------------------------------------------------===//

void DeviceNest::mapCaptured(IRMapping &mapping) const {
  for (auto [from, to] : captured.getValueMap())
    mapping.map(from, to);
}

Value DeviceNest::identity(int64_t lanes) {
  if (lanes == 1)
    return arith::ConstantOp::create(b, nest.identity);
  auto type = VectorType::get({lanes}, nest.identity.getType());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, Attribute(nest.identity)));
}

Value DeviceNest::combine(Value left, Value right) { return onnx_aot::combine(b, nest.combiner(), left, right); }

Value DeviceNest::clone(Region &body, ArrayRef<Value> inputs, Value accumulator, int64_t lanes, int laneDim) {
  IRMapping mapping = captured;
  Block &block = body.front();
  for (auto [argument, value] : llvm::zip(block.getArguments(), inputs))
    if (value)
      mapping.map(argument, value);
  if (accumulator)
    mapping.map(block.getArguments().back(), accumulator);
  return cloneOnVectors(b, block, mapping, lanes, [&](uint64_t original) -> Value {
    int dim = nest.dimOf(int64_t(original));
    if (dim < 0)
      return asVector(b, kernel.index(0), lanes);
    Value at = ivs[dim];
    if (dim != laneDim || lanes == 1)
      return asVector(b, at, lanes);
    auto type = VectorType::get({lanes}, b.getIndexType());
    return arith::AddIOp::create(b, asVector(b, at, lanes), vector::StepOp::create(b, type));
  });
}

Value DeviceNest::compute(ArrayRef<Value> inputs, Value accumulator, int64_t lanes, int laneDim) {
  return clone(*nest.compute, inputs, accumulator, lanes, laneDim);
}

void DeviceNest::storeResult(Value accumulator, int64_t lanes, int laneDim) {
  storeResult(loadInputs(/*inCompute=*/false, lanes, laneDim), accumulator, lanes, laneDim);
}

void DeviceNest::storeResult(ArrayRef<Value> inputs, Value accumulator, int64_t lanes, int laneDim) {
  store(clone(*nest.epilogue, inputs, accumulator, lanes, laneDim));
}

void DeviceNest::store(Value value) {
  Value at = address(nest.output);
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type) {
    memref::StoreOp::create(b, value, elements.back(), at);
    return;
  }
  auto store = vector::StoreOp::create(b, value, elements.back(), ValueRange{at});
  store.setAlignmentAttr(vectorAlignment(b, type));
}
