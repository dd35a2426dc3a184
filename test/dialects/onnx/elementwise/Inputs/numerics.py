"""Writes model.onnxtext, one node per case below, with its inputs and references as .npy files.

usage: numerics.py DIR [--constant]      --constant: the inputs are initializers, so that everything folds
"""
import math
import pathlib
import struct
import sys

INF, NAN = math.inf, math.nan
TYPES = {  # name: (TensorProto.DataType, numpy's name, struct's letter)
    "f32": (1, "<f4", "f"), "f64": (11, "<f8", "d"), "f16": (10, "<f2", "e"), "bool": (9, "|b1", "?"),
    "i8": (3, "|i1", "b"), "i16": (5, "<i2", "h"), "i32": (6, "<i4", "i"), "i64": (7, "<i8", "q"),
    "u8": (2, "|u1", "B"), "u16": (4, "<u2", "H"), "u32": (12, "<u4", "I"), "u64": (13, "<u8", "Q"),
}
CASES = []  # (operator, attributes, inputs, output), tensors are (type, values)


def case(operator, inputs, output, **attributes):
    CASES.append((operator, attributes, inputs, output))


for bits in 8, 16, 32, 64:
    kind, low, high = f"i{bits}", -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    a, b = [7, -7, 7, -7, 5, low, low, 0, high], [2, 2, -2, -2, 3, -1, 1, 4, -1]
    case("Div", [(kind, a), (kind, b)], (kind, [3, -3, -3, 3, 1, low, low, 0, -high]))
    case("Mod", [(kind, a), (kind, b)], (kind, [1, 1, -1, -1, 2, 0, 0, 0, 0]))
    case("Mod", [(kind, a), (kind, b)], (kind, [1, -1, 1, -1, 2, 0, 0, 0, 0]), fmod=1)
    case("Abs", [(kind, a)], (kind, [7, 7, 7, 7, 5, low, low, 0, high]))
    case("Sign", [(kind, a)], (kind, [1, -1, 1, -1, 1, -1, -1, 0, 1]))
    case("Pow", [(kind, [2, 3, -2, -1, 0, -1, 7, 5]), (kind, [3, 2, 3, -3, 0, -4, 1, -1])],
         (kind, [8, 9, -8, -1, 1, 1, 7, 0]))
    case("Less", [(kind, a), (kind, b)], ("bool", [x < y for x, y in zip(a, b)]))
    kind, high = f"u{bits}", (1 << bits) - 1
    a, b = [7, high, 200, 1, 0], [2, high - 1, 250, high, 9]
    case("Div", [(kind, a), (kind, b)], (kind, [3, 1, 0, 0, 0]))
    case("Mod", [(kind, a), (kind, b)], (kind, [1, 1, 200, 1, 0]))
    case("Max", [(kind, a), (kind, b)], (kind, [max(x, y) for x, y in zip(a, b)]))
    case("Greater", [(kind, a), (kind, b)], ("bool", [x > y for x, y in zip(a, b)]))
    case("Clip", [(kind, a), (kind, 3), (kind, 100)], (kind, [min(max(x, 3), 100) for x in a]))
    amounts = (kind, [0, 1, bits - 1, bits, bits + 5])
    case("BitShift", [(kind, [high] * 5), amounts], (kind, [high, high - 1, 1 << (bits - 1), 0, 0]), direction="LEFT")
    case("BitShift", [(kind, [high] * 5), amounts], (kind, [high, high >> 1, 1, 0, 0]), direction="RIGHT")

for kind in "f32", "f64", "f16":
    a, b = [1.5, -2.5, NAN, INF, -INF, 0, 0.5, 2.5], [2, NAN, 1, -INF, INF, -1, 3, -1]
    case("Max", [(kind, a), (kind, b)], (kind, [2, NAN, NAN, INF, INF, 0, 3, 2.5]))
    case("Min", [(kind, a), (kind, b)], (kind, [1.5, NAN, NAN, -INF, -INF, -1, 0.5, -1]))
    case("Round", [(kind, a)], (kind, [2, -2, NAN, INF, -INF, 0, 0, 2]))
    case("Sign", [(kind, a)], (kind, [1, -1, NAN, 1, -1, 0, 1, 1]))
    case("Clip", [(kind, a), (kind, -1), (kind, 1)], (kind, [1, -1, NAN, 1, -1, 0, 0.5, 1]))
    case("Equal", [(kind, a), (kind, a)], ("bool", [x == x for x in a]))
    case("IsNaN", [(kind, a)], ("bool", [x != x for x in a]))
    case("IsInf", [(kind, a)], ("bool", [x == -INF for x in a]), detect_positive=0)
    case("Mod", [(kind, [5.5, -5.5, 5.5, -5.5]), (kind, [2, 2, -2, -2])], (kind, [1.5, -1.5, 1.5, -1.5]), fmod=1)
    case("Cast", [(kind, [0, 1.9, -1.9, 100.5, NAN])], ("bool", [False, True, True, True, True]), to=9)
    for name in "i8", "i16", "i32", "i64":
        case("Cast", [(kind, [0, 1.9, -1.9, 100.5, -3])], (name, [0, 1, -1, 100, -3]), to=TYPES[name][0])
    for name in "u8", "u16", "u32", "u64":
        case("Cast", [(kind, [0, 1.9, 100.5, 3])], (name, [0, 1, 100, 3]), to=TYPES[name][0])
    case("Pow", [(kind, [2, -2, 0.5, -0.0]), ("i64", [3, 3, -2, 2])], (kind, [8, -8, 4, 0]))
