"""What it takes for a service to be up, link by link: wanted, kept, alive, answering, without faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table

from neo_console.drawing import written
from neo_console.format import NOTHING, ago, countdown, plain, plural
from neo_console.rows.services import answers
from neo_console.vocabulary import Tone, term
from neo_core.ledger.models import ServiceState
from neo_core.schedule.decision import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neo_console.panels.table import Colours
    from neo_core.snapshot import OrchestratorView, ServiceView
    from neo_core.snapshot_strays import StrayView


_TAKEN = " is taken by "


class Link(NamedTuple):
    """One check: its verdict, what it saw, and what mends it or comes next."""

    verdict: Verdict
    name: str
    saw: str
    way_out: str = ""


def service_chain(
    service: ServiceView,
    keeper: OrchestratorView | None,
    now: float,
    key: Callable[[str], str],
    stranger: StrayView | None = None,
) -> list[Link]:
    """Return every link, the first cause first; ``key`` names the key of an action.

    ``stranger`` listens on its port, as far as the processes show one.
    """
    return [
        _wanted(service, key),
        _kept(service, keeper, key),
        *_refused(service, stranger, now, key),
        _alive(service, now, key),
        _answers(service, now),
        _faults(service, now, key),
    ]


def chain_table(links: Sequence[Link], colours: Colours) -> Table:
    """Return the links in order."""
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), show_edge=False, header_style=colours.get(Tone.DIM, ""))
    table.add_column("verdict", width=8, no_wrap=True)
    table.add_column("link", width=12, no_wrap=True)
    table.add_column("saw", ratio=3, overflow="fold")
    table.add_column("then", ratio=2, overflow="fold")
    for link in links:
        shown = term(link.verdict)
        table.add_row(
            written(str(shown), colours, shown.tone),
            written(link.name, colours, strong=link.verdict is Verdict.BLOCK),
            written(link.saw, colours),
            written(link.way_out or NOTHING, colours, Tone.PLAIN if link.way_out else Tone.DIM),
        )
    return table


def _wanted(service: ServiceView, key: Callable[[str], str]) -> Link:
    if service.wanted:
        return Link(Verdict.PASS, "wanted", "it should run")
    return Link(Verdict.BLOCK, "wanted", "an operator stopped it", f"press {key('trigger')} on its row to start it")


def _kept(service: ServiceView, keeper: OrchestratorView | None, key: Callable[[str], str]) -> Link:
    if service.kept:
        pid = f", pid {keeper.pid}" if keeper and keeper.pid else ""
        return Link(Verdict.PASS, "kept", f"the orchestrator looks after it{pid}")
    seen = plain(keeper.sentence) if keeper and keeper.sentence else "no orchestrator looks after it"
    return Link(Verdict.BLOCK, "kept", seen, f"press {key('orchestrator')} to start the orchestrator")


def _is_refused(service: ServiceView) -> bool:
    """Return whether its start cannot even be tried because somebody has its port, which is no fault of it."""
    return service.state is ServiceState.BACKOFF and _TAKEN in service.sentence


def _refused(service: ServiceView, stranger: StrayView | None, now: float, key: Callable[[str], str]) -> list[Link]:
    if not _is_refused(service):
        return []
    again = "" if service.next_start_at is None else f"; looked at again {countdown(service.next_start_at, now)}"
    sentence = plain(service.sentence)
    _, opened, cause = sentence.partition(" (")
    saw = cause.removesuffix(")") if opened and sentence.endswith(")") else sentence
    end = "end who has it where it was started"
    if stranger is not None:
        end = f"{end}, or press {key('stop')} on {plain(stranger.label)} in the processes"
    return [Link(Verdict.BLOCK, "port", saw, f"{end}{again}")]


def _alive(service: ServiceView, now: float, key: Callable[[str], str]) -> Link:
    if _is_refused(service):
        return Link(Verdict.NOT_APPLICABLE, "process", "none: it is not started while its port is taken")
    if service.pid is not None:
        since = f", started {ago(service.started_at, now)}" if service.started_at is not None else ""
        how = ", adopted" if service.adopted else ""
        return Link(Verdict.PASS, "process", f"pid {service.pid}{since}{how}")
    ended = f"; the last one: {plain(service.last_exit)}" if service.last_exit else ""
    verdict = Verdict.BLOCK if service.wanted else Verdict.NOT_APPLICABLE
    return Link(verdict, "process", f"no process{ended}", f"press {key('log')} for its log" if ended else "")


def _answers(service: ServiceView, now: float) -> Link:
    where = f" at {plain(service.endpoint)}" if service.endpoint else ""
    if service.pid is None:
        return Link(Verdict.NOT_APPLICABLE, "answers", f"nobody to ask{where}")
    if service.state is ServiceState.UNHEALTHY:
        last = f"; the last answer came {ago(service.probed_at, now)}" if service.probed_at is not None else ""
        return Link(Verdict.BLOCK, "answers", f"no good answer{where}{last}", "it is restarted when it stays so")
    if service.probed_at is not None:
        saw = "it does" if answers(service, now) else f"it did {ago(service.probed_at, now)}"
        return Link(Verdict.PASS, "answers", f"{saw}{where}")
    starting = service.state is ServiceState.STARTING
    return Link(Verdict.NOT_APPLICABLE, "answers", f"not yet{where}" if starting else "alive is all that is asked")


def _faults(service: ServiceView, now: float, key: Callable[[str], str]) -> Link:
    if service.state is ServiceState.FATAL:
        saw = f"gave up after {plural(service.failures, 'fault')} in a row"
        return Link(Verdict.BLOCK, "faults", saw, f"mend the cause, then press {key('trigger')} on its row")
    if service.state is ServiceState.BACKOFF and not _is_refused(service):
        again = f"starts {countdown(service.next_start_at, now)}" if service.next_start_at is not None else ""
        return Link(Verdict.BLOCK, "faults", f"{plural(service.failures, 'fault')} in a row", again)
    if service.failures:
        return Link(Verdict.PASS, "faults", f"{plural(service.failures, 'fault')} in a row, not too many")
    return Link(Verdict.PASS, "faults", "none in a row")
