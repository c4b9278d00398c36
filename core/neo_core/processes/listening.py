"""Who listens to a TCP port of this machine: from /proc where there is one, through psutil elsewhere."""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple

_HAS_PROCFS: bool = sys.platform.startswith("linux")
_LISTENING = "0A"
_TABLES = (("net/tcp", socket.AF_INET), ("net/tcp6", socket.AF_INET6))
_MAPPED = "::ffff:"


class Listener(NamedTuple):
    """One listening socket: its address, and its process as far as it can be known (``None``: it cannot)."""

    address: str
    pid: int | None
    name: str


def listeners_on(port: int, *, root: str = "/proc") -> list[Listener]:
    """Return who listens to ``port``. Raises ``OSError`` when the system does not tell."""
    if _HAS_PROCFS or root != "/proc":
        return _from_procfs(port, root)
    return _from_psutil(port)


def parse_table(text: str, family: socket.AddressFamily, port: int) -> list[tuple[str, int]]:
    """Return address and inode of every socket of a /proc/net/tcp table that listens to ``port``."""
    found: list[tuple[str, int]] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTENING:
            continue
        address, _, number = fields[1].partition(":")
        if number and int(number, 16) == port:
            found.append((_address(address, family), int(fields[9])))
    return found


def _from_procfs(port: int, root: str) -> list[Listener]:
    sockets: list[tuple[str, int]] = []
    for name, family in _TABLES:
        try:
            with open(f"{root}/{name}", encoding="ascii", errors="replace") as file:
                sockets += parse_table(file.read(), family, port)
        except FileNotFoundError:
            continue  # a kernel without IPv6
    owners = _owners({inode for _, inode in sockets}, root) if sockets else {}
    return [Listener(address, *owners.get(inode, (None, ""))) for address, inode in sockets]


def _address(digits: str, family: socket.AddressFamily) -> str:
    """Return an address of which the kernel printed each word in its own byte order."""
    words = bytes.fromhex(digits)
    if sys.byteorder == "little":
        words = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    address = socket.inet_ntop(family, words)
    return address.removeprefix(_MAPPED) if "." in address else address


def _owners(inodes: set[int], root: str) -> dict[int, tuple[int, str]]:
    """Return pid and name of the process that has each socket, as far as we may look; the lowest pid of several."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, tuple[int, str]] = {}
    for pid in sorted(int(name) for name in os.listdir(root) if name.isdigit()):
        for target in _descriptors(pid, root):
            inode = wanted.get(target)
            if inode is not None and inode not in found:
                found[inode] = (pid, _name(pid, root))
        if len(found) == len(inodes):
            break
    return found


def _descriptors(pid: int, root: str) -> list[str]:
    try:
        names = os.listdir(f"{root}/{pid}/fd")
    except OSError:
        return []
    found: list[str] = []
    for name in names:
        try:
            found.append(os.readlink(f"{root}/{pid}/fd/{name}"))
        except OSError:
            continue
    return found


def _name(pid: int, root: str) -> str:
    try:
        with open(f"{root}/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _from_psutil(port: int) -> list[Listener]:
    import psutil

    found: list[Listener] = []
    for process in psutil.process_iter(["name"]):
        try:
            connections = process.net_connections(kind="tcp")
        except (psutil.Error, OSError):
            continue
        found += [
            Listener(str(one.laddr.ip).removeprefix(_MAPPED), process.pid, process.info["name"] or "")
            for one in connections
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        ]
    return found or _from_knocking(port)


def _from_knocking(port: int) -> list[Listener]:
    """Return the listeners that another user's process hides from us, found by connecting to them."""
    found: list[Listener] = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as knocking:
                knocking.settimeout(0.2)
                knocking.connect((address, port))
        except OSError:
            continue
        found.append(Listener(address, None, ""))
    return found
