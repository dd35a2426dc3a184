/* A plugin, or with PROGRAM a program in its place, that refuses every kernel, of the version INTERFACE. */
#include <stdio.h>
#include <string.h>

int onnx_aot_halide_interface(void) { return INTERFACE; }
const char *onnx_aot_halide_version(void) { return "none"; }
int onnx_aot_halide_compile(const char *specification, size_t size, void (*take)(void *, const char *, size_t),
                            void *receiver) {
  static const char reason[] = "it does not like this one";
  (void)specification, (void)size;
  take(receiver, reason, strlen(reason));
  return 1;
}

#ifdef PROGRAM
int main(int argc, char **argv) {
  (void)argv;
  if (argc == 2)
    return printf("%d none\n", INTERFACE) < 0;
  fputs("it does not like this one", stdout);
  return 1;
}
#endif
