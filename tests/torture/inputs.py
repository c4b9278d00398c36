"""What may lie under the lease's name: mutated bytes, JSON of every shape, and files that are no files."""

from __future__ import annotations

import json
import os
import socket

from neo_core.lease.words import MAX_RECORD_BYTES

HUGE = ("1" * 5_000, "-" + "9" * 400, "1e999", "-1e999", "1e-999", "0.1e1", "9007199254740993", "1" * 60_000)
ODD_TEXT = ("", " ", "\0", "\x1b[2J", "\u202e", "\ud800", "é" * 300, "x" * 3_000, "\n", "null", "-1", "Infinity")
TIMES = (
    "2026-05-28T20:25:40.000Z",
    "2026-05-28",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "+275760-09-13T00:00:00.000Z",
    "2026-02-30T00:00:00Z",
    "soon",
)
FIELDS = (
    "owner",
    "reason",
    "pid",
    "token",
    "acquiredAt",
    "staleAfterMs",
    "expiresAt",
    "metadata",
    "renewedAt",
    "bootId",
)
HOLDER = ("startTime", "bootId", "pidNamespace", "host", "uid", "hold", "generation")
BYTES = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"{",
    b"}",
    b"[",
    b'"',
    b"\\",
    b",",
    b":",
    b"\\u0000",
    b"NaN",
)


class Inputs:
    """An endless supply, the same for the same ``draw`` (a ``random.Random``); ``valid`` are records to start from."""

    def __init__(self, draw, valid):
        self.draw = draw
        self.valid = valid

    def content(self):
        """Return bytes."""
        make = self.draw.choice((self.mutated, self.mutated, self.shaped, self.shaped, self.spliced, self.noise))
        return make()[: 2 * MAX_RECORD_BYTES]

    def mutated(self):
        """A valid record with some bytes changed, lost, doubled or cut off."""
        content = bytearray(self.draw.choice(self.valid))
        for _ in range(self.draw.choice((0, 1, 1, 2, 8))):
            at = self.draw.randrange(len(content) + 1)
            what = self.draw.randrange(6)
            if what == 0 and content:
                content[at % len(content)] ^= 1 << self.draw.randrange(8)
            elif what == 1:
                content[at:at] = self.draw.choice(BYTES)
            elif what == 2:
                del content[at : at + self.draw.randrange(1, 40)]
            elif what == 3:
                content[at:at] = content[at : at + self.draw.randrange(1, 60)]
            elif what == 4:
                del content[at:]
            else:
                content[at:at] = bytes(self.draw.randrange(1, 50))
        return bytes(content)

    def shaped(self):
        """A JSON object with some of the fields replaced, dropped or added, on either level."""
        fields = json.loads(self.draw.choice(self.valid))
        self.disturb(fields, FIELDS)
        metadata = fields.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("holder"), dict):
            self.disturb(metadata["holder"], HOLDER)
        return json.dumps(fields, indent=self.draw.choice((None, 2))).encode("utf-8", "surrogatepass")

    def disturb(self, fields, names):
        for _ in range(self.draw.randrange(3)):
            name = self.draw.choice(names)
            if self.draw.random() < 0.2:
                fields.pop(name, None)
            else:
                fields[name] = self.value()

    def value(self, depth=0):
        kind = self.draw.randrange(10 if depth < 3 else 8)
        if kind < 3:
            return self.draw.choice((None, True, False, 0, -1, 1, os.getpid(), 2**31, 2**63, 10**30, 1.5, -0.0, 1e308))
        if kind < 5:
            return self.draw.choice(ODD_TEXT)
        if kind < 8:
            return self.draw.choice(TIMES)
        inner = [self.value(depth + 1) for _ in range(self.draw.randrange(4))]
        return inner if kind == 8 else {self.draw.choice(ODD_TEXT): value for value in inner}

    def spliced(self):
        """JSON that no serialiser writes: huge numbers, deep nesting, duplicate keys, wrong top levels."""
        text = self.draw.choice(self.valid).decode()
        what = self.draw.randrange(6)
        if what == 0:
            return f'{{"acquiredAt": {self.draw.choice(HUGE)}, "pid": {self.draw.choice(HUGE)}}}'.encode()
        if what == 1:
            depth = self.draw.choice((10, 900, 5_000, 32_000))
            opening, closing = self.draw.choice((("[", "]"), ('{"a":', "}")))
            middle = opening * (depth // len(opening)) + "1" + closing * (depth // len(opening))
            return f'{{"acquiredAt": "2026-01-01", "metadata": {middle[:60_000]}}}'.encode()
        if what == 2:
            name = self.draw.choice(FIELDS)
            return text.replace("{", f"{{{json.dumps(name)}: {json.dumps(self.value())},", 1).encode("utf-8", "replace")
        if what == 3:
            return json.dumps(self.value()).encode("utf-8", "replace")
        if what == 4:
            return (text + text).encode()
        return b" " * self.draw.choice((1, 100, MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1))

    def noise(self):
        return self.draw.randbytes(self.draw.choice((0, 1, 2, 16, 300, 5_000)))


def a_folder(path, bystander):
    os.mkdir(path)
    with open(f"{path}/precious", "wb") as file:
        file.write(b"data")


def a_link(path, bystander):
    os.symlink(bystander, path)


def a_broken_link(path, bystander):
    os.symlink(f"{path}-nowhere", path)


def a_loop(path, bystander):
    os.symlink(path, path)


def a_fifo(path, bystander):
    os.mkfifo(path)


def a_socket(path, bystander):
    # The name of a socket is limited to about a hundred bytes, which a temporary folder may exceed.
    here = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{here}/{os.path.basename(path)}")
    finally:
        os.close(here)


def sixty_four_megabytes(path, bystander):
    with open(path, "wb") as file:
        file.write(b'{"acquiredAt": "2026-01-01"')
        file.truncate(64 * 2**20)


def one_byte_too_many(path, bystander):
    with open(path, "wb") as file:
        file.write(b'{"acquiredAt": "2026-01-01"}'.ljust(MAX_RECORD_BYTES + 1))


def no_permission(path, bystander):
    with open(path, "wb") as file:
        file.write(b'{"acquiredAt": "2026-01-01"}')
    os.chmod(path, 0)


UNREADABLE = [a_folder, a_link, a_broken_link, a_loop, a_fifo, sixty_four_megabytes, one_byte_too_many]
if os.path.exists("/proc/self/fd"):
    UNREADABLE.append(a_socket)
if os.geteuid() != 0:  # root reads everything
    UNREADABLE.append(no_permission)
