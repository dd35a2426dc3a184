"""The same graph at another size: inputs whose extents are mapped to others, where ONNX Runtime accepts them.

How it works: every extent above 1 of the inputs is mapped, the same everywhere, to another one. Many graphs hold what
fixes some extents (a kernel, a Reshape to constants), so several maps are tried: all extents, then each alone. The
values repeat those of the case, so they lie in the same ranges, and integers (indices) stay where they were.
"""
import math

from graphs import magnitude
from ort import OrtError
from tensors import FLOATS, Tensor


def maps(case):
    extents = sorted({dim for value in case.inputs if not value.static for dim in value.dims})
    yield {dim: dim + 3 for dim in extents if dim > 1}
    yield {dim: dim * 2 for dim in extents if dim > 1}
    for dim in reversed(extents):
        if dim > 1:
            yield {dim: dim + 1}
            yield {dim: dim - 1}
    if 1 in extents:
        yield {1: 2}


def resized(tensor, dims):
    count = math.prod(dims)
    values = tensor.values or [False if tensor.dtype not in FLOATS else 0.0]
    return Tensor(tensor.dtype, dims, [values[at % len(values)] for at in range(count)])


def comparable(case, name, tensor):
    value = case.results[name]
    if tensor.dtype in FLOATS:
        limit = 4 * (value.scale + 1)
        return all(math.isfinite(one) for one in tensor.values) and magnitude(tensor) <= limit
    return True


def other_sizes(case, ort, model):
    """(inputs, results) of another size, or (None, None)."""
    for change in maps(case):
        inputs = {value.name: value.tensor if value.static else
                  resized(value.tensor, [change.get(dim, dim) for dim in value.dims]) for value in case.inputs}
        if not change or max((len(tensor.values) for tensor in inputs.values()), default=0) > 20000 or \
                all(inputs[value.name].dims == value.dims for value in case.inputs):
            continue
        try:
            results = ort.run(model, inputs, case.outputs)
        except OrtError:
            continue
        if all(comparable(case, name, tensor) for name, tensor in zip(case.outputs, results)):
            return inputs, results
    return None, None
