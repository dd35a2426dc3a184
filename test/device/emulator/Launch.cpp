// Starts a kernel: what frames look like at the beginning, the parameters, then block after block.

#include "Async.h"
#include "Machine.h"
#include "Races.h"

#include <algorithm>

namespace onnx_aot::ptx {
namespace {

std::string text(const Dim3 &at) {
  return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
}

uint64_t specialValue(const Thread &thread, SpecialRegister which) {
  const Block &block = *thread.block;
  const Launch &launch = *block.launch;
  using S = SpecialRegister;
  uint32_t own = uint32_t(1) << thread.lane;
  switch (which) {
  case S::TidX:
  case S::TidY:
  case S::TidZ:
    return thread.position[uint32_t(which) - uint32_t(S::TidX)];
  case S::CtaidX:
    return block.position.x;
  case S::CtaidY:
    return block.position.y;
  case S::CtaidZ:
    return block.position.z;
  case S::NtidX:
    return launch.block.x;
  case S::NtidY:
    return launch.block.y;
  case S::NtidZ:
    return launch.block.z;
  case S::NctaidX:
    return launch.grid.x;
  case S::NctaidY:
    return launch.grid.y;
  case S::NctaidZ:
    return launch.grid.z;
  case S::LaneId:
    return thread.lane;
  case S::WarpId:
    return thread.warp->index;
  case S::WarpCount:
    return block.warps.size();
  case S::LaneMaskEq:
    return own;
  case S::LaneMaskLt:
    return own - 1;
  case S::LaneMaskLe:
    return own | (own - 1);
  case S::LaneMaskGt:
    return uint32_t(~(own | (own - 1)));
  case S::LaneMaskGe:
    return uint32_t(~(own - 1));
  case S::DynamicSharedBytes:
    return launch.dynamicSharedBytes;
  case S::TotalSharedBytes:
    return block.shared.size();
  case S::Zero:
    return 0;
  case S::One:
    return 1;
  }
  return 0;
}

} // namespace

void enterFunction(Thread &thread, const Function &function, const CallSite *call, const Instruction *returnTo) {
  if (thread.depth == thread.frames.size())
    thread.frames.emplace_back();
  Frame &frame = thread.frames[thread.depth++];
  frame.slots = (*thread.block->images)[function.index];
  frame.function = &function;
  frame.call = call;
  frame.returnTo = returnTo;
  auto grow = [&](uint32_t bytes) {
    uint64_t base = thread.local.size();
    thread.local.resize(base + (bytes + 127) / 128 * 128, std::byte(0xff));
    return base;
  };
  frame.localBase = grow(function.localBytes);
  frame.paramBase = grow(function.paramBytes);
  for (const auto &[slot, constant] : function.constants) {
    if (constant.kind == Constant::LocalAddress)
      frame.slots[slot] = frame.localBase + constant.value;
    else if (constant.kind == Constant::ParamAddress)
      frame.slots[slot] = frame.paramBase + constant.value;
    else if (constant.kind == Constant::Special)
      frame.slots[slot] = specialValue(thread, SpecialRegister(constant.index));
  }
  thread.slots = frame.slots.data();
}

const Instruction *Thread::fault(const Instruction *at, std::string reason) {
  if (block->fault)
    return nullptr;
  const Program &program = *block->program;
  std::string message = "kernel " + block->kernel->name() + ", block " + text(block->position) + ", thread " +
                        text({position[0], position[1], position[2]}) + ", PTX line " + std::to_string(at->line) +
                        ": " + reason;
  if (at->line && at->line <= program.lines.size())
    message += ": " + std::string(program.lines[at->line - 1]);
  block->fault = Fault{std::move(message)};
  return nullptr;
}

bool MemoryGuard::permits(uint64_t address, uint64_t size, bool isWrite) const {
  if (address >> kWindowShift || address + size < address)
    return false;
  for (const Variable &variable : program.variables)
    if (variable.space != Space::Shared && variable.address && address >= variable.address &&
        address + size <= variable.address + variable.bytes)
      return !isWrite || variable.space == Space::Global;
  return check(address, size, isWrite);
}

bool MemoryGuard::ask(uint64_t address, uint64_t size, bool isWrite) {
  uint64_t line = address >> 8;
  if (permits(line << 8, 256, isWrite)) {
    (isWrite ? writable : readable)[line % kLines] = line;
    if (line == (address + size - 1) >> 8)
      return true;
  }
  return permits(address, size, isWrite);
}

/// Sees the insides of a Kernel.
struct Launcher {
  const Kernel &kernel;
  const Launch &launch;
  std::vector<std::vector<uint64_t>> images;
  Block block;

