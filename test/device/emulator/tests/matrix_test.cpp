// The PTX emulator: matrix products and the moves around them, against three plain loops. Where an element of a matrix
// lies is written down here anew, from the figures of the PTX ISA manual.

#include "fixture.h"

#include "test/device/emulator/Numbers.h"

using namespace onnx_aot::ptx;

namespace {

/// Small numbers, exact in every type, that tell rows and columns apart.
int valueA(int row, int k) { return (row * 7 + k * 3) % 13 - 6; }
int valueB(int k, int column) { return (k * 5 + column * 11) % 9 - 4; }
int valueC(int row, int column) { return row - 3 * column; }

float expected(int row, int column, int k) {
  float sum = float(valueC(row, column));
  for (int inner = 0; inner < k; ++inner)
    sum += float(valueA(row, inner) * valueB(inner, column));
  return sum;
}

enum class Element { F16, BF16, TF32, S8, U8 };

uint32_t encoded(int value, Element type) {
  switch (type) {
  case Element::F16:
    return toHalf(value);
  case Element::BF16:
    return toBfloat(value);
  case Element::TF32:
    return std::bit_cast<uint32_t>(float(value)) | 0x1234 % 0x1000; // Bits below tf32 do not count.
  default:
    return uint32_t(value) & 0xff;
  }
}

int bitsOf(Element type) { return type == Element::TF32 ? 32 : type == Element::F16 || type == Element::BF16 ? 16 : 8; }

/// Fragments of all lanes for mma.m16n8k`k`, as the manual draws them: `registers[lane][...]`.
std::vector<uint32_t> fragments(Element type, int k) {
  int perRegister = 32 / bitsOf(type), registersA = k / (4 * perRegister) * 2, registersB = registersA / 2;
  std::vector<uint32_t> all(32 * 16, 0);
  for (int lane = 0; lane < 32; ++lane) {
    uint32_t *own = all.data() + lane * 16;
    for (int i = 0; i < registersA * perRegister; ++i) {
      int slab = i / perRegister / 2, row = lane / 4 + (i / perRegister % 2 ? 8 : 0);
      int column = lane % 4 * perRegister + i % perRegister + slab * 4 * perRegister;
      own[i / perRegister] |= encoded(valueA(row, column), type) << (i % perRegister * bitsOf(type));
    }
    for (int i = 0; i < registersB * perRegister; ++i) {
      int row = lane % 4 * perRegister + i % perRegister + i / perRegister * 4 * perRegister;
      own[4 + i / perRegister] |= encoded(valueB(row, lane / 4), type) << (i % perRegister * bitsOf(type));
    }
    for (int i = 0; i < 4; ++i) {
      float value = float(valueC(lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + i % 2));
      bool integers = type == Element::S8 || type == Element::U8;
      own[8 + i] = integers ? uint32_t(int(value)) : std::bit_cast<uint32_t>(value);
    }
  }
  return all;
}

const char *const kLoadFragments = R"(
  mul.wide.u32 %d3, %r1, 64; add.s64 %d3, %d2, %d3;
  ld.global.v4.b32 {%r10, %r11, %r12, %r13}, [%d3];
  ld.global.v4.b32 {%r14, %r15, %r16, %r17}, [%d3+16];
  ld.global.v4.b32 {%r18, %r19, %r20, %r21}, [%d3+32];
  mul.wide.u32 %d4, %r1, 16; add.s64 %d4, %d1, %d4;
)";

void expectProduct(const std::string &instruction, Element type, int k, const std::string &a, const std::string &b) {
  SCOPED_TRACE(instruction);
  std::string body = kLoadFragments + instruction + " {%r30, %r31, %r32, %r33}, " + a + ", " + b +
                     ", {%r18, %r19, %r20, %r21};\nst.global.v4.b32 [%d4], {%r30, %r31, %r32, %r33};";
  auto out = runBody<uint32_t>(body, 32, 128, fragments(type, k));
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      float wanted = expected(lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + i % 2, k);
      bool integers = type == Element::S8 || type == Element::U8;
      float found = integers ? float(int32_t(out[lane * 4 + i])) : std::bit_cast<float>(out[lane * 4 + i]);
      ASSERT_EQ(found, wanted) << "lane " << lane << " register " << i;
    }
}

