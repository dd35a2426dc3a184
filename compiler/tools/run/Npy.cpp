//===- Npy.cpp - NumPy's .npy files ---------------------------------------===//
//
// See Npy.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cstring>

using namespace onnx_aot;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static const char magic[] = "\x93NUMPY";
static constexpr size_t magicSize = 6;

static Error bad(const llvm::Twine &reason) { return llvm::createStringError(reason); }

//===----------------------------------------------------------------------===//
// The header
//===----------------------------------------------------------------------===//

namespace {

struct Header {
  StringRef descr;
  bool fortranOrder = false;
  std::vector<int64_t> dims;
};

/// Reads the part of Python's grammar that NumPy writes.
class HeaderReader {
public:
  explicit HeaderReader(StringRef text) : rest(text) {}

  Expected<Header> read() {
    Header header;
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!take("{"))
      return bad("its header is not a dictionary");
    while (!take("}")) {
      std::optional<StringRef> key = takeString();
      if (!key || !take(":"))
        return bad("its header is damaged");
      if (*key == "descr") {
        std::optional<StringRef> descr = takeString();
        if (!descr)
          return bad(take("[") ? "structured arrays are not supported" : "its header is damaged");
        header.descr = *descr;
        hasDescr = true;
      } else if (*key == "fortran_order") {
        header.fortranOrder = take("True");
        if (!header.fortranOrder && !take("False"))
          return bad("its header is damaged");
        hasOrder = true;
      } else if (*key == "shape") {
        if (!takeShape(header.dims))
          return bad("its header has no valid shape");
        hasShape = true;
      } else {
        return bad("its header has the unknown entry '" + *key + "'");
      }
      take(",");
    }
    if (!hasDescr || !hasOrder || !hasShape)
      return bad("its header lacks descr, fortran_order or shape");
    return header;
  }

private:
  bool take(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }
  std::optional<StringRef> takeString() {
    rest = rest.ltrim();
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return std::nullopt;
    size_t end = rest.find(rest[0], 1);
    if (end == StringRef::npos)
      return std::nullopt;
    StringRef text = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return text;
  }
  bool takeShape(std::vector<int64_t> &dims) {
    if (!take("("))
      return false;
    while (!take(")")) {
      rest = rest.ltrim();
      int64_t dim = 0;
      if (rest.consumeInteger(10, dim) || dim < 0)
        return false;
      rest.consume_front("L"); // Python 2 wrote long integers so
      dims.push_back(dim);
      take(",");
    }
    return true;
  }

  StringRef rest;
};

} // namespace

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static void swapBytes(std::vector<char> &data, size_t numberSize) {
  for (size_t at = 0; at + numberSize <= data.size(); at += numberSize)
    std::reverse(data.begin() + at, data.begin() + at + numberSize);
}

/// Column-major elements in `from` to row-major ones in `to`.
static void transpose(StringRef from, llvm::ArrayRef<int64_t> dims, size_t size, std::vector<char> &to) {
  std::vector<int64_t> index(dims.size(), 0);
  for (size_t at = 0; at < to.size(); at += size) {
    int64_t source = 0;
    for (size_t axis = dims.size(); axis-- > 0;)
      source = source * dims[axis] + index[axis];
    memcpy(to.data() + at, from.data() + source * size, size);
    for (size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis])
        break;
      index[axis] = 0;
    }
  }
}

Expected<HostTensor> onnx_aot::parseNpy(StringRef content) {
  if (!content.consume_front(StringRef(magic, magicSize)) || content.size() < 4)
    return bad("it is not a .npy file");
  unsigned version = static_cast<unsigned char>(content[0]);
  if (version < 1 || version > 3)
    return bad("version " + llvm::Twine(version) + " of the .npy format is not known");
  size_t lengthSize = version == 1 ? 2 : 4;
  content = content.drop_front(2);
  if (content.size() < lengthSize)
    return bad("it is cut off");
  size_t length =
      version == 1 ? llvm::support::endian::read16le(content.data()) : llvm::support::endian::read32le(content.data());
  content = content.drop_front(lengthSize);
  if (content.size() < length)
    return bad("it is cut off");
  Expected<Header> header = HeaderReader(content.take_front(length)).read();
  if (!header)
    return header.takeError();
  content = content.drop_front(length);

  StringRef descr = header->descr;
  bool isBigEndian = descr.consume_front(">");
  if (!isBigEndian && !descr.consume_front("<") && !descr.consume_front("|"))
    descr.consume_front("=");
  const DtypeInfo *info = findDtypeByNumpy(descr);
  if (!info)
    return bad("the element type '" + header->descr + "' is not supported");

  HostTensor tensor;
  tensor.dtype = info->dtype;
  tensor.dims = header->dims;
  uint64_t bytes = info->size;
  for (int64_t dim : tensor.dims) {
    bool overflows = false;
    bytes = llvm::SaturatingMultiply(bytes, static_cast<uint64_t>(dim), &overflows);
  }
  if (content.size() < bytes)
    return bad("it holds " + llvm::Twine(content.size()) + " bytes of " + typeText(tensor.dtype, tensor.dims) +
               ", which has " + llvm::Twine(bytes));
  if (header->fortranOrder && tensor.dims.size() > 1) {
    tensor.data.resize(bytes);
    transpose(content, tensor.dims, info->size, tensor.data);
  } else {
    tensor.data.assign(content.begin(), content.begin() + bytes);
  }
  if (isBigEndian)
    swapBytes(tensor.data, info->size / info->components);
  return tensor;
}

Expected<HostTensor> onnx_aot::readNpy(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), buffer.getError().message());
  return parseNpy((*buffer)->getBuffer());
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

std::string onnx_aot::formatNpy(const HostTensor &tensor) {
  const DtypeInfo *info = findDtype(tensor.dtype);
  // NumPy has no bfloat16 nor anything narrower; the bits are kept as integers.
  std::string descr = std::string(info->size == 1 ? "|" : "<") + info->numpy;
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : tensor.dims)
    header += std::to_string(dim) + ", ";
  if (tensor.dims.size() > 1)
    header.resize(header.size() - 2);
  else if (tensor.dims.size() == 1)
    header.resize(header.size() - 1);
  header += "), }";
  // Blanks and a newline bring the elements to a multiple of 64.
  size_t fixed = magicSize + 2 + 2;
  header.append(llvm::alignTo(fixed + header.size() + 1, 64) - fixed - header.size() - 1, ' ');
  header += '\n';

  std::string content(magic, magicSize);
  content += '\x01';
  content += '\0';
  content += static_cast<char>(header.size() & 0xff);
  content += static_cast<char>(header.size() >> 8);
  content += header;
  content.append(tensor.data.begin(), tensor.data.end());
  return content;
}

Error onnx_aot::writeNpy(StringRef path, const HostTensor &tensor) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code);
  if (!code) {
    os << formatNpy(tensor);
    os.close();
    code = os.error();
    os.clear_error();
  }
  return code ? llvm::createStringError(code, code.message()) : Error::success();
}
