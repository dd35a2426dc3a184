#!/bin/sh
# Installs from Debian's packages what building, testing and the examples need. Packages that are there are left
# alone, and a machine that has them all is not touched (no network, no root). Otherwise root or sudo is needed.
set -eu

packages="
  clang-22 lld-22 liblld-22-dev llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools libclang-rt-22-dev
  libprotobuf-dev protobuf-compiler libonnx-dev libonnx-testdata libgtest-dev libgmock-dev libbenchmark-dev
  libpng-dev zlib1g-dev cmake ninja-build ccache gcc g++ binutils python3 strace"

missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: as root, or with sudo, install:$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "install-deps: installing$missing" >&2
$as_root apt-get update -q >&2
# shellcheck disable=SC2086 # the list is meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
