"""lit's configuration: what the RUN lines below test/ can use.

Tools by name: onnx-aot, onnx-aot-opt, onnx-aot-run, FileCheck, not, split-file.

  %python            the interpreter that lit runs under; only its standard library is used
  %models            the folder of real models beside the project            (feature shared-models)
  %exported          a folder of models exported from PyTorch                (feature exported-models)
  %examples          the examples of this repository, with their small models
  %check-model       test/e2e/check_model.py: compile, inspect, link with cc, run, compare
  %fails             test/e2e/fails.py: the command must exit with 1 and leave no file behind; prints its messages
  %on-device         runs a command with the driver that interprets PTX (test/device/driver)
  %ptxas             the assembler of the CUDA Toolkit                       (feature ptxas)
  %cmake %clang %build   CMake, the compiler of this build and its build folder

Other features: x86-64 (host), tsan and asan (the sanitizers' runtimes work here), strace (processes may be traced),
libpng (for the examples), make, arm-none-eabi-gcc and qemu-arm (C output on 32 bits), firmware-tools (compilers and
emulators of microcontrollers), halide (its plugin has been built).
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import lit.formats

config.name = "onnx-aot"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".onnxtext"]
config.excludes = ["Inputs", "unit", "conformance", "bench", "CMakeLists.txt"]
config.test_source_root = config.source_dir + "/test"
config.test_exec_root = config.binary_dir + "/test"

path = [config.binary_dir + "/bin", config.llvm_tools_dir, os.environ["PATH"]]
config.environment["PATH"] = os.pathsep.join(path)
for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "CCACHE_DIR", "CCACHE_SLOPPINESS"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]


def works(*command):
    """Whether a program is there and ends well."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def sanitizer_works(name):
    with tempfile.TemporaryDirectory() as folder:
        source, program = folder + "/empty.c", folder + "/empty"
        pathlib.Path(source).write_text("int main(void) { return 0; }\n")
        return works(config.clang, "-fsanitize=" + name, source, "-o", program) and works(program)


models = pathlib.Path(config.shared_dir, "models")
exported = pathlib.Path(os.environ.get("ONNX_AOT_EXPORTED_MODELS", models))
if (models / "manifest.json").exists():
    config.available_features.add("shared-models")
    if (exported / "resnet18_op7_b8_200.onnx").exists():
        config.available_features.add("exported-models")
if config.processor in ("x86_64", "amd64"):
    config.available_features.add("x86-64")
for feature, sanitizer in (("tsan", "thread"), ("asan", "address")):
    if sanitizer_works(sanitizer):
        config.available_features.add(feature)
for tool in ("make", "arm-none-eabi-gcc", "qemu-arm"):
    if shutil.which(tool):
        config.available_features.add(tool)
if pathlib.Path(config.binary_dir, "bin", "libonnx_aot_halide.so").exists():
    config.available_features.add("halide")
if pathlib.Path("/usr/include/png.h").exists():
    config.available_features.add("libpng")
if all(map(shutil.which, ("arm-none-eabi-gcc", "riscv64-unknown-elf-gcc", "qemu-system-arm", "qemu-system-riscv64"))):
    config.available_features.add("firmware-tools")
if shutil.which("strace") and works("strace", "-f", "-o", os.devnull, "true"):
    config.available_features.add("strace")

ptxas = shutil.which("ptxas") or shutil.which("ptxas", path="/usr/local/cuda/bin")
if ptxas:
    config.available_features.add("ptxas")

e2e = config.test_source_root + "/e2e"
config.substitutions += [
    ("%python", sys.executable),
    ("%on-device", f"env LD_LIBRARY_PATH={config.binary_dir}/test/device/driver/lib ONNX_AOT_FAKE_CUDA_RACES=1"),
    ("%ptxas", ptxas or "ptxas"),
    ("%models", str(models)),
    ("%exported", str(exported)),
    ("%examples", config.source_dir + "/examples"),
    ("%check-model", f"{sys.executable} {e2e}/check_model.py --work %t --allowed-symbols {e2e}/allowed-symbols.txt"),
    ("%fails", f"{sys.executable} {e2e}/fails.py --work %t"),
    ("%e2e", e2e),
    ("%cmake", config.cmake),
    ("%clang", config.clang),
    ("%source", config.source_dir),
    ("%build", config.binary_dir),
]
