"""The lease record: upstream's eight fields, read tolerantly, written exactly."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, TypeGuard

from neo_core.clock import from_iso, to_iso
from neo_core.lease.words import DEFAULT_TTL

_LARGEST = 1.7976931348623157e308
_LONGEST = 500
_DEEPEST = 10  # characters of line feed and indent: no record of ours goes deeper, and ``json`` bounds the rest
_BELOW = "\n    "  # what stands before a member of ``metadata``
_SHAPE = (  # of a fresh record
    '{\n  "owner": "%s",\n  "reason": "%s",\n  "pid": %d,\n  "token": "%s",\n  "acquiredAt": "%s",\n'
    '  "staleAfterMs": %d,\n  "expiresAt": "%s",\n  "metadata": {\n    %s"holder": {\n'
    '      "startTime": %d,\n      "bootId": "%s",\n      "pidNamespace": "%s",\n      "host": "%s",\n'
    '      "uid": %d,\n      "hold": [\n        %d,\n        %d\n      ],\n      "generation": %d\n    }\n  }\n}'
)


class Holder(NamedTuple):
    """Who wrote a record of ours (``metadata.holder``); enough to prove that this process is gone.

    ``hold`` is (device, inode) of the hold file whose kernel lock the holder has.
    """

    start_time: int
    boot_id: str
    pid_namespace: str
    host: str
    uid: int
    hold: tuple[int, int] | None
    generation: int

    def to_json(self) -> dict[str, Any]:
        """Return the form written into the record."""
        return {
            "startTime": self.start_time,
            "bootId": self.boot_id,
            "pidNamespace": self.pid_namespace,
            "host": self.host,
            "uid": self.uid,
            "hold": list(self.hold) if self.hold else None,
            "generation": self.generation,
        }


class Lease:
    """One record as read: any JSON object with an ``acquiredAt``; every other field may be missing or odd."""

    __slots__ = ("_text", "fields")

    def __init__(self, fields: dict[str, Any], text: str | None = None) -> None:
        self.fields = fields
        self._text = text  # what ``encode`` would make of ``fields``, where that is known already

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lease) and self.fields == other.fields

    def __hash__(self) -> int:
        return hash((self.token, self.acquired_at))

    def __repr__(self) -> str:
        return f"Lease({self.fields!r})"

    @property
    def owner(self) -> str:
        """The name the holder gave itself; ``unknown`` when it gave none."""
        return _text(self.fields.get("owner")) or "unknown"

    @property
    def reason(self) -> str:
        """Why it was taken; empty when not said."""
        return _text(self.fields.get("reason"))

    @property
    def pid(self) -> int | None:
        """The holder's pid; ``None`` when the record names no possible one."""
        pid = self.fields.get("pid")
        return pid if isinstance(pid, int) and not isinstance(pid, bool) and 0 < pid < 2**31 else None

    @property
    def token(self) -> str:
        """The secret of this acquisition; empty when there is none."""
        return _text(self.fields.get("token"))

    @property
    def acquired_at(self) -> float:
        """When it was taken, in seconds since the epoch; 0 when that cannot be made out."""
        told = self.fields.get("acquiredAt")
        if _is_number(told) and 0 < told < 1e15:
            return float(told) / 1000
        try:
            return from_iso(told) if isinstance(told, str) else 0.0
        except ValueError:
            return 0.0

    @property
    def acquired_text(self) -> str:
        """When it was taken, as the record says it."""
        return _text(str(self.fields.get("acquiredAt")))

    @property
    def expires_at(self) -> float:
        """The declared deadline: ``expiresAt``, else ``acquiredAt`` + ``staleAfterMs``, else the default TTL."""
        told = self.fields.get("expiresAt")
        if isinstance(told, str):
            try:
                return from_iso(told)
            except ValueError:
                pass
        return self.acquired_at + self.ttl

    @property
    def ttl(self) -> float:
        """Seconds from a renewal to the deadline."""
        told = self.fields.get("staleAfterMs")
        if _is_number(told) and 0 < told < 1e15:
            return float(told) / 1000
        return DEFAULT_TTL

    @property
    def renewed_at(self) -> float | None:
        """When it was last renewed; ``None`` before the first renewal."""
        try:
            return from_iso(self.fields["renewedAt"])
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def metadata(self) -> dict[str, Any]:
        """Whatever the writer added; empty when it is not an object."""
        told = self.fields.get("metadata")
        return told if isinstance(told, dict) else {}

    @property
    def holder(self) -> Holder | None:
        """The identity in a record of ours; ``None`` in a foreign one."""
        return _holder(self.metadata.get("holder"))

    def renewed(self, now: float) -> Lease:
        """Return the record with a later deadline; every other field, also unknown ones, as it was."""
        fields = dict(self.fields)
        fields["expiresAt"] = to_iso(now + self.ttl)
        fields["renewedAt"] = to_iso(now)
        return Lease(fields)

    def retaken(self, now: float, generation: int) -> Lease:
        """Return the record anew after it was lost: a later deadline, and the acquisition counted as another one."""
        holder = {**self.metadata["holder"], "generation": generation}
        return Lease({**self.renewed(now).fields, "metadata": {**self.metadata, "holder": holder}})

    def encode(self) -> bytes:
        """Return the bytes to write: UTF-8, two spaces, upstream's order."""
        text = self._text or _pretty(self.fields)
        if text is None:
            import json  # a millisecond that a record of ours does not need

            text = json.dumps(self.fields, indent=2, ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace")


def new_lease(
    *, owner: str, reason: str, token: str, now: float, ttl: float, holder: Holder, metadata: dict[str, Any]
) -> Lease:
    """Return a fresh record for this process, its fields in upstream's order."""
    fields = {
        "owner": owner,
        "reason": reason,
        "pid": os.getpid(),
        "token": token,
        "acquiredAt": to_iso(now),
        "staleAfterMs": round(ttl * 1000),
        "expiresAt": to_iso(now + ttl),
        "metadata": {**metadata, "holder": holder.to_json()},
    }
    return Lease(fields, _fresh(fields, metadata, holder))


def decode(raw: bytes) -> Lease | None:
    """Return the record in ``raw``; ``None`` for everything that is not a JSON object with an ``acquiredAt``.

    An ``acquiredAt`` that is no time still makes it a lease: it names somebody, who may be alive.
    """
    import json

    try:
        fields = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    acquired = fields.get("acquiredAt")
    named = bool(acquired) and (isinstance(acquired, str) or _is_number(acquired))
    return Lease(fields) if named else None


def new_token() -> str:
    """Return a random UUID (version 4) without importing ``uuid``, which costs a wrapper 6 ms."""
    raw = bytearray(os.urandom(16))
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def host_name() -> str:
    """Return this machine's name, which a laptop may change with its network."""
    return os.uname().nodename


def _fresh(fields: dict[str, Any], metadata: dict[str, Any], holder: Holder) -> str | None:
    """Return what ``_pretty`` would of a fresh record, whose shape is known; ``None`` for an unusual one."""
    words = [fields["owner"], fields["reason"], holder.boot_id, holder.pid_namespace, holder.host]
    hold = holder.hold
    if type(words[0]) is not str or type(words[1]) is not str or hold is None or "holder" in metadata:
        return None
    others = _members(metadata, _BELOW, words)
    if others is None or not _needs_no_escape(words):
        return None
    owner, reason, pid, token, acquired, stale, expires, _ = fields.values()
    more = "".join([f"{one},{_BELOW}" for one in others])
    start, boot, namespace, host, uid, _, generation = holder
    told = (owner, reason, pid, token, acquired, stale, expires, more, start, boot, namespace, host, uid)
    return _SHAPE % (*told, *hold, generation)


def _pretty(fields: dict[str, Any]) -> str | None:
    """Return what ``json.dumps(fields, indent=2, ensure_ascii=False)`` would; ``None`` for what is not that simple.

    With an indent ``json`` has no fast encoder: it would take a fifth of a whole acquisition, and importing it more.
    """
    words: list[str] = []
    text = _plain(fields, "\n", words)
    return text if _needs_no_escape(words) else None


def _needs_no_escape(words: list[str]) -> bool:
    said = "".join(words)
    return said.isprintable() and '"' not in said and "\\" not in said


def _plain(value: object, line: str, words: list[str]) -> str | None:
    """Return an object or list as if no text in it needed an escape, and append every text to ``words``."""
    if not value or len(line) > _DEEPEST:
        return None
    inner = line + "  "
    if type(value) is list:
        numbers = [str(one) for one in value if type(one) is int]
        return f"[{inner}{f',{inner}'.join(numbers)}{line}]" if len(numbers) == len(value) else None
    if type(value) is not dict:
        return None
    members = _members(value, inner, words)
    return None if members is None else f"{{{inner}{f',{inner}'.join(members)}{line}}}"


def _members(value: dict[str, Any], inner: str, words: list[str]) -> list[str] | None:
    parts = []
    for name, one in value.items():
        if type(name) is not str:
            return None
        words.append(name)
        kind = type(one)
        if kind is str:
            words.append(one)
            parts.append(f'"{name}": "{one}"')
        else:
            text = str(one) if kind is int else _plain(one, inner, words)
            if text is None:
                return None
            parts.append(f'"{name}": {text}')
    return parts


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    """Return the number; one too large for a float as the largest, because infinity could not be written back."""
    return max(-_LARGEST, min(float(text), _LARGEST))


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: object) -> str:
    """Return ``value`` when it is text, without what would break a line or a terminal."""
    if not isinstance(value, str):
        return ""
    if value.isprintable() and len(value) <= _LONGEST:
        return value
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value[:_LONGEST])


def _holder(told: object) -> Holder | None:
    if not isinstance(told, dict):
        return None
    start, boot, generation = told.get("startTime"), told.get("bootId"), told.get("generation")
    if not isinstance(start, int) or isinstance(start, bool) or not isinstance(boot, str):
        return None
    uid = told.get("uid")
    return Holder(
        start_time=start,
        boot_id=boot,
        pid_namespace=_text(told.get("pidNamespace")),
        host=_text(told.get("host")),
        uid=uid if isinstance(uid, int) else -1,
        hold=_pair(told.get("hold")),
        generation=generation if isinstance(generation, int) else 0,
    )


def _pair(told: object) -> tuple[int, int] | None:
    if isinstance(told, list) and len(told) == 2 and all(isinstance(part, int) for part in told):
        return told[0], told[1]
    return None
