// ldmatrix, stmatrix: 8x8 matrices of 16-bit elements between shared memory and the registers of a warp. Lanes 8 i to
// 8 i + 7 give the addresses of the rows of matrix i; lane 4 r + c holds elements 2 c and 2 c + 1 of row r, or of
// column r where it is transposed.

#include "Collectives.h"
#include "Decoder.h"
#include "Memory.h"

namespace onnx_aot::ptx {
namespace {

/// `mode`: the number of matrices, 8 more where transposed, 16 more for generic addresses. a: the address.
struct Matrices {
  uint32_t count;
  bool transposed;
  Space space;
  explicit Matrices(uint32_t mode)
      : count(mode & 7), transposed(mode & 8), space(mode & 16 ? Space::Generic : Space::Shared) {}
};

std::byte *rowOf(Warp &warp, const Instruction *at, const Matrices &matrices, uint32_t matrix, uint32_t row, Use use,
                 const void *written) {
  Thread &owner = warp.lane(8 * matrix + row);
  return locate(owner, at, matrices.space, owner.slots[at->a] + at->imm, 16, use, written);
}

bool allLanes(Warp &warp, const Instruction *at, uint32_t mask) {
  if (mask != ~0u)
    warp.lane(std::countr_zero(mask)).fault(at, "all lanes of the warp must take part");
  return mask == ~0u;
}

bool loadMatrices(Warp &warp, const Instruction *at, uint32_t mask) {
  Matrices matrices(at->mode);
  uint16_t elements[4][8][8];
  if (!allLanes(warp, at, mask))
    return false;
  for (uint32_t matrix = 0; matrix < matrices.count; ++matrix)
    for (uint32_t row = 0; row < 8; ++row) {
      std::byte *bytes = rowOf(warp, at, matrices, matrix, row, Use::Read, nullptr);
      if (!bytes)
        return false;
      std::memcpy(elements[matrix][row], bytes, 16);
    }
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t row = thread.lane / 4, column = thread.lane % 4 * 2;
    for (uint32_t matrix = 0; matrix < matrices.count; ++matrix) {
      auto &from = elements[matrix];
      uint32_t low = matrices.transposed ? from[column][row] : from[row][column];
      uint32_t high = matrices.transposed ? from[column + 1][row] : from[row][column + 1];
      set<uint32_t>(thread, at->list[matrix], low | high << 16);
    }
  });
  return true;
}

bool storeMatrices(Warp &warp, const Instruction *at, uint32_t mask) {
  Matrices matrices(at->mode);
  uint16_t elements[4][8][8];
  if (!allLanes(warp, at, mask))
    return false;
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t row = thread.lane / 4, column = thread.lane % 4 * 2;
    for (uint32_t matrix = 0; matrix < matrices.count; ++matrix) {
      auto &to = elements[matrix];
      uint32_t both = get<uint32_t>(thread, at->list[matrix]);
      (matrices.transposed ? to[column][row] : to[row][column]) = uint16_t(both);
      (matrices.transposed ? to[column + 1][row] : to[row][column + 1]) = uint16_t(both >> 16);
    }
  });
  for (uint32_t matrix = 0; matrix < matrices.count; ++matrix)
    for (uint32_t row = 0; row < 8; ++row) {
      std::byte *bytes = rowOf(warp, at, matrices, matrix, row, Use::Write, elements[matrix][row]);
      if (!bytes)
        return false;
      std::memcpy(bytes, elements[matrix][row], 16);
    }
  return true;
}

} // namespace

bool decodeMatrixMemory(Decoder &decoder, Opcode &opcode) {
  bool isLoad = opcode.name == "ldmatrix";
  if (!isLoad && opcode.name != "stmatrix")
    return false;
  opcode.take("sync"), opcode.take("aligned");
  bool known = opcode.take("m8n8") && opcode.take("b16"), transposed = opcode.take("trans");
  std::string_view count = opcode.takeOneOf({"x1", "x2", "x4"});
  Space space = takeSpace(opcode);
  if (!known || count.empty())
    return decoder.fail("this shape or type is not supported");
  if (!decoder.wants(2))
    return true;
  const Operand &registers = decoder.operand(isLoad ? 0 : 1);
  std::vector<uint32_t> slots = isLoad ? decoder.destinations(registers) : decoder.sources(registers, Type::B32);
  Decoder::Address address = decoder.address(decoder.operand(isLoad ? 1 : 0));
  uint32_t matrices = count[1] - '0', mask = decoder.value(~0u);
  if (slots.size() != matrices)
    return decoder.fail("the number of registers is not that of the matrices");
  const uint32_t *list = decoder.list(std::move(slots));
  bool isGeneric = space == Space::Generic && address.space == Space::Generic;
  Instruction &one = decoder.emit(waitForLanes);
  one.group = isLoad ? loadMatrices : storeMatrices;
  one.a = address.base, one.imm = address.offset, one.e = mask;
  one.list = list;
  one.mode = matrices | (transposed ? 8 : 0) | (isGeneric ? 16 : 0);
  return true;
}

} // namespace onnx_aot::ptx
