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
    return dtype == (sizeof(U) == 1   ? ONNX_AOT_INT8
                     : sizeof(U) == 2 ? ONNX_AOT_INT16
                     : sizeof(U) == 4 ? ONNX_AOT_INT32
                                      : ONNX_AOT_INT64);
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
  std::size_t bytes() const { return static_cast<std::size_t>(info->bytes); }
  /// Number of elements.
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

  /// Allocates the arena; `valid()` is false when there is no memory or the model has another ABI version.
  explicit Model(const onnx_aot_model &description) : model(&description) {
    if (model->arena_bytes != 0 && model->abi_version == ONNX_AOT_ABI_VERSION)
      arena = ::operator new(static_cast<std::size_t>(model->arena_bytes), alignment(), std::nothrow);
  }
  Model(Model &&other) noexcept : model(other.model), arena(std::exchange(other.arena, nullptr)) {}
  Model &operator=(Model &&other) noexcept {
    std::swap(model, other.model);
    std::swap(arena, other.arena);
    return *this;
  }
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  ~Model() { ::operator delete(arena, alignment()); }

  bool valid() const { return model->abi_version == ONNX_AOT_ABI_VERSION && (arena || model->arena_bytes == 0); }
  const onnx_aot_model &description() const { return *model; }
  std::string_view name() const { return model->name; }

  std::size_t numInputs() const { return model->num_inputs; }
  std::size_t numOutputs() const { return model->num_outputs; }
  TensorInfo input(std::size_t index) const { return TensorInfo(model->inputs[index]); }
  TensorInfo output(std::size_t index) const { return TensorInfo(model->outputs[index]); }

  /// The position of the input or output of that name, or npos.
  std::size_t findInput(std::string_view name) const { return find(model->inputs, model->num_inputs, name); }
  std::size_t findOutput(std::string_view name) const { return find(model->outputs, model->num_outputs, name); }

  /// The value of a metadata property, or an empty view.
  std::string_view metadata(std::string_view key) const {
    for (std::uint32_t i = 0; i < model->num_metadata; ++i)
      if (model->metadata[i].key == key)
        return model->metadata[i].value;
    return {};
  }

  /// Runs the model on buffers in the graph's order. Their number, sizes and types are checked.
  Status run(Span<const InputView> inputs, Span<const OutputView> outputs) {
    if (!valid())
      return Status::refused(model, "no arena, or another ABI version");
    if (inputs.size() != model->num_inputs || outputs.size() != model->num_outputs)
      return Status::refused(model, "wrong number of inputs or outputs");
    Pointers<const void *> in(inputs.size());
    Pointers<void *> out(outputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (const char *reason = check(inputs[i], model->inputs[i]))
        return Status::refused(model, reason, model->inputs[i].name);
      in.data()[i] = inputs[i].data();
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (const char *reason = check(outputs[i], model->outputs[i]))
        return Status::refused(model, reason, model->outputs[i].name);
      out.data()[i] = outputs[i].data();
    }
    return Status(model, model->entry(in.data(), out.data(), arena));
  }
  Status run(std::initializer_list<InputView> inputs, std::initializer_list<OutputView> outputs) {
    return run(Span<const InputView>(inputs.begin(), inputs.size()),
               Span<const OutputView>(outputs.begin(), outputs.size()));
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

  template <typename View> static const char *check(const View &view, const onnx_aot_tensor_info &info) {
    if (view.bytes() != info.bytes)
      return "the buffer has another size than the tensor";
    if (!view.fitsDtype(info.dtype))
      return "the buffer's element type is not the tensor's";
    return nullptr;
  }
  static std::size_t find(const onnx_aot_tensor_info *list, std::uint32_t count, std::string_view name) {
    for (std::uint32_t i = 0; i < count; ++i)
      if (list[i].name == name)
        return i;
    return npos;
  }
  std::align_val_t alignment() const { return std::align_val_t(model->arena_align); }

  const onnx_aot_model *model;
  void *arena = nullptr;
};

} // namespace onnx_aot

#endif // ONNX_AOT_MODEL_HPP
