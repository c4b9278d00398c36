"""The newest rows of the runs, for who looks every second: what was read before is not read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neo_core.ledger.models import Run
    from neo_core.ledger.store import Ledger


class RecentRuns:
    """Remembers the newest ``limit`` rows of one ledger between two looks.

    While the sum over all of them is the same, nothing is read. Else a row that has ended is read again when one of
    its marks changed, and a row that is live always.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[str, tuple[dict[str, Any], Run]] = {}
        self._runs: list[Run] = []
        self._sum: dict[str, Any] = {}

    def read(self, ledger: Ledger) -> list[Run]:
        """Return the newest rows first; what did not change is the same object as before. Raises ``LedgerError``."""
        total = ledger.runs.marks_in_sum(self._limit)
        if total == self._sum and not total.get("live"):
            return self._runs
        marks = ledger.runs.marks(self._limit)
        same = {name: known for name, known in self._known.items() if known[1].outcome is not None}
        changed = [one["run_id"] for one in marks if one["run_id"] not in same or same[one["run_id"]][0] != one]
        read = {run.run_id: run for run in ledger.runs.of_ids(changed)}
        self._known = {}
        for one in marks:
            name = one["run_id"]
            run = read.get(name) or (same[name][1] if name in same else None)
            if run is not None:  # else it was removed between the two questions
                self._known[name] = (one, run)
        self._runs, self._sum = [run for _, run in self._known.values()], total
        return self._runs
