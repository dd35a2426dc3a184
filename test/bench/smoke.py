"""Whether the comparison works from end to end, on one small model of this repository; no time is judged.

usage: smoke.py --build DIR --json FILE

Draws an input for the model, runs compare.py and looks at what it wrote. Without ONNX Runtime the part that needs it is
skipped, and the reason goes to FILE.
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


def compare(build, folder):
    command = [sys.executable, HERE / "compare.py", "--build", build, "--models", folder, "--list",
               folder / "models.txt", "--no-fetch", "--compiles", "1", "--seconds", "0.05", "--rounds", "5",
               "--results", folder, "--output", "smoke"]
    command = [str(word) for word in command]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        raise AssertionError(result.stdout)
    return json.loads((folder / "smoke.json").read_text()), result.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, required=True)
    options = parser.parse_args()
    report = {"passed": 0, "failed": [], "skipped": {}}
    with tempfile.TemporaryDirectory(prefix="onnx-aot-smoke-") as folder:
        try:
            make_models(pathlib.Path(folder))
            result, log = compare(options.build, pathlib.Path(folder))
            row = result["rows"][0]
            assert row["compile_s"] > 0 and row["object_bytes"] > 0 and row["arena_bytes"] > 0, row
            assert row["contestants"]["ours"]["median_ms"] > 0 and row["faster_than"]["plain"]["median"] > 0, row
            report["passed"] += 1
            if "ort" in row["contestants"]:
                assert row["faster_than"]["ort"]["median"] > 0, row
                report["passed"] += 1
            else:
                report["skipped"][log.splitlines()[0]] = 1
        except (AssertionError, OSError, LookupError) as error:
            print(f"{type(error).__name__}: {error}")
            report["failed"].append("the comparison on " + MODEL.name)
    options.json.write_text(json.dumps(report))
    print(json.dumps(report))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
