"""Random graphs: a generator that is given a seed and asks ONNX Runtime what each node makes of its operands.

How it works: a Builder starts empty. Again and again an operator is drawn from the table of samplers (elementwise.py,
movement.py, layers.py); its sampler takes operands from the values that are there, or makes new inputs and
initializers, and returns a Node. ONNX Runtime runs that node by itself on the operands' values: so the shapes of the
results are known without any shape inference here, and a node that it refuses, or whose results no comparison could
use (not a number, infinite, huge), is dropped and another one is drawn.

A value is exact when no rounding has touched it on any implementation. Operators that jump (Floor, Cast to an integer,
comparisons, ArgMax ...) take exact operands only; where they do not, a difference in the last place would become one
in the result that says nothing.
"""
import math
import random

import onnx_proto as onnx
from ort import OrtError
from tensors import ALL, EPSILON, FLOATS, INTEGERS, SIGNED, Tensor

LARGE = {onnx.FLOAT16: 2.0**9}
OPSETS = (13, 17, 18, 20, 21, 22, 23, 24)
MAX_ELEMENTS = 600


class Value:
    def __init__(self, name, tensor, exact=True, scale=None, static=False):
        self.name, self.tensor, self.exact = name, tensor, exact
        # The largest magnitude on the way here: what a rounding error is relative to.
        self.scale = scale if scale is not None else magnitude(tensor)
        # An input or initializer whose extents no other data may have (a shape, axes, a kernel).
        self.static = static
        # The roughest float type on the way here.
        self.epsilon = 0.0

    dtype = property(lambda self: self.tensor.dtype)
    dims = property(lambda self: self.tensor.dims)
    rank = property(lambda self: len(self.tensor.dims))


def magnitude(tensor):
    return max((abs(value) for value in tensor.values if math.isfinite(value)), default=0.0)


class Node:
    """What a sampler returns: an operator on Values (None is an absent operand), with attributes and its opset's form."""

    def __init__(self, op, operands, outputs=1, exact=False, domain="", infinite=False, **attributes):
        self.op, self.operands, self.count, self.exact, self.domain = op, list(operands), outputs, exact, domain
        self.infinite = infinite
        self.attributes = {name: value for name, value in attributes.items() if value is not None}
        # Values that graphs in attributes refer to.
        self.captured = []
        self.outputs = []

    def message(self):
        names = [operand.name if operand else "" for operand in self.operands]
        return onnx.node(self.op, names, self.outputs, self.attributes, self.outputs[0] + "_node", self.domain)

    def uses(self):
        return [operand for operand in self.operands if operand] + self.captured


class Skip(Exception):
    """A sampler finds no operands that suit it."""


