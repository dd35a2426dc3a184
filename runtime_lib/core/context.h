/*
 * core/context.h: memory that grows from run to run, and where a device hangs on a context.
 *
 * As in status.h, nothing here depends on the target: a context is a row of 64-bit cells that hold pointers too. The
 * compiler emits the functions of runtime.h around these where a model needs a context; context_api.c does the same for
 * programs that link the runtime library.
 */
#ifndef ONNX_AOT_CORE_CONTEXT_H
#define ONNX_AOT_CORE_CONTEXT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The cells of a device, which the code that drives it sets and core knows no more of: the device's own struct, a
 * `void (uint64_t *state)` that gives everything back, a NUL-terminated text on what went wrong last, the stream that
 * the caller wants, and whether the last run had the device. Each may be 0.
 */
enum {
  ONNX_AOT_CELL_DEVICE = 5,
  ONNX_AOT_CELL_CLOSE = 6,
  ONNX_AOT_CELL_ERROR = 7,
  ONNX_AOT_CELL_STREAM = 8,
  ONNX_AOT_CELL_ON_DEVICE = 9,
  ONNX_AOT_CELLS = 16
};

void onnx_aot_begin_context(uint64_t *state, void *(*allocate)(void *, uint64_t), void (*release)(void *, void *),
                            void *user);
void onnx_aot_end_context(uint64_t *state);
void *onnx_aot_grow_slot(uint64_t *state, uint64_t slot, uint64_t bytes);

/* Memory by the context's own functions; NULL may be released. */
void *onnx_aot_allocate(const uint64_t *state, uint64_t bytes);
void onnx_aot_release(const uint64_t *state, void *block);

void onnx_aot_choose_stream(uint64_t *state, void *stream);
uint64_t onnx_aot_was_on_device(const uint64_t *state);

/* The device's text, cut off at `size` bytes with its NUL. Returns the length of the whole text. */
uint64_t onnx_aot_copy_error(const uint64_t *state, char *buffer, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
