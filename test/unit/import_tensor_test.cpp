//===- import_tensor_test.cpp - every form in which ONNX stores a tensor ------------------------------------------===//
#include "ImportHelpers.h"
#include "compiler/import/TensorData.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <unistd.h>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::HasSubstr;

namespace {

class TensorTest : public testing::Test {
protected:
  pb::TensorProto &parse(const std::string &text) {
    tensor.Clear();
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &tensor));
    return tensor;
  }
  /// The attribute as text, or the error.
  std::string read(const std::string &text) { return show(reader.read(parse(text), "w")); }
  std::string show(llvm::Expected<ElementsAttr> value) {
    if (!value)
      return llvm::toString(value.takeError());
    std::string shown;
    llvm::raw_string_ostream(shown) << *value;
    return shown;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  TemporaryFolder folder;
  ExternalData external{folder.path};
  TensorReader reader{external, &context};
  pb::TensorProto tensor;
};

TEST_F(TensorTest, RawData) {
  EXPECT_EQ(read("dims: 2 data_type: 1 raw_data: '\\000\\000\\200?\\000\\000\\000\\300'"),
            "dense<[1.000000e+00, -2.000000e+00]> : tensor<2xf32>");
  EXPECT_EQ(read("data_type: 7 raw_data: '\\377\\377\\377\\377\\377\\377\\377\\377'"), "dense<-1> : tensor<i64>");
  EXPECT_EQ(read("dims: 3 data_type: 2 raw_data: '\\001\\002\\377'"), "dense<[1, 2, 255]> : tensor<3xui8>");
  EXPECT_EQ(read("dims: 1 data_type: 10 raw_data: '\\000<'"), "dense<1.000000e+00> : tensor<1xf16>");
  EXPECT_EQ(read("dims: 1 data_type: 16 raw_data: '\\200?'"), "dense<1.000000e+00> : tensor<1xbf16>");
  EXPECT_EQ(read("dims: 3 data_type: 9 raw_data: '\\000\\001\\002'"), "dense<[false, true, true]> : tensor<3xi1>");
  EXPECT_EQ(read("dims: 3 data_type: 9 raw_data: '\\001\\001\\001'"), "dense<true> : tensor<3xi1>");
  EXPECT_EQ(read("dims: 1 data_type: 14 raw_data: '\\000\\000\\200?\\000\\000\\000@'"),
            "dense<(1.000000e+00,2.000000e+00)> : tensor<1xcomplex<f32>>");
  EXPECT_EQ(read("dims: 0 dims: 2 data_type: 1 raw_data: ''"), "dense<> : tensor<0x2xf32>");
}

TEST_F(TensorTest, TypedFields) {
  EXPECT_EQ(read("dims: 2 data_type: 1 float_data: 1 float_data: 2"),
            "dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>");
  EXPECT_EQ(read("dims: 1 data_type: 11 double_data: 2.5"), "dense<2.500000e+00> : tensor<1xf64>");
  EXPECT_EQ(read("data_type: 7 int64_data: -3"), "dense<-3> : tensor<i64>");
  EXPECT_EQ(read("dims: 1 data_type: 6 int32_data: -3"), "dense<-3> : tensor<1xi32>");
  EXPECT_EQ(read("dims: 2 data_type: 3 int32_data: -128 int32_data: 127"), "dense<[-128, 127]> : tensor<2xi8>");
  EXPECT_EQ(read("dims: 2 data_type: 2 int32_data: 255 int32_data: 0"), "dense<[255, 0]> : tensor<2xui8>");
  EXPECT_EQ(read("dims: 2 data_type: 4 int32_data: 65535 int32_data: 1"), "dense<[65535, 1]> : tensor<2xui16>");
  EXPECT_EQ(read("dims: 1 data_type: 5 int32_data: -2"), "dense<-2> : tensor<1xi16>");
  EXPECT_EQ(read("dims: 2 data_type: 9 int32_data: 0 int32_data: 1"), "dense<[false, true]> : tensor<2xi1>");
  EXPECT_EQ(read("dims: 1 data_type: 10 int32_data: 15360"), "dense<1.000000e+00> : tensor<1xf16>");
  EXPECT_EQ(read("dims: 1 data_type: 16 int32_data: 16256"), "dense<1.000000e+00> : tensor<1xbf16>");
  EXPECT_EQ(read("dims: 1 data_type: 17 int32_data: 56"), "dense<1.000000e+00> : tensor<1xf8E4M3FN>");
  EXPECT_EQ(read("dims: 1 data_type: 19 int32_data: 60"), "dense<1.000000e+00> : tensor<1xf8E5M2>");
  EXPECT_EQ(read("dims: 1 data_type: 12 uint64_data: 4294967295"), "dense<4294967295> : tensor<1xui32>");
  EXPECT_EQ(read("dims: 1 data_type: 13 uint64_data: 18446744073709551615"),
            "dense<18446744073709551615> : tensor<1xui64>");
  EXPECT_EQ(read("dims: 1 data_type: 15 double_data: 1 double_data: -1"),
            "dense<(1.000000e+00,-1.000000e+00)> : tensor<1xcomplex<f64>>");
}

