//===- TensorData.cpp - TensorProto -> ElementsAttr ---------------------------------------------------------------===//
#include "compiler/import/TensorData.h"
#include "compiler/import/ExternalData.h"
#include "compiler/import/Types.h"
#include "compiler/import/onnx_model.pb.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include <cstring>

using namespace llvm;
using namespace mlir;
using namespace onnx_aot;

static_assert(sys::IsLittleEndianHost, "ONNX stores raw data in little endian, and so do the attributes made here");

/// A sparse tensor becomes dense only up to this size: a few bytes of a file must not ask for all memory.
static constexpr uint64_t maxDensifiedBytes = uint64_t(1) << 31;

static Error fail(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }

/// The elements of one tensor in the layout of resources, in memory of the proto or of a file, or in `owned`.
struct TensorReader::Content {
  RankedTensorType type;
  uint64_t elements = 0;
  unsigned bits = 0;  // of one element as ONNX stores it
  unsigned bytes = 0; // of one element here
  ArrayRef<char> data;
  AsmResourceBlob owned; // empty: `data` is not ours

  MutableArrayRef<char> allocate() {
    owned = HeapAsmResourceBlob::allocate(elements * bytes, alignment());
    data = owned.getData();
    return owned.getMutableData();
  }
  /// Large enough for typed access to the parts of an element.
  size_t alignment() const { return isa<ComplexType>(type.getElementType()) ? bytes / 2 : bytes; }
};

//===-- Raw bytes
//---------------------------------------------------------------------------------------------------===//

/// Spreads elements of 4 or 2 bits, the first in the lowest bits, to one byte each.
static void unpackBits(ArrayRef<char> packed, unsigned bits, MutableArrayRef<char> out) {
  unsigned perByte = 8 / bits;
  for (auto [index, value] : enumerate(out))
    value = (static_cast<uint8_t>(packed[index / perByte]) >> (bits * (index % perByte))) & ((1u << bits) - 1);
}

void TensorReader::readRaw(ArrayRef<char> raw, Content &content) {
  Type element = content.type.getElementType();
  if (content.bits < 8) {
    unpackBits(raw, content.bits, content.allocate());
    return;
  }
  if (element.isInteger(1) && any_of(raw, [](char value) { return value != 0 && value != 1; })) {
    for (auto [out, value] : zip(content.allocate(), raw))
      out = value != 0;
    return;
  }
  if (reinterpret_cast<uintptr_t>(raw.data()) % content.alignment() != 0) {
    // An external file may place a tensor anywhere, and readers of the attribute access it by its element type.
    if (!raw.empty())
      std::memcpy(content.allocate().data(), raw.data(), raw.size());
    return;
  }
  content.data = raw;
}

//===-- Typed fields
//------------------------------------------------------------------------------------------------===//

template <typename T> static ArrayRef<char> bytesOf(const google::protobuf::RepeatedField<T> &field) {
  return {reinterpret_cast<const char *>(field.data()), field.size() * sizeof(T)};
}

/// int32_data holds one narrower value each; 4- and 2-bit elements are packed to bytes first.
template <typename Narrow>
static Error narrow(const google::protobuf::RepeatedField<int32_t> &field, MutableArrayRef<char> out) {
  // 255 and -1 are both written for the byte 0xff.
  constexpr int64_t low = -(int64_t(1) << (8 * sizeof(Narrow) - 1)), high = (int64_t(1) << (8 * sizeof(Narrow))) - 1;
  for (auto [index, value] : enumerate(field)) {
    if (value < low || value > high)
      return fail("value " + Twine(value) + " in int32_data does not fit its data type");
    auto narrowed = static_cast<Narrow>(value);
    std::memcpy(out.data() + index * sizeof(Narrow), &narrowed, sizeof(Narrow));
  }
  return Error::success();
}

/// Which field holds the values of a data type when they are not raw.
enum class Field { Float, Int32, Int64, Double, UInt64 };

static Field fieldOf(int32_t dataType) {
  switch (dataType) {
  case pb::TensorProto::FLOAT:
  case pb::TensorProto::COMPLEX64:
    return Field::Float;
  case pb::TensorProto::DOUBLE:
  case pb::TensorProto::COMPLEX128:
    return Field::Double;
  case pb::TensorProto::INT64:
    return Field::Int64;
  case pb::TensorProto::UINT32:
  case pb::TensorProto::UINT64:
    return Field::UInt64;
  default:
    return Field::Int32;
  }
}

