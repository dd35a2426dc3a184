// The PTX emulator: threads together: barriers, shuffles, votes, shared memory, atomics, copies, and what it reports.

#include "fixture.h"

using namespace onnx_aot::ptx;

namespace {

const std::vector<uint32_t> kNothing(1);
/// Stores %r9 of each thread.
const char *const kStore = "mul.wide.u32 %d3, %r1, 4; add.s64 %d3, %d1, %d3; st.global.u32 [%d3], %r9;";

std::vector<uint32_t> perThread(const std::string &body, uint32_t threads) {
  return runBody<uint32_t>(body + kStore, threads, threads, kNothing);
}

std::string faultOf(const std::string &body, uint32_t threads, bool checkRaces = false) {
  std::vector<uint32_t> out(1024);
  EmulatorRun run{kernelOf(body + kStore), {}, "test", {}};
  run.launch.block = {threads, 1, 1};
  run.launch.checkRaces = checkRaces;
  return run.with(out.data(), out.data()).message();
}

void expectFault(const std::string &message, const std::string &part) {
  EXPECT_NE(message.find(part), std::string::npos) << "'" << message << "' does not say '" << part << "'";
}

TEST(PtxLanes, Shuffles) {
  auto run = [](const std::string &instruction) { return perThread("add.u32 %r2, %r1, 100; " + instruction, 32); };
  auto down = run("shfl.sync.down.b32 %r9|%p1, %r2, 4, 0x1f, -1;"), up = run("shfl.sync.up.b32 %r9, %r2, 1, 0, -1;");
  auto butterfly = run("shfl.sync.bfly.b32 %r9, %r2, 16, 31, 0xffffffff;"),
       index = run("shfl.sync.idx.b32 %r9, %r2, 3, 0x181f, -1;");
  auto valid = run("shfl.sync.down.b32 %r3|%p1, %r2, 4, 0x1f, -1; selp.u32 %r9, 1, 0, %p1;");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(down[lane], 100 + (lane < 28 ? lane + 4 : lane));
    EXPECT_EQ(valid[lane], lane < 28);
    EXPECT_EQ(up[lane], 100 + (lane ? lane - 1 : 0));
    EXPECT_EQ(butterfly[lane], 100 + (lane ^ 16));
    EXPECT_EQ(index[lane], 100 + lane / 8 * 8 + 3); // Segments of eight lanes.
  }
}

TEST(PtxLanes, VotesMatchesAndReductions) {
  EXPECT_EQ(perThread("setp.lt.u32 %p1, %r1, 5; vote.sync.ballot.b32 %r9, %p1, -1;", 32)[7], 0x1fu);
  EXPECT_EQ(perThread("setp.lt.u32 %p1, %r1, 5; vote.sync.any.pred %p2, %p1, -1; selp.u32 %r9, 1, 0, %p2;", 32)[31],
            1u);
  EXPECT_EQ(perThread("setp.lt.u32 %p1, %r1, 5; vote.sync.all.pred %p2, %p1, -1; selp.u32 %r9, 1, 0, %p2;", 32)[0], 0u);
  EXPECT_EQ(perThread("and.b32 %r2, %r1, 3; match.any.sync.b32 %r9, %r2, -1;", 32)[5], 0x22222222u);
  EXPECT_EQ(perThread("redux.sync.add.s32 %r9, %r1, -1;", 32)[3], 496u);
  EXPECT_EQ(perThread("sub.s32 %r2, 3, %r1; redux.sync.min.s32 %r9, %r2, -1;", 32)[3], uint32_t(-28));
  EXPECT_EQ(perThread("elect.sync %r2|%p1, -1; selp.u32 %r9, 1, 0, %p1;", 32)[0], 1u);
  EXPECT_EQ(perThread("setp.ge.u32 %p1, %r1, 16; mov.u32 %r9, 0; @%p1 activemask.b32 %r9;", 32)[20], 0xffff0000u);
}

TEST(PtxLanes, LanesThatDoNotMeetAreAFault) {
  expectFault(faultOf("setp.lt.u32 %p1, %r1, 16; @%p1 bra L; bar.warp.sync -1; bra M; L: bar.warp.sync -1; M:", 32),
              "deadlock");
  expectFault(faultOf("setp.lt.u32 %p1, %r1, 16; @%p1 bra L; shfl.sync.idx.b32 %r9, %r1, 0, 31, 0xffff; L:", 32),
              "not in the mask");
}

TEST(PtxBarrier, SharedMemoryAcrossWarps) {
  auto out = perThread(
      ".shared .align 4 .b8 tile[1024]; mov.u32 %r2, tile; shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3;\n"
      "st.shared.u32 [%r4], %r1; bar.sync 0; sub.u32 %r5, 255, %r1; shl.b32 %r5, %r5, 2; add.u32 %r5, %r2, %r5;\n"
      "ld.shared.u32 %r9, [%r5];",
      256);
  for (uint32_t thread = 0; thread < 256; ++thread)
    ASSERT_EQ(out[thread], 255 - thread);
}

