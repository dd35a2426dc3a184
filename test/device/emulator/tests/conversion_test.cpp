// The PTX emulator: conversions and half precision, with values from IEEE 754 and the PTX ISA manual.

#include "fixture.h"

#include "test/device/emulator/Numbers.h"

#include <cmath>
#include <limits>
#include <random>

using namespace onnx_aot::ptx;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

uint32_t fromFloat(const std::string &conversion, float value) {
  return compute32("mov.b32 %f2, %r2; " + conversion, std::bit_cast<uint32_t>(value));
}

TEST(PtxConversion, FloatToInteger) {
  EXPECT_EQ(fromFloat("cvt.rni.s32.f32 %r9, %f2;", 2.5f), 2u);
  EXPECT_EQ(fromFloat("cvt.rzi.s32.f32 %r9, %f2;", -2.7f), uint32_t(-2));
  EXPECT_EQ(fromFloat("cvt.rmi.s32.f32 %r9, %f2;", -2.2f), uint32_t(-3));
  EXPECT_EQ(fromFloat("cvt.rpi.s32.f32 %r9, %f2;", 2.2f), 3u);
  EXPECT_EQ(fromFloat("cvt.rzi.s32.f32 %r9, %f2;", 1e20f), 0x7fffffffu);
  EXPECT_EQ(fromFloat("cvt.rzi.s32.f32 %r9, %f2;", 3e9f), 0x7fffffffu);
  EXPECT_EQ(fromFloat("cvt.rzi.u32.f32 %r9, %f2;", -5), 0u);
  EXPECT_EQ(fromFloat("cvt.rzi.s32.f32 %r9, %f2;", kNaN), 0u);
  EXPECT_EQ(fromFloat("cvt.rni.s8.f32 %r9, %f2;", -200), uint32_t(-128));
  EXPECT_EQ(compute64("mov.b64 %g1, %d3; cvt.rzi.s64.f64 %d9, %g1;", std::bit_cast<uint64_t>(-3e18)),
            uint64_t(-3000000000000000000));
}

TEST(PtxConversion, IntegerToFloatRounds) {
  EXPECT_EQ(compute32("cvt.rn.f32.s32 %f9, %r2; mov.b32 %r9, %f9;", 16777217), std::bit_cast<uint32_t>(16777216.0f));
  EXPECT_EQ(compute32("cvt.rp.f32.s32 %f9, %r2; mov.b32 %r9, %f9;", 16777217), std::bit_cast<uint32_t>(16777218.0f));
  EXPECT_EQ(compute32("cvt.rm.f32.s32 %f9, %r2; mov.b32 %r9, %f9;", uint32_t(-16777217)),
            std::bit_cast<uint32_t>(-16777218.0f));
  EXPECT_EQ(compute32("cvt.rn.f16.u32 %h1, %r2; mov.b32 %r9, {%h1, 0};", 70000), 0x7c00u);
}

TEST(PtxConversion, IntegerToInteger) {
  EXPECT_EQ(compute32("cvt.sat.s8.s32 %r9, %r2;", 300), 127u);
  EXPECT_EQ(compute32("cvt.sat.u8.s32 %r9, %r2;", uint32_t(-5)), 0u);
  EXPECT_EQ(compute32("cvt.s32.s8 %r9, %r2;", 0x1fe), uint32_t(-2));
  EXPECT_EQ(compute64("cvt.u32.u64 %r2, %d3; cvt.s64.s32 %d9, %r2;", 0xfffffffe), uint64_t(-2));
  EXPECT_EQ(compute64("cvt.u32.u64 %r2, %d3; cvt.u64.u32 %d9, %r2;", 0xfffffffe), 0xfffffffeull);
}

