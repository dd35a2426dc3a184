/*
 * platform/cuda/load.c: finds the driver, the device, and the program's image for it.
 *
 * PTX runs on the architecture it is written for and on all later ones, after the driver has compiled it; machine code
 * (a cubin) on that one and on later ones with the same major number. An image that is specific to an architecture uses
 * what only that has. So the best is the specific one, else the latest that is not newer than the device; where there
 * are both forms of it, the one that need not be compiled.
 */
#include "runtime_lib/platform/cuda/device.h"

extern void *dlopen(const char *file, int mode);
extern void *dlsym(void *library, const char *name);
extern void *memcpy(void *to, const void *from, __SIZE_TYPE__ bytes);

#define RTLD_NOW 2

/* What a kernel may have without asking. */
#define SHARED_BYTES_OF_ALL (48u * 1024u)

static void sayVersion(struct onnx_aot_cuda_device *device, int version) {
  onnx_aot_cuda_say_number(device, (uint32_t)version / 1000u);
  onnx_aot_cuda_say(device, ".");
  onnx_aot_cuda_say_number(device, (uint32_t)version % 1000u / 10u);
}

int onnx_aot_cuda_load_driver(struct onnx_aot_cuda_device *device) {
  static const char names[] =
#define NAME(name, parameters) #name "\0"
      ONNX_AOT_CUDA_FUNCTIONS(NAME)
#undef NAME
      ;
  void *library = dlopen("libcuda.so.1", RTLD_NOW);
  if (!library) {
    onnx_aot_cuda_fail(device, ONNX_AOT_NO_DEVICE, "libcuda.so.1, the driver of NVIDIA GPUs, cannot be loaded");
    return 0;
  }
  char *member = (char *)&device->driver;
  for (const char *name = names; *name != '\0'; ++name) {
    void *symbol = dlsym(library, name);
    if (!symbol) {
      onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_UNSUPPORTED, "the driver is too old: libcuda.so.1 has no ");
      onnx_aot_cuda_say(device, name);
      return 0;
    }
    memcpy(member, &symbol, sizeof(symbol));
    member += sizeof(symbol);
    while (*name != '\0')
      ++name;
  }
  void *encode = dlsym(library, ONNX_AOT_CUDA_TENSOR_MAP_ENCODE);
  memcpy(&device->encode_tensor_map, &encode, sizeof(encode));
  return 1;
}

int onnx_aot_cuda_find_device(struct onnx_aot_cuda_device *device) {
  int version = 0, count = 0;
  if (!CALL(device, cuInit, 0) || !CALL(device, cuDriverGetVersion, &version))
    return 0;
  if (version < CU_OLDEST_DRIVER) {
    onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_UNSUPPORTED, "the driver is too old: it is that of CUDA ");
    sayVersion(device, version);
    onnx_aot_cuda_say(device, ", and must be at least that of ");
    sayVersion(device, CU_OLDEST_DRIVER);
    return 0;
  }
  if (!CALL(device, cuDeviceGetCount, &count))
    return 0;
  if (count <= 0) {
    onnx_aot_cuda_fail(device, ONNX_AOT_NO_DEVICE, "the driver knows no GPU");
    return 0;
  }
  return CALL(device, cuDeviceGet, &device->device, 0);
}

static int fits(const struct onnx_aot_cuda_image *image, uint32_t capability) {
  if (image->is_specific)
    return image->compute_capability == capability;
  if (image->is_cubin && image->compute_capability / 10u != capability / 10u)
    return 0;
  return image->compute_capability <= capability;
}

/* Of the images that the device runs and that have not been tried, the best; NULL where there is none. */
static const struct onnx_aot_cuda_image *chooseImage(const struct onnx_aot_cuda_program *program, uint32_t capability,
                                                     uint64_t tried) {
  const struct onnx_aot_cuda_image *best = 0;
  uint32_t most = 0;
  for (uint32_t i = 0; i < program->num_images && i < 64u; ++i) {
    const struct onnx_aot_cuda_image *image = &program->images[i];
    uint32_t rank = image->compute_capability * 4u + (image->is_specific ? 2u : 0u) + (image->is_cubin ? 1u : 0u);
    if ((tried >> i & 1u) != 0u || !fits(image, capability) || rank <= most)
      continue;
    best = image;
    most = rank;
  }
  return best;
}

static void sayCapability(struct onnx_aot_cuda_device *device, uint32_t capability) {
  onnx_aot_cuda_say_number(device, capability / 10u);
  onnx_aot_cuda_say(device, ".");
  onnx_aot_cuda_say_number(device, capability % 10u);
}

static void refuseCapability(struct onnx_aot_cuda_device *device, const struct onnx_aot_cuda_program *program,
                             uint32_t capability) {
  onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_UNSUPPORTED,
                     "the model is not compiled for this GPU, which has compute capability ");
  sayCapability(device, capability);
  const char *separator = ", but for ";
  for (uint32_t i = 0; i < program->num_images; ++i) {
    if (program->images[i].is_cubin)
      continue; /* stands beside PTX for the same GPU */
    onnx_aot_cuda_say(device, separator);
    sayCapability(device, program->images[i].compute_capability);
    if (program->images[i].is_specific)
      onnx_aot_cuda_say(device, "a");
    separator = ", ";
  }
}

