"""Random graphs, compiled by onnx-aot and compared with ONNX Runtime.

usage: run.py --build DIR --work DIR [--seeds FIRST..LAST] [--symbolic] [--run-time-shapes]
              [--images | --products | --quantized | --resamplings] [--max-ram] [--kernels WHO] [--driver FOLDER] [--ort LIBRARY]
              [--json FILE] [--jobs N]
       run.py ... --seeds N --show      prints the graph of one seed

1. Each seed makes a graph of 1 to 12 nodes (graphs.py) out of the operators in the samplers' table, with ONNX
   Runtime's results for it. The same seed gives the same graph everywhere.
2. onnx-aot-run compiles and runs it in a process of its own; every output must have the type and shape of ONNX
   Runtime's, and its values: exactly where no rounding is involved, otherwise within a tolerance that follows from the
   types and magnitudes on the way.
3. --symbolic leaves the extents of the inputs open, compiles once to a shared library, and runs it twice: on the
   inputs of the graph and on others of another size, which ONNX Runtime accepts too.
4. --run-time-shapes makes some of the shapes, counts and bounds inputs, and adds operators whose results have sizes that
   depend on data.
5. --images draws the layers of networks over images instead (images.py), with as many channels as these have.
6. --products draws networks of matrix products whose operands are inputs or results (products.py), large enough that
   these are laid out in panels.
7. --quantized draws quantized networks whose results are exact (quantized.py), each for one of several CPUs.
8. --resamplings draws Resize in all its forms (resamplings.py).
9. --max-ram allows each graph little more than the smallest arena that the compiler finds, so that chains of layers run in
   strips.
10. --kernels and --driver say who makes the kernels, and where they run (kernels.py); what cannot be tested here is skipped.
11. A graph that fails is shrunk to the fewest nodes that still fail, and printed with its seed. Where explained.py has
   the cause, it is counted as explained.

Graphs are spread over --jobs processes; when ONNX Runtime ends such a process, its graph is counted as left out.
"""
import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "bench")]
import elementwise  # noqa: E402,F401: fills the table
import compare as bench  # noqa: E402
import contained  # noqa: E402
import images  # noqa: E402
import kernels  # noqa: E402
import layers  # noqa: E402,F401
import movement  # noqa: E402,F401
import products  # noqa: E402
import quantized  # noqa: E402
import resamplings  # noqa: E402
from explained import explanation  # noqa: E402
from graphs import Builder  # noqa: E402
from ort import Ort, OrtError  # noqa: E402
from resize import other_sizes  # noqa: E402
from table import TABLE  # noqa: E402
from tensors import difference, read_npy  # noqa: E402


def run_tool(command, timeout=120):
    """None when a command ends well, else its first error."""
    status, lines = contained.run(command, timeout)
    if status is None:
        return f"crash: no result within {timeout} s"
    if status == 0:
        return None
    lines = [line for line in lines if "error" in line.lower() or "ssertion" in line] or lines or [""]
    kind = "refused" if status == 1 else f"crash: status {status}"
    return f"{kind}: {lines[0][:300]}"


