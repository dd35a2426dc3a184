// onnx_aot/model.hpp: a compiled model in C++17, header only.
//
//   #include "mnist.h"
//   #include <onnx_aot/model.hpp>
//
//   onnx_aot::Model model(mnist_model);            // owns the arena
//   std::vector<float> image(784), logits(10);
//   onnx_aot::Status status = model.run({onnx_aot::input(image)}, {onnx_aot::output(logits)});
//   if (!status)
//     std::puts(status.text().c_str());
//
// Where dims are only known at run time they go along, and the model says how large its outputs are:
//
//   std::array<std::int64_t, 1> batch = {3};
//   model.plan(batch);                              // so that outputBytes() is that of this batch
//   std::vector<float> logits(model.outputBytes(0) / sizeof(float));
//   status = model.run({onnx_aot::input(images)}, {onnx_aot::output(logits)}, batch);
//   model.outputDims(0);                            // {3, 10}
//
// A Model is one arena: use one per thread. Nothing here throws; where the library is built with exceptions, only
// std::string and std::vector may (out of memory).
#ifndef ONNX_AOT_MODEL_HPP
#define ONNX_AOT_MODEL_HPP

#include "onnx_aot/runtime.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace onnx_aot {

/// A run of elements that somebody else owns.
template <typename T> class Span {
public:
  constexpr Span() = default;
  constexpr Span(T *data, std::size_t size) : first(data), count(size) {}
  /// From anything with data() and size(): std::vector, std::array, std::string_view.
  template <typename Container, typename = decltype(static_cast<T *>(std::declval<Container &>().data())),
            typename = decltype(std::declval<Container &>().size())>
  constexpr Span(Container &container) : first(container.data()), count(container.size()) {}

  constexpr T *data() const { return first; }
  constexpr std::size_t size() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr T &operator[](std::size_t index) const { return first[index]; }
  constexpr T *begin() const { return first; }
  constexpr T *end() const { return first + count; }

private:
  T *first = nullptr;
  std::size_t count = 0;
};

/// Whether a C++ type can hold elements of an ONNX type. `unsigned char`, `char` and `std::byte` take any as bytes.
template <typename T> constexpr bool holdsDtype(std::int32_t dtype) {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return dtype == ONNX_AOT_FLOAT || dtype == ONNX_AOT_COMPLEX64;
  else if constexpr (std::is_same_v<U, double>)
    return dtype == ONNX_AOT_DOUBLE || dtype == ONNX_AOT_COMPLEX128;
  else if constexpr (std::is_same_v<U, unsigned char> || std::is_same_v<U, char> || std::is_same_v<U, std::byte> ||
                     std::is_void_v<U>)
    return true;
  else if constexpr (std::is_same_v<U, bool>)
    return dtype == ONNX_AOT_BOOL;
  else if constexpr (std::is_integral_v<U> && std::is_signed_v<U>)
    return sizeof(U) == 1   ? dtype == ONNX_AOT_INT8 || dtype == ONNX_AOT_INT4 || dtype == ONNX_AOT_INT2
           : sizeof(U) == 2 ? dtype == ONNX_AOT_INT16
           : sizeof(U) == 4 ? dtype == ONNX_AOT_INT32
                            : dtype == ONNX_AOT_INT64;
  else if constexpr (std::is_integral_v<U>)
    return sizeof(U) == 2   ? dtype == ONNX_AOT_UINT16 || dtype == ONNX_AOT_FLOAT16 || dtype == ONNX_AOT_BFLOAT16
           : sizeof(U) == 4 ? dtype == ONNX_AOT_UINT32
                            : dtype == ONNX_AOT_UINT64;
  else
    return true; // a half type, a complex type, a struct of the caller's
}

/// A buffer handed to a run: where it is, how long, and whether its type fits an ONNX type.
class InputView {
public:
  template <typename T>
  InputView(Span<T> span)
      : pointer(span.data()), length(span.size() * sizeof(T)), fits(&holdsDtype<std::remove_cv_t<T>>) {}
  const void *data() const { return pointer; }
  std::size_t bytes() const { return length; }
  bool fitsDtype(std::int32_t dtype) const { return fits(dtype); }

private:
  const void *pointer;
  std::size_t length;
  bool (*fits)(std::int32_t);
};

