/*
 * core/status_text.c: `onnx_aot_status_text` for programs that link the runtime library. Emitted objects carry a weak
 * one of their own, so this file matters only where no model is linked in.
 */
#include "onnx_aot/runtime.h"

#include "runtime_lib/core/status.h"

size_t onnx_aot_status_text(const onnx_aot_model *model, onnx_aot_status status, char *buffer, size_t size) {
  const char *name = NULL;
  const char *node = NULL;
  uint32_t number = status >> 8;
  if (model) {
    name = model->name;
    if (number != 0u && number <= model->num_nodes)
      node = model->node_names[number - 1u];
  }
  return (size_t)onnx_aot_format_status(name, node, status, buffer, size);
}
