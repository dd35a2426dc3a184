//===- ExternalData.cpp - Tensor bytes that lie beside the model file -------------------------------------------===//
#include "compiler/import/ExternalData.h"
#include "compiler/import/onnx_model.pb.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace onnx_aot;

template <typename... Ts> static Error fail(const char *format, const Ts &...values) {
  return createStringError(inconvertibleErrorCode(), format, values...);
}

/// Whether the real path `file` lies below the real path `folder`.
static bool isBelow(StringRef file, StringRef folder) {
  if (!file.consume_front(folder))
    return false;
  return folder.ends_with("/") || file.starts_with("/");
}

Expected<MemoryBuffer *> ExternalData::map(StringRef location) {
  auto [it, isNew] = buffers.try_emplace(location);
  if (!isNew && it->second)
    return it->second.get();

  std::string shown = location.str();
  if (location.empty())
    return fail("its external data has no location");
  if (location.contains('\0'))
    return fail("the location of its external data holds a NUL character");
  if (sys::path::is_absolute(location))
    return fail("external data file \"%s\" has an absolute path; it must be relative to the model's folder",
                shown.c_str());
  for (auto part = sys::path::begin(location), end = sys::path::end(location); part != end; ++part)
    if (*part == "..")
      return fail("external data file \"%s\" leaves the model's folder by \"..\"", shown.c_str());

  SmallString<256> path(folder), realPath, realFolder;
  sys::path::append(path, location);
  if (std::error_code code = sys::fs::real_path(folder.empty() ? "." : folder, realFolder))
    return fail("the model's folder cannot be read: %s", code.message().c_str());
  if (std::error_code code = sys::fs::real_path(path, realPath))
    return fail("external data file \"%s\" cannot be read: %s", shown.c_str(), code.message().c_str());
  if (!isBelow(realPath, realFolder))
    return fail("external data file \"%s\" leaves the model's folder by a symbolic link", shown.c_str());
  if (!sys::fs::is_regular_file(realPath))
    return fail("external data file \"%s\" is not a regular file", shown.c_str());

  // A volatile file would be copied; the mapping is what keeps large models out of memory.
  auto buffer = MemoryBuffer::getFile(realPath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("external data file \"%s\" cannot be read: %s", shown.c_str(), buffer.getError().message().c_str());
  it->second = std::move(*buffer);
  opened.push_back(std::string(path));
  return it->second.get();
}

Expected<ArrayRef<char>> ExternalData::slice(const pb::TensorProto &tensor, uint64_t bytes) {
  StringRef location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const pb::StringStringEntryProto &entry : tensor.external_data()) {
    StringRef key = entry.key(), value = entry.value();
    uint64_t number = 0;
    if (key == "location") {
      location = value;
    } else if (key == "offset" || key == "length") {
      if (value.getAsInteger(10, number))
        return fail("the %s of its external data, \"%s\", is not a number", entry.key().c_str(), entry.value().c_str());
      if (key == "offset")
        offset = number;
      else
        length = number;
    }
  }
  Expected<MemoryBuffer *> buffer = map(location);
  if (!buffer)
    return buffer.takeError();
  uint64_t size = (*buffer)->getBufferSize();
  std::string shown = location.str();
  if (length && *length != bytes)
    return fail("its shape needs %llu bytes, but its external data in \"%s\" has length %llu",
                (unsigned long long)bytes, shown.c_str(), (unsigned long long)*length);
  if (offset > size || bytes > size - offset)
    return fail("external data file \"%s\" is too short: %llu bytes at offset %llu are needed, it has %llu",
                shown.c_str(), (unsigned long long)bytes, (unsigned long long)offset, (unsigned long long)size);
  return ArrayRef<char>((*buffer)->getBufferStart() + offset, bytes);
}
