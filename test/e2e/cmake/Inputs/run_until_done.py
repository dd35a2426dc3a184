"""Runs a command, shows what it prints, and ends it when a line says "done": firmware runs for ever.

usage: run_until_done.py COMMAND ...
"""
import subprocess
import sys
import threading

process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
alarm = threading.Timer(60, process.kill)
alarm.start()
found = False
for line in process.stdout:
    print(line, end="")
    if line.strip() == "done":
        found = True
        break
alarm.cancel()
process.kill()
process.wait()
sys.exit(0 if found else "it ended, or was ended after a minute, without a line that says done")
