//===- Peer.h - A library to compare with, as a plug-in -------------------===//
//
// What it is for: timing a library of operators next to compiled models, without linking it. How it works: operators.py
// compiles one source per library (Openblas.cpp, Onednn.cpp) to a shared library which exports the four functions
// below; ort_compare opens it with dlopen (--peer NAME=FILE) and gives it the dataset's folder, where operators.py has
// put what the model computes, since these libraries read no models:
//
//   layers.txt    product ROWS COLUMNS DEPTH                 C = A * B; or
//                 images BATCH CHANNELS SIZE                 a chain, one line per layer below this one
//                 conv OUTPUTS KERNEL STRIDE GROUPS          padded by KERNEL / 2; Relu follows; a global average ends
//                 it
//   weights.bin   the floats of B, or of each layer's weights and bias in turn
//
// Everything is square and of type float.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_TEST_BENCH_PEER_H
#define ONNX_AOT_TEST_BENCH_PEER_H

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

extern "C" {
/// The library's version, and what it has chosen for this CPU where it tells.
const char *peer_version();
/// Whatever can be done before the first run is done here. Ends the program with a message when that fails.
void *peer_open(const char *folder);
/// One inference, on tensors as the model has them.
void peer_run(void *peer, const float *input, float *output);
void peer_close(void *peer);
}

namespace onnx_aot::bench {

struct Layer {
  int outputs, kernel, stride, groups;
  const float *weights, *bias;
};

struct Layers {
  int rows = 0, columns = 0, depth = 0; // of a product
  int batch = 0, channels = 0, size = 0;
  std::vector<Layer> chain;
  std::vector<float> numbers; // what weights and bias point into; of a product, B
};

inline Layers readLayers(const std::string &folder) {
  Layers layers;
  std::ifstream weights(folder + "/weights.bin", std::ios::binary | std::ios::ate);
  layers.numbers.resize(size_t(weights.tellg()) / sizeof(float));
  weights.seekg(0);
  weights.read(reinterpret_cast<char *>(layers.numbers.data()), layers.numbers.size() * sizeof(float));

  std::ifstream text(folder + "/layers.txt");
  const float *next = layers.numbers.data();
  int channels = 0;
  for (std::string word; text >> word;) {
    if (word == "product") {
      text >> layers.rows >> layers.columns >> layers.depth;
    } else if (word == "images") {
      text >> layers.batch >> layers.channels >> layers.size;
      channels = layers.channels;
    } else {
      Layer layer;
      text >> layer.outputs >> layer.kernel >> layer.stride >> layer.groups;
      layer.weights = next;
      layer.bias = next + layer.outputs * (channels / layer.groups) * layer.kernel * layer.kernel;
      next = layer.bias + layer.outputs;
      layers.chain.push_back(layer);
      channels = layer.outputs;
    }
  }
  if (!weights || (!layers.rows && layers.chain.empty())) {
    std::fprintf(stderr, "%s: layers.txt or weights.bin cannot be read\n", folder.c_str());
    std::exit(1);
  }
  return layers;
}

} // namespace onnx_aot::bench

#endif // ONNX_AOT_TEST_BENCH_PEER_H
