"""Compiles every operator for every element type that ONNX allows, from ONNX's own test cases.

usage: element_types.py --runner onnx-aot-run --cases FOLDER|ARCHIVE --work DIR [--constraints FILE] [--expected-failures FILE]
                [--json FILE] [--update] [--filter REGEX] [--jobs N] [--timeout SECONDS] [--every K]

1. `type-constraints.txt` beside this file says for each operator which types its inputs may have (the standard's type
   constraints, strings, sequences and optionals left out). A test case whose model is one node gives the shapes, the
   attributes and the values.
2. For each type variable of the node and each type that it may be, the case is rewritten: its inputs and outputs of
   that variable get the new type, their values are converted, and the model is compiled and run.
3. Where the new type holds every value of the inputs (or is a float type, which holds them nearly), the outputs are
   compared with the converted ones of the case; elsewhere it is enough that the model runs.
4. FILE lists the expected failures, `OPERATOR VARIABLE TYPE: REASON` per line, and may only shrink, as in run.py.

The exit status is 0 only if every result was the expected one. Cases that are not there are skipped with that reason.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import os
import pathlib
import re
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run
from onnx_proto import *  # noqa: F403 the names of fields

HEADER = """\
# Types of ONNX's operators that onnx-aot does not compile, with the reason. This list may only shrink.
# Written by `test/conformance/element_types.py --update`.
"""
NUMBERS = {"f32": 1, "u8": 2, "i8": 3, "u16": 4, "i16": 5, "i32": 6, "i64": 7, "bool": 9, "f16": 10, "f64": 11,
           "u32": 12, "u64": 13, "c64": 14, "c128": 15, "bf16": 16, "f8e4m3fn": 17, "f8e4m3fnuz": 18, "f8e5m2": 19,
           "f8e5m2fnuz": 20, "u4": 21, "i4": 22, "f4": 23, "f8e8m0": 24, "u2": 25, "i2": 26}
NAMES = {number: name for name, number in NUMBERS.items()}
STRUCT = {"f32": "f", "u8": "B", "i8": "b", "u16": "H", "i16": "h", "i32": "i", "i64": "q", "bool": "?", "f16": "e",
          "f64": "d", "u32": "I", "u64": "Q"}
TOLERANCE = {"f64": 1e-3, "f32": 1e-3, "f16": 1e-2, "bf16": 6e-2}
# Operators (and their type variables) whose outputs depend on more than the values of the inputs: random ones, those
# that know the width or the kind of a type, and the tangent near its poles.
INEXACT = re.compile(r"(Bernoulli|Multinomial|Dropout|Bitwise\w+|BitShift|Not|Div|Tan) |QuantizeLinear T3|Attention U")
# Variables of outputs that have the type of an input as long as neither an attribute nor an input says otherwise.
TIED = {("Bernoulli", "T1"): "T2", ("DequantizeLinear", "T2"): "T3", ("LinearAttention", "T"): "S",
        ("OptionalGetElement", "O"): "V", ("SplitToSequence", "T"): "S"}
# Combinations that the standard rules out in words: operator, variable, types, and what it says.
RULED_OUT = [
    (r"BitCast T1 .*", "the width must be that of the attribute 'to'"),
    (r"DequantizeLinear T2 f8e8m0", "the result's type must be given by output_dtype then"),
    (r"Mod T (f16|bf16|f32|f64)", "floats need fmod = 1, which the case does not have"),
]

Signature = collections.namedtuple("Signature", "inputs outputs types")
Result = collections.namedtuple("Result", "name passed reason")


# --- Element types.


def float_bits(name):
    """(sign bit, mantissa bits, bias, codes without a finite value) of a float of up to 8 bits."""
    return {"f8e4m3fn": (0x80, 3, 7, {0x7F, 0xFF}), "f8e4m3fnuz": (0x80, 3, 8, {0x80}),
            "f8e5m2": (0x80, 2, 15, {*range(0x7C, 0x80), *range(0xFC, 0x100)}), "f8e5m2fnuz": (0x80, 2, 16, {0x80}),
            "f4": (0x8, 1, 1, set())}[name]


def codes(name, known={}):
    """{value: code} of a type of up to 8 bits whose codes are not its values."""
    if name not in known:
        table = {}
        if name == "f8e8m0":
            table = {2.0 ** (code - 127): code for code in range(255)}
        else:
            sign, mantissa, bias, special = float_bits(name)
            for code in range(2 * sign):
                exponent, fraction = (code & sign - 1) >> mantissa, code & (1 << mantissa) - 1
                value = (fraction + (1 << mantissa if exponent else 0)) * 2.0 ** (max(exponent, 1) - bias - mantissa)
                if code not in special:
                    table.setdefault(-value if code & sign else value, code)
        known[name] = table
    return known[name]


def decode(name, raw, count):
    if name in STRUCT:
        return [value[0] for value in struct.iter_unpack("<" + STRUCT[name], raw)]
    if name == "bf16":
        return [struct.unpack("<f", b"\0\0" + raw[at : at + 2])[0] for at in range(0, len(raw), 2)]
    if name in ("c64", "c128"):
        return [complex(*pair) for pair in struct.iter_unpack("<ff" if name == "c64" else "<dd", raw)]
    bits = 8 if name.startswith("f8") else int(name[1:])
    unpacked = [byte >> shift & (1 << bits) - 1 for byte in raw for shift in range(0, 8, bits)][:count]
    if name[0] == "i":
        return [value - (1 << bits) if value >> bits - 1 else value for value in unpacked]
    if name[0] == "u":
        return unpacked
    values = {code: value for value, code in codes(name).items()}
    if name != "f8e8m0":
        sign, _, _, special = float_bits(name)
        values.update({} if sign in special else {sign: -0.0})  # which is equal to the key 0.0 in codes()
    return [values.get(code, math.nan) for code in unpacked]


def limits(name):
    """(lowest, highest) of an integer type."""
    bits = int(name[1:])
    return (0, (1 << bits) - 1) if name[0] == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)


def convert(name, value):
    """(the element of the type nearest to `value` in kind, whether it is the same or, for large floats, nearly)."""
    if name in ("c64", "c128"):
        return complex(value), True
    if isinstance(value, complex):
        value = value.real
    if name == "bool":
        return bool(value), value in (0, 1)
    if name[0] in "ui":
        low, high = limits(name)
        integer = int(value) if math.isfinite(value) else 0
        inside = min(max(integer, low), high)
        return inside, inside == value
    if name in ("f32", "f64"):
        return float(value), True
    if name in ("f16", "bf16"):
        value = float(value)
        return (value, True) if not abs(value) > 65000 or not math.isfinite(value) else (1.0, False)
    table = codes(name)
    nearest = value if value in table else min(table, key=lambda known: abs(known - value) if value == value else known)
    return nearest, nearest == value


def encode(name, values):
    if name in STRUCT:
        return struct.pack(f"<{len(values)}{STRUCT[name]}", *values)
    if name == "bf16":
        out = bytearray()
        for value in values:
            bits = struct.unpack("<I", struct.pack("<f", value))[0]
            bits += 0x7FFF + (bits >> 16 & 1) if value == value else 0
            out += struct.pack("<H", bits >> 16 & 0xFFFF)
        return bytes(out)
    if name in ("c64", "c128"):
        letter = "f" if name == "c64" else "d"
        return b"".join(struct.pack(f"<2{letter}", value.real, value.imag) for value in values)
    bits = {"f4": 4}.get(name) or (8 if name.startswith("f8") else int(name[1:]))
    elements = [codes(name)[value] if name[0] == "f" else value & (1 << bits) - 1 for value in values]
    out = bytearray((len(elements) * bits + 7) // 8)
    for index, element in enumerate(elements):
        out[index * bits // 8] |= element << index * bits % 8
    return bytes(out)


# --- The table and the cases.


def read_constraints(path):
    table = {}
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        head, *types = line.split("; ")
        match = re.fullmatch(r"(\S+) \((.*?)\) -> \((.*?)\)", head)
        split = lambda text: [part for part in text.split(", ") if part]
        table[match[1]] = Signature(split(match[2]), split(match[3]),
                                    {name: allowed.split() for name, allowed in (part.split(" =") for part in types)})
    return table


def variables(formal, actual):
    """{name of the actual value: type variable}; a formal parameter with * takes all that remain."""
    found = {}
    for index, name in enumerate(actual):
        last = formal[min(index, len(formal) - 1)] if formal else ""
        if index < len(formal) or last.startswith("*"):
            found[name] = last.lstrip("*")
    return found


def read_case(case, table):
    """(model, operator, {value: variable}, {variable: its type}) of a case of one node; None for others."""
    try:
        model = Message((case / "model.onnx").read_bytes())
    except ValueError:
        return None
    graph = model.message(MODEL_GRAPH)
    nodes = graph.messages(GRAPH_NODE)
    if len(nodes) != 1 or graph.values(GRAPH_INITIALIZER) or nodes[0].text(NODE_DOMAIN):
        return None
    node, operator = nodes[0], nodes[0].text(NODE_OP)
    if operator not in table or any(attribute.values(ATTRIBUTE_GRAPH) for attribute in node.messages(NODE_ATTRIBUTE)):
        return None
    inputs = variables(table[operator].inputs, node.texts(NODE_INPUT))
    outputs = variables(table[operator].outputs, node.texts(NODE_OUTPUT))
    types = {}
    for info in graph.messages(GRAPH_INPUT):
        number = info.message(INFO_TYPE).message(TYPE_TENSOR).first(1, 0)
        variable = inputs.get(info.text(INFO_NAME))
        if number not in NAMES:
            return None
        if variable in table[operator].types:
            types.setdefault(variable, NAMES[number])
    return model, operator, {**inputs, **outputs}, types


def retype_model(model, values, new_type):
    def element(message):
        message.fields = [(n, k, NUMBERS[new_type] if n == 1 else v) for n, k, v in message.fields]
        return message

    def kind(message):
        return message.rewrite(TYPE_TENSOR, element).rewrite(TYPE_SEQUENCE, lambda sequence: sequence.rewrite(1, kind))

    def info(message):
        return message.rewrite(INFO_TYPE, kind) if message.text(INFO_NAME) in values else message

    copy = Message(bytes(model))
    return copy.rewrite(MODEL_GRAPH, lambda graph: graph.rewrite(GRAPH_INPUT, info).rewrite(GRAPH_OUTPUT, info))


def read_tensor(proto):
    dims, name = proto.ints(TENSOR_DIMS), NAMES.get(proto.first(TENSOR_TYPE))
    raw = proto.first(TENSOR_RAW)
    if raw is None and name and len(encode(name, [0])) == 1:  # int32_data: a byte each, packed as in raw_data
        raw = bytes(value & 0xFF for value in proto.ints(5))
    if name is None or (raw is None and math.prod(dims)):
        return None
    return dims, decode(name, raw or b"", math.prod(dims))


def retype_tensor(proto, new_type):
    """(the converted tensor, whether the new type holds all values), or None where it is in a form not read here."""
    tensor = read_tensor(proto)
    if tensor is None:
        return None
    dims, values = tensor
    converted = [convert(new_type, value) for value in values]
    out = Message().add(TENSOR_DIMS, *dims).add(TENSOR_TYPE, NUMBERS[new_type]).add(TENSOR_NAME, proto.text(TENSOR_NAME))
    out.add(TENSOR_RAW, encode(new_type, [value for value, _ in converted]))
    return out, all(exact for _, exact in converted)


def retype_file(source, target, new_type, is_sequence):
    """Writes a converted .pb file; whether the new type holds all values, or None where the file is in another form."""
    proto = Message(source.read_bytes())
    if not is_sequence:
        parts = [retype_tensor(proto, new_type)]
    else:
        parts = [retype_tensor(tensor, new_type) for tensor in proto.messages(SEQUENCE_TENSORS)]
    if None in parts:
        return None
    converted = iter([part for part, _ in parts])
    out = proto.rewrite(SEQUENCE_TENSORS, lambda _: next(converted)) if is_sequence else next(converted)
    target.write_bytes(bytes(out))
    return all(exact for _, exact in parts)


def run_retyped(case, model, operator, variable, values, tied, new_type, options):
    """None when it compiles, runs and, where that can be told, has the right values; otherwise the reason."""
    work = options.work / "typed" / f"{operator}-{variable}-{new_type}"
    data = work / "data"
    data.mkdir(parents=True, exist_ok=True)
    names = {name for name, its in values.items() if name and its in (variable, tied)}
    (work / "model.onnx").write_bytes(bytes(retype_model(model, names, new_type)))
    graph, compares = model.message(MODEL_GRAPH), not INEXACT.match(f"{operator} {variable}")
    source = case / "test_data_set_0"
    for field, kind in ((GRAPH_INPUT, "input"), (GRAPH_OUTPUT, "output")):
        for k, info in enumerate(graph.messages(field)):
            file = f"{kind}_{k}.pb"
            if info.text(INFO_NAME) not in names:
                (data / file).write_bytes((source / file).read_bytes())
                continue
            is_sequence = bool(info.message(INFO_TYPE).values(TYPE_SEQUENCE))
            exact = retype_file(source / file, data / file, new_type, is_sequence)
            if exact is None:
                return "the case's data is in a form that this test does not read"
            compares &= exact
    command = [options.runner, str(work / "model.onnx"), "--inputs", str(data)]
    if compares:
        tolerance = str(TOLERANCE.get(new_type, 1e-3))
        command += ["--expect", str(data), "--rtol", tolerance, "--atol", tolerance]
    reason = run.run_tool(command, options.timeout)
    # A value that had to be changed may be an index that is out of range now.
    if reason and not compares and "run" in reason and "status" in reason:
        return None
    return run.tidy(reason, work, work) if reason else None


# --- All of them.


def find_work(options, table, cases):
    """(case, model, operator, variable, values, the tied variable, type) for each operator, variable and type: the first
    case that fits."""
    seen, found = set(), []
    known_failures = run.read_expected(options.case_failures)
    for case in sorted(cases.glob("*/*/")):
        name = f"{case.parent.name}/{case.name}"
        read = None if name in known_failures or "_expanded" in name else read_case(case, table)
        if not read:
            continue
        model, operator, values, types = read
        for variable, old_type in types.items():
            tied = TIED.get((operator, variable))
            tied = None if tied in types else tied
            for new_type in table[operator].types[variable]:
                key = (operator, variable, new_type)
                ruled_out = any(re.fullmatch(pattern, " ".join(key)) for pattern, _ in RULED_OUT)
                if key not in seen and new_type != old_type and not ruled_out:
                    seen.add(key)
                    found.append((case, model, operator, variable, values, tied, new_type))
    return found


def run_all(cases, options, report):
    table = read_constraints(options.constraints)
    work = [item for item in find_work(options, table, cases)
            if re.search(options.filter, f"{item[2]} {item[3]} {item[-1]}")][:: options.every]
    expected = run.read_expected(options.expected_failures)

    def one(item):
        reason = run_retyped(*item, options)
        return Result(f"{item[2]} {item[3]} {item[-1]}", reason is None, reason or "")

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(one, work))
    ran = {result.name for result in results}
    if options.update:
        kept = {name: reason for name, reason in expected.items() if name not in ran}
        expected = {**kept, **{result.name: result.reason for result in results if not result.passed}}
        lines = [f"{name}: {reason}\n" for name, reason in sorted(expected.items())]
        options.expected_failures.write_text(HEADER + "".join(lines))
    for result in results:
        if result.passed and result.name in expected:
            report["failed"].append(f"{result.name} passes: remove it from {options.expected_failures.name}")
        elif not result.passed and (result.name not in expected or result.reason.startswith(run.CRASH)):
            report["failed"].append(f"{result.name}: {result.reason}")
    report["passed"] = sum(result.passed for result in results)
    report["expected_failures"] = sum(not result.passed and result.name in expected for result in results)
    for failure in report["failed"]:
        print("FAILED " + failure)
    operators = len({item[2] for item in work})
    print(f"{report['passed']} of {len(results)} types of {operators} operators compile and run, "
          f"{len(report['failed'])} unexpected results")


def main():
    parser = argparse.ArgumentParser()
    here = pathlib.Path(__file__).resolve().parent
    parser.add_argument("--runner", required=True)
    parser.add_argument("--cases", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--constraints", type=pathlib.Path, default=here / "type-constraints.txt")
    parser.add_argument("--expected-failures", type=pathlib.Path, default=here / "expected-failures-types.txt")
    parser.add_argument("--case-failures", type=pathlib.Path, default=here / "expected-failures-onnx-1.23.txt")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--filter", default="")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=120)
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    cases = run.find_cases(options)
    report = {"passed": 0, "failed": []}
    if cases is None:
        report["skipped"] = {f"no test cases at {options.cases.name}": 1}
        print(f"skipped: there is no {options.cases}")
    else:
        run_all(cases, options, report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if report["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
