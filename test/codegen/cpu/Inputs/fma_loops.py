#!/usr/bin/env python3
"""Lists the innermost loops of vector multiply-adds in assembly, with what they keep on the stack.

usage: fma_loops.py [--function REGEX] < FILE.s

A loop is what lies between a label and a jump back to it; innermost are those that hold no other one. For each of them
that multiplies and adds vectors, of x86-64 or AArch64, one line is printed, and one for every access to a fixed place
on the stack, which is how a register that was spilled, or is reloaded, shows:

    matmul_0: 12 multiply-adds of 256 bits in 25 instructions
      spill: vmovups %ymm3, -32(%rsp)

An access with an index register is one to an array, so it does not count.
"""
import argparse
import re
import sys

LABEL = re.compile(r"([\w.$]+):")
JUMP = re.compile(r"\t(?:j\w+|b|b\.\w+|cbn?z|tbn?z)\s(?:.*[\s,])?(\.L\w+)$")
MULTIPLY_ADD = re.compile(r"\t(?:vfn?m(?:add|sub)\d+p[sd]\s.*%([xyz])mm\d+(?:\s\{.*\})?$|fml[as]\sv)")
BITS = {"x": 128, "y": 256, "z": 512, None: 128}
# What addresses the stack: its pointer, and in functions that set one, the frame's.
STACK = re.compile(r"\(%rsp\)|\[sp(?:, #-?\d+)?\]")
FRAME = re.compile(r"\(%rbp\)|\[x29(?:, #-?\d+)?\]")
SETS_FRAME = re.compile(r"\t(?:movq\t%rsp, %rbp|(?:mov|add)\tx29, sp)")


def functions(lines):
    """(name, lines) of each function: what lies between two labels that are not local."""
    name, body = None, []
    for line in lines:
        label = LABEL.match(line)
        if label and not label.group(1).startswith(".L"):
            yield name, body
            name, body = label.group(1), []
        body.append(re.split(r"\s*(?:# |## |// )", line.rstrip())[0])
    yield name, body


def innermost_loops(body):
    labels, loops = {}, []
    for index, line in enumerate(body):
        label, jump = LABEL.match(line), JUMP.match(line)
        if label:
            labels[label.group(1)] = index
        elif jump and jump.group(1) in labels:
            loops.append((labels[jump.group(1)], index))
    for start, end in loops:
        if not any(start <= other[0] and other[1] <= end and other != (start, end) for other in loops):
            yield [line for line in body[start:end + 1] if line.startswith("\t") and not line.startswith("\t.")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--function", default="", help="only functions in whose names this is found")
    options = parser.parse_args()
    for name, body in functions(sys.stdin.buffer.read().decode(errors="replace").splitlines()):
        if not name or not re.search(options.function, name):
            continue
        has_frame = any(map(SETS_FRAME.match, body))
        for loop in innermost_loops(body):
            found = [match for match in map(MULTIPLY_ADD.match, loop) if match]
            if not found:
                continue
            bits = max(BITS[match.group(1)] for match in found)
            print(f"{name}: {len(found)} multiply-adds of {bits} bits in {len(loop)} instructions")
            for line in loop:
                if STACK.search(line) or has_frame and FRAME.search(line):
                    print("  spill: " + " ".join(line.split()))


if __name__ == "__main__":
    main()
