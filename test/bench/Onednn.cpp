//===- Onednn.cpp - Products and chains of layers by oneDNN ---------------===//
//
// See Peer.h. How it works: the library chooses every layout (format_tag::any). Weights are brought into theirs before
// the first run; activations stay in blocked layouts between the layers, and are reordered only where two primitives
// disagree, at the chain's beginning, and at its end. Bias and Relu belong to the convolution. Its algorithm is
// oneDNN's choice (convolution_auto), or Winograd's in all layers that have it where that is faster, which is tried
// out: oneDNN 2.6 never chooses it for one thread and one image.
//
//===----------------------------------------------------------------------===//
#include "test/bench/Peer.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <dnnl.hpp>
#include <memory>
#include <unordered_map>

using namespace dnnl;
using namespace onnx_aot::bench;

namespace {
using Dims = memory::dims;

memory::desc describe(const Dims &dims, memory::format_tag tag = memory::format_tag::any) {
  return memory::desc(dims, memory::data_type::f32, tag);
}

/// The steps of one inference, on tensors that live as long as it does.
class Network {
public:
  Network(const Layers &layers, algorithm wanted) : wanted(wanted) {
    if (layers.rows)
      addProduct(layers);
    else
      addChain(layers);
    stream.wait();
  }

  void run(const float *in, float *out) {
    input.set_data_handle(const_cast<float *>(in));
    output.set_data_handle(out);
    for (auto &[step, arguments] : steps)
      step.execute(stream, arguments);
    stream.wait();
  }

private:
  using Arguments = std::unordered_map<int, memory>;

  void addProduct(const Layers &layers) {
    using Tag = memory::format_tag;
    Dims a = {layers.rows, layers.depth}, b = {layers.depth, layers.columns}, c = {layers.rows, layers.columns};
#if DNNL_VERSION_MAJOR < 3
    matmul::primitive_desc product({describe(a, Tag::ab), describe(b), describe(c, Tag::ab)}, engine);
#else
    matmul::primitive_desc product(engine, describe(a, Tag::ab), describe(b), describe(c, Tag::ab));
#endif
    input = memory(product.src_desc(), engine, nullptr);
    output = memory(product.dst_desc(), engine, nullptr);
    memory weights = constant(layers.numbers.data(), b, Tag::ab, product.weights_desc());
    add(matmul(product), {{DNNL_ARG_SRC, input}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, output}});
  }

  void addChain(const Layers &layers) {
    Dims dims = {layers.batch, layers.channels, layers.size, layers.size};
    input = memory(describe(dims, memory::format_tag::nchw), engine, nullptr);
    memory value = input;
    for (const Layer &layer : layers.chain)
      value = addConvolution(value, dims, layer);

    Dims pooled = {dims[0], dims[1], 1, 1}, window = {dims[2], dims[3]}, none = {0, 0};
    auto average = algorithm::pooling_avg_exclude_padding;
#if DNNL_VERSION_MAJOR < 3
    pooling_forward::primitive_desc pool(
        {prop_kind::forward_inference, average, value.get_desc(), describe(pooled), window, window, none, none},
        engine);
#else
    pooling_forward::primitive_desc pool(engine, prop_kind::forward_inference, average, value.get_desc(),
                                         describe(pooled), window, window, none, none, none);
#endif
    memory result(pool.dst_desc(), engine);
    add(pooling_forward(pool), {{DNNL_ARG_SRC, value}, {DNNL_ARG_DST, result}});
    output = memory(describe(pooled, memory::format_tag::nchw), engine, nullptr);
    addReorder(result, output);
  }

