"""Runs ONNX's own test cases: each model is compiled ahead of time, linked, run and compared, in a process of its own.

usage: run.py --runner onnx-aot-run --cases FOLDER|ARCHIVE --work DIR --expected-failures FILE [--json FILE]
              [--erase-dims] [--through-c COMPILER] [--count] [--update] [--filter REGEX] [--listed] [--every K] [--jobs N] [--timeout SECONDS]

1. A case is a folder with model.onnx and test_data_set_N/{input,output}_K.pb. An archive is unpacked below --work once.
2. Every case runs in `nproc` parallel processes, so that a crash or an endless loop is the failure of one case.
   Outputs that are random by definition are written out and compared by dtype and shape alone.
3. A table per operator shows what passed, what failed as expected and what did not.
4. FILE lists the expected failures, `NAME: REASON` per line, and may only shrink: a case listed there that passes is
   an error, and so is a case that fails without being listed, or that crashes. --update writes the list anew; --filter,
   --listed (those in the list alone) and --every K (each K-th) run, and update, only some cases.
5. --erase-dims erases the dims of all inputs in a copy of each model (models.py), which is what is compiled then. Cases
   that are not well formed without them are counted apart. The reason for each is one of models.py's rules.
6. --count adds how many of the cases that need neither strings nor ai.onnx.ml nor ImageDecoder pass, and names the
   others, with the reason for each. What a case needs is read in its model.

7. --through-c writes each model as C (--emit-c), compiles that with COMPILER, e.g. "gcc -O1 -fsanitize=undefined", as
   C99 with all warnings as errors, and runs the result.

The exit status is 0 only if every result was the expected one. Cases that are not there (no such folder or archive)
are skipped with that reason.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import contained  # noqa: E402
import kernels  # noqa: E402
import through_c  # noqa: E402
from models import NEEDS, TENSOR_DIMS, TENSOR_TYPE, Message, erase_dims, ill_formed, needs, operators  # noqa: E402

HEADER = """\
# Test cases that onnx-aot does not pass yet, with the reason. This list may only shrink: the runner reports a case that
# passes and is listed here as an error. Written by `test/conformance/run.py --update`.
"""
# Operators whose results are random by definition.
RANDOM_CASES = re.compile(r"test_(bernoulli|random|multinomial)")
# ONNX's own tolerances; outputs in half precision and bfloat16 may differ by two units in the last place.
RTOL, ATOL = 1e-3, 1e-7
RTOL_OF_TYPE = {10: 2 * 2**-10, 16: 2 * 2**-7}
# What the reason begins with where the tool ended neither well nor with a refusal: never an expected failure.
CRASH = "crash ("

Result = collections.namedtuple("Result", "name passed reason operators needs")


def tensor_type(path):
    """(dtype, dims) of a TensorProto file; (0, []) for what is none (a sequence or an optional)."""
    try:
        tensor = Message(path.read_bytes())
        return tensor.first(TENSOR_TYPE, 0), tensor.ints(TENSOR_DIMS)
    except (TypeError, ValueError, IndexError):
        return 0, []


# --- One case.


def run_tool(command, timeout):
    """Runs a command; returns None when it ended well, otherwise the reason in one line."""
    status, lines = contained.run(command, timeout)
    if status is None:
        return f"{CRASH}no result within {timeout} s)"
    if status == 0:
        return None
    errors = [line for line in lines if "error" in line.lower()] or lines
    reason = errors[0] if errors else ""
    if status < 0:
        return f"{CRASH}{signal.Signals(-status).name}) {reason}"
    if status > 1:
        return f"{CRASH}exit status {status}) {reason}"
    return reason or f"exit status {status} without a message"


def tidy(reason, case, path):
    """A reason that is the same on every machine: without paths and the tool's prefix."""
    for folder in (path, case, case.parent):
        reason = reason.replace(str(folder) + "/", "")
    return re.sub(r"^onnx-aot(-run)?: (error: )?(model\.onnx: )?", "", reason)[:160].strip()


