// The driver API: memory, copies, streams and graphs.
#include "test/device/driver/Driver.h"
#include <cstring>

using namespace onnx_aot::fake;

//===-- Memory ----------------------------------------------------------------------------------------------------===//

int cuMemAlloc_v2(cu_address *address, uint64_t bytes) {
  return callInContext("cuMemAlloc_v2", text("bytes=", bytes), [&](cu_opaque_context &context) -> int {
    if (bytes == 0)
      return CU_INVALID_VALUE;
    if (context.disturbsCapture())
      return CU_CAPTURE_UNSUPPORTED;
    *address = context.memory.allocate(bytes, Driver::get().settings.memory);
    return *address != 0 ? CU_OK : CU_OUT_OF_MEMORY;
  });
}

int cuMemFree_v2(cu_address address) {
  return callInContext("cuMemFree_v2", "", [&](cu_opaque_context &context) -> int {
    if (context.disturbsCapture())
      return CU_CAPTURE_UNSUPPORTED;
    if (int result = context.finishAll(); result != CU_OK)
      return result;
    return context.memory.release(address) ? CU_OK : misuse("memory is freed that is not allocated");
  });
}

/// Why a copy is not one; empty where it is.
static std::string wrongCopy(const cu_opaque_context &context, const void *host, cu_address device, uint64_t bytes) {
  if (!context.memory.holds(device, bytes))
    return "a copy uses device memory that is not allocated";
  if (host && context.memory.touches(reinterpret_cast<uintptr_t>(host), bytes))
    return "a copy takes device memory for memory of the host";
  return "";
}

static void copy(cu_address to, cu_address from, uint64_t bytes) {
  std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from), bytes);
}

/// What the host has is read at once, as the driver does for memory that is not pinned; for the same reason the copy is
/// no part of a graph.
static int uploadTo(cu_opaque_context &context, cu_address to, const void *from, uint64_t bytes, cu_stream stream) {
  if (std::string wrong = wrongCopy(context, from, to, bytes); !wrong.empty())
    return misuse(wrong);
  if (!context.find(stream))
    return CU_INVALID_HANDLE;
  if (context.find(stream)->isCapturing)
    return context.find(stream)->isInvalidated = true, CU_CAPTURE_UNSUPPORTED;
  auto *bytesOf = static_cast<const char *>(from);
  context.find(stream)->add(
      [to, staged = std::vector<char>(bytesOf, bytesOf + bytes)](cu_opaque_context &context) -> int {
        if (!context.memory.holds(to, staged.size()))
          return CU_ILLEGAL_ADDRESS;
        std::memcpy(reinterpret_cast<void *>(to), staged.data(), staged.size());
        return CU_OK;
      });
  return CU_OK;
}

static int downloadFrom(cu_opaque_context &context, void *to, cu_address from, uint64_t bytes, cu_stream stream) {
  if (std::string wrong = wrongCopy(context, to, from, bytes); !wrong.empty())
    return misuse(wrong);
  if (!context.find(stream))
    return CU_INVALID_HANDLE;
  if (context.find(stream)->isCapturing)
    return context.find(stream)->isInvalidated = true, CU_CAPTURE_UNSUPPORTED;
  context.find(stream)->add([=](cu_opaque_context &context) -> int {
    if (!context.memory.holds(from, bytes))
      return CU_ILLEGAL_ADDRESS;
    copy(reinterpret_cast<uintptr_t>(to), from, bytes);
    return CU_OK;
  });
  return CU_OK;
}

int cuMemcpyHtoDAsync_v2(cu_address to, const void *from, uint64_t bytes, cu_stream stream) {
  return callInContext("cuMemcpyHtoDAsync_v2", text("bytes=", bytes),
                       [&](cu_opaque_context &context) { return uploadTo(context, to, from, bytes, stream); });
}

int cuMemcpyDtoHAsync_v2(void *to, cu_address from, uint64_t bytes, cu_stream stream) {
  return callInContext("cuMemcpyDtoHAsync_v2", text("bytes=", bytes),
                       [&](cu_opaque_context &context) { return downloadFrom(context, to, from, bytes, stream); });
}

