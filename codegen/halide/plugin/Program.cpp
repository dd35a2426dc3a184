//===- Program.cpp - the plugin as a program ----------------------------------------------------------------------===//
//
// onnx-aot-halide: a specification on standard input, its bitcode on standard output. For compilers that cannot load
// the plugin: a sanitizer's runtime does not go together with RTLD_DEEPBIND. With --interface it prints the version of
// the interface and Halide's.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/PluginInterface.h"
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>

int main(int argc, char **argv) {
  if (argc == 2 && std::strcmp(argv[1], "--interface") == 0) {
    std::cout << onnx_aot_halide_interface() << " " << onnx_aot_halide_version() << "\n";
    return 0;
  }
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  auto write = [](void *, const char *bytes, size_t size) { std::cout.write(bytes, std::streamsize(size)); };
  int status = onnx_aot_halide_compile(text.data(), text.size(), write, nullptr);
  std::cout.flush();
  return std::cout ? status : 1;
}
