//===- ModelLibrary.cpp - A compiled model, loaded ------------------------===//
//
// See ModelLibrary.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/ModelLibrary.h"
#include "onnx_aot/runtime.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <new>

using namespace onnx_aot;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// The library
//===----------------------------------------------------------------------===//

/// The data symbols `*_model` that the library defines.
static Expected<std::vector<std::string>> modelSymbols(StringRef path) {
  auto binary = llvm::object::ObjectFile::createObjectFile(path);
  if (!binary)
    return binary.takeError();
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(binary->getBinary());
  if (!elf)
    return llvm::createStringError("it is not an ELF shared library");
  std::vector<std::string> names;
  for (llvm::object::ELFSymbolRef symbol : elf->getDynamicSymbolIterators()) {
    Expected<StringRef> name = symbol.getName();
    Expected<uint32_t> flags = symbol.getFlags();
    if (!name)
      return name.takeError();
    if (!flags)
      return flags.takeError();
    if (name->ends_with("_model") && symbol.getELFType() == llvm::ELF::STT_OBJECT &&
        !(*flags & llvm::object::SymbolRef::SF_Undefined))
      names.push_back(name->str());
  }
  llvm::sort(names);
  return names;
}

static Error checkModel(const onnx_aot_model &model) {
  if (model.abi_version != ONNX_AOT_ABI_VERSION)
    return llvm::createStringError("it was made for version " + llvm::Twine(model.abi_version) +
                                   " of the C ABI; this program speaks version " + llvm::Twine(ONNX_AOT_ABI_VERSION));
  llvm::SmallVector<const onnx_aot_tensor_info *> infos;
  for (uint32_t i = 0; i < model.num_inputs; ++i)
    infos.push_back(&model.inputs[i]);
  for (uint32_t i = 0; i < model.num_outputs; ++i)
    infos.push_back(&model.outputs[i]);
  for (const onnx_aot_tensor_info *info : infos) {
    HostTensor tensor = describe(*info);
    const DtypeInfo *dtype = findDtype(info->dtype);
    if (!dtype)
      return llvm::createStringError("its tensor '" + tensor.name + "' is of " + typeText(info->dtype, {}) +
                                     ", which is not supported");
    if (info->flags & ONNX_AOT_TENSOR_DYNAMIC)
      continue;
    if (info->bytes != static_cast<uint64_t>(tensor.numElements()) * dtype->size)
      return llvm::createStringError("its tensor '" + tensor.name + "' has " + llvm::Twine(info->bytes) +
                                     " bytes, which is not the size of " + typeText(tensor.dtype, tensor.dims));
  }
  return Error::success();
}

Expected<std::unique_ptr<ModelLibrary>> ModelLibrary::open(StringRef path, StringRef prefix) {
  std::string symbol = (prefix + "_model").str();
  if (prefix.empty()) {
    Expected<std::vector<std::string>> names = modelSymbols(path);
    if (!names)
      return names.takeError();
    if (names->empty())
      return llvm::createStringError("it defines no symbol that ends in _model; was it made by onnx-aot?");
    if (names->size() > 1)
      return llvm::createStringError("it holds more than one model: " + llvm::join(*names, ", "));
    symbol = names->front();
  }

  // Without a slash dlopen would search the system's folders.
  std::string file = path.contains('/') ? path.str() : "./" + path.str();
  std::unique_ptr<ModelLibrary> library(new ModelLibrary());
  library->handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library->handle)
    return llvm::createStringError(llvm::Twine("it cannot be loaded: ") + dlerror());
  library->model = static_cast<const onnx_aot_model *>(dlsym(library->handle, symbol.c_str()));
  if (!library->model)
    return llvm::createStringError("it does not define " + symbol);
  if (Error error = checkModel(*library->model))
    return error;
  return library;
}

ModelLibrary::~ModelLibrary() {
  if (handle)
    dlclose(handle);
}

std::string ModelLibrary::statusText(uint32_t status) const {
  using StatusText = decltype(&onnx_aot_status_text);
  auto text = reinterpret_cast<StatusText>(dlsym(handle, "onnx_aot_status_text"));
  if (!text)
    return "status " + std::to_string(status);
  char buffer[512];
  text(model, status, buffer, sizeof(buffer));
  return buffer;
}

std::string ModelLibrary::deviceText(const onnx_aot_context &context) const {
  using ContextError = decltype(&onnx_aot_context_error);
  auto write = reinterpret_cast<ContextError>(dlsym(handle, "onnx_aot_context_error"));
  if (!write)
    return "";
  std::string text(write(&context, nullptr, 0), '\0');
  write(&context, text.data(), text.size() + 1);
  return text;
}

HostTensor onnx_aot::describe(const onnx_aot_tensor_info &info) {
  HostTensor tensor;
  tensor.name = info.name;
  tensor.dtype = info.dtype;
  tensor.dims.assign(info.dims, info.dims + info.rank);
  return tensor;
}

