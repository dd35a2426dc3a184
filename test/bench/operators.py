#!/usr/bin/env python3
"""Times matrix products and layers of convolutional networks next to ONNX Runtime and the machine's multiply-add peak.

usage: test/bench/operators.py [--only NAME ...] [--mcpu CPU] [--seconds N] [--output NAME] (and others of compare.py)

Each case is a model made here: one product, or a chain of equal layers with a global average at the end, so that layouts
are those that a network would have, what is read and written in other layouts at its ends counts little, and an
operator of few microseconds is timed as many. GFLOP/s count the multiply-adds of the direct algorithm (two each), so
that minimal filtering may exceed the peak, which is measured before each case (fma_peak.c). Without --output nothing
but the table on the terminal is written.
"""
import array
import json
import pathlib
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import compare  # noqa: E402
import onnx_proto as onnx  # noqa: E402
from smoke import write_npy  # noqa: E402


class Chain:
    """A model of layers [(output channels, kernel, stride, groups)] on `batch` images of size x size."""

    def __init__(self, channels, size, layers, batch=1):
        self.channels, self.size, self.layers, self.batch = channels, size, layers, batch

    def dims(self):
        return (self.batch, self.channels, self.size, self.size)

    def build(self):
        """(model, multiply-adds)"""
        graph, operations, value, channels, size = onnx.Graph("chain"), 0, "x", self.channels, self.size
        graph.inputs = [onnx.value_info("x", onnx.FLOAT, self.dims())]
        for index, (out, kernel, stride, groups) in enumerate(self.layers):
            pad = kernel // 2
            size = (size + 2 * pad - kernel) // stride + 1
            shape = (out, channels // groups, kernel, kernel)
            bound = (6 / (shape[1] * kernel * kernel)) ** 0.5
            graph.initializers += [numbers(f"w{index}", shape, bound), numbers(f"b{index}", (out,), 0.1)]
            attributes = {"kernel_shape": [kernel] * 2, "pads": [pad] * 4, "strides": [stride] * 2, "group": groups}
            graph.nodes.append(onnx.node("Conv", [value, f"w{index}", f"b{index}"], [f"c{index}"], attributes))
            graph.nodes.append(onnx.node("Relu", [f"c{index}"], [f"y{index}"], {}))
            operations += self.batch * out * size * size * shape[1] * kernel * kernel
            value, channels = f"y{index}", out
        graph.nodes.append(onnx.node("GlobalAveragePool", [value], ["y"], {}))
        graph.outputs = [onnx.value_info("y", onnx.FLOAT, (self.batch, channels, 1, 1))]
        return onnx.model(graph, 13), operations


class Product:
    """C[rows][columns] = A[rows][depth] * B[depth][columns], B constant."""

    def __init__(self, rows, columns, depth):
        self.rows, self.columns, self.depth = rows, columns, depth

    def dims(self):
        return (self.rows, self.depth)

    def build(self):
        graph = onnx.Graph("product")
        graph.inputs = [onnx.value_info("x", onnx.FLOAT, self.dims())]
        graph.initializers = [numbers("w", (self.depth, self.columns), 0.1)]
        graph.nodes = [onnx.node("MatMul", ["x", "w"], ["y"], {})]
        graph.outputs = [onnx.value_info("y", onnx.FLOAT, (self.rows, self.columns))]
        return onnx.model(graph, 13), self.rows * self.columns * self.depth


CASES = {
    "gemm_1024x1024x1024": Product(1024, 1024, 1024),
    "gemm_384x768x768": Product(384, 768, 768),
    "gemm_128x3072x768": Product(128, 3072, 768),
    "gemm_128x768x3072": Product(128, 768, 3072),
    "gemm_49x2048x512": Product(49, 2048, 512),
    "gemv_1000x2048": Product(1, 1000, 2048),
    "conv3x3_56_64": Chain(64, 56, [(64, 3, 1, 1)] * 8),
    "conv3x3_28_128": Chain(128, 28, [(128, 3, 1, 1)] * 8),
    "conv3x3_14_256": Chain(256, 14, [(256, 3, 1, 1)] * 4),
    "conv3x3_7_512": Chain(512, 7, [(512, 3, 1, 1)] * 2),
    "conv1x1_56_64_256": Chain(64, 56, [(256, 1, 1, 1), (64, 1, 1, 1)] * 4),
    "conv1x1_28_128_512": Chain(128, 28, [(512, 1, 1, 1), (128, 1, 1, 1)] * 4),
    "conv1x1_14_256_1024": Chain(256, 14, [(1024, 1, 1, 1), (256, 1, 1, 1)] * 4),
    "conv1x1_7_512_2048": Chain(512, 7, [(2048, 1, 1, 1), (512, 1, 1, 1)] * 3),
    "conv3x3s2_56_64_128": Chain(64, 56, [(64, 1, 1, 1), (128, 3, 2, 1)]),
    "conv7x7s2_224_3_64": Chain(3, 224, [(64, 7, 2, 1)]),
    "depthwise_112_32": Chain(32, 112, [(32, 1, 1, 1)] + [(32, 3, 1, 32)] * 8),
    "depthwise_56_144": Chain(144, 56, [(144, 1, 1, 1)] + [(144, 3, 1, 144)] * 8),
    "depthwise_14_384": Chain(384, 14, [(384, 1, 1, 1)] + [(384, 3, 1, 384)] * 16),
}


def numbers(name, shape, bound, known={}):
    """An initializer of random numbers, of which there are 65,536 different ones."""
    if not known:
        draw = random.Random(1)
        known["all"] = array.array("f", [draw.uniform(-1, 1) for _ in range(1 << 16)])
    count = 1
    for extent in shape:
        count *= extent
    scaled = array.array("f", [value * bound for value in known["all"]])
    repeated = scaled * (count // len(scaled) + 1)
    return onnx.tensor(onnx.FLOAT, shape, repeated[:count].tobytes(), name)


def measure(options, name, case, ort, folder):
    model, operations = case.build()
    (folder / "model.onnx").write_bytes(bytes(model))
    data = folder / "data"
    data.mkdir(exist_ok=True)
    draw = random.Random(2)
    count = 1
    for extent in case.dims():
        count *= extent
    write_npy(data / "in_00.npy", case.dims(), [draw.random() for _ in range(count)])
    (data / "io.txt").write_text("in in_00.npy x\n")
    peak = float(compare.run([options.programs / "fma_peak"], options.cpu)[0])
    row = compare.measure(options, compare.Entry(name, name, []), folder / "model.onnx", data, ort)
    return {"name": name, "multiply_adds": operations, "fma_peak_gflops": peak, **row}


def gflops(row, who):
    ms = row["contestants"].get(who, {}).get("median_ms")
    return 2 * row["multiply_adds"] / ms / 1e6 if ms else None


def text(row):
    ours, theirs = gflops(row, "ours"), gflops(row, "ort")
    cells = [row["name"], compare.milliseconds("ort")(row), compare.milliseconds("ours")(row), compare.ratio("ort")(row),
             f"{theirs:.0f}" if theirs else "", f"{ours:.0f}", f"{row['fma_peak_gflops']:.0f}",
             f"{100 * ours / row['fma_peak_gflops']:.0f}"]
    return "| " + " | ".join(cells) + " |"


HEADING = "| case | ORT ms | ours ms | ORT / ours | ORT GFLOP/s | ours GFLOP/s | peak GFLOP/s | % of peak |\n" + "|---" * 8 + "|"


def main():
    options = compare.parse_arguments(__doc__)
    options.no_plain, options.compiles = True, 1
    ort, reason = compare.find_ort(options)
    if reason:
        print(reason, file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="onnx-aot-bench-") as name:
        folder = pathlib.Path(name)
        compare.copy_programs(options, folder, ("bin/onnx-aot", "bench/ort_compare"))
        compare.run([options.clang, "-O3", "-ffp-contract=fast", "-march=" + options.mcpu, HERE / "fma_peak.c", "-o",
                     folder / "fma_peak"])
        print(HEADING, flush=True)
        rows = []
        for name, case in CASES.items():
            if not options.only or name in options.only:
                rows.append(measure(options, name, case, ort, folder))
                print(text(rows[-1]), flush=True)
    if options.output:
        machine = compare.describe_machine(options, rows[0]["ort_version"])
        options.results.mkdir(parents=True, exist_ok=True)
        lines = ["# Matrix products and layers next to ONNX Runtime", "", compare.describe(machine), "", HEADING]
        (options.results / (options.output + ".md")).write_text("\n".join(lines + [text(row) for row in rows]) + "\n")
        (options.results / (options.output + ".json")).write_text(
            json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
