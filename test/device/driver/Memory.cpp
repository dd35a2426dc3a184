#include "test/device/driver/Memory.h"

#include <cstdlib>
#include <cstring>

namespace onnx_aot::fake {

static constexpr uint64_t kAlign = 256; // as the driver aligns
static constexpr uint64_t kGap = 256;   // between a block and whatever comes next, so that no access reaches both

void Memory::Free::operator()(unsigned char *block) const { std::free(block); }

uint64_t Memory::allocate(uint64_t bytes, uint64_t limit) {
  if (bytes == 0 || bytes > limit - used)
    return 0;
  uint64_t rounded = (bytes + kAlign - 1) / kAlign * kAlign;
  auto *memory = static_cast<unsigned char *>(std::aligned_alloc(kAlign, rounded + kGap));
  if (!memory)
    return 0;
  std::memset(memory, 0xff, rounded);
  used += bytes;
  uint64_t address = reinterpret_cast<uintptr_t>(memory);
  blocks.emplace(address, Block{bytes, std::unique_ptr<unsigned char, Free>(memory)});
  return address;
}

bool Memory::release(uint64_t address) {
  auto found = blocks.find(address);
  if (found == blocks.end())
    return false;
  used -= found->second.bytes;
  blocks.erase(found);
  return true;
}

bool Memory::holds(uint64_t address, uint64_t bytes) const {
  auto next = blocks.upper_bound(address);
  if (next == blocks.begin())
    return false;
  auto &[begin, block] = *std::prev(next);
  return address - begin <= block.bytes && bytes <= block.bytes - (address - begin);
}

bool Memory::touches(uint64_t address, uint64_t bytes) const {
  auto next = blocks.upper_bound(address);
  if (next != blocks.end() && next->first - address < bytes)
    return true;
  if (next == blocks.begin())
    return false;
  auto &[begin, block] = *std::prev(next);
  return address - begin < block.bytes;
}

void Memory::clear() {
  blocks.clear();
  used = 0;
}

} // namespace onnx_aot::fake
