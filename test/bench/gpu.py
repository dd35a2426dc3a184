#!/usr/bin/env python3
"""Times models and single products on an NVIDIA GPU, next to PyTorch and ONNX Runtime where these are installed.

usage: gpu.py [--build DIR] [--models DIR] [--only NAME] [--precision fp16 ...] [--gpu-arch sm_80,sm_90a] [--runs 200]
              [--driver FOLDER] [--output FILE.json]

A case is a model of fixed shapes that is beside the project or made here (products, BERT of two sizes). It is compiled
with --io=device, linked with gpu_measure.c, and run: the latency of a run that is waited for, and the time per run where
many are put into a stream. torch / ours is of the latter, above 1 where ours is
faster. Peers: torch.matmul (cuBLAS) for products, and ONNX Runtime's
CUDA provider with its inputs on the device for models; a peer that is not there is an empty column, with the reason.
--driver FOLDER runs on another libcuda.so.1, such as the one of the tests, whose times mean nothing.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from bert import Bert  # noqa: E402
from operators import Product  # noqa: E402

PRODUCTS = {"gemm_512": (512, 512, 512), "gemm_4096": (4096, 4096, 4096), "gemm_128x1024x4096": (128, 1024, 4096),
            "gemm_1x4096x4096": (1, 4096, 4096)}
BERTS = {"bert_small": (2, 128, 2, 24, 500), "bert_base": (12, 768, 12, 128, 30522), "bert_large": (24, 1024, 16, 128, 30522)}


def write_cases(options, folder):
    """Yields the name and the file of each case."""
    wanted = lambda name: not options.only or name in options.only  # noqa: E731
    for name, (rows, columns, depth) in PRODUCTS.items():
        if wanted(name):
            path = folder / f"{name}.onnx"
            path.write_bytes(bytes(Product(rows, columns, depth).build()[0]))
            yield name, path
    for name, shape in BERTS.items():
        if wanted(name):
            path = folder / f"{name}.onnx"
            path.write_bytes(bytes(Bert(*shape).build()))
            yield name, path
    for models in options.models:
        for path in sorted(models.glob("*.onnx")):
            if options.only and path.stem in options.only:
                yield path.stem, path


def run_ours(options, path, precision, folder):
    folder.mkdir()
    command = [options.build / "bin" / "onnx-aot", path, "-o", folder / "model.o", "--name=model", "--quiet", "--device=cuda",
               "--io=device", f"--precision={precision}", f"--gpu-arch={options.gpu_arch}"]
    started = time.monotonic()
    subprocess.run(command, check=True)
    compiled = time.monotonic() - started
    compiler = shutil.which("clang-22") or shutil.which("cc")
    subprocess.run([compiler, "-O2", "-std=c11", "-D_GNU_SOURCE", f"-I{folder}", HERE / "gpu_measure.c", folder / "model.o", "-ldl", "-o",
                    folder / "measure"], check=True)
    environment = dict(os.environ)
    if options.driver:
        environment["LD_LIBRARY_PATH"] = str(options.driver)
    said = subprocess.run([folder / "measure", str(options.runs)], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return {**json.loads(said.stdout), "compile_s": round(compiled, 2)}


def time_on_device(torch, work, runs):
    """Microseconds per call where many are in the stream."""
    for _ in range(10):
        work()
    torch.cuda.synchronize()
    started = time.monotonic()
    for _ in range(runs):
        work()
    torch.cuda.synchronize()
    return (time.monotonic() - started) / runs * 1e6


def run_torch(options, name, precision):
    """cuBLAS, for products."""
    if name not in PRODUCTS:
        return {}
    import torch
    rows, columns, depth = PRODUCTS[name]
    kind = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    left, right = (torch.rand(shape, device="cuda", dtype=kind) for shape in ((rows, depth), (depth, columns)))
    return {"torch_us": round(time_on_device(torch, lambda: torch.matmul(left, right), options.runs), 2)}


def run_ort(options, path):
    """ONNX Runtime's CUDA provider, with 32-bit floats."""
    import numpy
    import onnxruntime
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise ImportError("onnxruntime has no CUDA provider")
    session = onnxruntime.InferenceSession(str(path), providers=["CUDAExecutionProvider"])
    binding = session.io_binding()
    for tensor in session.get_inputs():
        kind = numpy.float32 if "float" in tensor.type else numpy.int64
        value = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.ones(tensor.shape, kind), "cuda", 0)
        binding.bind_ortvalue_input(tensor.name, value)
    for tensor in session.get_outputs():
        binding.bind_output(tensor.name, "cuda")
    for _ in range(10):
        session.run_with_iobinding(binding)
    started = time.monotonic()
    for _ in range(options.runs):
        session.run_with_iobinding(binding)
    return {"ort_fp32_us": round((time.monotonic() - started) / options.runs * 1e6, 2)}


def peers(options, name, path, precision):
    found, absent = {}, []
    if options.driver:
        return found, ["another driver"]
    for run in (lambda: run_torch(options, name, precision), lambda: run_ort(options, path)):
        try:
            found.update(run())
        except ImportError as reason:
            absent.append(str(reason))
    return found, absent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build")
    parser.add_argument("--models", type=pathlib.Path, action="append", default=[HERE.parent.parent.parent / "shared" / "models"])
    parser.add_argument("--only", action="append")
    parser.add_argument("--precision", nargs="+", default=["fp16"], choices=("fp32", "tf32", "fp16", "bf16"))
    parser.add_argument("--gpu-arch", default="sm_80,sm_90a")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--driver", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()
    rows, reasons = [], set()
    with tempfile.TemporaryDirectory() as work:
        for name, path in write_cases(options, pathlib.Path(work)):
            for precision in options.precision:
                row = {"case": name, "precision": precision, **run_ours(options, path, precision, pathlib.Path(work, f"{name}-{precision}"))}
                found, absent = peers(options, name, path, precision)
                row.update(found)
                reasons.update(absent)
                if "torch_us" in row:
                    row["torch / ours"] = round(row["torch_us"] / row["device_us"], 3)
                if name in PRODUCTS:
                    m, n, k = PRODUCTS[name]
                    row["tflops"] = round(2e-6 * m * n * k / row["device_us"], 2)
                rows.append(row)
                print(json.dumps(row), flush=True)
    for reason in sorted(reasons):
        print(f"left out: {reason}")
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main())
