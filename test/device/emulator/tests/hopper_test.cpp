// The PTX emulator: what sm_90a adds: copies of boxes (TMA), products of warp groups (wgmma), against plain loops.

#include "fixture.h"

#include "test/device/emulator/Numbers.h"
#include "test/device/emulator/TensorMap.h"

using namespace onnx_aot::ptx;

namespace {

const char *const kSm90 = ".version 8.0\n.target sm_90a\n.address_size 64\n";

int valueOf(int row, int column) { return (row * 7 + column * 3) % 11 - 5; }

/// A row-major matrix of 16-bit floats, with its tensor map for boxes of `boxRows` x `boxColumns`.
struct Matrix {
  int rows, columns;
  std::vector<uint16_t> elements;
  TensorMap map;
  Matrix(int rows, int columns, int boxRows, int boxColumns, int swizzle)
      : rows(rows), columns(columns), elements(rows * columns) {
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column)
        elements[row * columns + column] = toHalf(valueOf(row, column));
    map.address = reinterpret_cast<uint64_t>(elements.data());
    map.rank = 2;
    map.elementBytes = 2;
    map.extents[0] = columns;
    map.extents[1] = rows;
    map.strides[0] = columns * 2;
    map.box[0] = boxColumns;
    map.box[1] = boxRows;
    map.swizzle = swizzle;
  }
};

/// A kernel `test(a, b, out)` with the tensor maps a and b and 128 threads; %d1 is out, %d2 and %d3 the maps.
std::string kernelWithMaps(const std::string &body) {
  return std::string(kSm90) +
         ".visible .entry test(.param .align 64 .b8 a[128], .param .align 64 .b8 b[128], .param .u64 out)\n{\n" +
         kRegisters + R"(
    .shared .align 1024 .b8 tileA[16384]; .shared .align 1024 .b8 tileB[16384]; .shared .align 8 .b8 barrier[8];
    ld.param.u64 %d1, [out]; mov.b64 %d2, a; cvta.param.u64 %d2, %d2; mov.b64 %d3, b; cvta.param.u64 %d3, %d3;
    mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 0; setp.ne.u32 %p2, 0, 0; setp.eq.u32 %p3, 0, 0;
    mov.u32 %r2, tileA; mov.u32 %r3, tileB; mov.u32 %r4, barrier;
    @%p1 mbarrier.init.shared::cta.b64 [%r4], 1;
    fence.proxy.async.shared::cta;
    bar.sync 0;
)" + body +
         "\nret;\n}\n";
}

const std::string kWait = R"(
  WAIT: mbarrier.try_wait.parity.shared::cta.b64 %p4, [%r4], 0;
  @%p4 bra DONE; bra WAIT;
  DONE:
)";

std::string load(const std::string &tile, const std::string &map, const std::string &coordinates) {
  return "@%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [" + tile + "], [" +
         map + ", {" + coordinates + "}], [%r4];\n";
}

std::string expectBytes(int bytes) {
  return "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r4], " + std::to_string(bytes) + ";\n";
}

/// %d`number` = the descriptor of the tile at %r`tile`.
std::string descriptor(int number, int tile, uint64_t leading, uint64_t stride, uint64_t swizzle) {
  uint64_t rest = leading / 16 << 16 | stride / 16 << 32 | swizzle << 62;
  std::string d = "%d" + std::to_string(number);
  return "cvt.u64.u32 " + d + ", %r" + std::to_string(tile) + "; shr.u64 " + d + ", " + d + ", 4; or.b64 " + d + ", " +
         d + ", " + std::to_string(rest) + ";\n";
}

std::string registers(int first, int count) {
  std::string text = "{";
  for (int index = 0; index < count; ++index)
    text += (index ? ", %f" : "%f") + std::to_string(first + index);
  return text + "}";
}

