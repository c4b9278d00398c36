"""The locks side by side: uncontended in turns of one chunk each, and with contenders in turns of one go each."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.figures import fairness, percentile, spread
from tests.bench.locks import NODE, PYTHON

HERE = Path(__file__).parent
CHUNK = 100
SLOW_CHUNK = 5  # of what starts a process each time


class MissingError(Exception):
    """This lock is not to be had here."""


class Contender:
    """A process that takes and leaves one lock."""

    def __init__(self, name, path, modules):
        if name in PYTHON:
            command = [sys.executable, str(HERE / "contender.py"), name, path]
        elif shutil.which("node") is None:
            raise MissingError("node")
        else:
            command = ["node", str(HERE / "contender.mjs"), NODE[name], path, modules]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            told = self.answer()
            if "missing" in told:
                raise MissingError(told["missing"])
        except BaseException:
            self.end()
            raise

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} ended without an answer")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def uncontended(folder, rounds, modules):
    """Return microseconds of one take and leave, by lock."""
    contenders, result, times = {}, {}, {}
    for number, name in enumerate([*PYTHON, *NODE]):
        try:
            contenders[name] = Contender(name, str(folder / f"alone-{number}"), modules)
        except MissingError as error:
            result[name] = f"missing ({error})"
    for turn in range(rounds + 1):
        for name, one in contenders.items():
            one.tell(chunk=SLOW_CHUNK if name == "flock(1)" else CHUNK)
            measured = one.answer()
            if turn:
                times.setdefault(name, []).extend(measured)
    for name, one in contenders.items():
        one.end()
        result[name] = spread(times[name])
    return {name: result[name] for name in [*PYTHON, *NODE]}


def contended(folder, contenders, rounds, seconds, modules):
    """Return turns a second, waits in milliseconds and fairness with that many processes, by lock."""
    told = {}
    for turn in range(rounds):
        for number, name in enumerate([*PYTHON, *NODE]):
            if isinstance(told.get(name), str):
                continue
            try:
                path = str(folder / f"{contenders}-{turn}-{number}")
                told.setdefault(name, []).append(_one_go(name, path, contenders, seconds, modules))
            except MissingError as error:
                told[name] = f"missing ({error})"
    return {name: goes if isinstance(goes, str) else _summary(goes, seconds) for name, goes in told.items()}


def _one_go(name, path, count, seconds, modules):
    crowd = []
    try:
        while len(crowd) < count:
            crowd.append(Contender(name, path, modules))
        for one in crowd:
            one.tell(seconds=seconds)
        return [one.answer() for one in crowd]
    finally:
        for one in crowd:
            one.end()


def _summary(goes, seconds):
    waits = [wait / 1000 for go in goes for one in go for wait in one["waits"]]
    turns = [[one["turns"] for one in go] for go in goes]
    return {
        "turns_per_second": round(statistics.median(sum(go) / seconds for go in turns)),
        "fairness": round(statistics.median(fairness(go) for go in turns), 3),
        "fairness_worst_go": round(min(fairness(go) for go in turns), 3),
        "wait_median_ms": round(percentile(waits, 50), 3),
        "wait_p99_ms": round(percentile(waits, 99), 1),
        "wait_worst_ms": round(max(waits), 1),
    }