class Checker:
    """Compiles and runs cases in one work folder."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.runner, self.compiler = options.work / "onnx-aot-run", options.work / "onnx-aot"

    def fresh(self, name):
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def write(self, inputs, name="data"):
        folder = self.fresh(name)
        for k, (key, tensor) in enumerate(inputs.items()):
            (folder / f"input_{k}.pb").write_bytes(bytes(tensor.proto(key)))
        return folder

    def compare(self, case, model, inputs, reference):
        """Runs a model or shared library on inputs; None, or what is wrong."""
        out = self.fresh("out")
        command = [str(self.runner), str(model), "--inputs", str(self.write(inputs)), "--out", str(out), "--quiet",
                   *([] if model.suffix == ".so" else ["--verify-contracts"])]
        if model.suffix != ".so":
            command += kernels.flags(self.options)
        if self.options.quantized and not self.options.driver:
            command.append(f"--mcpu={quantized.CPUS[zlib.crc32(case.seed.encode()) % len(quantized.CPUS)]}")
        for limit in self.limits(model) if self.options.max_ram else [[]]:
            failure = run_tool(command + limit)
            if not failure or "--max-ram" not in failure:
                break
        if failure:
            return failure
        listed = [line.split()[1] for line in (out / "io.txt").read_text().splitlines() if line.startswith("out ")]
        for name, file, expected in zip(case.outputs, listed, reference):
            wrong = difference(read_npy(out / file), expected, case.tolerance(name))
            if wrong:
                return f"differs: {name}: {wrong}"
        return None if len(listed) == len(case.outputs) else "differs: the number of outputs"

    def limits(self, model):
        """Flags that leave less and less out of what a plan made for speed takes; at last none."""
        status, lines = contained.run([str(self.compiler), str(model), "-o", str(self.folder / "least.o"), "--quiet",
                                       "--max-ram=1"], 120)
        needs = [int(found.group(1)) for line in lines if (found := re.search(r"needs (\d+) bytes of RAM", line))]
        return [[f"--max-ram={most}"] for least in needs for most in (least + 2048, least * 5 // 4 + 2048)] + [[]]

    def check(self, case):
        model = self.folder / "model.onnx"
        model.write_bytes(case.model())
        return self.compare(case, model, case.tensors(), [case.results[name].tensor for name in case.outputs])

    def check_symbolic(self, case, ort, counts=None):
        """Compiled once, run at the case's own size and at another one."""
        symbolic = case.model(symbolic=True)
        model, library = self.folder / "model.onnx", self.folder / "model.so"
        model.write_bytes(symbolic)
        failure = run_tool([str(self.compiler), str(model), "-o", str(library), "--quiet", "--verify-contracts",
                            *kernels.flags(self.options)])
        if failure:
            return failure
        failure = self.compare(case, library, case.tensors(), [case.results[name].tensor for name in case.outputs])
        if failure:
            return failure
        inputs, results = other_sizes(case, ort, symbolic)
        if inputs is None:
            return None
        if counts is not None:
            counts["second size"] += 1
        failure = self.compare(case, library, inputs, results)
        return failure and f"at the second size: {failure}\n" + "\n".join(f"    {name}: {tensor}" for name, tensor in inputs.items())


def unconsumed(case, nodes):
    used = {value.name for node in nodes for value in node.uses()}
    return [name for node in nodes for name in node.outputs if name not in used]


def shrink(case, fails):
    """The smallest part of a case for which `fails` still returns a reason, with that reason."""
    best, reason = case, fails(case)
    for node in case.nodes:
        single = case.smaller([node], node.outputs)
        if why := fails(single):
            return single, why
    nodes = list(case.nodes)
    for node in list(reversed(nodes)) + nodes:
        fewer = [one for one in nodes if one is not node]
        if node not in nodes or not fewer:
            continue
        smaller = case.smaller(fewer, unconsumed(case, fewer))
        if why := fails(smaller):
            best, reason, nodes = smaller, why, fewer
    return best, reason


def make_case(seed, ort, options):
    """The case of a seed: one that ONNX Runtime accepts as a whole, with its results; None where there is none."""
    if options.images:
        # Every third one is a chain of layers that may outgrow a second-level cache: these run in strips of rows.
        if seed % 3 == 0:
            builder = Builder(f"images {seed}", ort, images.chain_table(), most_elements=images.CHAIN_ELEMENTS)
        else:
            builder = Builder(f"images {seed}", ort, images.TABLE, most_elements=20000)
    elif options.quantized:
        builder = Builder(f"quantized {seed}", ort, quantized.TABLE, most_elements=quantized.MOST_ELEMENTS, most_nodes=40)
    elif options.products:
        builder = Builder(f"products {seed}", ort, products.TABLE, most_elements=products.MOST_ELEMENTS)
    elif options.resamplings:
        builder = Builder(f"resamplings {seed}", ort, resamplings.TABLE, most_elements=resamplings.MOST_ELEMENTS)
    else:
        builder = Builder(seed, ort, TABLE, options.run_time_shapes)
    case = builder.grow()
    while case.nodes:
        try:
            results = ort.run(case.model(), case.tensors(), case.outputs)
            for name, tensor in zip(case.outputs, results):
                case.results[name].tensor = tensor
            return case
        except OrtError:
            nodes = case.nodes[:-1]
            case = case.smaller(nodes, unconsumed(case, nodes))
    return None


def worker(options, seeds):
    """Works through seeds; prints one line of JSON for each."""
    ort = Ort(options.ort)
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        checker = Checker(options, pathlib.Path(folder))
        for seed in seeds:
            print(json.dumps({"start": seed}), flush=True)
            case, counts = make_case(seed, ort, options), collections.Counter()
            if case is None:
                print(json.dumps({"seed": seed, "empty": True}), flush=True)
                continue
            fails = (lambda one: checker.check_symbolic(one, ort, counts)) if options.symbolic else checker.check
            result = {"seed": seed, "ops": [node.op for node in case.nodes]}
            reason = fails(case)
            result["second size"] = bool(counts)
            if reason:
                small, why = shrink(case, fails)
                result["failure"] = f"{why or reason}\n{small.text()}"
                # Nothing explains a crash.
                result["explained"] = None if "crash" in (why or reason) else explanation(small.nodes, why or reason)
                result["op"] = "+".join(sorted({node.op for node in small.nodes}))
            print(json.dumps(result), flush=True)


