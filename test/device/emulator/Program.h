// A decoded module: functions as vectors of instructions whose operands are slots of a frame. A frame holds the
// registers of a function, then every constant that it reads (numbers, addresses of variables, special registers such
// as %tid.x), so that each source operand is read alike.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_PROGRAM_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_PROGRAM_H

#include "Ptx.h"

#include <array>
#include <deque>
#include <map>

namespace onnx_aot::ptx {

struct Thread;
struct Warp;
struct Instruction;

/// Executes an instruction for one thread; the next one, or null where the thread stops (it waits, has ended, or a
/// fault has occurred).
using Handler = const Instruction *(*)(Thread &, const Instruction *);

/// Executes a collective instruction for the lanes of `mask`, all of which wait at it. False after a fault.
using GroupHandler = bool (*)(Warp &, const Instruction *, uint32_t mask);

struct Instruction {
  Handler run = nullptr;
  GroupHandler group = nullptr;
  uint32_t d = 0, a = 0, b = 0, c = 0; ///< Slots: destination and sources.
  uint32_t e = 0;                      ///< Slot: a fourth source, a second destination, or the lanes of a collective.
  uint32_t line = 0;
  int64_t imm = 0;                ///< Offset of an address, distance of a branch, or what the handler says.
  const uint32_t *list = nullptr; ///< Slots of vector operands.
  uint32_t mode = 0;              ///< Flags of the handler.
};

enum class Space : uint8_t { Generic, Global, Const, Shared, Local, Param };

/// Generic addresses of the other spaces: the space in the highest byte. Those of global memory are plain.
inline constexpr int kWindowShift = 56;
inline constexpr uint64_t windowOf(Space space) {
  return space == Space::Shared || space == Space::Local || space == Space::Param ? uint64_t(space) << kWindowShift : 0;
}

/// In the param space: the parameters of the kernel begin here. Those of functions have addresses in local memory,
/// which is also where a program looks for them that takes their address.
inline constexpr uint64_t kKernelParameters = uint64_t(1) << 31;

struct Variable {
  std::string name;
  Space space = Space::Global;
  uint64_t bytes = 0, alignment = 1;
  bool isExtern = false;
  uint64_t address = 0; ///< Global, const: in this process. Local, param: in the frame.
  uint32_t index = 0;   ///< Of a shared variable.
};

/// What a slot holds when a function begins.
struct Constant {
  enum Kind : uint8_t { Value, SharedAddress, LocalAddress, ParamAddress, Special } kind = Value;
  uint64_t value = 0; ///< Or the offset to the address.
  uint32_t index = 0; ///< Of a shared variable; of a SpecialRegister.
  auto key() const { return std::make_tuple(kind, value, index); }
};

enum class SpecialRegister : uint32_t {
  TidX,
  TidY,
  TidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NtidX,
  NtidY,
  NtidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  WarpCount,
  LaneMaskEq,
  LaneMaskLt,
  LaneMaskLe,
  LaneMaskGt,
  LaneMaskGe,
  DynamicSharedBytes,
  TotalSharedBytes,
  Zero,
  One
};

struct CallSite {
  const Function *callee = nullptr;
  std::string name;                              ///< Of a function without a body.
  std::vector<ParameterSlot> arguments, results; ///< In the caller's part of the param space.
};

struct Function {
  std::string name;
  uint32_t index = 0;
  bool isEntry = false;
  uint32_t maxThreads = 1024;
  std::vector<Instruction> code;
  std::vector<std::pair<uint32_t, Constant>> constants; ///< By slot.
  uint32_t slots = 0;
  uint32_t localBytes = 0, paramBytes = 0;
  std::vector<ParameterSlot> parameters, results;
  std::vector<uint32_t> sharedVariables; ///< That it names itself.
  std::deque<CallSite> calls;
  std::deque<std::vector<uint32_t>> lists;
  std::deque<std::vector<int64_t>> branchTables; ///< Distances of brx.idx.
};

struct Program {
  std::string text; ///< For messages.
  std::vector<std::string_view> lines;
  std::pair<unsigned, unsigned> version;
  std::string target;
  std::deque<Variable> variables; ///< Of the module, and shared ones of functions.
  std::map<std::string, const Variable *, std::less<>> names;
  std::vector<const Variable *> shared; ///< By index.
  std::vector<std::unique_ptr<std::byte[]>> memory;
  std::deque<Function> functions;
};

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_PROGRAM_H
