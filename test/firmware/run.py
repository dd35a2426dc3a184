"""Models and ONNX's test cases on microcontrollers and other machines, emulated by QEMU.

usage: run.py --programs DIR --work DIR [--models DIR] [--cases SET=PATH ...] [--json FILE] [--every K] [--update]
              [--machine NAME ...] [--cases-machine NAME] [--kernels WHO] [--filter REGEX] [--no-models] [--no-cases] [--jobs N] [--all]

1. Models: each is compiled by onnx-aot for a machine (machines.py), linked by that machine's GCC with e2e/driver.c, run,
   and compared with its reference outputs; the linker may not warn, and `nm -u` shows what e2e/allowed-symbols.txt has.
   The boards with a Cortex-M4 and a Cortex-M7 run the models of FIRMWARE_MODELS, the Linux machines those of
   e2e/models/*.test (--all: also the ones that take longer there), the others one. A model with a symbolic batch is
   compiled for the shapes of its data. Where there is no folder of models, the examples of this repository run.
2. Cases: every K-th of the first SET whose PATH is there runs on the Cortex-M4 or another machine (case.c); expected-failures-SET.txt lists
   those that do not pass, with the reason, and may only shrink (--update writes it anew).

The exit status is 0 only if every result was the expected one. What needs a tool that is not there is skipped.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import types

HERE = pathlib.Path(__file__).resolve().parent
# conformance/ comes first: its runner has the name of this file.
sys.path[:0] = [str(HERE.parent / name) for name in ("conformance", "e2e", "")]
import contained  # noqa: E402
import kernels  # noqa: E402
import run as conformance  # noqa: E402  conformance/run.py
from cases import Unreadable, npy_shape, read_data_set, write_case  # noqa: E402
from check_model import allowed_symbols, typed_call  # noqa: E402
from machines import MACHINES, compile_command, missing_tools, run_command  # noqa: E402

FIRMWARE_MODELS = ("mnist_cntk", "ds_cnn_kws_op13", "ds_cnn_kws_qdq_uint8_op13", "resnet8_cifar_op13",
                   "resnet8_cifar_qdq_int8_op13", "ad_autoencoder_op13", "ad_autoencoder_qdq_int8_op13",
                   "micro_kws_m_fp32", "micro_kws_m_qdq")
SMALL_MODEL = "ds_cnn_kws_op13"
# Minutes rather than seconds where every instruction is emulated.
SLOW_MODELS = ("pytorch_superresolution", "resnet18_op7_b8_200", "squeezenet1_1_op9", "mobilenet_v2_op12_static",
               "srcnn_op11_static256", "srcnn_op11_dynhw", "basic_pitch_nmp", "ppocrv2_cls", "oww_embedding",
               "ultraface_slim_320_sim", "magika_v3_3")
# Bytes of an object from which a board keeps its weights in its large memory.
MOST_IN_CODE = {"cortex-m55": 256 << 10}
CASES_MACHINE = "cortex-m4"
INCLUDE = HERE.parent.parent / "include"

Job = collections.namedtuple("Job", "name machine model data flags")


class Failed(Exception):
    pass


def run(command, timeout=600, cwd=None):
    """What a command prints; its first error becomes the reason of a Failed."""
    command = [str(word) for word in command]
    status, lines = contained.run(command, timeout)
    if status != 0:
        # The linker's own line comes before collect2's.
        said = re.compile("error|warning|undefined|overflowed", re.IGNORECASE)
        errors = [line for line in lines if said.search(line)] or lines[-1:] or [f"exit status {status}"]
        raise Failed("no result in time" if status is None else errors[0])
    return lines


def compile_model(options, machine, model, folder, flags):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run([options.programs / "onnx-aot", model, "-o", folder / "model.o", "--name=model", *machine.target,
         *kernels.flags(options), *flags])
    symbols = allowed_symbols(HERE.parent / "e2e" / "allowed-symbols.txt", machine.name)
    undefined = {line.split()[-1] for line in run([machine.compiler.replace("gcc", "nm"), "-u", folder / "model.o"])}
    if undefined - symbols:
        raise Failed("the object needs symbols that are not allowed: " + " ".join(sorted(undefined - symbols)))
    is_large = (folder / "model.o").stat().st_size > MOST_IN_CODE.get(machine.name, 3 << 20)
    memory = "LARGE" if is_large else "CODE"
    (folder / "weights.ld").write_text(f'REGION_ALIAS("WEIGHTS", {memory})\n')


# --- Models.


def end_to_end_models(options):
    """(name, model, data, flags) of the models in e2e/models."""
    for test in sorted((HERE.parent / "e2e" / "models").glob("*.test")):
        text = test.read_text().replace("%models", str(options.models))
        for model, data, flags in re.findall(r"^RUN: %check-model (?:--\S+ )*(\S+\.onnx) --data (\S+)(.*)$", text, re.MULTILINE):
            if pathlib.Path(model).exists() and pathlib.Path(data).exists():
                yield pathlib.Path(data).name, model, pathlib.Path(data), shlex.split(flags)


def own_models(options):
    """The examples' models, with what this machine computes as the reference."""
    for name in ("digits_c/digits", "superres_cpp/superres"):
        model = HERE.parent.parent / "examples" / (name + ".onnx")
        data = options.work / "own" / model.stem
        shutil.rmtree(data, ignore_errors=True)
        flags = ["--dim", "height=16", "--dim", "width=16"] if model.stem == "superres" else []
        run([options.programs / "onnx-aot-run", model, *flags, "--out", data])
        yield model.stem, model, data, []


