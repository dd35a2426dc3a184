"""usage: npy.py FILE SHAPE NUMBER...: writes a float32 .npy file without NumPy; SHAPE is 2x3."""
import struct
import sys

path, shape, numbers = sys.argv[1], sys.argv[2].split("x"), [float(number) for number in sys.argv[3:]]
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }" % ", ".join(shape)
header = header.ljust(117) + "\n"
with open(path, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    file.write(struct.pack("<%df" % len(numbers), *numbers))
