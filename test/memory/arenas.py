"""How near the arenas of real models come to the least that they need.

usage: arenas.py --compiler build/bin/onnx-aot --models DIR [--target TRIPLE] [--mcpu CPU] [--filter REGEX]
                 [--markdown FILE] [--most RATIO] [--json FILE]

1. manifest.json in the folder names the models; those that are static and lie there are compiled with --report.
2. Its `memory` tells the arena's bytes and the lower bound: the largest sum of buffers that are in use at the same time, in
   the order in which the code runs, where those that work in place of another count once. Padding does not count.
3. Prints a line per model and the geometric mean of the ratios; exits with 1 where that is above --most. A model without
   an arena, where both are 0, counts as 1.
"""
import argparse
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import time


def plan(options, model, folder):
    """The report's memory for one model, or why there is none."""
    report = folder / "report.json"
    command = [options.compiler, model, "-o", folder / "model.o", "--quiet", f"--report={report}"]
    command += [f"--target={options.target}"] if options.target else []
    command += [f"--mcpu={options.mcpu}"] if options.mcpu else []
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.splitlines() or [f"status {done.returncode}"])[0], 0
    return json.loads(report.read_text())["memory"], None, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    parser.add_argument("--target")
    parser.add_argument("--mcpu")
    parser.add_argument("--filter", default="")
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--most", type=float, default=math.inf)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    report = {"passed": 0, "failed": [], "skipped": {}}
    manifest = options.models / "manifest.json"
    if not manifest.exists():
        print(f"skipped: there is no {manifest}")
        report["skipped"]["no models beside the project"] = 1
    rows, logs = [], []
    for entry in json.loads(manifest.read_text()) if manifest.exists() else []:
        model = options.models / entry["file"]
        if entry["dynamic"] or not model.exists() or not re.search(options.filter, entry["name"]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            memory, failure, seconds = plan(options, model, pathlib.Path(folder))
        if failure or memory["arena_bytes"] is None or memory["context_slots"] != 0:
            why = failure or "only the run knows how much memory it takes"
            report["skipped"][why] = report["skipped"].get(why, 0) + 1
            print(f"left out {entry['name']}: {why}")
            continue
        arena, bound = memory["arena_bytes"], memory["arena_lower_bound"]
        ratio = arena / bound if bound else 1.0
        logs.append(math.log(ratio))
        rows.append(f"| {entry['name']} | {len(memory['buffers'])} | {arena} | {bound} | {ratio:.4f} |")
        print(f"{entry['name']}: arena {arena}, bound {bound}, ratio {ratio:.4f} ({seconds:.1f} s)", flush=True)
    mean = math.exp(sum(logs) / len(logs)) if logs else 1.0
    print(f"geometric mean over {len(logs)} models: {mean:.4f}")
    if options.markdown:
        head = ["| model | buffers | arena, bytes | lower bound, bytes | ratio |", "|---|---|---|---|---|"]
        foot = [f"| geometric mean of {len(logs)} | | | | {mean:.4f} |"]
        options.markdown.write_text("\n".join(head + rows + foot) + "\n")
    if mean > options.most:
        report["failed"].append(f"geometric mean {mean:.4f}, at most {options.most} is wanted")
    else:
        report["passed"] = len(logs)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
