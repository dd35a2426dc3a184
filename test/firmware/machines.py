"""The machines that models are linked for and run on, all of them emulated.

A Machine has a C compiler of Debian's with its flags, the flags for onnx-aot that make objects for it, and the emulator.
Boards with a Cortex-M have start-up code and memories of their own (boards/); their programs, and those for RISC-V
without a system, read files through semihosting. The others are Linux programs.
"""
import collections
import pathlib
import shutil

HERE = pathlib.Path(__file__).resolve().parent

Machine = collections.namedtuple("Machine", "name compiler flags sources target emulator")


def cortex_m(name, board, script, cpu_flags, *target):
    flags = ["-mthumb", *cpu_flags.split(), "--specs=rdimon.specs", "-nostartfiles", f"-L{HERE / 'boards'}", f"-T{script}.ld"]
    emulator = ["qemu-system-arm", "-M", board, "-display", "none", "-monitor", "none", "-serial", "none"]
    return Machine(name, "arm-none-eabi-gcc", flags, [HERE / "boards" / "startup.c"], target, emulator)


def bare_riscv(name, arch, abi, emulator, base, *target):
    """On QEMU's board `virt`, with picolibc's start-up and semihosting."""
    flags = [f"-march={arch}", f"-mabi={abi}", "--specs=picolibc.specs", "--oslib=semihost", "--crt0=semihost",
             *(f"-Wl,--defsym={name}={value}" for name, value in
               {"__flash": base, "__flash_size": "32M", "__ram": base + (32 << 20), "__ram_size": "64M"}.items())]
    command = [emulator, "-M", "virt", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "none"]
    if arch.startswith("rv64"):
        flags.append("-mcmodel=medany")
    return Machine(name, "riscv64-unknown-elf-gcc", flags, [], target, command)


MACHINES = {machine.name: machine for machine in (
    # An ARMv6-M program runs on a Cortex-M3; QEMU has no board with an M0 and enough memory.
    cortex_m("cortex-m0plus", "mps2-an385", "mps2-an385", "-mcpu=cortex-m0plus",
             "--target=thumbv6m-none-eabi", "--mcpu=cortex-m0plus"),
    cortex_m("cortex-m3", "mps2-an385", "mps2-an385", "-mcpu=cortex-m3",
             "--target=thumbv7m-none-eabi", "--mcpu=cortex-m3"),
    cortex_m("cortex-m4", "mps2-an386", "mps2-an385", "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard",
             "--target=thumbv7em-none-eabihf", "--mcpu=cortex-m4"),
    cortex_m("cortex-m7", "mps2-an500", "mps2-an500", "-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard",
             "--target=thumbv7em-none-eabihf", "--mcpu=cortex-m7"),
    cortex_m("cortex-m33", "mps2-an505", "mps2-an505", "-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard",
             "--target=thumbv8m.main-none-eabihf", "--mcpu=cortex-m33"),
    cortex_m("cortex-m55", "mps3-an547", "mps3-an547", "-mcpu=cortex-m55 -mfloat-abi=hard",
             "--target=thumbv8.1m.main-none-eabihf", "--mcpu=cortex-m55"),
    bare_riscv("riscv32", "rv32imac", "ilp32", "qemu-system-riscv32", 0x80000000,
               "--target=riscv32-unknown-elf", "--mattr=+m,+a,+c"),
    bare_riscv("riscv32f", "rv32imafc", "ilp32f", "qemu-system-riscv32", 0x80000000,
               "--target=riscv32-unknown-elf", "--mattr=+m,+a,+f,+c"),
    bare_riscv("riscv64", "rv64imafdc", "lp64d", "qemu-system-riscv64", 0x80000000,
               "--target=riscv64-unknown-elf", "--mattr=+m,+a,+f,+d,+c"),
    Machine("armv7a", "arm-linux-gnueabihf-gcc", ["-static"], [],
            ("--target=armv7a-linux-gnueabihf", "--mcpu=cortex-a7"), ["qemu-arm", "-cpu", "cortex-a7"]),
    Machine("aarch64", "aarch64-linux-gnu-gcc", ["-static"], [], ("--target=aarch64-linux-gnu",), ["qemu-aarch64"]),
    Machine("riscv64v", "riscv64-linux-gnu-gcc", ["-static"], [],
            ("--target=riscv64-linux-gnu", "--mattr=+v"), ["qemu-riscv64", "-cpu", "rv64,v=true,vlen=128"]),
)}


def missing_tools(machine):
    return [tool for tool in (machine.compiler, machine.emulator[0]) if not shutil.which(tool)]


def compile_command(machine, output, *inputs):
    """Compiles and links; what a model does not call is left out of the program, and the linker warns of nothing."""
    return [machine.compiler, *machine.flags, "-O1", "-ffunction-sections", "-Wl,--gc-sections,--fatal-warnings",
            *machine.sources, *inputs, "-o", output, "-lm"]


def run_command(machine, program, *arguments):
    if not machine.emulator[0].startswith("qemu-system"):
        return [*machine.emulator, program, *arguments]
    words = ",".join(["enable=on", "target=native", *(f"arg={word}" for word in arguments)])
    if machine.sources:  # our start-up takes the first word for the program's name, picolibc puts one in front
        words = words.replace("target=native", "target=native,arg=program")
    return [*machine.emulator, "-semihosting-config", words, "-kernel", program]
