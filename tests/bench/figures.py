"""From single measurements to what is reported: nearest-rank percentiles, fairness, and the machine's name."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path


def percentile(values, percent):
    """Return the nearest-rank percentile: a value that was really measured. Raises ``ValueError`` for none."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values, digits=1):
    """Return median, p99, the fastest, the slowest and how many there were."""
    return {
        "median": round(percentile(values, 50), digits),
        "p99": round(percentile(values, 99), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
        "count": len(values),
    }


def fairness(counts):
    """Return the least over the most that any process got: 1 is even, 0 means somebody got nothing."""
    most = max(counts, default=0)
    return min(counts) / most if most else 0.0


def machine():
    """Name the machine, and how busy it is with other things."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def filesystem(folder):
    """Name the kind of file system: a lock that makes and removes files waits for its journal with everybody else."""
    from neo_core.lease.filesystem import _filesystem

    return _filesystem(os.path.realpath(folder), "/proc/self/mounts") or "unknown"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
