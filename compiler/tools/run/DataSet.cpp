//===- DataSet.cpp - A folder of inputs and reference outputs -------------===//
//
// See DataSet.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/DataSet.h"
#include "compiler/tools/run/Npy.h"
#include "compiler/tools/run/TensorFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static std::string join(StringRef folder, StringRef file) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, file);
  return path.str().str();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static Expected<std::vector<DataItem>> readListed(StringRef folder, StringRef list, DataRole role) {
  std::vector<DataItem> items;
  llvm::SmallVector<StringRef> lines;
  list.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    auto [word, rest] = line.trim().split(' ');
    auto [file, name] = rest.trim().split(' ');
    if (word.empty())
      continue;
    if ((word != "in" && word != "out") || file.empty() || name.trim().empty())
      return llvm::createStringError(join(folder, "io.txt") + ": expected 'in FILE NAME' or 'out FILE NAME', found '" +
                                     line.trim() + "'");
    if ((word == "in") != (role == DataRole::Input))
      continue;
    Expected<HostTensor> tensor = readTensorFile(join(folder, file));
    if (!tensor)
      return tensor.takeError();
    tensor->name = name.trim().str();
    items.push_back({std::move(*tensor), -1});
  }
  return items;
}

static Expected<std::vector<DataItem>> readNumbered(StringRef folder, DataRole role) {
  std::vector<std::pair<int64_t, std::string>> files;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(folder, code), end; it != end && !code; it.increment(code)) {
    StringRef file = llvm::sys::path::filename(it->path());
    int64_t number = 0;
    if (file.consume_front(role == DataRole::Input ? "input_" : "output_") && file.consume_back(".pb") &&
        !file.getAsInteger(10, number))
      files.emplace_back(number, it->path());
  }
  if (code)
    return llvm::createStringError(code, folder + ": " + code.message());
  llvm::sort(files);
  std::vector<DataItem> items;
  for (const auto &[number, path] : files) {
    Expected<HostTensor> tensor = readTensorFile(path);
    if (!tensor)
      return tensor.takeError();
    items.push_back({std::move(*tensor), number});
  }
  return items;
}

Expected<std::vector<DataItem>> onnx_aot::readDataSet(StringRef folder, DataRole role) {
  if (!llvm::sys::fs::is_directory(folder))
    return llvm::createStringError(folder + ": it is not a folder");
  auto list = llvm::MemoryBuffer::getFile(join(folder, "io.txt"));
  if (list)
    return readListed(folder, (*list)->getBuffer(), role);
  return readNumbered(folder, role);
}

const DataItem *onnx_aot::findItem(llvm::ArrayRef<DataItem> items, StringRef name, int64_t position) {
  for (const DataItem &item : items)
    if (item.tensor.name == name)
      return &item;
  for (const DataItem &item : items)
    if (item.position == position)
      return &item;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Error onnx_aot::writeDataSet(StringRef folder, llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<HostTensor> outputs) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(code, folder + ": " + code.message());
  std::string list;
  for (auto [word, tensors] : {std::pair("in", inputs), std::pair("out", outputs)}) {
    for (auto [index, tensor] : llvm::enumerate(tensors)) {
      std::string file = llvm::formatv("{0}_{1,0+2}.npy", word, index);
      if (Error error = writeNpy(join(folder, file), tensor))
        return llvm::createStringError(join(folder, file) + ": " + llvm::toString(std::move(error)));
      list += std::string(word) + " " + file + " " + tensor.name + "\n";
    }
  }
  std::error_code code;
  llvm::raw_fd_ostream os(join(folder, "io.txt"), code);
  if (code)
    return llvm::createStringError(code, join(folder, "io.txt") + ": " + code.message());
  os << list;
  return Error::success();
}
