// Device memory: blocks of the process's own memory that the driver knows.
#ifndef ONNX_AOT_TEST_DEVICE_DRIVER_MEMORY_H
#define ONNX_AOT_TEST_DEVICE_DRIVER_MEMORY_H

#include <cstdint>
#include <map>
#include <memory>

namespace onnx_aot::fake {

class Memory {
public:
  /// The address of a new block filled with 0xff; 0 when there is none.
  uint64_t allocate(uint64_t bytes, uint64_t limit);
  bool release(uint64_t address);

  /// Whether [address, address + bytes) lies inside one block.
  bool holds(uint64_t address, uint64_t bytes) const;
  /// Whether it touches any.
  bool touches(uint64_t address, uint64_t bytes) const;

  size_t count() const { return blocks.size(); }
  uint64_t bytes() const { return used; }
  void clear();

private:
  struct Free {
    void operator()(unsigned char *block) const;
  };
  struct Block {
    uint64_t bytes;
    std::unique_ptr<unsigned char, Free> memory;
  };
  std::map<uint64_t, Block> blocks;
  uint64_t used = 0;
};

} // namespace onnx_aot::fake

#endif // ONNX_AOT_TEST_DEVICE_DRIVER_MEMORY_H
