"""ONNX models as protobuf messages, read and written with Python's standard library alone.

What it is for: tests that look into models, rewrite them or make new ones, without a package beside Python. How it
works: a `Message` is the list of its fields as they stand in the file, (number, wire type, value), so that what a test
does not touch is written back byte for byte. Field numbers are those of ONNX's public onnx.proto, named below where
they are used in more than one place.

    model = Message(path.read_bytes())
    graph = model.message(MODEL_GRAPH)
    names = [info.text(1) for info in graph.messages(GRAPH_INPUT)]
"""
import struct

# ModelProto, GraphProto, NodeProto, AttributeProto, FunctionProto, ValueInfoProto, TypeProto, TensorProto,
# SequenceProto.
MODEL_GRAPH, MODEL_OPSET, MODEL_FUNCTION = 7, 8, 25
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT, GRAPH_VALUE_INFO, GRAPH_SPARSE = 1, 5, 11, 12, 13, 15
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 3, 4, 5, 7
ATTRIBUTE_NAME, ATTRIBUTE_INT, ATTRIBUTE_STRING, ATTRIBUTE_TENSOR, ATTRIBUTE_GRAPH = 1, 3, 4, 5, 6
ATTRIBUTE_INTS, ATTRIBUTE_STRINGS, ATTRIBUTE_TENSORS, ATTRIBUTE_GRAPHS, ATTRIBUTE_TYPE = 8, 9, 10, 11, 14
INFO_NAME, INFO_TYPE = 1, 2
TYPE_TENSOR, TYPE_SEQUENCE, TYPE_MAP, TYPE_SPARSE, TYPE_OPTIONAL = 1, 4, 5, 8, 9
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW = 1, 2, 8, 9
SEQUENCE_TENSORS = 3

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

# TensorProto.DataType.
FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE, UINT32, UINT64 = range(1, 14)
BFLOAT16 = 16


