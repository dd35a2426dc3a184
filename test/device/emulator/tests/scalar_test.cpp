// The PTX emulator: what single instructions compute, with edge values from the PTX ISA manual.

#include "fixture.h"

#include <cmath>
#include <limits>

using namespace onnx_aot::ptx;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

uint32_t bits(float value) {
  uint32_t result;
  std::memcpy(&result, &value, 4);
  return result;
}

TEST(PtxInteger, Arithmetic) {
  EXPECT_EQ(compute32("sub.s32 %r9, %r2, %r3;", 3, 5), uint32_t(-2));
  EXPECT_EQ(compute32("mul.lo.s32 %r9, %r2, %r3;", 100000, 100000), uint32_t(100000ull * 100000ull));
  EXPECT_EQ(compute32("mul.hi.s32 %r9, %r2, %r3;", uint32_t(-2), 3), uint32_t(-1));
  EXPECT_EQ(compute32("mul.hi.u32 %r9, %r2, %r3;", uint32_t(-2), 3), 2u);
  EXPECT_EQ(compute32("mad.lo.s32 %r9, %r2, %r3, %r4;", 7, uint32_t(-3), 1), uint32_t(-20));
  EXPECT_EQ(compute32("div.s32 %r9, %r2, %r3;", uint32_t(-7), 2), uint32_t(-3));
  EXPECT_EQ(compute32("rem.s32 %r9, %r2, %r3;", uint32_t(-7), 2), uint32_t(-1));
  EXPECT_EQ(compute32("div.u32 %r9, %r2, %r3;", uint32_t(-7), 2), 0x7ffffffcu);
  EXPECT_EQ(compute32("add.sat.s32 %r9, %r2, %r3;", 0x7fffffff, 1), 0x7fffffffu);
  EXPECT_EQ(compute32("sad.u32 %r9, %r2, %r3, %r4;", 3, 10, 5), 12u);
  EXPECT_EQ(compute32("mul24.lo.s32 %r9, %r2, %r3;", 0x00ffffff, 5), uint32_t(-5));
  EXPECT_EQ(compute32("min.s32 %r9, %r2, %r3;", uint32_t(-1), 1), uint32_t(-1));
  EXPECT_EQ(compute32("max.u32 %r9, %r2, %r3;", uint32_t(-1), 1), uint32_t(-1));
  EXPECT_EQ(compute32("add.cc.u32 %r8, %r2, %r3; addc.u32 %r9, %r4, 0;", 0xffffffff, 1, 6), 7u);
  EXPECT_EQ(compute32("sub.cc.u32 %r8, %r2, %r3; subc.u32 %r9, %r4, 0;", 0, 1, 6), 5u);
  EXPECT_EQ(compute32("dp4a.s32.s32 %r9, %r2, %r3, %r4;", 0xff020304, 0x01020304, 100), uint32_t(100 - 1 + 4 + 9 + 16));
  EXPECT_EQ(
      compute64("cvt.u32.u64 %r2, %d3; cvt.u32.u64 %r3, %d4; mad.wide.s32 %d9, %r2, %r3, %d5;", uint32_t(-3), 5, 1),
      uint64_t(-14));
  EXPECT_EQ(compute64("mul.hi.u64 %d9, %d3, %d4;", ~0ull, ~0ull), ~0ull - 1);
}

