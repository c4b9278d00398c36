"""One HTTP call to a model server of this machine, over as a whole within its timeout; it never raises."""

from __future__ import annotations

import io
import socket
import ssl
import time
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from neo_core.durations import format_duration
from neo_core.errors import describe_os_error
from neo_core.ledger.reliefs import ReliefResult
from neo_core.relief.urls import address_of, port_of

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from neo_core.config import UnloadConfig

_LONGEST_ANSWER = 65_536
_EXCERPT = 120


class Answer(NamedTuple):
    """How the call went: one sentence without its full stop, and what mends it when it did not go well."""

    result: ReliefResult
    sentence: str
    mend: str = ""


def call(name: str, server: UnloadConfig) -> Answer:
    """Make the call that ``[unload.NAME]`` describes. Redirects and proxies are not followed."""
    parts, deadline = urlsplit(server.url), time.monotonic() + server.timeout
    place, patience = address_of(server.url), format_duration(server.timeout)
    try:
        connection = _connect(parts, deadline)
    except TimeoutError:
        mend = f"Look at its log, or raise unload.{name}.timeout."
        return Answer(ReliefResult.FAILED, f"{place} did not accept a connection within {patience}", mend)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or (error.reason or "no TLS").replace("_", " ").lower()
        mend = f"Write http into unload.{name}.url, or make its certificate known to this machine."
        return Answer(ReliefResult.FAILED, f"{place} cannot be asked by https: {why}", mend)
    except OSError as error:
        mend = f"Start the server, or correct unload.{name}.url in neo-console.toml."
        return Answer(ReliefResult.FAILED, f"{place} cannot be reached: {describe_os_error(error)}", mend)
    with connection:
        try:
            connection.settimeout(_left(deadline))
            connection.sendall(_request(parts, server))
            status, told = _answer(connection, server.method, deadline)
        except TimeoutError:
            mend = f"Look at its log, or raise unload.{name}.timeout."
            return Answer(ReliefResult.UNKNOWN, f"{place} did not answer within {patience}", mend)
        except (OSError, HTTPException) as error:
            why = describe_os_error(error) if isinstance(error, OSError) else "what it sent is no HTTP"
            return Answer(ReliefResult.UNKNOWN, f"{place} broke off without an answer: {why}", "Look at its log.")
    return _judged(name, place, status, told)


def _judged(name: str, place: str, status: int, told: str) -> Answer:
    if 200 <= status < 300:
        return Answer(ReliefResult.DONE, f"{place} answered with {status}")
    said = f": {told}" if told else ""
    if 300 <= status < 400:
        mend = f"Put the address that it names into unload.{name}.url; redirects are not followed."
    else:
        mend = f"Correct url, method, body or headers of [unload.{name}] in neo-console.toml, or look at its log."
    return Answer(ReliefResult.FAILED, f"{place} answered with {status}{said}", mend)


def _connect(parts: SplitResult, deadline: float) -> socket.socket:
    host = parts.hostname or ""
    # A subdomain of localhost is this machine by definition, whatever its resolver says.
    where = "localhost" if host.endswith(".localhost") else host
    opened = socket.create_connection((where, port_of(parts.geturl())), timeout=_left(deadline))
    if parts.scheme == "http":
        return opened
    try:
        opened.settimeout(_left(deadline))
        return ssl.create_default_context().wrap_socket(opened, server_hostname=host)
    except BaseException:
        opened.close()
        raise


def _request(parts: SplitResult, server: UnloadConfig) -> bytes:
    body = server.body.encode()
    headers = {"Host": parts.netloc, "Accept": "*/*", "Connection": "close", **server.headers}
    if body or server.method != "GET":
        headers["Content-Length"] = str(len(body))
    if body and not any(name.lower() == "content-type" for name in server.headers):
        headers["Content-Type"] = "application/json"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = (f"{server.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", "")
    return "\r\n".join(lines).encode("ascii") + body


def _answer(connection: socket.socket, method: str, deadline: float) -> tuple[int, str]:
    """Return the status and the beginning of what the server says; raises ``OSError`` or ``HTTPException``."""
    response = HTTPResponse(_Impatient(connection, deadline), method=method)  # type: ignore[arg-type]
    with response:
        response.begin()
        try:
            told = response.read(_LONGEST_ANSWER)
        except (OSError, HTTPException):  # the status is what counts
            told = b""
        words = " ".join(told.decode("utf-8", "replace").split())
        return response.status, "" if words.startswith("<") else words[:_EXCERPT]  # a page of HTML says less than that


def _left(deadline: float) -> float:
    """Return the seconds that are left. Raises ``TimeoutError``."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Impatient(io.RawIOBase):
    """A socket's bytes as long as there is time for all of them, however slowly they drip."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what an ``HTTPResponse`` reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever can be written to
        """Read what has come. Raises ``TimeoutError``."""
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)
