//===- DataSet.cpp - A folder of inputs and reference outputs -------------===//
//
// See DataSet.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/DataSet.h"
#include "compiler/tools/run/Npy.h"
#include "compiler/tools/run/ValueFile.h"
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
    if (Error error = addItems(join(folder, file), name.trim(), -1, items))
      return std::move(error);
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
    if (Error error = addItems(path, "", number, items))
      return std::move(error);
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
    if (item.tensor.name == name && item.length < 0)
      return &item;
  for (const DataItem &item : items)
    if (item.tensor.name == name && item.length == 1)
      return &item + 1;
  for (const DataItem &item : items)
    if (item.position == position && item.length < 0)
      return &item;
  return nullptr;
}

const DataItem *onnx_aot::findList(llvm::ArrayRef<DataItem> items, StringRef name, int64_t position) {
  for (const DataItem &item : items)
    if (item.tensor.name == name && item.length >= 0)
      return &item;
  for (const DataItem &item : items)
    if (item.position == position && item.length >= 0)
      return &item;
  return nullptr;
}

Error onnx_aot::addItems(StringRef path, StringRef name, int64_t position, std::vector<DataItem> &items) {
  Expected<HostValue> value = readValueFile(path);
  if (!value)
    return value.takeError();
  if (name.empty())
    name = value->name;
  if (!value->isList) {
    value->tensors.front().name = name.str();
    items.push_back({std::move(value->tensors.front()), position});
    return Error::success();
  }
  DataItem list;
  list.tensor.name = name.str();
  list.position = position;
  list.length = value->tensors.size();
  list.isNested = value->isNested;
  items.push_back(std::move(list));
  for (auto [index, tensor] : llvm::enumerate(value->tensors)) {
    tensor.name = (name + "[" + llvm::Twine(index) + "]").str();
    items.push_back({std::move(tensor), -1});
  }
  return Error::success();
}

StringRef onnx_aot::listName(StringRef name) {
  auto [base, index] = name.rsplit('[');
  uint64_t number = 0;
  bool isElement = index.consume_back("]") && !index.getAsInteger(10, number) && !base.empty();
  return isElement ? base : name;
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
