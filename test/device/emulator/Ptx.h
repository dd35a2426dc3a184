// Executes PTX on the CPU, for tests on machines without a GPU.
//
// A module is parsed and decoded once; a launch runs its blocks one after the other. Every thread of a block is an
// interpreter with registers of its own that runs until it comes to a collective operation (a barrier, a shuffle, a
// matrix product ...). The operation is done when all that take part have come to it, and they go on; threads that wait
// for one another forever are a fault. So is whatever a GPU leaves undefined and this program can see: an address that
// is not the kernel's to use, one that is not aligned, a lane that is missing at a collective operation, a race in
// shared memory (see Launch::checkRaces). Registers, shared and local memory start as all ones, which are NaNs.
//
// Semantics follow NVIDIA's "PTX ISA" manual. Three things differ from a GPU. Approximate functions (ex2.approx ...)
// are rounded results. Matrix products add in fp32, in plain order, products being exact. What a copy (cp.async, TMA)
// writes is there when its completion has been waited for and not before: until then the destination is all ones.
//
// Addresses in global memory are addresses of this process. Shared memory begins at kSharedBase of the shared space, so
// that a null pointer is a fault.
//
//   auto parsed = Module::parse(text);                       // or a Fault with the line
//   const Kernel *kernel = std::get<0>(parsed)->find("scale");
//   void *arguments[] = {&pointer, &count};
//   if (auto fault = launch(*kernel, {{blocks}, {threads}, 0, arguments}, check)) std::cerr << fault->text;
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_PTX_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_PTX_H

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace onnx_aot::ptx {

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

/// What went wrong: kernel, line of the PTX, thread, reason.
struct Fault {
  std::string text;
};

struct Program;
struct Function;

/// Where a parameter lies in the parameters of a kernel.
struct ParameterSlot {
  uint32_t offset = 0, size = 0;
};

/// An .entry of a module, which owns it.
class Kernel {
public:
  Kernel(const Program &program, const Function &function);

  const std::string &name() const;
  const std::vector<ParameterSlot> &parameters() const;
  /// Shared memory of the variables that it and the functions that it calls declare.
  uint32_t staticSharedBytes() const { return staticShared; }
  /// .maxntid or .reqntid; 1024 where the kernel names none.
  uint32_t maxThreadsPerBlock() const;

private:
  friend struct Launcher;
  const Program &program;
  const Function &function;
  uint32_t staticShared = 0;
  std::vector<uint32_t> sharedAddresses; ///< By index of the shared variable.
};

class Module {
public:
  /// An instruction that is not known is a fault that names its line.
  static std::variant<std::unique_ptr<Module>, Fault> parse(std::string_view text);
  ~Module();

  const Kernel *find(std::string_view name) const;
  std::string_view target() const;               ///< "sm_80"
  std::pair<unsigned, unsigned> version() const; ///< .version

  /// A variable in .global or .const memory, which the module owns: {address, bytes}.
  std::optional<std::pair<void *, uint64_t>> variable(std::string_view name) const;

private:
  Module();
  std::unique_ptr<Program> program;
  std::vector<std::unique_ptr<Kernel>> kernels;
};

/// Whether [address, address + size) is memory that the device may read (or write). It is asked once per block of 256
/// bytes that it allows as a whole, else for each access. A module's own variables are allowed without asking.
using MemoryCheck = std::function<bool(uint64_t address, uint64_t size, bool isWrite)>;

struct Launch {
  Dim3 grid, block;
  uint32_t dynamicSharedBytes = 0;
  void **params = nullptr; ///< As cuLaunchKernel takes them: the address of each parameter.
  /// Two threads of a block use the same byte of shared memory, one of them writes, and no barrier orders them: a
  /// fault.
  bool checkRaces = false;
};

/// Runs all blocks; the fault that stopped it, if any.
std::optional<Fault> launch(const Kernel &kernel, const Launch &launch, const MemoryCheck &check);

/// Where shared memory begins in the shared space.
inline constexpr uint32_t kSharedBase = 1024;

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_PTX_H
