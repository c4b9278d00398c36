"""Move through the recorded memory: the collector's thread reads a part of the record, the panel's cursor walks in it.

Keys that come while a part is read are added up and done when it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from neo_console.cursor import LONG, MARGIN, Cursor
from neo_console.dialogs.when import MomentForm
from neo_console.format import age, exactly
from neo_console.panels.sentences import MEMORY
from neo_console.screens.moment import MomentPage, PresentPage
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_console.app import NeoConsole
    from neo_console.ports import EngineLike
    from neo_core.recorder.past import Past


def move(app: NeoConsole, by: int) -> None:
    """Go so many samples on, or back when negative; on from the newest is now again."""
    panel = app.main.memory
    if app.main.current is not panel:
        key = app.keymap.key("panel-4")
        said = f"only the memory panel goes back in time — press {key} for it first"
        app.report(said, Tone.WAIT, still=lambda: app.main.current is not panel)
        return
    panel.steps += by
    if not panel.reading:
        _walk(app)


def to_end(app: NeoConsole, *, last: bool) -> None:
    """Go to the first row or the last; in the memory to the oldest sample that is kept, or to now."""
    panel = app.main.memory
    if app.main.current is not panel:
        app.main.current.body.move_to_end(last=last)
    elif last:
        _to_present(app)
    elif not panel.reading:
        _read(app, _oldest, lambda _past: 0)


def present(app: NeoConsole) -> None:
    """Show the memory as it is now again."""
    if not _to_present(app):
        app.report("this is now already", Tone.PLAIN)


def ask(app: NeoConsole) -> None:
    """Ask for a time and show the memory of then; the panel is entered for it."""
    app.push_screen(MomentForm(), lambda at: None if at is None else go_to(app, at))


def go_to(app: NeoConsole, at: float) -> None:
    """Show the sample that is nearest to ``at``, and say how far from it that is where nothing is nearer."""
    app.main.go(MEMORY)
    panel = app.main.memory
    panel.steps = 0

    def place(past: Past) -> int:
        times = [one.reading.at for one in past.samples]
        nearest = min(range(len(times)), key=lambda index: abs(times[index] - at))
        apart = abs(times[nearest] - at)
        if apart > past.near:
            asked, found = exactly(at, app.now()), exactly(times[nearest], app.now())
            app.report(
                f"nothing was recorded near {asked}; the nearest sample is {found}, {age(apart)} away", Tone.WAIT
            )
        return nearest

    _read(app, lambda engine: _near(engine, at), place)


def closer(app: NeoConsole) -> bool:
    """Open everything known of the moment that the memory panel shows, the present too; return whether it is there."""
    panel = app.main.memory
    if app.main.current is not panel:
        return False
    if panel.reading is not None:
        panel.opening = True
    elif panel.cursor is not None:
        app.push_screen(MomentPage(panel.cursor.then))
    else:
        page = PresentPage()
        app.push_screen(page)
        app.consult(lambda engine: engine.memory_now(), page.take)
    return True


def _walk(app: NeoConsole) -> None:
    """Make the steps that were asked for, as far as the part of the record reaches that is there."""
    panel = app.main.memory
    cursor, steps, panel.steps = panel.cursor, panel.steps, 0
    if not steps:
        return
    if cursor is None:
        _begin(app, steps)
        return
    past, index = cursor.past, cursor.place + steps
    if 0 <= index < len(past.samples):
        _look_back(app, Cursor(past, index))
    elif index >= 0:
        newest = past.samples[-1].reading.at
        panel.steps = index - len(past.samples)
        _read(app, lambda engine: _onward(engine, newest), lambda found: _after(found, newest))
    elif past.before is not None:
        earlier = past.before
        panel.steps = index + 1
        _read(app, lambda engine: _around(engine, earlier + MARGIN), lambda found: _upto(found, earlier))
    else:
        _look_back(app, Cursor(past, 0))
        oldest = exactly(past.samples[0].reading.at, app.now())
        shown = panel.cursor
        said = f"nothing older is kept: the record begins {oldest}"
        app.report(said, Tone.WAIT, still=lambda: panel.cursor is shown)


def _begin(app: NeoConsole, steps: int) -> None:
    if steps > 0:
        app.report(f"this is now — {app.keymap.key('earlier')} goes back in time", Tone.PLAIN)
        return
    app.main.memory.steps = steps + 1
    now = app.now()
    _read(app, lambda engine: _latest(engine, now), lambda found: len(found.samples) - 1)


def _read(app: NeoConsole, read: Callable[[EngineLike], Past], place: Callable[[Past], int]) -> None:
    """Have a part of the record read and put the cursor to the sample that ``place`` says; none there is now."""
    panel = app.main.memory
    asked = panel.reading = object()

    def told(result: object, why: str) -> None:
        if panel.reading is not asked:  # the operator has gone back to now
            return
        panel.reading = None
        opening, panel.opening = panel.opening, False
        if why:
            panel.steps = 0
            app.report(f"the record of the memory was not read. {why}", Tone.FAIL)
            return
        past = cast("Past", result)
        if not past.samples:
            panel.steps = 0
            app.report("no sample of the memory is recorded yet", Tone.WAIT, still=lambda: not _recorded(app))
        elif (index := place(past)) >= len(past.samples):
            _to_present(app)
        else:
            _look_back(app, Cursor(past, index))
            _walk(app)
        if opening and past.samples and app.screen is app.main:
            closer(app)  # of what was asked for when it was pressed

    app.consult(read, told)


def _look_back(app: NeoConsole, cursor: Cursor) -> None:
    app.main.memory.look_back(cursor, app.now(), app.look)
    app.main.refresh_picture()


def _to_present(app: NeoConsole) -> bool:
    """Show what is known now; return whether the past was shown."""
    shown = app.main.memory.to_present()
    app.main.refresh_picture()
    return shown


def _recorded(app: NeoConsole) -> bool:
    """Return whether the latest course has a sample."""
    course = app.picture.course(app.now()).value
    return course is not None and bool(course.samples)


def _latest(engine: EngineLike, now: float) -> Past:
    """Return the last part of the record, also when nobody has recorded for long."""
    past = engine.memory_past(now - LONG, now)
    if past.samples or past.before is None:
        return past
    return _around(engine, past.before + MARGIN)


def _oldest(engine: EngineLike) -> Past:
    past = engine.memory_past(0.0, 0.0)
    return past if past.oldest is None else engine.memory_past(past.oldest, past.oldest + LONG)


def _around(engine: EngineLike, end: float) -> Past:
    return engine.memory_past(end - LONG, end)


def _near(engine: EngineLike, at: float) -> Past:
    """Return a part of the record that has the sample nearest to ``at``."""
    past = _around(engine, at + MARGIN)
    known = [one.reading.at for one in past.samples] + [one for one in (past.before, past.after) if one is not None]
    nearest = min(known, key=lambda one: abs(one - at), default=at)
    return past if past.begin <= nearest <= past.end else _around(engine, nearest + MARGIN)


def _onward(engine: EngineLike, at: float) -> Past:
    """Return a part of the record that has the first sample after ``at``, if there is one."""
    past = _around(engine, at + LONG - MARGIN)
    if past.samples and past.samples[-1].reading.at <= at and past.after is not None:
        return _around(engine, past.after + LONG - MARGIN)
    return past


def _upto(past: Past, at: float) -> int:
    """Return the last sample up to ``at``."""
    return max(0, sum(one.reading.at <= at for one in past.samples) - 1)


def _after(past: Past, at: float) -> int:
    """Return the first sample after ``at``; their number where there is none."""
    return sum(one.reading.at <= at for one in past.samples)
