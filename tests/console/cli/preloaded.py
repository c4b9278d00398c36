"""``neo-console`` as a process of its own without reading all its modules again: a process that has them forks.

Run as a script with the descriptor of a socket, it answers each request with a fork that has the request's arguments,
folder, environment and standard streams, and that ends as an interpreter ends. ``Preloaded`` is who asks.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

_LANGUAGE = ("PYTHON", "LC_", "LANG", "TZ")


class Preloaded:
    """One such process, started when it is first needed."""

    def __init__(self):
        self._asks, self._busy = None, threading.Lock()
        self._started_in = {}

    def run(self, arguments, *, cwd, timeout):
        """Run the command; like ``subprocess.run`` with captured output, as text, and nothing to read.

        ``None`` where only a process of its own will do: another one is still at work, or the interpreter itself would
        heed what the environment says by now.
        """
        if not self._busy.acquire(blocking=False):
            return None
        try:
            if self._asks is None:
                self._start()
            if _of_the_interpreter() != self._started_in:
                return None
            out, err, (_, code) = self._ask(arguments, os.fspath(cwd), timeout)
            return subprocess.CompletedProcess(["neo-console", *arguments], int(code), out.decode(), err.decode())
        finally:
            self._busy.release()

    def _ask(self, arguments, cwd, timeout):
        pipes = [os.pipe() for _ in range(3)]
        try:
            request = {"arguments": arguments, "cwd": cwd, "environment": dict(os.environ)}
            socket.send_fds(self._asks, [json.dumps(request).encode()], [end for _, end in pipes])
        finally:
            for _, end in pipes:
                os.close(end)
        out, err, told = _read_all([begin for begin, _ in pipes], timeout)
        return out, err, told.split()

    def stop(self):
        """Let the process end."""
        if self._asks is not None:
            self._asks.close()
            self._process.communicate(timeout=20)

    def _start(self):
        self._asks, answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, __file__, str(answers.fileno())]
        pipe, null = subprocess.PIPE, subprocess.DEVNULL  # of the kinds that its forks get
        self._process = subprocess.Popen(command, pass_fds=[answers.fileno()], stdin=null, stdout=pipe, stderr=pipe)
        self._started_in = _of_the_interpreter()
        answers.close()


def _of_the_interpreter():
    return {name: value for name, value in os.environ.items() if name.startswith(_LANGUAGE)}


def _read_all(pipes, timeout):
    """Return what comes out of each pipe until nobody can write into it any more; the last tells the pid first."""
    read = dict.fromkeys(pipes, b"")
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for one in pipes:
            selector.register(one, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                os.kill(int(read[pipes[-1]]), signal.SIGKILL)
                raise TimeoutError(f"neo-console did not end within {timeout} s")
            for key, _ in ready:
                part = os.read(key.fd, 65_536)
                read[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return tuple(read.values())


def serve(asked):
    """Fork once for every request, until nobody asks any more; return in the fork, with its arguments."""
    while True:
        told, descriptors, _, _ = socket.recv_fds(asked, 1 << 20, 3)
        if not told:
            os._exit(0)
        out, err, answer = descriptors
        pid = os.fork()
        if pid == 0:
            os.close(answer)
            asked.close()
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.close(out)
            os.close(err)
            return json.loads(told)
        os.close(out)
        os.close(err)
        os.write(answer, b"%d " % pid)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(answer, b"%d" % status)
        os.close(answer)


if __name__ == "__main__":
    import gc
    import importlib
    import pkgutil
    import random

    del sys.path[0]
    import neo_console.cli

    for module in pkgutil.iter_modules(neo_console.cli.__path__, "neo_console.cli."):
        importlib.import_module(module.name)
    gc.freeze()
    given = serve(socket.socket(fileno=int(sys.argv[1])))
    random.seed()
    os.chdir(given["cwd"])
    os.environ.clear()
    os.environ.update(given["environment"])
    sys.path.insert(0, given["cwd"])
    sys.argv = [neo_console.cli.main.__file__, *given["arguments"]]
    sys.exit(neo_console.cli.main.main())
