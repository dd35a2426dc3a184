//===- ModelInterface.cpp - What a compiled model shows to C --------------===//
//
// See ModelInterface.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/ModelInterface.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace onnx_aot {

static std::optional<uint64_t> elementBits(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type)) {
    auto part = elementBits(complex.getElementType());
    return part ? std::optional<uint64_t>(*part * 2) : std::nullopt;
  }
  if (type.isIntOrFloat())
    return type.getIntOrFloatBitWidth();
  return std::nullopt;
}

std::optional<uint64_t> packedBytes(Type type, int64_t elements) {
  auto bits = elementBits(type);
  if (!bits || elements < 0)
    return std::nullopt;
  bool overflow = false;
  uint64_t total = llvm::SaturatingMultiply<uint64_t>(*bits, elements, &overflow);
  // The largest object that a 64-bit address space can hold, in bits.
  if (overflow || total > uint64_t(INT64_MAX) - 7)
    return std::nullopt;
  return (total + 7) / 8;
}

/// Elements of a static shape; nothing when the product overflows.
static std::optional<int64_t> numElements(ArrayRef<int64_t> dims) {
  if (llvm::is_contained(dims, 0))
    return 0;
  int64_t count = 1;
  for (int64_t dim : dims)
    if (dim < 0 || llvm::MulOverflow(count, dim, count))
      return std::nullopt;
  return count;
}

/// The ONNX type that a buffer of `type` holds when the entry does not say: several share an element type.
static int32_t defaultDtype(Type type) {
  if (type.isF32())
    return 1;
  if (type.isF64())
    return 11;
  if (type.isF16())
    return 10;
  if (type.isBF16())
    return 16;
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF64() ? 15 : 14;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return 9;
    case 4:
      return isUnsigned ? 21 : 22;
    case 8:
      return isUnsigned ? 2 : 3;
    case 16:
      return isUnsigned ? 4 : 5;
    case 32:
      return isUnsigned ? 12 : 6;
    case 64:
      return isUnsigned ? 13 : 7;
    default:
      return 0;
    }
  }
  return 0;
}

/// Fills in what a bare pointer stands for; false where the attributes do not fit together.
static bool readDynamic(func::FuncOp entry, unsigned index, ArrayRef<DimInterface> dims, TensorInterface &tensor) {
  auto numbers = entry.getArgAttrOfType<DenseI64ArrayAttr>(index, "aot.dims");
  auto most = entry.getArgAttrOfType<DenseI64ArrayAttr>(index, "aot.max_dims");
  if (!numbers || (most && most.size() != numbers.size()))
    return false;
  tensor.isDynamic = true;
  tensor.isInContext = bool(entry.getArgAttr(index, "aot.slot"));
  tensor.dims.assign(numbers.asArrayRef().begin(), numbers.asArrayRef().end());
  SmallVector<int64_t> largest;
  for (auto [axis, dim] : llvm::enumerate(tensor.dims)) {
    if (dim < 0 && dim != TensorInterface::computed && uint64_t(-1 - dim) >= dims.size())
      return false;
    int64_t own = dim >= 0 ? dim : dim == TensorInterface::computed ? INT64_MAX : dims[-1 - dim].max;
    largest.push_back(std::min(own, most ? most[axis] : INT64_MAX));
  }
  auto elements = llvm::is_contained(largest, INT64_MAX) ? std::nullopt : numElements(largest);
  bool overflow = false;
  uint64_t bytes = elements ? llvm::SaturatingMultiply<uint64_t>(*elements, tensor.elementBytes, &overflow) : 0;
  tensor.bytes = elements && !overflow && bytes <= uint64_t(INT64_MAX) ? bytes : TensorInterface::unbounded;
  return true;
}

static FailureOr<TensorInterface> readTensor(func::FuncOp entry, unsigned index, StringRef kind, size_t number,
                                             ArrayRef<DimInterface> dims) {
  auto fail = [&](const Twine &why) -> FailureOr<TensorInterface> {
    return entry.emitError() << "argument " << index << " of the entry: " << why;
  };
  auto shaped = entry.getArgAttrOfType<TypeAttr>(index, "aot.tensor");
  auto buffer = entry.getArgAttrOfType<TypeAttr>(index, "aot.buffer");
  auto type = dyn_cast<MemRefType>(buffer ? buffer.getValue() : entry.getArgument(index).getType());
  if (!type || !type.hasStaticShape())
    return fail("expected a buffer of static shape");
  if (!type.getLayout().isIdentity())
    return fail("expected a dense row-major buffer");
  TensorInterface tensor;
  auto name = entry.getArgAttrOfType<StringAttr>(index, "onnx.name");
  tensor.name = name ? name.str() : (kind + Twine(number)).str();
  Type element = shaped ? getElementTypeOrSelf(shaped.getValue()) : type.getElementType();
  auto dtype = entry.getArgAttrOfType<IntegerAttr>(index, "onnx.dtype");
  tensor.dtype = dtype ? int32_t(dtype.getValue().getSExtValue()) : defaultDtype(element);
  if (tensor.dtype == 0)
    return fail("an element type that C has no form for");
  tensor.elementBytes = uint32_t(packedBytes(element, 1).value_or(0));
  if (shaped) {
    if (!readDynamic(entry, index, dims, tensor))
      return fail("its dims are not described");
    return tensor;
  }
  tensor.dims.assign(type.getShape().begin(), type.getShape().end());
  auto elements = numElements(tensor.dims);
  auto bytes = elements ? packedBytes(type.getElementType(), *elements) : std::nullopt;
  if (!bytes)
    return fail("its size overflows");
  tensor.bytes = *bytes;
  return tensor;
}

