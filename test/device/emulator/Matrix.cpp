// mma.sync: products of matrices that lie in the registers of a warp.

#include "Collectives.h"
#include "Decoder.h"
#include "Fragments.h"

namespace onnx_aot::ptx {
namespace {

/// In `list`: D, A, B, C, as many as the shape says. `mode`: see coded().
struct Product {
  Type a, b, c, d;
  uint32_t k;
  uint32_t registersA() const { return 2 * slabs(); }
  uint32_t registersB() const { return slabs(); }
  uint32_t slabs() const { return k / (4 * elementsPerRegister(a)); }
};

uint32_t coded(const Product &product) {
  return uint32_t(product.a) | uint32_t(product.b) << 6 | uint32_t(product.c) << 12 | uint32_t(product.d) << 18 |
         product.k << 24;
}
Product decoded(uint32_t code) {
  return {Type(code & 63), Type(code >> 6 & 63), Type(code >> 12 & 63), Type(code >> 18 & 63), code >> 24};
}

uint32_t accumulatorRegisters(Type type) { return type == Type::F16 ? 2 : 4; }

/// Visits the accumulators of a warp: (thread, register, row, column); of f16 each register holds two columns.
template <class Visit> void forAccumulators(Warp &warp, Visit visit) {
  forLanes(warp, ~0u, [&](Thread &thread) {
    for (uint32_t half = 0; half < 2; ++half)
      for (uint32_t column = 0; column < 2; ++column)
        visit(thread, half, column, thread.lane / 4 + 8 * half, thread.lane % 4 * 2 + column);
  });
}

template <class Number> bool multiply(Warp &warp, const Instruction *at, uint32_t) {
  Product product = decoded(at->mode);
  Number a[16][64], b[64][8], sum[16][8];
  uint32_t elements = elementsPerRegister(product.a);
  const uint32_t *slotsA = at->list + accumulatorRegisters(product.d), *slotsB = slotsA + product.registersA();
  const uint32_t *slotsC = slotsB + product.registersB();
  forLanes(warp, ~0u, [&](Thread &thread) {
    uint32_t group = thread.lane / 4, first = thread.lane % 4 * elements;
    for (uint32_t slab = 0; slab < product.slabs(); ++slab) {
      uint32_t low = get<uint32_t>(thread, slotsA[2 * slab]), high = get<uint32_t>(thread, slotsA[2 * slab + 1]);
      uint32_t right = get<uint32_t>(thread, slotsB[slab]);
      for (uint32_t index = 0; index < elements; ++index) {
        uint32_t k = slab * 4 * elements + first + index;
        a[group][k] = element<Number>(low, index, product.a);
        a[group + 8][k] = element<Number>(high, index, product.a);
        b[k][group] = element<Number>(right, index, product.b);
      }
    }
  });
  forAccumulators(warp, [&](Thread &thread, uint32_t half, uint32_t index, uint32_t row, uint32_t column) {
    if (product.c == Type::F16)
      sum[row][column] = Number(halfToFloat(uint16_t(get<uint32_t>(thread, slotsC[half]) >> (16 * index))));
    else
      sum[row][column] = get<Number>(thread, slotsC[2 * half + index]);
  });
  multiplyTile(sum, a, b, product.k);
  forAccumulators(warp, [&](Thread &thread, uint32_t half, uint32_t index, uint32_t row, uint32_t column) {
    if (product.d == Type::F16) {
      uint32_t bits = uint32_t(toHalf(sum[row][column])) << (16 * index);
      set<uint32_t>(thread, at->list[half], index ? get<uint32_t>(thread, at->list[half]) | bits : bits);
    } else {
      set<Number>(thread, at->list[2 * half + index], sum[row][column]);
    }
  });
  return true;
}

bool checkedMultiply(Warp &warp, const Instruction *at, uint32_t mask) {
  if (mask != ~0u) {
    warp.lane(std::countr_zero(mask)).fault(at, "all lanes of the warp must take part");
    return false;
  }
  return sumsIntegers(decoded(at->mode).a) ? multiply<int32_t>(warp, at, mask) : multiply<float>(warp, at, mask);
}

bool isSupported(const Product &product) {
  auto isFp8 = [](Type type) { return type == Type::E4M3 || type == Type::E5M2; };
  if (sumsIntegers(product.a) != sumsIntegers(product.b) ||
      (!sumsIntegers(product.a) && !isFp8(product.a) && product.a != product.b))
    return false;
  Type sums = sumsIntegers(product.a) ? Type::S32 : Type::F32;
  bool halfSums = product.c == Type::F16 && product.d == Type::F16 && product.a == Type::F16;
  if ((product.c != sums || product.d != sums) && !halfSums)
    return false;
  switch (product.a) {
  case Type::F16:
  case Type::BF16:
    return product.k == 8 || product.k == 16;
  case Type::TF32:
    return product.k == 4 || product.k == 8;
  case Type::S8:
  case Type::U8:
    return product.k == 16 || product.k == 32;
  default:
    return isFp8(product.a) && isFp8(product.b) && product.k == 32;
  }
}

bool decodeProduct(Decoder &decoder, Opcode &opcode) {
  opcode.take("sync"), opcode.take("aligned"), opcode.take("satfinite");
  bool rowColumn = opcode.take("row") && opcode.take("col");
  std::string_view shape = opcode.takeOneOf({"m16n8k4", "m16n8k8", "m16n8k16", "m16n8k32"});
  Product product;
  product.d = opcode.takeType();
  product.a = opcode.takeType();
  product.b = opcode.takeType();
  product.c = opcode.takeType();
  product.k = shape.empty() ? 0 : std::stoul(std::string(shape.substr(6)));
  if (!rowColumn || !isSupported(product))
    return decoder.fail("this shape or combination of types is not supported");
  if (!decoder.wants(4))
    return true;
  std::vector<uint32_t> slots = decoder.destinations(decoder.operand(0));
  auto append = [&](size_t operand, size_t count) {
    std::vector<uint32_t> more = decoder.sources(decoder.operand(operand), Type::B32);
    if (more.size() != count)
      decoder.fail("operand " + std::to_string(operand) + " should have " + std::to_string(count) + " registers");
    slots.insert(slots.end(), more.begin(), more.end());
  };
  if (slots.size() != accumulatorRegisters(product.d))
    return decoder.fail("the result has another number of registers");
  append(1, product.registersA());
  append(2, product.registersB());
  append(3, accumulatorRegisters(product.c));
  uint32_t mask = decoder.value(~0u);
  const uint32_t *list = decoder.list(std::move(slots));
  Instruction &one = decoder.emit(waitForLanes);
  one.group = checkedMultiply;
  one.e = mask;
  one.list = list;
  one.mode = coded(product);
  return true;
}

/// movmatrix: an 8x8 matrix of 16-bit elements, one register to a lane, transposed.
bool transpose(Warp &warp, const Instruction *at, uint32_t mask) {
  if (mask != ~0u) {
    warp.lane(std::countr_zero(mask)).fault(at, "all lanes of the warp must take part");
    return false;
  }
  uint16_t matrix[8][8];
  forLanes(warp, mask, [&](Thread &thread) {
    std::memcpy(&matrix[thread.lane / 4][thread.lane % 4 * 2], thread.slots + at->a, 4);
  });
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t row = thread.lane / 4, column = thread.lane % 4 * 2;
    set<uint32_t>(thread, at->d, matrix[column][row] | uint32_t(matrix[column + 1][row]) << 16);
  });
  return true;
}

} // namespace

bool decodeMatrix(Decoder &decoder, Opcode &opcode) {
  if (opcode.name == "mma")
    return decodeProduct(decoder, opcode);
  if (opcode.name != "movmatrix")
    return false;
  for (std::string_view modifier : {"sync", "aligned", "m8n8", "trans", "b16"})
    opcode.take(modifier);
  uint32_t mask = decoder.value(~0u);
  if (Instruction *one = decoder.emitSimple(waitForLanes, {Type::B32})) {
    one->group = transpose;
    one->e = mask;
  }
  return true;
}

} // namespace onnx_aot::ptx