def model_jobs(options):
    if not (options.models and (options.models / "manifest.json").exists()):
        return [Job(name, machine, *rest) for name, *rest in own_models(options) for machine in MACHINES]
    jobs = []
    for machine in MACHINES:
        if machine in ("armv7a", "aarch64", "riscv64v"):
            jobs += [Job(name, machine, *rest) for name, *rest in end_to_end_models(options)
                     if options.all or name.partition("@")[0] not in SLOW_MODELS]
        else:
            names = FIRMWARE_MODELS if options.all or machine in ("cortex-m4", "cortex-m7") else (SMALL_MODEL,)
            jobs += [Job(name, machine, options.models / (name + ".onnx"), options.models / "data" / name, []) for name in names]
    return jobs


def run_model(options, job):
    machine = MACHINES[job.machine]
    folder = options.work / job.machine / job.name
    shapes = []
    for line in (job.data / "io.txt").read_text().splitlines():
        role, file, name = line.split(maxsplit=2) if line.strip() else ("", "", "")
        if role == "in":
            shapes.append(f"--shape={name}=" + "x".join(map(str, npy_shape(job.data / file))))
    compile_model(options, machine, job.model, folder, [*job.flags, *shapes])
    program = folder / "driver"
    run([*compile_command(machine, program, HERE.parent / "e2e" / "driver.c", folder / "model.o"), "-std=gnu99", "-L", folder,
         "-I", folder, '-DHEADER="model.h"', "-DMODEL=model_model", f"-DCALL={typed_call('model', job.data)}"])
    run(run_command(machine, program, job.data), timeout=options.timeout)


# --- Cases.


def build_case_program(options, machine):
    """The part of a case's program that is the same for all of them."""
    folder = options.work / machine.name / "parts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = [HERE / "case.c", *machine.sources]
    for part in parts:
        run([machine.compiler, *(flag for flag in machine.flags if not flag.startswith("-T")), "-O1", "-std=gnu11", "-Wall",
             "-Wextra", "-Werror", "-I", INCLUDE, "-c", part, "-o", folder / (part.stem + ".o")])
    return machine._replace(sources=[folder / (part.stem + ".o") for part in parts])


def run_case(options, machine, case, name):
    folder = options.work / machine.name / "cases" / name
    model = conformance.read_model(case)
    data_sets = sorted(case.glob("test_data_set_*"))
    loaded = [read_data_set(model, data_set) for data_set in data_sets]
    compile_model(options, machine, case / "model.onnx", folder, ["--allocator=context", *loaded[0][2]])
    files = []
    for k, (inputs, outputs, _) in enumerate(loaded):
        rtol = max((conformance.RTOL_OF_TYPE.get(dtype, conformance.RTOL) for dtype, _, _ in outputs), default=0)
        files.append(folder / f"{k}.case")
        compares = not conformance.RANDOM_CASES.match(case.name)
        write_case(files[-1], inputs, outputs, compares, rtol, conformance.ATOL)
    run([*compile_command(machine, folder / "case", folder / "model.o"), "-L", folder])
    run(run_command(machine, folder / "case", *files), timeout=options.timeout)
    shutil.rmtree(folder)


