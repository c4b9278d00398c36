"""Whole-process start-up of the wrapper beside its peers, interleaved in one run: ``python tests/bench/startup.py``.

Prints one JSON object: per command the median, the minimum and the 99th percentile in milliseconds. A peer that is not
installed is reported as missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def commands() -> dict[str, list[str]]:
    """Return what is measured, by name."""
    wrapper = shutil.which("neo-lease", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    return {
        "neo-lease run -- true": [wrapper or "neo-lease", "run", "--", "true"],
        "node -e 0": ["node", "-e", "0"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "flock lock true": ["flock", "lock", "true"],
    }


def measure(rounds: int, folder: str) -> dict[str, list[float]]:
    """Run every command once a round, in turn, and return the milliseconds of each."""
    times: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for name, command in commands().items():
            if shutil.which(command[0]) is None:
                continue
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            if number:
                times.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".neo-ai-data").mkdir()
        times = measure(rounds, folder)
    result: dict[str, object] = {"machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"}
    for name in commands():
        found = sorted(times.get(name, []))
        if not found:
            result[name] = "missing"
            continue
        result[name] = {
            "median": round(found[len(found) // 2], 1),
            "min": round(found[0], 1),
            "p99": round(found[min(len(found) - 1, int(len(found) * 0.99))], 1),
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
