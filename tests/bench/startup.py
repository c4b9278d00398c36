"""Whole processes from start to end, in milliseconds: the wrapper beside what it competes with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import spread


def commands():
    """Return what is measured, by name; the wrapper as it is installed beside this interpreter."""
    wrapper = shutil.which("neo-lease", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    return {
        "neo-lease run -- true": [wrapper or "neo-lease", "run", "--", "true"],
        "flock lock true": ["flock", "lock", "true"],
        "node -e 0": ["node", "-e", "0"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }


def starting(folder, rounds):
    """Run every command once a round, in turn."""
    (folder / ".neo-ai-data").mkdir()
    times = {}
    for turn in range(rounds + 1):
        for name, command in commands().items():
            if shutil.which(command[0]) is None:
                continue
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            if turn:
                times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return {name: spread(times[name]) if name in times else "missing" for name in commands()}
