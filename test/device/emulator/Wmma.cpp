// wmma: products of matrices whose places in the registers the manual leaves open. Here lane l holds elements l n to
// l n + n - 1 of the n * 32 elements of a matrix, row after row, in its first registers; registers beyond are zero.

#include "Collectives.h"
#include "Decoder.h"
#include "Fragments.h"
#include "Memory.h"

namespace onnx_aot::ptx {
namespace {

/// A matrix of a product m x n x k.
struct Fragment {
  uint32_t rows, columns;
  Type type;
  uint32_t elements() const { return rows * columns / 32; }
  uint32_t perRegister() const { return 32 / bitsOf(type); }
};

struct Shape {
  uint32_t m, n, k;
  Fragment a(Type type) const { return {m, k, type}; }
  Fragment b(Type type) const { return {k, n, type}; }
  Fragment c(Type type) const { return {m, n, type}; }
};

constexpr std::pair<std::string_view, Shape> kShapes[] = {
    {"m16n16k16", {16, 16, 16}}, {"m8n32k16", {8, 32, 16}}, {"m32n8k16", {32, 8, 16}}, {"m16n16k8", {16, 16, 8}}};

/// Of one load or store; kept in `list` behind the registers.
enum Field { kRows, kColumns, kType, kByColumns, kSpace };

uint32_t bitsAt(Thread &thread, const uint32_t *registers, const Fragment &fragment, uint32_t index) {
  uint32_t per = fragment.perRegister(), bits = bitsOf(fragment.type);
  uint32_t value = get<uint32_t>(thread, registers[index / per]) >> (index % per * (bits % 32));
  return bits == 32 ? value : value & ((1u << bits) - 1);
}

bool allLanes(Warp &warp, const Instruction *at, uint32_t mask) {
  if (mask != ~0u)
    warp.lane(std::countr_zero(mask)).fault(at, "all lanes of the warp must take part");
  return mask == ~0u;
}

/// a: address, b: elements from a row (column) to the next, c: number of registers.
template <bool isLoad> bool transfer(Warp &warp, const Instruction *at, uint32_t mask) {
  if (!allLanes(warp, at, mask))
    return false;
  const uint32_t *fields = at->list + at->mode;
  Fragment fragment{fields[kRows], fields[kColumns], Type(fields[kType])};
  uint32_t bytes = bitsOf(fragment.type) / 8, per = fragment.perRegister();
  bool fine = true;
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t values[16] = {};
    for (uint32_t index = 0; fine && index < fragment.elements(); ++index) {
      uint32_t whole = thread.lane * fragment.elements() + index;
      uint64_t row = whole / fragment.columns, column = whole % fragment.columns, stride = get<uint32_t>(thread, at->b);
      uint64_t offset = (fields[kByColumns] ? column * stride + row : row * stride + column) * bytes;
      uint32_t value = isLoad ? 0 : bitsAt(thread, at->list, fragment, index);
      std::byte *place = locate(thread, at, Space(fields[kSpace]), thread.slots[at->a] + at->imm + offset, bytes,
                                isLoad ? Use::Read : Use::Write, isLoad ? nullptr : &value);
      fine = place != nullptr;
      if (fine && isLoad) {
        std::memcpy(&value, place, bytes);
        values[index / per] |= value << (index % per * (8 * bytes % 32));
      } else if (fine) {
        std::memcpy(place, &value, bytes);
      }
    }
    for (uint32_t index = 0; isLoad && fine && index < at->mode; ++index)
      set<uint32_t>(thread, at->list[index], values[index]);
  });
  return fine;
}

enum ProductField { kM, kN, kK, kTypeA, kTypeC, kTypeD, kCountD, kCountA, kCountB };

template <class Number> Number sumElement(uint32_t bits, Type type) {
  return type == Type::F16 ? Number(halfToFloat(uint16_t(bits))) : std::bit_cast<Number>(bits);
}

/// `list`: D, A, B, C, and the fields from `mode` on.
template <class Number> bool multiply(Warp &warp, const Instruction *at, uint32_t mask) {
  if (!allLanes(warp, at, mask))
    return false;
  const uint32_t *fields = at->list + at->mode;
  Shape shape{fields[kM], fields[kN], fields[kK]};
  Fragment a = shape.a(Type(fields[kTypeA])), b = shape.b(a.type), c = shape.c(Type(fields[kTypeC])),
           d = shape.c(Type(fields[kTypeD]));
  const uint32_t *slotsA = at->list + fields[kCountD], *slotsB = slotsA + fields[kCountA],
                 *slotsC = slotsB + fields[kCountB];
  std::vector<Number> left(a.rows * a.columns), right(b.rows * b.columns), sums(c.rows * c.columns);
  forLanes(warp, mask, [&](Thread &thread) {
    for (uint32_t index = 0; index < a.elements(); ++index)
      left[thread.lane * a.elements() + index] = element<Number>(bitsAt(thread, slotsA, a, index), 0, a.type);
    for (uint32_t index = 0; index < b.elements(); ++index)
      right[thread.lane * b.elements() + index] = element<Number>(bitsAt(thread, slotsB, b, index), 0, b.type);
    for (uint32_t index = 0; index < c.elements(); ++index)
      sums[thread.lane * c.elements() + index] = sumElement<Number>(bitsAt(thread, slotsC, c, index), c.type);
  });
  for (uint32_t row = 0; row < shape.m; ++row)
    for (uint32_t k = 0; k < shape.k; ++k)
      for (uint32_t column = 0; column < shape.n; ++column)
        sums[row * shape.n + column] += left[row * shape.k + k] * right[k * shape.n + column];
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t values[16] = {};
    for (uint32_t index = 0; index < d.elements(); ++index) {
      Number sum = sums[thread.lane * d.elements() + index];
      uint32_t bits = d.type == Type::F16 ? toHalf(sum) : std::bit_cast<uint32_t>(sum);
      values[index / d.perRegister()] |= bits << (index % d.perRegister() * (bitsOf(d.type) % 32));
    }
    for (uint32_t index = 0; index < fields[kCountD]; ++index)
      set<uint32_t>(thread, at->list[index], values[index]);
  });
  return true;
}

