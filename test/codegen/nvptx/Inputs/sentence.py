"""Writes inputs of BERT: tokens, a mask that leaves the last ones out, and two kinds of tokens.

usage: sentence.py FOLDER LENGTH VOCABULARY
"""
import pathlib
import struct
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[3])]
import onnx_proto as onnx  # noqa: E402

folder, length, vocabulary = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
folder.mkdir(exist_ok=True)
tokens = [place * 7 % vocabulary for place in range(length)]
inputs = {
    "input_ids": tokens,
    "attention_mask": [int(place < length - 5) for place in range(length)],
    "token_type_ids": [int(place >= length // 2) for place in range(length)],
}
for index, (name, values) in enumerate(inputs.items()):
    tensor = onnx.tensor(onnx.INT64, (1, length), struct.pack(f"<{length}q", *values), name)
    (folder / f"input_{index}.pb").write_bytes(bytes(tensor))
