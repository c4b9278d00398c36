"""Probes over a non-blocking socket: a TCP connection, or the status line of an HTTP GET."""

from __future__ import annotations

import errno
import os
import select
import socket
from typing import TYPE_CHECKING

from neo_core.errors import describe_os_error
from neo_core.services.probe import ProbeResult

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK)
_LONGEST_LINE = 1024
_LONGEST_ANSWER = 65_536
_DRAIN = 0.2  # seconds for the rest of an answer: a server whose client is gone fills its log with broken pipes

Address = tuple[socket.AddressFamily, str]


def addresses_of(host: str, port: int) -> Sequence[Address]:
    """Return what ``host`` may mean, each to be tried; ``localhost`` is both, whatever the machine's tables say.

    Raises ``OSError`` for a name that means nothing.
    """
    if host in ("localhost", ""):
        return ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
    # As bytes: a text would load the codecs of international names.
    name = host.strip("[]").encode("ascii", "replace")
    found: list[Address] = []
    for family, _, _, _, address in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM):
        one = (family, str(address[0]))
        if family in (socket.AF_INET, socket.AF_INET6) and one not in found:
            found.append(one)
    return found


class NetProbe:
    """One connection to ``host``:``port``; with ``path`` also a GET, well below status 400. Tries every address."""

    def __init__(self, host: str, port: int, path: str | None, deadline: float) -> None:
        self._host, self._port, self._path = host, port, path
        self._deadline = deadline
        self._left: list[Address] = []
        self._socket: socket.socket | None = None
        self._connected = False
        self._unsent = b""
        self._answer = b""
        self._result: ProbeResult | None = None
        self._drain_until = deadline
        self._failure = ""
        try:
            self._left = list(addresses_of(host, port))
        except OSError as error:
            self._failure = f"{host} means no address: {describe_os_error(error)}"

    def fileno(self) -> int | None:
        """Return the socket's descriptor."""
        return self._socket.fileno() if self._socket is not None else None

    def wants_write(self) -> bool:
        """Return whether the connection or the question is still under way."""
        return not self._connected or bool(self._unsent)

    def wakes_at(self) -> float:
        """Return when patience ends."""
        return self._deadline if self._result is None else self._drain_until

    def child(self) -> int | None:
        """Return ``None``: no program is involved."""
        return None

    def ended(self, code: int) -> None:
        """Do nothing: no program is involved."""

    def cancel(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def advance(self, now: float) -> ProbeResult | None:
        """Connect, ask and read as far as that goes at once."""
        while True:
            if self._socket is None and not self._open():
                return ProbeResult(False, self._failure or f"{self._place()} has no address")
            try:
                answered = self._step(now)
            except OSError as error:
                answered = self._result or ProbeResult(False, f"{self._place()}: {describe_os_error(error)}")
            if answered is not None and (answered.ok or not self._left):
                self.cancel()
                return answered
            if answered is None and now < self._deadline:
                return None
            self._failure = answered.sentence if answered else self._late()
            self.cancel()
            if answered is None:
                return ProbeResult(False, self._failure)

    def _place(self) -> str:
        return f"{self._host}:{self._port}"

    def _late(self) -> str:
        return f"{self._place()} {'accepted, but did not answer' if self._connected else 'did not accept'} in time"

    def _open(self) -> bool:
        """Begin a connection to the next address; false when none is left."""
        while self._left:
            family, address = self._left.pop(0)
            try:
                opened = socket.socket(family, socket.SOCK_STREAM)
            except OSError as error:
                self._failure = f"{self._place()}: {describe_os_error(error)}"
                continue
            opened.setblocking(False)
            self._socket, self._connected, self._answer, self._result = opened, False, b"", None
            self._unsent = self._question()
            code = opened.connect_ex((address, self._port))
            if code == 0 or code in _UNDER_WAY:
                return True
            self._failure = f"{self._place()}: {_words(code)}"
            self.cancel()
        return False

    def _step(self, now: float) -> ProbeResult | None:
        connection = self._socket
        if connection is None:
            return None
        if not self._connected:
            if not select.select([], [connection], [], 0)[1]:
                return None
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                return ProbeResult(False, f"{self._place()}: {_words(code)}")
            self._connected = True
        if self._path is None:
            return ProbeResult(True, f"{self._place()} accepts connections")
        return self._talk(connection, now)

    def _talk(self, connection: socket.socket, now: float) -> ProbeResult | None:
        try:
            while self._unsent:
                self._unsent = self._unsent[connection.send(self._unsent) :]
            while chunk := connection.recv(_LONGEST_ANSWER):
                self._answer += chunk
                if self._enough(now):
                    return self._result
        except BlockingIOError:
            return self._result if self._result is not None and now >= self._drain_until else None
        return self._result or ProbeResult(False, f"{self._place()} closed the connection without an answer")

    def _enough(self, now: float) -> bool:
        """Judge the status line as soon as it is there; true when more need not be read."""
        if self._result is None and (b"\n" in self._answer or len(self._answer) > _LONGEST_LINE):
            self._result = self._judge(self._answer.split(b"\n", 1)[0])
            self._drain_until = min(self._deadline, now + _DRAIN)
        return len(self._answer) >= _LONGEST_ANSWER

    def _judge(self, line: bytes) -> ProbeResult:
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
            return ProbeResult(False, f"{self._place()} answers, but not in HTTP")
        status = int(parts[1])
        return ProbeResult(status < 400, f"{self._place()}{self._path} answers with {status}")

    def _question(self) -> bytes:
        if self._path is None:
            return b""
        host = f"[{self._host}]" if ":" in self._host else self._host
        lines = (f"GET {self._path} HTTP/1.1", f"Host: {host}:{self._port}", "Accept: */*", "Connection: close", "", "")
        return "\r\n".join(lines).encode("utf-8", "replace")


def _words(code: int) -> str:
    return os.strerror(code).lower()
