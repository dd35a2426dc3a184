#!/bin/sh
# From nothing to a running model: installs what is missing, builds onnx-aot, installs it into build/prefix, builds the
# example digits_c against that, and lets it read a digit from an image (three.png, or the image given).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
image=${1:-$here/digits_c/three.png}
cd "$here/.."

compiler/cmake/install-deps.sh
export CCACHE_SLOPPINESS=pch_defines,time_macros
cmake --preset release
cmake --build --preset release --target onnx-aot onnx-aot-run onnx-aot-opt
cmake --install build --prefix build/prefix

cmake -S "$here/digits_c" -B build/examples/digits_c -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$PWD/build/prefix"
cmake --build build/examples/digits_c
build/examples/digits_c/digits "$image"