const char *const kA2 = "{%r10, %r11}", *const kA4 = "{%r10, %r11, %r12, %r13}";
const char *const kB1 = "{%r14}", *const kB2 = "{%r14, %r15}";

TEST(PtxMatrix, MmaOfEveryShape) {
  const std::string mma = "mma.sync.aligned.";
  expectProduct(mma + "m16n8k16.row.col.f32.f16.f16.f32", Element::F16, 16, kA4, kB2);
  expectProduct(mma + "m16n8k8.row.col.f32.f16.f16.f32", Element::F16, 8, kA2, kB1);
  expectProduct(mma + "m16n8k16.row.col.f32.bf16.bf16.f32", Element::BF16, 16, kA4, kB2);
  expectProduct(mma + "m16n8k8.row.col.f32.bf16.bf16.f32", Element::BF16, 8, kA2, kB1);
  expectProduct(mma + "m16n8k8.row.col.f32.tf32.tf32.f32", Element::TF32, 8, kA4, kB2);
  expectProduct(mma + "m16n8k4.row.col.f32.tf32.tf32.f32", Element::TF32, 4, kA2, kB1);
  expectProduct(mma + "m16n8k32.row.col.s32.s8.s8.s32", Element::S8, 32, kA4, kB2);
  expectProduct(mma + "m16n8k16.row.col.s32.s8.s8.s32", Element::S8, 16, kA2, kB1);
}

TEST(PtxMatrix, MmaOfUnsignedBytes) {
  // 255 * 255 * 32, in each place.
  std::string body =
      "mov.b32 %r10, -1; mov.b32 %r11, 0;\nmma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32 {%r30, %r31, %r32, %r33}, "
      "{%r10, %r10, %r10, %r10}, {%r10, %r10}, {%r11, %r11, %r11, %r11};\n"
      "mul.wide.u32 %d3, %r1, 4; add.s64 %d3, %d1, %d3; st.global.b32 [%d3], %r33;";
  for (uint32_t value : runBody<uint32_t>(body, 32, 32, std::vector<uint32_t>(1)))
    EXPECT_EQ(value, 255u * 255 * 32);
}

TEST(PtxMatrix, MmaWithHalfSums) {
  std::string body = kLoadFragments + std::string(R"(
    mov.b32 %r40, 0x3c003c00;  // 1, 1
    mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%r30, %r31}, {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%r40, %r40};
    mov.b32 {%h1, %h2}, %r30; mov.b32 {%h3, %h4}, %r31;
    cvt.f32.f16 %f1, %h1; cvt.f32.f16 %f2, %h2; cvt.f32.f16 %f3, %h3; cvt.f32.f16 %f4, %h4;
    st.global.v4.f32 [%d4], {%f1, %f2, %f3, %f4};)");
  auto out = runBody<float>(body, 32, 128, fragments(Element::F16, 16));
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = lane / 4 + (i < 2 ? 0 : 8), column = lane % 4 * 2 + i % 2;
      ASSERT_EQ(out[lane * 4 + i], expected(row, column, 16) - float(valueC(row, column)) + 1);
    }
}

/// Four 8x8 matrices of 16-bit numbers in shared memory, matrix after matrix; element = its index.
const char *const kMatricesInShared = R"(
  .shared .align 16 .b8 tile[512];
  shl.b32 %r2, %r1, 3;               // Eight elements of each lane: a row of a matrix.
  mov.u32 %r3, tile; shl.b32 %r4, %r1, 4; add.u32 %r5, %r3, %r4;
  mul.lo.u32 %r6, %r2, 0x00010001; add.u32 %r6, %r6, 0x00010000;
  add.u32 %r7, %r6, 0x00020002; add.u32 %r8, %r7, 0x00020002; add.u32 %r9, %r8, 0x00020002;
  st.shared.v4.b32 [%r5], {%r6, %r7, %r8, %r9};
  bar.warp.sync -1;
  mul.wide.u32 %d4, %r1, 16; add.s64 %d4, %d1, %d4;
)";

