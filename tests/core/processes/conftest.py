"""A made-up /proc: what the parser must understand without waiting for such a process to come along."""

import os
import subprocess
import sys
import time

import psutil
import pytest


class ProcTree:
    def __init__(self, root):
        self.root = root
        self.write("sys/kernel/random/boot_id", b"11111111-2222-3333-4444-555555555555\n")
        self.write("uptime", b"1000.00 3900.12\n")
        (root / "self" / "ns").mkdir(parents=True)
        (root / "self" / "ns" / "pid").symlink_to("pid:[4026531836]")

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def process(self, pid, *, name="node", state="S", ppid=1, session=1, start=5000, rss=100, ticks=(7, 5), **more):
        told = {"threads": 1, "flags": 0x400000, "environment ends": 9_000, **more}
        fields = [state, ppid, pid, session, 0, -1, told["flags"], 1, 2, 3, 4, *ticks, 0, 0, 20, 0, told["threads"], 0]
        fields += [start, 9_999_999, rss, 18446744073709551615, *[1] * 25, told["environment ends"], 0]
        line = f"{pid} ({name}) {' '.join(str(field) for field in fields)}\n"
        self.write(f"{pid}/stat", line.encode("utf-8", "surrogateescape"))
        self.write(f"{pid}/environ", b"HOME=/root\0")
        (self.root / str(pid) / "fd").mkdir(exist_ok=True)

    def descriptor(self, pid, number, target, info):
        link = self.root / str(pid) / "fd" / str(number)
        link.symlink_to(target)
        self.write(f"{pid}/fdinfo/{number}", info)


@pytest.fixture
def proc(tmp_path):
    return ProcTree(tmp_path / "proc")


def shown(pid):
    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return False


@pytest.fixture
def start():
    """Start real processes that end with the test."""
    started = []

    def run(*command, **options):
        process = subprocess.Popen(command or ("sleep", "120"), **options)
        started.append(process)
        # Between fork and the end of exec a process shows neither arguments nor environment.
        while process.poll() is None and not shown(process.pid):
            time.sleep(0.001)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def zombie(start):
    """A child that has ended and was not collected."""
    process = start(sys.executable, "-c", "pass")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process.pid