std::optional<Shape> takeShape(Opcode &opcode) {
  for (auto [name, shape] : kShapes)
    if (opcode.take(name))
      return shape;
  return std::nullopt;
}

bool decodeTransfer(Decoder &decoder, Opcode &opcode, bool isLoad) {
  std::string_view matrix = opcode.takeOneOf({"a", "b", "c", "d"});
  bool byColumns = opcode.take("col");
  opcode.take("row");
  auto shape = takeShape(opcode);
  Space space = takeSpace(opcode);
  Type type = opcode.takeType();
  if (!shape || matrix.empty() || type == Type::None)
    return decoder.fail("this shape or type is not supported");
  if (!decoder.wants(2, 3))
    return true;
  Fragment fragment = matrix == "a" ? shape->a(type) : matrix == "b" ? shape->b(type) : shape->c(type);
  const Operand &registers = decoder.operand(isLoad ? 0 : 1);
  std::vector<uint32_t> slots = isLoad ? decoder.destinations(registers) : decoder.sources(registers, Type::B32);
  Decoder::Address address = decoder.address(decoder.operand(isLoad ? 1 : 0));
  bool hasStride = decoder.statement->operands.size() == 3;
  uint32_t stride =
      hasStride ? decoder.source(2, Type::U32) : decoder.value(byColumns ? fragment.rows : fragment.columns);
  uint32_t count = slots.size(), mask = decoder.value(~0u);
  if (count > 16 || count * fragment.perRegister() < fragment.elements())
    return decoder.fail("the number of registers is not that of the matrix");
  space = space == Space::Generic ? address.space : space;
  for (uint32_t field : {fragment.rows, fragment.columns, uint32_t(type), uint32_t(byColumns), uint32_t(space)})
    slots.push_back(field);
  const uint32_t *list = decoder.list(std::move(slots));
  Instruction &one = decoder.emit(waitForLanes);
  one.group = isLoad ? transfer<true> : transfer<false>;
  one.a = address.base, one.imm = address.offset, one.b = stride, one.e = mask;
  one.list = list;
  one.mode = count;
  return true;
}

bool decodeProduct(Decoder &decoder, Opcode &opcode) {
  for (std::string_view layout : {"row", "col", "row", "col", "satfinite"})
    opcode.take(layout);
  auto shape = takeShape(opcode);
  std::vector<Type> types;
  for (Type type = opcode.takeType(); type != Type::None; type = opcode.takeType())
    types.push_back(type);
  // f16: only the types of D and C are named.
  Type d = types.empty() ? Type::None : types.front(), c = types.empty() ? Type::None : types.back();
  Type a = types.size() == 4 ? types[1] : Type::F16;
  if (!shape || (types.size() != 2 && types.size() != 4) || (types.size() == 4 && types[2] != a))
    return decoder.fail("this shape or combination of types is not supported");
  if (!decoder.wants(4))
    return true;
  std::vector<uint32_t> slots = decoder.destinations(decoder.operand(0));
  uint32_t counts[4] = {uint32_t(slots.size())};
  for (size_t operand = 1; operand < 4; ++operand) {
    std::vector<uint32_t> more = decoder.sources(decoder.operand(operand), Type::B32);
    counts[operand] = more.size();
    slots.insert(slots.end(), more.begin(), more.end());
  }
  Fragment fragments[4] = {shape->c(d), shape->a(a), shape->b(a), shape->c(c)};
  for (size_t operand = 0; operand < 4; ++operand)
    if (counts[operand] > 16 || counts[operand] * fragments[operand].perRegister() < fragments[operand].elements())
      return decoder.fail("operand " + std::to_string(operand) + " has another number of registers than the matrix");
  uint32_t begin = slots.size(), mask = decoder.value(~0u);
  for (uint32_t field :
       {shape->m, shape->n, shape->k, uint32_t(a), uint32_t(c), uint32_t(d), counts[0], counts[1], counts[2]})
    slots.push_back(field);
  const uint32_t *list = decoder.list(std::move(slots));
  Instruction &one = decoder.emit(waitForLanes);
  one.group = sumsIntegers(a) ? multiply<int32_t> : multiply<float>;
  one.e = mask;
  one.list = list;
  one.mode = begin;
  return true;
}

} // namespace

bool decodeWmma(Decoder &decoder, Opcode &opcode) {
  if (opcode.name != "wmma")
    return false;
  opcode.take("sync"), opcode.take("aligned");
  if (opcode.take("mma"))
    return decodeProduct(decoder, opcode);
  bool isLoad = opcode.take("load");
  if (!isLoad && !opcode.take("store"))
    return decoder.fail("the operation is not known");
  return decodeTransfer(decoder, opcode, isLoad);
}

} // namespace onnx_aot::ptx
