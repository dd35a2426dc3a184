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
    /* The graph may be under way: this stream goes on after the run that launched it. */
    if (graph->exec && device->is_pending && !CALL(device, cuStreamSynchronize, device->stream))
      return 0;
    onnx_aot_cuda_drop_graph(device);
    remember(state, graph, key, key_cells);
    return 0;
  }
  if (graph->exec)
    return (uint32_t)CALL(device, cuGraphLaunch, graph->exec, device->stream);
  /* In a stream of our own, which no use of the legacy stream by others disturbs. */
  if (onnx_aot_cuda_make_own_stream(device) &&
      CALL(device, cuStreamBeginCapture_v2, device->own_stream, CU_CAPTURE_MODE_THREAD_LOCAL)) {
    graph->is_capturing = 1;
    graph->stream = device->stream;
    device->stream = device->own_stream;
  }
  return 0;
}

/* Takes our own stream out of its capture, and goes back to the run's. */
static int endCapture(struct onnx_aot_cuda_device *device, cu_graph *graph) {
  int result = device->driver.cuStreamEndCapture(device->own_stream, graph);
  device->graph.is_capturing = 0;
  device->stream = device->graph.stream;
  return result;
}

/* Ends a capture of which nothing is wanted. */
void onnx_aot_cuda_abandon_capture(struct onnx_aot_cuda_device *device) {
  cu_graph graph = 0;
  if (device->graph.is_capturing && endCapture(device, &graph) == CU_OK && graph)
    device->driver.cuGraphDestroy(graph);
}

/* Ends a capture and launches what was captured. */
static void launchCaptured(struct onnx_aot_cuda_device *device) {
  cu_graph graph = 0;
  if (!onnx_aot_cuda_check(device, "cuStreamEndCapture", endCapture(device, &graph)))
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