  /// The layer's result; `dims` are those of `value` and become the result's.
  memory addConvolution(memory value, Dims &dims, const Layer &layer) {
    Dims source = dims, bias = {layer.outputs}, strides = {layer.stride, layer.stride};
    Dims pads = {layer.kernel / 2, layer.kernel / 2};
    Dims filter = {layer.outputs, dims[1] / layer.groups, layer.kernel, layer.kernel};
    memory::format_tag plain = memory::format_tag::oihw;
    if (layer.groups > 1) {
      filter[0] /= layer.groups;
      filter.insert(filter.begin(), layer.groups);
      plain = memory::format_tag::goihw;
    }
    memory::dim size = (dims[2] + 2 * pads[0] - layer.kernel) / layer.stride + 1;
    dims = {dims[0], layer.outputs, size, size};

    primitive_attr attributes;
    post_ops relu;
#if DNNL_VERSION_MAJOR < 3
    relu.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
#else
    relu.append_eltwise(algorithm::eltwise_relu, 0, 0);
#endif
    attributes.set_post_ops(relu);
    auto describeBy = [&](algorithm how) -> convolution_forward::primitive_desc {
      auto kind = prop_kind::forward_inference;
#if DNNL_VERSION_MAJOR < 3
      return {{kind, how, describe(source), describe(filter), describe(bias), describe(dims), strides, pads, pads},
              attributes,
              engine};
#else
      return {engine,  kind, how,  describe(source), describe(filter), describe(bias), describe(dims),
              strides, pads, pads, attributes};
#endif
    };
    convolution_forward::primitive_desc convolution;
    try {
      convolution = describeBy(wanted);
    } catch (const error &) { // not every layer has every algorithm
      convolution = describeBy(algorithm::convolution_auto);
    }
    if (value.get_desc() != convolution.src_desc()) {
      memory reordered(convolution.src_desc(), engine);
      addReorder(value, reordered);
      value = reordered;
    }
    memory weights = constant(layer.weights, filter, plain, convolution.weights_desc());
    memory terms = constant(layer.bias, bias, memory::format_tag::a, convolution.bias_desc());
    memory result(convolution.dst_desc(), engine);
    add(convolution_forward(convolution),
        {{DNNL_ARG_SRC, value}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, terms}, {DNNL_ARG_DST, result}});
    return result;
  }

  /// A copy of `data` in the layout that is wanted.
  memory constant(const float *data, const Dims &dims, memory::format_tag tag, const memory::desc &wanted) {
    memory plain(describe(dims, tag), engine, const_cast<float *>(data)), copy(wanted, engine);
    reorder(plain, copy).execute(stream, plain, copy);
    return copy;
  }

  void addReorder(memory &from, memory &to) { add(reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}); }

  void add(primitive step, Arguments arguments) { steps.emplace_back(std::move(step), std::move(arguments)); }

  algorithm wanted; // of convolutions
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  memory input, output; // the caller's
  std::vector<std::pair<primitive, Arguments>> steps;
};

/// The shortest of a few runs, on zeros.
double bestMs(Network &network, const Layers &layers) {
  std::vector<float> in(size_t(layers.batch) * layers.channels * layers.size * layers.size);
  std::vector<float> out(size_t(layers.batch) * layers.chain.back().outputs);
  double best = INFINITY;
  for (int round = 0; round < 5; ++round) {
    auto start = std::chrono::steady_clock::now();
    network.run(in.data(), out.data());
    std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    best = std::min(best, elapsed.count());
  }
  return best;
}

template <typename Function> auto checked(Function function) {
  try {
    return function();
  } catch (const error &failure) {
    std::fprintf(stderr, "oneDNN: %s\n", failure.what());
    std::exit(1);
  }
}
} // namespace

const char *peer_version() {
  static const std::string text = std::to_string(dnnl_version()->major) + "." + std::to_string(dnnl_version()->minor) +
                                  "." + std::to_string(dnnl_version()->patch);
  return text.c_str();
}

void *peer_open(const char *folder) {
  Layers layers = readLayers(folder);
  return checked([&] {
    auto automatic = std::make_unique<Network>(layers, algorithm::convolution_auto);
    if (layers.rows)
      return automatic.release();
    auto winograd = std::make_unique<Network>(layers, algorithm::convolution_winograd);
    return (bestMs(*winograd, layers) < bestMs(*automatic, layers) ? winograd : automatic).release();
  });
}

void peer_run(void *peer, const float *input, float *output) {
  checked([&] { static_cast<Network *>(peer)->run(input, output); });
}

void peer_close(void *peer) { delete static_cast<Network *>(peer); }