TEST(PtxBarrier, NamedBarriersAndReductions) {
  // The first warp gives to the second, without waiting.
  auto out = perThread(".shared .align 4 .b8 tile[128]; mov.u32 %r2, tile; and.b32 %r3, %r1, 31; shl.b32 %r3, %r3, 2; "
                       "add.u32 %r4, %r2, %r3;\n"
                       "mov.u32 %r9, 7; setp.lt.u32 %p1, %r1, 32; @%p1 bra FIRST; barrier.sync.aligned 3, 64; "
                       "ld.shared.u32 %r9, [%r4]; bra DONE;\n"
                       "FIRST: add.u32 %r5, %r1, 50; st.shared.u32 [%r4], %r5; barrier.arrive 3, 64; DONE:",
                       64);
  EXPECT_EQ(out[0], 7u);
  EXPECT_EQ(out[40], 58u);
  EXPECT_EQ(perThread("setp.lt.u32 %p1, %r1, 40; bar.red.popc.u32 %r9, 0, %p1;", 64)[63], 40u);
  EXPECT_EQ(perThread("setp.lt.u32 %p1, %r1, 40; bar.red.and.pred %p2, 0, %p1; selp.u32 %r9, 1, 0, %p2;", 64)[0], 0u);
}

TEST(PtxBarrier, MissingThreadsAreAFault) {
  expectFault(faultOf("setp.eq.u32 %p1, %r1, 3; @%p1 bra L; bar.sync 0; bra M; L: bar.sync 0; M:", 64),
              "must be aligned");
  expectFault(faultOf("setp.lt.u32 %p1, %r1, 32; @%p1 bra L; bar.sync 0; bra M; L: bar.sync 1; M:", 64), "deadlock");
}

TEST(PtxRaces, AreFoundAndBarriersPreventThem) {
  std::string store =
      ".shared .align 4 .b8 tile[1024]; mov.u32 %r2, tile; shl.b32 %r3, %r1, 2; add.u32 %r4, %r2, %r3;\n"
      "st.shared.u32 [%r4], %r1; ";
  std::string load = " xor.b32 %r5, %r3, 4; add.u32 %r5, %r2, %r5; ld.shared.u32 %r9, [%r5]; ";
  EXPECT_EQ(faultOf(store + "bar.sync 0;" + load, 64, true), "");
  EXPECT_EQ(faultOf(store + "bar.warp.sync -1;" + load, 64, true), "");
  expectFault(faultOf(store + load, 64, true), "race in shared memory");
  expectFault(faultOf(store + "bar.sync 0;" + load + "st.shared.u32 [%r4], %r9;", 64, true), "race in shared memory");
  EXPECT_EQ(faultOf(store + "bar.sync 0;" + load + "bar.sync 0; st.shared.u32 [%r4], %r9;", 64, true), "");
  // Lanes of two warps: a barrier of each warp is not enough.
  std::string far = " xor.b32 %r5, %r3, 128; add.u32 %r5, %r2, %r5; ld.shared.u32 %r9, [%r5]; ";
  expectFault(faultOf(store + "bar.warp.sync -1;" + far, 64, true), "race in shared memory");
  EXPECT_EQ(faultOf(store + "bar.sync 0;" + far, 64, true), "");
  EXPECT_EQ(faultOf(".shared .align 4 .b8 one[4]; st.shared.u32 [one], 5;", 64, true), ""); // All write the same.
  expectFault(faultOf(".shared .align 4 .b8 one[4]; st.shared.u32 [one], %r1;", 64, true), "race in shared memory");
  EXPECT_EQ(faultOf(".shared .align 4 .b8 one[4]; red.shared.add.u32 [one], %r1;", 64, true), "");
}

TEST(PtxAtomics, OnGlobalAndShared) {
  auto sum = runBody<uint32_t>(
      "red.global.add.u32 [%d1], %r1; atom.global.max.s32 %r2, [%d1+4], %r1; atom.global.inc.u32 %r3, [%d1+8], 9;\n"
      "atom.global.cas.b32 %r4, [%d1+12], 0, 77; atom.global.exch.b32 %r5, [%d1+16], %r1;",
      64, 5, kNothing);
  EXPECT_EQ(sum, (std::vector<uint32_t>{2016, 63, 4, 77, 63}));
  auto floats = runBody<float>("cvt.rn.f32.u32 %f1, %r1; atom.global.add.f32 %f2, [%d1], %f1; mov.b32 %r2, 0x3c003c00; "
                               "red.global.add.noftz.f16x2 [%d1+4], %r2;",
                               64, 2, kNothing);
  EXPECT_EQ(floats[0], 2016);
  EXPECT_EQ(std::bit_cast<uint32_t>(floats[1]), 0x54005400u);
  EXPECT_EQ(perThread(".shared .align 4 .b8 one[4]; mov.u32 %r2, one; setp.eq.u32 %p1, %r1, 0; @%p1 st.shared.u32 "
                      "[%r2], 0; bar.sync 0;\n"
                      "atom.shared.add.u32 %r3, [%r2], 2; bar.sync 0; ld.shared.u32 %r9, [%r2];",
                      96)[95],
            192u);
}

