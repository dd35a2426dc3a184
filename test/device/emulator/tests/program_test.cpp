// The PTX emulator: modules, variables, parameters, calls, branches, grids.

#include "fixture.h"

using namespace onnx_aot::ptx;

namespace {

const std::vector<uint32_t> kNothing(1);

TEST(PtxModule, HeaderKernelsAndVariables) {
  auto parsed =
      Module::parse(std::string(kHeader) +
                    ".const .align 4 .b8 table[8] = {1, 0, 0, 0, 2};\n.global .align 4 .u32 counter = 5;\n"
                    ".extern .shared .align 16 .b8 dynamic[];\n.shared .align 4 .b8 fixed[20];\n"
                    ".visible .entry plain(.param .u64 .ptr .align 1 a, .param .u8 b, .param .align 8 .b8 c[24])\n"
                    ".maxntid 64, 2, 1\n{ .reg .b32 %r1; mov.u32 %r1, fixed; mov.u32 %r1, dynamic; ret; }\n");
  ASSERT_TRUE(std::holds_alternative<std::unique_ptr<Module>>(parsed)) << std::get<Fault>(parsed).text;
  Module &module = *std::get<0>(parsed);
  EXPECT_EQ(module.target(), "sm_90");
  EXPECT_EQ(module.version(), std::make_pair(8u, 0u));
  const Kernel *kernel = module.find("plain");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(module.find("other"), nullptr);
  ASSERT_EQ(kernel->parameters().size(), 3u);
  EXPECT_EQ(kernel->parameters()[1].offset, 8u);
  EXPECT_EQ(kernel->parameters()[2].offset, 16u);
  EXPECT_EQ(kernel->parameters()[2].size, 24u);
  EXPECT_EQ(kernel->staticSharedBytes(), 32u);
  EXPECT_EQ(kernel->maxThreadsPerBlock(), 128u);
  auto counter = module.variable("counter");
  ASSERT_TRUE(counter);
  EXPECT_EQ(counter->second, 4u);
  EXPECT_EQ(*static_cast<uint32_t *>(counter->first), 5u);
  EXPECT_EQ(static_cast<unsigned char *>(module.variable("table")->first)[4], 2);
}

TEST(PtxModule, WhatIsNotKnownNamesItsLine) {
  auto fault = [](const std::string &text) {
    auto parsed = Module::parse(text);
    return std::holds_alternative<Fault>(parsed) ? std::get<Fault>(parsed).text : std::string();
  };
  EXPECT_NE(fault(kernelOf("frobnicate.b32 %r1, %r2;"))
                .find("PTX line 9, function test: the instruction is not known: frobnicate"),
            std::string::npos);
  EXPECT_NE(fault(kernelOf("add.exotic.s32 %r1, %r2, %r3;")).find("the modifier .exotic is not known"),
            std::string::npos);
  EXPECT_NE(fault(kernelOf("add.s32 %r1, %r2, %unknown;")).find("'%unknown' is not known"), std::string::npos);
  EXPECT_NE(fault(kernelOf("bra NOWHERE;")).find("the label 'NOWHERE' is not known"), std::string::npos);
  EXPECT_NE(fault(kernelOf("add.s32 %r1, %r2;")).find("too few"), std::string::npos);
  EXPECT_NE(fault(".version 8.0\n.target sm_80\n.address_size 32\n").find("64-bit"), std::string::npos);
  EXPECT_NE(fault(kernelOf("mov.u32 %r1, %r2")).find("expected"), std::string::npos);
}

TEST(PtxLaunch, GridsAndDynamicShared) {
  EmulatorRun run{std::string(kHeader) + R"(
    .extern .shared .align 16 .b8 dynamic[];
    .visible .entry test(.param .u64 out)
    {
      .reg .b32 %r<20>; .reg .b64 %d<4>;
      ld.param.u64 %d1, [out]; cvta.to.global.u64 %d1, %d1;
      mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %ntid.x; mov.u32 %r4, %ntid.y; mov.u32 %r5, %ctaid.x;
      mov.u32 %r6, %ctaid.y; mov.u32 %r7, %nctaid.x;
      mad.lo.u32 %r8, %r2, %r3, %r1;             // thread
      mad.lo.u32 %r9, %r6, %r7, %r5;             // block
      mul.lo.u32 %r10, %r3, %r4; mad.lo.u32 %r11, %r9, %r10, %r8;
      shl.b32 %r12, %r8, 2; mov.u32 %r13, dynamic; add.u32 %r13, %r13, %r12; st.shared.u32 [%r13], %r11; ld.shared.u32 %r14, [%r13];
      mul.wide.u32 %d2, %r11, 4; add.s64 %d2, %d1, %d2; st.global.u32 [%d2], %r14;
      ret;
    })",
                  {},
                  "test",
                  {}};
  std::vector<uint32_t> out(6 * 12, 0);
  run.launch.grid = {3, 2, 1};
  run.launch.block = {4, 3, 1};
  run.launch.dynamicSharedBytes = 48;
  EXPECT_EQ(run.with(out.data()).message(), "");
  for (uint32_t index = 0; index < out.size(); ++index)
    ASSERT_EQ(out[index], index);
  run.launch.dynamicSharedBytes = 44;
  EXPECT_NE(run.with(out.data()).message().find("thread (3,2,0)"), std::string::npos) << run.message();
  run.launch.block = {1025, 1, 1};
  EXPECT_NE(run.with(out.data()).message().find("1024 threads"), std::string::npos);
}

