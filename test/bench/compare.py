#!/usr/bin/env python3
"""Compiles models, times them next to ONNX Runtime and to plain loops, and writes the table. See README.md.

usage: test/bench/compare.py [--models DIR ...] [--only NAME ...] [--ort LIBRARY] [--output NAME] ...

For every line of models.txt: onnx-aot makes a shared library (wall time, user time and peak memory by wait4) and an
object (size); plain_loops and clang make the baseline; fma_peak measures what the CPU can do; ort_compare runs all on
one CPU (or as many as --threads says), checks that outputs agree, and times them in turns. Rows appear as they are
measured; at the end results/NAME.md and NAME.json are written.
Exit status 1 when a model that is there fails to compile, to run or to agree.
"""
import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ORT_PACKAGE = "onnxruntime-node"
ORT_VERSION = "1.30.0"
ORT_PATH = "node_modules/onnxruntime-node/bin/napi-v6/linux/%s/libonnxruntime.so.1"

Entry = collections.namedtuple("Entry", "model dataset flags")


class Failure(Exception):
    """A step that went wrong, with what it printed."""


def parse_arguments(description=__doc__, add_more=lambda parser: None):
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    shared = ROOT.parent / "shared" / "models"
    exported = os.environ.get("ONNX_AOT_EXPORTED_MODELS")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="build folder with the programs")
    parser.add_argument("--models", type=pathlib.Path, action="append",
                        help="folder of MODEL.onnx and data/DATASET; may be repeated (default: ../shared/models and "
                             "$ONNX_AOT_EXPORTED_MODELS)")
    parser.add_argument("--list", type=pathlib.Path, default=HERE / "models.txt", help="what to measure")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this model; may be repeated")
    parser.add_argument("--mcpu", default="native", help="CPU that both compilers make code for")
    parser.add_argument("--ort", type=pathlib.Path, default=os.environ.get("ONNX_AOT_ORT"),
                        help="libonnxruntime.so.1 (default: $ONNX_AOT_ORT, else it is fetched once by npm)")
    parser.add_argument("--no-fetch", action="store_true", help="never call npm")
    parser.add_argument("--fetch-only", action="store_true", help="have ONNX Runtime at hand, measure nothing")
    parser.add_argument("--no-plain", action="store_true", help="leave the plain loops out")
    parser.add_argument("--clang", default=os.environ.get("ONNX_AOT_CLANG", "clang-22"))
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="the CPU to run on")
    parser.add_argument("--threads", type=int, default=1,
                        help="threads of ONNX Runtime and other peers, on as many CPUs; our code runs in one thread")
    parser.add_argument("--compiles", type=int, default=3, help="compilations per model; the median is reported")
    parser.add_argument("--seconds", type=float, default=3, help="about how long each model is timed")
    parser.add_argument("--rounds", type=int, default=301, help="at most so many rounds per model")
    parser.add_argument("--slow-ms", type=float, default=2000,
                        help="whoever takes longer takes part in fewer rounds than the others")
    parser.add_argument("--output", default=None, help="name of the result (default: the host's CPU and the date)")
    parser.add_argument("--results", type=pathlib.Path, default=HERE / "results")
    add_more(parser)
    options = parser.parse_args()
    others = sorted(os.sched_getaffinity(0) - {options.cpu}, reverse=True)
    if not 1 <= options.threads <= len(others) + 1:
        parser.error(f"--threads={options.threads}: there are {len(others) + 1} CPUs")
    options.cpus = [options.cpu] + others[:options.threads - 1]
    if not options.models:
        options.models = [shared] + ([pathlib.Path(exported)] if exported else [])
    return options


def read_list(path, only):
    entries = []
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        if words and (not only or words[0] in only or words[1] in only):
            entries.append(Entry(words[0], words[1], words[2:]))
    return entries


