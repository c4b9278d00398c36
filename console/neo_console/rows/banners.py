"""What must be read before anything else: a line each, the worst first; the first word of each is its badge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neo_console.format import age, moment, plain
from neo_console.rows.strip import TROUBLED_KEEPER, TROUBLED_LEASE, Flags, Part
from neo_console.vocabulary import COLLISION, CONFIG, HEAVY, PAUSED, Seen, Tone, term
from neo_core.snapshot import LeaseLight, OrchestratorState

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.ledger.models import Control

Key = Callable[[str], str]
_TELL_LOSS_FOR = 300.0  # seconds


def banners(picture: Picture, now: float, flags: Flags, key: Key, *, short: bool = False) -> list[Part]:
    """Return every banner; ``key`` names the key of an action. Where lines are ``short`` the first words are few."""
    return [
        *_collisions(picture, now),
        *_state(picture, now),
        *_stale(picture, now),
        *_config(picture),
        *_lease(picture, now, flags, key, short=short),
        *pause_banner(picture, now, flags, key),
        *_orchestrator(picture, now, flags, key, short=short),
        *_read_only(flags),
    ]


def pause_banner(picture: Picture, now: float, flags: Flags, key: Key) -> list[Part]:
    """Return the banners of the pause, and of what defers everything heavy; they stand on every surface."""
    pause, heavy = picture.pause(), picture.heavy_deferral()
    lines: list[Part] = []
    if pause is not None:
        said = _held(pause, "no task starts", "paused", now)
        lines.append(_line(str(PAUSED), said + ("" if flags.read_only else f"; {key('pause')} ends it"), PAUSED.tone))
    if heavy is not None:
        said = _held(heavy, "nothing heavy starts", "deferred", now)
        lines.append(_line(str(HEAVY), said + ("" if flags.read_only else f"; {key('relief')} ends it"), HEAVY.tone))
    return lines


def _held(control: Control, what: str, how: str, now: float) -> str:
    until = f" until {moment(control.until, now)}" if control.until is not None else ""
    who = plain(control.requested_by) or "an operator"
    because = plain(control.because) or "no reason given"
    return f"{what}{until}: {because} — {how} by {who} at {moment(control.created_at, now)}"


def _line(flag: str, text: str, tone: Tone) -> Part:
    badge, _, word = flag.partition(" ")
    return Part(f"{badge} {word.upper()}  {text}", tone)


def _collisions(picture: Picture, now: float) -> list[Part]:
    found = picture.collisions(now).value or ()
    return [_line(str(COLLISION), plain(one.sentence), COLLISION.tone) for one in found[:1]]


def _state(picture: Picture, now: float) -> list[Part]:
    lost_at = picture.snapshot.state_lost_at if picture.snapshot else 0.0
    if not lost_at or now - lost_at > _TELL_LOSS_FOR:
        return []
    text = f"the state folder was removed, emptied or replaced at {moment(lost_at, now)}; history and logs went with it"
    ends = f"this line goes by itself at {moment(lost_at + _TELL_LOSS_FOR, now)}"
    then = f"heavy runs write themselves down anew within seconds, and nothing heavy starts before; {ends}"
    return [_line(f"{COLLISION.badge} state", f"{text}: {then}", Tone.FAIL)]


def _stale(picture: Picture, now: float) -> list[Part]:
    stale = picture.stale_for(now)
    if stale is None:
        return []
    shown = term(Seen.STALE)
    why = picture.failure or "the collector has not answered since"
    return [_line(str(shown), f"this picture is {age(stale)} old: {plain(why)}", shown.tone)]


def _config(picture: Picture) -> list[Part]:
    if not picture.config_error:
        return []
    return [_line(str(CONFIG), f"not in force: {plain(picture.config_error)}", CONFIG.tone)]


def _lease(picture: Picture, now: float, flags: Flags, key: Key, *, short: bool) -> list[Part]:
    lease = picture.lease(now).value
    if lease is None or lease.light not in TROUBLED_LEASE:
        return []
    shown = term(lease.light)
    here = lease.light is LeaseLight.ORPHANED and not flags.read_only and not short
    by_key = f", or {key('stop')} on its row in the processes" if here else ""
    mend = f" — {lease.mend}{by_key}" if lease.mend else ""
    return [_line(f"{shown.badge} lease", f"{plain(lease.sentence)}{plain(mend)}", shown.tone)]


def _orchestrator(picture: Picture, now: float, flags: Flags, key: Key, *, short: bool) -> list[Part]:
    keeper = picture.orchestrator(now).value
    if keeper is None:
        return []
    lives = keeper.state in (OrchestratorState.RUNNING, OrchestratorState.SILENT)
    if keeper.config_error and lives and not picture.config_error:
        text = f"it goes on with an older configuration: {plain(keeper.config_error)}"
        return [_line(f"{CONFIG.badge} orch", text, CONFIG.tone)]
    if keeper.state not in TROUBLED_KEEPER:
        return []
    shown = term(keeper.state)
    new = keeper.state is OrchestratorState.STOPPED and picture.outcomes(now).seen is Seen.EMPTY
    if new and not flags.read_only:
        return [_line(f"{shown.badge} new", _few_words(key) if short else _first_words(key), Tone.WAIT)]
    offer = keeper.state is not OrchestratorState.SILENT and not flags.read_only
    way_out = f" — {key('orchestrator')} starts it" if offer else ""
    tone = Tone.WAIT if keeper.state is OrchestratorState.STOPPED else shown.tone
    return [_line(f"{shown.badge} orch", f"{plain(keeper.sentence)}{way_out}", tone)]


def _first_words(key: Key) -> str:
    """Return what this is, what would run, and what starts it, for a workspace in which nothing has run yet."""
    return (
        "nothing has run here yet. These tasks keep the workspace, one heavy one at a time: "
        f"{key('trigger')} starts the selected one after a preview, {key('orchestrator')} the orchestrator, which then "
        f"starts what is due; neo-console init writes the settings, {key('help')} lists the keys"
    )


def _few_words(key: Key) -> str:
    return (
        f"nothing has run here yet. {key('trigger')} starts the selected task after a preview, "
        f"{key('orchestrator')} the orchestrator; {key('help')} lists the keys"
    )


def _read_only(flags: Flags) -> list[Part]:
    if not flags.read_only:
        return []
    return [_line(f"{PAUSED.badge} ro", f"nothing can be changed from here: {plain(flags.read_only)}", Tone.WAIT)]
