"""The table of samplers: one entry per operator, filled by the modules that import this one."""
import collections

Entry = collections.namedtuple("Entry", "op since weight sample")
TABLE = []


def add(op, sample, since=13, weight=1.0):
    TABLE.append(Entry(op, since, weight, sample))


def sampler(*ops, since=13, weight=1.0):
    """Registers a function of (builder, operator) for each operator."""
    def register(function):
        for op in ops:
            add(op, lambda builder, op=op: function(builder, op), since, weight)
        return function
    return register