def run(command, cpu=None):
    """Runs a command; returns its output and (wall seconds, user seconds, peak bytes) of that process alone."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.monotonic()
        pin = (lambda: os.sched_setaffinity(0, {cpu})) if cpu is not None else None
        process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, preexec_fn=pin)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text = out.read().decode(errors="replace")
        if process.returncode != 0:
            message = err.read().decode(errors="replace").strip()
            raise Failure(f"{pathlib.Path(command[0]).name} ended with {process.returncode}: {message[:2000]}")
    return text, (wall, usage.ru_utime, usage.ru_maxrss * 1024)


def find(folders, *names):
    for folder in folders:
        for name in names:
            if (folder / name).exists():
                return folder / name
    return None


def find_ort(options):
    """The library, or None and the reason."""
    if options.ort:
        path = pathlib.Path(options.ort)
        return (path, None) if path.exists() else (None, f"no ONNX Runtime: {path} does not exist")
    processor = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    folder = options.build / "bench" / "ort"
    library = folder / (ORT_PATH % processor)
    if library.exists():
        return library, None
    if options.no_fetch:
        return None, "no ONNX Runtime: give --ort or set ONNX_AOT_ORT"
    if not shutil.which("npm"):
        return None, "no ONNX Runtime: npm is not installed"
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, ONNXRUNTIME_NODE_INSTALL="skip")
    result = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--fetch-retries=1", "--prefix", str(folder),
                             f"{ORT_PACKAGE}@{ORT_VERSION}"], env=environment, capture_output=True, text=True)
    if library.exists():
        return library, None
    lines = (result.stderr or result.stdout).strip().splitlines() or ["no library in the package"]
    return None, f"no ONNX Runtime: npm install failed: {lines[0]}"


def compile_ours(options, model, flags, work):
    """Our shared library, with what its compilation took, and the size of the object."""
    command = [options.programs / "onnx-aot", model, "--name=model", "--quiet", "--mcpu=" + options.mcpu, *flags]
    library, usages = work / "ours.so", []
    for _ in range(options.compiles):
        _, usage = run([*command, "-o", library], options.cpu)
        usages.append(usage)
    report = work / "report.json"
    try:
        run([*command, f"--report={report}", "-o", work / "ours.o"], options.cpu)
    except Failure:  # reports are refused
        run([*command, "-o", work / "ours.o"], options.cpu)
    wall, user, peak = (statistics.median(column) for column in zip(*usages))
    return library, {"compile_s": wall, "compile_user_s": user, "compile_peak_bytes": peak,
                     "object_bytes": (work / "ours.o").stat().st_size,
                     "multiply_adds": json.loads(report.read_text()).get("multiply_adds") if report.exists() else None}


def cpu_flag(options):
    return ("-mcpu=" if platform.machine() == "aarch64" else "-march=") + options.mcpu


def compile_plain(options, model, flags, work):
    run([options.programs / "plain_loops", model, work, "--mcpu=" + options.mcpu, *flags])
    library = work / "plain.so"
    _, usage = run([options.clang, "-O3", cpu_flag(options), "-Wno-override-module", "-fPIC", "-shared", "-nostdlib",
                    work / "plain.ll", work / "weights.s", "-o", library], options.cpu)
    return library, {"plain_compile_s": usage[0]}


def compile_peak(options, folder):
    """What measures the peak of multiply-adds, or None and the reason."""
    try:
        run([options.clang, "-O3", "-ffp-contract=fast", cpu_flag(options), HERE / "fma_peak.c", "-o",
             folder / "fma_peak"])
    except (Failure, OSError) as failure:
        return None, f"no peak of multiply-adds: {failure}"
    return folder / "fma_peak", None


def measure_peak(options):
    if not options.peak:
        return {}
    rate, bits = run([options.peak], options.cpu)[0].split()
    return {"fma_peak_gflops": float(rate), "fma_peak_bits": int(bits)}


def contest(options, data, model, ort, libraries, peers=()):
    """The command that times a model; `libraries` and `peers` are pairs of a name and a file."""
    command = [options.programs / "ort_compare", "--data", data, "--seconds", options.seconds, "--rounds",
               options.rounds, "--slow-ms", options.slow_ms, "--threads", options.threads, "--cpu",
               ",".join(map(str, options.cpus))]
    if options.threads > 1:  # long enough for threads that wait for work to fall asleep
        command += ["--pause-ms", 50, "--sample-ms", 20]
    if ort:
        command += ["--ort", ort, "--onnx", model]
    for flag, files in (("--lib", libraries), ("--peer", peers)):
        for name, file in files:
            command += [flag, f"{name}={file}"]
    return command


def measure(options, entry, model, data, ort):
    with tempfile.TemporaryDirectory(prefix="onnx-aot-bench-") as folder:
        work = pathlib.Path(folder)
        library, row = compile_ours(options, model, entry.flags, work)
        libraries = [("ours", library)]
        if not options.no_plain:
            plain, plain_row = compile_plain(options, model, entry.flags, work)
            row.update(plain_row)
            libraries.append(("plain", plain))
        row.update(measure_peak(options))
        text, _ = run(contest(options, data, model, ort, libraries))
        row.update(json.loads(text))
    return row


# The table: heading, and the value of a row as text.
def milliseconds(name):
    def value(row):
        ms = row["contestants"].get(name, {}).get("median_ms")
        return "" if ms is None else f"{ms:#.4g}" if ms < 1000 else f"{ms:.0f}"
    return value


def ratio(name):
    def value(row):
        faster = row["faster_than"].get(name, {})
        return "" if faster.get("median") is None else \
            f"{faster['median']:.2f} ({faster['p10']:.2f}-{faster['p90']:.2f})"
    return value


def gflops(name):
    def value(row):
        rate = rate_of(row, name)
        return f"{rate:#.3g}".rstrip(".") if rate else ""
    return value


def rate_of(row, name):
    """GFLOP/s, two of them per multiply-add of the direct algorithm; None where their number is not known."""
    ms, count = row["contestants"].get(name, {}).get("median_ms"), row["multiply_adds"]
    return 2 * count / ms / 1e6 if ms and count else None


def peak(row):
    return f"{row['fma_peak_gflops']:.0f} ({row['fma_peak_bits']})" if "fma_peak_gflops" in row else ""


def share_of_peak(row):
    rate = rate_of(row, "ours")
    return f"{100 * rate / row['fma_peak_gflops']:.0f}" if rate and "fma_peak_gflops" in row else ""


COLUMNS = [
    ("model", lambda row: row["dataset"]),
    ("ORT ms", milliseconds("ort")),
    ("ours ms", milliseconds("ours")),
    ("ORT / ours", ratio("ort")),
    ("plain loops ms", milliseconds("plain")),
    ("plain / ours", ratio("plain")),
    ("GFLOP/s", gflops("ours")),
    ("peak GFLOP/s (bits)", peak),
    ("% of peak", share_of_peak),
    ("compile s", lambda row: f"{row['compile_s']:.2f}"),
    ("user s", lambda row: f"{row['compile_user_s']:.2f}"),
    ("peak MB", lambda row: f"{row['compile_peak_bytes'] / 1e6:.0f}"),
    (".o KB", lambda row: f"{row['object_bytes'] / 1000:.0f}"),
    ("arena KB", lambda row: f"{row['arena_bytes'] / 1000:.1f}"),
]


def cpu_name():
    try:
        match = re.search(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        return match.group(1).strip() if match else platform.processor()
    except OSError:
        return platform.processor()


def describe_machine(options, ort_version):
    def first_line(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()
        except (OSError, IndexError):
            return "unknown"

    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_name(),
        "cpus": os.cpu_count(),
        "pinned_to": options.cpus,
        "threads": options.threads,
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "kernel": platform.release(),
        "mcpu": options.mcpu,
        "revision": first_line("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "onnx_aot": first_line(str(options.programs / "onnx-aot"), "--version"),
        "clang": first_line(options.clang, "--version"),
        "onnx_runtime": ort_version,
    }


def geometric_mean(values):
    values = [value for value in values if value]
    return statistics.geometric_mean(values) if values else None


def describe(machine):
    pinned = ", ".join(map(str, machine["pinned_to"]))
    return (f"{machine['date']}; {machine['cpu']}, {machine['cpus']} CPUs, pinned to CPU {pinned}; load "
            f"{machine['load_average'][0]} at the end; `--mcpu={machine['mcpu']}`; {machine['onnx_aot']} at "
            f"{machine['revision']}; {machine['clang']}; ONNX Runtime {machine['onnx_runtime']}.")


def describe_threads(machine):
    if machine["threads"] == 1:
        return "One thread."
    return f"The peers have {machine['threads']} threads on as many CPUs; ours, plain loops and the peak have one."


def markdown(machine, rows, skipped, notes):
    lines = ["# Compiled models next to ONNX Runtime and plain loops", ""]
    lines += [describe(machine), ""]
    lines += [f"{describe_threads(machine)} Times are medians over interleaved rounds; a ratio is the median of the "
              "ratios within the rounds (tenth to ninetieth percentile) and above 1 where ours is faster. GFLOP/s are "
              "ours, by the multiply-adds of the direct algorithms; the peak is that of one thread with vectors of so "
              "many bits.", ""]
    lines += ["| " + " | ".join(name for name, _ in COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(value(row) for _, value in COLUMNS) + " |" for row in rows]
    lines.append("")
    for name, label in (("ort", "ORT"), ("plain", "plain loops")):
        mean = geometric_mean([row["faster_than"].get(name, {}).get("median") for row in rows])
        if mean:
            lines.append(f"Geometric mean of {label} / ours: {mean:.2f}")
            lines.append("")
    lines += [f"- {note}" for note in notes + [f"{name}: not measured: {reason}" for name, reason in skipped]]
    return "\n".join(lines).rstrip() + "\n"


def main():
    options = parse_arguments()
    if options.fetch_only:
        # Without it the comparison is skipped: a reason to say so, not to fail.
        _, reason = find_ort(options)
        if reason:
            print(reason, file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="onnx-aot-bench-") as folder:
        copy_programs(options, pathlib.Path(folder), ("bin/onnx-aot", "bench/ort_compare", "bench/plain_loops"))
        options.peak, reason = compile_peak(options, pathlib.Path(folder))
        return compare(options, reason)


def copy_programs(options, folder, programs):
    """Copies, so that all rows are made by the same programs whatever is built meanwhile."""
    options.programs = folder
    for program in programs:
        if not (options.build / program).exists():
            sys.exit(f"{options.build / program} is missing: build the project first")
        shutil.copy2(options.build / program, folder)
    plugin = options.build / "bin" / "libonnx_aot_halide.so"  # which not every build has
    if plugin.exists():
        shutil.copy2(plugin, folder)


def compare(options, no_peak):
    ort, no_ort = find_ort(options)
    notes = [reason for reason in (no_ort, no_peak) if reason]
    for note in notes:
        print(note, file=sys.stderr)

    rows, skipped, failed = [], [], 0
    print("  ".join(name for name, _ in COLUMNS), flush=True)
    for entry in read_list(options.list, options.only):
        model = find(options.models, entry.model + ".onnx")
        data = find(options.models, "data/" + entry.dataset)
        if not model or not data:
            skipped.append((entry.dataset, "the model is not here" if not model else "its dataset is not here"))
            print(f"{entry.dataset}: {skipped[-1][1]}", flush=True)
            continue
        try:
            row = measure(options, entry, model, data, ort)
        except (Failure, OSError) as failure:
            failed += 1
            skipped.append((entry.dataset, str(failure)))
            print(f"{entry.dataset}: {failure}", flush=True)
            continue
        row = {"model": entry.model, "dataset": entry.dataset, "flags": entry.flags, **row}
        rows.append(row)
        print("  ".join(value(row) or "-" for _, value in COLUMNS), flush=True)

    versions = {row["ort_version"] for row in rows} - {""}
    machine = describe_machine(options, ", ".join(sorted(versions)) or "not measured")
    name = options.output or re.sub(r"[^A-Za-z0-9]+", "-", cpu_name()).strip("-").lower() + "-" + machine["date"][:10]
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / (name + ".md")).write_text(markdown(machine, rows, skipped, notes))
    (options.results / (name + ".json")).write_text(
        json.dumps({"machine": machine, "rows": rows, "not_measured": skipped}, indent=1) + "\n")
    print(f"wrote {options.results / name}.md and .json")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
