"""What a test takes for ptxas: "-arch=sm_80 IN -o OUT" makes the machine code that the driver of the tests runs; see
test/device/driver/FakeCuda.h. PTX with "fail" in the name of a kernel is refused."""
import pathlib
import sys

arch, source, _, target = sys.argv[1:]
text = pathlib.Path(source).read_bytes()
if f".target {arch.removeprefix('-arch=')}".encode() not in text:
    sys.exit(f"ptxas fatal: {arch} does not fit")
pathlib.Path(target).write_bytes(b"\177ELF of fake CUDA\n" + text)
