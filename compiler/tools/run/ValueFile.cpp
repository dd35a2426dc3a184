//===- ValueFile.cpp - A tensor, a sequence or an optional from a file ----===//
//
// See ValueFile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/ValueFile.h"
#include "compiler/import/onnx_model.pb.h"
#include "compiler/tools/run/TensorFile.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace onnx_aot;
using llvm::Expected;
using llvm::StringRef;

template <typename Proto> static bool parse(StringRef bytes, Proto &proto) {
  return proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

/// Whether `bytes` are a SequenceProto or an OptionalProto. A TensorProto has a name, or data in other fields than
/// theirs: theirs are 1 (a name, where a TensorProto has dims), 3 (tensors) and 5 (sequences).
static bool isList(StringRef bytes) {
  pb::SequenceProto list;
  if (!parse(bytes, list))
    return false;
  auto isTensor = [](const pb::TensorProto &tensor) { return tensor.data_type() != pb::TensorProto::UNDEFINED; };
  if (list.tensor_values_size() > 0)
    return llvm::all_of(list.tensor_values(), isTensor);
  pb::TensorProto tensor;
  if (!parse(bytes, tensor))
    return true;
  if (tensor.has_name() || tensor.has_raw_data() || tensor.float_data_size() || tensor.int64_data_size() ||
      tensor.double_data_size() || tensor.uint64_data_size() || tensor.string_data_size() ||
      tensor.external_data_size())
    return false;
  if (list.sequence_values_size() > 0)
    return list.elem_type() == pb::SequenceProto::SEQUENCE;
  if (tensor.int32_data_size())
    return false;
  // Without data: a tensor without elements, or a list without tensors, whose name looks like dims.
  return !isTensor(tensor) || llvm::find(tensor.dims(), 0) == tensor.dims().end();
}

Expected<HostValue> onnx_aot::readValueFile(StringRef path) {
  HostValue value;
  auto addFile = [&]() -> llvm::Error {
    Expected<HostTensor> tensor = readTensorFile(path);
    if (!tensor)
      return tensor.takeError();
    value.name = tensor->name;
    value.tensors.push_back(std::move(*tensor));
    return llvm::Error::success();
  };
  auto buffer = llvm::sys::path::extension(path) == ".pb"
                    ? llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false)
                    : llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>>(nullptr);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), path + ": " + buffer.getError().message());
  if (!*buffer || !isList((*buffer)->getBuffer())) {
    if (llvm::Error error = addFile())
      return std::move(error);
    return value;
  }
  pb::SequenceProto list;
  parse((*buffer)->getBuffer(), list);
  value.isList = true;
  value.isNested = list.sequence_values_size() > 0;
  value.name = list.name();
  const auto &tensors = value.isNested ? list.sequence_values(0).tensor_values() : list.tensor_values();
  for (const pb::TensorProto &proto : tensors) {
    Expected<HostTensor> tensor = readTensor(proto, llvm::sys::path::parent_path(path));
    if (!tensor)
      return llvm::createStringError(path + ": " + llvm::toString(tensor.takeError()));
    value.tensors.push_back(std::move(*tensor));
  }
  return value;
}
