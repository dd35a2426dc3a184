//===- npy_test.cpp - .npy files and the comparison of tensors ------------===//

#include "compiler/tools/run/Compare.h"
#include "compiler/tools/run/Npy.h"
#include "compiler/tools/run/Report.h"
#include "onnx_aot/runtime.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

using namespace onnx_aot;

namespace {

template <typename T> HostTensor make(int32_t dtype, std::vector<int64_t> dims, std::vector<T> values) {
  HostTensor tensor;
  tensor.name = "t";
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  tensor.data.resize(values.size() * sizeof(T));
  memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

HostTensor floats(std::vector<float> values) {
  int64_t count = values.size();
  return make<float>(ONNX_AOT_FLOAT, {count}, std::move(values));
}

/// A file of version 1 with this header, not padded.
std::string file(std::string header, std::string data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + data;
}

std::string errorOf(llvm::StringRef content) {
  llvm::Expected<HostTensor> tensor = parseNpy(content);
  return tensor ? "" : llvm::toString(tensor.takeError());
}

TEST(Npy, RoundTripOfEveryType) {
  for (int32_t dtype : {ONNX_AOT_FLOAT, ONNX_AOT_UINT8, ONNX_AOT_INT8, ONNX_AOT_UINT16, ONNX_AOT_INT16, ONNX_AOT_INT32,
                        ONNX_AOT_INT64, ONNX_AOT_BOOL, ONNX_AOT_FLOAT16, ONNX_AOT_DOUBLE, ONNX_AOT_UINT32,
                        ONNX_AOT_UINT64, ONNX_AOT_COMPLEX64, ONNX_AOT_COMPLEX128}) {
    HostTensor tensor;
    tensor.dtype = dtype;
    tensor.dims = {2, 3};
    fillRandom(tensor, 7);
    std::string content = formatNpy(tensor);
    EXPECT_EQ((content.size() - tensor.data.size()) % 64, 0u);
    llvm::Expected<HostTensor> back = parseNpy(content);
    ASSERT_TRUE(!!back) << llvm::toString(back.takeError());
    EXPECT_EQ(back->dtype, dtype);
    EXPECT_EQ(back->dims, tensor.dims);
    EXPECT_EQ(back->data, tensor.data);
  }
}

TEST(Npy, ShapesOfEveryRank) {
  for (std::vector<int64_t> dims : {std::vector<int64_t>{}, {5}, {0, 3}, {1, 2, 3, 4}}) {
    HostTensor tensor;
    tensor.dtype = ONNX_AOT_INT16;
    tensor.dims = dims;
    fillRandom(tensor, 1);
    llvm::Expected<HostTensor> back = parseNpy(formatNpy(tensor));
    ASSERT_TRUE(!!back) << llvm::toString(back.takeError());
    EXPECT_EQ(back->dims, dims);
  }
}

TEST(Npy, ColumnMajorAndBigEndian) {
  // Columns (1, 2) and (3, 4).
  std::string data("\0\1\0\2\0\3\0\4", 8);
  llvm::Expected<HostTensor> tensor =
      parseNpy(file("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }\n", data));
  ASSERT_TRUE(!!tensor) << llvm::toString(tensor.takeError());
  EXPECT_EQ(tensor->number(0), 1);
  EXPECT_EQ(tensor->number(1), 3);
  EXPECT_EQ(tensor->number(2), 2);
  EXPECT_EQ(tensor->number(3), 4);
}

TEST(Npy, Version2HasALongLength) {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }\n";
  std::string content("\x93NUMPY\x02\x00", 8);
  content += static_cast<char>(header.size());
  content += std::string(3, '\0') + header + "\x2a";
  llvm::Expected<HostTensor> tensor = parseNpy(content);
  ASSERT_TRUE(!!tensor) << llvm::toString(tensor.takeError());
  EXPECT_EQ(tensor->number(0), 42);
}

TEST(Npy, BadFiles) {
  EXPECT_EQ(errorOf("PK\3\4 something else"), "it is not a .npy file");
  EXPECT_EQ(errorOf(""), "it is not a .npy file");
  EXPECT_EQ(errorOf(llvm::StringRef("\x93NUMPY\x01\x00\xff\xff", 10)), "it is cut off");
  EXPECT_EQ(errorOf(file("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "1234")),
            "it holds 4 bytes of float[3], which has 12");
  EXPECT_EQ(errorOf(file("{'descr': 'O', 'fortran_order': False, 'shape': (3,), }", "")),
            "the element type 'O' is not supported");
  EXPECT_EQ(errorOf(file("{'descr': '<f4', 'shape': (3,), }", "")), "its header lacks descr, fortran_order or shape");
  EXPECT_EQ(
      errorOf(file("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "")).substr(0, 10),
      "it holds 0");
  EXPECT_EQ(errorOf(file("{'descr': '<f4", "")), "its header is damaged");
}

TEST(HostTensor, TextIsExactForIntegers) {
  HostTensor tensor;
  tensor.dtype = ONNX_AOT_INT64;
  int64_t values[] = {123456789, 9007199254740993, -1};
  tensor.data.assign(reinterpret_cast<char *>(values), reinterpret_cast<char *>(values + 3));
  EXPECT_EQ(tensor.text(0, 6), "123456789");
  EXPECT_EQ(tensor.text(1, 6), "9007199254740993");
  EXPECT_EQ(tensor.text(2, 6), "-1");
  tensor.dtype = ONNX_AOT_UINT64;
  EXPECT_EQ(tensor.text(2, 6), "18446744073709551615");
  EXPECT_EQ(floats({0.1f}).text(0, 6), "0.1");
}

TEST(Compare, DefaultTolerance) {
  HostTensor reference = floats({100, 1, 0});
  EXPECT_TRUE(compareTensors(floats({100.1f, 1.01f, 0.009f}), reference, {}).passed);
  Comparison comparison = compareTensors(floats({100, 1, 0.011f}), reference, {});
  EXPECT_FALSE(comparison.passed);
  EXPECT_EQ(comparison.different, 1);
  EXPECT_EQ(comparison.worst, 2);
}

TEST(Compare, GivenTolerance) {
  EXPECT_FALSE(compareTensors(floats({1.0005f}), floats({1}), {1e-4, std::nullopt}).passed);
  EXPECT_TRUE(compareTensors(floats({1.0005f}), floats({1}), {std::nullopt, 1e-3}).passed);
}

TEST(Compare, SpecialValues) {
  float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(compareTensors(floats({nan, inf, -inf, 0.f}), floats({-nan, inf, -inf, -0.f}), {}).passed);
  EXPECT_FALSE(compareTensors(floats({1}), floats({nan}), {}).passed);
  EXPECT_FALSE(compareTensors(floats({nan}), floats({1}), {}).passed);
  EXPECT_FALSE(compareTensors(floats({inf}), floats({-inf}), {}).passed);
  EXPECT_FALSE(compareTensors(floats({3e38f}), floats({inf}), {}).passed);
}

TEST(Compare, IntegersAreExact) {
  int64_t big = int64_t(1) << 60;
  auto number = [](int64_t value) { return make<int64_t>(ONNX_AOT_INT64, {1}, {value}); };
  EXPECT_TRUE(compareTensors(number(big), number(big), {}).passed);
  EXPECT_FALSE(compareTensors(number(big + 1), number(big), {}).passed);
  EXPECT_FALSE(compareTensors(number(8), number(9), {1.0, 1.0}).passed);
}

TEST(Compare, HalfPrecisionIsCoarse) {
  // 1 and the number four steps above it, in float16 and in bfloat16.
  auto half = [](int32_t dtype, uint16_t bits) { return make<uint16_t>(dtype, {1}, {bits}); };
  EXPECT_TRUE(compareTensors(half(ONNX_AOT_FLOAT16, 0x3c04), half(ONNX_AOT_FLOAT16, 0x3c00), {}).passed);
  EXPECT_FALSE(compareTensors(half(ONNX_AOT_FLOAT16, 0x3c10), half(ONNX_AOT_FLOAT16, 0x3c00), {}).passed);
  EXPECT_TRUE(compareTensors(half(ONNX_AOT_BFLOAT16, 0x3f84), half(ONNX_AOT_BFLOAT16, 0x3f80), {}).passed);
  EXPECT_FALSE(compareTensors(half(ONNX_AOT_BFLOAT16, 0x3f90), half(ONNX_AOT_BFLOAT16, 0x3f80), {}).passed);
}

TEST(Compare, TypeAndShapeMustAgree) {
  HostTensor a = floats({1, 2}), b = floats({1, 2});
  b.dims = {1, 2};
  EXPECT_EQ(compareTensors(a, b, {}).mismatch, "is float[2], expected float[1][2]");
}

TEST(Random, IsTheSameForTheSameSeed) {
  HostTensor a, b;
  a.dtype = b.dtype = ONNX_AOT_FLOAT;
  a.dims = b.dims = {64};
  fillRandom(a, 3);
  fillRandom(b, 3);
  EXPECT_EQ(a.data, b.data);
  fillRandom(b, 4);
  EXPECT_NE(a.data, b.data);
  for (int64_t i = 0; i < 64; ++i)
    EXPECT_TRUE(a.number(i) >= -1 && a.number(i) < 1);
}

TEST(Timing, MedianAndPercentile) {
  Timing timing = summarise({4, 1, 3, 2});
  EXPECT_EQ(timing.median, 2.5);
  EXPECT_EQ(timing.min, 1);
  EXPECT_EQ(timing.p99, 4);
  EXPECT_EQ(summarise({5}).p99, 5);
}

} // namespace
