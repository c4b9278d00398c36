"""Linux: /proc/meminfo, /proc/vmstat, pressure stall information, and the control group (version 2) that bounds us."""

from __future__ import annotations

import os

from neo_core.memory.reading import Limit, Reading, Stall


class LinuxMemory:
    """Reads below ``root``, which tests point at a tree of their own. Five small files per look."""

    def __init__(self, root: str = "/") -> None:
        self._root = root
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._group = self._find_group()

    def read(self, at: float) -> Reading:
        """Return one look; what cannot be read is unknown."""
        memory = _pairs(self._text("proc/meminfo"))
        counters = _pairs(self._text("proc/vmstat"))
        some, full = _stalls(self._text("proc/pressure/memory"))
        return Reading(
            at=at,
            total=_kib(memory, "MemTotal:"),
            available=_kib(memory, "MemAvailable:"),
            swap_total=_kib(memory, "SwapTotal:"),
            swap_used=_difference(_kib(memory, "SwapTotal:"), _kib(memory, "SwapFree:")),
            swap_in=self._pages(counters, "pswpin"),
            swap_out=self._pages(counters, "pswpout"),
            major_faults=counters.get("pgmajfault"),
            some=some,
            full=full,
            limit=self._limit(),
        )

    def _limit(self) -> Limit | None:
        """Return the tightest bound on the way up from our own group; ``None`` when nothing bounds us."""
        found: list[Limit] = []
        path = self._group
        while path is not None:
            limit = self._bound(path)
            if limit is not None:
                found.append(limit)
            path = os.path.dirname(path) if path.strip("/") else None
        bounded = [limit for limit in found if limit.max is not None or limit.high is not None]
        return min(bounded, key=_headroom) if bounded else None

    def _bound(self, group: str) -> Limit | None:
        folder = os.path.join("sys/fs/cgroup", group.lstrip("/"))
        current = _number(self._text(os.path.join(folder, "memory.current")))
        if current is None:
            return None
        events = _pairs(self._text(os.path.join(folder, "memory.events")))
        return Limit(
            path=group,
            current=current,
            high=_number(self._text(os.path.join(folder, "memory.high"))),
            max=_number(self._text(os.path.join(folder, "memory.max"))),
            high_events=events.get("high", 0),
            max_events=events.get("max", 0),
            kills=events.get("oom_kill", 0),
        )

    def _find_group(self) -> str | None:
        for line in self._text("proc/self/cgroup").splitlines():
            if line.startswith("0::"):
                return line[3:]
        return None

    def _pages(self, counters: dict[str, int], name: str) -> int | None:
        count = counters.get(name)
        return None if count is None else count * self._page

    def _text(self, name: str) -> str:
        try:
            with open(os.path.join(self._root, name), encoding="ascii", errors="replace") as file:
                return file.read()
        except OSError:
            return ""


def _pairs(text: str) -> dict[str, int]:
    """Return the ``name number`` lines of a file; other lines are not there."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[1].isdigit():
            found[words[0]] = int(words[1])
    return found


def _stalls(text: str) -> tuple[Stall | None, Stall | None]:
    lines = {line.partition(" ")[0]: line for line in text.splitlines()}
    return _stall(lines.get("some", "")), _stall(lines.get("full", ""))


def _stall(line: str) -> Stall | None:
    values = dict(word.split("=", 1) for word in line.split()[1:] if "=" in word)
    try:
        return Stall(avg10=float(values["avg10"]), avg60=float(values["avg60"]), total=int(values["total"]))
    except (KeyError, ValueError):
        return None


def _kib(values: dict[str, int], name: str) -> int | None:
    value = values.get(name)
    return None if value is None else value * 1024


def _difference(total: int | None, free: int | None) -> int | None:
    return None if total is None or free is None else max(0, total - free)


def _number(text: str) -> int | None:
    """Return the bytes a group's file tells; ``max`` means no bound, as does a file that is not there."""
    stripped = text.strip()
    return int(stripped) if stripped.isdigit() else None


def _headroom(limit: Limit) -> int:
    bounds = [bound for bound in (limit.high, limit.max) if bound is not None]
    return min(bounds) - limit.current
