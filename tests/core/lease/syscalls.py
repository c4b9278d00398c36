"""Something happens just before the n-th system call on the lease's folder: a kill, an error, a foreign script."""

import errno
import fcntl
import os
import signal

from neo_core.clock import SystemClock

NAMES = ["open", "write", "pwrite", "read", "pread", "rename", "link", "unlink", "mkdir", "rmdir", "listdir"]
LOOKS = ["stat", "lstat", "fstat", "close", "fchmod"]


class Hasty(SystemClock):
    """The real time, but nobody really sleeps."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead

    def sleep(self, seconds):
        self.ahead += seconds


class Before:
    """Within the block, call ``action`` before call number ``at`` (counted from 0) that touches ``folder``.

    Calls on descriptors count too; /proc and everything outside the folder does not.
    """

    def __init__(self, folder, at, action, *, looks=True, descriptors=True):
        self.folder = str(folder)
        self.at = at
        self.action = action
        self.count = 0
        self.names = NAMES + (LOOKS if looks else [])
        self.saved = []
        self.acting = False
        self.descriptors = descriptors

    def __enter__(self):
        for module, name in [(os, name) for name in self.names] + [(fcntl, "flock")]:
            real = getattr(module, name)
            self.saved.append((module, name, real))
            setattr(module, name, self.wrap(real))
        return self

    def __exit__(self, *_):
        for module, name, real in self.saved:
            setattr(module, name, real)

    def wrap(self, real):
        def called(target, *rest, **options):
            if not self.acting and self.concerns(target):
                self.count += 1
                if self.count - 1 == self.at:
                    self.acting = True
                    try:
                        self.action()
                    finally:
                        self.acting = False
            return real(target, *rest, **options)

        return called

    def concerns(self, target):
        return self.descriptors if isinstance(target, int) else os.fspath(target).startswith(self.folder)


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


def disk_full():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