int cuMemcpyDtoDAsync_v2(cu_address to, cu_address from, uint64_t bytes, cu_stream stream) {
  return callInContext("cuMemcpyDtoDAsync_v2", text("bytes=", bytes), [&](cu_opaque_context &context) -> int {
    if (!context.memory.holds(to, bytes) || !context.memory.holds(from, bytes))
      return misuse("a copy uses device memory that is not allocated");
    if (!context.find(stream))
      return CU_INVALID_HANDLE;
    context.find(stream)->add([=](cu_opaque_context &context) -> int {
      if (!context.memory.holds(to, bytes) || !context.memory.holds(from, bytes))
        return CU_ILLEGAL_ADDRESS;
      copy(to, from, bytes);
      return CU_OK;
    });
    return CU_OK;
  });
}

int cuMemcpyHtoD_v2(cu_address to, const void *from, uint64_t bytes) {
  return callInContext("cuMemcpyHtoD_v2", text("bytes=", bytes), [&](cu_opaque_context &context) {
    int result = uploadTo(context, to, from, bytes, nullptr);
    return result == CU_OK ? context.finishAll() : result;
  });
}

int cuMemcpyDtoH_v2(void *to, cu_address from, uint64_t bytes) {
  return callInContext("cuMemcpyDtoH_v2", text("bytes=", bytes), [&](cu_opaque_context &context) {
    context.finishAll();
    int result = downloadFrom(context, to, from, bytes, nullptr);
    return result == CU_OK ? context.finishAll() : result;
  });
}

//===-- Streams ---------------------------------------------------------------------------------------------------===//

int cuStreamCreate(cu_stream *stream, unsigned flags) {
  return callInContext("cuStreamCreate", text("flags=", flags), [&](cu_opaque_context &context) -> int {
    *stream = context.streams.make();
    return CU_OK;
  });
}

int cuStreamDestroy_v2(cu_stream stream) {
  return callInContext("cuStreamDestroy_v2", "", [&](cu_opaque_context &context) -> int {
    if (context.streams.find(stream))
      context.finish(*stream);
    return context.streams.destroy(stream) ? CU_OK : CU_INVALID_HANDLE;
  });
}

int cuStreamSynchronize(cu_stream stream) {
  std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
  int result = callInContext("cuStreamSynchronize", "", [&](cu_opaque_context &context) -> int {
    cu_stream found = context.find(stream);
    if (!found)
      return CU_INVALID_HANDLE;
    if (found->isCapturing)
      return found->isInvalidated = true, CU_CAPTURE_UNSUPPORTED;
    return context.finish(*found);
  });
  // Nobody waits for it a second time: what it would write may be gone.
  if (result != CU_OK && !Driver::stack().empty())
    if (cu_stream found = Driver::stack().back()->find(stream))
      found->pending.clear();
  return result;
}

//===-- Events --------------------------------------------------------------------------------------------------===//

int cuEventCreate(cu_event *event, unsigned flags) {
  return callInContext("cuEventCreate", text("flags=", flags), [&](cu_opaque_context &context) -> int {
    *event = context.events.make();
    return CU_OK;
  });
}

int cuEventDestroy_v2(cu_event event) {
  return callInContext("cuEventDestroy_v2", "", [&](cu_opaque_context &context) {
    return context.events.destroy(event) ? CU_OK : CU_INVALID_HANDLE;
  });
}

int cuEventRecord(cu_event event, cu_stream stream) {
  return callInContext("cuEventRecord", "", [&](cu_opaque_context &context) -> int {
    cu_stream found = context.find(stream);
    if (!context.events.find(event) || !found)
      return CU_INVALID_HANDLE;
    if (found->isCapturing)
      return misuse("an event is recorded in a stream that is captured");
    event->isDone = std::make_shared<bool>(false);
    event->stream = stream;
    found->add([isDone = event->isDone](cu_opaque_context &) -> int {
      *isDone = true;
      return CU_OK;
    });
    return CU_OK;
  });
}

