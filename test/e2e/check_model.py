"""Everything that the outside of a compiled model promises, for one model and one dataset.

usage: check_model.py --work DIR --allowed-symbols FILE [--sanitize-c] MODEL.onnx --data DATASET [flags for onnx-aot ...]

1. onnx-aot makes NAME.o and NAME.h.
2. The header compiles as C99 and as C++17 with all warnings as errors.
3. `nm -u` shows nothing but what the allow-list has.
4. The object, linked by `cc` with driver.c, gives the reference outputs within the default tolerance.
5. onnx-aot makes NAME.c and the same NAME.h, which every C compiler that is here takes as C99 with all warnings as
   errors: gcc and clang, and arm-none-eabi-gcc where it is installed. It needs no function but memcpy and its like, and
   gives the reference outputs, compiled with optimisation and, with --sanitize-c, once more with the address and undefined
   behaviour sanitizers, which takes long for large models. Not where a flag chooses a target: C is for any.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def run(*command):
    """Runs a command; its output is shown only when it fails, and then the test ends."""
    command = [str(word) for word in command]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode != 0:
        sys.exit(f"$ {' '.join(command)}\n{result.stdout}exit status {result.returncode}")
    return result.stdout


def allowed_symbols(path, triple):
    symbols = set()
    for line in pathlib.Path(path).read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, *names = line.split()
            if re.match(pattern, triple):
                symbols.update(names)
    return symbols


def check_header(header, work):
    for compiler, standard, suffix in (("gcc", "c99", "c"), ("g++", "c++17", "cpp")):
        source = work / ("includes." + suffix)
        # Twice, and beside the installed headers: the guards hold.
        installed = "onnx_aot/model.hpp" if suffix == "cpp" else "onnx_aot/runtime.h"
        source.write_text(f'#include "{header.name}"\n#include "{header.name}"\n#include "{installed}"\n')
        run(compiler, "-std=" + standard, *WARNINGS, "-I", header.parent, "-I", HERE.parent.parent / "include", "-c",
            source, "-o", work / ("includes-" + suffix + ".o"))


def check_symbols(object_file, allowed):
    undefined = {line.split()[-1] for line in run("nm", "-u", object_file).splitlines()}
    if undefined - allowed:
        sys.exit(f"{object_file.name} needs symbols that are not allowed: {' '.join(sorted(undefined - allowed))}")


def typed_call(prefix, dataset):
    """The call of the typed function for driver.c: as many inputs and outputs as the dataset has."""
    roles = [line.split()[0] for line in (dataset / "io.txt").read_text().splitlines() if line.strip()]
    arguments = [f"inputs[{i}]" for i in range(roles.count("in"))]
    arguments += [f"outputs[{i}]" for i in range(roles.count("out"))]
    return f"{prefix}_run({', '.join(arguments)}, arena)"


def check_c(options, flags, prefix):
    folder = options.work / "c"
    folder.mkdir()
    source, header, program = folder / "net.c", folder / "net.h", folder / "driver"
    run("onnx-aot", options.model, "-o", source, "--name=" + prefix, "--verify-contracts", *flags)
    run("clang", "-std=c99", "-fsyntax-only", *WARNINGS, source)
    if shutil.which("arm-none-eabi-gcc"):
        run("arm-none-eabi-gcc", "-std=c99", "-Os", "-mcpu=cortex-m4", *WARNINGS, "-c", source, "-o", folder / "arm.o")
    call = ["-I", folder, f'-DHEADER="{header.name}"', f"-DMODEL={prefix}_model",
            f"-DCALL={typed_call(prefix, options.data)}", HERE / "driver.c"]
    sanitized = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    for flavour in [["-O2"]] + [sanitized] * options.sanitize_c:
        object_file = folder / "net.o"
        run("gcc", "-std=c99", *flavour, *WARNINGS, "-c", source, "-o", object_file)
        if len(flavour) == 1:
            check_symbols(object_file, {"memcpy", "memmove", "memset", "memcmp", "_GLOBAL_OFFSET_TABLE_"})
        run("gcc", "-std=c99", *flavour, *call, object_file, "-o", program, "-lm")
        run(program, options.data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--allowed-symbols", required=True)
    parser.add_argument("--sanitize-c", action="store_true")
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    options, flags = parser.parse_known_args()

    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    prefix = "model"
    object_file, header = options.work / "net.o", options.work / "net.h"
    run("onnx-aot", options.model, "-o", object_file, "--name=" + prefix, "--verify-contracts", *flags)
    check_header(header, options.work)
    check_symbols(object_file, allowed_symbols(options.allowed_symbols, os.uname().machine))

    program = options.work / "driver"
    run("cc", "-std=c99", "-O1", *WARNINGS, "-I", options.work, f'-DHEADER="{header.name}"', f"-DMODEL={prefix}_model",
        f"-DCALL={typed_call(prefix, options.data)}", HERE / "driver.c", object_file, "-o", program, "-lm")
    run(program, options.data)
    if not any(flag.startswith(("--target", "--mcpu", "--mattr")) for flag in flags):
        check_c(options, flags, prefix)


if __name__ == "__main__":
    main()
