//===- HostTensor.cpp - A tensor in memory, with its name -----------------===//
//
// See HostTensor.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/HostTensor.h"
#include "onnx_aot/runtime.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace onnx_aot;
using llvm::StringRef;

static const DtypeInfo dtypes[] = {
    {ONNX_AOT_FLOAT, "float", "f4", true, 4, 0x1p-23, 1},
    {ONNX_AOT_UINT8, "uint8", "u1", true, 1, 0, 1},
    {ONNX_AOT_INT8, "int8", "i1", true, 1, 0, 1},
    {ONNX_AOT_UINT16, "uint16", "u2", true, 2, 0, 1},
    {ONNX_AOT_INT16, "int16", "i2", true, 2, 0, 1},
    {ONNX_AOT_INT32, "int32", "i4", true, 4, 0, 1},
    {ONNX_AOT_INT64, "int64", "i8", true, 8, 0, 1},
    {ONNX_AOT_BOOL, "bool", "b1", true, 1, 0, 1},
    {ONNX_AOT_FLOAT16, "float16", "f2", true, 2, 0x1p-10, 1},
    {ONNX_AOT_DOUBLE, "double", "f8", true, 8, 0x1p-52, 1},
    {ONNX_AOT_UINT32, "uint32", "u4", true, 4, 0, 1},
    {ONNX_AOT_UINT64, "uint64", "u8", true, 8, 0, 1},
    {ONNX_AOT_COMPLEX64, "complex64", "c8", true, 8, 0x1p-23, 2},
    {ONNX_AOT_COMPLEX128, "complex128", "c16", true, 16, 0x1p-52, 2},
    {ONNX_AOT_BFLOAT16, "bfloat16", "u2", false, 2, 0x1p-7, 1},
    {ONNX_AOT_FLOAT8E4M3FN, "float8e4m3fn", "u1", false, 1, 0x1p-3, 1},
    {ONNX_AOT_FLOAT8E4M3FNUZ, "float8e4m3fnuz", "u1", false, 1, 0x1p-3, 1},
    {ONNX_AOT_FLOAT8E5M2, "float8e5m2", "u1", false, 1, 0x1p-2, 1},
    {ONNX_AOT_FLOAT8E5M2FNUZ, "float8e5m2fnuz", "u1", false, 1, 0x1p-2, 1},
    {ONNX_AOT_UINT4, "uint4", "u1", false, 1, 0, 1},
    {ONNX_AOT_INT4, "int4", "i1", false, 1, 0, 1},
    {ONNX_AOT_FLOAT4E2M1, "float4e2m1", "u1", false, 1, 0x1p-1, 1},
    {ONNX_AOT_FLOAT8E8M0, "float8e8m0", "u1", false, 1, 0x1p-2, 1},
    {ONNX_AOT_UINT2, "uint2", "u1", false, 1, 0, 1},
    {ONNX_AOT_INT2, "int2", "i1", false, 1, 0, 1},
};

const DtypeInfo *onnx_aot::findDtype(int32_t dtype) {
  const DtypeInfo *found = llvm::find_if(dtypes, [&](const DtypeInfo &info) { return info.dtype == dtype; });
  return found == std::end(dtypes) ? nullptr : found;
}

const DtypeInfo *onnx_aot::findDtypeByNumpy(llvm::StringRef descr) {
  const DtypeInfo *found =
      llvm::find_if(dtypes, [&](const DtypeInfo &info) { return info.isNumpy && descr == info.numpy; });
  return found == std::end(dtypes) ? nullptr : found;
}

void onnx_aot::adoptDtype(HostTensor &tensor, int32_t dtype) {
  const DtypeInfo *given = findDtype(tensor.dtype), *wanted = findDtype(dtype);
  if (given && wanted && !wanted->isNumpy && StringRef(wanted->numpy) == given->numpy)
    tensor.dtype = dtype;
}

int64_t HostTensor::countElements(llvm::ArrayRef<int64_t> dims) {
  uint64_t count = 1; // unsigned: a product before a 0 may wrap around
  for (int64_t dim : dims)
    count *= static_cast<uint64_t>(dim);
  return static_cast<int64_t>(count);
}

