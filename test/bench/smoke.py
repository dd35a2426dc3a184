"""Whether the comparisons work from end to end, on one small model of this repository and two of the cases of
operators.py; no time is judged.

usage: smoke.py --build DIR --json FILE

Draws an input for the model, runs compare.py and operators.py and looks at what they wrote. Parts that need ONNX
Runtime or another library that is not here are skipped, and the reasons go to FILE.
"""
import argparse
import json
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent.parent / "examples" / "digits_c" / "digits.onnx"
INPUT, SHAPE = "image", (1, 1, 8, 8)
PRODUCT, CHAIN = "gemv_1000x2048", "conv7x7s2_224_3_64"


def write_npy(path, shape, values):
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def make_models(folder):
    data = folder / "data" / MODEL.stem
    data.mkdir(parents=True)
    shutil.copy(MODEL, folder)
    count = 1
    for extent in SHAPE:
        count *= extent
    draw = random.Random(1)
    write_npy(data / "in_00.npy", SHAPE, [draw.random() for _ in range(count)])
    (data / "io.txt").write_text(f"in in_00.npy {INPUT}\n")
    (folder / "models.txt").write_text(f"{MODEL.stem} {MODEL.stem}\n")


def run(script, build, folder, *flags):
    """The result of a comparison, and the reasons why columns are empty, which it prints in lines "no PEER: ..."."""
    command = [sys.executable, HERE / script, "--build", build, "--no-fetch", "--seconds", "0.05", "--rounds", "5",
               "--results", folder, "--output", "smoke", *flags]
    command = [str(word) for word in command]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise AssertionError(result.stdout)
    reasons = [line for line in result.stdout.splitlines() if line.startswith("no ")]
    return json.loads((folder / "smoke.json").read_text()), reasons


def look_at_models(build, folder, report):
    make_models(folder)
    result, reasons = run("compare.py", build, folder, "--models", folder, "--list", folder / "models.txt",
                          "--compiles", "1")
    row = result["rows"][0]
    assert row["compile_s"] > 0 and row["object_bytes"] > 0 and row["arena_bytes"] > 0, row
    assert row["fma_peak_gflops"] > 0 and "multiply_adds" in row, row
    assert row["contestants"]["ours"]["median_ms"] > 0 and row["faster_than"]["plain"]["median"] > 0, row
    report["passed"] += 1
    look_at_rivals(["ort"], row, reasons, report)


def look_at_operators(build, folder, report):
    result, reasons = run("operators.py", build, folder, "--only", PRODUCT, "--only", CHAIN, "--ort-kernel-time")
    product, chain = result["rows"]
    for row in (product, chain):
        assert row["contestants"]["ours"]["median_ms"] > 0 and row["multiply_adds"] > 0, row
        if "ort" in row["contestants"]:
            assert row["ort_kernels"]["runs"] >= 100 and row["ort_kernels"]["kernels_ms"] > 0, row
    report["passed"] += 1
    look_at_rivals(["ort", "openblas", "onednn"], product, reasons, report)
    look_at_rivals(["onednn"], chain, [], report)


def look_at_rivals(names, row, reasons, report):
    for name in names:
        if name in row["contestants"]:
            assert row["faster_than"][name]["median"] > 0, row
            report["passed"] += 1
    for reason in reasons:
        report["skipped"][reason] = 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    report = {"passed": 0, "failed": [], "skipped": {}}
    with tempfile.TemporaryDirectory(prefix="onnx-aot-smoke-") as folder:
        for name, look in (("the comparison on " + MODEL.name, look_at_models),
                           ("the comparison of operators", look_at_operators)):
            try:
                look(options.build, pathlib.Path(folder), report)
            except (AssertionError, OSError, LookupError) as error:
                print(f"{type(error).__name__}: {error}")
                report["failed"].append(name)
    options.json.write_text(json.dumps(report))
    print(json.dumps(report))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
