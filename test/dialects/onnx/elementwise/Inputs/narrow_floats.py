"""A model of casts to and from float8 and float4, every value of float16 as input, and what ONNX's tables say of them.

usage: narrow_floats.py FOLDER

Writes model.onnx, input_K.pb and output_K.pb. The expected codes are found by search in the list of all values of the
type: the nearest one, a tie to the even code; what that would carry beyond the last code is out of range.
"""
import bisect
import math
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[4]))
from onnx_proto import *  # noqa: F403 the names of fields

# number: (sign bit, mantissa bits, bias, largest code, code of infinity, code of NaN, whether there is a -0)
FORMATS = {
    17: (0x80, 3, 7, 0x7E, None, 0x7F, True),
    18: (0x80, 3, 8, 0x7F, None, 0x80, False),
    19: (0x80, 2, 15, 0x7B, 0x7C, 0x7E, True),
    20: (0x80, 2, 16, 0x7F, None, 0x80, False),
    23: (0x08, 1, 1, 0x07, None, 0x08, True),
}
FLOAT4, E8M0 = 23, 24
NAN = float("nan")


def values(number):
    """The values of the codes from 0 on, without sign."""
    _, mantissa, bias, largest, _, _, _ = FORMATS[number]
    found = []
    for code in range(largest + 1):
        exponent, fraction = code >> mantissa, code & (1 << mantissa) - 1
        found.append((fraction + (1 << mantissa if exponent else 0)) * 2.0 ** (max(exponent, 1) - bias - mantissa))
    return found


def encode(number, known, value, saturate):
    sign, _, _, largest, infinity, nan, has_negative_zero = FORMATS[number]
    negative = sign if math.copysign(1, value) < 0 else 0
    if value != value:
        return nan | negative
    magnitude = abs(value)
    beyond = known[-1] + (known[-1] - known[-2]) / 2
    if magnitude > beyond or (magnitude == beyond and largest % 2):
        code = largest if saturate or number == FLOAT4 else nan if infinity is None else infinity
    elif magnitude >= known[-1]:
        code = largest
    else:
        code = bisect.bisect_right(known, magnitude) - 1
        low, high = known[code], known[code + 1]
        if magnitude - low > high - magnitude or (magnitude - low == high - magnitude and code % 2):
            code += 1
    return code if code == 0 and not has_negative_zero else code | negative


def encode_e8m0(value, saturate, mode):
    if value != value:
        return 0xFF
    if value == math.inf:
        return 0xFE if saturate else 0xFF
    if value < 2.0**-127:
        return 0 if saturate else 0xFF
    fraction, exponent = math.frexp(value)  # value = fraction * 2**exponent, 1/2 <= fraction < 1
    up = {"up": fraction > 0.5, "down": False, "nearest": fraction >= 0.75}[mode]
    code = exponent - 1 + 127 + up
    return code if code < 0xFF else 0xFE if saturate else 0xFF


def decode(number):
    """The values of all codes."""
    if number == E8M0:
        return [2.0 ** (code - 127) for code in range(255)] + [NAN]
    sign, _, _, largest, infinity, nan, has_negative_zero = FORMATS[number]
    known = values(number)
    positive = [known[code] if code <= largest else math.inf if code == infinity else NAN for code in range(sign)]
    negative = [-value for value in positive]
    if not has_negative_zero:
        negative[0] = NAN
    return positive + negative


def packed(number, codes):
    if number != FLOAT4:
        return bytes(codes)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2]))


class Writer:
    def __init__(self, folder):
        self.folder, self.graph, self.inputs, self.outputs = pathlib.Path(folder), Graph(), 0, 0
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, kind, k, name, dtype, count, raw):
        (self.folder / f"{kind}_{k}.pb").write_bytes(bytes(tensor(dtype, [count], raw, name)))

    def input(self, name, dtype, count, raw):
        self.graph.inputs.append(value_info(name, dtype, [count]))
        self.write("input", self.inputs, name, dtype, count, raw)
        self.inputs += 1

    def cast(self, source, name, dtype, count, raw, **attributes):
        self.graph.nodes.append(node("Cast", [source], [name], {"to": dtype, **attributes}, name))
        self.graph.outputs.append(value_info(name, dtype, [count]))
        self.write("output", self.outputs, name, dtype, count, raw)
        self.outputs += 1


def main(folder):
    writer = Writer(folder)
    halves = struct.pack("<65536H", *range(65536))
    inputs = {"half": (FLOAT16, [value[0] for value in struct.iter_unpack("<e", halves)], halves)}
    generator = random.Random(1)
    # Near ties: what a double becomes is not what the float nearest to it becomes.
    ties = []
    for number in FORMATS:
        known = values(number)
        middles = [(low + high) / 2 for low, high in zip(known, known[1:])] + [known[-1] + (known[-1] - known[-2]) / 2]
        ties += [sign * middle * (1 + delta) for middle in middles for sign in (1, -1) for delta in (0, 2**-40, -(2**-40))]
    ties += [generator.uniform(-500, 500) for _ in range(1000)] + [1e300, -1e300, 1e-300, -1e-300, math.inf, NAN]
    inputs["double"] = (DOUBLE, ties, struct.pack(f"<{len(ties)}d", *ties))
    for name, (dtype, numbers, raw) in inputs.items():
        writer.input(name, dtype, len(numbers), raw)
        for number in FORMATS:
            known = values(number)
            for saturate in (1, 0):
                codes = [encode(number, known, value, saturate) for value in numbers]
                writer.cast(name, f"{name}_{number}_{saturate}", number, len(numbers), packed(number, codes), saturate=saturate)
    # float16 and bfloat16 are rounded once too.
    small = [value for value in ties if abs(value) < 60000]
    writer.input("small", DOUBLE, len(small), struct.pack(f"<{len(small)}d", *small))
    writer.cast("small", "small_half", FLOAT16, len(small), struct.pack(f"<{len(small)}e", *small))

    powers = [2.0**exponent * factor for exponent in range(-149, 128) for factor in (1, 1.25, 1.5, 1.75)]
    powers = [value[0] for value in struct.iter_unpack("<f", struct.pack(f"<{len(powers)}f", *powers))]
    powers += [0.0, math.inf, NAN, 3.4028234663852886e38]
    writer.input("power", FLOAT, len(powers), struct.pack(f"<{len(powers)}f", *powers))
    for mode in ("up", "down", "nearest"):
        for saturate in (1, 0):
            codes = bytes(encode_e8m0(value, saturate, mode) for value in powers)
            writer.cast("power", f"{mode}_{saturate}", E8M0, len(powers), codes, saturate=saturate, round_mode=mode)

    for number in (*FORMATS, E8M0):
        decoded = decode(number)
        writer.input(f"codes_{number}", number, len(decoded), packed(number, list(range(len(decoded)))))
        writer.cast(f"codes_{number}", f"value_{number}", FLOAT, len(decoded), struct.pack(f"<{len(decoded)}f", *decoded))
    (writer.folder / "model.onnx").write_bytes(bytes(model(writer.graph, 25)))


if __name__ == "__main__":
    main(sys.argv[1])
