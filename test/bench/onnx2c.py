#!/usr/bin/env python3
"""Models on a Cortex-M4 next to onnx2c: flash, RAM and instructions. Run by hand; no suite depends on it.

usage: onnx2c.py --onnx2c PROGRAM --commit HASH [--programs DIR] [--models DIR] [--only NAME ...] [--output NAME]

PROGRAM is onnx2c (github.com/kraiskil/onnx2c), built elsewhere from the commit HASH, which the table names. Each model is
compiled by onnx-aot and, through onnx2c's C, by arm-none-eabi-gcc.

flash          .text and .rodata at -Os of what a call of the run reaches
RAM            .data, .bss, the arena and the measured stack at -O3; inputs and outputs are left out on both sides
instructions   of one run at -O3, on QEMU's mps2-an386 with -icount shift=0 (onnx2c_measure.c)

The table goes to results/NAME.md with --output, else to the terminal.
"""
import argparse
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "firmware"))
from machines import MACHINES, compile_command  # noqa: E402

BOARD = MACHINES["cortex-m4"]
CPU_FLAGS = [flag for flag in BOARD.flags if flag.startswith("-m")]
MODELS = ("mnist_cntk", "mnist_cnn_op8", "mnist_mlp_op9", "ds_cnn_kws_op13", "ds_cnn_kws_qdq_uint8_op13",
          "resnet8_cifar_op13", "resnet8_cifar_qdq_int8_op13", "ad_autoencoder_op13", "ad_autoencoder_qdq_int8_op13",
          "micro_kws_m_fp32")
FLAGS = {name: ["--dim", "N=1"] for name in MODELS if name.startswith("ad_autoencoder")}
MOST_BYTES = 600_000  # of an input or output


def run(*command, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd, timeout=600)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def buffers(prefix, count):
    return "".join(f"static char {prefix}{i}[{MOST_BYTES}] __attribute__((aligned(64)));\n" for i in range(count))


def sections(thing, folder, entry):
    """Bytes of flash and of variables of what `entry` reaches in an object."""
    run("arm-none-eabi-ld", "-r", "--gc-sections", "-u", entry, thing, "-o", folder / "kept.o")
    flash = variables = 0
    for line in run("arm-none-eabi-size", "-A", folder / "kept.o").splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith("."):
            flash += int(words[1]) if re.match(r"\.(text|rodata|data|ARM\.exidx)", words[0]) else 0
            variables += int(words[1]) if re.match(r"\.(data|bss)", words[0]) else 0
    return flash, variables


def measure(thing, folder, declarations, call):
    (folder / "call.h").write_text(declarations)
    (folder / "weights.ld").write_text('REGION_ALIAS("WEIGHTS", CODE)\n')
    command = compile_command(BOARD, folder / "run.elf", f"-L{folder}", f"-I{folder}", '-DCALL_H="call.h"',
                              f"-DCALL={call}", HERE / "onnx2c_measure.c", thing)
    run(*(str(word).replace("--fatal-warnings", "--no-warnings") for word in command))
    return json.loads(run(*BOARD.emulator, "-semihosting-config", "enable=on,target=native,arg=run", "-icount",
                          "shift=0", "-kernel", folder / "run.elf"))


def of_onnx_aot(program, model, flags, folder):
    command = [program, model, "--name=m", "--quiet", *BOARD.target, *flags]
    run(*command, "-o", folder / "fast.o")
    header = (folder / "fast.h").read_text()
    parameters = re.search(r"onnx_aot_status m_run\(([^)]*)\)", header)[1].split(",")
    arena = int(re.search(r"M_ARENA_BYTES (\d+)", header)[1])
    arguments = ["arena" if "arena" in parameter else f"(void *)b{i}" for i, parameter in enumerate(parameters)]
    declarations = ('#include "fast.h"\n' + buffers("b", len(parameters)) +
                    f"static char arena[{arena} + 8] __attribute__((aligned(64)));\n")
    result = measure(folder / "fast.o", folder, declarations, f"m_run({', '.join(arguments)})")
    variables = sections(folder / "fast.o", folder, "m_run")[1]
    run(*command, "-Os", "-o", folder / "small.o")
    return {**result, "flash": sections(folder / "small.o", folder, "m_run")[0],
            "ram": variables + arena + result["stack"]}


def of_onnx2c(program, model, folder):
    (folder / "o2c.c").write_text(run(program, model))
    parameters = re.search(r"void entry\((.*?)\)\s*{", (folder / "o2c.c").read_text(), re.S)[1].count("tensor_")
    for level, name in (("-O3", "o2c_fast.o"), ("-Os", "o2c_small.o")):
        run("arm-none-eabi-gcc", *CPU_FLAGS, level, "-ffunction-sections", "-fdata-sections", "-c", folder / "o2c.c",
            "-o", folder / name)
    arguments = [f"(void *)b{i}" for i in range(parameters)]
    declarations = buffers("b", parameters) + f"void entry({', '.join(['void *'] * parameters)});\n"
    result = measure(folder / "o2c_fast.o", folder, declarations, f"entry({', '.join(arguments)})")
    variables = sections(folder / "o2c_fast.o", folder, "entry")[1]
    return {**result, "flash": sections(folder / "o2c_small.o", folder, "entry")[0],
            "ram": variables + result["stack"]}


def table(rows, commit):
    version = run("arm-none-eabi-gcc", "--version").splitlines()[0]
    lines = ["# Cortex-M4 next to onnx2c", "",
             f"onnx2c {commit}, {version}; `test/bench/onnx2c.py`, which says what the columns are.", "",
             "| model | flash | onnx2c | RAM | onnx2c | million instructions | onnx2c | ratio |", "|---|" + "---:|" * 7]
    for name, ours, theirs in rows:
        lines.append(f"| {name} | {ours['flash']:,} | {theirs['flash']:,} | {ours['ram']:,} | {theirs['ram']:,} | "
                     f"{ours['instructions'] / 1e6:.2f} | {theirs['instructions'] / 1e6:.2f} | "
                     f"{ours['instructions'] / theirs['instructions']:.2f} |")
    means = {key: math.exp(sum(math.log(ours[key] / theirs[key]) for _, ours, theirs in rows) / len(rows))
             for key in ("flash", "ram", "instructions")}
    lines += ["", "Geometric means, ours / onnx2c: " + ", ".join(f"{key} {mean:.2f}" for key, mean in means.items()) + "."]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--onnx2c", type=pathlib.Path, required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--programs", type=pathlib.Path, default=HERE.parents[1] / "build" / "bin")
    parser.add_argument("--models", type=pathlib.Path, default=HERE.parents[2] / "shared" / "models")
    parser.add_argument("--only", nargs="+", default=MODELS)
    parser.add_argument("--output")
    options = parser.parse_args()
    rows = []
    for name in options.only:
        model = options.models / f"{name}.onnx"
        with tempfile.TemporaryDirectory() as folder:
            rows.append((name, of_onnx_aot(options.programs / "onnx-aot", model, FLAGS.get(name, []), pathlib.Path(folder)),
                         of_onnx2c(options.onnx2c, model, pathlib.Path(folder))))
    text = table(rows, options.commit)
    if options.output:
        (HERE / "results" / f"{options.output}.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