TEST_F(TensorTest, PackedBits) {
  // 1 and -1 in one byte, the first in the low bits; the third element leaves half a byte unused.
  EXPECT_EQ(read("dims: 3 data_type: 22 raw_data: '\\361\\007'"), "dense<[1, -1, 7]> : tensor<3xi4>");
  EXPECT_EQ(read("dims: 3 data_type: 21 int32_data: 241 int32_data: 7"), "dense<[1, 15, 7]> : tensor<3xui4>");
  EXPECT_EQ(read("dims: 5 data_type: 25 raw_data: '\\344\\001'"), "dense<[0, 1, 2, 3, 1]> : tensor<5xui2>");
}

TEST_F(TensorTest, LargeRawDataIsNotCopied) {
  pb::TensorProto &big = parse("dims: 512 data_type: 1");
  big.set_raw_data(std::string(2048, '\1'));
  llvm::Expected<ElementsAttr> value = reader.read(big, "layer/w:0");
  ASSERT_TRUE(static_cast<bool>(value));
  auto resource = dyn_cast<DenseResourceElementsAttr>(*value);
  ASSERT_TRUE(resource);
  EXPECT_EQ(resource.getRawHandle().getKey(), "layer_w_0");
  EXPECT_EQ(resource.getRawHandle().getBlob()->getData().data(), big.raw_data().data());
  EXPECT_EQ(resource.getRawHandle().getBlob()->getDataAlignment(), 4u);
}

TEST_F(TensorTest, LargeFieldsAreNotCopiedUnlessTheyMustBe) {
  pb::TensorProto &floats = parse("dims: 300 data_type: 1");
  for (int i = 0; i < 300; ++i)
    floats.add_float_data(i);
  auto resource = cast<DenseResourceElementsAttr>(llvm::cantFail(reader.read(floats, "f")));
  EXPECT_EQ(static_cast<const void *>(resource.getRawHandle().getBlob()->getData().data()), floats.float_data().data());

  pb::TensorProto halves;
  halves.set_data_type(10);
  halves.add_dims(600);
  for (int i = 0; i < 600; ++i)
    halves.add_int32_data(0x3c00 + i);
  resource = cast<DenseResourceElementsAttr>(llvm::cantFail(reader.read(halves, "h")));
  auto values = resource.getRawHandle().getBlob()->getDataAs<uint16_t>();
  ASSERT_EQ(values.size(), 600u);
  EXPECT_EQ(values[599], 0x3c00 + 599);
}

TEST_F(TensorTest, KeysAreUniqueAndIdentifiers) {
  for (const char *key : {"a_b", "a_b_1", "t1", "t"}) {
    pb::TensorProto big;
    big.set_data_type(2);
    big.add_dims(2000);
    big.set_raw_data(std::string(2000, 'x'));
    std::string name = llvm::StringRef(key).starts_with("a") ? (key[3] ? "a/b" : "a.b") : llvm::StringRef(key) == "t" ? "" : "1";
    auto resource = cast<DenseResourceElementsAttr>(llvm::cantFail(reader.read(big, name)));
    EXPECT_EQ(resource.getRawHandle().getKey(), key);
  }
}

