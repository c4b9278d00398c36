"""What counts as broken, found afterwards from what every holder wrote down."""

from __future__ import annotations

import os
from typing import NamedTuple


class Interval(NamedTuple):
    """From when to when, in monotonic nanoseconds, ``who`` believed the lease to be its own."""

    begin: int
    end: int
    who: str


def overlaps(intervals):
    """Return every pair that held at the same time; one that ends where the next begins does not overlap it."""
    found, open_ones = [], []
    for one in sorted(intervals):
        open_ones = [earlier for earlier in open_ones if earlier.end > one.begin]
        found += [(earlier, one) for earlier in open_ones]
        open_ones.append(one)
    return found


def leftovers(path):
    """Return what lies beside the lease and is neither the record nor one of the two files that stay."""
    folder, name = os.path.split(str(path))
    return sorted(set(os.listdir(folder)) - {name, f"{name}.hold", f"{name}.lock"})