Error TensorReader::readField(const pb::TensorProto &tensor, Content &content) {
  ArrayRef<int64_t> dims = content.type.getShape();
  bool isComplex = isa<ComplexType>(content.type.getElementType());
  // The counts are checked before anything is allocated: the shape is only a claim.
  auto count = [&](StringRef name, const auto &field, uint64_t needed) -> Error {
    if (static_cast<uint64_t>(field.size()) == needed)
      return Error::success();
    return fail("its shape " + shown(dims) + " needs " + Twine(needed) + " values in " + name + ", which has " +
                Twine(field.size()));
  };
  auto inPlace = [&](StringRef name, const auto &field) -> Error {
    content.data = bytesOf(field);
    return count(name, field, isComplex ? 2 * content.elements : content.elements);
  };

  switch (fieldOf(tensor.data_type())) {
  case Field::Float:
    return inPlace("float_data", tensor.float_data());
  case Field::Double:
    return inPlace("double_data", tensor.double_data());
  case Field::Int64:
    return inPlace("int64_data", tensor.int64_data());
  case Field::UInt64: {
    if (content.bits == 64)
      return inPlace("uint64_data", tensor.uint64_data());
    if (Error error = count("uint64_data", tensor.uint64_data(), content.elements))
      return error;
    char *out = content.allocate().data();
    for (uint64_t value : tensor.uint64_data()) {
      if (value > UINT32_MAX)
        return fail("value " + Twine(value) + " in uint64_data does not fit uint32");
      support::endian::write32le(out, static_cast<uint32_t>(value));
      out += 4;
    }
    return Error::success();
  }
  case Field::Int32:
    break;
  }

  const auto &field = tensor.int32_data();
  if (content.bits == 32)
    return inPlace("int32_data", field);
  uint64_t packedBytes = (content.elements * content.bits + 7) / 8;
  if (Error error = count("int32_data", field, content.bits < 8 ? packedBytes : content.elements))
    return error;
  if (content.bits < 8) {
    SmallVector<char> packed(packedBytes);
    if (Error error = narrow<int8_t>(field, packed))
      return error;
    unpackBits(packed, content.bits, content.allocate());
    return Error::success();
  }
  if (content.type.getElementType().isInteger(1)) {
    for (auto [value, byte] : zip(field, content.allocate()))
      byte = value != 0;
    return Error::success();
  }
  return content.bits == 8 ? narrow<int8_t>(field, content.allocate()) : narrow<int16_t>(field, content.allocate());
}

//===-- TensorReader
//------------------------------------------------------------------------------------------------===//

Expected<TensorReader::Content> TensorReader::contentOf(const pb::TensorProto &tensor) {
  Content content;
  Type element = elementTypeOf(tensor.data_type(), context);
  if (!element)
    return fail("tensors of " + dataTypeName(tensor.data_type()) + " are not supported");
  if (tensor.has_segment())
    return fail("tensors stored in segments are not supported");

  SmallVector<int64_t> dims(tensor.dims().begin(), tensor.dims().end());
  content.bits = storageBits(element);
  content.bytes = (content.bits + 7) / 8;
  std::optional<TensorSize> size = sizeOf(dims, content.bits);
  if (!size || !sizeOf(dims, content.bytes * 8))
    return fail("its shape " + shown(dims) + " has a negative dimension or a product that overflows");
  content.type = RankedTensorType::get(dims, element);
  content.elements = size->elements;

  ArrayRef<char> raw;
  if (tensor.data_location() == pb::TensorProto::EXTERNAL) {
    Expected<ArrayRef<char>> slice = external.slice(tensor, size->packedBytes);
    if (!slice)
      return slice.takeError();
    raw = *slice;
  } else if (tensor.has_raw_data()) {
    raw = ArrayRef<char>(tensor.raw_data().data(), tensor.raw_data().size());
    if (raw.size() != size->packedBytes)
      return fail("its shape " + shown(dims) + " of " + dataTypeName(tensor.data_type()) + " needs " +
                  Twine(size->packedBytes) + " bytes, but raw_data has " + Twine(raw.size()));
  } else {
    if (Error error = readField(tensor, content))
      return error;
    return content;
  }
  readRaw(raw, content);
  return content;
}

