"""The built wheel, installed in a clean environment, contains the styles and opens the console in a real terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of commands of a fresh environment that holds the wheel and what it depends on, nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    wheel = next(folder.glob("neo_console-*.whl"))
    into = ["--python", str(folder / "venv/bin/python")]
    subprocess.run([*pip, *into, "install", "--no-compile", str(wheel)], check=True)
    return folder / "venv" / "bin"


@pytest.fixture(autouse=True)
def _only_what_is_installed(monkeypatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


@pytest.mark.timeout(240)
def test_the_console_opens_from_the_wheel_and_quits(installed, root):
    screen = _open_and_quit([str(installed / "neo-console"), "--workspace", str(root)])
    assert "FREE" in screen
    assert "backup" in screen


@pytest.mark.timeout(240)
def test_a_script_can_hold_the_lease_without_textual(installed, root):
    script = (
        "import sys\nfrom neo_core import hold_lease\n"
        "with hold_lease('my-job'):\n    print('held')\n"
        "print([n for n in sys.modules if n.split('.')[0] in ('textual', 'rich')])\n"
    )
    told = subprocess.run(
        [str(installed / "python"), "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert told.stdout.split("\n")[:2] == ["held", "[]"]


def _open_and_quit(command: list[str]) -> str:
    """Run ``command`` on a terminal of its own until the lease is shown, press q, and return what was written."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
        os.execv(command[0], command)
    written = b""
    asked = False
    deadline = time.monotonic() + 120
    try:
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            assert time.monotonic() < deadline, written[-4000:]
            if not asked and b"FREE" in written and b"backup" in written:
                asked = os.write(terminal, b"q") == 1
            if select.select([terminal], [], [], 0.1)[0]:
                with suppress(OSError):  # its other side is closed: it ends
                    written += os.read(terminal, 65536)
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(ended[1]) == 0
    return written.decode("utf-8", "replace")