static int loadImage(struct onnx_aot_cuda_device *device, const struct onnx_aot_cuda_image *image) {
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {device->log, (void *)(uintptr_t)(sizeof(device->log) - 1u)};
  device->log[0] = '\0';
  device->is_specific = image->is_specific;
  if (CALL(device, cuModuleLoadDataEx, &device->module, image->content, 2, options, values))
    return 1;
  device->log[sizeof(device->log) - 1u] = '\0';
  if (device->log[0] != '\0') {
    onnx_aot_cuda_say(device, "\n");
    onnx_aot_cuda_say(device, device->log);
  }
  return 0;
}

/*
 * The best image that the driver takes: one that is older than what made an image refuses it, and may take another. If
 * none is taken, the last of them, which asks for the least, says why.
 */
static int loadModule(struct onnx_aot_cuda_device *device, const struct onnx_aot_cuda_program *program) {
  int major = 0, minor = 0;
  if (!CALL(device, cuDeviceGetAttribute, &major, CU_COMPUTE_CAPABILITY_MAJOR, device->device) ||
      !CALL(device, cuDeviceGetAttribute, &minor, CU_COMPUTE_CAPABILITY_MINOR, device->device))
    return 0;
  uint32_t capability = (uint32_t)(major * 10 + minor);
  const struct onnx_aot_cuda_image *image = chooseImage(program, capability, 0);
  if (!image)
    refuseCapability(device, program, capability);
  for (uint64_t tried = 0; image; image = chooseImage(program, capability, tried)) {
    onnx_aot_cuda_clear_error(device);
    if (loadImage(device, image))
      return 1;
    if (device->status != ONNX_AOT_DEVICE_UNSUPPORTED)
      return 0;
    tried |= (uint64_t)1 << (image - program->images);
  }
  return 0;
}

static int allowShared(struct onnx_aot_cuda_device *device, const struct onnx_aot_cuda_kernel *kernel,
                       cu_function function) {
  if (!device->is_specific || kernel->shared_bytes <= SHARED_BYTES_OF_ALL)
    return 1;
  int result = device->driver.cuFuncSetAttribute(function, CU_MAX_DYNAMIC_SHARED_SIZE_BYTES, (int)kernel->shared_bytes);
  if (result != CU_INVALID_VALUE)
    return onnx_aot_cuda_check(device, "cuFuncSetAttribute", result);
  onnx_aot_cuda_fail(device, ONNX_AOT_DEVICE_UNSUPPORTED, "the GPU has less shared memory than the ");
  onnx_aot_cuda_say_number(device, kernel->shared_bytes);
  onnx_aot_cuda_say(device, " bytes that kernel ");
  onnx_aot_cuda_say(device, kernel->name);
  onnx_aot_cuda_say(device, " needs");
  return 0;
}

static int loadKernels(uint64_t *state, struct onnx_aot_cuda_device *device,
                       const struct onnx_aot_cuda_program *program) {
  if (program->num_kernels == 0u)
    return 1;
  device->functions = onnx_aot_allocate(state, program->num_kernels * sizeof(cu_function));
  if (!device->functions) {
    onnx_aot_cuda_fail(device, ONNX_AOT_OUT_OF_MEMORY, "no memory for the table of kernels");
    return 0;
  }
  for (uint32_t i = 0; i < program->num_kernels; ++i) {
    const struct onnx_aot_cuda_kernel *kernel = &program->kernels[i];
    if (!CALL(device, cuModuleGetFunction, &device->functions[i], device->module, kernel->name)) {
      onnx_aot_cuda_say(device, " for kernel ");
      onnx_aot_cuda_say(device, kernel->name);
      return 0;
    }
    if (!allowShared(device, kernel, device->functions[i]))
      return 0;
  }
  return 1;
}

int onnx_aot_cuda_load_program(uint64_t *state, struct onnx_aot_cuda_device *device,
                               const struct onnx_aot_cuda_program *program) {
  if (!loadModule(device, program) || !loadKernels(state, device, program))
    return 0;
  if (program->weight_bytes == 0u)
    return 1;
  if (!CALL(device, cuMemAlloc_v2, &device->weights, program->weight_bytes)) {
    device->weights = 0;
    onnx_aot_cuda_say_size(device, program->weight_bytes);
    onnx_aot_cuda_say(device, " of weights");
    return 0;
  }
  /* Waits, so that a run which fails cannot leave weights that have not arrived. */
  return CALL(device, cuMemcpyHtoDAsync_v2, device->weights, program->weights, program->weight_bytes, device->stream) &&
         CALL(device, cuStreamSynchronize, device->stream);
}