std::string TensorReader::uniqueKey(StringRef name) {
  std::string key;
  for (char c : name)
    key += isAlnum(c) || c == '_' ? c : '_';
  if (key.empty() || isDigit(key.front()))
    key.insert(0, "t");
  std::string candidate = key;
  for (unsigned number = 1; !keys.insert(candidate).second; ++number)
    candidate = key + "_" + std::to_string(number);
  return candidate;
}

ElementsAttr TensorReader::toAttribute(Content content, StringRef name) {
  if (content.data.size() <= maxDenseBytes) {
    if (!content.type.getElementType().isInteger(1))
      return DenseElementsAttr::getFromRawBuffer(content.type, content.data);
    SmallVector<bool> values(content.data.begin(), content.data.end());
    return DenseElementsAttr::get(content.type, ArrayRef<bool>(values));
  }
  AsmResourceBlob blob = std::move(content.owned);
  if (blob.getData().empty())
    blob = UnmanagedAsmResourceBlob::allocateWithAlign(content.data, content.alignment());
  return DenseResourceElementsAttr::get(content.type, uniqueKey(name), std::move(blob));
}

Expected<ElementsAttr> TensorReader::read(const pb::TensorProto &tensor, StringRef name) {
  Expected<Content> content = contentOf(tensor);
  if (!content)
    return content.takeError();
  return toAttribute(std::move(*content), name);
}

/// The position in a tensor of shape `dims` that row `row` of `indices` names; nothing when it lies outside. Indices
/// are either linear ([nnz]) or one coordinate per dimension ([nnz, rank]).
static std::optional<uint64_t> position(ArrayRef<int64_t> indices, uint64_t row, bool linear, ArrayRef<int64_t> dims,
                                        uint64_t elements) {
  if (linear) {
    if (indices[row] < 0 || static_cast<uint64_t>(indices[row]) >= elements)
      return std::nullopt;
    return indices[row];
  }
  uint64_t result = 0;
  for (auto [axis, dim] : enumerate(dims)) {
    int64_t index = indices[row * dims.size() + axis];
    if (index < 0 || index >= dim)
      return std::nullopt;
    result = result * dim + index;
  }
  return result;
}

Expected<ElementsAttr> TensorReader::read(const pb::SparseTensorProto &sparse, StringRef name) {
  Expected<Content> values = contentOf(sparse.values());
  if (!values)
    return fail("its values: " + toString(values.takeError()));
  Expected<Content> indices = contentOf(sparse.indices());
  if (!indices)
    return fail("its indices: " + toString(indices.takeError()));

  SmallVector<int64_t> dims(sparse.dims().begin(), sparse.dims().end());
  std::optional<TensorSize> size = sizeOf(dims, values->bytes * 8);
  if (!size)
    return fail("its shape " + shown(dims) + " has a negative dimension or a product that overflows");
  if (size->packedBytes > maxDensifiedBytes)
    return fail("its shape " + shown(dims) + " is too large for a dense tensor");
  if (!indices->type.getElementType().isInteger(64))
    return fail("its indices are not int64");
  ArrayRef<int64_t> shape = indices->type.getShape();
  int64_t count = values->elements;
  bool linear = shape.size() == 1;
  if (values->type.getRank() != 1 ||
      !(linear ? shape[0] == count
               : shape.size() == 2 && shape[0] == count && shape[1] == static_cast<int64_t>(dims.size())))
    return fail("its indices of shape " + shown(shape) + " do not agree with " + Twine(count) + " values and rank " +
                Twine(dims.size()));

  Content dense;
  dense.type = RankedTensorType::get(dims, values->type.getElementType());
  dense.elements = size->elements;
  dense.bits = values->bits;
  dense.bytes = values->bytes;
  MutableArrayRef<char> out = dense.allocate();
  llvm::fill(out, 0);
  ArrayRef<int64_t> numbers(reinterpret_cast<const int64_t *>(indices->data.data()), indices->elements);
  for (int64_t row = 0; row < count; ++row) {
    std::optional<uint64_t> place = position(numbers, row, linear, dims, dense.elements);
    if (!place)
      return fail("index " + Twine(row) + " lies outside its shape " + shown(dims));
    std::memcpy(out.data() + *place * dense.bytes, values->data.data() + row * dense.bytes, dense.bytes);
  }
  return toAttribute(std::move(dense), name);
}