def run_workers(options, seeds):
    """Yields the results of all seeds; a worker that ends early is started again behind its seed."""
    command = [sys.executable, __file__, *options.arguments, "--worker"]
    queues = [seeds[k :: options.jobs] for k in range(options.jobs)]
    processes = []

    def start(queue):
        return subprocess.Popen(command + [",".join(map(str, queue))], stdout=subprocess.PIPE, text=True), queue

    processes = [start(queue) for queue in queues if queue]
    while processes:
        process, queue = processes.pop(0)
        current = None
        for line in process.stdout:
            record = json.loads(line)
            if "start" in record:
                current = record["start"]
            else:
                current = None
                yield record
        process.wait()
        if current is not None:
            yield {"seed": current, "empty": True, "died": process.returncode}
            rest = queue[queue.index(current) + 1 :]
            if rest:
                processes.append(start(rest))
        elif process.returncode:
            sys.exit(f"a worker ended with {process.returncode}")


def summarize(options, results):
    failed = [result for result in results if "failure" in result and not result["explained"]]
    explained = collections.Counter(result["explained"] for result in results if result.get("explained"))
    left_out = [result for result in results if result.get("empty")]
    operators = collections.Counter(op for result in results for op in result.get("ops", ()))
    for why, count in explained.items():
        print(f"explained {count}: {why}")
    for result in left_out:
        if result.get("died"):
            print(f"left out: seed {result['seed']}: ONNX Runtime ends its process")
    kinds = collections.Counter(result["op"] for result in failed)
    for op, count in kinds.most_common():
        print(f"failing {count}: {op}")
    graphs = len(results) - len(left_out)
    print(f"{graphs} graphs of {sum(operators.values())} nodes and {len(operators)} operators: {graphs - len(failed)} agree"
          + (f" ({sum(bool(result.get('second size')) for result in results)} of them at two sizes)" if options.symbolic else "")
          + f", {sum(explained.values())} of them explained; {len(failed)} do not")
    if options.json:
        report = {"passed": graphs - len(failed), "failed": [f"seed {result['seed']}: {result['failure'].splitlines()[0]}" for result in failed],
                  "operators": dict(operators), "explained": dict(explained), "skipped": {}}
        if left_out:
            report["skipped"]["ONNX Runtime has no result"] = len(left_out)
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--ort")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--seeds", default="1..100")
    parser.add_argument("--symbolic", action="store_true")
    parser.add_argument("--run-time-shapes", action="store_true")
    parser.add_argument("--images", action="store_true")
    parser.add_argument("--products", action="store_true")
    parser.add_argument("--quantized", action="store_true")
    parser.add_argument("--resamplings", action="store_true")
    parser.add_argument("--max-ram", action="store_true")
    kernels.add_argument(parser)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--worker")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.worker is not None:
        worker(options, [int(seed) for seed in options.worker.split(",")])
        return 0
    options.no_fetch, options.ort = True, options.ort or os.environ.get("ONNX_AOT_ORT")
    options.ort, reason = bench.find_ort(options)
    reason = reason or kernels.missing(str(options.build / "bin" / "onnx-aot"), options)
    if reason:
        # A true reason to skip: without a reference there is nothing to compare with.
        print(f"skipped: {reason}")
        if options.json:
            options.json.write_text(json.dumps({"passed": 0, "failed": [], "skipped": {reason: 1}}))
        return 0
    # Copies, so that all graphs are compiled by the same programs whatever is built meanwhile.
    for program in ("onnx-aot", "onnx-aot-run", "onnx-aot-halide", "libonnx_aot_halide.so"):
        if (options.build / "bin" / program).exists():  # Halide's plugin is optional
            shutil.copy2(options.build / "bin" / program, options.work)
    options.arguments = [word for word in sys.argv[1:] if word != "--show"] + ["--ort", str(options.ort)]
    first, _, last = options.seeds.partition("..")
    seeds = list(range(int(first), int(last or first) + 1))
    if options.show:
        case = make_case(seeds[0], Ort(options.ort), options)
        print(case.text() if case else "no graph")
        return 0
    results = []
    for result in run_workers(options, seeds):
        results.append(result)
        if "failure" in result:
            mark = f"explained ({result['explained']})" if result["explained"] else "FAILED"
            print(f"{mark} seed {result['seed']}: {result['failure']}", flush=True)
    return summarize(options, results)


if __name__ == "__main__":
    sys.exit(main())
