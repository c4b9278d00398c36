"""Outcomes older than the latest, which every picture brings: loaded on demand, page after page, without a gap.

Pure; a page begins after a ``Mark``, never at a position, so rows that come meanwhile move nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from neo_console.rows.outcomes import outcome_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_console.filters import Filter
    from neo_console.ports import EngineLike
    from neo_core.ledger.models import Run

PAGE = 500
MOST = 2 * PAGE  # older rows that are kept: more would take too long to draw at once
_LOOK_FOR = 1.0  # seconds
_LOOK_PAGES = 40


class Mark(NamedTuple):
    """Where a page begins: after the run of that id, whose row changed last at ``at``."""

    at: float
    run_id: str


class Page(NamedTuple):
    """What was read: the runs, where the next page begins, whether the ledger ends here, and for which filter."""

    runs: tuple[Run, ...]
    mark: Mark
    ended: bool
    sought: str = ""


class History:
    """The latest outcomes and what was loaded before them; only the UI thread touches it."""

    def __init__(self) -> None:
        self.ended = False
        self.sought = ""
        self._latest: tuple[Run, ...] = ()
        self._older: dict[str, Run] = {}
        self._found: dict[str, Run] = {}
        self._found_to: Mark | None = None
        self._found_all = False

    def take(self, latest: tuple[Run, ...]) -> None:
        """Accept the latest runs; those that newer ones pushed out stay, so that there is no gap before the older."""
        if self._older:
            here = {run.run_id for run in latest}
            pushed = [run for run in self._latest if run.run_id not in here]
            if len(pushed) == len(self._latest):
                self.forget()
            self._older = {**_kept(pushed), **self._older} if self._older else {}
        self._latest = latest

    def forget(self) -> None:
        """Drop everything older: between it and the latest may be a gap."""
        self._older, self.ended = {}, False
        self.seek("")

    def seek(self, sought: str) -> None:
        """Drop what was found for another filter."""
        if sought != self.sought:
            self.sought, self._found, self._found_to, self._found_all = sought, {}, None, False

    def run(self, run_id: str) -> Run | None:
        """Return that run if it was loaded."""
        return self._older.get(run_id) or self._found.get(run_id)

    def merged(self, latest: Sequence[Run]) -> list[Run]:
        """Return ``latest`` and everything loaded that is older, each run once."""
        runs = {run.run_id: run for run in latest}
        floor = latest[-1].last_at if latest else 0.0
        for run in (*self._older.values(), *self._found.values()):
            if run.last_at <= floor:
                runs.setdefault(run.run_id, run)
        return list(runs.values())

    @property
    def mark(self) -> Mark | None:
        """Where the next page begins; ``None`` when nothing older can be there."""
        if self._found_to is not None:
            return None if self._found_all else self._found_to
        if self.ended or len(self._latest) < PAGE:
            return None
        last = next(reversed(self._older.values()), self._latest[-1])
        return Mark(last.last_at, last.run_id)

    @property
    def full(self) -> bool:
        """Whether no more is kept, so that only a filter looks further back."""
        return len(self._older) >= MOST

    @property
    def loaded(self) -> int:
        """How many rows are there without a gap."""
        return len(self._latest) + len(self._older)

    @property
    def looked_back_to(self) -> float | None:
        """When the oldest row was that the filter was held against beyond the loaded ones."""
        return self._found_to.at if self._found_to else None

    def add(self, page: Page) -> None:
        """Take what was read, unless it was for a filter that is no longer there."""
        if not page.sought:
            self._older.update(_kept(page.runs))
            self.ended = page.ended
        elif page.sought == self.sought:
            self._found.update(_kept(page.runs))
            self._found_to, self._found_all = page.mark, page.ended


def read_page(engine: EngineLike, mark: Mark) -> Page:
    """Return the next page; may raise ``NeoError``."""
    runs = tuple(engine.older(mark.run_id, mark.at, PAGE))
    return Page(runs, _after(runs, mark), ended=len(runs) < PAGE)


def look_back(engine: EngineLike, mark: Mark, wanted: Filter, now: float) -> Page:
    """Read page after page until one has a row that passes the filter, or a second is over; return only such rows."""
    began = time.monotonic()
    for _ in range(_LOOK_PAGES):
        page = read_page(engine, mark)
        mark = page.mark
        found = tuple(run for run in page.runs if wanted.matches(outcome_row(run, now)))
        if found or page.ended or time.monotonic() - began > _LOOK_FOR:
            return Page(found, mark, page.ended, wanted.text)
    return Page((), mark, ended=False, sought=wanted.text)


def _after(runs: Sequence[Run], mark: Mark) -> Mark:
    return Mark(runs[-1].last_at, runs[-1].run_id) if runs else mark


def _kept(runs: Iterable[Run]) -> dict[str, Run]:
    """Return the runs by id without their decisions, which are read again when somebody asks why."""
    return {run.run_id: msgspec.structs.replace(run, decision="") for run in runs}
