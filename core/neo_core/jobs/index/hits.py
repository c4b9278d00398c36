"""What a search says: the operator's words as a full-text query, and a match as one readable line."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from neo_core.errors import UsageError

_WIDTH = 160
_LEAD = 40


class Hit(NamedTuple):
    """One file that holds all the words; plain text without control characters, in no markup.

    ``path`` is relative to the workspace, ``line`` counts from 1, ``rank`` is larger for the better match.
    """

    path: str
    line: int
    snippet: str
    rank: float


def query_of(words: str) -> str:
    """Return the FTS5 query in which every word is meant literally, and all of them; raises ``UsageError``."""
    plain = words.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    wanted = [word for word in dict.fromkeys(plain.split()) if any(_searchable(char) for char in word)]
    if not wanted:
        raise UsageError("search", f"{words!r} holds no letter and no digit", "Give a word, like: dream graph.")
    return " AND ".join('"' + word.replace('"', '""') + '"' for word in wanted)


def hit_of(path: bytes, body: str, mark: str, rank: float) -> Hit:
    """Return the hit for a ``body`` in which ``mark`` stands before each match; none means the path matched."""
    at = body.find(mark)
    if at < 0:
        at = len(body) - len(body.lstrip())
    start = body.rfind("\n", 0, at) + 1
    end = body.find("\n", at)
    line = body[start : end if end >= 0 else len(body)].replace(mark, "")
    number = body.count("\n", 0, at) + 1
    return Hit(_plain(path.decode("utf-8", "replace")), number, _cropped(line, at - start), rank)


def _searchable(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def _cropped(line: str, at: int) -> str:
    start = max(0, at - _LEAD) if len(line) > _WIDTH else 0
    shown = _plain(line[start : start + _WIDTH])
    return ("…" if start else "") + shown + ("…" if start + _WIDTH < len(line) else "")


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
