"""A participant in a process of its own: told what to do by lines of JSON, answering each with one."""

import json
import os
import subprocess
import sys
import time

from syscalls import Before, Hasty, kill_myself

from neo_core.errors import LeaseError
from neo_core.lease.guard import Guard
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN


class Worker:
    def __init__(self):
        self.hold = None
        self.guard = None
        self.store = None

    def open(self, path):
        self.store = LeaseStore(path)
        return {}

    def acquire(self, owner="worker", **options):
        got = self.store.acquire(owner, "test", **options)
        self.hold = got.hold or self.hold
        answer = {"status": got.status, "detail": got.detail, "before": got.before.status, "pid": os.getpid()}
        if got.hold:
            answer.update(token=got.hold.lease.token, generation=got.hold.generation)
        elif got.before.lease:
            answer.update(holder=got.before.lease.pid)
        return answer

    def release(self, unlock=True):
        return {"status": self.hold.release(unlock=unlock)}

    def renew(self):
        return {"status": self.hold.renew()}

    def reclaim(self):
        return {"status": self.store.reclaim().status}

    def inspect(self):
        seen = self.store.inspect()
        return {"status": seen.status, "holder": seen.holder, "carriers": [one.pid for one in seen.scan.carriers]}

    def child(self, descriptor=False, token=False):
        """Start a child that has the descriptor, the token, both or neither."""
        environment = {**os.environ, **({INHERITED_TOKEN: self.hold.lease.token} if token else {})}
        keep = (self.hold.descriptor,) if descriptor else ()
        process = subprocess.Popen(["sleep", "120"], env=environment, pass_fds=keep, stdin=subprocess.DEVNULL)
        return {"pid": process.pid}

    def fork(self):
        """Fork a child that shares everything and waits to be killed."""
        child = os.fork()
        if child == 0:
            time.sleep(120)
            os._exit(0)
        return {"pid": child}

    def enter_guard(self):
        self.guard = Guard(f"{self.store.path}.lock").__enter__()
        return {}

    def leave_guard(self):
        self.guard.__exit__(None, None, None)
        return {}

    def count(self, folder, path, before, step):
        """Return how many system calls ``step`` makes."""
        return {"count": self.forked(folder, path, before, step, -1)}

    def killed(self, folder, path, before, step, at):
        """Do it in a forked process that is killed before its system call number ``at``."""
        return {"ended": self.forked(folder, path, before, step, at)}

    def forked(self, folder, path, before, step, at):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                self.store = LeaseStore(path, clock=Hasty())
                for earlier in before:
                    getattr(self, earlier)()
                with Before(folder, at, kill_myself) as calls:
                    getattr(self, step)()
                os.write(writing, b"%d" % calls.count)
            finally:
                os._exit(1)
        os.close(writing)
        told = os.read(reading, 20)
        os.close(reading)
        _, status = os.waitpid(child, 0)
        return int(told) if told else -os.WTERMSIG(status)

    def race(self, gate, hold_for):
        """Wait for the gate to open, acquire, work a moment; say from when to when the lease was ours."""
        say({"ready": True})
        os.read(gate, 1)
        try:
            got = self.acquire()
        except LeaseError as error:
            return {"status": "error", "detail": str(error)}
        if got["status"] == "held":
            return got
        acquired = time.monotonic_ns()
        time.sleep(hold_for)
        released = time.monotonic_ns()
        return {**got, "interval": [acquired, released], "left": self.hold.release()}


def say(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    worker = Worker()
    for line in sys.stdin:
        told = json.loads(line)
        try:
            answer = getattr(worker, told.pop("do"))(**told)
        except LeaseError as error:
            answer = {"error": str(error)}
        say(answer)


if __name__ == "__main__":
    main()