TEST_F(TensorTest, WrongSizes) {
  EXPECT_EQ(read("dims: 2 data_type: 1 raw_data: 'abc'"), "its shape [2] of float needs 8 bytes, but raw_data has 3");
  EXPECT_EQ(read("dims: 2 data_type: 1"), "its shape [2] needs 2 values in float_data, which has 0");
  EXPECT_EQ(read("dims: 2 data_type: 10 int32_data: 1"), "its shape [2] needs 2 values in int32_data, which has 1");
  EXPECT_EQ(read("dims: 3 data_type: 22 int32_data: 1"), "its shape [3] needs 2 values in int32_data, which has 1");
  EXPECT_EQ(read("dims: 1 data_type: 12 uint64_data: 4294967296"),
            "value 4294967296 in uint64_data does not fit uint32");
  EXPECT_EQ(read("dims: 1 data_type: 3 int32_data: 256"), "value 256 in int32_data does not fit its data type");
  EXPECT_THAT(read("dims: -1 data_type: 1"), HasSubstr("[-1] has a negative dimension"));
  EXPECT_THAT(read("dims: 4294967296 dims: 4294967296 data_type: 1"), HasSubstr("overflows"));
  EXPECT_THAT(read("dims: 4611686018427387904 data_type: 1"), HasSubstr("overflows"));
  EXPECT_EQ(read("dims: 1152921504606846975 data_type: 3"),
            "its shape [1152921504606846975] needs 1152921504606846975 values in int32_data, which has 0");
}

TEST_F(TensorTest, UnsupportedForms) {
  EXPECT_EQ(read("dims: 1 data_type: 8 string_data: 'a'"), "tensors of string are not supported");
  EXPECT_EQ(read("dims: 1 data_type: 99"), "tensors of data type 99 are not supported");
  EXPECT_EQ(read("dims: 1 data_type: 1 float_data: 1 segment { begin: 0 end: 1 }"),
            "tensors stored in segments are not supported");
}

TEST_F(TensorTest, Sparse) {
  auto readSparse = [&](const std::string &text) {
    pb::SparseTensorProto sparse;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &sparse));
    return show(reader.read(sparse, "s"));
  };
  std::string values = "values { dims: 2 data_type: 1 float_data: 5 float_data: 6 } ";
  EXPECT_EQ(readSparse(values + "indices { dims: 2 data_type: 7 int64_data: 1 int64_data: 3 } dims: 2 dims: 2"),
            "dense<[[0.000000e+00, 5.000000e+00], [0.000000e+00, 6.000000e+00]]> : tensor<2x2xf32>");
  EXPECT_EQ(readSparse(values + "indices { dims: 2 dims: 2 data_type: 7 int64_data: 0 int64_data: 1 int64_data: 1 "
                                "int64_data: 0 } dims: 2 dims: 2"),
            "dense<[[0.000000e+00, 5.000000e+00], [6.000000e+00, 0.000000e+00]]> : tensor<2x2xf32>");
  EXPECT_EQ(readSparse(values + "indices { dims: 2 data_type: 7 int64_data: 1 int64_data: 4 } dims: 2 dims: 2"),
            "index 1 lies outside its shape [2,2]");
  EXPECT_THAT(readSparse(values + "indices { dims: 1 data_type: 7 int64_data: 1 } dims: 4"),
              HasSubstr("do not agree with 2 values"));
  EXPECT_THAT(readSparse(values + "indices { dims: 2 data_type: 7 int64_data: 1 int64_data: 2 } dims: 1099511627776"),
              HasSubstr("too large"));
}

class ExternalTest : public TensorTest {
protected:
  std::string readFrom(const std::string &location, const std::string &more = "") {
    return read("dims: 4 data_type: 2 data_location: EXTERNAL external_data { key: 'location' value: '" + location +
                "' } " + more);
  }
};

