"""The one background thread: it collects snapshots, does what takes long, and tells both.

It touches no widget and never ends the console. Only a call to a server that may hang gets a thread of its own. It
begins before the console is loaded, and therefore knows nothing of Textual.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from neo_core.errors import NeoError
from neo_core.snapshot import Section

if TYPE_CHECKING:
    from neo_console.ports import Connect, EngineLike
    from neo_core.recorder.course import Course
    from neo_core.snapshot import Snapshot

Work = Callable[[], object]
Then = Callable[[object, str], None]
_DUTY = 4.0
_SLOWEST = 10.0
_COURSE_EVERY = 5.0  # seconds
_COURSE_LONG, _COURSE_STEP = 1800.0, 10.0


class Collected(NamedTuple):
    """A new picture of everything, and how the memory went, when that was read again."""

    snapshot: Snapshot
    course: Section[Course] | None = None


class CollectFailed(NamedTuple):
    """A collection failed; what was known before is stale."""

    why: str


class Answered(NamedTuple):
    """Work that was asked for is done: its result, or why it failed; ``then`` takes both on the UI thread."""

    result: object
    why: str
    then: Then


Found = Collected | CollectFailed | Answered


class Collector:
    """Collects every ``every`` seconds, slower when collecting itself is slow, until it is stopped.

    Work that may block is done between two collections.
    """

    def __init__(self, connect: Connect, *, every: float) -> None:
        self._connect = connect
        self._hear: Callable[[Found], object] | None = None
        self._every = every
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._rests = False
        self._heard = threading.Event()
        self._engine: EngineLike | None = None
        self._shown = False
        self._course_at = 0.0
        self._asked: SimpleQueue[tuple[Work, Then]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    @property
    def resting(self) -> bool:
        """Whether nothing is being collected, and nothing is asked for."""
        return self._rests and self._asked.empty() and not self._wake.is_set()

    def start(self) -> None:
        """Begin, at once; what is found waits until somebody listens."""
        if not self._thread.ident:
            self._thread.start()

    def listen(self, hear: Callable[[Found], object]) -> None:
        """Let ``hear`` know, on the thread of the collector, what was found, and everything from now on."""
        self._hear = hear
        self._heard.set()
        self.start()

    def nudge(self) -> None:
        """Collect now instead of when it is time."""
        self._wake.set()

    def consult(self, work: Callable[[EngineLike], object], then: Then) -> None:
        """Do ``work`` soon with the engine of this thread: for what may be much to read."""
        self.ask(lambda: work(self._own_engine()), then)

    def ask(self, work: Work, then: Then) -> None:
        """Do ``work`` soon and hand its result, or why it failed, to ``then``."""
        self._asked.put((work, then))
        self._wake.set()

    def aside(self, work: Callable[[EngineLike], object], then: Then) -> None:
        """Do ``work`` at once, with an engine and a thread of its own that ends with it: for a server that may hang."""
        one = threading.Thread(target=self._do, args=(lambda: work(self._connect()), then), name="aside", daemon=True)
        one.start()

    def stop(self) -> None:
        """Let the thread end when it can; nobody waits for it."""
        self._stop.set()
        self._wake.set()
        self._heard.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            if not (self._work() and self._tell(self._collect())):
                return
            self._rests = True
            self._wake.wait(pause_after(time.monotonic() - began, self._every))
            self._rests = False
            self._wake.clear()

    def _tell(self, found: Found) -> bool:
        """Tell it once somebody listens; return whether anybody does still."""
        self._heard.wait()
        if self._stop.is_set() or self._hear is None:
            return False
        try:
            self._hear(found)
        except RuntimeError:  # the loop is closed
            return False
        return True

    def _work(self) -> bool:
        """Do what was asked for; return whether anybody listens still."""
        while not self._asked.empty():
            if not self._do(*self._asked.get()):
                return False
        return True

    def _do(self, work: Work, then: Then) -> bool:
        try:
            answer = Answered(work(), "", then)
        except Exception as error:  # noqa: BLE001 - whatever it is, the console shows it and goes on
            answer = Answered(None, str(error) or type(error).__name__, then)
        return self._tell(answer)

    def _collect(self) -> Found:
        try:
            engine = self._own_engine()
            engine.reconfigure_if_changed()
            if self._shown:  # the first picture waits for nothing that it does not show
                engine.record_memory()
            snapshot = engine.snapshot()
            self._shown = True
            return Collected(snapshot, self._course(engine, snapshot.at))
        except Exception as error:  # noqa: BLE001 - whatever it is, the console shows it and goes on
            return CollectFailed(str(error) or type(error).__name__)

    def _own_engine(self) -> EngineLike:
        """Return the engine of this thread."""
        if self._engine is None:
            self._engine = self._connect()
        return self._engine

    def _course(self, engine: EngineLike, at: float) -> Section[Course] | None:
        """Return how the memory went, every few seconds: it is more to read than the rest, and changes slower."""
        if time.monotonic() < self._course_at:
            return None
        self._course_at = time.monotonic() + _COURSE_EVERY
        try:
            return Section(at=at, value=engine.memory_course(_COURSE_LONG, _COURSE_STEP))
        except NeoError as error:
            return Section(at=at, error=str(error))


def pause_after(took: float, every: float) -> float:
    """Return how long to rest after a collection that took so long: at most a fifth of the time is spent collecting."""
    return max(every - took, min(_DUTY * took, _SLOWEST), 0.0)