//===----------------------------------------------------------------------===//
// A run
//===----------------------------------------------------------------------===//

static constexpr size_t guardBytes = 64;
static constexpr char guardValue = '\x5a';

// More than a model asks for (an element's alignment), so that times do not depend on where the memory happens to lie.
static constexpr size_t blockAlign = 64;

ModelRun::Block ModelRun::allocate(size_t size) {
  size_t align = std::max<size_t>(blockAlign, model.arena_align);
  auto *data = static_cast<char *>(::operator new(size + guardBytes, std::align_val_t(align)));
  // What a model does not write must not look like an answer.
  memset(data, 0xff, size);
  memset(data + size, guardValue, guardBytes);
  return {data, size};
}

ModelRun::ModelRun(const onnx_aot_model &model, llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<int64_t> dims)
    : model(model), dims(dims), arena(), outputDims(model.num_outputs) {
  for (const HostTensor &input : inputs) {
    Block block = allocate(input.data.size());
    llvm::copy(input.data, block.data);
    inputBlocks.push_back(block);
    inputPointers.push_back(block.data);
  }
  for (uint32_t i = 0; i < model.num_outputs; ++i) {
    if (model.outputs[i].flags & ONNX_AOT_TENSOR_DYNAMIC)
      outputDims[i].resize(std::max(1, model.outputs[i].rank));
    outputDimsPointers.push_back(outputDims[i].data());
  }
  uint64_t arenaBytes = model.arena_bytes;
  if (model.plan)
    planStatus = model.plan(dims.data(), &arenaBytes, outputDimsPointers.data());
  if (planStatus)
    return;
  allocateOutputs();
  arena = allocate(arenaBytes);
  if (model.num_slots != 0) {
    context = std::make_unique<onnx_aot_context>();
    model.context_init(
        context.get(), [](void *, uint64_t bytes) { return ::operator new(bytes, std::nothrow); },
        [](void *, void *memory) { ::operator delete(memory); }, nullptr);
  }
}

void ModelRun::allocateOutputs() {
  for (uint32_t i = 0; i < model.num_outputs; ++i) {
    const onnx_aot_tensor_info &info = model.outputs[i];
    size_t bytes = info.bytes;
    if (info.flags & ONNX_AOT_TENSOR_IN_CONTEXT)
      bytes = sizeof(void *); // the run stores the address there
    else if (info.flags & ONNX_AOT_TENSOR_DYNAMIC)
      bytes = HostTensor::countElements(llvm::ArrayRef(outputDims[i]).take_front(info.rank)) * info.element_bytes;
    outputBlocks.push_back(allocate(bytes));
    outputPointers.push_back(outputBlocks.back().data);
  }
}

ModelRun::~ModelRun() {
  if (context)
    model.context_destroy(context.get());
  size_t align = std::max<size_t>(blockAlign, model.arena_align);
  for (const std::vector<Block> &blocks : {inputBlocks, outputBlocks, {arena}})
    for (const Block &block : blocks)
      ::operator delete(block.data, std::align_val_t(align));
}

uint32_t ModelRun::run() {
  if (planStatus)
    return planStatus;
  return model.entry(inputPointers.data(), outputPointers.data(), dims.data(), outputDimsPointers.data(), arena.data,
                     context.get());
}

Expected<std::vector<HostTensor>> ModelRun::outputs() const {
  auto isIntact = [](const Block &block) {
    return std::all_of(block.data + block.size, block.data + block.size + guardBytes,
                       [](char c) { return c == guardValue; });
  };
  if (!isIntact(arena))
    return llvm::createStringError("the model wrote past the end of its arena");
  std::vector<HostTensor> tensors;
  for (auto [index, block] : llvm::enumerate(outputBlocks)) {
    const onnx_aot_tensor_info &info = model.outputs[index];
    tensors.push_back(describe(info));
    HostTensor &tensor = tensors.back();
    if (!isIntact(block))
      return llvm::createStringError("the model wrote past the end of its output '" + tensor.name + "'");
    const char *data = block.data;
    size_t bytes = block.size;
    if (info.flags & ONNX_AOT_TENSOR_DYNAMIC) {
      tensor.dims.assign(outputDims[index].begin(), outputDims[index].begin() + info.rank);
      bytes = static_cast<size_t>(tensor.numElements()) * info.element_bytes;
      if (llvm::any_of(tensor.dims, [](int64_t dim) { return dim < 0; }))
        return llvm::createStringError("the model says that its output '" + tensor.name + "' is " +
                                       typeText(tensor.dtype, tensor.dims));
    }
    if (info.flags & ONNX_AOT_TENSOR_IN_CONTEXT)
      memcpy(&data, block.data, sizeof(data));
    else if (bytes > block.size)
      return llvm::createStringError("the model's output '" + tensor.name + "' is larger than it had said");
    tensor.data.assign(data, data + bytes);
  }
  return tensors;
}