/// Does what was in the event's stream, unless that is done, as it is where the stream has been destroyed.
static int reach(cu_opaque_context &context, const std::shared_ptr<bool> &isDone, cu_stream stream) {
  if (*isDone || !context.find(stream))
    return CU_OK;
  return context.finish(*context.find(stream));
}

int cuEventSynchronize(cu_event event) {
  return callInContext("cuEventSynchronize", "", [&](cu_opaque_context &context) -> int {
    if (!context.events.find(event))
      return CU_INVALID_HANDLE;
    return reach(context, event->isDone, event->stream);
  });
}

int cuStreamWaitEvent(cu_stream stream, cu_event event, unsigned flags) {
  return callInContext("cuStreamWaitEvent", text("flags=", flags), [&](cu_opaque_context &context) -> int {
    cu_stream found = context.find(stream);
    if (!context.events.find(event) || !found)
      return CU_INVALID_HANDLE;
    if (found == context.find(event->stream))
      return CU_OK;
    found->add([isDone = event->isDone, other = event->stream](cu_opaque_context &context) {
      return reach(context, isDone, other);
    });
    return CU_OK;
  });
}

//===-- Graphs ----------------------------------------------------------------------------------------------------===//

int cuStreamBeginCapture_v2(cu_stream stream, int mode) {
  return callInContext("cuStreamBeginCapture_v2", text("mode=", mode), [&](cu_opaque_context &context) -> int {
    cu_stream found = context.find(stream);
    if (!found)
      return CU_INVALID_HANDLE;
    if (found == &context.legacy || found->isCapturing)
      return CU_CAPTURE_UNSUPPORTED;
    if (mode != CU_CAPTURE_MODE_GLOBAL && mode != CU_CAPTURE_MODE_THREAD_LOCAL)
      return misuse(text("capture mode ", mode, " is not known"));
    found->isCapturing = true;
    found->captureMode = mode;
    found->capturer = std::this_thread::get_id();
    found->isInvalidated = false;
    found->captured.clear();
    return CU_OK;
  });
}

int cuStreamEndCapture(cu_stream stream, cu_graph *graph) {
  std::lock_guard<std::recursive_mutex> lock(Driver::get().mutex);
  int result = callInContext("cuStreamEndCapture", "", [&](cu_opaque_context &context) -> int {
    cu_stream found = context.find(stream);
    *graph = nullptr;
    if (!found || !found->isCapturing)
      return CU_INVALID_HANDLE;
    found->isCapturing = false;
    if (found->isInvalidated)
      return CU_CAPTURE_INVALIDATED;
    *graph = context.graphs.make(std::move(found->captured));
    found->captured.clear();
    return CU_OK;
  });
  // It ends the capture even if it fails.
  if (result != CU_OK && !Driver::stack().empty())
    if (cu_stream found = Driver::stack().back()->find(stream))
      found->isCapturing = false;
  return result;
}

int cuGraphInstantiateWithFlags(cu_graph_exec *exec, cu_graph graph, unsigned long long flags) {
  return callInContext("cuGraphInstantiateWithFlags", text("flags=", flags), [&](cu_opaque_context &context) -> int {
    if (!context.graphs.find(graph))
      return CU_INVALID_HANDLE;
    *exec = context.execs.make(graph->nodes);
    return CU_OK;
  });
}

int cuGraphDestroy(cu_graph graph) {
  return callInContext("cuGraphDestroy", "", [&](cu_opaque_context &context) {
    return context.graphs.destroy(graph) ? CU_OK : CU_INVALID_HANDLE;
  });
}

int cuGraphLaunch(cu_graph_exec exec, cu_stream stream) {
  return callInContext("cuGraphLaunch", "", [&](cu_opaque_context &context) -> int {
    if (!context.execs.find(exec) || !context.find(stream))
      return CU_INVALID_HANDLE;
    for (const Work &work : exec->nodes)
      context.find(stream)->add(work);
    return CU_OK;
  });
}

int cuGraphExecDestroy(cu_graph_exec exec) {
  return callInContext("cuGraphExecDestroy", "", [&](cu_opaque_context &context) {
    return context.execs.destroy(exec) ? CU_OK : CU_INVALID_HANDLE;
  });
}