template <typename T> static T load(const std::vector<char> &data, int64_t index) {
  T value;
  memcpy(&value, data.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// Of the floats that C++ has no type for; null for other types.
static const llvm::fltSemantics *narrowSemantics(int32_t dtype) {
  switch (dtype) {
  case ONNX_AOT_FLOAT16:
    return &llvm::APFloat::IEEEhalf();
  case ONNX_AOT_BFLOAT16:
    return &llvm::APFloat::BFloat();
  case ONNX_AOT_FLOAT8E4M3FN:
    return &llvm::APFloat::Float8E4M3FN();
  case ONNX_AOT_FLOAT8E4M3FNUZ:
    return &llvm::APFloat::Float8E4M3FNUZ();
  case ONNX_AOT_FLOAT8E5M2:
    return &llvm::APFloat::Float8E5M2();
  case ONNX_AOT_FLOAT8E5M2FNUZ:
    return &llvm::APFloat::Float8E5M2FNUZ();
  case ONNX_AOT_FLOAT8E8M0:
    return &llvm::APFloat::Float8E8M0FNU();
  case ONNX_AOT_FLOAT4E2M1:
    return &llvm::APFloat::Float4E2M1FN();
  default:
    return nullptr;
  }
}

double HostTensor::number(int64_t index) const {
  switch (dtype) {
  case ONNX_AOT_FLOAT:
  case ONNX_AOT_COMPLEX64:
    return load<float>(data, index);
  case ONNX_AOT_DOUBLE:
  case ONNX_AOT_COMPLEX128:
    return load<double>(data, index);
  case ONNX_AOT_UINT8:
  case ONNX_AOT_UINT4:
  case ONNX_AOT_UINT2:
  case ONNX_AOT_BOOL:
    return load<uint8_t>(data, index);
  case ONNX_AOT_INT8:
  case ONNX_AOT_INT4:
  case ONNX_AOT_INT2:
    return load<int8_t>(data, index);
  case ONNX_AOT_UINT16:
    return load<uint16_t>(data, index);
  case ONNX_AOT_INT16:
    return load<int16_t>(data, index);
  case ONNX_AOT_UINT32:
    return load<uint32_t>(data, index);
  case ONNX_AOT_INT32:
    return load<int32_t>(data, index);
  case ONNX_AOT_UINT64:
    return static_cast<double>(load<uint64_t>(data, index));
  case ONNX_AOT_INT64:
    return static_cast<double>(load<int64_t>(data, index));
  default:
    break;
  }
  const llvm::fltSemantics *semantics = narrowSemantics(dtype);
  if (!semantics)
    return 0;
  uint64_t bits = findDtype(dtype)->size == 2 ? load<uint16_t>(data, index) : load<uint8_t>(data, index);
  llvm::APFloat value(*semantics, llvm::APInt(64, bits).trunc(llvm::APFloat::getSizeInBits(*semantics)));
  bool losesInfo = false;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

std::string HostTensor::text(int64_t index, unsigned digits) const {
  // A double does not hold every number of these two.
  if (dtype == ONNX_AOT_INT64)
    return std::to_string(load<int64_t>(data, index));
  if (dtype == ONNX_AOT_UINT64)
    return std::to_string(load<uint64_t>(data, index));
  if (findDtype(dtype)->epsilon == 0)
    return std::to_string(static_cast<int64_t>(number(index)));
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.*g", digits, number(index));
  return text;
}

std::string onnx_aot::typeText(int32_t dtype, llvm::ArrayRef<int64_t> dims) {
  const DtypeInfo *info = findDtype(dtype);
  std::string text = info ? info->name : "data type " + std::to_string(dtype);
  for (int64_t dim : dims)
    text += "[" + (dim < 0 ? std::string("?") : std::to_string(dim)) + "]";
  return text;
}

//===----------------------------------------------------------------------===//
// Random values
//===----------------------------------------------------------------------===//

namespace {
/// SplitMix64: small, and the same on every machine.
struct Generator {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [-1, 1), of 11 bits, so that every float type holds it exactly but bfloat16.
  double nextReal() { return static_cast<double>(next() >> 53) / 1024.0 - 1.0; }
};
} // namespace

template <typename T> static void store(std::vector<char> &data, int64_t index, T value) {
  memcpy(data.data() + index * sizeof(T), &value, sizeof(T));
}

static uint16_t toNarrow(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(&semantics == &llvm::APFloat::Float8E8M0FNU() ? 1 + value * value : value);
  bool losesInfo = false;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

void onnx_aot::fillRandom(HostTensor &tensor, uint64_t seed) {
  const DtypeInfo *info = findDtype(tensor.dtype);
  int64_t count = tensor.numElements() * info->components;
  tensor.data.assign(tensor.numElements() * info->size, 0);
  Generator generator{seed};
  for (int64_t i = 0; i < count; ++i) {
    switch (tensor.dtype) {
    case ONNX_AOT_FLOAT:
    case ONNX_AOT_COMPLEX64:
      store<float>(tensor.data, i, static_cast<float>(generator.nextReal()));
      break;
    case ONNX_AOT_DOUBLE:
    case ONNX_AOT_COMPLEX128:
      store<double>(tensor.data, i, generator.nextReal());
      break;
    case ONNX_AOT_UINT4:
    case ONNX_AOT_UINT2:
      store<uint8_t>(tensor.data, i, generator.next() >> (tensor.dtype == ONNX_AOT_UINT4 ? 60 : 62));
      break;
    case ONNX_AOT_INT4:
    case ONNX_AOT_INT2:
      store<int8_t>(tensor.data, i,
                    static_cast<int64_t>(generator.next()) >> (tensor.dtype == ONNX_AOT_INT4 ? 60 : 62));
      break;
    case ONNX_AOT_BOOL:
      store<uint8_t>(tensor.data, i, generator.next() >> 63);
      break;
    default: {
      if (const llvm::fltSemantics *semantics = narrowSemantics(tensor.dtype)) {
        uint16_t bits = toNarrow(generator.nextReal(), *semantics);
        memcpy(tensor.data.data() + i * info->size, &bits, info->size);
        break;
      }
      // Small values: they are often indices, lengths or token numbers. Little endian: the low byte comes first.
      uint64_t value = info->size == 1 ? generator.next() >> 56 : (generator.next() >> 32) % 10;
      memcpy(tensor.data.data() + i * info->size, &value, info->size);
    }
    }
  }
}
