"""Every real model beside the project, all of its data sets: compiled once, run on each.

usage: sweep.py --programs DIR --models DIR [DIR ...] --left-out FILE [--slow] [--through-c COMPILER] [--work DIR]
                [--filter REGEX] [--json FILE] [--jobs N]

1. manifest.json in the first folder names the models and their data sets. Models that are too large to lie there are
   taken from the other folders (what export_models.py wrote); where a model is not there, it is skipped with that reason.
2. onnx-aot-run compiles the model once, without any --dim or --shape: what is dynamic stays so. It runs what it made on
   each data set and compares with the stored outputs, within its default tolerance. Where the reference's own results
   with and without optimisation differ by more than a thousandth of the largest value (the manifest says so; roundings
   of a quantised model), that difference is the tolerance.
3. FILE has a line `NAME: REASON` for each model that does not pass, and may only shrink: one that is listed there and
   passes is an error. Models above 6 MB are left for --slow (the nightly run).
4. --through-c writes each model as C below --work, compiles that with COMPILER, as C99 with all warnings as errors, and
   runs the result.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import contained  # noqa: E402
import kernels  # noqa: E402
import through_c  # noqa: E402

QUICK_BYTES = 6_000_000
FULL_TIMEOUT, QUICK_TIMEOUT = 1800, 300


def run_tool(command, timeout):
    """None when a command ends well, else its first error in one line."""
    status, lines = contained.run(command, timeout)
    if status is None:
        return f"no result within {timeout} s"
    if status == 0:
        return None
    lines = [line for line in lines if "error" in line.lower() or "diff" in line] or lines or [f"status {status}"]
    return re.sub(r"^onnx-aot(-run)?: (error: )?", "", lines[0])[:240]


def read_reasons(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split(": ", 1) for line in lines)


def present(options, entry):
    """The data sets of a model that are there."""
    return [dataset for dataset in entry["datasets"] if (options.models[0] / dataset["dir"]).exists()]


def sweep_model(options, entry, model):
    """None, or why one model fails: one process compiles it and runs all data sets."""
    timeout = FULL_TIMEOUT if options.slow else QUICK_TIMEOUT
    runner = options.programs / "onnx-aot-run"
    command = [runner, model, "--quiet", "--verify-contracts", *kernels.flags(options)]
    if options.through_c:
        source = options.work / (entry["name"] + ".c")
        inputs = [options.models[0] / present(options, entry)[0]["dir"]]
        for step in through_c.commands(runner, model, inputs, source, options.through_c):
            if failure := run_tool(step, timeout):
                return failure
        command = [runner, source.with_suffix(".so"), "--quiet"]
    for dataset in present(options, entry):
        data = options.models[0] / dataset["dir"]
        command += ["--inputs", data, "--expect", data]
    noise = max(dataset["ort_opt0_vs_opt99_max_abs"] for dataset in present(options, entry))
    if noise > max(1e-3 * dataset["out_max_abs"] for dataset in present(options, entry)):
        # Through C nothing is fused, as in objects for CPUs without fused operations; their roundings are others again.
        command += ["--rtol=1e-3", f"--atol={1.01 * noise}"]
    return run_tool(command, timeout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path, nargs="+")
    parser.add_argument("--left-out", required=True, type=pathlib.Path)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--through-c", metavar="COMPILER")
    kernels.add_argument(parser)
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--filter", default="")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()

    report = {"passed": 0, "failed": [], "skipped": {}, "left_out": {}}
    manifest = options.models[0] / "manifest.json"
    if missing := kernels.missing(options.programs / "onnx-aot-run", options):
        report["skipped"][missing] = 1
        print(f"skipped: {missing}")
        entries = []
    elif not manifest.exists():
        report["skipped"]["no models beside the project"] = 1
        print(f"skipped: there is no {manifest}")
        entries = []
    else:
        entries = [entry for entry in json.loads(manifest.read_text()) if re.search(options.filter, entry["name"])]
    reasons, chosen = read_reasons(options.left_out), []
    for entry in entries:
        found = [folder / entry["file"] for folder in options.models if (folder / entry["file"]).exists()]
        if not found or not present(options, entry):
            why = "the model is not beside the project" if not found else "it has no data sets"
        elif entry["file_bytes"] > QUICK_BYTES and not options.slow:
            why = "large: the nightly run has it"
        else:
            chosen.append((entry, found[0]))
            continue
        report["skipped"][why] = report["skipped"].get(why, 0) + 1
        print(f"skipped {entry['name']}: {why}")

    def timed(item):
        start = time.monotonic()
        return sweep_model(options, *item), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (entry, _), (failure, seconds) in zip(chosen, pool.map(timed, chosen)):
            name = entry["name"]
            if failure and name in reasons:
                report["left_out"][name] = failure
                report["skipped"][reasons[name]] = report["skipped"].get(reasons[name], 0) + 1
                print(f"left out {name}: {reasons[name]}")
            elif failure or name in reasons:
                failure = failure or f"passes: remove it from {options.left_out.name}"
                report["failed"].append(f"{name}: {failure}")
                print(f"FAILED {name}: {failure}")
            else:
                report["passed"] += 1
                print(f"passed {name} ({len(present(options, entry))} data sets, {seconds:.1f} s)", flush=True)
    print(f"{report['passed']} of {len(chosen)} models pass with all data sets, {len(report['left_out'])} left out, "
          f"{len(report['failed'])} unexpected")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