class OutputView {
public:
  template <typename T, typename = std::enable_if_t<!std::is_const_v<T>>>
  OutputView(Span<T> span) : pointer(span.data()), length(span.size() * sizeof(T)), fits(&holdsDtype<T>) {}
  void *data() const { return pointer; }
  std::size_t bytes() const { return length; }
  bool fitsDtype(std::int32_t dtype) const { return fits(dtype); }
  /// For an output that the run itself finds memory for; see Model::outputData.
  static OutputView inContext() { return OutputView(Span<unsigned char>()); }

private:
  void *pointer;
  std::size_t length;
  bool (*fits)(std::int32_t);
};

template <typename Container> InputView input(const Container &container) {
  return Span<std::remove_pointer_t<decltype(container.data())>>(container.data(), container.size());
}
template <typename Container> OutputView output(Container &container) {
  return Span<std::remove_pointer_t<decltype(container.data())>>(container.data(), container.size());
}
template <typename T> InputView input(const T *data, std::size_t count) { return Span<const T>(data, count); }
template <typename T> OutputView output(T *data, std::size_t count) { return Span<T>(data, count); }

/// How a run ended: true when it went well.
class Status {
public:
  Status() = default;
  Status(const onnx_aot_model *ofModel, onnx_aot_status status) : model(ofModel), value(status) {}
  /// What the wrapper itself refuses; `reason` is a literal.
  static Status refused(const onnx_aot_model *model, const char *reason, const char *tensor = nullptr) {
    Status status(model, ONNX_AOT_NULL_ARGUMENT);
    status.reason = reason;
    status.tensor = tensor;
    return status;
  }

  explicit operator bool() const { return value == ONNX_AOT_OK; }
  /// The C status. What the wrapper refuses has the code ONNX_AOT_NULL_ARGUMENT.
  onnx_aot_status raw() const { return value; }

  std::string text() const {
    if (reason) {
      std::string result = model ? std::string(model->name) + ": " : std::string();
      if (tensor)
        result += "\"" + std::string(tensor) + "\": ";
      return result + reason;
    }
    std::string result(onnx_aot_status_text(model, value, nullptr, 0), '\0');
    onnx_aot_status_text(model, value, result.data(), result.size() + 1);
    return result;
  }

private:
  const onnx_aot_model *model = nullptr;
  onnx_aot_status value = ONNX_AOT_OK;
  const char *reason = nullptr;
  const char *tensor = nullptr;
};

/// An input or an output of a model.
class TensorInfo {
public:
  explicit TensorInfo(const onnx_aot_tensor_info &described) : info(&described) {}
  std::string_view name() const { return info->name; }
  onnx_aot_dtype dtype() const { return static_cast<onnx_aot_dtype>(info->dtype); }
  Span<const std::int64_t> dims() const { return {info->dims, static_cast<std::size_t>(info->rank)}; }
  /// Of the largest one where the shape is not constant.
  std::size_t bytes() const { return static_cast<std::size_t>(info->bytes); }
  bool isDynamic() const { return (info->flags & ONNX_AOT_TENSOR_DYNAMIC) != 0; }
  /// Number of elements; not of a dynamic tensor.
  std::size_t size() const {
    std::size_t count = 1;
    for (std::int64_t dim : dims())
      count *= static_cast<std::size_t>(dim);
    return count;
  }

private:
  const onnx_aot_tensor_info *info;
};

class Model {
public:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  /// Allocates the arena where its size is constant; `valid()` is false when there is no memory or the model has
  /// another ABI version.
  explicit Model(const onnx_aot_model &description) : model(&description) {
    if (model->abi_version != ONNX_AOT_ABI_VERSION)
      return;
    if (hasFixedArena())
      reserve(model->arena_bytes);
    if (model->context_init)
      model->context_init(&context, allocate, release, nullptr);
    for (std::size_t i = 0; i < numOutputs(); ++i)
      dimStore.emplace_back(static_cast<std::size_t>(model->outputs[i].rank) + 1);
  }
  Model(Model &&other) noexcept : model(other.model) { swap(other); }
  Model &operator=(Model &&other) noexcept {
    swap(other);
    return *this;
  }
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  ~Model() {
    ::operator delete(arena, alignment());
    if (model->abi_version == ONNX_AOT_ABI_VERSION && model->context_destroy && dimStore.size() == numOutputs())
      model->context_destroy(&context);
  }

  bool valid() const {
    return model->abi_version == ONNX_AOT_ABI_VERSION && dimStore.size() == numOutputs() &&
           (arena || model->arena_bytes == 0 || !hasFixedArena());
  }
  const onnx_aot_model &description() const { return *model; }
  std::string_view name() const { return model->name; }

