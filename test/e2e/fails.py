"""Runs a command that must refuse its input, and prints its messages for FileCheck.

usage: fails.py --work DIR TOOL ARGUMENTS...

`{out}` in an argument is a fresh, empty folder below DIR. The command must exit with status 1 (a crash or an assert is
another status) and the folder must stay empty: a failed run leaves no output behind.
"""
import pathlib
import shutil
import subprocess
import sys


def main():
    assert sys.argv[1] == "--work"
    out = pathlib.Path(sys.argv[2] + ".out")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    command = [argument.replace("{out}", str(out)) for argument in sys.argv[3:]]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    print(run.stdout + run.stderr, end="", flush=True)
    left = sorted(path.name for path in out.iterdir())
    if run.returncode != 1:
        print(f"fails.py: exit status {run.returncode}, expected 1")
    if left:
        print(f"fails.py: left behind: {' '.join(left)}")
    return 0 if run.returncode == 1 and not left else 1


if __name__ == "__main__":
    sys.exit(main())