/// m64n32: each lane stores its sixteen sums.
std::string storeSums() {
  std::string text = "mul.wide.u32 %d10, %r1, 64; add.s64 %d10, %d1, %d10;\n";
  for (int index = 0; index < 16; ++index)
    text += "st.global.f32 [%d10+" + std::to_string(4 * index) + "], %f" + std::to_string(10 + index) + ";\n";
  return text;
}

template <class Wanted> void expectSums(const std::vector<float> &out, Wanted wanted) {
  for (int thread = 0; thread < 128; ++thread)
    for (int index = 0; index < 16; ++index) {
      int row = thread / 32 * 16 + thread % 32 / 4 + index / 2 % 2 * 8,
          column = index / 4 * 8 + thread % 4 * 2 + index % 2;
      ASSERT_EQ(out[thread * 16 + index], wanted(row, column)) << "row " << row << " column " << column;
    }
}

std::vector<float> runWithMaps(const std::string &body, const Matrix &a, const Matrix &b,
                               const std::string &message = "") {
  std::vector<float> out(128 * 16, -1.0f);
  EmulatorRun run{kernelWithMaps(body), {}, "test", {}};
  run.launch.block = {128, 1, 1};
  run.with(a.map, b.map, out.data());
  if (message.empty())
    EXPECT_EQ(run.message(), "");
  else
    EXPECT_NE(run.message().find(message), std::string::npos) << run.message();
  return out;
}

/// A 64 x 64 times the transpose of B 32 x 64, both with K inside; rows of 128 bytes.
TEST(PtxHopper, WgmmaOfSwizzledTiles) {
  Matrix a(64, 64, 64, 64, 3), b(32, 64, 32, 64, 3);
  std::string body = expectBytes(64 * 128 + 32 * 128) + load("%r2", "%d2", "0, 0") + load("%r3", "%d3", "0, 0") +
                     kWait + descriptor(4, 2, 16, 1024, 1) + descriptor(5, 3, 16, 1024, 1) +
                     "wgmma.fence.sync.aligned;\n";
  for (int step = 0; step < 4; ++step)
    body += "wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 " + registers(10, 16) + ", %d4, %d5, " +
            (step ? "%p3" : "%p2") + ", 1, 1, 0, 0;\nadd.s64 %d4, %d4, 2; add.s64 %d5, %d5, 2;\n";
  auto out =
      runWithMaps(body + "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n" + storeSums(), a, b);
  expectSums(out, [](int row, int column) {
    float sum = 0;
    for (int k = 0; k < 64; ++k)
      sum += float(valueOf(row, k) * valueOf(column, k));
    return sum;
  });
}

/// B as it lies in memory, K x N: its rows are along N.
TEST(PtxHopper, WgmmaOfTransposedTiles) {
  Matrix a(64, 16, 64, 16, 1), b(16, 64, 16, 64, 3);
  std::string body = expectBytes(64 * 32 + 16 * 128) + load("%r2", "%d2", "0, 0") + load("%r3", "%d3", "0, 0") + kWait +
                     descriptor(4, 2, 16, 256, 3) + descriptor(5, 3, 4096, 1024, 1) + "wgmma.fence.sync.aligned;\n" +
                     "wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 " + registers(10, 16) +
                     ", %d4, %d5, 0, 1, -1, 0, 1;\n" +
                     "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n" + storeSums();
  expectSums(runWithMaps(body, a, b), [](int row, int column) {
    float sum = 0;
    for (int k = 0; k < 16; ++k)
      sum -= float(valueOf(row, k) * valueOf(k, column));
    return sum;
  });
}

