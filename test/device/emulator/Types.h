// The types of PTX and which C++ types stand for them.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_TYPES_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_TYPES_H

#include "Program.h"

namespace onnx_aot::ptx {

enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
  U16x2,
  S16x2
};

/// None where `name` names no type.
inline Type typeNamed(std::string_view name) {
  static const std::map<std::string_view, Type> types = {
      {"pred", Type::Pred},     {"b8", Type::B8},         {"b16", Type::B16},    {"b32", Type::B32},
      {"b64", Type::B64},       {"b128", Type::B128},     {"u8", Type::U8},      {"u16", Type::U16},
      {"u32", Type::U32},       {"u64", Type::U64},       {"s8", Type::S8},      {"s16", Type::S16},
      {"s32", Type::S32},       {"s64", Type::S64},       {"f16", Type::F16},    {"f16x2", Type::F16x2},
      {"bf16", Type::BF16},     {"bf16x2", Type::BF16x2}, {"tf32", Type::TF32},  {"f32", Type::F32},
      {"f64", Type::F64},       {"e4m3", Type::E4M3},     {"e5m2", Type::E5M2},  {"e4m3x2", Type::E4M3x2},
      {"e5m2x2", Type::E5M2x2}, {"u16x2", Type::U16x2},   {"s16x2", Type::S16x2}};
  auto found = types.find(name);
  return found == types.end() ? Type::None : found->second;
}

inline unsigned bitsOf(Type type) {
  switch (type) {
  case Type::None:
  case Type::Pred:
    return 1;
  case Type::B8:
  case Type::U8:
  case Type::S8:
  case Type::E4M3:
  case Type::E5M2:
    return 8;
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return 16;
  case Type::B64:
  case Type::U64:
  case Type::S64:
  case Type::F64:
    return 64;
  case Type::B128:
    return 128;
  default:
    return 32;
  }
}

inline bool isSigned(Type type) { return type >= Type::S8 && type <= Type::S64; }
inline bool isInteger(Type type) { return type >= Type::B8 && type <= Type::S64; }

/// A C++ type as an argument.
template <class T> struct Tag {
  using type = T;
};

/// `make(Tag<T>)` for the C++ type of an integer or bit type; null for another type.
template <class Make> Handler forInteger(Type type, Make make) {
  switch (type) {
  case Type::U8:
  case Type::B8:
    return make(Tag<uint8_t>{});
  case Type::S8:
    return make(Tag<int8_t>{});
  case Type::U16:
  case Type::B16:
    return make(Tag<uint16_t>{});
  case Type::S16:
    return make(Tag<int16_t>{});
  case Type::U32:
  case Type::B32:
    return make(Tag<uint32_t>{});
  case Type::S32:
    return make(Tag<int32_t>{});
  case Type::U64:
  case Type::B64:
    return make(Tag<uint64_t>{});
  case Type::S64:
    return make(Tag<int64_t>{});
  default:
    return nullptr;
  }
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_TYPES_H
