//===- TensorFile.cpp - A tensor from a file of either form ---------------===//
//
// A TensorProto goes through the importer's reader, so that every storage form it knows is known here, and comes out of
// the attribute that this makes.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/TensorFile.h"
#include "compiler/import/ExternalData.h"
#include "compiler/import/TensorData.h"
#include "compiler/import/Types.h"
#include "compiler/import/onnx_model.pb.h"
#include "compiler/tools/run/Npy.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "onnx_aot/runtime.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace onnx_aot;
using llvm::Expected;
using llvm::StringRef;

/// The bytes of `elements`, one element after the other.
static Expected<std::vector<char>> bytesOf(mlir::ElementsAttr elements, const HostTensor &tensor) {
  size_t count = tensor.numElements(), size = findDtype(tensor.dtype)->size;
  std::vector<char> bytes(count * size);
  if (auto resource = llvm::dyn_cast<mlir::DenseResourceElementsAttr>(elements)) {
    llvm::ArrayRef<char> data = resource.getRawHandle().getBlob()->getData();
    if (data.size() != bytes.size())
      return llvm::createStringError("its data has an unexpected size");
    bytes.assign(data.begin(), data.end());
    return bytes;
  }
  auto dense = llvm::dyn_cast<mlir::DenseElementsAttr>(elements);
  if (!dense)
    return llvm::createStringError("its data has an unexpected form");
  if (elements.getElementType().isInteger(1)) {
    llvm::copy(dense.getValues<bool>(), bytes.begin());
    return bytes;
  }
  llvm::ArrayRef<char> data = dense.getRawData();
  for (size_t i = 0; i < count; ++i)
    llvm::copy(data.slice(dense.isSplat() ? 0 : i * size, size), bytes.begin() + i * size);
  return bytes;
}

Expected<HostTensor> onnx_aot::readTensor(const pb::TensorProto &proto, StringRef folder) {
  HostTensor tensor;
  tensor.name = proto.name();
  tensor.dtype = proto.data_type();
  tensor.dims.assign(proto.dims().begin(), proto.dims().end());
  if (!findDtype(tensor.dtype))
    return llvm::createStringError("tensors of " + dataTypeName(tensor.dtype) + " are not supported");

  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  ExternalData external(folder);
  Expected<mlir::ElementsAttr> elements = TensorReader(external, &context).read(proto, "value");
  if (!elements)
    return elements.takeError();
  Expected<std::vector<char>> bytes = bytesOf(*elements, tensor);
  if (!bytes)
    return bytes.takeError();
  // In attributes the upper bits of signed 2- and 4-bit elements are zero.
  unsigned width = tensor.dtype == ONNX_AOT_INT4 ? 4 : tensor.dtype == ONNX_AOT_INT2 ? 2 : 8;
  for (char &byte : *bytes)
    if (width < 8)
      byte = static_cast<char>(llvm::SignExtend32(static_cast<uint8_t>(byte), width));
  tensor.data = std::move(*bytes);
  return tensor;
}

static Expected<HostTensor> readPb(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), buffer.getError().message());
  pb::TensorProto proto;
  if (!proto.ParseFromArray((*buffer)->getBufferStart(), static_cast<int>((*buffer)->getBufferSize())))
    return llvm::createStringError("it is not a TensorProto");
  return readTensor(proto, llvm::sys::path::parent_path(path));
}

Expected<HostTensor> onnx_aot::readTensorFile(StringRef path) {
  StringRef suffix = llvm::sys::path::extension(path);
  if (suffix != ".npy" && suffix != ".pb")
    return llvm::createStringError(path + ": tensors are read from .npy and .pb files");
  Expected<HostTensor> tensor = suffix == ".npy" ? readNpy(path) : readPb(path);
  if (!tensor)
    return llvm::createStringError(path + ": " + llvm::toString(tensor.takeError()));
  return tensor;
}
