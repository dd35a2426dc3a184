/*
 * core/context_api.c: the functions of a context for programs that link the runtime library. Emitted objects that need
 * a context carry weak ones of their own.
 */
#include "onnx_aot/runtime.h"

#include "runtime_lib/core/context.h"

_Static_assert(sizeof(onnx_aot_context) == ONNX_AOT_CELLS * sizeof(uint64_t), "see context.h");

void onnx_aot_context_init(onnx_aot_context *ctx, void *(*allocate)(void *user, uint64_t bytes),
                           void (*release)(void *user, void *memory), void *user) {
  onnx_aot_begin_context(ctx->state, allocate, release, user);
}

void onnx_aot_context_destroy(onnx_aot_context *ctx) { onnx_aot_end_context(ctx->state); }

void *onnx_aot_context_slot(onnx_aot_context *ctx, uint64_t slot, uint64_t bytes) {
  return onnx_aot_grow_slot(ctx->state, slot, bytes);
}

int onnx_aot_context_on_device(const onnx_aot_context *ctx) { return (int)onnx_aot_was_on_device(ctx->state); }

void onnx_aot_context_set_stream(onnx_aot_context *ctx, void *stream) { onnx_aot_choose_stream(ctx->state, stream); }

size_t onnx_aot_context_error(const onnx_aot_context *ctx, char *buffer, size_t size) {
  return (size_t)onnx_aot_copy_error(ctx->state, buffer, size);
}
