"""Writes model.onnxtext, one node per case below, with its inputs and references as .npy files.

usage: numerics.py DIR
"""
import math
import pathlib
import struct
import sys

INF, NAN = math.inf, math.nan
TYPES = {"f32": (1, "<f4", "f"), "f16": (10, "<f2", "e"), "bool": (9, "|b1", "?"), "i32": (6, "<i4", "i"),
         "i64": (7, "<i8", "q"), "u8": (2, "|u1", "B")}
CASES = []  # (operator, attributes, inputs, outputs); a tensor is (type, nested values), a constant ("=type", values)


def case(operator, inputs, *outputs, **attributes):
    CASES.append((operator, attributes, inputs, outputs))


ROWS = [[1, 5, 5, -2], [NAN, 3, NAN, 9], [-INF, -INF, -INF, -INF], [INF, 0, INF, 1]]
for kind in "f32", "f16":
    x = (kind, ROWS)
    case("ReduceMax", [x, ("=i64", [1])], (kind, [5, NAN, -INF, INF]), keepdims=0)
    case("ReduceMin", [x, ("=i64", [-1])], (kind, [[-2], [NAN], [-INF], [0]]))
    case("ReduceLogSumExp", [(kind, [[1000, 1000], [-INF, -INF], [INF, 1]]), ("=i64", [1])],
         (kind, [1000.6931 if kind == "f32" else 1000.5, -INF, INF]), keepdims=0)
    case("ArgMax", [x], ("i64", [1, 0, 0, 0]), axis=1, keepdims=0)
    case("ArgMax", [x], ("i64", [2, 2, 3, 2]), axis=1, keepdims=0, select_last_index=1)
    case("ArgMin", [x], ("i64", [3, 0, 0, 1]), axis=1, keepdims=0)
# Halves are summed in single precision: 2048 + 1 would not grow otherwise.
case("ReduceSum", [("f16", [[2048] + [1] * 32]), ("=i64", [1])], ("f16", [2080]), keepdims=0)
case("ReduceMean", [("f16", [[60000, 60000]]), ("=i64", [1])], ("f16", [60000]), keepdims=0)
case("ReduceMax", [("bool", [[False, True], [False, False]]), ("=i64", [1])], ("bool", [True, False]), keepdims=0)
case("ReduceMin", [("bool", [[True, True], [True, False]]), ("=i64", [1])], ("bool", [True, False]), keepdims=0)
case("ReduceMax", [("u8", [[200, 3], [7, 255]]), ("=i64", [1])], ("u8", [200, 255]), keepdims=0)
case("ReduceMax", [("i32", [[-5, -3], [-(2**31), -(2**31)]]), ("=i64", [1])], ("i32", [-3, -(2**31)]), keepdims=0)
case("ReduceL2", [("i32", [[3, 4], [6, 8]]), ("=i64", [1])], ("i32", [5, 10]), keepdims=0)
case("ReduceSumSquare", [("f32", [1, -2, 3])], ("f32", [1, 4, 9]), noop_with_empty_axes=1)
case("CumSum", [("f32", [[1, 2, 3], [4, 5, 6]]), ("=i64", -1)], ("f32", [[5, 3, 0], [11, 6, 0]]), exclusive=1, reverse=1)
case("TopK", [("f32", [[3, 1, 3, 2], [0, -1, -1, 5]]), ("=i64", [3])], ("f32", [[3, 3, 2], [5, 0, -1]]),
     ("i64", [[0, 2, 3], [3, 0, 1]]))
case("TopK", [("i64", [[4, 1], [2, 1], [0, 1]]), ("=i64", [2])], ("i64", [[0, 1], [2, 1]]), ("i64", [[2, 0], [1, 1]]),
     largest=0, axis=0)
case("Gather", [("f32", [10, 11, 12]), ("i64", [-1, -3, 2, 0])], ("f32", [12, 10, 12, 10]))
case("ScatterElements", [("u8", [1, 2, 3]), ("i32", [-1, 0, -1]), ("u8", [9, 8, 7])], ("u8", [8, 2, 9]), axis=0,
     reduction="max")
