"""Writes BERT for question answering with random weights, in the operators that PyTorch exports for opset 13.

usage: bert.py FILE.onnx [--layers 24] [--hidden 1024] [--heads 16] [--length 128] [--vocabulary 30522]

What it is for: the size that others publish (BERT-large: 24 layers, 1024 wide, 16 heads, 128 tokens) without the package
that exports it. Inputs are input_ids, attention_mask and token_type_ids, int64 [1][length]; outputs are start_logits and
end_logits, float [1][length].
"""
import argparse
import array
import pathlib
import random
import struct
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent.parent)]
import onnx_proto as onnx  # noqa: E402

POSITIONS = 512


class Bert:
    def __init__(self, layers, hidden, heads, length, vocabulary):
        self.layers, self.hidden, self.heads, self.length, self.vocabulary = layers, hidden, heads, length, vocabulary
        self.graph, self.count = onnx.Graph("bert"), 0
        draw = random.Random(1)
        self.numbers = array.array("f", [draw.gauss(0, 1) for _ in range(1 << 16)])

    def weight(self, shape, scale, around=0.0):
        """An initializer of random numbers, of which there are 65,536 different ones."""
        count = 1
        for extent in shape:
            count *= extent
        scaled = array.array("f", [around + scale * value for value in self.numbers])
        data = (scaled * (count // len(scaled) + 1))[:count].tobytes()
        return self.initializer(onnx.tensor(onnx.FLOAT, shape, data, self.fresh("w")))

    def initializer(self, tensor):
        self.graph.initializers.append(tensor)
        return tensor.text(onnx.TENSOR_NAME)

    def scalar(self, value):
        return self.initializer(onnx.tensor(onnx.FLOAT, (), struct.pack("<f", value), self.fresh("c")))

    def integers(self, values):
        data = struct.pack(f"<{len(values)}q", *values)
        return self.initializer(onnx.tensor(onnx.INT64, (len(values),), data, self.fresh("i")))

    def fresh(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    def op(self, kind, *inputs, **attributes):
        output = self.fresh("t")
        self.graph.nodes.append(onnx.node(kind, list(inputs), [output], attributes))
        return output

    def linear(self, x, inputs, outputs):
        product = self.op("MatMul", x, self.weight((inputs, outputs), inputs ** -0.5))
        return self.op("Add", self.weight((outputs,), 0.02), product)

    def normalize(self, x):
        centred = self.op("Sub", x, self.op("ReduceMean", x, axes=[-1]))
        variance = self.op("ReduceMean", self.op("Pow", centred, self.scalar(2.0)), axes=[-1])
        deviation = self.op("Sqrt", self.op("Add", variance, self.scalar(1e-12)))
        scaled = self.op("Mul", self.op("Div", centred, deviation), self.weight((self.hidden,), 0.02, around=1.0))
        return self.op("Add", scaled, self.weight((self.hidden,), 0.02))

    def attend(self, x, mask):
        width = self.hidden // self.heads
        split, joined = self.integers([0, 0, self.heads, width]), self.integers([0, 0, self.hidden])

        def heads(perm):
            return self.op("Transpose", self.op("Reshape", self.linear(x, self.hidden, self.hidden), split), perm=perm)

        query, key, value = heads([0, 2, 1, 3]), heads([0, 2, 3, 1]), heads([0, 2, 1, 3])
        scores = self.op("Div", self.op("MatMul", query, key), self.scalar(width ** 0.5))
        weights = self.op("Softmax", self.op("Add", scores, mask), axis=-1)
        found = self.op("Transpose", self.op("MatMul", weights, value), perm=[0, 2, 1, 3])
        return self.linear(self.op("Reshape", found, joined), self.hidden, self.hidden)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.scalar(2 ** 0.5)))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.scalar(1.0))), self.scalar(0.5))

    def build(self):
        inputs = ("input_ids", "attention_mask", "token_type_ids")
        self.graph.inputs = [onnx.value_info(name, onnx.INT64, (1, self.length)) for name in inputs]
        words = self.op("Gather", self.weight((self.vocabulary, self.hidden), 0.02), "input_ids")
        types = self.op("Gather", self.weight((2, self.hidden), 0.02), "token_type_ids")
        places = self.op("Gather", self.weight((POSITIONS, self.hidden), 0.02), self.integers(range(self.length)))
        x = self.normalize(self.op("Add", self.op("Add", words, types), places))
        kept = self.op("Cast", self.op("Unsqueeze", "attention_mask", self.integers([1, 2])), to=onnx.FLOAT)
        mask = self.op("Mul", self.op("Sub", self.scalar(1.0), kept), self.scalar(-10000.0))
        for _ in range(self.layers):
            x = self.normalize(self.op("Add", self.attend(x, mask), x))
            wide = self.gelu(self.linear(x, self.hidden, 4 * self.hidden))
            x = self.normalize(self.op("Add", self.linear(wide, 4 * self.hidden, self.hidden), x))
        logits = self.linear(x, self.hidden, 2)
        for column, name in enumerate(("start_logits", "end_logits")):
            part = self.op("Gather", logits, self.initializer(
                onnx.tensor(onnx.INT64, (), struct.pack("<q", column), self.fresh("i"))), axis=2)
            self.graph.nodes.append(onnx.node("Identity", [part], [name], {}))
        self.graph.outputs = [onnx.value_info(name, onnx.FLOAT, (1, self.length)) for name in ("start_logits", "end_logits")]
        return onnx.model(self.graph, 13)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    for name, default in {"layers": 24, "hidden": 1024, "heads": 16, "length": 128, "vocabulary": 30522}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    bert = Bert(options.layers, options.hidden, options.heads, options.length, options.vocabulary)
    options.file.write_bytes(bytes(bert.build()))


if __name__ == "__main__":
    main()
