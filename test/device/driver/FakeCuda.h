// A libcuda.so.1 for machines without a GPU: tests load it instead of NVIDIA's driver.
//
// It exports the functions of the driver API that our runtime uses and a few that programs around it want. Device
// memory is memory of the process, filled with 0xff, and known to the driver: an address of the host where one of the
// device belongs is an error, and so is the reverse. Kernels are PTX, which emulator/ executes. A stream does nothing
// before somebody waits for it, so who forgets to wait finds nothing; what a graph captured is kept with copies of the
// parameters. A fault in a kernel is printed on stderr and loses the device, as with a real one. Strict where the real
// driver is lenient or where the result would be undefined.
//
// There is nothing that executes machine code: an image that is an ELF file is refused, except one that begins with
// "\177ELF of fake CUDA\n", after which comes PTX.
//
// LD_LIBRARY_PATH=build/test/device/driver/lib makes a program load it. The environment says how it behaves:
//
//   ONNX_AOT_FAKE_CUDA_LOG=FILE       appends a line per call, such as "cuLaunchKernel add grid=4,1,1 ... = 0"
//   ONNX_AOT_FAKE_CUDA_FAIL=FUNCTION:NTH:CODE[,...]
//                                     the NTH call (from 1; 0: each) of FUNCTION (with or without _v2) does nothing but
//                                     return CODE, a CUresult
//   ONNX_AOT_FAKE_CUDA_DEVICE=cc=80,memory=BYTES,driver=12040,count=1
//                                     the GPU and its driver: newer PTX is refused; what is not given is as here, and
//                                     memory is 8 GiB
//   ONNX_AOT_FAKE_CUDA_RACES=1        races in shared memory are faults
//   ONNX_AOT_FAKE_CUDA_LEAKS=1        says on stderr what is still there when a context is released for the last time,
//                                     or at exit; not of a lost device
//
// It is read when the first function is called, and again by the function below.
#ifndef ONNX_AOT_TEST_DEVICE_DRIVER_FAKECUDA_H
#define ONNX_AOT_TEST_DEVICE_DRIVER_FAKECUDA_H

#include "runtime_lib/platform/cuda/driver.h"

#define ONNX_AOT_FAKE_CUDA_EXPORT extern "C" __attribute__((visibility("default")))

// The signatures are those that the runtime calls.
#define DECLARE(name, parameters) ONNX_AOT_FAKE_CUDA_EXPORT int name parameters;
ONNX_AOT_CUDA_FUNCTIONS(DECLARE)
#undef DECLARE

ONNX_AOT_FAKE_CUDA_EXPORT cu_tensor_map_encode cuTensorMapEncodeTiled;
ONNX_AOT_FAKE_CUDA_EXPORT int cuCtxGetCurrent(cu_context *context);
ONNX_AOT_FAKE_CUDA_EXPORT int cuCtxSynchronize();
ONNX_AOT_FAKE_CUDA_EXPORT int cuMemcpyHtoD_v2(cu_address to, const void *from, uint64_t bytes);
ONNX_AOT_FAKE_CUDA_EXPORT int cuMemcpyDtoH_v2(void *to, cu_address from, uint64_t bytes);

/// Reads the environment again, forgets how often functions were called and that the device was lost.
ONNX_AOT_FAKE_CUDA_EXPORT void onnx_aot_fake_cuda_reset();

/// How many retained contexts, blocks of memory, modules, streams and graphs there are.
ONNX_AOT_FAKE_CUDA_EXPORT uint64_t onnx_aot_fake_cuda_live();

#endif // ONNX_AOT_TEST_DEVICE_DRIVER_FAKECUDA_H
