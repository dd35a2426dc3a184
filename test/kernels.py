"""--kernels for suites: the flag for the tools, and why a provider's kernels cannot be tested here."""
import subprocess


def add_argument(parser):
    parser.add_argument("--kernels", choices=("auto", "mlir", "halide", "reference"),
                        help="who makes the heavy kernels (default: as the compiler chooses)")


def flags(options):
    return [f"--kernels={options.kernels}"] if options.kernels else []


def missing(program, options):
    """None, or the reason why the provider is not there; `program` is onnx-aot or onnx-aot-run."""
    if options.kernels != "halide":
        return None
    said = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    providers = next(line for line in said.splitlines() if line.startswith("kernel providers: "))
    return None if ", halide (" in providers else "needs Halide's plugin: " + providers.partition("no halide ")[2]
