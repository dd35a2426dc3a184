/*
 * core/status.h: what a status means, in words.
 *
 * `onnx_aot_format_status` is compiled once, for no target in particular, and linked into every emitted object: so it
 * uses no type whose size depends on the target (size_t, structs with pointers). The compiler emits
 * `onnx_aot_status_text` around it, which reads the model's description with the target's own layout; status_text.c
 * is the same for programs that link the runtime library.
 */
#ifndef ONNX_AOT_CORE_STATUS_H
#define ONNX_AOT_CORE_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Writes what `status` means to `buffer`, cut off at `size` bytes with its NUL. `model` and `node` are names to begin
 * with, or NULL. Returns the length of the whole text.
 */
uint64_t onnx_aot_format_status(const char *model, const char *node, uint32_t status, char *buffer, uint64_t size);

#ifdef __cplusplus
}
#endif

#endif
