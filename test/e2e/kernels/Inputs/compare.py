"""The same results whoever makes the kernels.

usage: compare.py FAMILY --work DIR [--refused MOST] [--kernels WHO ...] [--most-levels N] [--alone] [flags for the compiler]

Each model of the family (kernel_models.py) is compiled with --kernels=reference and run with drawn inputs; the others
(Halide, where none are named) must give what that gives, or with --most-levels results of bytes that differ by no more. With Halide among them it is counted how many models it has refused: the report says so. With --alone those count too where it does not make all that is computed.
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


def levels_apart(expected, got):
    """The largest difference of the results of bytes, which npy files end with."""
    apart = 0
    for line in (expected / "io.txt").read_text().splitlines():
        kind, file, _ = line.split(maxsplit=2)
        if kind == "out":
            one, other = (folder.joinpath(file).read_bytes() for folder in (expected, got))
            if len(one) != len(other):
                sys.exit(f"{got / file}: of another size")
            # Modulo 256, whether they are signed or not.
            apart = max(apart, *(min((a - b) % 256, (b - a) % 256) for a, b in zip(one, other)))
    return apart


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=MODELS)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--refused", type=int, default=0)
    parser.add_argument("--most-levels", type=int)
    parser.add_argument("--alone", action="store_true")
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
            library = folder / f"{who}.so"
            run("onnx-aot", model, "-o", library, "--name=model", f"--kernels={who}", "--report", report, *flags)
            if options.most_levels is None:
                run("onnx-aot-run", library, "--inputs", data, "--expect", data, "--quiet")
            else:
                run("onnx-aot-run", library, "--inputs", data, "--out", folder / who, "--quiet")
                apart = levels_apart(data, folder / who)
                if apart > options.most_levels:
                    sys.exit(f"{name}: a result differs by {apart}")
            if who != "halide":
                continue
            layers = json.loads(report.read_text())["layers"]
            makers = [layer["provider"] for layer in layers if layer["kernel"] not in ("copy", "fill")]
            if "halide" not in makers or (options.alone and makers != ["halide"]):
                refused[name] = [layer["halide_refused"] for layer in layers if layer["halide_refused"]]
    for name, why in refused.items():
        print(f"refused {name}: {why}")
    if len(refused) > options.refused:
        sys.exit(f"Halide refuses {len(refused)} of {len(MODELS[options.family])} models")
    print(f"{len(MODELS[options.family])} models, {len(refused)} refused")


if __name__ == "__main__":
    main()
