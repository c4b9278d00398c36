"""A crowd of sleeping processes with one parent, as a machine has them beside what is measured."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

_PARENT = """
import os, signal, sys
pids = [os.posix_spawn("/bin/sleep", ["sleep", "86400"], os.environ) for _ in range(int(sys.argv[1]))]
print("there", flush=True)
sys.stdin.read()
for pid in pids:
    os.kill(pid, signal.SIGKILL)
for pid in pids:
    os.waitpid(pid, 0)
"""


@contextmanager
def crowd(count):
    """Have ``count`` processes sleep; they end with the block, and with us."""
    command = [sys.executable, "-c", _PARENT, str(count)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        if parent.stdout.readline() != b"there\n":
            raise RuntimeError(f"{count} processes could not be started")
        yield
    finally:
        parent.stdin.close()
        parent.wait(30)
        parent.stdout.close()
