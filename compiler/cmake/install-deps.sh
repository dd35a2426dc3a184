#!/bin/sh
# Installs from Debian's packages what building, testing and the examples need. Packages that are there are left
# alone, and a machine that has them all is not touched (no network, no root). Otherwise root or sudo is needed.
#
# Without the optional packages tests are skipped, with the reason: the sanitizers' runtimes, ONNX's test cases, strace,
# make, libpng for the examples, Halide, npm (where there is none yet) for the comparison with ONNX Runtime, and the
# compilers and emulators of other machines.
set -eu

required="
  clang-22 lld-22 liblld-22-dev llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  libprotobuf-dev protobuf-compiler libgtest-dev libgmock-dev zlib1g-dev
  cmake ninja-build gcc g++ binutils python3"
optional="ccache libpng-dev libclang-rt-22-dev libonnx-testdata make strace libhalide14-0-dev"
optional="$optional
  gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm
  gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc qemu-user
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
  gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
command -v npm >/dev/null || optional="$optional npm"

missing() {
  for package in "$@"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || printf ' %s' "$package"
  done
}

# shellcheck disable=SC2086 # the lists are meant to be split, here and below
wanted=$(missing $required $optional)
[ -n "$wanted" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: as root, or with sudo, install:$wanted" >&2
    exit 1
  fi
  as_root=sudo
fi

install() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

echo "install-deps: installing$wanted" >&2
$as_root apt-get update -q >&2 || true
install $wanted && exit 0

echo "install-deps: that failed; going on with what is needed most" >&2
wanted=$(missing $required)
[ -z "$wanted" ] || install $wanted
