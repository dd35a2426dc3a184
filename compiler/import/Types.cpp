//===- Types.cpp - ONNX types as MLIR types -----------------------------------------------------------------------===//
#include "compiler/import/Types.h"
#include "compiler/import/onnx_model.pb.h"
#include "dialects/onnx/support/SequenceTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace mlir;
using namespace onnx_aot;

static Error fail(const Twine &text) { return createStringError(inconvertibleErrorCode(), text); }

namespace {
struct DataTypeRow {
  int32_t number;
  const char *name;
  Type (*make)(MLIRContext *);
};
} // namespace

template <unsigned width, IntegerType::SignednessSemantics signedness = IntegerType::Signless>
static Type makeInteger(MLIRContext *context) {
  return IntegerType::get(context, width, signedness);
}
template <typename T> static Type makeFloat(MLIRContext *context) { return T::get(context); }
template <typename T> static Type makeComplex(MLIRContext *context) { return ComplexType::get(T::get(context)); }

static const DataTypeRow dataTypes[] = {
    {pb::TensorProto::FLOAT, "float", makeFloat<Float32Type>},
    {pb::TensorProto::UINT8, "uint8", makeInteger<8, IntegerType::Unsigned>},
    {pb::TensorProto::INT8, "int8", makeInteger<8>},
    {pb::TensorProto::UINT16, "uint16", makeInteger<16, IntegerType::Unsigned>},
    {pb::TensorProto::INT16, "int16", makeInteger<16>},
    {pb::TensorProto::INT32, "int32", makeInteger<32>},
    {pb::TensorProto::INT64, "int64", makeInteger<64>},
    {pb::TensorProto::STRING, "string", nullptr},
    {pb::TensorProto::BOOL, "bool", makeInteger<1>},
    {pb::TensorProto::FLOAT16, "float16", makeFloat<Float16Type>},
    {pb::TensorProto::DOUBLE, "double", makeFloat<Float64Type>},
    {pb::TensorProto::UINT32, "uint32", makeInteger<32, IntegerType::Unsigned>},
    {pb::TensorProto::UINT64, "uint64", makeInteger<64, IntegerType::Unsigned>},
    {pb::TensorProto::COMPLEX64, "complex64", makeComplex<Float32Type>},
    {pb::TensorProto::COMPLEX128, "complex128", makeComplex<Float64Type>},
    {pb::TensorProto::BFLOAT16, "bfloat16", makeFloat<BFloat16Type>},
    {pb::TensorProto::FLOAT8E4M3FN, "float8e4m3fn", makeFloat<Float8E4M3FNType>},
    {pb::TensorProto::FLOAT8E4M3FNUZ, "float8e4m3fnuz", makeFloat<Float8E4M3FNUZType>},
    {pb::TensorProto::FLOAT8E5M2, "float8e5m2", makeFloat<Float8E5M2Type>},
    {pb::TensorProto::FLOAT8E5M2FNUZ, "float8e5m2fnuz", makeFloat<Float8E5M2FNUZType>},
    {pb::TensorProto::UINT4, "uint4", makeInteger<4, IntegerType::Unsigned>},
    {pb::TensorProto::INT4, "int4", makeInteger<4>},
    {pb::TensorProto::FLOAT4E2M1, "float4e2m1", makeFloat<Float4E2M1FNType>},
    {pb::TensorProto::FLOAT8E8M0, "float8e8m0", makeFloat<Float8E8M0FNUType>},
    {pb::TensorProto::UINT2, "uint2", makeInteger<2, IntegerType::Unsigned>},
    {pb::TensorProto::INT2, "int2", makeInteger<2>},
};

static const DataTypeRow *findDataType(int32_t number) {
  const auto *row = llvm::find_if(dataTypes, [&](const DataTypeRow &row) { return row.number == number; });
  return row == std::end(dataTypes) ? nullptr : row;
}

Type onnx_aot::elementTypeOf(int32_t dataType, MLIRContext *context) {
  const DataTypeRow *row = findDataType(dataType);
  return row && row->make ? row->make(context) : Type();
}

int32_t onnx_aot::dataTypeOf(Type elementType) {
  for (const DataTypeRow &row : dataTypes)
    if (row.make && row.make(elementType.getContext()) == elementType)
      return row.number;
  return pb::TensorProto::UNDEFINED;
}

std::string onnx_aot::dataTypeName(int32_t dataType) {
  if (const DataTypeRow *row = findDataType(dataType))
    return row->name;
  return "data type " + std::to_string(dataType);
}

unsigned onnx_aot::storageBits(Type elementType) {
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return 2 * complex.getElementType().getIntOrFloatBitWidth();
  if (!elementType.isIntOrFloat()) // a handle: strings, sequences
    return 64;
  unsigned width = elementType.getIntOrFloatBitWidth();
  return width == 1 ? 8 : width;
}