TEST(PtxCopies, ArriveWhenWaitedForAndNotBefore) {
  std::string issue =
      ".shared .align 16 .b8 tile[512]; mov.u32 %r2, tile; shl.b32 %r3, %r1, 4; add.u32 %r4, %r2, %r3;\n"
      "cvt.u64.u32 %d4, %r3; add.s64 %d4, %d2, %d4;\ncp.async.cg.shared.global [%r4], [%d4], 16; "
      "cp.async.commit_group;\n";
  std::vector<uint32_t> in(256);
  for (uint32_t index = 0; index < 256; ++index)
    in[index] = index;
  auto run = [&](const std::string &wait) {
    return runBody<uint32_t>(issue + wait + " ld.shared.u32 %r9, [%r4+4]; " + kStore, 32, 32, in);
  };
  EXPECT_EQ(run("cp.async.wait_group 0;")[5], 21u);
  EXPECT_EQ(run("cp.async.wait_all;")[5], 21u);
  EXPECT_EQ(run("cp.async.wait_group 1;")[5], ~0u);
  EXPECT_EQ(run("")[5], ~0u);
  // What was there before is gone when the copy is issued.
  std::string::size_type copy = issue.find("cp.async.cg");
  issue.insert(copy, "st.shared.u32 [%r4+4], 99;\n");
  EXPECT_EQ(run("")[5], ~0u);
  EXPECT_EQ(run("cp.async.wait_all;")[5], 21u);
  auto partial = runBody<uint32_t>(
      ".shared .align 16 .b8 one[16]; cp.async.ca.shared.global [one], [%d2+16], 16, 8; cp.async.wait_all;\n"
      "ld.shared.v4.u32 {%r2, %r3, %r4, %r5}, [one]; st.global.v4.u32 [%d1], {%r2, %r3, %r4, %r5};",
      1, 4, in);
  EXPECT_EQ(partial, (std::vector<uint32_t>{4, 5, 0, 0}));
}

TEST(PtxMbarrier, PhasesAndParity) {
  std::string init = ".shared .align 8 .b8 barrier[8]; .shared .align 4 .b8 tile[256]; mov.u32 %r2, barrier; "
                     "setp.eq.u32 %p1, %r1, 0;\n"
                     "@%p1 mbarrier.init.shared::cta.b64 [%r2], 64; bar.sync 0;\n"
                     "mov.u32 %r3, tile; shl.b32 %r4, %r1, 2; add.u32 %r5, %r3, %r4; st.shared.u32 [%r5], %r1;\n";
  std::string wait = "WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r2], 0; @!%p2 bra WAIT;\n"
                     "xor.b32 %r6, %r4, 128; add.u32 %r6, %r3, %r6; ld.shared.u32 %r9, [%r6];";
  std::string arrive = "mbarrier.arrive.shared::cta.b64 %d5, [%r2];\n";
  std::vector<uint32_t> out = perThread(init + arrive + wait, 64);
  EXPECT_EQ(out[3], 35u);
  EXPECT_EQ(out[40], 8u);
  EXPECT_EQ(faultOf(init + arrive + wait, 64, true), "");
  expectFault(faultOf(init + wait, 64), "deadlock");
  expectFault(faultOf(init + "mbarrier.arrive.shared::cta.b64 %d5, [%r2], 65;", 1), "more threads arrive");
}

TEST(PtxMemory, BadAddressesAreFaults) {
  expectFault(faultOf("mov.u64 %d4, 8; ld.global.u32 %r9, [%d4];", 1),
              "4 bytes at 0x8 of global memory may not be read");
  expectFault(faultOf("ld.global.v4.u32 {%r9, %r2, %r3, %r4}, [%d1+8];", 1), "not a multiple of 16 bytes");
  expectFault(faultOf(".shared .align 4 .b8 tile[64]; mov.u32 %r2, tile; ld.shared.u32 %r9, [%r2+64];", 1),
              "of shared memory");
  expectFault(faultOf("mov.u32 %r2, 0; st.shared.u32 [%r2], 1;", 1), "of shared memory may not be written");
  expectFault(faultOf(".local .align 4 .b8 one[4]; mov.u64 %d4, one; ld.local.u32 %r9, [%d4+4096];", 1),
              "of local memory");
  expectFault(faultOf("trap;", 1), "trap");
}

TEST(PtxMemory, UninitialisedMemoryIsAllOnes) {
  EXPECT_EQ(perThread(".shared .align 4 .b8 tile[64]; ld.shared.u32 %r9, [tile];", 1)[0], ~0u);
  EXPECT_EQ(perThread(".local .align 4 .b8 tile[64]; ld.local.u32 %r9, [tile];", 1)[0], ~0u);
  EXPECT_EQ(perThread("", 1)[0], ~0u);
}

} // namespace
