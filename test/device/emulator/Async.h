// What goes on beside the threads of a block: mbarriers and groups of matrix products.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H

#include "Machine.h"

namespace onnx_aot::ptx {

struct AsyncState {};

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H