std::optional<TensorSize> onnx_aot::sizeOf(ArrayRef<int64_t> dims, unsigned bitsPerElement) {
  if (llvm::any_of(dims, [](int64_t dim) { return dim < 0; }))
    return std::nullopt;
  uint64_t elements = 1, bits;
  for (int64_t dim : dims)
    if (dim != 0 && __builtin_mul_overflow(elements, static_cast<uint64_t>(dim), &elements))
      return std::nullopt;
  if (__builtin_mul_overflow(elements, uint64_t(bitsPerElement), &bits) || bits > uint64_t(INT64_MAX) - 7)
    return std::nullopt;
  if (llvm::is_contained(dims, 0))
    return TensorSize{0, 0};
  return TensorSize{elements, (bits + 7) / 8};
}

bool onnx_aot::agree(Type a, Type b) {
  // What a model declares as an optional may turn out to be there.
  if (onnx::isCompound(a) || onnx::isCompound(b))
    return onnx::tensorElementType(a) == onnx::tensorElementType(b);
  return getElementTypeOrSelf(a) == getElementTypeOrSelf(b) && succeeded(verifyCompatibleShape(a, b));
}

std::string onnx_aot::shown(Type type) {
  std::string text;
  raw_string_ostream(text) << type;
  return text;
}

std::string onnx_aot::shown(ArrayRef<int64_t> dims) {
  return "[" + join(map_range(dims, [](int64_t dim) { return std::to_string(dim); }), ",") + "]";
}

static Expected<Type> tensorTypeOf(const pb::TypeProto::Tensor &proto, const std::map<std::string, int64_t> &bound,
                                   MLIRContext *context) {
  Type element = elementTypeOf(proto.elem_type(), context);
  if (!element)
    return fail("tensors of " + dataTypeName(proto.elem_type()) + " are not supported");
  if (!proto.has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> dims, known;
  for (const pb::TensorShapeProto::Dimension &dim : proto.shape().dim()) {
    int64_t extent = ShapedType::kDynamic;
    if (dim.has_dim_value()) {
      // Some exporters write unknown dimensions as -1 or as 0 with a name elsewhere; only the negative one is certain.
      if (dim.dim_value() >= 0)
        extent = dim.dim_value();
    } else if (auto it = bound.find(dim.dim_param()); dim.has_dim_param() && it != bound.end()) {
      extent = it->second;
    }
    dims.push_back(extent);
    known.push_back(ShapedType::isDynamic(extent) ? 1 : extent);
  }
  if (!sizeOf(known, storageBits(element)))
    return fail("the product of its dimensions overflows");
  return RankedTensorType::get(dims, element);
}

/// A sequence's type says nothing of shapes: those that models declare are often those of the first element alone.
static Expected<Type> sequenceTypeOf(const pb::TypeProto &element, const std::map<std::string, int64_t> &dims,
                                     MLIRContext *context) {
  if (element.value_case() != pb::TypeProto::kTensorType)
    return fail("sequences of what is not a tensor are not supported");
  Expected<Type> tensor = tensorTypeOf(element.tensor_type(), dims, context);
  if (!tensor)
    return tensor.takeError();
  return onnx::SequenceType::get(getElementTypeOrSelf(*tensor));
}

static Expected<Type> optionalTypeOf(const pb::TypeProto &inner, const std::map<std::string, int64_t> &dims,
                                     MLIRContext *context) {
  if (inner.value_case() != pb::TypeProto::kTensorType && inner.value_case() != pb::TypeProto::kSequenceType)
    return fail("optionals of what is neither a tensor nor a sequence are not supported");
  Expected<Type> type = onnx_aot::typeOf(inner, dims, context);
  if (!type)
    return type.takeError();
  return onnx::OptionalType::get(getElementTypeOrSelf(*type));
}

Expected<Type> onnx_aot::typeOf(const pb::TypeProto &proto, const std::map<std::string, int64_t> &dims,
                                MLIRContext *context) {
  switch (proto.value_case()) {
  case pb::TypeProto::kTensorType:
    return tensorTypeOf(proto.tensor_type(), dims, context);
  case pb::TypeProto::kSequenceType:
    return sequenceTypeOf(proto.sequence_type().elem_type(), dims, context);
  case pb::TypeProto::kMapType:
    return fail("map types are not supported");
  case pb::TypeProto::kOptionalType:
    return optionalTypeOf(proto.optional_type().elem_type(), dims, context);
  case pb::TypeProto::kSparseTensorType:
    return fail("sparse tensor types are not supported");
  case pb::TypeProto::kOpaqueType:
    return fail("opaque types are not supported");
  case pb::TypeProto::VALUE_NOT_SET:
    break;
  }
  return fail("it has no type");
}
