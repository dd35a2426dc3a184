"""No object has a symbol of Halide's, or needs one that freestanding code may not, with kernels by Halide.

usage: symbols.py --programs DIR --models DIR [DIR] --left-out FILE [--slow] [--filter REGEX] [--json FILE] --kernels halide

Every model of manifest.json is compiled once; large ones with --slow only, those of models-left-out.txt never.
"""
import argparse
import json
import os
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import contained  # noqa: E402
import kernels  # noqa: E402
from check_model import allowed_symbols  # noqa: E402
from sweep import QUICK_BYTES, read_reasons  # noqa: E402

TIMEOUT = 1800


def fault(options, model, allowed):
    """None, or what is wrong with the object of a model."""
    with tempfile.TemporaryDirectory(prefix="onnx-aot-symbols-") as folder:
        out = pathlib.Path(folder, "model.o")
        flags = ["--name=model", "--quiet", *kernels.flags(options)]
        status, lines = contained.run([options.programs / "onnx-aot", model, "-o", out, *flags], TIMEOUT)
        if status != 0:
            return (lines or ["no result in time"])[0]
        _, lines = contained.run(["nm", out], TIMEOUT)
    symbols = [line.split()[-2:] for line in lines]
    found = {name for _, name in symbols if "halide_" in name}
    found |= {name for kind, name in symbols if kind == "U" and name not in allowed}
    return "has " + ", ".join(sorted(found)) if found else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path, nargs="+")
    parser.add_argument("--left-out", required=True, type=pathlib.Path)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--json", type=pathlib.Path)
    kernels.add_argument(parser)
    options = parser.parse_args()

    report = {"passed": 0, "failed": [], "skipped": {}}
    manifest = options.models[0] / "manifest.json"
    missing = kernels.missing(options.programs / "onnx-aot", options)
    if not missing and not manifest.exists():
        missing = "no models beside the project"
    if missing:
        report["skipped"][missing] = 1
    entries = [] if missing else json.loads(manifest.read_text())
    left_out = read_reasons(options.left_out)
    allowed = allowed_symbols(pathlib.Path(__file__).with_name("allowed-symbols.txt"), os.uname().machine)
    for entry in entries:
        found = [folder / entry["file"] for folder in options.models if (folder / entry["file"]).exists()]
        if not found or not re.search(options.filter, entry["name"]) or entry["name"] in left_out:
            continue
        if entry["file_bytes"] > QUICK_BYTES and not options.slow:
            continue
        if wrong := fault(options, found[0], allowed):
            report["failed"].append(f"{entry['name']}: {wrong}")
            print(f"FAILED {entry['name']}: {wrong}", flush=True)
        else:
            report["passed"] += 1
    print(f"{report['passed']} objects are clean, {len(report['failed'])} are not; skipped: {', '.join(report['skipped']) or 'none'}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
