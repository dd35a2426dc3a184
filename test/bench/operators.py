#!/usr/bin/env python3
"""Times matrix products, layers of convolutional networks and Resize next to ONNX Runtime, OpenBLAS, oneDNN and the peak.

usage: test/bench/operators.py [--only NAME ...] [--mcpu CPU] [--seconds N] [--output NAME] (and others of compare.py)

Each case is a model made here: one product (of a constant, or of two inputs, whose dims may be open), a Resize, or a chain of equal layers with a global average at the end, so that
layouts are those that a network would have, what is read and written in other layouts at its ends counts little, and an
operator of few microseconds is timed as many. GFLOP/s count the multiply-adds of the direct algorithm (two each), so
that minimal filtering may exceed the peak, which is measured before each case (fma_peak.c). OpenBLAS and oneDNN take
part where their headers are installed (Peer.h). --ort-kernel-time adds what ONNX Runtime's profiler says of its own
kernels. Without --output nothing but the table on the terminal is written. Exit status 1 when a case fails to compile,
to run or to agree.
"""
import array
import collections
import json
import os
import pathlib
import platform
import random
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import compare  # noqa: E402
import onnx_proto as onnx  # noqa: E402
from smoke import write_npy  # noqa: E402


class Chain:
    """A model of layers [(output channels, kernel, stride, groups)] on `batch` images of size x size. Pools are layers
    too, (operator, kernel, stride)."""

    def __init__(self, channels, size, layers, batch=1):
        self.channels, self.size, self.layers, self.batch = channels, size, layers, batch

    def dims(self):
        return (self.batch, self.channels, self.size, self.size)

    def inputs(self):
        return {"x": self.dims()}

    def describe(self):
        """What Peer.h calls layers.txt; it has no word for pools."""
        lines = [f"images {self.batch} {self.channels} {self.size}"]
        return "\n".join(lines + ["conv {} {} {} {}".format(*layer) for layer in self.layers]) + "\n"

    def build(self):
        """(model, multiply-adds)"""
        graph, operations, value, channels, size = onnx.Graph("chain"), 0, "x", self.channels, self.size
        graph.inputs = [onnx.value_info("x", onnx.FLOAT, self.dims())]
        for index, layer in enumerate(self.layers):
            if isinstance(layer[0], str):
                operator, kernel, stride = layer
                attributes = {"kernel_shape": [kernel] * 2, "pads": [kernel // 2] * 4, "strides": [stride] * 2}
                graph.nodes.append(onnx.node(operator, [value], [f"y{index}"], attributes))
                value, size = f"y{index}", (size + 2 * (kernel // 2) - kernel) // stride + 1
                continue
            out, kernel, stride, groups = layer
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


class RunTimeProduct:
    """C[batch][rows][columns] = A[batch][rows][depth] * B[batch][depth][columns], both inputs; B is transposed before,
    or by Gemm's flag. Without `is_open` the model has these extents, with it only their names."""

    def __init__(self, batch, rows, columns, depth, transposed=False, gemm=False, is_open=False):
        self.batch, self.rows, self.columns, self.depth = batch, rows, columns, depth
        self.transposed, self.gemm, self.is_open = transposed, gemm, is_open

    def inputs(self):
        b = (self.columns, self.depth) if self.transposed else (self.depth, self.columns)
        return {"a": self.batch + (self.rows, self.depth), "b": self.batch + b}

    def build(self):
        graph = onnx.Graph("product")
        names = [f"B{axis}" for axis in range(len(self.batch))] if self.is_open else self.batch
        m, n, k = ("M", "N", "K") if self.is_open else (self.rows, self.columns, self.depth)
        graph.inputs = [onnx.value_info("a", onnx.FLOAT, (*names, m, k)),
                        onnx.value_info("b", onnx.FLOAT, (*names, n, k) if self.transposed else (*names, k, n))]
        b = "b"
        if self.transposed and not self.gemm:
            rank = len(self.batch)
            graph.nodes.append(onnx.node("Transpose", ["b"], ["t"], {"perm": [*range(rank), rank + 1, rank]}))
            b = "t"
        attributes = {"transB": int(self.transposed)} if self.gemm else {}
        graph.nodes.append(onnx.node("Gemm" if self.gemm else "MatMul", ["a", b], ["y"], attributes))
        graph.outputs = [onnx.value_info("y", onnx.FLOAT, (*names, m, n))]
        operations = self.rows * self.columns * self.depth
        for extent in self.batch:
            operations *= extent
        return onnx.model(graph, 13), operations


class Product:
    """C[rows][columns] = A[rows][depth] * B[depth][columns], B constant."""

    def __init__(self, rows, columns, depth):
        self.rows, self.columns, self.depth = rows, columns, depth

    def dims(self):
        return (self.rows, self.depth)

    def inputs(self):
        return {"x": self.dims()}

    def describe(self):
        return f"product {self.rows} {self.columns} {self.depth}\n"

    def build(self):
        graph = onnx.Graph("product")
        graph.inputs = [onnx.value_info("x", onnx.FLOAT, self.dims())]
        graph.initializers = [numbers("w", (self.depth, self.columns), 0.1)]
        graph.nodes = [onnx.node("MatMul", ["x", "w"], ["y"], {})]
        graph.outputs = [onnx.value_info("y", onnx.FLOAT, (self.rows, self.columns))]
        return onnx.model(graph, 13), self.rows * self.columns * self.depth


class Resize:
    """Images 1 x channels x height x width, made larger or smaller by `scales` or to `sizes` (of height and width).
    With `is_open` the model has names for height and width; half_pixel unless `coordinates` says otherwise."""

    def __init__(self, mode, scales=None, sizes=None, is_open=False, coordinates="half_pixel", image=(3, 240, 320)):
        self.mode, self.scales, self.sizes, self.is_open = mode, scales, sizes, is_open
        self.coordinates, self.image = coordinates, image

    def inputs(self):
        return {"x": (1, *self.image)}

    def build(self):
        graph = onnx.Graph("resize")
        channels, height, width = self.image
        dims = ("H", "W") if self.is_open else (height, width)
        graph.inputs = [onnx.value_info("x", onnx.FLOAT, (1, channels, *dims))]
        if self.scales:
            values, operands = array.array("f", [1, 1, *self.scales]), ["x", "", "by"]
            graph.initializers = [onnx.tensor(onnx.FLOAT, (4,), values.tobytes(), "by")]
            out = [int(extent * scale) for extent, scale in zip((height, width), self.scales)]
        else:
            values, operands = array.array("q", [1, channels, *self.sizes]), ["x", "", "", "by"]
            graph.initializers = [onnx.tensor(onnx.INT64, (4,), values.tobytes(), "by")]
            out = self.sizes
        attributes = {"mode": self.mode, "coordinate_transformation_mode": self.coordinates}
        graph.nodes = [onnx.node("Resize", operands, ["y"], attributes)]
        names = ("H2", "W2") if self.is_open and self.scales else out
        graph.outputs = [onnx.value_info("y", onnx.FLOAT, (1, channels, *names))]
        taps = {"nearest": 0, "linear": 2, "cubic": 4}[self.mode]
        return onnx.model(graph, 13), channels * taps * out[1] * (height + out[0])


# Libraries to compare with, each by a source of ours that is compiled where the library's header is there.
Peer = collections.namedtuple("Peer", "title source header library package takes")
PEERS = {
    "openblas": Peer("OpenBLAS", "Openblas.cpp", "cblas.h", "openblas", "libopenblas-dev", Product),
    "onednn": Peer("oneDNN", "Onednn.cpp", "dnnl.hpp", "dnnl", "libdnnl-dev", (Product, Chain)),
}

# What ONNX Runtime's profiler calls the kernels of these cases, and what brings data into their layouts.
ORT_KERNELS = ("Conv", "FusedConv", "MatMul", "FusedMatMul", "Gemm", "FusedGemm", "MaxPool", "AveragePool")
ORT_REORDERS = ("ReorderInput", "ReorderOutput")

CASES = {
    "gemm_1024x1024x1024": Product(1024, 1024, 1024),
    "gemm_384x768x768": Product(384, 768, 768),
    "gemm_128x3072x768": Product(128, 3072, 768),
    "gemm_128x768x3072": Product(128, 768, 3072),
    "gemm_49x2048x512": Product(49, 2048, 512),
    "gemv_1000x2048": Product(1, 1000, 2048),
    "run_time_512": RunTimeProduct((), 512, 512, 512),
    "run_time_512_transposed": RunTimeProduct((), 512, 512, 512, transposed=True),
    "run_time_512_transb": RunTimeProduct((), 512, 512, 512, transposed=True, gemm=True),
    "run_time_300x1000x300": RunTimeProduct((), 300, 1000, 300),
    "qk_128": RunTimeProduct((12,), 128, 128, 64, transposed=True),
    "pv_128": RunTimeProduct((12,), 128, 64, 128),
    "qk_384": RunTimeProduct((12,), 384, 384, 64, transposed=True),
    "pv_384": RunTimeProduct((12,), 384, 64, 384),
    "open_100": RunTimeProduct((), 100, 100, 100, is_open=True),
    "open_512": RunTimeProduct((), 512, 512, 512, is_open=True),
    "open_512_transposed": RunTimeProduct((), 512, 512, 512, transposed=True, is_open=True),
    "open_qk_384": RunTimeProduct((12,), 384, 384, 64, transposed=True, is_open=True),
    "open_pv_384": RunTimeProduct((12,), 384, 64, 384, is_open=True),
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
    "depthwise_112_32": Chain(3, 112, [(32, 1, 1, 1)] + [(32, 3, 1, 32)] * 8),
    "depthwise_56_144": Chain(3, 56, [(144, 1, 1, 1)] + [(144, 3, 1, 144)] * 8),
    "depthwise_14_384": Chain(3, 14, [(384, 1, 1, 1)] + [(384, 3, 1, 384)] * 16),
    "depthwise_28_192": Chain(3, 28, [(192, 1, 1, 1)] + [(192, 3, 1, 192)] * 12),
    "depthwise_7_960": Chain(3, 7, [(960, 1, 1, 1)] + [(960, 3, 1, 960)] * 16),
    "depthwise5x5_14_480": Chain(3, 14, [(480, 1, 1, 1)] + [(480, 5, 1, 480)] * 8),
    "depthwise_s2_112_64": Chain(3, 112, [(64, 1, 1, 1)] + [(64, 3, 2, 64)] * 3),
    "maxpool3x3s2_112_64": Chain(3, 112, [(64, 1, 1, 1), ("MaxPool", 3, 2), ("MaxPool", 3, 2), ("MaxPool", 3, 2)]),
    "maxpool5x5_20_128": Chain(3, 20, [(128, 1, 1, 1)] + [("MaxPool", 5, 1)] * 6),
    "averagepool3x3_28_256": Chain(3, 28, [(256, 1, 1, 1)] + [("AveragePool", 3, 1)] * 8),
    **{f"{'open_' if is_open else ''}resize_{mode}_x{scale}": Resize(mode, (scale, scale), is_open=is_open)
       for is_open in (False, True) for mode in ("nearest", "linear", "cubic") for scale in (2, 3)},
    **{f"{'open_' if is_open else ''}resize_{mode}_500x700": Resize(mode, sizes=(500, 700), is_open=is_open)
       for is_open in (False, True) for mode in ("nearest", "linear", "cubic")},
    "resize_linear_half": Resize("linear", (0.5, 0.5)),
    "resize_nearest_x2_256_26": Resize("nearest", (2, 2), coordinates="asymmetric", image=(256, 26, 26)),
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


def compile_peers(options, folder):
    """The peers as pairs of a name and a library; where one is absent, the reason is printed."""
    libraries = {}
    for name, peer in PEERS.items():
        library = folder / (name + ".so")
        try:
            compare.run([options.clang, "-fsyntax-only", "-x", "c++", "-include", peer.header, "/dev/null"])
        except (compare.Failure, OSError):
            print(f"no {peer.title}: {peer.header} is not here (Debian's package {peer.package})", file=sys.stderr)
            continue
        compare.run([options.clang, "-O2", "-std=c++17", "-fPIC", "-shared", f"-I{compare.ROOT}", HERE / peer.source,
                     f"-l{peer.library}", "-lstdc++", "-o", library])
        libraries[name] = library
    return libraries


def hold_to_vectors(bits):
    """Tells peers the vectors that ours has. OpenBLAS takes a CPU that is newer than itself for a very old one."""
    core, isa = {512: ("SkylakeX", "AVX512_CORE"), 256: ("Haswell", "AVX2")}.get(bits, (None, None))
    if core and platform.machine() == "x86_64":
        os.environ.setdefault("OPENBLAS_CORETYPE", core)
        os.environ.setdefault("ONEDNN_MAX_CPU_ISA", isa)


def write_data(case, model, data):
    """The inputs, and for peers, which read no models, what is computed and the weights."""
    data.mkdir(exist_ok=True)
    draw, lines = random.Random(2), ""
    for number, (name, dims) in enumerate(case.inputs().items()):
        count = 1
        for extent in dims:
            count *= extent
        write_npy(data / f"in_{number:02}.npy", dims, [draw.random() for _ in range(count)])
        lines += f"in in_{number:02}.npy {name}\n"
    (data / "io.txt").write_text(lines)
    if not hasattr(case, "describe") or not has_peers(case):
        return
    (data / "layers.txt").write_text(case.describe())
    initializers = model.message(onnx.MODEL_GRAPH).messages(onnx.GRAPH_INITIALIZER)
    (data / "weights.bin").write_bytes(b"".join(one.first(onnx.TENSOR_RAW) for one in initializers))


def measure(options, name, case, ort, peers, folder):
    model, operations = case.build()
    (folder / "model.onnx").write_bytes(bytes(model))
    write_data(case, model, folder / "data")
    library, row = compare.compile_ours(options, folder / "model.onnx", [], folder)
    row.update(compare.measure_peak(options))
    libraries = [("ours", library)]
    for who in options.generators:
        other = folder / f"{who}.so"
        compare.run([options.programs / "onnx-aot", folder / "model.onnx", "--name=model", "--quiet", "--kernels=" + who,
                     "--mcpu=" + options.mcpu, "-o", other], options.cpu)
        libraries.append((who, other))
    arguments = (options, folder / "data", folder / "model.onnx", ort, libraries)
    partners = [(peer, file) for peer, file in peers.items() if isinstance(case, PEERS[peer].takes) and has_peers(case)]
    row.update(json.loads(compare.run(compare.contest(*arguments, partners))[0]))
    if ort and options.ort_kernel_time:
        ort_ms = row["contestants"]["ort"]["median_ms"]
        row["ort_kernels"] = time_ort_kernels(compare.contest(*arguments), ort_ms, folder)
    return {"name": name, **row, "multiply_adds": operations}


def time_ort_kernels(command, ort_ms, folder):
    """Means per run, in ms, of what ONNX Runtime's profiler counts, and of ours in the same rounds.

    There are a thousand rounds at least, or as many as five seconds hold where a run takes more than 5 ms.
    """
    rounds = 1000 if ort_ms <= 5 else max(100, int(5000 / ort_ms))
    for old in folder.glob("profile_*.json"):
        old.unlink()
    timed = json.loads(compare.run(command + ["--ort-profile", folder / "profile", "--rounds", rounds, "--seconds", 1e6,
                                              "--sample-ms", 0, "--pause-ms", 0])[0])
    profile, = folder.glob("profile_*.json")
    runs, microseconds = 0, collections.Counter()
    for event in json.loads(profile.read_text()):
        if event["cat"] == "Session" and event["name"] == "model_run":
            runs += 1
        elif event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            microseconds[event["args"]["op_name"]] += event["dur"]
    by_operator = {operator: total / runs / 1000 for operator, total in microseconds.items()}
    kernels = sum(by_operator.pop(operator, 0) for operator in ORT_KERNELS)
    reorders = sum(by_operator.pop(operator, 0) for operator in ORT_REORDERS)
    ours = timed["contestants"]["ours"]["mean_ms"]
    return {"runs": runs, "kernels_ms": kernels, "reorders_ms": reorders, "others_ms": sum(by_operator.values()),
            "ours_ms": ours, "kernels_by_ours": kernels / ours}


def has_peers(case):
    return not isinstance(case, Chain) or not any(isinstance(layer[0], str) for layer in case.layers)


def milliseconds(key):
    return lambda row: f"{row['ort_kernels'][key]:#.3g}" if "ort_kernels" in row else ""


KERNEL_COLUMNS = [
    ("ORT kernels ms", milliseconds("kernels_ms")),
    ("reorders ms", milliseconds("reorders_ms")),
    ("others ms", milliseconds("others_ms")),
    ("our whole ms", milliseconds("ours_ms")),
    ("ORT kernels / ours", lambda row: f"{row['ort_kernels']['kernels_by_ours']:.2f}" if "ort_kernels" in row else ""),
    ("profiled runs", lambda row: str(row["ort_kernels"]["runs"]) if "ort_kernels" in row else ""),
]


def columns(options):
    rivals = {"ort": "ORT", **{name: peer.title for name, peer in PEERS.items()},
              **{who: f"--kernels={who}" for who in options.generators}}
    return ([("case", lambda row: row["name"]), ("ours ms", compare.milliseconds("ours"))] +
            [(f"{title} ms", compare.milliseconds(name)) for name, title in rivals.items()] +
            [(f"{title} / ours", compare.ratio(name)) for name, title in rivals.items()] +
            [("ORT GFLOP/s", compare.gflops("ort")), ("ours GFLOP/s", compare.gflops("ours")),
             ("peak GFLOP/s (bits)", compare.peak), ("% of peak", compare.share_of_peak)] +
            (KERNEL_COLUMNS if options.ort_kernel_time else []))


def line(cells):
    return "| " + " | ".join(cells) + " |"


def add_arguments(parser):
    parser.add_argument("--ort-kernel-time", action="store_true",
                        help="also profile 1,000 runs of ONNX Runtime: its kernels' time next to our whole time")


    parser.add_argument("--generators", nargs="+", default=[], choices=("mlir", "halide", "reference"),
                        help="also time what --kernels makes of the case, next to what the compiler chooses")


def main():
    options = compare.parse_arguments(__doc__, add_arguments)
    options.no_plain, options.compiles = True, 1
    ort, reason = compare.find_ort(options)
    if reason:
        print(reason, file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="onnx-aot-bench-") as name:
        folder = pathlib.Path(name)
        compare.copy_programs(options, folder, ("bin/onnx-aot", "bench/ort_compare"))
        options.peak, reason = compare.compile_peak(options, folder)
        if reason:
            print(reason, file=sys.stderr)
        peers = compile_peers(options, folder)
        hold_to_vectors(compare.measure_peak(options).get("fma_peak_bits"))
        table = columns(options)
        heading = [line(title for title, _ in table), "|" + "---|" * len(table)]
        print("\n".join(heading), flush=True)
        rows, failed = [], 0
        for name, case in CASES.items():
            if options.only and name not in options.only:
                continue
            try:
                rows.append(measure(options, name, case, ort, peers, folder))
            except compare.Failure as failure:
                failed += 1
                print(f"{name}: {failure}", flush=True)
                continue
            print(line(value(rows[-1]) for _, value in table), flush=True)
        if options.output and rows:
            write(options, rows, heading + [line(value(row) for _, value in table) for row in rows])
    return 1 if failed else 0


def write(options, rows, table):
    machine = compare.describe_machine(options, rows[0]["ort_version"])
    machine["peers"] = {name: version for row in rows for name, version in row["peer_versions"].items()}
    versions = "".join(f" {name}: {version.strip()}." for name, version in machine["peers"].items())
    lines = ["# Matrix products and layers next to ONNX Runtime, OpenBLAS and oneDNN", "",
             compare.describe(machine) + versions, "", compare.describe_threads(machine), "", *table]
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / (options.output + ".md")).write_text("\n".join(lines) + "\n")
    (options.results / (options.output + ".json")).write_text(
        json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