TEST(PtxMatrix, Ldmatrix) {
  auto load = [](const std::string &form) {
    return runBody<uint16_t>(kMatricesInShared + ("ldmatrix.sync.aligned.m8n8.x4" + form +
                                                  ".shared.b16 {%r30, %r31, %r32, %r33}, [%r5];\n"
                                                  "st.global.v4.b32 [%d4], {%r30, %r31, %r32, %r33};"),
                             32, 256, std::vector<uint32_t>(1));
  };
  auto plain = load(""), transposed = load(".trans");
  for (int lane = 0; lane < 32; ++lane)
    for (int matrix = 0; matrix < 4; ++matrix)
      for (int i = 0; i < 2; ++i) {
        int major = lane / 4, minor = lane % 4 * 2 + i;
        ASSERT_EQ(plain[lane * 8 + matrix * 2 + i], matrix * 64 + major * 8 + minor);
        ASSERT_EQ(transposed[lane * 8 + matrix * 2 + i], matrix * 64 + minor * 8 + major);
      }
}

TEST(PtxMatrix, StmatrixUndoesLdmatrix) {
  for (std::string form : {"", ".trans"}) {
    auto out =
        runBody<uint16_t>(kMatricesInShared + ("ldmatrix.sync.aligned.m8n8.x4" + form +
                                               ".shared.b16 {%r30, %r31, %r32, %r33}, [%r5];\n"
                                               "mov.b32 %r20, 0; st.shared.v4.b32 [%r5], {%r20, %r20, %r20, %r20};\n"
                                               "bar.warp.sync -1;\nstmatrix.sync.aligned.m8n8.x4" +
                                               form +
                                               ".shared.b16 [%r5], {%r30, %r31, %r32, %r33};\nbar.warp.sync -1;\n"
                                               "ld.shared.v4.b32 {%r30, %r31, %r32, %r33}, [%r5];\n"
                                               "st.global.v4.b32 [%d4], {%r30, %r31, %r32, %r33};"),
                          32, 256, std::vector<uint32_t>(1), ".version 8.0\n.target sm_90\n.address_size 64\n");
    for (int index = 0; index < 256; ++index)
      ASSERT_EQ(out[index], index);
  }
}

TEST(PtxMatrix, ALaneThatIsMissingIsAFault) {
  EmulatorRun run{kernelOf("setp.eq.u32 %p1, %r1, 5; @%p1 bra DONE;\n"
                           "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r2, %r2}, {%r2}, "
                           "{%f1, %f2, %f3, %f4};\nDONE:"),
                  {},
                  "test",
                  {}};
  run.launch.block = {32, 1, 1};
  run.with(nullptr, nullptr);
  EXPECT_NE(run.message().find("all lanes of the warp must take part: mma.sync"), std::string::npos) << run.message();
}

TEST(PtxMatrix, Movmatrix) {
  auto out = runBody<uint16_t>(R"(
    shl.b32 %r2, %r1, 1; mul.lo.u32 %r3, %r2, 0x00010001; add.u32 %r3, %r3, 0x00010000;
    movmatrix.sync.aligned.m8n8.trans.b16 %r4, %r3;
    mul.wide.u32 %d3, %r1, 4; add.s64 %d3, %d1, %d3; st.global.b32 [%d3], %r4;)",
                               32, 64, std::vector<uint32_t>(1));
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column)
      ASSERT_EQ(out[row * 8 + column], column * 8 + row);
}

TEST(PtxMatrix, WmmaOfHalves) {
  std::vector<uint16_t> in(512); // A row after row, then B column after column.
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < 16; ++k) {
      in[row * 16 + k] = toHalf(valueA(row, k));
      in[256 + row * 16 + k] = toHalf(valueB(k, row));
    }
  std::string sums = "{%f1, %f2, %f3, %f4, %f5, %f6, %f7, %f8}", a = "{%r10, %r11, %r12, %r13, %r14, %r15, %r16, %r17}",
              b = "{%r20, %r21, %r22, %r23, %r24, %r25, %r26, %r27}", one = "0f3F800000";
  std::string ones = "{" + one;
  for (int index = 1; index < 8; ++index)
    ones += ", " + one;
  auto out =
      runBody<float>("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 " + a + ", [%d2], 16;\n" +
                         "wmma.load.b.sync.aligned.col.m16n16k16.global.f16 " + b + ", [%d2+512], 16;\n" +
                         "wmma.mma.sync.aligned.row.col.m16n16k16.f32.f32 " + sums + ", " + a + ", " + b + ", " + ones +
                         "};\n" + "wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%d1], " + sums + ", 16;",
                     32, 256, in);
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 16; ++column)
      ASSERT_EQ(out[row * 16 + column], expected(row, column, 16) - float(valueC(row, column)) + 1);
}

} // namespace
