"""Dense tensors of numbers and bools as flat Python lists, and the files they travel in."""
import ast
import math
import struct

import onnx_proto as onnx

# ONNX's number of a type -> (name, code of struct, what .npy files call it).
TYPES = {
    onnx.FLOAT: ("float", "f", "<f4"), onnx.DOUBLE: ("double", "d", "<f8"), onnx.FLOAT16: ("float16", "e", "<f2"),
    onnx.INT8: ("int8", "b", "|i1"), onnx.INT16: ("int16", "h", "<i2"), onnx.INT32: ("int32", "i", "<i4"),
    onnx.INT64: ("int64", "q", "<i8"), onnx.UINT8: ("uint8", "B", "|u1"), onnx.UINT16: ("uint16", "H", "<u2"),
    onnx.UINT32: ("uint32", "I", "<u4"), onnx.UINT64: ("uint64", "Q", "<u8"), onnx.BOOL: ("bool", "?", "|b1"),
}
FLOATS = (onnx.FLOAT, onnx.DOUBLE, onnx.FLOAT16)
SIGNED = (onnx.INT8, onnx.INT16, onnx.INT32, onnx.INT64)
UNSIGNED = (onnx.UINT8, onnx.UINT16, onnx.UINT32, onnx.UINT64)
INTEGERS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTEGERS
ALL = NUMBERS + (onnx.BOOL,)

# Units in the last place of a float type, relative.
EPSILON = {onnx.FLOAT: 2.0**-23, onnx.DOUBLE: 2.0**-52, onnx.FLOAT16: 2.0**-10}


class Tensor:
    """A type, extents and the elements in row-major order."""

    def __init__(self, dtype, dims, values):
        self.dtype, self.dims, self.values = dtype, list(dims), list(values)
        assert len(self.values) == math.prod(self.dims), (self.dims, len(self.values))

    @staticmethod
    def from_bytes(dtype, dims, data):
        count = math.prod(dims)
        return Tensor(dtype, dims, struct.unpack(f"<{count}{TYPES[dtype][1]}", data))

    def __bytes__(self):
        return struct.pack(f"<{len(self.values)}{TYPES[self.dtype][1]}", *self.values)

    def __repr__(self):
        shape = "".join(f"[{dim}]" for dim in self.dims)
        return f"{TYPES[self.dtype][0]}{shape} {self.values[:32]}{' ...' if len(self.values) > 32 else ''}"

    def rounded(self):
        """With the values that its type can hold."""
        return Tensor.from_bytes(self.dtype, self.dims, bytes(self))

    def proto(self, name=""):
        return onnx.tensor(self.dtype, self.dims, bytes(self), name)


def read_npy(path):
    data = path.read_bytes()
    assert data[:6] == b"\x93NUMPY", path
    width = 2 if data[6] == 1 else 4
    end = 8 + width + int.from_bytes(data[8 : 8 + width], "little")
    header = ast.literal_eval(data[8 + width : end].decode())
    for dtype, (_, code, name) in TYPES.items():
        if name == header["descr"]:
            return Tensor.from_bytes(dtype, header["shape"], data[end : end + math.prod(header["shape"]) * struct.calcsize(code)])
    raise ValueError(f"{path}: elements of {header['descr']}")


def difference(actual, expected, tolerance):
    """Where two tensors differ by more than `tolerance(reference value)`, as text; None where they do not."""
    if actual.dtype != expected.dtype or actual.dims != expected.dims:
        return (f"{TYPES[actual.dtype][0]}{actual.dims} instead of {TYPES[expected.dtype][0]}{expected.dims}")
    wrong = [at for at, (a, e) in enumerate(zip(actual.values, expected.values))
             if a != e and not (a != a and e != e) and not abs(a - e) <= tolerance(e)]
    if not wrong:
        return None
    at = wrong[0]
    return f"{len(wrong)} of {len(actual.values)} differ, the first at [{at}]: {actual.values[at]}, expected {expected.values[at]}"
