"""Brings the index up to what the files say, in batches of which each is true by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.jobs.index.changes import Change, Drop, Entry, Put, Touch
from neo_core.jobs.index.text import Skip, Stamp, look, read_text

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.jobs.index.database import Index
    from neo_core.jobs.index.files import Found
    from neo_core.workspace import Workspace

_BATCH_FILES = 64
_BATCH_CHARACTERS = 4_000_000


class Update:
    """One pass over the files; the counts say what it found."""

    def __init__(self, index: Index, workspace: Workspace, *, max_file_bytes: int, clock: Clock) -> None:
        self._index = index
        self._root = os.fsencode(workspace.root)
        self._limit = max_file_bytes
        self._clock = clock
        self._batch: list[Change] = []
        self._characters = 0
        self.added = self.updated = self.removed = self.unchanged = self.binary = self.too_large = 0
        self.unreadable: list[bytes] = []

    def run(self, found: Found) -> None:
        """Index what is new, rewrite what differs, remove what vanished; raises ``JobError``."""
        self.unreadable.extend(found.unreadable)
        known = self._index.entries()
        for path in found.paths:
            self._one(path, known.pop(path, None))
        for path in known:
            self._drop(path)
        self._write()

    @property
    def skipped(self) -> int:
        """How many files have no text to index, for whatever reason."""
        return self.binary + self.too_large + len(self.unreadable)

    def _one(self, path: bytes, entry: Entry | None) -> None:
        # Taken before looking: what changes while we read must seem newer than this.
        seen_ns = int(self._clock.now() * 1e9)
        stamp = look(self._root + b"/" + path)
        if isinstance(stamp, Stamp) and stamp.size > self._limit:
            stamp = Skip.TOO_LARGE
        if isinstance(stamp, Skip):
            self._leave_out(path, stamp, entry)
        elif entry is not None and entry.stamp == stamp and stamp.settled(entry.seen_ns):
            self.unchanged += 1
        else:
            self._read(path, entry, seen_ns)

    def _read(self, path: bytes, entry: Entry | None, seen_ns: int) -> None:
        text = read_text(self._root + b"/" + path, self._limit)
        if isinstance(text, Skip):
            self._leave_out(path, text, entry)
        elif entry is None:
            self.added += 1
            self._add(Put(path, text, seen_ns), len(text.body))
        elif entry.digest != text.digest:
            self.updated += 1
            self._add(Put(path, text, seen_ns), len(text.body))
        else:
            self.unchanged += 1
            self._add(Touch(path, Entry(text.stamp, seen_ns, text.digest)))

    def _leave_out(self, path: bytes, why: Skip, entry: Entry | None) -> None:
        if why is Skip.BINARY:
            self.binary += 1
        elif why is Skip.TOO_LARGE:
            self.too_large += 1
        elif why is Skip.UNREADABLE:
            self.unreadable.append(path)
        if entry is not None:
            self._drop(path)

    def _drop(self, path: bytes) -> None:
        self.removed += 1
        self._add(Drop(path))

    def _add(self, change: Change, characters: int = 0) -> None:
        self._batch.append(change)
        self._characters += characters
        if len(self._batch) >= _BATCH_FILES or self._characters >= _BATCH_CHARACTERS:
            self._write()

    def _write(self) -> None:
        if self._batch:
            self._index.apply(self._batch)
        self._batch = []
        self._characters = 0
