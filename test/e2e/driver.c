/*
 * driver.c: one compiled model against one dataset, through both of its doors.
 *
 * Compiled with -DHEADER="model.h", -DMODEL=<prefix>_model and -DCALL=<prefix>_run(inputs[0], ..., outputs[0], ..., arena).
 * usage: driver DATASET
 */
#include HEADER
#include "harness.h"

int main(int argc, char **argv) {
  if (argc != 2)
    fail("usage: driver DATASET");
  Case c = loadCase(&MODEL, argv[1]);
  runCase(&c);
  checkOutputs(&c);

  /* The typed function gives the same bytes, and a second run in the same arena too. */
  void *first[maxTensors];
  for (uint32_t i = 0; i < MODEL.num_outputs; ++i) {
    size_t bytes = (size_t)MODEL.outputs[i].bytes;
    first[i] = guarded(bytes);
    memcpy(first[i], c.outputs[i], bytes);
    memset(c.outputs[i], 0, bytes);
  }
  const void *const *inputs = c.inputs;
  void *const *outputs = c.outputs;
  void *arena = c.arena;
  checkStatus(&c, CALL, ONNX_AOT_OK);
  for (uint32_t i = 0; i < MODEL.num_outputs; ++i) {
    if (memcmp(first[i], outputs[i], (size_t)MODEL.outputs[i].bytes) != 0)
      fail("%s: the typed function and the entry disagree about \"%s\"", MODEL.name, MODEL.outputs[i].name);
    free(first[i]);
  }

  /* Wrong arguments are a status with a text, never undefined behaviour. */
  const void *noInputs[maxTensors] = {0};
  char text[256];
  checkStatus(&c, MODEL.entry(noInputs, outputs, NULL, NULL, arena, NULL), ONNX_AOT_NULL_ARGUMENT);
  if (MODEL.arena_bytes > 0) {
    checkStatus(&c, MODEL.entry(inputs, outputs, NULL, NULL, NULL, NULL), ONNX_AOT_NULL_ARGUMENT);
    checkStatus(&c, MODEL.entry(inputs, outputs, NULL, NULL, (char *)arena + 1, NULL), ONNX_AOT_ARENA_ALIGNMENT);
  }
  if (onnx_aot_status_text(&MODEL, ONNX_AOT_ARENA_ALIGNMENT, text, sizeof text) == 0 || text[0] == 0)
    fail("%s: no text for a status", MODEL.name);
  checkOutputs(&c);
  freeCase(&c);
  return 0;
}
