"""Who makes the kernels that suites run, and where: the flags for the tools, and why it cannot be tested here.

--kernels is that of the tools. --driver FOLDER compiles for a GPU and runs with the driver in FOLDER (libcuda.so.1),
which may be the one that interprets PTX (test/device). With --fallback that has no GPU: the CPU's version of the model runs.
"""
import os
import subprocess


def add_argument(parser):
    parser.add_argument("--kernels", choices=("auto", "mlir", "halide", "reference"),
                        help="who makes the heavy kernels (default: as the compiler chooses)")
    parser.add_argument("--driver", metavar="FOLDER", help="run on a GPU, by the driver in FOLDER")
    parser.add_argument("--fallback", action="store_true", help="with --driver: compile for both, and run without a GPU")


def flags(options):
    if options.driver:
        os.environ["LD_LIBRARY_PATH"] = options.driver
    if options.fallback:
        os.environ["ONNX_AOT_FAKE_CUDA_DEVICE"] = "count=0"
    device = ["--device=cuda,cpu" if options.fallback else "--device=cuda"] if options.driver else []
    return [f"--kernels={options.kernels}", *device] if options.kernels else device


def missing(program, options):
    """None, or the reason why the provider is not there; `program` is onnx-aot or onnx-aot-run."""
    if options.kernels != "halide":
        return None
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    providers = next(line for line in said.splitlines() if line.startswith("kernel providers: "))
    return None if ", halide (" in providers else "needs Halide's plugin: " + providers.partition("no halide ")[2]
