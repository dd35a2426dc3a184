//===- OutputFiles.cpp - Files that appear whole or not at all ------------===//
//
// See OutputFiles.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/OutputFiles.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

Error cannotWrite(StringRef path, const std::error_code &code) {
  return createStringError(code, "cannot write " + path + ": " + code.message());
}

OutputFiles::~OutputFiles() {
  for (const File &file : files) {
    sys::fs::remove(file.temporary);
    sys::DontRemoveFileOnSignal(file.temporary);
  }
}

static Error refuse(StringRef path, const Twine &reason) {
  return createStringError(std::make_error_code(std::errc::invalid_argument), "cannot write " + path + ": " + reason);
}

/// The folder without links, and the file's name in it: the file itself need not be there yet.
static std::string keyOf(StringRef path) {
  StringRef folder = sys::path::parent_path(path);
  SmallString<128> key;
  if (sys::fs::real_path(folder.empty() ? "." : folder, key))
    return path.str();
  sys::path::append(key, sys::path::filename(path));
  return key.str().str();
}

Error OutputFiles::checkPath(StringRef path, StringRef key) const {
  // Renaming onto a device such as /dev/null would replace the device.
  sys::fs::file_status status;
  if (!sys::fs::status(path, status) && sys::fs::exists(status) && !sys::fs::is_regular_file(status))
    return refuse(path, "it is not a regular file");
  for (const std::string &input : inputs)
    if (key == keyOf(input) || sys::fs::equivalent(path, input))
      return refuse(path, "the model is read from this file");
  for (const File &file : files)
    if (!file.path.empty() && file.key == key)
      return refuse(path, "another output of this run has the same name");
  return Error::success();
}

Expected<std::string> OutputFiles::create(StringRef path, bool scratch) {
  std::string key = scratch ? std::string() : keyOf(path);
  if (!scratch)
    if (Error error = checkPath(path, key))
      return std::move(error);
  SmallString<128> temporary;
  int descriptor;
  if (std::error_code code = sys::fs::createUniqueFile(path + ".%%%%%%%%.tmp", descriptor, temporary))
    return cannotWrite(path, code);
  sys::Process::SafelyCloseFileDescriptor(descriptor);
  sys::RemoveFileOnSignal(temporary);
  files.push_back({scratch ? std::string() : path.str(), std::move(key), temporary.str().str()});
  return files.back().temporary;
}

Expected<std::string> OutputFiles::add(StringRef path) { return create(path, /*scratch=*/false); }

Expected<std::string> OutputFiles::addScratch(StringRef path) { return create(path, /*scratch=*/true); }

Error OutputFiles::write(StringRef path, function_ref<void(raw_pwrite_stream &)> write) {
  auto temporary = add(path);
  if (!temporary)
    return temporary.takeError();
  std::error_code code;
  raw_fd_ostream stream(*temporary, code);
  if (code)
    return cannotWrite(path, code);
  write(stream);
  stream.close();
  if (std::error_code failure = stream.error()) {
    stream.clear_error();
    return cannotWrite(path, failure);
  }
  return Error::success();
}

Error OutputFiles::publish() {
  std::vector<std::string> done;
  for (File &file : files) {
    if (file.path.empty())
      continue;
    if (std::error_code code = sys::fs::rename(file.temporary, file.path)) {
      for (const std::string &path : done)
        sys::fs::remove(path);
      return cannotWrite(file.path, code);
    }
    sys::DontRemoveFileOnSignal(file.temporary);
    done.push_back(file.path);
  }
  erase_if(files, [](const File &file) { return !file.path.empty(); });
  return Error::success();
}

} // namespace onnx_aot
