"""A run's log as people read it while it grows: without what its last line, which we write, says again. Pure."""

from __future__ import annotations

import msgspec

_RESULT_KEYS = frozenset({"deferred", "outcome", "skipped"})
_LINES_AFTER = 10  # as far from the end of the log as the runner looks for the result


class RunLog:
    """Passes on the lines of one log; a job's result line is held back, and left out at the end if it was the last.

    ``whole`` leaves out nothing, for who reads the log by a program.
    """

    def __init__(self, run_id: str, *, whole: bool) -> None:
        self._ending = f"] [INFO] Run {run_id} of "
        self._whole = whole
        self._part = ""
        self._result = ""
        self._after: list[str] = []

    def feed(self, text: str) -> str:
        """Return what can be printed now that ``text`` was written."""
        if self._whole:
            return text
        lines = (self._part + text).splitlines(keepends=True)
        self._part = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        ready = "".join(self._line(line) for line in lines)
        if self._part and not self._result and not self._part.startswith(("{", "[")):
            ready, self._part = ready + self._part, ""
        return ready

    def finish(self, *, told: bool) -> str:
        """Return what is left to print once the log has ended; without the result where that is ``told`` elsewhere."""
        if told and _is_result(self._part):
            self._part = ""
        left = ("" if told else self._result) + "".join(self._after) + self._part
        self._part, self._result, self._after = "", "", []
        return left

    def _line(self, line: str) -> str:
        if self._ending in line:
            return ""
        if _is_result(line):
            ready = self._flush()
            self._result = line
            return ready
        if not self._result:
            return line
        self._after.append(line)
        return self._flush() if len(self._after) >= _LINES_AFTER else ""

    def _flush(self) -> str:
        """What was held back is no result after all: more follows it than a result is followed by."""
        ready = self._result + "".join(self._after)
        self._result, self._after = "", []
        return ready


def _is_result(line: str) -> bool:
    """Return whether the line is one JSON object that says how a job ended."""
    if not line.startswith("{"):
        return False
    try:
        told = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return False
    return not _RESULT_KEYS.isdisjoint(told)
