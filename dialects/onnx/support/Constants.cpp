//===- Constants.cpp - reading and making constant tensors --------------------------------------------------------===//
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/generator/Generator.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace onnx_aot::onnx;

ElementsAttr onnx_aot::onnx::getConstant(Value value) {
  auto constant = value ? value.getDefiningOp<ConstantOp>() : nullptr;
  return constant ? constant.getValue() : nullptr;
}

int64_t onnx_aot::onnx::bytesPerElement(Type type) {
  if (auto complexType = dyn_cast<ComplexType>(type))
    return 2 * bytesPerElement(complexType.getElementType());
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

bool onnx_aot::onnx::getRawBytes(ElementsAttr value, SmallVectorImpl<char> &storage, ArrayRef<char> &bytes) {
  ShapedType type = value.getShapedType();
  int64_t size = bytesPerElement(type.getElementType());
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || int64_t(blob->getData().size()) != type.getNumElements() * size)
      return false;
    bytes = blob->getData();
    return true;
  }
  auto dense = dyn_cast<DenseIntOrFPElementsAttr>(value);
  if (!dense)
    return false;
  if (type.getElementType().isInteger(1)) {
    storage.clear();
    for (bool bit : dense.getValues<bool>())
      storage.push_back(bit);
    bytes = storage;
    return true;
  }
  if (!dense.isSplat()) {
    bytes = dense.getRawData();
    return int64_t(bytes.size()) == type.getNumElements() * size;
  }
  storage.clear();
  ArrayRef<char> one = dense.getRawData();
  for (int64_t i = 0, count = type.getNumElements(); i < count; ++i)
    storage.append(one.begin(), one.end());
  bytes = storage;
  return true;
}

std::optional<SmallVector<int64_t>> onnx_aot::onnx::getConstantIntegers(Value value) {
  ElementsAttr elements = getConstant(value);
  return elements && elements.getShapedType().getRank() <= 1 ? getIntegerElements(value) : std::nullopt;
}

std::optional<SmallVector<int64_t>> onnx_aot::onnx::getIntegerElements(Value value) {
  ElementsAttr elements = getConstant(value);
  auto type = elements ? dyn_cast<IntegerType>(elements.getShapedType().getElementType()) : nullptr;
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!type || !getRawBytes(elements, storage, bytes))
    return std::nullopt;
  int64_t size = bytesPerElement(type);
  SmallVector<int64_t> result;
  for (size_t at = 0; at < bytes.size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, size);
    bool isSigned = !type.isUnsigned() && type.getWidth() > 1;
    result.push_back(isSigned ? llvm::SignExtend64(bits, type.getWidth()) : int64_t(bits));
  }
  return result;
}

std::optional<SmallVector<double>> onnx_aot::onnx::getConstantFloats(Value value) {
  ElementsAttr elements = getConstant(value);
  auto type = elements ? dyn_cast<FloatType>(elements.getShapedType().getElementType()) : nullptr;
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!type || !getRawBytes(elements, storage, bytes))
    return std::nullopt;
  int64_t size = bytesPerElement(type);
  SmallVector<double> result;
  for (size_t at = 0; at < bytes.size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, size);
    APFloat number(type.getFloatSemantics(), APInt(type.getWidth(), bits));
    bool lost;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    result.push_back(number.convertToDouble());
  }
  return result;
}

ElementsAttr onnx_aot::onnx::makeConstant(RankedTensorType type, ArrayRef<char> bytes, StringRef hint) {
  constexpr size_t kLargestDense = 1024;
  if (type.getElementType().isInteger(1)) {
    SmallVector<bool> bits(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(type, bits);
  }
  if (bytes.size() <= kLargestDense)
    return DenseElementsAttr::getFromRawBuffer(type, bytes);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 64);
  return DenseResourceElementsAttr::get(type, hint, std::move(blob));
}

Value onnx_aot::onnx::makeIntegers(OpBuilder &builder, Location loc, ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, values));
}
