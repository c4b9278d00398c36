"""Which file system a folder is on, as far as the system tells."""

from __future__ import annotations

import os
from functools import lru_cache

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "glusterfs", "lustre", "afpfs", "webdav", "davfs"}
)


@lru_cache(maxsize=16)
def network_filesystem(folder: str, mounts: str = "/proc/self/mounts") -> str | None:
    """Return the network file system's name under ``folder``; ``None`` for a local one or where it is unknown."""
    kind = _filesystem(os.path.realpath(folder), mounts)
    if kind in _NETWORK or kind.startswith(("fuse.sshfs", "fuse.rclone")):
        return kind
    return None


def _filesystem(folder: str, mounts: str) -> str:
    """Return the type of the mount with the longest prefix of ``folder``; empty when there is no table."""
    best, found = "", ""
    try:
        with open(mounts, "rb") as table:
            lines = table.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, fields[2]
    return found
