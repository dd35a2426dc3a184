// Runs PTX on the emulator and gives back what it wrote.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_TESTS_FIXTURE_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_TESTS_FIXTURE_H

#include "test/device/emulator/Ptx.h"

#include "gtest/gtest.h"

#include <cstring>

namespace onnx_aot::ptx {

inline const char *const kHeader = ".version 8.0\n.target sm_90\n.address_size 64\n";

/// The registers that the bodies of tests use.
inline const char *const kRegisters = ".reg .pred %p<16>; .reg .b16 %h<32>; .reg .b32 %r<128>; .reg .f32 %f<128>;\n"
                                      ".reg .b64 %d<32>; .reg .f64 %g<16>;\n";

struct EmulatorRun {
  std::string text;
  Launch launch;
  std::string kernel = "test";
  std::optional<Fault> fault;

  /// All memory is the kernel's, but for addresses below 4096.
  template <class... Arguments> EmulatorRun &with(Arguments... arguments) {
    auto parsed = Module::parse(text);
    if (auto *wrong = std::get_if<Fault>(&parsed)) {
      fault = *wrong;
      return *this;
    }
    const Kernel *found = std::get<0>(parsed)->find(kernel);
    if (!found) {
      fault = Fault{"no such kernel"};
      return *this;
    }
    void *pointers[] = {static_cast<void *>(&arguments)...};
    launch.params = pointers;
    fault = ptx::launch(*found, launch, [](uint64_t address, uint64_t, bool) { return address >= 4096; });
    return *this;
  }
  std::string message() const { return fault ? fault->text : std::string(); }
};

/// A kernel `test(out, in)` with `body`, in which %d1 is `out`, %d2 `in`, %r1 the thread in the block.
inline std::string kernelOf(const std::string &body, const std::string &header = kHeader) {
  return header + ".visible .entry test(.param .u64 out, .param .u64 in)\n{\n" + kRegisters +
         "ld.param.u64 %d1, [out]; ld.param.u64 %d2, [in]; mov.u32 %r1, %tid.x;\n" + body + "\nret;\n}\n";
}

/// Runs the kernel on `threads` threads of one block; `out` starts as zeros.
template <class Out, class In>
std::vector<Out> runBody(const std::string &body, uint32_t threads, size_t outputs, const std::vector<In> &in,
                         const std::string &header = kHeader) {
  std::vector<Out> out(outputs, Out{});
  EmulatorRun run{kernelOf(body, header), {}, "test", {}};
  run.launch.block = {threads, 1, 1};
  run.with(out.data(), in.data());
  EXPECT_EQ(run.message(), "");
  return out;
}

/// `instructions` compute %r9 from %r2, %r3, %r4, three 32-bit inputs.
inline uint32_t compute32(const std::string &instructions, uint32_t a, uint32_t b = 0, uint32_t c = 0) {
  return runBody<uint32_t>("ld.global.v4.u32 {%r2, %r3, %r4, %r5}, [%d2];\n" + instructions +
                               "\nst.global.u32 [%d1], %r9;",
                           1, 1, std::vector<uint32_t>{a, b, c, 0, 0, 0})
      .front();
}
/// The same of f32: %f9 from %f2, %f3, %f4.
inline float computeFloat(const std::string &instructions, float a, float b = 0, float c = 0) {
  return runBody<float>("ld.global.f32 %f2, [%d2]; ld.global.f32 %f3, [%d2+4]; ld.global.f32 %f4, [%d2+8];\n" +
                            instructions + "\nst.global.f32 [%d1], %f9;",
                        1, 1, std::vector<float>{a, b, c})
      .front();
}
/// The same of 64 bits: %d9 from %d3, %d4, %d5.
inline uint64_t compute64(const std::string &instructions, uint64_t a, uint64_t b = 0, uint64_t c = 0) {
  return runBody<uint64_t>("ld.global.u64 %d3, [%d2]; ld.global.u64 %d4, [%d2+8]; ld.global.u64 %d5, [%d2+16];\n" +
                               instructions + "\nst.global.u64 [%d1], %d9;",
                           1, 1, std::vector<uint64_t>{a, b, c})
      .front();
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_TESTS_FIXTURE_H