def read_varint(data, at):
    """(value, the place behind it); a value above 2**63 is a negative number, as in int32 and int64 fields."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value - (1 << 64) if value >= 1 << 63 else value), at


def write_varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Message:
    """The fields of a message in the order of the file; raises ValueError for bytes that are none."""

    def __init__(self, data=b""):
        self.fields = []
        at = 0
        try:
            while at < len(data):
                tag, at = read_varint(data, at)
                kind = tag & 7
                if kind == VARINT:
                    value, at = read_varint(data, at)
                else:
                    size = {FIXED64: 8, FIXED32: 4}.get(kind)
                    if size is None:
                        if kind != BYTES:
                            raise ValueError("groups are not supported")
                        size, at = read_varint(data, at)
                    value = data[at : at + size]
                    at += size
                    if len(value) != size or size < 0:
                        raise ValueError("the message is cut off")
                self.fields.append((tag >> 3, kind, value))
        except IndexError:
            raise ValueError("the message is cut off") from None

    # --- Reading.

    def values(self, number):
        return [value for field, _, value in self.fields if field == number]

    def first(self, number, default=None):
        """The value of a field that occurs at most once; the last one counts, as protobuf has it."""
        values = self.values(number)
        return values[-1] if values else default

    def text(self, number):
        return self.first(number, b"").decode(errors="replace")

    def texts(self, number):
        return [value.decode(errors="replace") for value in self.values(number)]

    def message(self, number):
        return Message(self.first(number, b""))

    def messages(self, number):
        return [Message(value) for value in self.values(number)]

    def ints(self, number):
        """A repeated integer, packed or not."""
        found = []
        for field, kind, value in self.fields:
            if field == number and kind == VARINT:
                found.append(value)
            elif field == number:
                at = 0
                while at < len(value):
                    one, at = read_varint(value, at)
                    found.append(one)
        return found

    # --- Writing.

    def add(self, number, *values):
        """Appends values of one field: an int is a varint, a float 32 bits, the rest bytes. Returns self."""
        for value in values:
            if isinstance(value, float):
                self.fields.append((number, FIXED32, struct.pack("<f", value)))
            elif isinstance(value, int):
                self.fields.append((number, VARINT, int(value)))
            else:
                data = value.encode() if isinstance(value, str) else bytes(value)
                self.fields.append((number, BYTES, data))
        return self

    def rewrite(self, number, function):
        """Replaces each submessage of a field by what `function` makes of it. Returns self."""
        self.fields = [(field, kind, bytes(function(Message(value))) if field == number else value)
                       for field, kind, value in self.fields]
        return self

    def __bytes__(self):
        out = []
        for number, kind, value in self.fields:
            out.append(write_varint(number << 3 | kind))
            if kind == VARINT:
                out.append(write_varint(value))
            else:
                if kind == BYTES:
                    out.append(write_varint(len(value)))
                out.append(value)
        return b"".join(out)


# --- Making messages.


def tensor(dtype, dims, raw, name=""):
    message = Message().add(TENSOR_DIMS, *dims).add(TENSOR_TYPE, dtype)
    if name:
        message.add(TENSOR_NAME, name)
    return message.add(TENSOR_RAW, raw)


def value_info(name, dtype, dims):
    """dims: numbers, names of symbolic dims, or None where nothing is known."""
    shape = Message()
    for dim in dims:
        one = Message()
        if dim is not None:
            one.add(2 if isinstance(dim, str) else 1, dim)
        shape.add(1, one)
    kind = Message().add(1, dtype).add(2, shape)
    return Message().add(INFO_NAME, name).add(INFO_TYPE, Message().add(TYPE_TENSOR, kind))


def attribute(name, value):
    """An attribute from a Python value: int, float, str, bytes, a tensor or graph message, or a list of numbers."""
    message = Message().add(ATTRIBUTE_NAME, name)
    if isinstance(value, Graph):
        return message.add(ATTRIBUTE_GRAPH, value.message()).add(20, 5)
    if isinstance(value, Message):
        return message.add(ATTRIBUTE_TENSOR, value).add(20, 4)
    if isinstance(value, (str, bytes)):
        return message.add(ATTRIBUTE_STRING, value).add(20, 3)
    if isinstance(value, float):
        return message.add(2, value).add(20, 1)
    if isinstance(value, int):
        return message.add(ATTRIBUTE_INT, int(value)).add(20, 2)
    if value and all(isinstance(one, (str, bytes)) for one in value):
        return message.add(ATTRIBUTE_STRINGS, *value).add(20, 8)
    if value and all(isinstance(one, float) for one in value):
        return message.add(7, *value).add(20, 6)
    return message.add(ATTRIBUTE_INTS, *value).add(20, 7)


def node(op, inputs, outputs, attributes=None, name="", domain=""):
    message = Message().add(NODE_INPUT, *inputs).add(NODE_OUTPUT, *outputs).add(NODE_NAME, name).add(NODE_OP, op)
    for key, value in (attributes or {}).items():
        message.add(NODE_ATTRIBUTE, attribute(key, value))
    if domain:
        message.add(NODE_DOMAIN, domain)
    return message


class Graph:
    """The parts of a GraphProto, as messages."""

    def __init__(self, name="graph"):
        self.name, self.nodes, self.inputs, self.outputs, self.initializers = name, [], [], [], []

    def message(self):
        return (Message().add(GRAPH_NODE, *self.nodes).add(2, self.name).add(GRAPH_INITIALIZER, *self.initializers)
                .add(GRAPH_INPUT, *self.inputs).add(GRAPH_OUTPUT, *self.outputs))


def model(graph, opset, ir_version=10):
    return (Message().add(1, ir_version).add(2, "onnx-aot-test").add(MODEL_GRAPH, graph.message())
            .add(MODEL_OPSET, Message().add(1, "").add(2, opset)))
