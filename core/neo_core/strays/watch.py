"""Looking for strays at a budget: a whole pass seldom, and nothing called a stray that has only just appeared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from neo_core.ledger.models import Outcome
from neo_core.processes.listening import listeners_on
from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.snapshot_strays import StrayKind, StraysView, StrayView
from neo_core.strays.judge import Known, Suspect, deaf_to, find_suspects
from neo_core.strays.look import take_look
from neo_core.strays.words import blocks_of, mend_of, sentence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from neo_core.clock import Clock
    from neo_core.ledger.models import Run
    from neo_core.processes.listening import Listener
    from neo_core.processes.source import ProcessSource
    from neo_core.services.catalogue import Service

_EVERY = 10.0
_SOONEST, _LATER = 0.5, 2.0
_GRACE = 5.0
_EXACT_LIMIT = 64


class Seen(NamedTuple):
    """What was seen, and when by the wall clock."""

    at: float
    view: StraysView


class Watch:
    """Finds strays again and again.

    A pass is made every ``every`` seconds, and within half a one after what lives here has changed, within two after a
    stray has; in between a stray that was found stands while anything of it lives. What a killed runner left is called
    a stray at once, any other tree once its root is older than ``grace`` seconds, or was seen that long ago: a run that
    is just ending, or a service between two states, never is.
    """

    def __init__(
        self,
        source: ProcessSource,
        clock: Clock,
        *,
        every: float = _EVERY,
        grace: float = _GRACE,
        listening: Callable[[int], list[Listener]] = listeners_on,
    ) -> None:
        self._source, self._clock = source, clock
        self._every, self._grace, self._listening = every, grace, listening
        self._first: dict[tuple[int, int], float] = {}
        self._seen: Seen | None = None
        self._due = self._looked = 0.0
        self._basis: object = None

    def look(self, known: Known, services: Iterable[Service], rows: Callable[[set[str]], dict[str, Run]]) -> Seen:
        """Return what is astray; ``rows`` returns the ledger's rows of run ids. May raise ``OSError``, ``NeoError``."""
        now = self._clock.monotonic()
        basis = (tuple(run.run_id for run in known.live), known.alive, known.kept, known.told, known.left)
        seen = self._seen
        if seen is not None and now < self._due:
            living = tuple(stray for stray in seen.view.found if any(self._living(stray)))
            soonest = self._looked + (_SOONEST if basis != self._basis else _LATER)
            changed = basis != self._basis or not all(all(self._living(stray)) for stray in living)
            if not (changed and now >= soonest):
                return seen._replace(view=msgspec.structs.replace(seen.view, found=living))
        self._seen = None
        view = self._pass(known, tuple(services), rows, now)
        self._seen = Seen(self._clock.now(), view)
        self._basis, self._due, self._looked = basis, now + self._every, now
        if view.settling:
            self._due = min(self._due, now + self._grace)
        return self._seen

    def forget(self) -> None:
        """Make the next look a whole pass."""
        self._seen = None

    def _living(self, stray: StrayView) -> Iterator[bool]:
        """Yield of each member whether it lives."""
        for pid, started in stray.members:
            yield is_alive(ProcessIdentity(pid, started, stray.boot_id), self._source)

    def _pass(
        self,
        known: Known,
        services: tuple[Service, ...],
        rows: Callable[[set[str]], dict[str, Run]],
        now: float,
    ) -> StraysView:
        look = take_look(self._source, services, listening=self._listening)
        live = {run.run_id for run in known.live}
        asked = {one.run_id for one in look.marks.values() if one.run_id} - live
        ports = {one.name: one.port for one in services if one.port is not None}
        known = msgspec.structs.replace(known, ended=rows(asked) if asked else {}, ports=ports)
        suspects = find_suspects(look, known)
        keys = {(one.root.pid, one.root.start_time) for one in suspects}
        self._first = {key: self._first.get(key, now) for key in keys}
        views = [self._view(one, known) for one in suspects]
        found = tuple(view for view in views if self._is_settled(view, now))
        young = [view for view in views if view not in found]
        return StraysView(
            found=found,
            looked_at=look.looked_at,
            unreadable=look.unreadable,
            others=look.others,
            settling=len(young),
            settling_services=tuple(sorted({view.service for view in young} - {""})),
            unknown=tuple(deaf_to(look, known)),
        )

    def _is_settled(self, view: StrayView, now: float) -> bool:
        old = view.age is not None and view.age >= self._grace
        # A run's row is there before its processes, and a lost one has no runner any more: no doubt is left.
        sure = view.kind is StrayKind.LEASE or (view.kind is StrayKind.RUN and view.lost)
        return sure or old or now - self._first[view.pid, view.start_time] >= self._grace

    def _view(self, suspect: Suspect, known: Known) -> StrayView:
        root = suspect.root
        port = known.ports.get(suspect.port)
        measured = suspect.members[:_EXACT_LIMIT]
        sizes = [size for size in (self._source.pss(one.pid) for one in measured) if size is not None]
        whole = len(sizes) == len(suspect.members)
        return StrayView(
            kind=suspect.kind,
            pid=root.pid,
            start_time=root.start_time,
            boot_id=self._source.boot_id(),
            owner=suspect.owner,
            name=root.name,
            command=self._source.command_line(root.pid) or root.name,
            sentence=sentence_of(suspect, port),
            mend=mend_of(suspect),
            run_id=suspect.run_id,
            keeps_lease=suspect.keeps_lease,
            lost=suspect.kind is StrayKind.RUN and (suspect.run is None or suspect.run.outcome is Outcome.LOST),
            blocks=blocks_of(suspect, port, alive=suspect.port in known.alive),
            age=self._source.age(root.start_time),
            memory=sum(sizes) if whole else sum(one.rss for one in suspect.members),
            exact=whole,
            members=tuple((one.pid, one.start_time) for one in suspect.members),
            elsewhere=suspect.foreign,
            spared=tuple((one.pid, one.start_time) for one in suspect.spared),
        )
