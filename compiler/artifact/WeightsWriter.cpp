//===- WeightsWriter.cpp - The bytes of the weights -----------------------===//
//
// See WeightsWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/WeightsWriter.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/SwapByteOrder.h"
#include <algorithm>
#include <cstring>

using namespace mlir;

namespace onnx_aot {

/// Fills `target` with copies of `pattern`, doubling what is already there.
static void fill(llvm::MutableArrayRef<char> target, llvm::ArrayRef<char> pattern) {
  if (target.empty() || pattern.empty())
    return;
  size_t done = std::min(pattern.size(), target.size());
  std::memcpy(target.data(), pattern.data(), done);
  while (done < target.size()) {
    size_t step = std::min(done, target.size() - done);
    std::memcpy(target.data() + done, target.data(), step);
    done += step;
  }
}

/// `source` holds a byte per element; the first element goes to the lowest bits, as in ONNX.
static void pack(llvm::MutableArrayRef<char> target, llvm::ArrayRef<char> source, unsigned bits, bool splat) {
  unsigned perByte = 8 / bits;
  unsigned mask = (1u << bits) - 1;
  for (size_t i = 0; i < target.size(); ++i) {
    unsigned byte = 0;
    for (unsigned j = 0; j < perByte; ++j) {
      size_t index = splat ? 0 : i * perByte + j;
      if (index < source.size())
        byte |= (static_cast<unsigned char>(source[index]) & mask) << (j * bits);
    }
    target[i] = static_cast<char>(byte);
  }
}

static void writeSlice(const WeightSlice &slice, llvm::MutableArrayRef<char> target, bool bigEndian) {
  auto type = cast<ShapedType>(slice.value.getType());
  Type element = type.getElementType();
  // Of a complex number each part is swapped by itself.
  if (auto complex = dyn_cast<ComplexType>(element))
    element = complex.getElementType();
  unsigned bits = element.getIntOrFloatBitWidth();

  llvm::ArrayRef<char> source;
  bool splat = false;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(slice.value)) {
    source = resource.getRawHandle().getBlob()->getData();
  } else {
    auto dense = cast<DenseIntOrFPElementsAttr>(slice.value);
    source = dense.getRawData();
    splat = dense.isSplat();
  }

  bool bytePerElement = bits < 8 && (splat || source.size() == static_cast<size_t>(type.getNumElements()));
  if (bytePerElement && target.size() != source.size())
    return pack(target, source, bits, splat);
  if (bytePerElement && splat)
    return pack(target, source, bits, true);
  if (splat)
    fill(target, source);
  else
    std::memcpy(target.data(), source.data(), std::min(target.size(), source.size()));

  unsigned bytes = bits / 8;
  if (bigEndian != llvm::sys::IsBigEndianHost && bytes > 1)
    for (size_t i = 0; i + bytes <= target.size(); i += bytes)
      std::reverse(target.data() + i, target.data() + i + bytes);
}

void writeWeights(const ModelInterface &model, llvm::MutableArrayRef<char> image, bool bigEndian) {
  for (const WeightSlice &slice : model.slices)
    if (slice.bytes != 0)
      writeSlice(slice, image.slice(slice.offset, slice.bytes), bigEndian);
}

} // namespace onnx_aot