class Builder:
    def __init__(self, seed, ort, table, run_time_shapes=False, most_elements=MAX_ELEMENTS, most_nodes=12):
        self.seed, self.ort, self.run_time_shapes = seed, ort, run_time_shapes
        self.most_elements, self.most_nodes = most_elements, most_nodes
        self.rng = random.Random(f"onnx-aot {seed}")
        self.opset = self.rng.choice(OPSETS)
        self.table = [entry for entry in table if entry.since <= self.opset]
        self.nodes, self.inputs, self.initializers, self.values = [], [], [], []
        self.dropped, self.pending, self.leaves = [], [], 0

    # --- What samplers use.

    def chance(self, probability):
        return self.rng.random() < probability

    def choice(self, options):
        return self.rng.choice(list(options))

    def dims(self, rank=None, least=0):
        """Extents: small, often 1, now and then 0."""
        rank = self.rng.choices((0, 1, 2, 3, 4, 5), (4, 18, 28, 26, 20, 4))[0] if rank is None else rank
        dims = [self.rng.choices((0, 1, 2, 3, 4, 5, 7, 8, 9, 16), (0 if least else 2, 20, 20, 20, 12, 8, 6, 5, 4, 3))[0]
                for _ in range(rank)]
        while math.prod(dims) > MAX_ELEMENTS:
            dims[dims.index(max(dims))] //= 2
        return dims

    def numbers(self, dtype, count, low=None, high=None):
        """Numbers that every float type holds exactly: eighths; small integers."""
        if dtype == onnx.BOOL:
            return [self.chance(0.5) for _ in range(count)]
        if dtype in FLOATS:
            low, high = -4 if low is None else low, 4 if high is None else high
            return [self.rng.randint(math.ceil(low * 8), math.floor(high * 8)) / 8.0 for _ in range(count)]
        low = -9 if low is None else math.ceil(low)
        low, high = low if dtype in SIGNED else max(0, low), 9 if high is None else math.floor(high)
        return [self.rng.randint(low, high) for _ in range(count)]

    def leaf(self, dtype, dims, values=None, low=None, high=None, constant=None, static=False):
        """A new input of the graph, or an initializer."""
        values = self.numbers(dtype, math.prod(dims), low, high) if values is None else values
        self.leaves += 1
        value = Value(f"x{self.leaves}", Tensor(dtype, dims, values), static=static)
        constant = self.chance(0.4) if constant is None else constant
        self.pending.append((self.initializers if constant else self.inputs, value))
        return value

    def parameter(self, dtype, dims, values):
        """A shape, axes, pads ...: mostly a constant, a run-time value where the run asks for it."""
        constant = not (self.run_time_shapes and self.chance(0.2))
        return self.leaf(dtype, dims, values, constant=constant, static=True)

    def ints(self, values):
        return self.parameter(onnx.INT64, [len(values)], list(values))

    def type(self, types=FLOATS):
        """One of the types, float most of the time."""
        weights = [12 if one == onnx.FLOAT else 3 if one in (onnx.INT64, onnx.INT32) else 2 for one in types]
        return self.rng.choices(list(types), weights)[0]

    def pick(self, types=FLOATS, rank=None, exact=False, accept=None, dims=None, fresh=0.3, low=None, high=None):
        """A value of one of the types; a new leaf where none suits, and now and then."""
        found = [value for value in self.values
                 if value.dtype in types and (rank is None or value.rank in (rank if isinstance(rank, (tuple, range)) else (rank,)))
                 and (not exact or value.exact) and (dims is None or value.dims == list(dims))
                 and (low is None or all(one >= low for one in value.tensor.values))
                 and (high is None or all(one <= high for one in value.tensor.values))
                 and (accept is None or accept(value))]
        if found and not self.chance(fresh):
            # Later values first, so that graphs grow deep.
            return found[max(self.rng.randrange(len(found)), self.rng.randrange(len(found)))]
        for _ in range(20):
            ranks = rank if isinstance(rank, (tuple, range)) else [rank]
            extents = list(dims) if dims is not None else self.dims(self.choice(ranks))
            dtype = self.type(types)
            probe = Value("probe", Tensor(dtype, extents, self.numbers(dtype, math.prod(extents), low, high)))
            if accept is None or accept(probe):
                return self.leaf(dtype, extents, probe.tensor.values)
        raise Skip

    def partner(self, value, types=None, low=None, high=None, exact=False):
        """A value that broadcasts with another: of its dims, some are 1 or left out; or more dims in front."""
        dims = [1 if self.chance(0.25) else dim for dim in value.dims]
        if dims and self.chance(0.25):
            dims = dims[self.rng.randrange(len(dims) + 1):]
        elif self.chance(0.1) and math.prod(value.dims) * 3 <= MAX_ELEMENTS and len(dims) < 5:
            dims = [self.choice((1, 2, 3))] + dims
        return self.pick(types or (value.dtype,), dims=dims, low=low, high=high, exact=exact)

    # --- Growing.

    def run_node(self, node):
        graph = onnx.Graph()
        leaves = {value.name: value for value in node.uses()}
        graph.inputs = [onnx.value_info(value.name, value.dtype, value.dims) for value in leaves.values()]
        node.outputs = [f"y{len(self.nodes)}" + (f"_{k}" if k else "") for k in range(node.count)]
        graph.nodes = [node.message()]
        graph.outputs = [onnx.Message().add(onnx.INFO_NAME, name) for name in node.outputs]
        return self.ort.run(bytes(self.model(graph)), {name: value.tensor for name, value in leaves.items()}, node.outputs)

    def model(self, graph):
        message = onnx.model(graph, self.opset)
        if any(node.text(onnx.NODE_DOMAIN) for node in graph.nodes):
            message.add(onnx.MODEL_OPSET, onnx.Message().add(1, "com.microsoft").add(2, 1))
        return message

    def usable(self, node, tensor):
        if len(tensor.values) > 4 * self.most_elements:
            return False
        if tensor.dtype not in FLOATS:
            return all(abs(value) < 2**30 for value in tensor.values)
        limit = LARGE.get(tensor.dtype, 1e5)
        return all(value == value and (abs(value) <= limit or node.infinite and math.isinf(value)) for value in tensor.values)

    def step(self):
        """Tries to append one node; returns whether it has."""
        self.pending = []
        entry = self.rng.choices(self.table, [entry.weight for entry in self.table])[0]
        try:
            node = entry.sample(self)
            results = self.run_node(node)
        except Skip:
            return False
        except OrtError as error:
            self.dropped.append((entry.op, str(error)))
            return False
        if not all(self.usable(node, tensor) for tensor in results):
            self.dropped.append((entry.op, "no usable numbers"))
            return False
        self.accept(node, results)
        return True

    def accept(self, node, results):
        operands = node.uses()
        for leaves, value in self.pending:
            if value in operands:
                leaves.append(value)
                self.values += [] if value.static else [value]
        scale = max((operand.scale for operand in operands if operand.dtype in FLOATS), default=0.0)
        for name, tensor in zip(node.outputs, results):
            exact = all(operand.exact for operand in operands) and (node.exact or tensor.dtype not in FLOATS)
            value = Value(name, tensor, exact, max(scale, magnitude(tensor)))
            value.epsilon = max([operand.epsilon for operand in operands] +
                                ([] if exact else [EPSILON.get(one, 0.0) for one in
                                                   [tensor.dtype] + [operand.dtype for operand in operands]]), default=0.0)
            self.values.append(value)
        self.nodes.append(node)

    def grow(self):
        wanted, tries = self.rng.randint(1, self.most_nodes), 0
        while len(self.nodes) < wanted and tries < 30 * wanted:
            tries += 1
            self.step()
        return Case(self)


