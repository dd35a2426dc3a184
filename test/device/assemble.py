"""The PTX of models is made for every generation of GPUs, and NVIDIA's assembler takes it.

usage: assemble.py --compiler ONNX-AOT --models DIR --examples DIR [--filter REGEX] [--json FILE] [--jobs N]

Each model is compiled for sm_75, sm_80, sm_90 and sm_90a, and with --precision=fp16 and tf32 for sm_80, bf16 for
sm_90a. Where the CUDA
Toolkit is installed (PATH, CUDA_HOME, /usr/local/cuda), ptxas assembles the result; elsewhere that half is skipped, and
the text must still name its target and hold a kernel. The models are those beside the project, where there are any, the
examples' and some of Debian's set of ONNX's test data.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import contained  # noqa: E402

TIMEOUT = 300
TARGETS = [("sm_75", "fp32"), ("sm_80", "fp32"), ("sm_90", "fp32"), ("sm_90a", "fp32"), ("sm_80", "fp16"), ("sm_80", "tf32"),
           ("sm_90a", "bf16")]
SHARED = ["mnist_cnn_op8", "resnet8_cifar_op13", "resnet8_cifar_qdq_int8_op13", "mobilenet_v1_025_vww_op13", "gru_cls_op11_static",
          "gpt2_tiny_kv_op13_dyn", "tcn1d_op12_dynT", "silero_vad_v5"]
DEBIAN = pathlib.Path("/usr/share/libonnx-testdata/data")
OF_DEBIAN = ["pytorch-converted/test_Conv2d_groups", "pytorch-converted/test_MaxPool2d", "pytorch-converted/test_Softmax",
             "pytorch-converted/test_Linear", "node/test_gru_defaults", "node/test_layer_normalization_default_axis"]


def find_ptxas():
    folders = [os.environ[name] + "/bin" for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ] + ["/usr/local/cuda/bin"]
    return shutil.which("ptxas") or shutil.which("ptxas", path=os.pathsep.join(folders))


def fault(options, ptxas, model, target, precision):
    """None, or what is wrong with the device code of a model."""
    with tempfile.TemporaryDirectory(prefix="onnx-aot-ptx-") as folder:
        ptx = pathlib.Path(folder, "model.ptx")
        flags = ["--quiet", "--device=cuda", f"--gpu-arch={target}", f"--precision={precision}"]
        status, lines = contained.run([options.compiler, model, "-o", ptx, *flags], TIMEOUT)
        if status != 0:
            return (lines or ["no result in time"])[0]
        text = ptx.read_text()
        if f".target {target}\n" not in text or ".entry " not in text:
            return "the PTX has no kernel for its target"
        if not ptxas:
            return None
        status, lines = contained.run([ptxas, f"-arch={target}", ptx, "-o", folder + "/model.cubin"], TIMEOUT)
        serialized = [line for line in lines if "serialized" in line]
        return "ptxas: " + (serialized or lines or ["no result in time"])[0] if status != 0 or serialized else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True, type=pathlib.Path)
    parser.add_argument("--models", required=True, type=pathlib.Path)
    parser.add_argument("--examples", required=True, type=pathlib.Path)
    parser.add_argument("--filter", default="")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    ptxas = find_ptxas()
    report = {"passed": 0, "failed": [], "skipped": {}}
    candidates = [options.models / (name + ".onnx") for name in SHARED]
    candidates += [DEBIAN / name / "model.onnx" for name in OF_DEBIAN]
    missing = sum(not model.exists() for model in candidates)
    if missing:
        report["skipped"]["model is not here"] = missing
    models = sorted(options.examples.glob("*/*.onnx")) + [model for model in candidates if model.exists()]
    cases = [(model, *target) for model in models for target in TARGETS]
    cases = [case for case in cases if re.search(options.filter, " ".join(map(str, case)))]
    if not ptxas:
        report["skipped"]["there is no ptxas of the CUDA Toolkit: PTX is made, but not assembled"] = len(cases)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for case, wrong in zip(cases, pool.map(lambda case: fault(options, ptxas, *case), cases)):
            model, target, precision = case
            name = model.stem if model.stem != "model" else model.parent.name
            if wrong:
                report["failed"].append(f"{name} for {target}, {precision}: {wrong}")
                print("FAILED " + report["failed"][-1], flush=True)
            else:
                report["passed"] += 1
    skipped = "".join(f"; skipped {count}: {reason}" for reason, count in report["skipped"].items())
    print(f"{report['passed']} passed, {len(report['failed'])} failed{skipped}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] or not report["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
