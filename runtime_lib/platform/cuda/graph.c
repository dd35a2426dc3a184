/*
 * platform/cuda/graph.c: runs that are alike are captured once and launched as a whole.
 *
 * What a key means is its caller's business: the launches and copies between begin and end must be a function of it.
 * The first run with a key is plain, since memory still finds its size; in the second the stream records what it is
 * given; from then on one call launches it all. Only the last key is kept.
 *
 *   unseen --first run--> seen --second run--> captured
 *      ^                   ^--- memory grows ------'
 *      '--- other key, or an error
 */
#include "runtime_lib/platform/cuda/device.h"

static int isSame(const struct onnx_aot_cuda_graph *graph, const uint64_t *key, uint32_t cells) {
  if (!graph->is_seen || graph->cells != cells)
    return 0;
  for (uint32_t i = 0; i < cells; ++i)
    if (graph->key[i] != key[i])
      return 0;
  return 1;
}

/* Notes the key; without memory for it all runs are plain. */
static void remember(uint64_t *state, struct onnx_aot_cuda_graph *graph, const uint64_t *key, uint32_t cells) {
  if (cells > graph->room || !graph->key) {
    onnx_aot_release(state, graph->key);
    graph->key = onnx_aot_allocate(state, (cells + 1u) * sizeof(uint64_t));
    graph->room = graph->key ? cells : 0u;
    if (!graph->key)
      return;
  }
  for (uint32_t i = 0; i < cells; ++i)
    graph->key[i] = key[i];
  graph->cells = cells;
  graph->is_seen = 1;
}

static void dropExec(struct onnx_aot_cuda_device *device) {
  if (device->graph.exec)
    device->driver.cuGraphExecDestroy(device->graph.exec);
  device->graph.exec = 0;
}

void onnx_aot_cuda_drop_graph(struct onnx_aot_cuda_device *device) {
  dropExec(device);
  device->graph.is_seen = 0;
}

uint32_t onnx_aot_cuda_begin_graph(uint64_t *state, const uint64_t *key, uint32_t key_cells) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_working(state);
  if (!device)
    return 0;
  struct onnx_aot_cuda_graph *graph = &device->graph;
  if (!isSame(graph, key, key_cells)) {
    onnx_aot_cuda_drop_graph(device);
    remember(state, graph, key, key_cells);
    return 0;
  }
  if (graph->exec)
    return (uint32_t)CALL(device, cuGraphLaunch, graph->exec, device->stream);
  if (device->stream != CU_STREAM_LEGACY)
    graph->is_capturing = (uint32_t)CALL(device, cuStreamBeginCapture_v2, device->stream, CU_CAPTURE_MODE_THREAD_LOCAL);
  return 0;
}

/* Takes the stream out of its capture, whatever came of that. */
void onnx_aot_cuda_abandon_capture(struct onnx_aot_cuda_device *device) {
  cu_graph graph = 0;
  if (!device->graph.is_capturing)
    return;
  device->graph.is_capturing = 0;
  if (device->driver.cuStreamEndCapture(device->stream, &graph) == CU_OK && graph)
    device->driver.cuGraphDestroy(graph);
}

/* Ends a capture and launches what was captured. */
static void launchCaptured(struct onnx_aot_cuda_device *device) {
  cu_graph graph = 0;
  device->graph.is_capturing = 0;
  if (!CALL(device, cuStreamEndCapture, device->stream, &graph))
    return;
  if (CALL(device, cuGraphInstantiateWithFlags, &device->graph.exec, graph, 0))
    CALL(device, cuGraphLaunch, device->graph.exec, device->stream);
  else
    device->graph.exec = 0;
  device->driver.cuGraphDestroy(graph);
}

void onnx_aot_cuda_end_graph(uint64_t *state) {
  struct onnx_aot_cuda_device *device = onnx_aot_cuda_device_of(state);
  if (!device || !device->graph.is_capturing)
    return;
  if (device->status == 0u)
    launchCaptured(device);
  else
    onnx_aot_cuda_abandon_capture(device);
}

/*
 * Before memory moves: a graph holds its address, and no memory can be had while one is captured, so that is launched
 * as far as it goes.
 */
void onnx_aot_cuda_settle_graph(struct onnx_aot_cuda_device *device) {
  if (device->graph.is_capturing)
    launchCaptured(device);
  CALL(device, cuStreamSynchronize, device->stream);
  dropExec(device);
}
