"""Writes a dataset for small.onnxtext: x.npy, and y.npy worked out here."""
import pathlib
import struct
import sys

X = [[1, 2, 3], [-1, 0.5, 0.25]]
W = [[0.5, -1, 2, 0.25], [1, 1, -1, 0.5], [-0.5, 0.75, 0, 3]]
B = [0.1, -0.2, 0.3, 0]
Y = [[max(0, sum(row[k] * W[k][j] for k in range(3)) + B[j]) for j in range(4)] for row in X]


def write_npy(path, rows):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (117 - len(header)) + "\n"
    flat = [value for row in rows for value in row]
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
                     + struct.pack(f"<{len(flat)}f", *flat))


folder = pathlib.Path(sys.argv[1])
write_npy(folder / "x.npy", X)
write_npy(folder / "y.npy", Y)
(folder / "io.txt").write_text("in x.npy x\nout y.npy y\n")
