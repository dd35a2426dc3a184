/*
 * onnx_aot/runtime.h: the C ABI of code emitted by onnx-aot.
 *
 * A compiled model is described by one constant `onnx_aot_model` and run through a typed function of its own
 * (`<prefix>_run`, declared in the generated header) or through the model's uniform `entry`. This text is also part
 * of every generated header, inside the same include guard, so a generated header needs nothing but a C99 compiler.
 *
 * Nothing here allocates, prints or keeps state. All functions are re-entrant.
 */
#ifndef ONNX_AOT_RUNTIME_H
#define ONNX_AOT_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNX_AOT_ABI_VERSION 1u

/* Result of a run: an onnx_aot_code in the low 8 bits, the index of the node it concerns + 1 above them (0: none). */
typedef uint32_t onnx_aot_status;

enum onnx_aot_code {
  ONNX_AOT_OK = 0,
  ONNX_AOT_NULL_ARGUMENT = 1,   /* an input, output or arena pointer is NULL */
  ONNX_AOT_ARENA_ALIGNMENT = 2, /* the arena is not aligned to arena_align bytes */
  /* What only a run can tell; the status names the node. What the outputs hold then is not specified. */
  ONNX_AOT_DIM_OUT_OF_BOUNDS = 16,  /* a dimension is outside of the bounds that the model was compiled for */
  ONNX_AOT_INDEX_OUT_OF_RANGE = 17, /* an index does not lie inside the dimension that it picks from */
  ONNX_AOT_EMPTY_REDUCTION = 18,    /* a reduction that has no value for no elements got none */
  ONNX_AOT_K_OUT_OF_RANGE = 19,     /* TopK: K is negative or larger than the dimension */
  ONNX_AOT_DIVISION_BY_ZERO = 20,   /* an integer is divided by zero */
  ONNX_AOT_LOOP_BOUND = 21,         /* a loop would not end within its bound */
  ONNX_AOT_SHAPE_MISMATCH = 22,     /* shapes that only the run knows do not fit together */
  ONNX_AOT_INVALID_VALUE = 23,      /* an input has a value that the operator does not allow */
  ONNX_AOT_OUT_OF_MEMORY = 24       /* the context's allocator gave no memory */
};

/* Element types carry the numbers of ONNX's TensorProto.DataType. */
enum onnx_aot_dtype {
  ONNX_AOT_FLOAT = 1,
  ONNX_AOT_UINT8 = 2,
  ONNX_AOT_INT8 = 3,
  ONNX_AOT_UINT16 = 4,
  ONNX_AOT_INT16 = 5,
  ONNX_AOT_INT32 = 6,
  ONNX_AOT_INT64 = 7,
  ONNX_AOT_BOOL = 9, /* one byte, 0 or 1 */
  ONNX_AOT_FLOAT16 = 10,
  ONNX_AOT_DOUBLE = 11,
  ONNX_AOT_UINT32 = 12,
  ONNX_AOT_UINT64 = 13,
  ONNX_AOT_COMPLEX64 = 14,
  ONNX_AOT_COMPLEX128 = 15,
  ONNX_AOT_BFLOAT16 = 16
};

/* One input or output. Tensors are dense and row-major. */
typedef struct onnx_aot_tensor_info {
  const char *name;    /* as in the ONNX graph */
  const int64_t *dims; /* `rank` extents; NULL for a scalar */
  uint64_t bytes;      /* size of the buffer that the caller passes */
  int32_t dtype;       /* enum onnx_aot_dtype */
  int32_t rank;
} onnx_aot_tensor_info;

typedef struct onnx_aot_key_value {
  const char *key;
  const char *value;
} onnx_aot_key_value;

typedef struct onnx_aot_model {
  uint32_t abi_version; /* ONNX_AOT_ABI_VERSION of the compiler that emitted the model */
  uint32_t num_inputs;
  uint32_t num_outputs;
  uint32_t num_metadata;
  uint32_t num_nodes;
  uint32_t arena_align; /* bytes; a power of two */
  uint64_t arena_bytes; /* scratch memory that the caller passes to a run */
  uint64_t weight_bytes;
  int64_t model_version;
  const char *name; /* the C prefix of the model's symbols */
  const char *graph_name;
  const char *producer_name;
  const char *producer_version;
  const char *domain;
  const char *doc_string;
  const onnx_aot_tensor_info *inputs;
  const onnx_aot_tensor_info *outputs;
  const onnx_aot_key_value *metadata; /* the model's metadata_props */
  const char *const *node_names;
  /* Runs the model: inputs and outputs in the graph's order. `arena` may be NULL when arena_bytes is 0. */
  onnx_aot_status (*entry)(const void *const *inputs, void *const *outputs, void *arena);
} onnx_aot_model;

/*
 * Writes what `status` means, with the name of the node it concerns, to `buffer` as a NUL-terminated string of at most
 * `size` bytes (cut off when it does not fit). Returns the length of the whole text without its NUL, as snprintf does.
 * Every object that onnx-aot emits defines it (weakly), so nothing has to be linked for it.
 */
size_t onnx_aot_status_text(const onnx_aot_model *model, onnx_aot_status status, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* ONNX_AOT_RUNTIME_H */
