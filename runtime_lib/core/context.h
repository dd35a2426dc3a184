/*
 * core/context.h: memory that grows from run to run.
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

void onnx_aot_begin_context(uint64_t *state, void *(*allocate)(void *, uint64_t), void (*release)(void *, void *),
                            void *user);
void onnx_aot_end_context(uint64_t *state);
void *onnx_aot_grow_slot(uint64_t *state, uint64_t slot, uint64_t bytes);

#ifdef __cplusplus
}
#endif

#endif