/// Takes the arena, and the context where there is one, off the end of the arguments; `count` becomes the number of
/// those before.
static LogicalResult readMemory(func::FuncOp entry, unsigned &count, ModelInterface &result) {
  if (count > 0 && entry.getArgAttr(count - 1, "aot.context")) {
    --count;
    auto slots = entry->getAttrOfType<IntegerAttr>("aot.slots");
    if (!slots || slots.getInt() < 1)
      return entry.emitError("the entry takes a context but does not say how many slots it uses");
    result.slots = uint64_t(slots.getInt());
    result.isOpenCode = true;
  }
  if (count == 0)
    return entry.emitError("the entry has no arena");
  unsigned arena = --count;
  auto type = dyn_cast<MemRefType>(entry.getArgument(arena).getType());
  auto function = entry->getAttrOfType<FlatSymbolRefAttr>("aot.arena_function");
  bool isSized = type && type.hasStaticShape() && type.getElementType().isInteger(8);
  if (isSized && function && entry.getArgAttr(arena, "aot.arena")) {
    result.arenaFunction = function.getValue().str();
    result.arenaBytes = TensorInterface::unbounded;
  } else if (isSized && type.getRank() == 1) {
    result.arenaBytes = type.getNumElements();
  } else {
    return entry.emitError("the last argument of the entry must be the arena, a memref<Nxi8>");
  }
  if (auto align = entry.getArgAttrOfType<IntegerAttr>(arena, "aot.alignment"))
    result.arenaAlign = uint32_t(align.getValue().getZExtValue());
  if (!llvm::isPowerOf2_32(result.arenaAlign))
    return entry.emitError("the arena's alignment is not a power of two");
  return success();
}

static LogicalResult readEntry(func::FuncOp entry, ModelInterface &result) {
  FunctionType type = entry.getFunctionType();
  if (entry.isExternal())
    return entry.emitError("the entry has no body");
  if (type.getNumResults() != 1 || !type.getResult(0).isInteger(32))
    return entry.emitError("the entry must return a status (i32)");
  unsigned count = type.getNumInputs();
  if (failed(readMemory(entry, count, result)))
    return failure();

  for (unsigned i = 0; i < count; ++i)
    if (auto name = entry.getArgAttrOfType<StringAttr>(i, "aot.dim")) {
      DimInterface dim{name.str()};
      if (auto bounds = entry.getArgAttrOfType<DenseI64ArrayAttr>(i, "aot.bounds"); bounds && bounds.size() == 2) {
        dim.min = bounds[0];
        dim.max = bounds[1];
      }
      result.dims.push_back(dim);
    }
  for (unsigned i = 0; i < count; ++i) {
    if (entry.getArgAttr(i, "aot.dim") || entry.getArgAttr(i, "aot.dims_of"))
      continue;
    bool isOutput = entry.getArgAttr(i, "bufferize.result") || entry.getArgAttr(i, "aot.output");
    if (!isOutput && !result.outputs.empty())
      return entry.emitError("an input of the entry follows an output");
    auto &list = isOutput ? result.outputs : result.inputs;
    auto tensor = readTensor(entry, i, isOutput ? "output" : "input", list.size(), result.dims);
    if (failed(tensor))
      return failure();
    list.push_back(std::move(*tensor));
  }
  return success();
}

