/*
 * core/status.c: what a status means, in words. See status.h for why only types of fixed size appear here.
 */
#include "runtime_lib/core/status.h"

#include "onnx_aot/runtime.h"

/* Counts every character and keeps those that fit before the final NUL. */
struct writer {
  char *buffer;
  uint64_t room; /* characters that fit, without the NUL */
  uint64_t length;
};

static void put(struct writer *out, const char *text) {
  for (; *text != '\0'; ++text) {
    if (out->length < out->room)
      out->buffer[out->length] = *text;
    ++out->length;
  }
}

static void putNumber(struct writer *out, uint32_t value) {
  char digits[11];
  uint32_t begin = 10;
  digits[begin] = '\0';
  do {
    digits[--begin] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0u);
  put(out, digits + begin);
}

uint64_t onnx_aot_format_status(const char *model, const char *node, uint32_t status, char *buffer, uint64_t size) {
  struct writer out = {buffer, 0, 0};
  uint32_t code = status & 0xffu;
  uint32_t number = status >> 8;
  if (buffer && size != 0)
    out.room = size - 1;
  if (model) {
    put(&out, model);
    put(&out, ": ");
  }
  if (number != 0u) {
    put(&out, "node ");
    if (node && *node != '\0') {
      put(&out, "\"");
      put(&out, node);
      put(&out, "\"");
    } else {
      put(&out, "#");
      putNumber(&out, number - 1u);
    }
    put(&out, ": ");
  }
  /* Not a switch: its table of pointers would need relocations. */
  if (code == ONNX_AOT_OK) {
    put(&out, "ok");
  } else if (code == ONNX_AOT_NULL_ARGUMENT) {
    put(&out, "an input, output or arena pointer is NULL");
  } else if (code == ONNX_AOT_ARENA_ALIGNMENT) {
    put(&out, "the arena is not aligned as the model needs");
  } else if (code == ONNX_AOT_DIM_OUT_OF_BOUNDS) {
    put(&out, "a dimension is out of its bounds");
  } else if (code == ONNX_AOT_INDEX_OUT_OF_RANGE) {
    put(&out, "an index is out of range");
  } else if (code == ONNX_AOT_EMPTY_REDUCTION) {
    put(&out, "a reduction that has no value for no elements got none");
  } else if (code == ONNX_AOT_K_OUT_OF_RANGE) {
    put(&out, "K is negative or larger than the dimension");
  } else if (code == ONNX_AOT_DIVISION_BY_ZERO) {
    put(&out, "an integer is divided by zero");
  } else if (code == ONNX_AOT_LOOP_BOUND) {
    put(&out, "the loop would not end within its bound");
  } else if (code == ONNX_AOT_SHAPE_MISMATCH) {
    put(&out, "the shapes do not fit together");
  } else if (code == ONNX_AOT_INVALID_VALUE) {
    put(&out, "an input has a value that is not allowed");
  } else if (code == ONNX_AOT_OUT_OF_MEMORY) {
    put(&out, "there is not enough memory");
  } else if (code == ONNX_AOT_NO_DEVICE) {
    put(&out, "there is no GPU, or no driver for it");
  } else if (code == ONNX_AOT_DEVICE_UNSUPPORTED) {
    put(&out, "the model is not compiled for this GPU, or its driver is too old");
  } else if (code == ONNX_AOT_DEVICE_OUT_OF_MEMORY) {
    put(&out, "there is not enough memory on the GPU");
  } else if (code == ONNX_AOT_DEVICE_ERROR) {
    put(&out, "the GPU or its driver failed");
  } else {
    put(&out, "unknown status code ");
    putNumber(&out, code);
  }
  if (buffer && size != 0)
    buffer[out.length < out.room ? out.length : out.room] = '\0';
  return out.length;
}
