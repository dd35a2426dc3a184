/*
 * core/context.c: memory that grows from run to run.
 *
 * Slots are rows of a table that the allocator gives too; a row holds the block as it was allocated and its usable
 * bytes. Blocks grow by at least half, so that a loop which appends does not allocate in every iteration.
 */
#include "runtime_lib/core/context.h"

enum cell { ALLOCATE, RELEASE, USER, TABLE, COUNT, DEVICE, CLOSE_DEVICE, ERROR_TEXT, STREAM, ON_DEVICE, CELLS = 16 };
enum row { BLOCK, BYTES, ROW };

/* What runtime.h promises, and what blocks are larger for it. */
#define ALIGNMENT 64u

_Static_assert(DEVICE == ONNX_AOT_CELL_DEVICE, "see context.h");
_Static_assert(CLOSE_DEVICE == ONNX_AOT_CELL_CLOSE, "see context.h");
_Static_assert(ERROR_TEXT == ONNX_AOT_CELL_ERROR, "see context.h");
_Static_assert(STREAM == ONNX_AOT_CELL_STREAM, "see context.h");
_Static_assert(CELLS == ONNX_AOT_CELLS, "see context.h");
_Static_assert(ON_DEVICE == ONNX_AOT_CELL_ON_DEVICE, "see context.h");

typedef void *(*allocate_function)(void *, uint64_t);
typedef void (*release_function)(void *, void *);
typedef void (*close_function)(uint64_t *);

static void *pointer(uint64_t cell) { return (void *)(uintptr_t)cell; }

void *onnx_aot_allocate(const uint64_t *state, uint64_t bytes) {
  return ((allocate_function)(uintptr_t)state[ALLOCATE])(pointer(state[USER]), bytes);
}

void onnx_aot_release(const uint64_t *state, void *block) {
  if (block)
    ((release_function)(uintptr_t)state[RELEASE])(pointer(state[USER]), block);
}

static void *aligned(uint64_t block) { return pointer((block + (ALIGNMENT - 1u)) & ~(uint64_t)(ALIGNMENT - 1u)); }

void onnx_aot_begin_context(uint64_t *state, allocate_function allocator, release_function releaser, void *user) {
  state[ALLOCATE] = (uint64_t)(uintptr_t)allocator;
  state[RELEASE] = (uint64_t)(uintptr_t)releaser;
  state[USER] = (uint64_t)(uintptr_t)user;
  for (int cell = TABLE; cell < CELLS; ++cell)
    state[cell] = 0u;
}

void onnx_aot_end_context(uint64_t *state) {
  if (state[CLOSE_DEVICE] != 0u)
    ((close_function)(uintptr_t)state[CLOSE_DEVICE])(state);
  uint64_t *table = pointer(state[TABLE]);
  for (uint64_t i = 0; i < state[COUNT]; ++i)
    onnx_aot_release(state, pointer(table[i * ROW + BLOCK]));
  onnx_aot_release(state, pointer(state[TABLE]));
  state[TABLE] = 0u;
  state[COUNT] = 0u;
}

/* Makes room for slot `slot`; 0 when there is no memory. */
static int reach(uint64_t *state, uint64_t slot) {
  if (slot < state[COUNT])
    return 1;
  uint64_t count = slot + 8u;
  uint64_t *old = pointer(state[TABLE]);
  uint64_t *table = onnx_aot_allocate(state, count * ROW * sizeof(uint64_t));
  if (!table)
    return 0;
  for (uint64_t i = 0; i < count * ROW; ++i)
    table[i] = i < state[COUNT] * ROW ? old[i] : 0u;
  onnx_aot_release(state, pointer(state[TABLE]));
  state[TABLE] = (uint64_t)(uintptr_t)table;
  state[COUNT] = count;
  return 1;
}

void *onnx_aot_grow_slot(uint64_t *state, uint64_t slot, uint64_t bytes) {
  if (!reach(state, slot))
    return 0;
  uint64_t *row = (uint64_t *)pointer(state[TABLE]) + slot * ROW;
  if (row[BLOCK] != 0u && bytes <= row[BYTES])
    return aligned(row[BLOCK]);
  uint64_t wanted = row[BYTES] + row[BYTES] / 2u;
  if (wanted < bytes)
    wanted = bytes;
  onnx_aot_release(state, pointer(row[BLOCK]));
  row[BLOCK] = 0u;
  row[BYTES] = 0u;
  if (bytes > UINT64_MAX - ALIGNMENT)
    return 0;
  void *block = wanted > UINT64_MAX - ALIGNMENT ? 0 : onnx_aot_allocate(state, wanted + ALIGNMENT);
  if (!block) {
    wanted = bytes;
    block = onnx_aot_allocate(state, wanted + ALIGNMENT);
  }
  if (!block)
    return 0;
  row[BLOCK] = (uint64_t)(uintptr_t)block;
  row[BYTES] = wanted;
  return aligned(row[BLOCK]);
}

void onnx_aot_choose_stream(uint64_t *state, void *stream) { state[STREAM] = (uint64_t)(uintptr_t)stream; }

uint64_t onnx_aot_was_on_device(const uint64_t *state) { return state[ON_DEVICE]; }

uint64_t onnx_aot_copy_error(const uint64_t *state, char *buffer, uint64_t size) {
  const char *text = pointer(state[ERROR_TEXT]);
  uint64_t length = 0;
  for (; text && text[length] != '\0'; ++length)
    if (buffer && length + 1u < size)
      buffer[length] = text[length];
  if (buffer && size != 0u)
    buffer[length < size ? length : size - 1u] = '\0';
  return length;
}
