/*
 * onnx_aot/runtime.h: the C ABI of code emitted by onnx-aot.
 *
 * A compiled model is described by one constant `onnx_aot_model` and run through a typed function of its own
 * (`<prefix>_run`, declared in the generated header) or through the model's uniform `entry`. This text is also part
 * of every generated header, inside the same include guard, so a generated header needs nothing but a C99 compiler.
 *
 * Sequences and optionals do not cross it as such: every tensor of a sequence "x" is a parameter of its own, called
 * "x[0]", "x[1]" and so on in the descriptor and x_0, x_1 in C; an optional is its value's, or has none. How many there
 * are is fixed when the model is compiled.
 *
 * Nothing here allocates (but for the memory that a context asks of its owner's functions), prints or keeps state. All
 * functions are re-entrant.
 */
#ifndef ONNX_AOT_RUNTIME_H
#define ONNX_AOT_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNX_AOT_ABI_VERSION 3u

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
  ONNX_AOT_OUT_OF_MEMORY = 24,      /* the context's allocator gave no memory */
  /* Of models for a GPU; onnx_aot_context_error has the driver's words. */
  ONNX_AOT_NO_DEVICE = 32,            /* there is no driver, or no GPU */
  ONNX_AOT_DEVICE_UNSUPPORTED = 33,   /* the model is not compiled for this GPU, or the driver is too old */
  ONNX_AOT_DEVICE_OUT_OF_MEMORY = 34, /* the GPU has not enough memory */
  ONNX_AOT_DEVICE_ERROR = 35          /* anything else that the driver reports, such as a GPU that is lost */
};

/*
 * Element types carry the numbers of ONNX's TensorProto.DataType.
 *
 * An element takes whole bytes in a buffer, in the machine's byte order. Those of 2 and 4 bits, which ONNX's files
 * pack, take one byte each: a signed one is an int8_t (int4: -8 to 7), an unsigned one a uint8_t (uint4: 0 to 15), a
 * float4 lies in the low 4 bits of a uint8_t whose upper bits are 0. A float8 is a uint8_t with its bits, float16 and
 * bfloat16 are a uint16_t with theirs. A complex number is its real part and its imaginary part, one after the other;
 * buffers of complex128 are aligned to 16 bytes.
 */
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
  ONNX_AOT_BFLOAT16 = 16,
  ONNX_AOT_FLOAT8E4M3FN = 17,
  ONNX_AOT_FLOAT8E4M3FNUZ = 18,
  ONNX_AOT_FLOAT8E5M2 = 19,
  ONNX_AOT_FLOAT8E5M2FNUZ = 20,
  ONNX_AOT_UINT4 = 21,
  ONNX_AOT_INT4 = 22,
  ONNX_AOT_FLOAT4E2M1 = 23,
  ONNX_AOT_FLOAT8E8M0 = 24,
  ONNX_AOT_UINT2 = 25,
  ONNX_AOT_INT2 = 26
};

/* A dimension that the caller passes to a run. */
typedef struct onnx_aot_dim_info {
  const char *name; /* as in the ONNX graph, or `<input>_dim<axis>` where it has none */
  int64_t min, max; /* what a run accepts; max is INT64_MAX where there is no bound */
} onnx_aot_dim_info;

/* An extent that is neither constant nor a dimension of the model: `plan` computes it, or the run says it. */
#define ONNX_AOT_DIM_COMPUTED INT64_MIN

/* A size that has no bound. */
#define ONNX_AOT_UNBOUNDED UINT64_MAX

enum onnx_aot_tensor_flags {
  ONNX_AOT_TENSOR_DYNAMIC = 1,   /* its shape is not constant */
  ONNX_AOT_TENSOR_IN_CONTEXT = 2 /* an output whose pointer is that of a `void *`, which a run sets to memory of the
                                    context that is valid until the next run with it */
};

/* One input or output. Tensors are dense and row-major. */
typedef struct onnx_aot_tensor_info {
  const char *name;    /* as in the ONNX graph */
  const int64_t *dims; /* `rank` extents; NULL for a scalar. -1 - k stands for the model's dimension k */
  uint64_t bytes; /* size of the buffer that the caller passes; of the largest one where the shape is not constant */
  int32_t dtype;  /* enum onnx_aot_dtype */
  int32_t rank;
  uint32_t flags; /* enum onnx_aot_tensor_flags */
  uint32_t element_bytes;
} onnx_aot_tensor_info;

typedef struct onnx_aot_key_value {
  const char *key;
  const char *value;
} onnx_aot_key_value;

/*
 * Memory for what only a run can size, and what a model has on a GPU: one per concurrent caller, who owns the struct.
 * All of it is kept and reused by later runs until the context is destroyed.
 */