def run_cases(options, report):
    machine = MACHINES[options.cases_machine]
    if missing := missing_tools(machine):
        report["skipped"]["needs " + " and ".join(missing)] += 1
        return
    found = [(name, path) for name, path in (one.split("=", 1) for one in options.cases) if pathlib.Path(path).exists()]
    if not found:
        report["skipped"]["no test cases"] += 1
        return
    name_of_set, path = found[0]
    work = options.work / "unpacked" / name_of_set
    work.mkdir(parents=True, exist_ok=True)
    root = conformance.find_cases(types.SimpleNamespace(cases=pathlib.Path(path), work=work))
    cases = {one.parent.relative_to(root).as_posix(): one.parent for one in root.rglob("model.onnx")}
    chosen = sorted(cases)[:: options.every]
    chosen = [name for name in chosen if re.search(options.filter, name)]
    machine = build_case_program(options, machine)

    def outcome(name):
        try:
            return run_case(options, machine, cases[name], name)
        except Unreadable as reason:
            return f"the test does not read {reason}"
        except Failed as reason:
            return conformance.tidy(str(reason), cases[name], cases[name])

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        reasons = dict(zip(chosen, pool.map(outcome, chosen)))
    list_path = HERE / f"expected-failures-{name_of_set}.txt"
    if options.update:
        kept = {name: why for name, why in conformance.read_expected(list_path).items() if name not in chosen}
        kept.update({name: why for name, why in reasons.items() if why})
        list_path.write_text(conformance.HEADER.replace("conformance/run.py", "firmware/run.py")
                             + "".join(f"{name}: {why}\n" for name, why in sorted(kept.items())))
    expected = conformance.read_expected(list_path)
    for name, why in reasons.items():
        if why and name not in expected:
            report["failed"].append(f"{machine.name} {name}: {why}")
        elif not why and name in expected:
            report["failed"].append(f"{machine.name} {name} passes: remove it from {list_path.name}")
    passed = sum(not why for why in reasons.values())
    report["passed"] += passed
    report["expected_failures"] = sum(bool(why) and name in expected for name, why in reasons.items())
    print(f"{passed} of {len(chosen)} cases pass on {machine.name}")


# --- All of it.


def run_models(options, report):
    jobs = [job for job in model_jobs(options) if not options.machine or job.machine in options.machine]
    jobs = [job for job in jobs if re.search(options.filter, job.name)]
    for machine, missing in {job.machine: missing_tools(MACHINES[job.machine]) for job in jobs}.items():
        if missing:
            count = sum(job.machine == machine for job in jobs)
            report["skipped"]["needs " + " and ".join(missing)] += count
            jobs = [job for job in jobs if job.machine != machine]

    def outcome(job):
        try:
            return run_model(options, job)
        except Failed as reason:
            return str(reason)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for job, why in zip(jobs, pool.map(outcome, jobs)):
            print(f"{job.machine:14} {job.name:36} {why or 'ok'}", flush=True)
            if why:
                report["failed"].append(f"{job.machine} {job.name}: {why}")
            else:
                report["passed"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--models", type=pathlib.Path)
    parser.add_argument("--cases", action="append", default=[])
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--cases-machine", default=CASES_MACHINE, choices=MACHINES)
    kernels.add_argument(parser)
    parser.add_argument("--machine", action="append", default=[])
    parser.add_argument("--filter", default="")
    parser.add_argument("--no-models", action="store_true")
    parser.add_argument("--no-cases", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=300)
    options = parser.parse_args()

    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    report = {"passed": 0, "failed": [], "skipped": collections.Counter()}
    if missing := kernels.missing(options.programs / "onnx-aot", options):
        report["skipped"][missing] += 1
    else:
        if not options.no_models:
            run_models(options, report)
        if not options.no_cases:
            run_cases(options, report)
    for failure in report["failed"]:
        print("FAILED " + failure)
    for reason, count in report["skipped"].items():
        print(f"skipped {count}: {reason}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
