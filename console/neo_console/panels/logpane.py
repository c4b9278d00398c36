"""One log with everything one does with it: follow, read back, search. The log page and the log panel both hold one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from textual.containers import Vertical

from neo_console.course import fitted
from neo_console.format import age, clock_time, plain, plural
from neo_console.logfeed import PART, LogFeed, LogOf, part_before, whole_lines
from neo_console.logsearch import Matcher, Scan, Search, scan_back
from neo_console.panels.base import Notice
from neo_console.panels.logbar import LogBar
from neo_console.panels.logview import LogView
from neo_console.panels.sentences import LOG, absence, sentence, silence
from neo_console.vocabulary import Seen
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from neo_console.app import NeoConsole
    from neo_console.logfeed import Part, Piece, Reader

T = TypeVar("T")
_AROUND = 32_768
_TYPED = 20  # cells that are kept for what is searched for while it is typed
_TELL_FOR = 60.0  # seconds that a cut log is spoken of


class LogPane(Vertical):
    """Shows one log; which one, its owner says."""

    def __init__(self, *, lines: str) -> None:
        super().__init__()
        self.view = LogView(id=lines)
        self.bar = LogBar(changed=self._search, closed=self._stop_typing)
        self.seen = Seen.LOADING
        self.search: Search | None = None
        self.feed = LogFeed()
        self._notice = Notice()
        self._read_at = 0.0
        self._cut_at = 0.0
        self._new = 0

    @property
    def console(self) -> NeoConsole:
        """The app, as what it is."""
        return cast("NeoConsole", self.app)

    def compose(self) -> ComposeResult:
        """Put the sentence above the lines, and what is told of them below."""
        yield self._notice
        yield self.view
        yield self.bar

    def aim(self, of: LogOf) -> bool:
        """Show another log; return whether it is another."""
        if not self.feed.aim(of):
            return False
        self.view.clear()
        self.stop_search()
        self._cut_at = self._new = 0
        return True

    def poll(self) -> None:
        """Read what was written since, and say how it stands."""
        console = self.console
        piece = self.feed.poll(console.engine)
        self.seen = piece.seen
        self._take(piece)
        error = plain(piece.error)
        if piece.gone:
            error = "The file was removed; what was read of it stays here."
        old = age(console.now() - self._read_at)
        said = sentence(LOG, piece.seen, console.look.keys, error=error, age=old)
        run, seen = console.picture.run(self.feed.of.name), piece.seen
        if piece.silent:
            said = silence(run, console.now())
        elif seen is Seen.UNKNOWN and (absent := absence(run)):
            said, seen = plain(absent), Seen.EMPTY
        self._notice.say(said, seen, console.colours)
        self._tell()

    def ask(self) -> None:
        """Let the operator type what to search for."""
        self.bar.open(self.search.matcher.text if self.search else "")
        self._tell()

    def step(self, by: int) -> bool:
        """Go to the next match, or to the previous; return whether anything is searched for."""
        if self.search is None:
            return False
        self._go_on(self.search.step(by))
        return True

    def stop_search(self) -> bool:
        """Search no longer; return whether anything was searched for."""
        was, self.search = self.search is not None, None
        self.view.highlight(None)
        self.bar.tell("")
        return was

    def on_log_view_moved(self, event: LogView.Moved) -> None:
        """Say whether the end is followed."""
        event.stop()
        self._tell()

    def on_log_view_at_edge(self, event: LogView.AtEdge) -> None:
        """Bring the part that is scrolled to."""
        event.stop()
        window = self.view.window
        if event.last and not window.attached:
            chunk = self._try(lambda read: read(window.end, PART))
            if chunk is not None and chunk.start == window.end:
                self.view.feed_below(chunk.raw, attached=chunk.end >= self.feed.end)
        elif not event.last and window.start > 0:
            part = self._try(lambda read: part_before(read, window.start))
            if part is not None:
                self.view.feed_above(part.start, part.raw)

    def on_log_view_go(self, event: LogView.Go) -> None:
        """Show the beginning of the log, or follow its end."""
        event.stop()
        view = self.view
        if event.last and not view.window.attached:
            self.feed.again()
            self.poll()
        elif event.last:
            view.scroll_end(animate=False, immediate=True)
        elif view.window.start > 0:
            self._show_from(0)
            view.scroll_home(animate=False, immediate=True)
        else:
            view.scroll_home(animate=False, immediate=True)

    def _take(self, piece: Piece) -> None:
        if piece.cut:
            self._cut_at = self.console.now()
        if piece.seen is Seen.OK:
            self._read_at = self.console.now()
        if piece.restart:
            text = self.search.matcher.text if self.search and piece.cut else ""
            self.view.show_part(piece.start, piece.raw, attached=True)
            self._new = 0
            if text:
                self._search(text)
        else:
            self.view.feed(piece.raw)
            self._new = 0 if self.view.following else self._new + piece.raw.count(b"\n")
            if piece.raw and self.search is not None:
                search, feed = self.search, self.feed
                self._try(lambda read: search.catch_up(read, feed.end, feed.line_start))

    def _stop_typing(self, keep: bool) -> None:
        """Go back to the lines, with the search or without."""
        if not keep:
            self.stop_search()
        self.screen.set_focus(self.view)
        self._tell()

    def _search(self, text: str) -> None:
        """Search as it is typed: first in what is at hand, then further back beside everything else."""
        view, feed = self.view, self.feed
        if not text:
            self.stop_search()
            self._tell()
            return
        anchor = self.search.current if self.search and self.search.current is not None else view.last_shown
        search = self.search = Search(Matcher(text), feed.line_start, feed.line_start)
        self._try(lambda read: search.catch_up(read, feed.end, feed.line_start))
        view.highlight(search.matcher)
        near = Search(search.matcher, 0, 0, [at for at, line in self._at_hand() if search.matcher.matches(line)])
        search.current = near.nearest(anchor)
        if search.current is not None:
            view.reveal(search.current)
        elif search.found:
            self._go_on(search.step(-1))
        else:
            search.wanted = -1
        self._scan(search)
        self._tell()

    def _at_hand(self) -> list[tuple[int, str]]:
        return list(zip(self.view.window.offsets, self.view.window.lines, strict=True))

    def _scan(self, search: Search) -> None:
        """Search a step further back, in the thread that may take its time."""
        if search.done:
            return
        feed, low, matcher = self.feed, search.low, search.matcher
        self.console.consult(
            lambda engine: scan_back(feed.reader(engine), low, matcher), partial(self._scanned, search)
        )

    def _scanned(self, search: Search, result: object, why: str) -> None:
        if search is not self.search or not self.is_attached:
            return
        if isinstance(result, Scan):
            search.take(result)
        else:
            search.broken, search.said = True, f"stopped: {plain(why)}"
        if search.wanted:
            self._go_on(search.step(search.wanted))
        self._scan(search)
        self._tell()

    def _go_on(self, offset: int | None) -> None:
        """Show the match that begins at that byte, bringing its part of the log if need be."""
        if offset is not None and not self.view.reveal(offset):
            self._show_from(max(0, offset - _AROUND))
            self.view.reveal(offset)
        self._tell()

    def _show_from(self, start: int) -> None:
        part = self._try(lambda read: _part_from(read, start))
        if part is not None:
            self.view.show_part(part.start, part.raw, attached=False)

    def _try(self, work: Callable[[Reader], T]) -> T | None:
        try:
            return work(self.feed.reader(self.console.engine()))
        except NeoError:  # the next poll says so
            return None

    def _tell(self) -> None:
        parts = [part for part in (*self._told_of_search(), *self._told_of_file()) if part]
        room = self.content_size.width - (_TYPED if self.bar.typing else 2)
        self.bar.tell(fitted(parts, max(1, room)))

    def _told_of_search(self) -> tuple[str, ...]:
        search, key = self.search, self.console.keymap.key
        if search is None:
            return ()
        named = "" if self.bar.typing else f"/{plain(search.matcher.text)}"
        count = search.count()
        told = " ".join(part for part in (named, f"{count}, {search.said}" if search.said else count) if part)
        ways = (f"{key('next-match')} next", f"{key('previous-match')} previous", "esc ends")
        return (told, "enter keeps", "esc ends") if self.bar.typing else (told, *(ways if search.found else ways[2:]))

    def _told_of_file(self) -> tuple[str, ...]:
        console, view = self.console, self.view
        told = []
        if self._cut_at and console.now() - self._cut_at < _TELL_FOR:
            told.append(f"cut or replaced at {clock_time(self._cut_at)}, this is its new beginning")
        if len(view.window) and not view.following:
            new = f", {plural(self._new, 'new line')}" if self._new else ""
            told.append(f"not following{new}")
            told.append(f"{console.keymap.key('bottom')} follows")
        return tuple(told)


def _part_from(read: Reader, start: int) -> Part:
    chunk = read(start, PART)
    return whole_lines(chunk.start, chunk.raw)
