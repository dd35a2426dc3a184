// wgmma: products by four warps of matrices in shared memory that descriptors point to; A may lie in registers. Each
// warp makes 16 of the 64 rows. A product is made when the warp waits for its group, with what is in memory then.
//
// A descriptor ("PTX ISA", matrix descriptor): bits 0-13 the address / 16, 16-29 the leading dimension offset / 16,
// 32-45 the stride dimension offset / 16, 62-63 the swizzle (0 none, 1: 128 bytes, 2: 64, 3: 32).

#include "Async.h"
#include "Collectives.h"
#include "Decoder.h"
#include "Fragments.h"
#include "Memory.h"
#include "TensorMap.h"

namespace onnx_aot::ptx {
namespace {

struct Descriptor {
  uint32_t address, leading, stride, swizzle; ///< The swizzle as in a TensorMap.
  explicit Descriptor(uint64_t bits)
      : address(uint32_t(bits & 0x3fff) << 4), leading(uint32_t(bits >> 16 & 0x3fff) << 4),
        stride(uint32_t(bits >> 32 & 0x3fff) << 4), swizzle(uint32_t(bits >> 62) ? 4 - uint32_t(bits >> 62) : 0) {}

  /// Of the element `inner` along K of row (column) `outer`; `isOuterMajor`: neighbours along M or N lie side by side.
  uint32_t place(uint32_t outer, uint32_t inner, uint32_t bytes, bool isOuterMajor) const {
    uint32_t unit = 16 / bytes, row = 16u << swizzle, result = address;
    if (!isOuterMajor)
      result += outer / 8 * stride + outer % 8 * row +
                (swizzle ? inner * bytes : inner / unit * leading + inner % unit * bytes);
    else if (swizzle)
      result += outer % (row / bytes) * bytes + outer / (row / bytes) * leading + inner % 8 * row + inner / 8 * stride;
    else
      result += outer % unit * bytes + outer / unit * stride + inner % 8 * 16 + inner / 8 * leading;
    return swizzled(result, swizzle);
  }
};

enum Flags : uint32_t { kAInRegisters = 1, kNegatesA = 2, kNegatesB = 4, kTransposesA = 8, kTransposesB = 16 };

/// `list`: D, then A's registers or descriptor, B's descriptor, the predicate, and these.
enum Field { kN, kK, kTypeA, kTypeB, kTypeD, kFlags };

struct Product {
  uint32_t n, k;
  Type a, b, d;
  uint32_t flags;
  explicit Product(const uint32_t *fields)
      : n(fields[kN]), k(fields[kK]), a(Type(fields[kTypeA])), b(Type(fields[kTypeB])), d(Type(fields[kTypeD])),
        flags(fields[kFlags]) {}
  uint32_t registersD() const { return d == Type::F16 ? n / 4 : n / 2; }
  uint32_t registersA() const { return flags & kAInRegisters ? 4 : 1; }
};

template <class Number>
bool fetch(Thread &thread, const Instruction *at, const Descriptor &from, uint32_t outer, uint32_t inner, Type type,
           bool isOuterMajor, Number &into) {
  uint32_t bytes = bitsOf(type) / 8, bits = 0;
  std::byte *place =
      locate(thread, at, Space::Shared, from.place(outer, inner, bytes, isOuterMajor), bytes, Use::Async);
  if (place)
    std::memcpy(&bits, place, bytes);
  into = element<Number>(bits, 0, type);
  return place != nullptr;
}

/// What a product reads when it is issued; all else it reads when it is made.
struct Issued {
  Descriptor a, b;
  bool adds;
};

template <class Number> bool multiply(Warp &warp, const Instruction *at, const Issued &issued) {
  Product product(at->list + at->mode);
  const uint32_t *slotsA = at->list + product.registersD();
  Thread &first = warp.lane(0);
  std::vector<Number> a(16 * product.k), b(product.k * product.n), sum(16 * product.n);
  uint32_t elements = elementsPerRegister(product.a);
  for (uint32_t row = 0; !(product.flags & kAInRegisters) && row < 16; ++row)
    for (uint32_t k = 0; k < product.k; ++k)
      if (!fetch(first, at, issued.a, warp.index % 4 * 16 + row, k, product.a, product.flags & kTransposesA,
                 a[row * product.k + k]))
        return false;
  for (uint32_t k = 0; k < product.k; ++k)
    for (uint32_t column = 0; column < product.n; ++column)
      if (!fetch(first, at, issued.b, column, k, product.b, product.flags & kTransposesB, b[k * product.n + column]))
        return false;
  auto visit = [&](auto each) {
    forLanes(warp, ~0u, [&](Thread &thread) {
      for (uint32_t index = 0; index < product.n / 2; ++index)
        each(thread, index,
             sum[(thread.lane / 4 + index / 2 % 2 * 8) * product.n + index / 4 * 8 + thread.lane % 4 * 2 + index % 2]);
    });
  };
  if (product.flags & kAInRegisters)
    forLanes(warp, ~0u, [&](Thread &thread) {
      for (uint32_t index = 0; index < 4 * elements; ++index) {
        uint32_t slot = index / elements, row = thread.lane / 4 + slot % 2 * 8;
        uint32_t k = slot / 2 * 4 * elements + thread.lane % 4 * elements + index % elements;
        a[row * product.k + k] = element<Number>(get<uint32_t>(thread, slotsA[slot]), index % elements, product.a);
      }
    });
  if (issued.adds)
    visit([&](Thread &thread, uint32_t index, Number &value) {
      value = product.d == Type::F16
                  ? Number(halfToFloat(uint16_t(get<uint32_t>(thread, at->list[index / 2]) >> (index % 2 * 16))))
                  : get<Number>(thread, at->list[index]);
    });
  bool negates = bool(product.flags & kNegatesA) != bool(product.flags & kNegatesB);
  for (uint32_t row = 0; row < 16; ++row)
    for (uint32_t k = 0; k < product.k; ++k) {
      Number left = negates ? -a[row * product.k + k] : a[row * product.k + k];
      for (uint32_t column = 0; column < product.n; ++column)
        sum[row * product.n + column] += left * b[k * product.n + column];
    }
  visit([&](Thread &thread, uint32_t index, Number &value) {
    if (product.d != Type::F16)
      return set<Number>(thread, at->list[index], value);
    uint32_t slot = at->list[index / 2], half = uint32_t(toHalf(value)) << (index % 2 * 16);
    set<uint32_t>(thread, slot, index % 2 ? get<uint32_t>(thread, slot) | half : half);
  });
  return true;
}

bool allLanes(Warp &warp, const Instruction *at, uint32_t mask) {
  if (mask != ~0u)
    warp.lane(std::countr_zero(mask)).fault(at, "all lanes of the warp must take part");
  return mask == ~0u;
}

bool issue(Warp &warp, const Instruction *at, uint32_t mask) {
  if (!allLanes(warp, at, mask))
    return false;
  Product product(at->list + at->mode);
  const uint32_t *slotsA = at->list + product.registersD(), *rest = slotsA + product.registersA();
  const Thread &first = warp.lane(0);
  Issued issued{Descriptor(get<uint64_t>(first, slotsA[0])), Descriptor(get<uint64_t>(first, rest[0])),
                bool(first.slots[rest[1]] & 1)};
  warp.block->async->products[warp.index].push_back([&warp, at, issued, integers = sumsIntegers(product.a)] {
    return integers ? multiply<int32_t>(warp, at, issued) : multiply<float>(warp, at, issued);
  });
  return true;
}

bool commit(Warp &warp, const Instruction *at, uint32_t mask) {
  AsyncState &async = *warp.block->async;
  async.productGroups[warp.index].push_back(std::move(async.products[warp.index]));
  async.products[warp.index].clear();
  return allLanes(warp, at, mask);
}

bool wait(Warp &warp, const Instruction *at, uint32_t mask) {
  auto &groups = warp.block->async->productGroups[warp.index];
  for (; groups.size() > size_t(at->imm); groups.pop_front())
    for (const auto &perform : groups.front())
      if (!perform())
        return false;
  return allLanes(warp, at, mask);
}

bool decodeProduct(Decoder &decoder, Opcode &opcode) {
  uint32_t n = 0, k = 0;
  for (size_t index = 0; index < opcode.modifiers.size(); ++index)
    if (std::string shape(opcode.modifiers[index]); std::sscanf(shape.c_str(), "m64n%uk%u", &n, &k) == 2) {
      opcode.modifiers.erase(opcode.modifiers.begin() + index);
      break;
    }
  opcode.take("satfinite");
  Type d = opcode.takeType(), a = opcode.takeType(), b = opcode.takeType();
  bool integers = sumsIntegers(a), fine = d == (integers ? Type::S32 : Type::F32) || (d == Type::F16 && !integers);
  if (!fine || n % 8 || n == 0 || n > 256 || k * bitsOf(a) != 256 || bitsOf(a) != bitsOf(b) ||
      integers != sumsIntegers(b))
    return decoder.fail("this shape or combination of types is not supported");
  if (!decoder.wants(4, 8))
    return true;
  std::vector<uint32_t> slots = decoder.destinations(decoder.operand(0));
  if (slots.size() != (d == Type::F16 ? n / 4 : n / 2))
    return decoder.fail("the result has another number of registers");
  uint32_t flags = decoder.operand(1).kind == Operand::Vector ? kAInRegisters : 0;
  std::vector<uint32_t> left = decoder.sources(decoder.operand(1), flags ? Type::B32 : Type::B64);
  if (left.size() != (flags ? 4 : 1))
    return decoder.fail("A has another number of registers");
  slots.insert(slots.end(), left.begin(), left.end());
  slots.push_back(decoder.source(2, Type::B64));
  slots.push_back(decoder.operand(3).kind == Operand::Integer ? decoder.value(decoder.operand(3).bits)
                                                              : decoder.source(3, Type::Pred));
  // scale-a, scale-b: 1 or -1; then the transpositions, of A only where it lies in memory.
  size_t next = 4;
  auto number = [&](bool wanted) -> int64_t {
    return wanted && next < decoder.statement->operands.size() ? int64_t(decoder.operand(next++).bits) : 0;
  };
  flags |= number(true) == -1 ? kNegatesA : 0;
  flags |= number(true) == -1 ? kNegatesB : 0;
  flags |= number(!(flags & kAInRegisters)) == 1 ? kTransposesA : 0;
  flags |= number(true) == 1 ? kTransposesB : 0;
  uint32_t begin = slots.size(), mask = decoder.value(~0u);
  for (uint32_t field : {n, k, uint32_t(a), uint32_t(b), uint32_t(d), flags})
    slots.push_back(field);
  const uint32_t *list = decoder.list(std::move(slots));
  Instruction &one = decoder.emit(waitForLanes);
  one.group = issue;
  one.e = mask;
  one.list = list;
  one.mode = begin;
  return true;
}

} // namespace

bool decodeWgmma(Decoder &decoder, Opcode &opcode) {
  opcode.take("sync"), opcode.take("aligned");
  if (opcode.take("mma_async"))
    return decodeProduct(decoder, opcode);
  GroupHandler group = opcode.take("fence")          ? [](Warp &, const Instruction *, uint32_t) { return true; }
                       : opcode.take("commit_group") ? GroupHandler(commit)
                       : opcode.take("wait_group")   ? GroupHandler(wait)
                                                     : nullptr;
  if (!group)
    return decoder.fail("the operation is not known");
  int64_t left = group == GroupHandler(wait) && decoder.wants(1) ? int64_t(decoder.operand(0).bits) : 0;
  uint32_t mask = decoder.value(~0u);
  Instruction &one = decoder.emit(waitForLanes);
  one.group = group;
  one.e = mask;
  one.imm = left;
  return true;
}

} // namespace onnx_aot::ptx