/// The same with rows of 32 bytes: the second sixteen columns lie a leading offset further on.
TEST(PtxHopper, WgmmaOfTransposedNarrowTiles) {
  Matrix a(64, 16, 64, 16, 1), b(16, 64, 16, 16, 1);
  std::string body = expectBytes(64 * 32 + 2 * 16 * 32) + load("%r2", "%d2", "0, 0") + load("%r3", "%d3", "0, 0") +
                     "add.u32 %r5, %r3, 2048;\n" + load("%r5", "%d3", "16, 0") + kWait + descriptor(4, 2, 16, 256, 3) +
                     descriptor(5, 3, 2048, 256, 3) + "wgmma.fence.sync.aligned;\n" +
                     "wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 " + registers(10, 16) +
                     ", %d4, %d5, 0, 1, 1, 0, 1;\n" +
                     "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n" + storeSums();
  expectSums(runWithMaps(body, a, b), [](int row, int column) {
    float sum = 0;
    for (int k = 0; k < 16; ++k)
      sum += float(valueOf(row, k) * valueOf(k, column));
    return sum;
  });
}

/// Without swizzle: core matrices of 8 rows x 16 bytes, written by the threads; A in registers.
TEST(PtxHopper, WgmmaWithoutSwizzleAndWithAInRegisters) {
  Matrix unused(64, 64, 64, 64, 3);
  // Thread t < 64: row t / 2 of B (32 x 16), 8 columns from 8 (t % 2) on, into core matrix (t / 2 / 8, t % 2).
  std::string body = R"(
    setp.ge.u32 %p5, %r1, 64; @%p5 bra FILLED;
    shr.u32 %r10, %r1, 1; and.b32 %r11, %r1, 1; shr.u32 %r12, %r10, 3; and.b32 %r13, %r10, 7;
    shl.b32 %r14, %r12, 8; shl.b32 %r15, %r11, 7; add.u32 %r14, %r14, %r15; shl.b32 %r15, %r13, 4; add.u32 %r14, %r14, %r15;
    add.u32 %r14, %r3, %r14;
    mul.wide.u32 %d6, %r10, 128; shl.b32 %r15, %r11, 4; cvt.u64.u32 %d7, %r15; add.s64 %d6, %d6, %d7; ld.param.u64 %d8, [b+8];
    add.s64 %d6, %d8, %d6; ld.global.v4.b32 {%r20, %r21, %r22, %r23}, [%d6]; st.shared.v4.b32 [%r14], {%r20, %r21, %r22, %r23};
    FILLED:
    bar.sync 0;
    mov.b32 %r30, 0x3c004000; // Every row of A: 2, 1, 2, 1, ...
    wgmma.fence.sync.aligned;
)" + descriptor(5, 3, 128, 256, 0) +
                     "wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 " + registers(10, 16) +
                     ", {%r30, %r30, %r30, %r30}, %d5, 0, 1, 1, 0;\nwgmma.commit_group.sync.aligned;\n" +
                     "wgmma.wait_group.sync.aligned 0;\n" + storeSums();
  expectSums(runWithMaps(body, unused, unused), [](int, int column) {
    float sum = 0;
    for (int k = 0; k < 16; ++k)
      sum += float((k % 2 ? 1 : 2) * valueOf(column, k));
    return sum;
  });
}

TEST(PtxHopper, ProductsAndCopiesThatAreNotWaitedForAreNotMade) {
  Matrix a(64, 64, 64, 64, 3), b(32, 64, 32, 64, 3);
  std::string product = descriptor(4, 2, 16, 1024, 1) + descriptor(5, 3, 16, 1024, 1) +
                        "wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 " +
                        registers(10, 16) + ", %d4, %d5, 0, 1, 1, 0, 0;\nwgmma.commit_group.sync.aligned;\n";
  std::string loads = expectBytes(64 * 128 + 32 * 128) + load("%r2", "%d2", "0, 0") + load("%r3", "%d3", "0, 0");
  for (float value : runWithMaps(loads + kWait + product + "wgmma.wait_group.sync.aligned 1;\n" + storeSums(), a, b))
    ASSERT_NE(value, value);
  for (float value :
       runWithMaps(loads + "bar.sync 0;\n" + product + "wgmma.wait_group.sync.aligned 0;\n" + storeSums(), a, b))
    ASSERT_NE(value, value);
  // More bytes are awaited than come.
  runWithMaps(expectBytes(64 * 128 + 1) + load("%r2", "%d2", "0, 0") + kWait, a, b, "deadlock");
}

