"""Five workers that any supervisor can keep, and how they are counted: by what is in their environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import suppress

TAG = "TORTURE_TAG"
NAMES = ("w1", "w2", "w3", "w4", "w5")
SCRIPT = """\
#!/bin/sh
echo "$1 $$" >> "$TORTURE_STARTS"
exec sleep 86400
"""


class Crew:
    """The workers of one go: a folder, a tag that all their processes inherit, and a file of their starts."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.tag = uuid.uuid4().hex
        self._children = []
        self.script = f"{self.folder}/worker.sh"
        self.starts = f"{self.folder}/starts"
        with open(self.script, "w") as file:
            file.write(SCRIPT)
        os.chmod(self.script, 0o755)

    def environment(self, **more):
        """Return the environment to start a supervisor in; nothing of the lease's and of this process's terminal."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {**kept, TAG: self.tag, "TORTURE_STARTS": self.starts, **more}

    def popen(self, command, **more):
        """Start a command away from this terminal, with the tag in its environment."""
        child = subprocess.Popen(
            command, env=self.environment(), stdin=subprocess.DEVNULL, start_new_session=True, **more
        )
        self._children.append(child)
        return child

    def commands(self):
        return {name: ["/bin/sh", self.script, name] for name in NAMES}

    def tagged(self):
        """Return every living process of this go: pid and command line."""
        mark = f"{TAG}={self.tag}".encode()
        found = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with suppress(OSError):
                with open(f"/proc/{name}/environ", "rb") as file:
                    ours = mark in file.read().split(b"\0")
                if ours:
                    with open(f"/proc/{name}/cmdline", "rb") as file:
                        found[int(name)] = file.read().split(b"\0")[:-1]
        return {pid: command for pid, command in found.items() if command}  # a zombie has none

    def workers(self):
        """Return the pids of the workers that live."""
        return {pid for pid, command in self.tagged().items() if command == [b"sleep", b"86400"]}

    def started(self):
        """Return how often any worker was started so far."""
        with suppress(FileNotFoundError), open(self.starts) as file:
            return len(file.read().splitlines())
        return 0

    def settle(self, wanted, seconds, quiet=1.0):
        """Wait until ``wanted`` workers have lived for ``quiet`` seconds, or until the time is over; return them."""
        deadline = time.monotonic() + seconds
        before, since = None, time.monotonic()
        while True:
            now = self.workers()
            if now != before:
                before, since = now, time.monotonic()
            settled = len(now) == wanted and time.monotonic() - since >= quiet
            if settled or time.monotonic() >= deadline:
                return now
            time.sleep(0.05)

    def end(self):
        """Kill every process of this go, by pid, until none is left, and remove its folder."""
        deadline = time.monotonic() + 20
        while (left := self.tagged()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        for child in self._children:
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