  std::size_t numInputs() const { return model->num_inputs; }
  std::size_t numOutputs() const { return model->num_outputs; }
  TensorInfo input(std::size_t index) const { return TensorInfo(model->inputs[index]); }
  TensorInfo output(std::size_t index) const { return TensorInfo(model->outputs[index]); }

  /// The position of the input or output of that name, or npos.
  std::size_t findInput(std::string_view name) const { return find(model->inputs, model->num_inputs, name); }
  std::size_t findOutput(std::string_view name) const { return find(model->outputs, model->num_outputs, name); }

  /// The dimensions that a run takes; their names and bounds are in the description.
  std::size_t numDims() const { return model->num_dims; }

  /// What a run with these dims needs: outputDims() and outputBytes() then say the outputs' sizes (where the data
  /// decide, the most that they can be), and the arena is made large enough.
  Status plan(Span<const std::int64_t> dims) {
    if (!valid())
      return Status::refused(model, "no arena, or another ABI version");
    if (dims.size() != model->num_dims)
      return Status::refused(model, "wrong number of dims");
    if (!model->plan)
      return Status(model, ONNX_AOT_OK);
    std::uint64_t bytes = 0;
    Pointers<std::int64_t *> out(numOutputs());
    Status status(model, model->plan(dims.data(), &bytes, dimPointers(out)));
    if (status && !hasFixedArena() && !reserve(bytes))
      return Status::refused(model, "no memory for the arena");
    return status;
  }

  /// The dims of an output as the last run, or the last plan, has said them.
  Span<const std::int64_t> outputDims(std::size_t index) const {
    const onnx_aot_tensor_info &info = model->outputs[index];
    const std::int64_t *dims = (info.flags & ONNX_AOT_TENSOR_DYNAMIC) != 0 ? dimStore[index].data() : info.dims;
    return {dims, static_cast<std::size_t>(info.rank)};
  }
  /// Bytes of an output of these dims; npos where there is no bound before the run.
  std::size_t outputBytes(std::size_t index) const {
    std::size_t bytes = model->outputs[index].element_bytes;
    bool isOpen = false, isEmpty = false;
    for (std::int64_t dim : outputDims(index)) {
      isOpen |= dim < 0;
      isEmpty |= dim == 0;
      bytes *= static_cast<std::size_t>(dim);
    }
    return isEmpty ? 0 : isOpen ? npos : bytes;
  }
  /// The elements of an output that the last run has put into memory of its own (OutputView::inContext()); valid until
  /// the next run.
  const void *outputData(std::size_t index) const { return reinterpret_cast<const void *>(dimStore[index].back()); }

  /// What the GPU's driver said when the last run failed, or why the CPU did it; empty when there is nothing. Models
  /// that run without a context have no such text, nor the C functions behind this and the next two.
  std::string deviceError() const {
    std::string result(onnx_aot_context_error(&context, nullptr, 0), '\0');
    onnx_aot_context_error(&context, result.data(), result.size() + 1);
    return result;
  }

  /// Whether the last run had a device: false where a model for both ran on the CPU.
  bool onDevice() const { return onnx_aot_context_on_device(&context) != 0; }
  /// The stream of the runs that follow, see onnx_aot_context_set_stream.
  void setStream(void *stream) { onnx_aot_context_set_stream(&context, stream); }

  /// The value of a metadata property, or an empty view.
  std::string_view metadata(std::string_view key) const {
    for (std::uint32_t i = 0; i < model->num_metadata; ++i)
      if (model->metadata[i].key == key)
        return model->metadata[i].value;
    return {};
  }