/// Units of 16 bytes of row r change places: of 128 bytes c with c ^ (r % 8), of 64 with c ^ (r / 2 % 4), of 32 with
/// c ^ (r / 4 % 2).
TEST(PtxHopper, SwizzledRowsInSharedMemory) {
  for (int swizzle : {1, 2, 3}) {
    int columns = 8 << swizzle, rows = 1024 / (2 * columns);
    Matrix a(rows, columns, rows, columns, swizzle);
    std::string body = expectBytes(1024) + load("%r2", "%d2", "0, 0") + kWait + R"(
      shl.b32 %r5, %r1, 3; add.u32 %r5, %r2, %r5; ld.shared.v2.b32 {%r6, %r7}, [%r5];
      mul.wide.u32 %d4, %r1, 8; add.s64 %d4, %d1, %d4; st.global.v2.b32 [%d4], {%r6, %r7};
)";
    auto out = runWithMaps(body, a, a);
    std::vector<uint16_t> found(512);
    std::memcpy(found.data(), out.data(), 1024);
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        int flip = swizzle == 3 ? row % 8 : swizzle == 2 ? row / 2 % 4 : row / 4 % 2;
        int place = row * columns + ((column / 8) ^ flip) * 8 + column % 8;
        ASSERT_EQ(found[place], a.elements[row * columns + column]) << swizzle << ": " << row << " " << column;
      }
  }
}

/// What lies outside of the tensor is zero when it is read, and not written.
TEST(PtxHopper, BoxesAtTheBordersAndStores) {
  Matrix a(10, 24, 8, 16, 0), b(10, 24, 8, 16, 0);
  std::fill(b.elements.begin(), b.elements.end(), 7);
  std::string body = expectBytes(8 * 32) + load("%r2", "%d2", "16, -3") + kWait + R"(
    fence.proxy.async.shared::cta; bar.sync 0;
    @%p1 cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%d3, {16, 4}], [%r2];
    @%p1 cp.async.bulk.commit_group;
    @%p1 cp.async.bulk.wait_group.read 0;
    shl.b32 %r5, %r1, 1; add.u32 %r5, %r2, %r5; ld.shared.u16 %r6, [%r5]; cvt.rn.f32.u32 %f1, %r6;
    mul.wide.u32 %d4, %r1, 4; add.s64 %d4, %d1, %d4; st.global.f32 [%d4], %f1;
)";
  auto out = runWithMaps(body, a, b);
  auto loaded = [&](int row, int column) {
    bool inside = row >= 3 && column < 8;
    return inside ? a.elements[(row - 3) * 24 + 16 + column] : uint16_t(0);
  };
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 16; ++column)
      ASSERT_EQ(out[row * 16 + column], float(loaded(row, column))) << row << " " << column;
  for (int row = 0; row < 10; ++row)
    for (int column = 0; column < 24; ++column)
      ASSERT_EQ(b.elements[row * 24 + column], row >= 4 && column >= 16 ? loaded(row - 4, column - 16) : 7)
          << row << " " << column;
}

TEST(PtxHopper, CopiesOfBytes) {
  Matrix a(8, 64, 8, 64, 0);
  std::string body = expectBytes(256) + R"(
    ld.param.u64 %d6, [a+8];
    @%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%d6], 256, [%r4];
)" + kWait + R"(
    @%p1 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%r2], 256;
    @%p1 cp.async.bulk.commit_group;
    @%p1 cp.async.bulk.wait_group 0;
)";
  auto out = runWithMaps(body, a, a);
  EXPECT_EQ(std::memcmp(out.data(), a.elements.data(), 256), 0);
  EXPECT_EQ(out[64], -1);
}

} // namespace
