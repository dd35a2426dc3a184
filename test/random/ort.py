"""ONNX Runtime through its C library, in this process: a model and its inputs go in, its outputs come out.

How it works: the library's one exported function gives a table of functions that every release only extends at its
end; the indices below are those of the public onnxruntime_c_api.h (test/bench/OrtApi.h has the same). Graph
optimisations are off, so that what is compared with is the operators as they stand.
"""
import ctypes
import struct

from tensors import TYPES, Tensor

POINTER, SIZE, INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
ERROR_SEVERITY, ARENA, DEFAULT_MEMORY = 4, 1, 0


class OrtError(Exception):
    """The library refuses a model or its inputs."""


class Ort:
    def __init__(self, path):
        library = ctypes.CDLL(str(path))
        library.OrtGetApiBase.restype = POINTER
        base = ctypes.cast(library.OrtGetApiBase(), ctypes.POINTER(POINTER))
        table = ctypes.CFUNCTYPE(POINTER, ctypes.c_uint32)(base[0])(1)
        if not table:
            raise OrtError("no API of version 1")
        self.version = ctypes.CFUNCTYPE(ctypes.c_char_p)(base[1])().decode()
        self.table = ctypes.cast(table, ctypes.POINTER(POINTER))
        self.environment, self.options, self.memory = POINTER(), POINTER(), POINTER()
        self.call(3, INT(ERROR_SEVERITY), b"random", ctypes.byref(self.environment))
        self.call(10, ctypes.byref(self.options))
        self.call(23, self.options, INT(0))
        self.call(24, self.options, INT(1))
        self.call(25, self.options, INT(1))
        self.call(69, INT(ARENA), INT(DEFAULT_MEMORY), ctypes.byref(self.memory))

    def function(self, index, result, *arguments):
        return ctypes.CFUNCTYPE(result, *[type(argument) if not isinstance(argument, (bytes, type(None))) and
                                          not type(argument).__name__ == "CArgObject" else POINTER
                                          for argument in arguments])(self.table[index])(*arguments)

    def call(self, index, *arguments):
        """Calls a function that returns an OrtStatus *."""
        status = self.function(index, POINTER, *arguments)
        if status:
            text = self.function(2, ctypes.c_char_p, POINTER(status)).decode(errors="replace")
            self.function(93, None, POINTER(status))
            raise OrtError(text)

    def run(self, model, inputs, outputs):
        """model: bytes; inputs: name -> Tensor; outputs: names. Returns a list of Tensors."""
        session = POINTER()
        self.call(8, self.environment, model, SIZE(len(model)), self.options, ctypes.byref(session))
        values, results = [], (POINTER * len(outputs))()
        try:
            buffers = []
            for tensor in inputs.values():
                # A buffer of no bytes would be a null pointer, which the library refuses.
                buffers.append(ctypes.create_string_buffer(bytes(tensor) + bytes(16)))
                dims = (ctypes.c_int64 * len(tensor.dims))(*tensor.dims)
                value = POINTER()
                self.call(49, self.memory, ctypes.cast(buffers[-1], POINTER), SIZE(len(bytes(tensor))),
                          ctypes.cast(dims, POINTER), SIZE(len(tensor.dims)), INT(tensor.dtype), ctypes.byref(value))
                values.append(value.value)
            names = (ctypes.c_char_p * max(1, len(inputs)))(*[name.encode() for name in inputs])
            wanted = (ctypes.c_char_p * len(outputs))(*[name.encode() for name in outputs])
            given = (POINTER * max(1, len(values)))(*values)
            self.call(9, session, None, ctypes.cast(names, POINTER), ctypes.cast(given, POINTER), SIZE(len(values)),
                      ctypes.cast(wanted, POINTER), SIZE(len(outputs)), ctypes.cast(results, POINTER))
            return [self.read(POINTER(result)) for result in results]
        finally:
            for value in [*values, *results]:
                if value:
                    self.function(96, None, POINTER(value))
            self.function(95, None, session)

    def read(self, value):
        info, dtype, rank, data = POINTER(), INT(), SIZE(), POINTER()
        self.call(65, value, ctypes.byref(info))
        try:
            self.call(60, info, ctypes.byref(dtype))
            self.call(61, info, ctypes.byref(rank))
            dims = (ctypes.c_int64 * max(1, rank.value))()
            self.call(62, info, ctypes.cast(dims, POINTER), SIZE(rank.value))
        finally:
            self.function(99, None, info)
        if dtype.value not in TYPES:
            raise OrtError(f"a result of type {dtype.value}")
        extents = list(dims)[: rank.value]
        count = 1
        for extent in extents:
            count *= extent
        self.call(51, value, ctypes.byref(data))
        size = count * struct.calcsize("<" + TYPES[dtype.value][1])
        raw = ctypes.string_at(data, size) if size else b""
        return Tensor.from_bytes(dtype.value, extents, raw)
