"""The same results whoever makes the kernels.

usage: compare.py FAMILY --work DIR [--refused MOST] [--kernels WHO ...] [flags for the compiler]

Each model of the family (kernel_models.py) is compiled with --kernels=reference and run with drawn inputs; the others
(Halide, where none are named) must give what that gives. With Halide among them it is counted how many models it has refused: the report says so.
"""
import argparse
import json
import pathlib
import subprocess
import sys

from kernel_models import MODELS


def run(*command):
    command = [str(word) for word in command]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"$ {' '.join(command)}\n{result.stdout}exit status {result.returncode}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=MODELS)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--refused", type=int, default=0)
    parser.add_argument("--kernels", nargs="+", default=["halide"])
    options, flags = parser.parse_known_args()
    refused = {}
    for name, text in MODELS[options.family].items():
        folder = options.work / name
        folder.mkdir(parents=True, exist_ok=True)
        model, data, report = folder / "model.onnxtext", folder / "data", folder / "report.json"
        model.write_text(text)
        run("onnx-aot-run", model, "--kernels=reference", "--out", data, *flags)
        for who in options.kernels:
            run("onnx-aot-run", model, f"--kernels={who}", "--inputs", data, "--expect", data, "--quiet", *flags)
        if "halide" in options.kernels:
            run("onnx-aot", model, "-o", folder / "model.o", "--kernels=halide", "--report", report, *flags)
            layers = json.loads(report.read_text())["layers"]
            if not any(layer["provider"] == "halide" for layer in layers):
                refused[name] = [layer["halide_refused"] for layer in layers if layer["halide_refused"]]
    for name, why in refused.items():
        print(f"refused {name}: {why}")
    if len(refused) > options.refused:
        sys.exit(f"Halide refuses {len(refused)} of {len(MODELS[options.family])} models")
    print(f"{len(MODELS[options.family])} models, {len(refused)} refused")


if __name__ == "__main__":
    main()
