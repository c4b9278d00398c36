"""The filter of a table: words, quoted text, fields, comparisons, and what is not wanted; a mistake is said."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from neo_core.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from neo_console.rows.model import About

GRAMMAR = (
    ("backup held", "rows that have every word, in any column; upper and lower case are the same"),
    ('"two words"', "exactly this text; also for what looks like a field"),
    ("status:failed", "the status begins so: failed, deferred, running, waiting, …"),
    ("task:backup", "the task, or the service, begins so"),
    ("reason:lease", "the reason has this text"),
    ("owner:dream", "who owns the process, or holds what the task waits for"),
    ("took:>5m", "how long it took or has lasted: < <= > >= and 30s, 5m, 1h30m"),
    ("mem:>1g", "its memory: < <= > >= and 512k, 200m, 1.5g"),
    ("-task:backup", "not so; before a word, a quote or a field"),
)
FIELDS = ("status", "task", "reason", "owner", "took", "mem")
_ALLOWED = " ".join(f"{field}:" for field in FIELDS)
_TOKEN = re.compile(r'(?P<no>-?)(?:(?P<key>[A-Za-z][\w-]*):)?(?P<value>"[^"]*"?|\S*)')
_BETWEEN = re.compile(r"\s+")
_COMPARISON = re.compile(r"(<=|>=|<|>)(.+)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([bkmgt])(?:i?b)?", re.ASCII)
_SIZES = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_MOST_NAMED = 12


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


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

    @property
    def about(self) -> About:
        """What can be asked for by name."""
        ...


class Term(NamedTuple):
    """One part of a filter: ``field`` is empty for text anywhere, ``sign`` is the comparison, if it is one.

    An unknown value is on no side of a limit.
    """

    field: str
    value: str
    unwanted: bool = False
    sign: str = ""
    limit: float = 0.0

    def matches(self, row: Filterable) -> bool:
        """Return whether the row is as asked, or is not where it is unwanted."""
        return self._holds(row) is not self.unwanted

    def _holds(self, row: Filterable) -> bool:
        if self.sign:
            value = row.about.took if self.field == "took" else row.about.mem
            return value is not None and _COMPARE[self.sign](value, self.limit)
        if self.field in _BEGINS:
            return any(name.casefold().startswith(self.value) for name in _BEGINS[self.field](row))
        return self.value in (row.about.reason if self.field == "reason" else row.words).casefold()


_BEGINS: Mapping[str, Callable[[Filterable], tuple[str, ...]]] = {
    "status": lambda row: row.status,
    "task": lambda row: (row.task,),
    "owner": lambda row: (row.about.owner,),
}


class Filter(NamedTuple):
    """A parsed filter; the empty one matches everything. What is wrong in it is the ``mistake``, and left out."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    mistake: str = ""

    def matches(self, row: Filterable) -> bool:
        """Return whether the row passes every part."""
        return all(term.matches(row) for term in self.terms)


def parse_filter(text: str, statuses: Collection[str] = ()) -> Filter:
    """Return what ``text`` asks for. ``statuses`` are the names that a status can have here, when they are known."""
    terms: list[Term] = []
    mistakes: list[str] = []
    for no, key, value in _tokens(text):
        try:
            terms.append(_term(key.casefold(), value.casefold(), bool(no), statuses))
        except ValueError as wrong:
            mistakes.append(str(wrong))
    return Filter(_BETWEEN.sub(" ", text.strip()), tuple(terms), mistakes[0] if mistakes else "")


def _tokens(text: str) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            at += 1
            continue
        found.append((match["no"], match["key"] or "", match["value"]))
        at = match.end()
    return found


def _term(key: str, value: str, unwanted: bool, statuses: Collection[str]) -> Term:
    """Return one part; raises ``ValueError`` that says what is wrong and what is allowed."""
    if key and key not in FIELDS:
        raise ValueError(f'no field {key}: — fields are {_ALLOWED} — for text write "{key}:{value.strip(chr(34))}"')
    shown = f"{key}:" if key else "-" if unwanted else '"'
    if value.startswith('"') and (len(value) == 1 or not value.endswith('"')):
        raise ValueError(f'the quote is open: {shown if key else ""}{value}"')
    bare = value[1:-1] if value.startswith('"') else value
    if not bare:
        raise ValueError(f"{shown} needs something after it, like {_example(key, unwanted=unwanted)}")
    if key in ("took", "mem"):
        return _comparison(key, bare, unwanted)
    if key == "status" and statuses and not any(name.casefold().startswith(bare) for name in statuses):
        known = sorted({name for name in statuses if name})
        more = ", …" if len(known) > _MOST_NAMED else ""
        raise ValueError(f"no status begins with {bare}: {', '.join(known[:_MOST_NAMED])}{more}")
    return Term(key, bare, unwanted)


def _comparison(key: str, value: str, unwanted: bool) -> Term:
    match = _COMPARISON.fullmatch(value)
    if match is None:
        raise ValueError(f"{key}: compares with < <= > >=, like {_example(key)}")
    try:
        limit = float(parse_duration(match[2])) if key == "took" else _size(match[2])
    except ValueError:
        what = "a duration like 30s, 5m, 1h30m" if key == "took" else "a size like 512k, 200m, 1.5g"
        raise ValueError(f"{key}:{match[1]} needs {what}, not {match[2]}") from None
    return Term(key, value, unwanted, match[1], limit)


def _size(text: str) -> float:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return float(match[1]) * _SIZES[match[2]]


def _example(key: str, *, unwanted: bool = False) -> str:
    if not key:
        return "-word" if unwanted else '"two words"'
    return next(example for example, _ in GRAMMAR if example.startswith(f"{key}:"))