TEST(PtxInteger, Bits) {
  EXPECT_EQ(compute32("shl.b32 %r9, %r2, %r3;", 1, 32), 0u);
  EXPECT_EQ(compute32("shr.s32 %r9, %r2, %r3;", 0x80000000, 200), 0xffffffffu);
  EXPECT_EQ(compute32("shr.u32 %r9, %r2, %r3;", 0x80000000, 31), 1u);
  EXPECT_EQ(compute32("lop3.b32 %r9, %r2, %r3, %r4, 0x96;", 0xf0f0, 0xcccc, 0xaaaa), 0xf0f0u ^ 0xccccu ^ 0xaaaau);
  EXPECT_EQ(compute32("lop3.b32 %r9, %r2, %r3, %r4, 0xca;", 0xf0f0, 0xcccc, 0xaaaa),
            (0xf0f0u & 0xccccu) | (~0xf0f0u & 0xaaaau));
  EXPECT_EQ(compute32("shf.l.wrap.b32 %r9, %r2, %r3, %r4;", 0x80000001, 0x12345678, 4), 0x23456788u);
  EXPECT_EQ(compute32("shf.r.clamp.b32 %r9, %r2, %r3, %r4;", 0x80000001, 0x12345678, 40), 0x12345678u);
  EXPECT_EQ(compute32("bfe.u32 %r9, %r2, 8, 8;", 0x12345678), 0x56u);
  EXPECT_EQ(compute32("bfe.s32 %r9, %r2, 4, 4;", 0x000000f0), 0xffffffffu);
  EXPECT_EQ(compute32("bfe.s32 %r9, %r2, 28, 16;", 0x80000000), 0xfffffff8u);
  EXPECT_EQ(compute32("bfi.b32 %r9, %r2, %r3, 8, 4;", 0xf5, 0), 0x500u);
  EXPECT_EQ(compute32("brev.b32 %r9, %r2;", 1), 0x80000000u);
  EXPECT_EQ(compute32("clz.b32 %r9, %r2;", 0), 32u);
  EXPECT_EQ(compute32("popc.b32 %r9, %r2;", 0xf0f1), 9u);
  EXPECT_EQ(compute32("bfind.s32 %r9, %r2;", uint32_t(-1)), 0xffffffffu);
  EXPECT_EQ(compute32("bfind.shiftamt.u32 %r9, %r2;", 1), 31u);
  EXPECT_EQ(compute32("prmt.b32 %r9, %r2, %r3, 0x5410;", 0x11223344, 0x55667788), 0x77883344u);
  EXPECT_EQ(compute32("prmt.b32 %r9, %r2, %r3, 0x8888;", 0x80, 0), 0xffffffffu & 0xffffffffu);
  EXPECT_EQ(compute32("cnot.b32 %r9, %r2;", 0), 1u);
}

TEST(PtxFloat, NaNsZerosAndSubnormals) {
  EXPECT_EQ(computeFloat("min.f32 %f9, %f2, %f3;", kNaN, 3), 3);
  EXPECT_TRUE(std::isnan(computeFloat("min.NaN.f32 %f9, %f2, %f3;", kNaN, 3)));
  EXPECT_TRUE(std::signbit(computeFloat("min.f32 %f9, %f2, %f3;", 0.0f, -0.0f)));
  EXPECT_FALSE(std::signbit(computeFloat("max.f32 %f9, %f2, %f3;", -0.0f, 0.0f)));
  EXPECT_EQ(computeFloat("mul.ftz.f32 %f9, %f2, %f3;", 1e-20f, 1e-20f), 0);
  EXPECT_EQ(computeFloat("add.ftz.f32 %f9, %f2, %f3;", 1e-40f, 0), 0);
  EXPECT_EQ(computeFloat("add.f32 %f9, %f2, %f3;", 1e-40f, 0), 1e-40f);
  EXPECT_EQ(computeFloat("add.sat.f32 %f9, %f2, %f3;", kNaN, 1), 0);
  EXPECT_EQ(computeFloat("add.sat.f32 %f9, %f2, %f3;", 2, 1), 1);
  EXPECT_EQ(bits(computeFloat("sub.f32 %f9, %f2, %f3;", kInf, kInf)), 0x7fffffffu);
  EXPECT_EQ(computeFloat("copysign.f32 %f9, %f2, %f3;", -1, 5), -5);
}