typedef struct onnx_aot_context {
  uint64_t state[16];
} onnx_aot_context;

typedef struct onnx_aot_model {
  uint32_t abi_version; /* ONNX_AOT_ABI_VERSION of the compiler that emitted the model */
  uint32_t num_inputs;
  uint32_t num_outputs;
  uint32_t num_metadata;
  uint32_t num_nodes;
  uint32_t arena_align; /* bytes; a power of two */
  uint32_t num_dims;
  uint32_t num_slots;   /* of the context that a run needs; 0: none */
  uint64_t arena_bytes; /* scratch memory that the caller passes to a run; ONNX_AOT_UNBOUNDED: `plan` says it */
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
  const onnx_aot_dim_info *dims;
  /*
   * Says what a run with these dims needs: the size of the arena, and for each output that is dynamic, in
   * output_dims[i], its dims: what they will be, or the most that they can be where data decide, or -1 where there is
   * no such bound. NULL for a model whose shapes are constant.
   */
  onnx_aot_status (*plan)(const int64_t *dims, uint64_t *arena_bytes, int64_t *const *output_dims);
  /*
   * Runs the model: inputs and outputs in the graph's order. A dynamic output's dims are written to output_dims[i]; the
   * pointers for others are not looked at. `arena` may be NULL when arena_bytes is 0, `ctx` when num_slots is 0, `dims`
   * when num_dims is 0, and `output_dims` when no output is dynamic. Buffers must not overlap. Until it returns,
   * a run may keep intermediate results in its outputs.
   */
  onnx_aot_status (*entry)(const void *const *inputs, void *const *outputs, const int64_t *dims,
                           int64_t *const *output_dims, void *arena, onnx_aot_context *ctx);
  /* onnx_aot_context_init and onnx_aot_context_destroy; NULL when num_slots is 0. */
  void (*context_init)(onnx_aot_context *ctx, void *(*allocate)(void *user, uint64_t bytes),
                       void (*release)(void *user, void *memory), void *user);
  void (*context_destroy)(onnx_aot_context *ctx);
} onnx_aot_model;

/*
 * Writes what `status` means, with the name of the node it concerns, to `buffer` as a NUL-terminated string of at most
 * `size` bytes (cut off when it does not fit). Returns the length of the whole text without its NUL, as snprintf does.
 * Every object that onnx-aot emits defines it (weakly), so nothing has to be linked for it.
 */
size_t onnx_aot_status_text(const onnx_aot_model *model, onnx_aot_status status, char *buffer, size_t size);

/*
 * Begins a context that has no memory yet. `allocate` gives memory aligned for any C object, or NULL; `release` takes
 * it back; both get `user`. Objects whose run takes a context define this and the next five functions (weakly).
 */
void onnx_aot_context_init(onnx_aot_context *ctx, void *(*allocate)(void *user, uint64_t bytes),
                           void (*release)(void *user, void *memory), void *user);

/* Releases all memory, that of a GPU too. The context may be begun again. */
void onnx_aot_context_destroy(onnx_aot_context *ctx);

/*
 * What a run calls: `bytes` of memory in slot `slot`, aligned to 64 bytes, or NULL. It is the slot's old memory where
 * that is large enough; otherwise what the slot held is lost.
 */
void *onnx_aot_context_slot(onnx_aot_context *ctx, uint64_t slot, uint64_t bytes);

/*
 * Writes what the GPU's driver said when the last run with this context failed, or why the CPU did it where the model
 * is compiled for both, as onnx_aot_status_text writes; an empty string when there is nothing.
 */
size_t onnx_aot_context_error(const onnx_aot_context *ctx, char *buffer, size_t size);

/*
 * Whether the last run with this context had a device: 1, or 0 where there was none. A model compiled with
 * --device=cuda,cpu then ran on the CPU, and stays there until the context is destroyed.
 */
int onnx_aot_context_on_device(const onnx_aot_context *ctx);

/*
 * The stream in which the runs that follow work, a CUstream or cudaStream_t of the first GPU's primary context; NULL,
 * as at the beginning, for one of the context's own. A model compiled with --io=device that does nothing on the host
 * only puts its work into a stream of the caller's and returns: its outputs are there when the caller has waited for
 * the stream, which is also what tells whether the work succeeded; so does the next run. All other runs return when
 * they are done. The stream may be destroyed between runs; it may not be one that is being captured.
 */
void onnx_aot_context_set_stream(onnx_aot_context *ctx, void *stream);

#ifdef __cplusplus
}
#endif

#endif /* ONNX_AOT_RUNTIME_H */
