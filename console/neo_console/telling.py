"""Telling the operator: the line of the last result, refusals that hold no longer, how a start from here went on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import plain, took
from neo_console.results import STAYS, Journal, Result
from neo_console.rows.outcomes import reason_of
from neo_console.vocabulary import Tone, outcome_term

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_console.app import NeoConsole
    from neo_console.availability import Predicate
    from neo_console.context import Blocked, Context
    from neo_core.ledger.models import Run


class Telling:
    """Keeps this session's results and shows the latest below the main screen and the pages over it."""

    def __init__(self, app: NeoConsole) -> None:
        self.journal = Journal()
        self._app = app
        self._started: dict[str, float] = {}

    def report(self, text: str, tone: Tone, still: Callable[[], bool] | None = None) -> None:
        """Tell a result and keep it; a refusal goes when ``still`` says that it does not hold any more."""
        result = Result(self._app.now(), plain(text), tone, still)
        self.journal.add(result)
        self._show(result)

    def say(self, text: str, tone: Tone) -> None:
        """Say something that is no result."""
        self._show(Result(self._app.now(), plain(text), tone))

    def refuse(self, blocked: Blocked, enabled: Predicate, context: Context) -> None:
        """Tell why an action cannot act, for as long as ``enabled`` blocks it for the same reason.

        It is judged for what was selected at the keypress; where that was nothing, for what is selected by then.
        """
        app, asked_at = self._app, self._app.now()

        def still() -> bool:
            snapshot = app.picture.snapshot
            if snapshot is not None and snapshot.at < asked_at:  # it cannot know better
                return context.subject is not None or _same(enabled(app.context()))
            if context.subject is None:
                return _same(enabled(app.context()))
            return _same(enabled(context._replace(read_only=app.read_only, write_again=app.write_again)))

        def _same(found: Blocked | None) -> bool:
            return found is not None and found.reason == blocked.reason

        self.report(str(blocked), Tone.WAIT, still)

    def review(self) -> None:
        """Take away what does not hold any more."""
        app = self._app
        for screen in app.screen_stack:
            if (line := getattr(screen, "result", None)) is not None:
                line.expire(app.now())

    def follow(self, run_id: str) -> None:
        """Tell how that run ends if it does while the line of its start stands."""
        self._started[run_id] = self._app.now() + STAYS

    def follow_up(self) -> None:
        """Tell of the runs that were just started from here which of them have ended, as the new picture has them."""
        now = self._app.now()
        for run_id, until in tuple(self._started.items()):
            run = self._app.picture.run(run_id)
            ended = run is not None and not run.live
            if ended or now >= until:
                del self._started[run_id]
            if run is not None and ended:
                self._tell_end(run)

    def _tell_end(self, run: Run) -> None:
        key, tone = self._app.keymap.key, outcome_term(run.outcome).tone
        self.report(f"{how_it_ended(run)} — {key('log')} shows its log, {key('detail')} tells why", tone)

    def _show(self, result: Result) -> None:
        """Let a line stand for a while; a dialog is not covered by it."""
        self._app.main.show_result(result)
        for screen in self._app.screen_stack[1:]:
            if (show := getattr(screen, "show_result", None)) is not None:
                show(result)


def how_it_ended(run: Run) -> str:
    """Return how a run ended, in one line: its outcome, how long it took, and the reason."""
    after = f" after {took(run.took)}" if run.took is not None else ""
    reason = reason_of(run)
    return f"{plain(run.task)} {outcome_term(run.outcome).word}{after}{f': {reason}' if reason else ''}"
