"""Why a task may not start, or did not, and why a service is up or down: every check, what it saw, when it clears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from neo_console.chain import chain_table, service_chain
from neo_console.drawing import gate_table, gist, written
from neo_console.format import ago, plain
from neo_console.screens.page import Page
from neo_console.telling import how_it_ended
from neo_console.vocabulary import Tone, term
from neo_console.waiting import wait_text
from neo_core.schedule.decision import Verdict

if TYPE_CHECKING:
    from neo_console.panels.table import Colours
    from neo_console.subjects import Subject
    from neo_core.ledger.models import Run
    from neo_core.schedule.decision import Decision


class WhyNow(Page):
    """The decision about a task as of now; it follows every new picture."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(opened_by="why")
        self._subject = subject

    def title_text(self) -> str:
        """Name the task."""
        return f"Why · {plain(self._subject.task)} · as of now"

    def body(self) -> RenderableType:
        """Show the decision of the latest picture."""
        console = self.console
        task = console.picture.task(self._subject.task)
        if task is None:
            return written(f"{self._subject.task} is no longer in the schedule.", console.colours, Tone.UNKNOWN)
        waits = wait_text(task, console.now())
        return _explained(task.decision, console.now(), console.colours, besides=waits)


class WhyThen(Page):
    """The decision that was taken for one run, as it was recorded."""

    def __init__(self, run: Run, decision: Decision | None) -> None:
        super().__init__(opened_by="why")
        self._run = run
        self._decision = decision

    def title_text(self) -> str:
        """Name the run."""
        return f"Why · {plain(self._run.task)} · run {self._run.run_id[:8]}, as it was then"

    def body(self) -> RenderableType:
        """Show the recorded decision, and how the run went on that it let start."""
        console = self.console
        run = console.picture.run(self._run.run_id) or self._run
        if self._decision is None:
            text = "No decision was recorded for this run: it was written by an older version, or by a script."
            unknown = written(text, console.colours, Tone.UNKNOWN)
            return Group(unknown, written(_went_on(run), console.colours))
        return _explained(self._decision, console.now(), console.colours, past=True, besides=_went_on(run))


class WhyService(Page):
    """Why a service is up or down: what it takes, in order, each as it is now."""

    def __init__(self, name: str) -> None:
        super().__init__(opened_by="why")
        self._service = name

    def title_text(self) -> str:
        """Name the service."""
        return f"Why · service {plain(self._service)} · as of now"

    def body(self) -> RenderableType:
        """Show the chain of the latest picture."""
        console = self.console
        service = console.picture.service(self._service)
        if service is None:
            return written(f"{self._service} is no service here any more.", console.colours, Tone.UNKNOWN)
        shown = term(service.state)
        picture = console.picture
        stranger = picture.listener_for(self._service)
        links = service_chain(service, picture.keeper(), console.now(), console.keymap.key, stranger)
        ways = " · ".join(link.way_out for link in links if link.verdict is Verdict.BLOCK and link.way_out)
        return Group(
            written(f"{shown}: {service.sentence}", console.colours, shown.tone, strong=True),
            *([written(ways, console.colours, strong=True)] if ways else []),
            Text(),
            chain_table(links, console.colours),
        )


def _went_on(run: Run) -> str:
    """Return how a run that was started ended, or that it goes on; empty for one that was not."""
    if run.started_at is None:
        return ""
    return "It started and is still running." if run.live else f"It started, and in the end: {how_it_ended(run)}."


def _explained(
    decision: Decision, now: float, colours: Colours, *, past: bool = False, besides: str = ""
) -> RenderableType:
    """Return the decision; ``besides`` says what came of it: who waits, how it was put off, how the run ended."""
    asked = f"A {term(decision.trigger).word} start, judged {ago(decision.at, now)}. Every gate is asked, every time."
    return Group(
        gist(decision, colours, past=past),
        *([written(besides, colours)] if besides else []),
        Text(),
        gate_table(decision, colours, past=past),
        Text(),
        written(asked, colours, Tone.DIM),
    )