case("Pad", [("f32", [1, 2, 3, 4]), ("=i64", [-1, 2]), ("f32", 7)], ("f32", [2, 3, 4, 7, 7]))
case("Pad", [("f32", [1, 2, 3]), ("=i64", [5, 3])], ("f32", [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2]), mode="reflect")
case("Pad", [("f32", [1, 2, 3]), ("=i64", [4, -1])], ("f32", [3, 1, 2, 3, 1, 2]), mode="wrap")
case("Slice", [("i32", [0, 1, 2, 3, 4]), ("=i64", [99]), ("=i64", [-99]), ("=i64", [0]), ("=i64", [-2])],
     ("i32", [4, 2, 0]))
case("Transpose", [("bool", [[True, False, False], [True, True, False]])],
     ("bool", [[True, True], [False, True], [False, False]]))


def dims_of(values):
    return [len(values)] + dims_of(values[0]) if isinstance(values, list) else []
case("Det", [("f32", [[[0, 2, -1, 3, 1], [4, 0, 0, 1, 2], [1, -3, 5, 0, 2], [2, 2, 1, 0, -4], [3, 1, 0, 6, 1]],
                      [[0, 1, 2, 3, 4], [0, 5, 6, 7, 8], [0, 1, 1, 1, 1], [0, 2, 3, 1, 7], [0, 9, 9, 1, 2]]])], ("f32", [-916, 0]))
case("Einsum", [("f32", [[1, 2, 3], [4, 5, 6], [7, 8, 9]])], ("f32", 15), equation="ii")
case("Einsum", [("f32", [[1, 2, 3], [4, 5, 6]])], ("f32", [6, 15]), equation="ij->i")
case("Einsum", [("f32", [[[1, 2], [3, 4]]]), ("f32", [[[1, 0], [0, 1]], [[0, 1], [1, 0]]])],
     ("f32", [[[1, 2], [3, 4]], [[2, 1], [4, 3]]]), equation="...ij,...jk")
case("Einsum", [("f32", [[1, 2], [3, 4]]), ("f32", [[1, 1], [2, 0]]), ("f32", [5, 7])], ("f32", [32, 76]),
     equation="bi,ij,j->b")


def flat(values):
    return [leaf for value in values for leaf in flat(value)] if isinstance(values, list) else [values]


def pack(kind, values):
    leaves = flat(values)
    return struct.pack(f"<{len(leaves)}{TYPES[kind][2]}", *leaves)


def write_npy(path, kind, values):
    shape = "(" + "".join(f"{dim}, " for dim in dims_of(values)) + ")"
    header = f"{{'descr': '{TYPES[kind][1]}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (117 - len(header)) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pack(kind, values))


def formal(role, name, kind, values):
    dims = "".join(f"dim {{ dim_value: {dim} }} " for dim in dims_of(values))
    return (f'  {role} {{ name: "{name}" type {{ tensor_type {{ elem_type: {TYPES[kind][0]} '
            f"shape {{ {dims}}} }} }} }}\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    text = 'ir_version: 10\nopset_import { domain: "" version: 20 }\ngraph {\n  name: "numerics"\n'
    listed = ""
    for number, (operator, attributes, inputs, outputs) in enumerate(CASES):
        ins = [f"x{number}_{index}" for index in range(len(inputs))]
        outs = [f"y{number}_{index}" for index in range(len(outputs))]
        text += f'  node {{ op_type: "{operator}" ' + "".join(f'input: "{name}" ' for name in ins)
        text += "".join(f'output: "{name}" ' for name in outs)
        for key, value in attributes.items():
            held = f's: "{value}" type: STRING' if isinstance(value, str) else f"i: {value} type: INT"
            text += f'attribute {{ name: "{key}" {held} }} '
        text += "}\n"
        for name, (kind, values) in zip(ins, inputs):
            if kind[0] == "=":
                raw = "".join(f"\\{byte:03o}" for byte in pack(kind[1:], values))
                dims = "".join(f"dims: {dim} " for dim in dims_of(values))
                text += f'  initializer {{ name: "{name}" {dims}data_type: {TYPES[kind[1:]][0]} raw_data: "{raw}" }}\n'
                continue
            text += formal("input", name, kind, values)
            write_npy(folder / f"{name}.npy", kind, values)
            listed += f"in {name}.npy {name}\n"
        for name, (kind, values) in zip(outs, outputs):
            text += formal("output", name, kind, values)
            write_npy(folder / f"{name}.npy", kind, values)
            listed += f"out {name}.npy {name}\n"
    (folder / "model.onnxtext").write_text(text + "}\n")
    (folder / "io.txt").write_text(listed)


main()