TEST(PtxConversion, FloatToFloat) {
  EXPECT_EQ(computeFloat("cvt.rni.f32.f32 %f9, %f2;", 2.5f), 2.0f);
  EXPECT_EQ(computeFloat("cvt.rmi.ftz.f32.f32 %f9, %f2;", -0.5f), -1.0f);
  EXPECT_EQ(computeFloat("cvt.sat.f32.f32 %f9, %f2;", kNaN), 0.0f);
  EXPECT_EQ(computeFloat("cvt.sat.f32.f32 %f9, %f2;", 1.5f), 1.0f);
  EXPECT_EQ(fromFloat("cvt.rn.f16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", 65520), 0x7c00u);
  EXPECT_EQ(fromFloat("cvt.rz.f16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", 65520), 0x7bffu);
  EXPECT_EQ(fromFloat("cvt.rn.f16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", 0x1p-25f), 0u);
  EXPECT_EQ(fromFloat("cvt.rn.f16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", 0x1.8p-25f), 1u);
  EXPECT_EQ(fromFloat("cvt.rn.bf16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", 1 + 0x1p-8f), 0x3f80u);
  EXPECT_EQ(fromFloat("cvt.rn.bf16.f32 %h1, %f2; mov.b32 %r9, {%h1, 0};", kNaN), 0x7fffu);
  EXPECT_EQ(fromFloat("cvt.rna.tf32.f32 %r9, %f2;", 1 + 0x1p-11f), std::bit_cast<uint32_t>(1 + 0x1p-10f));
  EXPECT_EQ(fromFloat("cvt.rn.relu.f16x2.f32 %r9, %f2, 0f3F800000;", -3), 0x3c00u);
  EXPECT_EQ(fromFloat("cvt.rn.bf16x2.f32 %r9, %f2, 0f3F800000;", 2), 0x40003f80u);
  EXPECT_EQ(fromFloat("cvt.rn.satfinite.e4m3x2.f32 %h1, %f2, 0f3F800000; mov.b32 %r9, {%h1, 0};", 1000), 0x7e38u);
  EXPECT_EQ(fromFloat("cvt.rn.satfinite.e5m2x2.f32 %h1, %f2, 0f3F800000; mov.b32 %r9, {%h1, 0};", -2), 0xc03cu);
  EXPECT_EQ(compute32("cvt.u16.u32 %h1, %r2; cvt.rn.f16x2.e4m3x2 %r9, %h1;", 0x7e38), toHalf(448) << 16 | 0x3c00u);
}

/// The C++ compiler's own conversions agree, on numbers of all magnitudes.
TEST(PtxConversion, EncodingAgreesWithTheMachine) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200000; ++round) {
    double value = std::bit_cast<double>(random());
    float small = std::bit_cast<float>(uint32_t(random()));
    if (value == value) {
      ASSERT_EQ(encodeNumber(exactly(value), kF32, Rounding::NearestEven), std::bit_cast<uint32_t>(float(value)));
    }
    if (small == small) {
      ASSERT_EQ(toDouble(std::bit_cast<uint32_t>(small), kF32), double(small));
    }
    double near = std::ldexp(double(int64_t(random())), int(random() % 160) - 190);
    ASSERT_EQ(encodeNumber(exactly(near), kF32, Rounding::NearestEven), std::bit_cast<uint32_t>(float(near)));
  }
  for (uint32_t bits = 0; bits < 0x10000; ++bits)
    if (float value = halfToFloat(uint16_t(bits)); value == value) {
      ASSERT_EQ(toHalf(value), bits);
    }
}

uint32_t half2(const std::string &instruction, uint32_t a, uint32_t b = 0, uint32_t c = 0) {
  return compute32(instruction, a, b, c);
}

TEST(PtxHalf, Arithmetic) {
  EXPECT_EQ(half2("add.f16x2 %r9, %r2, %r3;", 0x3c004000, 0x3c003c00), 0x40004200u);
  EXPECT_EQ(half2("mul.rn.f16x2 %r9, %r2, %r3;", 0x7bff4000, 0x40003c00), 0x7c004000u);
  EXPECT_EQ(half2("fma.rn.relu.f16x2 %r9, %r2, %r3, %r4;", 0x3c00bc00, 0x3c003c00, 0), 0x3c000000u);
  EXPECT_EQ(half2("fma.rn.bf16x2 %r9, %r2, %r3, %r4;", 0x3f804000, 0x3f804000, 0x3f803f80), 0x400040a0u);
  EXPECT_EQ(half2("neg.f16x2 %r9, %r2;", 0x00008000), 0x80000000u);
  EXPECT_EQ(half2("max.f16x2 %r9, %r2, %r3;", 0x7fff3c00, 0x3c004000), 0x3c004000u);
  EXPECT_EQ(half2("max.NaN.f16x2 %r9, %r2, %r3;", 0x7fff3c00, 0x3c004000), 0x7fff4000u);
  EXPECT_EQ(half2("ex2.approx.f16x2 %r9, %r2;", 0x42004000), 0x48004400u);
  EXPECT_EQ(
      half2("setp.lt.f16x2 %p1|%p2, %r2, %r3; selp.u32 %r8, 1, 0, %p1; selp.u32 %r7, 2, 0, %p2; or.b32 %r9, %r7, %r8;",
            0x3c004000, 0x40003c00),
      2u);
  EXPECT_EQ(half2("set.gt.f16x2.f16x2 %r9, %r2, %r3;", 0x3c004000, 0x40003c00), 0x00003c00u);
  // A sum that rounds otherwise when it is rounded to a double first: 1 + 2^-11 + 2^-60.
  EXPECT_EQ(toHalf(addToOdd(1 + 0x1p-11, 0x1p-60)), 0x3c01);
  EXPECT_EQ(toHalf(1 + 0x1p-11 + 0x1p-60), 0x3c00);
}

} // namespace
