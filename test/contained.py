"""run(command, timeout): a command in a process group of its own, all of which ends with it."""
import os
import signal
import subprocess


def run(command, timeout):
    """The exit status, None when it ran too long, and the lines that it wrote and that are not blank."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, []
    return process.returncode, [line for line in output.splitlines() if line.strip()]
