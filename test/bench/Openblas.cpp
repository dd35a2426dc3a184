//===- Openblas.cpp - Products by OpenBLAS --------------------------------===//
//
// See Peer.h. A product is cblas_sgemm, or cblas_sgemv where A is a single row. B is packed in every run: OpenBLAS has
// no way to keep it packed.
//
//===----------------------------------------------------------------------===//
#include "test/bench/Peer.h"
#include <cblas.h>

using namespace onnx_aot::bench;

const char *peer_version() { return openblas_get_config(); }

void *peer_open(const char *folder) { return new Layers(readLayers(folder)); }

void peer_run(void *peer, const float *input, float *output) {
  const Layers &product = *static_cast<Layers *>(peer);
  int m = product.rows, n = product.columns, k = product.depth;
  const float *b = product.numbers.data();
  if (m == 1)
    cblas_sgemv(CblasRowMajor, CblasTrans, k, n, 1, b, n, input, 1, 0, output, 1);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, input, k, b, n, 0, output, n);
}

void peer_close(void *peer) { delete static_cast<Layers *>(peer); }
