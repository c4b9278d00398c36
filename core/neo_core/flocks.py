"""A kernel lock on a file of ours: who has it is gone when its process is, however that ended."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def take_flock(path: Path) -> int:
    """Lock the file, made if it is not there, without waiting; return its descriptor, which no child inherits.

    Raises ``BlockingIOError`` when another process has it, any other ``OSError`` when the file cannot be used.
    """
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(path)) from error
        raise
    return descriptor
