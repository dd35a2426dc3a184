//===- Fold.cpp - folding operators that move elements of constants -----------------------------------------------===//
//
// Elements are moved as bytes, so that one function serves every element type and also weights that are resources.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Fold.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/Threading.h"

using namespace mlir;
using namespace onnx_aot::onnx;

RankedTensorType onnx_aot::onnx::staticResultType(Operation *op, unsigned result) {
  // A fold may run on operands that do not agree; the inference that follows it reports that.
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler quiet(op->getContext(),
                                [thread](Diagnostic &) { return success(llvm::get_threadid() == thread); });
  FailureOr<SmallVector<Type>> types = inferResultTypes(op);
  if (failed(types) || result >= types->size())
    return nullptr;
  auto type = dyn_cast<RankedTensorType>((*types)[result]);
  return type && type.hasStaticShape() ? type : nullptr;
}

bool onnx_aot::onnx::isSmall(RankedTensorType type) {
  constexpr int64_t kLargestFold = 1024;
  Type element = type.getElementType();
  return isNumberType(element) && type.getNumElements() * bytesPerElement(element) <= kLargestFold;
}

ElementsAttr onnx_aot::onnx::reshapeConstant(ElementsAttr source, RankedTensorType type) {
  if (source.getShapedType() == type)
    return source;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(source))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(source))
    return dense.reshape(type);
  return nullptr;
}

SmallVector<int64_t> onnx_aot::onnx::rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t dim = shape.size(); dim > 1; --dim)
    strides[dim - 2] = strides[dim - 1] * shape[dim - 1];
  return strides;
}

void onnx_aot::onnx::forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  SmallVector<int64_t> index(shape.size(), 0);
  while (true) {
    visit(index);
    size_t dim = shape.size();
    while (dim > 0 && ++index[dim - 1] == shape[dim - 1])
      index[--dim] = 0;
    if (dim == 0)
      return;
  }
}

ElementsAttr onnx_aot::onnx::moveElements(ElementsAttr source, RankedTensorType type,
                                          llvm::function_ref<int64_t(ArrayRef<int64_t>)> position) {
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!isNumberType(type) || !getRawBytes(source, storage, bytes))
    return nullptr;
  int64_t size = bytesPerElement(type.getElementType());
  SmallVector<char> moved;
  moved.reserve(type.getNumElements() * size);
  forEachIndex(type.getShape(), [&](ArrayRef<int64_t> index) {
    ArrayRef<char> element = bytes.slice(position(index) * size, size);
    moved.append(element.begin(), element.end());
  });
  return makeConstant(type, moved, "folded");
}