TEST(PtxControl, CallsWithParameters) {
  std::string functions = std::string(kHeader) + R"(
    .func (.param .b32 result) twice(.param .b32 x)
    { .reg .b32 %r<4>; ld.param.u32 %r1, [x]; add.u32 %r2, %r1, %r1; st.param.b32 [result], %r2; ret; }
    .func (.param .align 8 .b8 result[8]) both(.param .b32 x, .param .align 4 .b8 pair[8])
    {
      .reg .b32 %r<8>; .local .align 4 .b8 own[4];
      ld.param.u32 %r1, [x]; ld.param.u32 %r2, [pair+4];
      st.local.u32 [own], %r1;
      { .param .b32 p; .param .b32 r; st.param.b32 [p], %r2; call.uni (r), twice, (p); ld.param.b32 %r3, [r]; }
      ld.local.u32 %r1, [own];
      st.param.b32 [result], %r1; st.param.b32 [result+4], %r3; ret;
    })";
  auto out = runBody<uint32_t>(R"(
    mov.u32 %r2, 11; mov.u32 %r3, 21;
    { .param .b32 a; .param .align 4 .b8 b[8]; .param .align 8 .b8 r[8];
      st.param.b32 [a], %r2; st.param.b32 [b], 0; st.param.b32 [b+4], %r3;
      call.uni (r), both, (a, b); ld.param.v2.b32 {%r4, %r5}, [r]; }
    st.global.v2.u32 [%d1], {%r4, %r5};)",
                               1, 2, kNothing, functions);
  EXPECT_EQ(out, (std::vector<uint32_t>{11, 42}));
}

/// The address of a function's parameter is one of local memory.
TEST(PtxControl, ParametersByAddress) {
  std::string function = std::string(kHeader) + R"(
    .func (.param .b32 result) second(.param .align 8 .b8 pair[8])
    { .reg .b64 %d<4>; .reg .b32 %r1; mov.b64 %d1, pair; cvta.local.u64 %d2, %d1; ld.u32 %r1, [%d2+4]; st.param.b32 [result], %r1; ret; })";
  auto out = runBody<uint32_t>(R"(
    { .param .align 8 .b8 b[8]; .param .b32 r; mov.u32 %r2, 7; mov.u32 %r3, 9; st.param.v2.b32 [b], {%r2, %r3};
      call.uni (r), second, (b); ld.param.b32 %r4, [r]; }
    st.global.u32 [%d1], %r4;)",
                               1, 1, kNothing, function);
  EXPECT_EQ(out[0], 9u);
}

TEST(PtxControl, LoopsPredicatesAndTables) {
  EXPECT_EQ(compute32("mov.u32 %r9, 0; mov.u32 %r8, 0; LOOP: add.u32 %r9, %r9, %r8; add.u32 %r8, %r8, 1; setp.lt.u32 "
                      "%p1, %r8, %r2; @%p1 bra LOOP;",
                      10),
            45u);
  EXPECT_EQ(compute32("mov.u32 %r9, 1; setp.eq.u32 %p1, %r2, 3; @!%p1 mov.u32 %r9, 2;", 3), 1u);
  std::string table = "T: .branchtargets A, B, C;\nbrx.idx %r2, T;\nA: mov.u32 %r9, 10; bra E;\nB: mov.u32 %r9, 20; "
                      "bra E;\nC: mov.u32 %r9, 30;\nE:";
  for (uint32_t index = 0; index < 3; ++index)
    EXPECT_EQ(compute32(table, index), 10 * (index + 1));
  // Labels and registers of inner scopes hide those outside.
  EXPECT_EQ(compute32("{ .reg .b32 %r9; mov.u32 %r9, 5; bra X; mov.u32 %r9, 6; X: mov.u32 %r8, %r9; } { bra X; X: "
                      "add.u32 %r9, %r8, 1; }",
                      0),
            6u);
}

TEST(PtxMemoryAccess, WidthsVectorsAndGenericAddresses) {
  auto out = runBody<uint32_t>("ld.global.s8 %r2, [%d2]; ld.global.u8 %r3, [%d2]; ld.global.s16 %r4, [%d2+2]; "
                               "ld.global.nc.L1::no_allocate.u16 %r5, [%d2+2];\n"
                               "st.global.v4.b32 [%d1], {%r2, %r3, %r4, %r5}; st.global.u8 [%d1+17], %r2; "
                               "ld.global.s32 %d5, [%d2+4]; st.global.b64 [%d1+24], %d5;",
                               1, 8, std::vector<uint32_t>{0x800000ff, 0xfffffff0});
  EXPECT_EQ(out, (std::vector<uint32_t>{~0u, 0xff, 0xffff8000, 0x8000, 0xff00, 0, 0xfffffff0, ~0u}));
  EXPECT_EQ(
      compute32(
          ".shared .align 4 .b8 tile[16]; .local .align 4 .b8 own[16]; mov.u64 %d3, tile; cvta.shared.u64 %d4, %d3;\n"
          "mov.u64 %d5, own; cvta.local.u64 %d6, %d5; st.u32 [%d4+4], %r2; st.u32 [%d6+8], %r3; ld.shared.u32 %r7, "
          "[tile+4];\n"
          "ld.local.u32 %r8, [own+8]; isspacep.shared %p1, %d4; isspacep.global %p2, %d4; selp.u32 %r6, 1000, 0, %p1;\n"
          "selp.u32 %r5, 500, 0, %p2; add.u32 %r9, %r7, %r8; add.u32 %r9, %r9, %r6; add.u32 %r9, %r9, %r5;",
          3, 4),
      1007u);
  EXPECT_EQ(compute64("mov.b64 {%r2, %r3}, %d3; mov.b64 %d9, {%r3, %r2}; mov.b64 {%h1, %h2, %h3, %h4}, %d9; mov.b64 "
                      "%d9, {%h4, %h3, %h2, %h1};",
                      0x1111222233334444),
            0x2222111144443333ull);
}

} // namespace
