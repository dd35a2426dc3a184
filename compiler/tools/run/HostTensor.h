//===- HostTensor.h - A tensor in memory, with its name -------------------===//
//
// What it is for: the value of an input or an output outside the model: dense, row-major, little endian, one element
// per 1, 2, 4, 8 or 16 bytes, as the C ABI passes it (see runtime.h).
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_HOSTTENSOR_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_HOSTTENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <string>
#include <vector>

namespace onnx_aot {

struct HostTensor {
  std::string name;
  int32_t dtype = 0; // enum onnx_aot_dtype: the numbers of TensorProto.DataType
  std::vector<int64_t> dims;
  std::vector<char> data;

  int64_t numElements() const { return countElements(dims); }
  static int64_t countElements(llvm::ArrayRef<int64_t> dims);

  /// Element `index` as a double. Complex types have two numbers per element: `index` counts numbers.
  double number(int64_t index) const;

  /// The same as text: integers exactly, others with at most `digits` digits.
  std::string text(int64_t index, unsigned digits) const;
};

/// How an element type looks in memory.
struct DtypeInfo {
  int32_t dtype;
  const char *name;    // ONNX's word: "float16"
  const char *numpy;   // NumPy's descr without its byte order, "f4"
  bool isNumpy;        // whether that is the type itself; else one of its size that carries the bits
  unsigned size;       // bytes per element
  double epsilon;      // distance from 1 to the next number; 0 for integers
  unsigned components; // numbers per element: 2 for complex types
};

/// Null when the number is not of a type that crosses the C ABI.
const DtypeInfo *findDtype(int32_t dtype);
const DtypeInfo *findDtypeByNumpy(llvm::StringRef descr);

/// Makes `tensor` one of `dtype` where its own type is what .npy files carry that one in.
void adoptDtype(HostTensor &tensor, int32_t dtype);

/// "float[1][10]"; a scalar is "float".
std::string typeText(int32_t dtype, llvm::ArrayRef<int64_t> dims);

/// Fills `tensor.data` for its dtype and dims from a fixed generator: floats in [-1, 1) (float8e8m0 in [1, 2]), bool 0
/// or 1, integers of up to 8 bits over their whole range, other integers 0 to 9. The same seed and shape give the same
/// bytes everywhere.
void fillRandom(HostTensor &tensor, uint64_t seed);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_HOSTTENSOR_H
