/*
 * harness.h: runs any compiled model through its descriptor and compares with a dataset's reference outputs.
 *
 * A Case holds a model's inputs, references and buffers. Outputs and arena are followed by guard bytes, and filled with
 * a pattern before each run, so that a write past the end or a read of stale memory shows.
 */
#ifndef ONNX_AOT_TEST_HARNESS_H
#define ONNX_AOT_TEST_HARNESS_H

#include "npy.h"
#include <math.h>

enum { guardBytes = 256, guardByte = 0xA5, maxTensors = 64 };

typedef struct Case {
  const onnx_aot_model *model;
  const void *inputs[maxTensors];
  void *outputs[maxTensors];
  void *references[maxTensors];
  void *arenaBlock; /* what to free */
  void *arena;
} Case;

static inline void *guarded(size_t bytes) {
  unsigned char *data = (unsigned char *)malloc(bytes + guardBytes);
  if (!data)
    fail("out of memory");
  memset(data, guardByte, bytes + guardBytes);
  return data;
}

static inline void checkGuard(const void *data, size_t bytes, const char *what) {
  const unsigned char *guard = (const unsigned char *)data + bytes;
  for (int i = 0; i < guardBytes; ++i)
    if (guard[i] != guardByte)
      fail("%s: a write %d bytes past the end of its %zu bytes", what, i, bytes);
}

static inline Case loadCase(const onnx_aot_model *model, const char *dir) {
  Case c;
  char file[256];
  memset(&c, 0, sizeof c);
  c.model = model;
  if (model->abi_version != ONNX_AOT_ABI_VERSION || model->num_inputs > maxTensors || model->num_outputs > maxTensors)
    fail("%s: unexpected descriptor", model->name);
  for (uint32_t i = 0; i < model->num_inputs; ++i) {
    const onnx_aot_tensor_info *info = &model->inputs[i];
    datasetFile(dir, "in", info->name, file, sizeof file);
    c.inputs[i] = readNpy(dir, file, info->dtype, (size_t)info->bytes);
  }
  for (uint32_t i = 0; i < model->num_outputs; ++i) {
    const onnx_aot_tensor_info *info = &model->outputs[i];
    datasetFile(dir, "out", info->name, file, sizeof file);
    c.references[i] = readNpy(dir, file, info->dtype, (size_t)info->bytes);
    c.outputs[i] = guarded((size_t)info->bytes);
  }
  size_t align = model->arena_align, bytes = (size_t)model->arena_bytes;
  if (align == 0 || (align & (align - 1)) != 0)
    fail("%s: arena_align is %zu", model->name, align);
  c.arenaBlock = guarded(bytes + align);
  c.arena = (void *)(((uintptr_t)c.arenaBlock + align - 1) & ~(uintptr_t)(align - 1));
  return c;
}

static inline void freeCase(Case *c) {
  for (uint32_t i = 0; i < c->model->num_inputs; ++i)
    free((void *)c->inputs[i]);
  for (uint32_t i = 0; i < c->model->num_outputs; ++i) {
    free(c->outputs[i]);
    free(c->references[i]);
  }
  free(c->arenaBlock);
}

/* The largest |d| / (1e-4 max|ref| + 1e-3 |ref|) over the elements: at most 1 is equal by the default tolerance. */
static inline double floatExcess(const void *data, const void *reference, size_t count, int isDouble) {
  double largest = 0, worst = 0;
  for (size_t i = 0; i < count; ++i) {
    double r = isDouble ? ((const double *)reference)[i] : (double)((const float *)reference)[i];
    if (isfinite(r) && fabs(r) > largest)
      largest = fabs(r);
  }
  for (size_t i = 0; i < count; ++i) {
    double r = isDouble ? ((const double *)reference)[i] : (double)((const float *)reference)[i];
    double v = isDouble ? ((const double *)data)[i] : (double)((const float *)data)[i];
    if (v == r || (isnan(v) && isnan(r)))
      continue;
    double excess = fabs(v - r) / (1e-4 * largest + 1e-3 * fabs(r));
    if (!(excess <= worst))
      worst = isnan(excess) ? INFINITY : excess;
  }
  return worst;
}

/* Compares all outputs with the references; everything but float and double must be equal. Ends on a difference. */
static inline void checkOutputs(const Case *c) {
  for (uint32_t i = 0; i < c->model->num_outputs; ++i) {
    const onnx_aot_tensor_info *info = &c->model->outputs[i];
    size_t bytes = (size_t)info->bytes;
    checkGuard(c->outputs[i], bytes, info->name);
    double excess = info->dtype == ONNX_AOT_FLOAT    ? floatExcess(c->outputs[i], c->references[i], bytes / 4, 0)
                    : info->dtype == ONNX_AOT_DOUBLE ? floatExcess(c->outputs[i], c->references[i], bytes / 8, 1)
                    : memcmp(c->outputs[i], c->references[i], bytes) ? INFINITY
                                                                     : 0;
    if (!(excess <= 1))
      fail("%s: output \"%s\" differs: %g times the tolerance", c->model->name, info->name, excess);
  }
  size_t before = (size_t)((unsigned char *)c->arena - (unsigned char *)c->arenaBlock);
  checkGuard(c->arenaBlock, before + (size_t)c->model->arena_bytes, "arena");
}

static inline void checkStatus(const Case *c, onnx_aot_status status, uint32_t expected) {
  char text[512];
  if (status == expected)
    return;
  onnx_aot_status_text(c->model, status, text, sizeof text);
  fail("%s: status %u (%s), expected %u", c->model->name, (unsigned)status, text, (unsigned)expected);
}

static inline void runCase(const Case *c) {
  for (uint32_t i = 0; i < c->model->num_outputs; ++i)
    memset(c->outputs[i], guardByte, (size_t)c->model->outputs[i].bytes);
  checkStatus(c, c->model->entry(c->inputs, c->outputs, NULL, NULL, c->arena, NULL), ONNX_AOT_OK);
}

#endif /* ONNX_AOT_TEST_HARNESS_H */