class Case:
    """A finished graph: its nodes, leaves and outputs, from which models and inputs are made, and smaller cases."""

    def __init__(self, builder):
        self.opset, self.build_model, self.seed = builder.opset, builder.model, builder.seed
        self.nodes = list(builder.nodes)
        leaves = {id(value) for value in builder.inputs + builder.initializers}
        self.inputs, self.initializers = list(builder.inputs), list(builder.initializers)
        self.results = {value.name: value for value in builder.values if id(value) not in leaves}
        used = {value.name for node in self.nodes for value in node.uses()}
        extra = builder.rng.random()
        self.outputs = [name for name in self.results if name not in used or extra < 0.15]

    def smaller(self, nodes, outputs, constants=()):
        """The part of the case that these nodes make; results that lost their node become inputs."""
        case = object.__new__(Case)
        case.__dict__.update(self.__dict__)
        case.nodes = [node for node in self.nodes if node in nodes]
        made = {name for node in case.nodes for name in node.outputs}
        used = {value.name: value for node in case.nodes for value in node.uses() if value.name not in made}
        initializers = {value.name for value in self.initializers} | set(constants)
        case.inputs = [value for value in used.values() if value.name not in initializers]
        case.initializers = [value for value in used.values() if value.name in initializers]
        case.results = {name: value for name, value in self.results.items() if name in made}
        case.outputs = [name for name in outputs if name in made]
        return case

    def model(self, symbolic=False):
        """The model's bytes; `symbolic` leaves the extents of the inputs open, but those of shapes and kernels."""
        graph = onnx.Graph("random")
        graph.nodes = [node.message() for node in self.nodes]
        graph.initializers = [value.tensor.proto(value.name) for value in self.initializers]
        graph.inputs = [onnx.value_info(value.name, value.dtype, [None] * value.rank if symbolic and not value.static else value.dims)
                        for value in self.inputs]
        graph.outputs = [onnx.value_info(name, self.results[name].dtype, [None] * self.results[name].rank if symbolic
                                         else self.results[name].dims) for name in self.outputs]
        return bytes(self.build_model(graph))

    def tensors(self):
        return {value.name: value.tensor for value in self.inputs}

    def tolerance(self, name):
        """The difference that is allowed at an element of an output, as a function of the reference."""
        value = self.results[name]
        if value.dtype in INTEGERS or value.dtype not in EPSILON:
            return lambda reference: 0 if value.exact else 1 if value.dtype in INTEGERS else 0
        if value.exact:
            return lambda reference: 0
        epsilon = max(value.epsilon, EPSILON[value.dtype])
        return lambda reference: 400 * epsilon * (value.scale / 4 + abs(reference)) if math.isfinite(reference) else 0

    def text(self):
        """The case as a listing."""
        lines = [f"opset {self.opset}"]
        lines += [f"  input {value.name}: {value.tensor}" for value in self.inputs]
        lines += [f"  initializer {value.name}: {value.tensor}" for value in self.initializers]
        for node in self.nodes:
            operands = ", ".join(value.name if value else "-" for value in node.operands)
            attributes = ", ".join(f"{name}={describe(value)}" for name, value in node.attributes.items())
            lines.append(f"  {', '.join(node.outputs)} = {node.op}({operands}) {attributes}".rstrip())
        return "\n".join(lines + ["  output " + ", ".join(self.outputs)])


def describe(value):
    if isinstance(value, onnx.Graph):
        return "{" + "; ".join(f"{', '.join(node.texts(onnx.NODE_OUTPUT))} = {node.text(onnx.NODE_OP)}"
                               f"({', '.join(node.texts(onnx.NODE_INPUT))})" for node in value.nodes) + "}"
    return "tensor" if isinstance(value, onnx.Message) else repr(value)