TEST(PtxFloat, RoundingAndFunctions) {
  EXPECT_EQ(computeFloat("add.rz.f32 %f9, %f2, %f3;", 1, -1e-10f), std::nextafter(1.0f, 0.0f));
  EXPECT_EQ(computeFloat("add.rp.f32 %f9, %f2, %f3;", 1, 1e-10f), std::nextafter(1.0f, 2.0f));
  EXPECT_EQ(computeFloat("fma.rm.f32 %f9, %f2, %f3, %f4;", 1, 1, -1e-10f), std::nextafter(1.0f, 0.0f));
  EXPECT_EQ(computeFloat("fma.rn.f32 %f9, %f2, %f3, %f4;", 1 + 0x1p-12f, 1 + 0x1p-12f, -1), 0x1p-11f + 0x1p-24f);
  EXPECT_EQ(computeFloat("div.rn.f32 %f9, %f2, %f3;", 1, 3), 1.0f / 3);
  EXPECT_EQ(computeFloat("div.approx.f32 %f9, %f2, %f3;", 0x1p127f, 0x1.8p126f), 0);
  EXPECT_EQ(computeFloat("div.full.f32 %f9, %f2, %f3;", 0x1p127f, 0x1p126f), 2);
  EXPECT_EQ(computeFloat("ex2.approx.ftz.f32 %f9, %f2;", 10), 1024);
  EXPECT_EQ(computeFloat("ex2.approx.ftz.f32 %f9, %f2;", -130), 0);
  EXPECT_EQ(computeFloat("ex2.approx.f32 %f9, %f2;", -130), 0x1p-130f);
  EXPECT_EQ(computeFloat("lg2.approx.f32 %f9, %f2;", 0), -kInf);
  EXPECT_EQ(computeFloat("rsqrt.approx.f32 %f9, %f2;", 16), 0.25f);
  EXPECT_EQ(computeFloat("sqrt.rn.f32 %f9, %f2;", 2), std::sqrt(2.0f));
  EXPECT_FLOAT_EQ(computeFloat("tanh.approx.f32 %f9, %f2;", 0.5f), std::tanh(0.5f));
}

TEST(PtxCompare, OrderedUnorderedAndJoined) {
  auto choose = [](const std::string &comparison, float a, float b) {
    return compute32("mov.b32 %f2, %r2; mov.b32 %f3, %r3; setp." + comparison +
                         ".f32 %p1, %f2, %f3; selp.u32 %r9, 1, 0, %p1;",
                     bits(a), bits(b));
  };
  EXPECT_EQ(choose("lt", 1, 2), 1u);
  EXPECT_EQ(choose("lt", kNaN, 2), 0u);
  EXPECT_EQ(choose("ltu", kNaN, 2), 1u);
  EXPECT_EQ(choose("ne", kNaN, kNaN), 0u);
  EXPECT_EQ(choose("neu", kNaN, kNaN), 1u);
  EXPECT_EQ(choose("num", 1, kNaN), 0u);
  EXPECT_EQ(choose("nan", 1, kNaN), 1u);
  EXPECT_EQ(compute32("setp.gt.s32 %p1, 1, 0; setp.lt.and.s32 %p2|%p3, %r2, %r3, !%p1; selp.u32 %r8, 1, 0, %p2;"
                      "selp.u32 %r7, 2, 0, %p3; or.b32 %r9, %r7, %r8;",
                      1, 2),
            0u);
  EXPECT_EQ(compute32("setp.gt.s32 %p1, 1, 0; setp.gt.xor.s32 %p2|%p3, %r2, %r3, %p1; selp.u32 %r8, 1, 0, %p2;"
                      "selp.u32 %r7, 2, 0, %p3; or.b32 %r9, %r7, %r8;",
                      1, 2),
            1u);
  EXPECT_EQ(compute32("setp.lo.u32 %p1, %r2, %r3; selp.u32 %r9, 1, 0, %p1;", 1, uint32_t(-1)), 1u);
  EXPECT_EQ(compute32("set.lt.u32.s32 %r9, %r2, %r3;", 1, 2), ~0u);
  EXPECT_EQ(compute32("set.lt.f32.s32 %f9, %r2, %r3; mov.b32 %r9, %f9;", 1, 2), bits(1.0f));
  EXPECT_EQ(compute32("slct.b32.s32 %r9, %r2, %r3, %r4;", 1, 2, uint32_t(-1)), 2u);
}

} // namespace