case("Cast", [("f32", [NAN, 3e9, -3e9, 2.0**31, -(2.0**31), 2147483520])],
     ("i32", [-(2**31), 2**31 - 1, -(2**31), 2**31 - 1, -(2**31), 2147483520]), to=6)
case("Cast", [("f64", [NAN, 1e30, -1e30, 2.0**62])], ("i64", [-(2**63), 2**63 - 1, -(2**63), 2**62]), to=7)
case("Cast", [("f64", [1e30, 2.0**63, 2.0**64 - 2048, 5])], ("u64", [2**64 - 1, 2**63, 2**64 - 2048, 5]), to=13)
case("Cast", [("f32", [65519, 65520, -1e30, NAN])], ("f16", [65504, INF, -INF, NAN]), to=10)
case("Cast", [("u64", [2**64 - 1, 0])], ("f32", [2.0**64, 0]), to=1)
case("Pow", [("i32", [4, 9, 2, 100]), ("f32", [0.5, 1.5, -1, 2])], ("i32", [2, 27, 0, 10000]))
case("Where", [("bool", [True, False, True]), ("i8", [1, 2, 3]), ("i8", [4])], ("i8", [1, 4, 3]))
case("Not", [("bool", [True, False])], ("bool", [False, True]))


def flat(values):
    return values if isinstance(values, list) else [values]


def pack(tensor):
    kind, values = tensor
    return struct.pack(f"<{len(flat(values))}{TYPES[kind][2]}", *flat(values))


def write_npy(path, tensor):
    kind, values = tensor
    shape = f"({len(values)},)" if isinstance(values, list) else "()"
    header = f"{{'descr': '{TYPES[kind][1]}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (117 - len(header)) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pack(tensor))


def dims_of(tensor):
    return [len(tensor[1])] if isinstance(tensor[1], list) else []


def formal(role, name, tensor):
    dims = "".join(f"dim {{ dim_value: {dim} }} " for dim in dims_of(tensor))
    return (f'  {role} {{ name: "{name}" type {{ tensor_type {{ elem_type: {TYPES[tensor[0]][0]} '
            f"shape {{ {dims}}} }} }} }}\n")


def main():
    folder, constant = pathlib.Path(sys.argv[1]), "--constant" in sys.argv
    text = 'ir_version: 10\nopset_import { domain: "" version: 20 }\ngraph {\n  name: "numerics"\n'
    listed = ""
    for number, (operator, attributes, inputs, output) in enumerate(CASES):
        names = [f"x{number}_{index}" for index in range(len(inputs))]
        text += f'  node {{ op_type: "{operator}" {" ".join(f"input: {chr(34)}{name}{chr(34)}" for name in names)} '
        text += f'output: "y{number}" '
        for key, value in attributes.items():
            held = f's: "{value}" type: STRING' if isinstance(value, str) else f"i: {value} type: INT"
            text += f'attribute {{ name: "{key}" {held} }} '
        text += "}\n"
        for name, tensor in zip(names, inputs):
            if constant:
                raw = "".join(f"\\{byte:03o}" for byte in pack(tensor))
                dims = "".join(f"dims: {dim} " for dim in dims_of(tensor))
                text += f'  initializer {{ name: "{name}" {dims}data_type: {TYPES[tensor[0]][0]} raw_data: "{raw}" }}\n'
            else:
                text += formal("input", name, tensor)
                write_npy(folder / f"{name}.npy", tensor)
                listed += f"in {name}.npy {name}\n"
        text += formal("output", f"y{number}", output)
        write_npy(folder / f"y{number}.npy", output)
        listed += f"out y{number}.npy y{number}\n"
    (folder / "model.onnxtext").write_text(text + "}\n")
    (folder / "io.txt").write_text(listed)


main()
