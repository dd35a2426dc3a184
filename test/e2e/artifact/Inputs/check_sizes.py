"""Compares the sizes of a report with what `size -A` and `nm -S` say of the object.

usage: check_sizes.py OBJECT REPORT
"""
import json
import subprocess
import sys

report = json.load(open(sys.argv[2]))
sections = {}
for line in subprocess.run(["size", "-A", sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines():
    words = line.split()
    if len(words) == 3 and words[0].startswith("."):
        sections[words[0]] = int(words[1])


def total(*starts):
    return sum(size for name, size in sections.items() if name.startswith(starts))


flash = report["flash"]
constants = total(".rodata", ".eh_frame", ".lrodata", ".note.GNU-property")
assert flash["text_bytes"] == total(".text"), (flash, sections)
assert flash["read_only_bytes"] == constants, (flash, sections)
assert flash["data_bytes"] == total(".data"), (flash, sections)
assert flash["bytes"] == flash["text_bytes"] + flash["read_only_bytes"] + flash["data_bytes"], flash
ram = report["ram"]
assert ram["bytes"] == ram["arena_bytes"] + ram["stack_bytes"] + ram["data_bytes"] + ram["bss_bytes"], ram

symbols = {}
for line in subprocess.run(["nm", "-S", sys.argv[1]], capture_output=True, text=True, check=True).stdout.splitlines():
    words = line.split()
    if len(words) == 4 and words[2] in "tTW":
        symbols[words[3]] = int(words[1], 16)
assert {function["name"]: function["text_bytes"] for function in report["functions"]} == symbols, symbols
