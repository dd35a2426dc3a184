#!/usr/bin/env python3
"""Runs a model on inputs that are written on the command line, and prints what onnx-aot-run says.

    run_with.py WORK MODEL NAME=TYPE[DIMS]:VALUES... [-- FLAG...] [== STATUS]

VALUES is a list with commas, repeated to fill the tensor: `x=float32[2,3]:0 i=int64[]:-1`. Exits with 0 when
onnx-aot-run exits with STATUS (0 unless given).
"""
import pathlib
import re
import struct
import subprocess
import sys

TYPES = {
    "float32": ("<f4", "f"), "float64": ("<f8", "d"), "int8": ("|i1", "b"), "int16": ("<i2", "h"), "int32": ("<i4", "i"),
    "int64": ("<i8", "q"), "uint8": ("|u1", "B"), "uint16": ("<u2", "H"), "uint32": ("<u4", "I"), "uint64": ("<u8", "Q"),
    "bool": ("|b1", "?"),
}


def npy(kind, dims, values):
    """The bytes of a .npy file."""
    descr, code = TYPES[kind]
    count = 1
    for dim in dims:
        count *= dim
    shape = "(" + "".join(f"{dim}, " for dim in dims) + ")"
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    convert = float if code in "fd" else (lambda text: bool(int(text))) if code == "?" else int
    numbers = [convert(value) for value in values.split(",")]
    data = [numbers[i % len(numbers)] for i in range(count)]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack(f"<{count}{code}", *data)


def main(arguments):
    expected = 0
    if "==" in arguments:
        at = arguments.index("==")
        expected, arguments = int(arguments[at + 1]), arguments[:at]
    flags = []
    if "--" in arguments:
        at = arguments.index("--")
        flags, arguments = arguments[at + 1:], arguments[:at]
    work = pathlib.Path(arguments[0])
    work.mkdir(parents=True, exist_ok=True)
    command = ["onnx-aot-run", arguments[1]]
    for index, text in enumerate(arguments[2:]):
        name, kind, dims, values = re.fullmatch(r"(.+?)=(\w+)\[([\d,]*)\]:(.*)", text).groups()
        file = work / f"input_{index}.npy"
        file.write_bytes(npy(kind, [int(dim) for dim in dims.split(",") if dim], values))
        command += ["--input", f"{name}={file}"]
    run = subprocess.run(command + flags, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    print(run.stdout, end="")
    if run.returncode != expected:
        print(f"onnx-aot-run exited with {run.returncode}, not with {expected}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
