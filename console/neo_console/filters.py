"""The filter of a table: words that must all occur, ``status:deferred`` and ``task:backup`` for whole columns."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Filterable(Protocol):
    """What a filter may ask of a row."""

    @property
    def words(self) -> str:
        """Everything that is written in the row, and more."""
        ...

    @property
    def task(self) -> str:
        """The task it belongs to."""
        ...

    @property
    def status(self) -> tuple[str, ...]:
        """The names of its status, as code and as word."""
        ...


class Filter(NamedTuple):
    """A parsed filter; the empty one matches everything. Case does not matter."""

    text: str = ""
    words: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    def matches(self, row: Filterable) -> bool:
        """Return whether the row passes: every word occurs, and the status and the task begin as asked."""
        written = row.words.casefold()
        return (
            all(word in written for word in self.words)
            and all(any(name.casefold().startswith(asked) for name in row.status) for asked in self.status)
            and all(row.task.casefold().startswith(asked) for asked in self.tasks)
        )


def parse_filter(text: str) -> Filter:
    """Return what ``text`` asks for; a key that is not ``status`` or ``task`` is a word like any other."""
    words: list[str] = []
    status: list[str] = []
    tasks: list[str] = []
    for part in text.casefold().split():
        key, colon, value = part.partition(":")
        if colon and key == "status":
            status.append(value)
        elif colon and key == "task":
            tasks.append(value)
        else:
            words.append(part)
    return Filter(" ".join(text.split()), tuple(words), tuple(status), tuple(tasks))