  /// Runs the model on buffers in the graph's order, and with the values of its dims. The number, sizes and types of
  /// the buffers are checked; that of a dynamic output may be larger than the output.
  Status run(Span<const InputView> inputs, Span<const OutputView> outputs, Span<const std::int64_t> dims = {}) {
    if (Status status = plan(dims); !status)
      return status;
    if (inputs.size() != model->num_inputs || outputs.size() != model->num_outputs)
      return Status::refused(model, "wrong number of inputs or outputs");
    Pointers<const void *> in(inputs.size());
    Pointers<void *> out(outputs.size());
    Pointers<void *> found(outputs.size());
    Pointers<std::int64_t *> outDims(outputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const onnx_aot_tensor_info &info = model->inputs[i];
      if (const char *reason = check(inputs[i], info, inputs[i].bytes() == bytesOf(info, dims)))
        return Status::refused(model, reason, info.name);
      in.data()[i] = inputs[i].data();
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const onnx_aot_tensor_info &info = model->outputs[i];
      out.data()[i] = outputs[i].data();
      if ((info.flags & ONNX_AOT_TENSOR_IN_CONTEXT) != 0) {
        found.data()[i] = nullptr;
        out.data()[i] = &found.data()[i];
        continue;
      }
      bool fits = (info.flags & ONNX_AOT_TENSOR_DYNAMIC) != 0 ? outputs[i].bytes() >= outputBytes(i)
                                                              : outputs[i].bytes() == info.bytes;
      if (const char *reason = check(outputs[i], info, fits))
        return Status::refused(model, reason, info.name);
    }
    Status status(model, model->entry(in.data(), out.data(), dims.data(), dimPointers(outDims), arena, &context));
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if ((model->outputs[i].flags & ONNX_AOT_TENSOR_IN_CONTEXT) != 0)
        dimStore[i].back() = reinterpret_cast<std::intptr_t>(found.data()[i]);
    return status;
  }
  Status run(std::initializer_list<InputView> inputs, std::initializer_list<OutputView> outputs,
             Span<const std::int64_t> dims = {}) {
    return run(Span<const InputView>(inputs.begin(), inputs.size()),
               Span<const OutputView>(outputs.begin(), outputs.size()), dims);
  }

private:
  /// An array of pointers, on the stack for the usual few.
  template <typename T> class Pointers {
  public:
    explicit Pointers(std::size_t size) {
      if (size > 16)
        many.resize(size);
    }
    T *data() { return many.empty() ? few : many.data(); }

  private:
    T few[16];
    std::vector<T> many;
  };

  template <typename View> static const char *check(const View &view, const onnx_aot_tensor_info &info, bool fits) {
    if (!fits)
      return "the buffer has another size than the tensor";
    if (!view.fitsDtype(info.dtype))
      return "the buffer's element type is not the tensor's";
    return nullptr;
  }
  static std::size_t bytesOf(const onnx_aot_tensor_info &info, Span<const std::int64_t> dims) {
    if ((info.flags & ONNX_AOT_TENSOR_DYNAMIC) == 0)
      return static_cast<std::size_t>(info.bytes);
    std::size_t bytes = info.element_bytes;
    for (std::int32_t axis = 0; axis < info.rank; ++axis) {
      std::int64_t dim = info.dims[axis];
      bytes *= static_cast<std::size_t>(dim < 0 ? dims[static_cast<std::size_t>(-1 - dim)] : dim);
    }
    return bytes;
  }
  static std::size_t find(const onnx_aot_tensor_info *list, std::uint32_t count, std::string_view name) {
    for (std::uint32_t i = 0; i < count; ++i)
      if (list[i].name == name)
        return i;
    return npos;
  }
  std::align_val_t alignment() const { return std::align_val_t(model->arena_align); }
  bool hasFixedArena() const { return model->arena_bytes != ONNX_AOT_UNBOUNDED; }

  /// Makes the arena large enough. A dynamic one is never NULL.
  bool reserve(std::uint64_t bytes) {
    if (bytes == 0 && hasFixedArena())
      return true;
    if (arena && bytes <= arenaBytes)
      return true;
    ::operator delete(arena, alignment());
    bool fits = bytes <= static_cast<std::size_t>(-1);
    arena = fits ? ::operator new(static_cast<std::size_t>(bytes), alignment(), std::nothrow) : nullptr;
    arenaBytes = arena ? bytes : 0;
    return arena != nullptr;
  }

  std::int64_t **dimPointers(Pointers<std::int64_t *> &pointers) {
    for (std::size_t i = 0; i < dimStore.size(); ++i)
      pointers.data()[i] = dimStore[i].data();
    return pointers.data();
  }

  static void *allocate(void *, std::uint64_t bytes) {
    bool fits = bytes <= static_cast<std::size_t>(-1);
    return fits ? ::operator new(static_cast<std::size_t>(bytes), std::nothrow) : nullptr;
  }
  static void release(void *, void *memory) { ::operator delete(memory); }

  void swap(Model &other) noexcept {
    std::swap(model, other.model);
    std::swap(arena, other.arena);
    std::swap(arenaBytes, other.arenaBytes);
    std::swap(context, other.context);
    dimStore.swap(other.dimStore);
  }

  const onnx_aot_model *model;
  void *arena = nullptr;
  std::uint64_t arenaBytes = 0;
  onnx_aot_context context = {};
  std::vector<std::vector<std::int64_t>> dimStore; // per output its dims, and the address that a run has found
};

} // namespace onnx_aot

#endif // ONNX_AOT_MODEL_HPP
