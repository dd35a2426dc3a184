// From an address of a space to where its bytes lie in this process, with all checks.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_MEMORY_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_MEMORY_H

#include "Machine.h"

namespace onnx_aot::ptx {

/// What an instruction does to memory. Async: beside the threads, so that their order says nothing of races.
enum class Use { Read, Write, Atomic, Async };

/// The bytes [address, address + size) of `space`; null after a fault of `thread` at `at`. For a Write, `written` are
/// the bytes to come (they tell a race).
std::byte *locate(Thread &thread, const Instruction *at, Space space, uint64_t address, uint64_t size, Use use,
                  const void *written = nullptr, uint64_t alignment = 0);

/// A generic address of the space.
inline uint64_t genericAddress(Space space, uint64_t address) { return address | windowOf(space); }

class Decoder;
class Opcode;
/// The space that a modifier names, taken; Generic where none does.
Space takeSpace(Opcode &opcode);

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_MEMORY_H