def random_differs(data_set, out):
    """Why the .npy files in `out` do not have the dtypes and shapes of the expected outputs; None if they do."""
    types = {1: "<f4", 10: "<f2", 11: "<f8", 9: "|b1", 2: "|u1", 3: "|i1", 6: "<i4", 7: "<i8", 12: "<u4", 13: "<u8"}
    listed = [line.split()[1] for line in (out / "io.txt").read_text().splitlines() if line.startswith("out ")]
    for k, file in enumerate(listed):
        dtype, dims = tensor_type(data_set / f"output_{k}.pb")
        header = (out / file).read_bytes()[:512].decode("latin-1")
        shape = [int(extent) for extent in re.search(r"'shape': \(([^)]*)\)", header).group(1).split(",") if extent.strip()]
        if shape != dims or f"'{types.get(dtype)}'" not in header:
            return f"output {k} has another type or shape than expected"
    return None


def read_model(case):
    """The model of a case as a message; an empty one where the file is none."""
    try:
        return Message((case / "model.onnx").read_bytes())
    except (ValueError, TypeError):
        return Message()


def compile_through_c(path, data_set, name, options):
    """Writes the model as C, made for the inputs of the data set, and compiles that; returns (library, reason)."""
    source = options.work / "c" / name / "model.c"
    write, compile_ = through_c.commands(options.runner, path, [data_set], source, options.through_c)
    reason = run_tool(write, options.timeout)
    if not reason:
        reason = run_tool(compile_, options.timeout)
        reason = f"the C compiler: {reason}" if reason else None
    return source.with_suffix(".so"), reason


def run_case(case, name, options):
    model, path = read_model(case), case / "model.onnx"
    if options.erase_dims:
        path = options.work / "erased" / name / "model.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(erase_dims(read_model(case))))
    data_sets = sorted(case.glob("test_data_set_*"))
    reason = None if data_sets else "no test data"
    for data_set in data_sets:
        command = [options.runner, str(path), "--inputs", str(data_set), "--verify-contracts", *kernels.flags(options)]
        if options.through_c:
            library, reason = compile_through_c(path, data_set, name, options)
            if reason:
                break
            command = [options.runner, str(library), "--inputs", str(data_set)]
        if RANDOM_CASES.match(case.name):
            out = options.work / "out" / case.name
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir(parents=True)
            reason = run_tool(command + ["--out", str(out)], options.timeout) or random_differs(data_set, out)
        else:
            rtol = max((RTOL_OF_TYPE.get(tensor_type(path)[0], RTOL) for path in data_set.glob("output_*.pb")), default=RTOL)
            command += ["--expect", str(data_set), "--rtol", str(rtol), "--atol", str(ATOL)]
            reason = run_tool(command, options.timeout)
        if reason:
            break
    return Result(name, reason is None, tidy(reason, case, path.parent) if reason else "", operators(model), needs(model))


# --- All of them.


