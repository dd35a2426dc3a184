/*
 * case.c: one compiled model, called `model`, against cases that run.py wrote, on a target of any kind.
 *
 * usage: case FILE...
 *
 * A file is "ONNXCASE", then numbers of 64 bits: how many inputs, outputs and references; rtol and atol as doubles. Then
 * each tensor: dtype, rank, dims, bytes, and its data as they lie in a caller's buffer. Where there are no references
 * (random outputs) they are tensors without data, and shapes alone are compared. All is little-endian.
 */
#include "../e2e/npy.h"
#include "onnx_aot/runtime.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const onnx_aot_model model_model;

enum { maxRank = 16, maxTensors = 64, guardBytes = 64, guardByte = 0xA5 };

typedef struct Tensor {
  int64_t dtype, rank, dims[maxRank];
  uint64_t bytes;
  unsigned char *data;
} Tensor;

static void *allocate(void *user, uint64_t bytes) {
  (void)user;
  return bytes < SIZE_MAX ? malloc((size_t)bytes + 1) : NULL;
}

static void release(void *user, void *memory) {
  (void)user;
  free(memory);
}

/* Memory that is aligned to 64 bytes, filled with a pattern and followed by guard bytes. It is never given back. */
static unsigned char *guarded(uint64_t bytes) {
  unsigned char *block = allocate(NULL, bytes + 64 + guardBytes);
  if (!block)
    fail("the case needs more memory than there is");
  block = (unsigned char *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
  memset(block, guardByte, (size_t)bytes + guardBytes);
  return block;
}

static void checkGuard(const unsigned char *data, uint64_t bytes, const char *what) {
  for (int i = 0; i < guardBytes; ++i)
    if (data[bytes + (uint64_t)i] != guardByte)
      fail("%s: a write past the end of its buffer", what);
}

static void readBytes(FILE *file, void *to, size_t bytes) {
  if (bytes != 0 && fread(to, 1, bytes, file) != bytes)
    fail("the case's file is too short");
}

static int64_t readNumber(FILE *file) {
  int64_t number;
  readBytes(file, &number, sizeof number);
  return number;
}

static void readTensors(FILE *file, Tensor *tensors, int64_t count) {
  if (count > maxTensors)
    fail("too many tensors");
  for (int64_t i = 0; i < count; ++i) {
    Tensor *tensor = &tensors[i];
    tensor->dtype = readNumber(file);
    tensor->rank = readNumber(file);
    if (tensor->rank > maxRank)
      fail("too many dims");
    readBytes(file, tensor->dims, (size_t)tensor->rank * sizeof(int64_t));
    tensor->bytes = (uint64_t)readNumber(file);
    tensor->data = guarded(tensor->bytes);
    readBytes(file, tensor->data, (size_t)tensor->bytes);
  }
}

/* Takes the values of the model's dims from the inputs' shapes. */
static void bindDims(const Tensor *inputs, int64_t *dims) {
  for (uint32_t i = 0; i < model_model.num_inputs; ++i) {
    const onnx_aot_tensor_info *info = &model_model.inputs[i];
    if (info->dtype != inputs[i].dtype || info->rank != inputs[i].rank)
      fail("input \"%s\" has another type or rank than the model's", info->name);
    for (int32_t axis = 0; axis < info->rank; ++axis) {
      int64_t dim = info->dims[axis];
      if (dim < 0 && dim != ONNX_AOT_DIM_COMPUTED)
        dims[-1 - dim] = inputs[i].dims[axis];
      else if (dim >= 0 && dim != inputs[i].dims[axis])
        fail("input \"%s\" has another shape than the model's", info->name);
    }
  }
}

static double widen(uint32_t bits, int exponentBits, int fractionBits) {
  int exponent = (int)(bits >> fractionBits) & ((1 << exponentBits) - 1), bias = (1 << (exponentBits - 1)) - 1;
  double fraction = (double)(bits & ((1u << fractionBits) - 1u)) / (double)(1u << fractionBits);
  double value = exponent == 0 ? ldexp(fraction, 1 - bias) : ldexp(1 + fraction, exponent - bias);
  if (exponent == (1 << exponentBits) - 1)
    value = fraction != 0 ? (double)NAN : (double)INFINITY;
  return bits >> (exponentBits + fractionBits) ? -value : value;
}

/* Element `index` as a number; only floating point types come here. */
static double element(const Tensor *tensor, const unsigned char *data, uint64_t index) {
  float single;
  double number;
  uint16_t half;
  switch (tensor->dtype) {
  case ONNX_AOT_DOUBLE:
  case ONNX_AOT_COMPLEX128:
    memcpy(&number, data + index * 8, 8);
    return number;
  case ONNX_AOT_FLOAT16:
  case ONNX_AOT_BFLOAT16:
    memcpy(&half, data + index * 2, 2);
    return tensor->dtype == ONNX_AOT_FLOAT16 ? widen(half, 5, 10) : widen(half, 8, 7);
  default:
    memcpy(&single, data + index * 4, 4);
    return (double)single;
  }
}

/* Bytes of a number of a floating point type; 0 for types that have to be equal. */
static uint64_t numberBytes(int64_t dtype) {
  return dtype == ONNX_AOT_FLOAT || dtype == ONNX_AOT_COMPLEX64       ? 4
         : dtype == ONNX_AOT_DOUBLE || dtype == ONNX_AOT_COMPLEX128   ? 8
         : dtype == ONNX_AOT_FLOAT16 || dtype == ONNX_AOT_BFLOAT16    ? 2
                                                                      : 0;
}

static void compare(const char *name, const Tensor *reference, const unsigned char *data, double rtol, double atol) {
  uint64_t size = numberBytes(reference->dtype);
  if (size == 0) {
    for (uint64_t at = 0; at < reference->bytes; ++at)
      if (data[at] != reference->data[at])
        fail("output \"%s\": byte %lu is %d, expected %d", name, (unsigned long)at, data[at], reference->data[at]);
    return;
  }
  for (uint64_t i = 0; i < reference->bytes / size; ++i) {
    double value = element(reference, data, i), expected = element(reference, reference->data, i);
    int isEqual = value == expected || (isnan(value) && isnan(expected)) ||
                  (isfinite(value) && fabs(value - expected) <= atol + rtol * fabs(expected));
    if (!isEqual)
      fail("output \"%s\": element %lu is %.9g, expected %.9g", name, (unsigned long)i, value, expected);
  }
}

static void checkStatus(onnx_aot_status status) {
  char text[256];
  if (status == ONNX_AOT_OK)
    return;
  onnx_aot_status_text(&model_model, status, text, sizeof text);
  fail("status %lu: %s", (unsigned long)status, text);
}

static void runCase(const char *path) {
  static Tensor inputs[maxTensors], references[maxTensors];
  static int64_t dims[256], outputDims[maxTensors][maxRank];
  int64_t *dimsOf[maxTensors];
  const void *arguments[maxTensors];
  void *outputs[maxTensors];
  char magic[8];
  FILE *file = fopen(path, "rb");
  if (!file)
    fail("%s: cannot open", path);
  readBytes(file, magic, 8);
  int64_t numInputs = readNumber(file), numOutputs = readNumber(file), compares = readNumber(file);
  double tolerances[2];
  readBytes(file, tolerances, sizeof tolerances);
  if (memcmp(magic, "ONNXCASE", 8) != 0 || model_model.num_inputs != (uint32_t)numInputs ||
      model_model.num_outputs != (uint32_t)numOutputs || model_model.abi_version != ONNX_AOT_ABI_VERSION)
    fail("the model has %u inputs and %u outputs, the case %d and %d", (unsigned)model_model.num_inputs,
         (unsigned)model_model.num_outputs, (int)numInputs, (int)numOutputs);
  readTensors(file, inputs, numInputs);
  readTensors(file, references, numOutputs);
  fclose(file);

  bindDims(inputs, dims);
  for (int64_t i = 0; i < numInputs; ++i)
    arguments[i] = inputs[i].data;
  for (int64_t i = 0; i < numOutputs; ++i)
    dimsOf[i] = outputDims[i];
  uint64_t arenaBytes = model_model.arena_bytes;
  if (model_model.plan)
    checkStatus(model_model.plan(dims, &arenaBytes, dimsOf));
  for (int64_t i = 0; i < numOutputs; ++i) {
    const onnx_aot_tensor_info *info = &model_model.outputs[i];
    uint64_t bytes = info->bytes;
    if (bytes == ONNX_AOT_UNBOUNDED && !(info->flags & ONNX_AOT_TENSOR_IN_CONTEXT)) {
      bytes = info->element_bytes;
      for (int32_t axis = 0; axis < info->rank; ++axis)
        bytes *= (uint64_t)outputDims[i][axis];
    }
    outputs[i] = info->flags & ONNX_AOT_TENSOR_IN_CONTEXT ? NULL : guarded(bytes);
  }
  unsigned char *arena = guarded(arenaBytes);
  static onnx_aot_context context;
  if (model_model.num_slots != 0)
    model_model.context_init(&context, allocate, release, NULL);
  void *passed[maxTensors];
  for (int64_t i = 0; i < numOutputs; ++i)
    passed[i] = model_model.outputs[i].flags & ONNX_AOT_TENSOR_IN_CONTEXT ? (void *)&outputs[i] : outputs[i];
  checkStatus(model_model.entry(arguments, passed, dims, dimsOf, arena, model_model.num_slots ? &context : NULL));
  checkGuard(arena, arenaBytes, "arena");

  for (int64_t i = 0; i < numOutputs; ++i) {
    const onnx_aot_tensor_info *info = &model_model.outputs[i];
    if (info->dtype != references[i].dtype || info->rank != references[i].rank)
      fail("output \"%s\" has another type or rank than expected", info->name);
    for (int32_t axis = 0; axis < info->rank; ++axis) {
      int64_t dim = info->flags & ONNX_AOT_TENSOR_DYNAMIC ? outputDims[i][axis] : info->dims[axis];
      if (dim != references[i].dims[axis])
        fail("output \"%s\": dim %d is %ld, expected %ld", info->name, (int)axis, (long)dim,
             (long)references[i].dims[axis]);
    }
    if (compares)
      compare(info->name, &references[i], outputs[i], tolerances[0], tolerances[1]);
    if (!(info->flags & (ONNX_AOT_TENSOR_IN_CONTEXT | ONNX_AOT_TENSOR_DYNAMIC)))
      checkGuard(outputs[i], info->bytes, info->name);
  }
  if (model_model.num_slots != 0)
    model_model.context_destroy(&context);
}

int main(int argc, char **argv) {
  if (argc < 2)
    fail("usage: case FILE...");
  for (int i = 1; i < argc; ++i)
    runCase(argv[i]);
  puts("ok");
  return 0;
}
