"""Runs ONNX's own test cases: each model is compiled ahead of time, linked, run and compared, in a process of its own.

usage: run.py --runner onnx-aot-run --cases FOLDER|ARCHIVE --work DIR --expected-failures FILE [--json FILE]
              [--update] [--filter REGEX] [--listed] [--jobs N] [--timeout SECONDS]

1. A case is a folder with model.onnx and test_data_set_N/{input,output}_K.pb. An archive is unpacked below --work once.
2. Every case runs in `nproc` parallel processes, so that a crash or an endless loop is the failure of one case.
   Outputs that are random by definition are written out and compared by dtype and shape alone.
3. A table per operator shows what passed, what failed as expected and what did not.
4. FILE lists the expected failures, `NAME: REASON` per line, and may only shrink: a case listed there that passes is
   an error, and so is a case that fails without being listed, or that crashes. --update writes the list anew; --filter
   and --listed (those in the list alone) run, and update, only some cases.

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
import subprocess
import sys
import tarfile

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

Result = collections.namedtuple("Result", "name passed reason operators")


# --- Protobuf, as much of it as dtype, shape and operator names need.


def fields(data):
    """(number, value) of each field of a message: an int, or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            yield tag >> 3, data[at : at + size]
            at += size


def tensor_type(path):
    """(dtype, dims) of a TensorProto file."""
    dtype, dims = 0, []
    for number, value in fields(path.read_bytes()):
        if number == 1 and isinstance(value, int):
            dims.append(value)
        elif number == 1:
            dims += [number for number in unpack_varints(value)]
        elif number == 2:
            dtype = value
    return dtype, dims


def unpack_varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield value
            value = shift = 0


def operators(model):
    """The operators in a model's main graph: ModelProto.graph = 7, GraphProto.node = 1, NodeProto.op_type = 4."""
    found = set()
    try:
        for number, graph in fields(model.read_bytes()):
            if number == 7:
                for inner, node in fields(graph):
                    if inner == 1:
                        found.update(value.decode() for field, value in fields(node) if field == 4)
    except (IndexError, UnicodeDecodeError, TypeError):
        pass
    return sorted(found)


# --- One case.


def run_tool(command, timeout):
    """Runs a command; returns None when it ended well, otherwise the reason in one line."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"{CRASH}no result within {timeout} s)"
    if process.returncode == 0:
        return None
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    reason = errors[0] if errors else ""
    if process.returncode < 0:
        return f"{CRASH}{signal.Signals(-process.returncode).name}) {reason}"
    if process.returncode > 1:
        return f"{CRASH}exit status {process.returncode}) {reason}"
    return reason or f"exit status {process.returncode} without a message"


def tidy(reason, case):
    """A reason that is the same on every machine: without paths and the tool's prefix."""
    reason = reason.replace(str(case) + "/", "").replace(str(case.parent) + "/", "")
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


def run_case(case, name, options):
    data_sets = sorted(case.glob("test_data_set_*"))
    reason = None if data_sets else "no test data"
    for data_set in data_sets:
        command = [options.runner, str(case / "model.onnx"), "--inputs", str(data_set), "--verify-contracts"]
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
    return Result(name, reason is None, tidy(reason, case) if reason else "", operators(case / "model.onnx"))


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runner", required=True)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--expected-failures", required=True, type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--listed", action="store_true")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=60)
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    root = find_cases(options)
    report = {"passed": 0, "failed": []}
    if root is None:
        report["skipped"] = {f"no test cases at {options.cases.name}": 1}
        print(f"skipped: there is no {options.cases}")
    else:
        cases = {path.parent.relative_to(root).as_posix(): path.parent for path in root.rglob("model.onnx")}
        before = read_expected(options.expected_failures)
        chosen = {name: case for name, case in sorted(cases.items())
                  if re.search(options.filter, name) and (name in before or not options.listed)}
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(lambda item: run_case(item[1], item[0], options), chosen.items()))
        if options.update:
            failures = {result.name: result.reason for result in results
                        if not result.passed and not result.reason.startswith(CRASH)}
            kept = {name: why for name, why in before.items() if name in cases and name not in chosen}
            lines = [f"{name}: {why}\n" for name, why in sorted({**kept, **failures}.items())]
            options.expected_failures.write_text(HEADER + "".join(lines))
        expected = read_expected(options.expected_failures)
        print_table(results, expected)
        for result in results:
            if result.passed and result.name in expected:
                report["failed"].append(f"{result.name} passes: remove it from {options.expected_failures.name}")
            elif not is_expected(result, expected):
                report["failed"].append(f"{result.name}: {result.reason}")
        for name in sorted(set(expected) - set(cases)):
            report["failed"].append(f"{name} is listed in {options.expected_failures.name}, but there is no such case")
        report["passed"] = sum(result.passed for result in results)
        report["expected_failures"] = sum(not result.passed and is_expected(result, expected) for result in results)
        report["cases"] = [result._asdict() for result in results]
        for failure in report["failed"]:
            print("FAILED " + failure)
        print(f"{report['passed']} of {len(results)} cases pass, {len(report['failed'])} unexpected results")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