  std::optional<Fault> refuse(const std::string &reason) { return Fault{"kernel " + kernel.name() + ": " + reason}; }

  void makeImages() {
    for (const Function &function : kernel.program.functions) {
      std::vector<uint64_t> &image = images.emplace_back(function.slots, ~uint64_t(0));
      for (const auto &[slot, constant] : function.constants)
        if (constant.kind == Constant::Value)
          image[slot] = constant.value;
        else if (constant.kind == Constant::SharedAddress)
          image[slot] = kernel.sharedAddresses[constant.index] + constant.value;
    }
  }

  void copyParameters() {
    for (const ParameterSlot &slot : kernel.parameters())
      block.kernelParameters.resize(slot.offset + slot.size);
    for (size_t index = 0; index < kernel.parameters().size(); ++index) {
      const ParameterSlot &slot = kernel.parameters()[index];
      std::memcpy(block.kernelParameters.data() + slot.offset, launch.params[index], slot.size);
    }
  }

  void makeThreads() {
    uint32_t count = launch.block.x * launch.block.y * launch.block.z;
    block.threads.resize(count);
    block.warps.resize((count + 31) / 32);
    for (uint32_t index = 0; index < block.warps.size(); ++index) {
      block.warps[index].block = &block;
      block.warps[index].index = index;
      block.warps[index].lanes.assign(32, nullptr);
    }
    for (uint32_t index = 0; index < count; ++index) {
      Thread &thread = block.threads[index];
      thread.block = &block;
      thread.warp = &block.warps[index / 32];
      thread.warp->lanes[index % 32] = &thread;
      thread.lane = index % 32;
      thread.index = index;
      thread.position = {index % launch.block.x, index / launch.block.x % launch.block.y,
                         index / launch.block.x / launch.block.y};
    }
  }

  void startBlock(const Dim3 &position) {
    block.position = position;
    std::fill(block.shared.begin(), block.shared.end(), std::byte(0xff));
    block.barriers = {};
    block.async = std::make_shared<AsyncState>();
    block.interruptions = 0;
    if (block.races)
      block.races->start();
    for (Thread &thread : block.threads) {
      thread.depth = 0;
      thread.branches = 0;
      thread.local.clear();
      thread.copies.clear();
      thread.copyGroups.clear();
      thread.state = Thread::Ready;
      enterFunction(thread, kernel.function, nullptr, nullptr);
      thread.at = kernel.function.code.data();
    }
  }

  std::optional<Fault> run(const MemoryCheck &check) {
    uint64_t threads = uint64_t(launch.block.x) * launch.block.y * launch.block.z;
    if (threads == 0 || uint64_t(launch.grid.x) * launch.grid.y * launch.grid.z == 0)
      return refuse("the grid is empty");
    if (threads > 1024 || launch.block.z > 64)
      return refuse("a block has at most 1024 threads, and 64 in z");
    if (threads > kernel.maxThreadsPerBlock())
      return refuse(std::to_string(threads) + " threads are more than the kernel allows");
    if (launch.grid.y > 65535 || launch.grid.z > 65535)
      return refuse("a grid has at most 65535 blocks in y and z");
    MemoryGuard guard(check, kernel.program);
    Races races(kernel.staticSharedBytes() + launch.dynamicSharedBytes, (threads + 31) / 32);
    block.program = &kernel.program;
    block.kernel = &kernel;
    block.launch = &launch;
    block.guard = &guard;
    block.races = launch.checkRaces ? &races : nullptr;
    block.images = &images;
    block.shared.resize(kernel.staticSharedBytes() + launch.dynamicSharedBytes);
    makeImages();
    copyParameters();
    makeThreads();
    for (uint32_t z = 0; z < launch.grid.z; ++z)
      for (uint32_t y = 0; y < launch.grid.y; ++y)
        for (uint32_t x = 0; x < launch.grid.x; ++x) {
          startBlock({x, y, z});
          if (!block.run())
            return block.fault;
        }
    return std::nullopt;
  }
};

std::optional<Fault> launch(const Kernel &kernel, const Launch &launch, const MemoryCheck &check) {
  return Launcher{kernel, launch, {}, {}}.run(check);
}

} // namespace onnx_aot::ptx
