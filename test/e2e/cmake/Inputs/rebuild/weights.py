"""usage: weights.py FILE VALUE: writes one float."""
import struct
import sys

with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<f", float(sys.argv[2])))
