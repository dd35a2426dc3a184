"""ONNX's test data (TensorProto files, .npy files) as the files that case.c reads.

A tensor goes as (dtype, dims, bytes), with the bytes as they lie in a caller's buffer: elements of 2 and 4 bits, which
ONNX packs, take a byte each (onnx_aot/runtime.h).
"""
import ast
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from onnx_proto import (BOOL, DOUBLE, FLOAT, FLOAT16, INFO_TYPE, INT8, INT16, INT32, INT64, MODEL_GRAPH,  # noqa: E402
                        SEQUENCE_TENSORS, STRING, TENSOR_DIMS, TENSOR_RAW, TENSOR_TYPE, TYPE_OPTIONAL, TYPE_SEQUENCE, UINT8,
                        UINT16, UINT32, UINT64, Message)

BFLOAT16, COMPLEX64, COMPLEX128 = 16, 14, 15
# What ONNX packs: bits, and whether they are signed.
PACKED = {21: (4, False), 22: (4, True), 23: (4, False), 25: (2, False), 26: (2, True)}
# The typed field of a TensorProto that holds the elements where raw_data does not, and how each is stored.
FIELDS = {FLOAT: (4, "<f"), COMPLEX64: (4, "<f"), DOUBLE: (10, "<d"), COMPLEX128: (10, "<d"), INT64: (7, "<q"),
          UINT64: (11, "<Q"), UINT32: (11, "<I"), INT32: (5, "<i"), INT16: (5, "<h"), UINT16: (5, "<H"), INT8: (5, "<b"),
          UINT8: (5, "<B"), BOOL: (5, "<B"), FLOAT16: (5, "<H"), BFLOAT16: (5, "<H"),
          **{dtype: (5, "<B") for dtype in (17, 18, 19, 20, 24, *PACKED)}}


class Unreadable(Exception):
    """Data of a kind that a case file cannot carry."""


def unpack(raw, count, bits, signed):
    values = [byte >> shift & (1 << bits) - 1 for byte in raw for shift in range(0, 8, bits)][:count]
    return bytes((value - (1 << bits) if signed and value >> bits - 1 else value) & 0xFF for value in values)


def tensor_of(proto):
    dims, dtype = proto.ints(TENSOR_DIMS), proto.first(TENSOR_TYPE, 0)
    if dtype == STRING:
        raise Unreadable("strings")
    if dtype not in FIELDS:
        raise Unreadable(f"element type {dtype}")
    count = 1
    for dim in dims:
        count *= dim
    raw = proto.first(TENSOR_RAW)
    if raw is None:
        field, form = FIELDS[dtype]
        if field in (4, 10):  # floats come packed, or as fields of their own
            raw = b"".join(proto.values(field))
        else:
            size = struct.calcsize(form)
            raw = b"".join((value & (1 << 8 * size) - 1).to_bytes(size, "little") for value in proto.ints(field))
    if dtype in PACKED:
        raw = unpack(raw, count, *PACKED[dtype])
    return dtype, dims, raw


def tensors_of(path, kind):
    """The tensors in a .pb file: one, or those of a sequence; `kind` is the TypeProto of the value."""
    proto = Message(path.read_bytes())
    if kind.values(TYPE_OPTIONAL):
        raise Unreadable("optionals")
    if kind.values(TYPE_SEQUENCE):
        if not kind.message(TYPE_SEQUENCE).message(1).values(1):
            raise Unreadable("sequences of other things than tensors")
        return [tensor_of(tensor) for tensor in proto.messages(SEQUENCE_TENSORS)]
    return [tensor_of(proto)]


def read_data_set(model, folder):
    """(inputs, outputs, flags for onnx-aot) of a test_data_set_N folder; the flags give sequences their lengths."""
    graph, flags = model.message(MODEL_GRAPH), []
    initialised = {one.text(8) for one in graph.messages(5)}
    inputs, outputs = [], []
    fed = [info for info in graph.messages(11) if info.text(1) not in initialised]
    if len(list(folder.glob("input_*.pb"))) > len(fed):
        fed = graph.messages(11)  # initializers are among the inputs, with data of their own
    for role, infos, tensors in (("input", fed, inputs), ("output", graph.messages(12), outputs)):
        for k, info in enumerate(infos):
            kind = info.message(INFO_TYPE)
            found = tensors_of(folder / f"{role}_{k}.pb", kind)
            if role == "input" and kind.values(TYPE_SEQUENCE):
                shapes = ",".join("x".join(map(str, dims)) for _, dims, _ in found) or "none"
                flags.append(f"--shape={info.text(1)}={shapes}")
            tensors += found
    return inputs, outputs, flags


def write_case(path, inputs, outputs, compares, rtol, atol):
    parts = [b"ONNXCASE", struct.pack("<qqqdd", len(inputs), len(outputs), compares, rtol, atol)]
    for dtype, dims, raw in inputs + outputs:
        parts.append(struct.pack(f"<{len(dims) + 3}q", dtype, len(dims), *dims, len(raw)) + raw)
    path.write_bytes(b"".join(parts))


def npy_shape(path):
    content = path.read_bytes()
    return ast.literal_eval(content[10 : 10 + int.from_bytes(content[8:10], "little")].decode())["shape"]