static LogicalResult readSlice(memref::GlobalOp weights, Attribute attribute, ModelInterface &result) {
  auto slice = dyn_cast<DictionaryAttr>(attribute);
  auto offset = slice ? slice.getAs<IntegerAttr>("offset") : IntegerAttr();
  auto value = slice ? slice.getAs<ElementsAttr>("value") : ElementsAttr();
  if (!offset || !value)
    return weights.emitError("a weight slice needs an offset and a value");
  auto type = cast<ShapedType>(value.getType());
  Type element = type.getElementType();
  auto count = numElements(type.getShape());
  auto bytes = count ? packedBytes(element, *count) : std::nullopt;
  if (!bytes || element.isInteger(1))
    return weights.emitError("weights of the type ") << type << " have no form in memory";

  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return weights.emitError("the resource ") << resource.getRawHandle().getKey() << " has no data";
    // Types below a byte may come with a byte per element; they are packed when they are written.
    uint64_t size = blob->getData().size();
    if (size != *bytes && !(*elementBits(element) < 8 && size == uint64_t(*count)))
      return weights.emitError("the resource ")
             << resource.getRawHandle().getKey() << " holds " << size << " bytes, " << type << " needs " << *bytes;
  } else if (!isa<DenseIntOrFPElementsAttr>(value)) {
    return weights.emitError("a weight slice must be dense or dense_resource");
  }

  int64_t begin = offset.getValue().getSExtValue();
  if (begin < 0 || uint64_t(begin) > result.weightBytes || *bytes > result.weightBytes - uint64_t(begin))
    return weights.emitError("a weight slice at ") << begin << " of " << *bytes << " bytes lies outside the weights";
  result.slices.push_back({uint64_t(begin), *bytes, value});
  return success();
}

static LogicalResult readWeights(ModuleOp module, ModelInterface &result) {
  auto weights = module.lookupSymbol<memref::GlobalOp>("weights");
  if (!weights)
    return success();
  MemRefType type = weights.getType();
  if (!type.hasStaticShape() || type.getRank() != 1 || !type.getElementType().isInteger(8))
    return weights.emitError("weights must be a memref<Nxi8>");
  result.weightBytes = type.getNumElements();
  if (auto align = weights.getAlignment())
    result.weightAlign = uint32_t(*align);
  if (!llvm::isPowerOf2_32(result.weightAlign))
    return weights.emitError("the weights' alignment is not a power of two");
  auto slices = weights->getAttrOfType<ArrayAttr>("aot.slices");
  if (!slices)
    return success();
  for (Attribute slice : slices)
    if (failed(readSlice(weights, slice, result)))
      return failure();
  return success();
}

static void readDescription(ModuleOp module, ModelInterface &result) {
  if (auto model = module->getAttrOfType<DictionaryAttr>("onnx.model")) {
    auto text = [&](StringRef key) {
      auto value = model.getAs<StringAttr>(key);
      return value ? value.str() : std::string();
    };
    result.graphName = text("graph_name");
    result.producerName = text("producer_name");
    result.producerVersion = text("producer_version");
    result.domain = text("domain");
    result.docString = text("doc_string");
    if (auto version = model.getAs<IntegerAttr>("model_version"))
      result.modelVersion = version.getValue().getSExtValue();
    if (auto metadata = model.getAs<DictionaryAttr>("metadata"))
      for (NamedAttribute entry : metadata)
        if (auto value = dyn_cast<StringAttr>(entry.getValue()))
          result.metadata.emplace_back(entry.getName().str(), value.str());
  }
  if (auto names = module->getAttrOfType<ArrayAttr>("onnx.node_names"))
    for (Attribute name : names)
      result.nodeNames.push_back(isa<StringAttr>(name) ? cast<StringAttr>(name).str() : std::string());
}

static bool isSameDim(const DimInterface &left, const DimInterface &right) {
  return left.name == right.name && left.min == right.min && left.max == right.max;
}

static bool isSameTensor(const TensorInterface &left, const TensorInterface &right) {
  return left.name == right.name && left.dtype == right.dtype && left.dims == right.dims && left.bytes == right.bytes &&
         left.isInContext == right.isInContext;
}

bool ModelInterface::join(const ModelInterface &other) {
  if (!llvm::equal(inputs, other.inputs, isSameTensor) || !llvm::equal(outputs, other.outputs, isSameTensor) ||
      !llvm::equal(dims, other.dims, isSameDim) || other.weightBytes < weightBytes)
    return false;
  if (arenaFunction.empty() && other.arenaFunction.empty()) {
    arenaBytes = std::max(arenaBytes, other.arenaBytes);
  } else if (arenaFunction.empty()) {
    leastArenaBytes = arenaBytes;
    arenaBytes = TensorInterface::unbounded;
    arenaFunction = other.arenaFunction;
  } else {
    return false;
  }
  arenaAlign = std::max(arenaAlign, other.arenaAlign);
  slots = std::max(slots, other.slots);
  isOpenCode = other.isOpenCode;
  weightBytes = other.weightBytes;
  weightAlign = std::max(weightAlign, other.weightAlign);
  slices = other.slices;
  return true;
}

FailureOr<ModelInterface> ModelInterface::fromModule(ModuleOp module) {
  auto entry = module.lookupSymbol<func::FuncOp>("main");
  if (!entry)
    return module.emitError("the module has no entry @main");
  ModelInterface result;
  if (failed(readEntry(entry, result)) || failed(readWeights(module, result)))
    return failure();
  readDescription(module, result);
  return result;
}

} // namespace onnx_aot
