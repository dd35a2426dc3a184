"""Writes model.onnxtext, one node per case below, with its inputs and references (float, one value each) as .npy files.

usage: empty.py DIR
"""
import math
import pathlib
import struct
import sys

# operator, attributes, shapes of the inputs (filled with ones), (shape, value) of the output
CASES = [
    ("MatMul", {}, [[2, 0], [0, 3]], ([2, 3], 0.0)),
    ("MatMul", {}, [[0, 2], [2, 3]], ([0, 3], 0.0)),
    ("Gemm", {}, [[2, 0], [0, 3], [3]], ([2, 3], 1.0)),
    ("Conv", {}, [[1, 0, 4, 4], [2, 0, 3, 3]], ([1, 2, 2, 2], 0.0)),
    ("Conv", {}, [[1, 1, 4, 4], [0, 1, 3, 3]], ([1, 0, 2, 2], 0.0)),
    ("ReduceSum", {}, [[3, 0, 4]], ([1, 1, 1], 0.0)),
    ("GlobalMaxPool", {}, [[1, 2, 0, 3]], ([1, 2, 1, 1], -math.inf)),
    ("LayerNormalization", {}, [[2, 0], [0]], ([2, 0], 0.0)),
    ("InstanceNormalization", {}, [[2, 4, 0], [4], [4]], ([2, 4, 0], 0.0)),
    ("LRN", {"size": 3}, [[0, 4, 2, 2]], ([0, 4, 2, 2], 0.0)),
    ("Softmax", {}, [[3, 0]], ([3, 0], 0.0)),
]


def write_npy(path, shape, value):
    dims = "(" + "".join(f"{dim}, " for dim in shape) + ")"
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {dims}, }}"
    header += " " * (117 - len(header)) + "\n"
    count = math.prod(shape)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{count}f", *[value] * count))


def main():
    folder = pathlib.Path(sys.argv[1])
    text = 'ir_version: 10\nopset_import { domain: "" version: 20 }\ngraph {\n  name: "empty"\n'
    listed = ""
    for number, (operator, attributes, shapes, result) in enumerate(CASES):
        tensors = [("input", "in", f"x{number}_{index}", shape, 1.0) for index, shape in enumerate(shapes)]
        tensors.append(("output", "out", f"y{number}", *result))
        text += f'  node {{ op_type: "{operator}" '
        for role, direction, name, shape, value in tensors:
            text += f'{role}: "{name}" '
        for key, value in attributes.items():
            text += f'attribute {{ name: "{key}" i: {value} type: INT }} '
        text += "}\n"
        for role, direction, name, shape, value in tensors:
            dims = "".join(f"dim {{ dim_value: {dim} }} " for dim in shape)
            text += f'  {role} {{ name: "{name}" type {{ tensor_type {{ elem_type: 1 shape {{ {dims}}} }} }} }}\n'
            write_npy(folder / f"{name}.npy", shape, value)
            listed += f"{direction} {name}.npy {name}\n"
    (folder / "model.onnxtext").write_text(text + "}\n")
    (folder / "io.txt").write_text(listed)


main()
