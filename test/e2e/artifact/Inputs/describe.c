/* Prints the descriptor of documented.onnxtext. */
#include "documented.h"
#include <stdio.h>

static void tensor(const char *role, const onnx_aot_tensor_info *info) {
  printf("%s %s: type %d, dims", role, info->name, (int)info->dtype);
  for (int i = 0; i < info->rank; ++i)
    printf(" %d", (int)info->dims[i]);
  printf("\n");
}

int main(void) {
  const onnx_aot_model *model = &documented_model;
  const onnx_aot_status statuses[] = {ONNX_AOT_OK, ONNX_AOT_NULL_ARGUMENT, 1u << 8 | ONNX_AOT_ARENA_ALIGNMENT};
  char text[128];
  printf("model %s, graph %s, version %d\n", model->name, model->graph_name, (int)model->model_version);
  printf("producer %s %s of %s: %s\n", model->producer_name, model->producer_version, model->domain, model->doc_string);
  for (uint32_t i = 0; i < model->num_metadata; ++i)
    printf("metadata %s = %s\n", model->metadata[i].key, model->metadata[i].value);
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    tensor("input", &model->inputs[i]);
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    tensor("output", &model->outputs[i]);
  for (uint32_t i = 0; i < model->num_nodes; ++i)
    printf("node %s\n", model->node_names[i]);
  for (size_t i = 0; i < sizeof statuses / sizeof *statuses; ++i) {
    onnx_aot_status_text(model, statuses[i], text, sizeof text);
    printf("status %u: %s\n", (unsigned)statuses[i], text);
  }
  return 0;
}