TEST_F(ExternalTest, OffsetsAndLengths) {
  folder.write("w.bin", "abcdefgh");
  EXPECT_EQ(readFrom("w.bin"), "dense<[97, 98, 99, 100]> : tensor<4xui8>");
  EXPECT_EQ(readFrom("w.bin", "external_data { key: 'offset' value: '4' } external_data { key: 'length' value: '4' }"),
            "dense<[101, 102, 103, 104]> : tensor<4xui8>");
  ASSERT_EQ(external.files().size(), 1u);
  EXPECT_EQ(external.files().front(), folder.file("w.bin"));
}

TEST_F(ExternalTest, LargeDataIsMapped) {
  folder.write("w.bin", std::string(4000, 'x'));
  parse("dims: 500 data_type: 1 data_location: EXTERNAL external_data { key: 'location' value: 'w.bin' } "
        "external_data { key: 'offset' value: '3' }");
  auto resource = cast<DenseResourceElementsAttr>(llvm::cantFail(reader.read(tensor, "w")));
  // An odd offset is no place for floats, so these are a copy.
  EXPECT_EQ(reinterpret_cast<uintptr_t>(resource.getRawHandle().getBlob()->getData().data()) % 4, 0u);
  EXPECT_EQ(resource.getRawHandle().getBlob()->getData().size(), 2000u);
}

TEST_F(ExternalTest, MissingOrShort) {
  folder.write("w.bin", "abcdef");
  EXPECT_THAT(readFrom("nowhere.bin"), HasSubstr("external data file \"nowhere.bin\" cannot be read"));
  EXPECT_EQ(readFrom("w.bin", "external_data { key: 'offset' value: '3' }"),
            "external data file \"w.bin\" is too short: 4 bytes at offset 3 are needed, it has 6");
  EXPECT_EQ(readFrom("w.bin", "external_data { key: 'offset' value: '18446744073709551615' }"),
            "external data file \"w.bin\" is too short: 4 bytes at offset 18446744073709551615 are needed, it has 6");
  EXPECT_EQ(readFrom("w.bin", "external_data { key: 'length' value: '5' }"),
            "its shape needs 4 bytes, but its external data in \"w.bin\" has length 5");
  EXPECT_THAT(readFrom("w.bin", "external_data { key: 'offset' value: '-1' }"), HasSubstr("is not a number"));
  EXPECT_EQ(read("dims: 4 data_type: 2 data_location: EXTERNAL"), "its external data has no location");
}

TEST_F(ExternalTest, StaysInTheModelsFolder) {
  folder.write("outside.bin", "abcd");
  llvm::sys::fs::create_directory(folder.file("model"));
  llvm::sys::fs::create_directory(folder.file("model/sub"));
  folder.write("model/inside.bin", "abcd");
  ExternalData inner(folder.file("model"));
  TensorReader innerReader(inner, &context);
  auto readInner = [&](const std::string &location) {
    return show(innerReader.read(parse("dims: 4 data_type: 2 data_location: EXTERNAL external_data { key: 'location' "
                                       "value: '" +
                                       location + "' }"),
                                 "w"));
  };
  ASSERT_EQ(symlink("../outside.bin", folder.file("model/link.bin").c_str()), 0);
  ASSERT_EQ(symlink("..", folder.file("model/up").c_str()), 0);
  ASSERT_EQ(symlink("inside.bin", folder.file("model/good.bin").c_str()), 0);

  EXPECT_THAT(readInner("../outside.bin"), HasSubstr("leaves the model's folder by \"..\""));
  EXPECT_THAT(readInner("sub/../inside.bin"), HasSubstr("\"..\""));
  EXPECT_THAT(readInner(folder.file("model/inside.bin")), HasSubstr("absolute path"));
  EXPECT_THAT(readInner("link.bin"), HasSubstr("leaves the model's folder by a symbolic link"));
  EXPECT_THAT(readInner("up/outside.bin"), HasSubstr("leaves the model's folder by a symbolic link"));
  EXPECT_THAT(readInner("sub"), HasSubstr("is not a regular file"));
  EXPECT_EQ(readInner("good.bin"), "dense<[97, 98, 99, 100]> : tensor<4xui8>");
  EXPECT_EQ(readInner("inside.bin"), "dense<[97, 98, 99, 100]> : tensor<4xui8>");
}

} // namespace