def find_cases(options):
    """The folder with the cases; an archive is unpacked next to the other work files, once per version of it."""
    if not options.cases.exists():
        return None
    if options.cases.is_dir():
        return options.cases
    folder = options.work / "cases"
    stamp = options.work / "cases.stamp"
    identity = f"{options.cases.stat().st_size} {options.cases.stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != identity:
        shutil.rmtree(folder, ignore_errors=True)
        with tarfile.open(options.cases) as archive:
            archive.extractall(folder, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(folder)
        stamp.write_text(identity)
    return folder


def read_expected(path):
    expected = {}
    if path.exists():
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                name, _, reason = line.partition(": ")
                expected[name] = reason
    return expected


def is_expected(result, expected):
    return result.passed != (result.name in expected) and not result.reason.startswith(CRASH)


def print_table(results, expected):
    """One line per operator; a case with several operators counts for the one its name mentions, or for its folder."""
    rows = collections.defaultdict(lambda: [0, 0, 0])
    for result in results:
        named = [op for op in result.operators if op.lower() in result.name.replace("_", "").lower()]
        row = max(named, key=len) if named else (result.operators[0] if len(result.operators) == 1 else "(several)")
        rows[row][2 if not is_expected(result, expected) else 0 if result.passed else 1] += 1
    print(f"{'operator':32} {'passed':>7} {'expected failures':>18} {'unexpected':>11}")
    for row, counts in sorted(rows.items()):
        print(f"{row:32} {counts[0]:7} {counts[1]:18} {counts[2]:11}")
    totals = [sum(counts[i] for counts in rows.values()) for i in range(3)]
    print(f"{'all':32} {totals[0]:7} {totals[1]:18} {totals[2]:11}")


def print_count(results):
    """How many cases without strings, ai.onnx.ml and ImageDecoder pass, and which of them do not."""
    numeric = [result for result in results if not result.needs]
    others = [result for result in numeric if not result.passed]
    for result in others:
        print(f"does not pass: {result.name}: {result.reason}")
    for need in NEEDS:
        print(f"{sum(result.needs == need for result in results):5} cases need {need}")
    passed = len(numeric) - len(others)
    share = f" ({100 * passed / len(numeric):.1f}%)" if numeric else ""
    print(f"{passed} of {len(numeric)} cases without strings/ai.onnx.ml/ImageDecoder pass{share}")


def choose(cases, expected, options):
    """The cases to run, and with --erase-dims the ones that are not well formed, with the reason."""
    chosen = {name: case for name, case in sorted(cases.items())
              if re.search(options.filter, name) and (name in expected or not options.listed)}
    apart = {}
    if options.erase_dims:
        apart = {name: why for name, case in chosen.items() if (why := ill_formed(read_model(case)))}
    chosen = [item for item in chosen.items() if item[0] not in apart]
    return dict(chosen[:: options.every]), apart


def run_all(cases, options, report):
    expected = read_expected(options.expected_failures)
    chosen, apart = choose(cases, expected, options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda item: run_case(item[1], item[0], options), chosen.items()))
    if options.update:
        failures = {result.name: result.reason for result in results
                    if not result.passed and not result.reason.startswith(CRASH)}
        kept = {name: why for name, why in expected.items() if name in cases and name not in chosen and name not in apart}
        expected = {**kept, **failures}
        lines = [f"{name}: {why}\n" for name, why in sorted(expected.items())]
        options.expected_failures.write_text(HEADER + "".join(lines))
    print_table(results, expected)
    for result in results:
        if result.passed and result.name in expected:
            report["failed"].append(f"{result.name} passes: remove it from {options.expected_failures.name}")
        elif not is_expected(result, expected):
            report["failed"].append(f"{result.name}: {result.reason}")
    for name in sorted(set(expected) - set(cases)):
        report["failed"].append(f"{name} is listed in {options.expected_failures.name}, but there is no such case")
    for name in sorted(set(expected) & set(apart)):
        report["failed"].append(f"{name} is listed in {options.expected_failures.name}, but is not well formed")
    report["passed"] = sum(result.passed for result in results)
    report["expected_failures"] = sum(not result.passed and is_expected(result, expected) for result in results)
    report["not_well_formed"] = apart
    report["cases"] = [result._asdict() for result in results]
    for failure in report["failed"]:
        print("FAILED " + failure)
    if options.erase_dims:
        if options.count:
            for name, why in sorted(apart.items()):
                print(f"not well formed: {name}: {why}")
        print(f"{len(apart)} cases are not well formed without the dims of their inputs")
    if options.count:
        print_count(results)
    print(f"{report['passed']} of {len(results)} cases pass, {len(report['failed'])} unexpected results")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", required=True)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--expected-failures", required=True, type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--erase-dims", action="store_true")
    parser.add_argument("--through-c", metavar="COMPILER")
    kernels.add_argument(parser)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--listed", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    root = find_cases(options)
    report = {"passed": 0, "failed": []}
    if missing := kernels.missing(options.runner, options):
        report["skipped"] = {missing: 1}
        print(f"skipped: {missing}")
    elif root is None:
        report["skipped"] = {f"no test cases at {options.cases.name}": 1}
        print(f"skipped: there is no {options.cases}")
    else:
        cases = {path.parent.relative_to(root).as_posix(): path.parent for path in root.rglob("model.onnx")}
        run_all(cases, options, report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
