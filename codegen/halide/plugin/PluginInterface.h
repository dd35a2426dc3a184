/*===- PluginInterface.h - between the compiler and Halide's plugin -----------------------------------------------===//
//
// What it is for: Halide brings an LLVM of its own, of another version than the compiler's. It stays behind this plain
// C interface: bytes in, bytes out. The plugin (libonnx_aot_halide.so) exports these functions; the program
// onnx-aot-halide is the same code for processes that cannot load it: its standard input is a specification, its
// standard output the bitcode or, with exit status 1, the reason why there is none.
//
// A specification is text, one fact a line (see Specification.h).
//
//===--------------------------------------------------------------------------------------------------------------===*/
#ifndef ONNX_AOT_CODEGEN_HALIDE_PLUGIN_PLUGININTERFACE_H
#define ONNX_AOT_CODEGEN_HALIDE_PLUGIN_PLUGININTERFACE_H

#include <stddef.h>

/* Changes with every change of the functions below or of what specifications mean. */
#define ONNX_AOT_HALIDE_INTERFACE 3

/* The function that the bitcode defines. */
#define ONNX_AOT_HALIDE_FUNCTION "onnx_aot_halide_kernel"

#ifdef __cplusplus
extern "C" {
#endif

#define ONNX_AOT_HALIDE_EXPORT __attribute__((visibility("default")))

/* ONNX_AOT_HALIDE_INTERFACE, as the plugin was built with it. */
ONNX_AOT_HALIDE_EXPORT int onnx_aot_halide_interface(void);

/* Halide's version, such as "14". */
ONNX_AOT_HALIDE_EXPORT const char *onnx_aot_halide_version(void);

/* Compiles the kernel that `specification` describes. Hands its bitcode to `take` and returns 0, or hands the reason
 * why there is none to `take` and returns 1. The same specification gives the same code, under names that a process
 * counts up. Several threads may call it at once. */
ONNX_AOT_HALIDE_EXPORT int onnx_aot_halide_compile(const char *specification, size_t size,
                                                   void (*take)(void *receiver, const char *bytes, size_t size),
                                                   void *receiver);

#ifdef __cplusplus
}
#endif

#endif
