"""The console's bench sees what it says it sees; how fast anything is, no test asserts."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from neo_core.ledger.store import Ledger
from tests.bench import console, console_load, history
from tests.bench.crowd import crowd
from tests.bench.gap_meter import GapMeter
from tests.bench.terminal import NeverSeenError, Terminal
from tests.pseudoterminal import words

TABLE = r"""
import sys, time
sys.stdout.write("\x1b[?1049h\x1b[2;3H\x1b[1mba\x1b[0;31mckup\x1b[m    heavy\x1b]0;a title\x07")
sys.stdout.flush()
sys.stdin.readline()
sys.stdout.write("\x1b[?1049l")
"""


def test_words_are_what_stands_on_the_terminal():
    assert (
        words(b"\x1b[?25l\x1b]0;title\x07\x1b[2;3Hback\x1b[1;38;5;9mup\x1b[m\x1bP+q\x1b\\ \xe2\x97\x8b") == "backup ○"
    )


def test_the_terminal_finds_the_first_cell_in_what_was_drawn(tmp_path):
    with Terminal([sys.executable, "-c", TABLE], tmp_path) as terminal:
        seen = terminal.until(console.FIRST_ROW)
        assert terminal.began < seen <= time.perf_counter()
        typed = terminal.type(b"\n")
        restored, gone = terminal.gone()
    assert typed < restored <= gone
    assert terminal.code == 0


def test_what_never_stands_there_is_said(tmp_path):
    with Terminal(["echo", "something else"], tmp_path) as terminal, pytest.raises(NeverSeenError, match="else"):
        terminal.until(console.FIRST_ROW, timeout=5)


def test_the_program_has_the_size_that_was_promised(tmp_path):
    with Terminal(["stty", "size"], tmp_path) as terminal:
        terminal.until(r"40 120\s")


def test_a_planted_gap_is_seen_with_its_length_and_what_it_worked():
    moments, worked = iter([9.0, 10.0, 10.3, 12.35, 12.4]), iter([1.0, 1.2, 2.0, 2.01])
    queued = iter([0.0, 0.5, 0.6, 0.63])
    meter = GapMeter(clock=lambda: next(moments), cpu=lambda: next(worked), queued=lambda: next(queued))

    meter.come_back(meter.leave(), None)
    meter.come_back(meter.leave(), 2.0)  # looked at 10.3 for 2 s, and came back 0.05 s late
    meter.leave()

    assert meter.gaps == [pytest.approx((10.0, 0.3, 0.2, 0.1)), pytest.approx((12.3, 0.1, 0.01, 0.03))]


def test_a_selector_is_watched_on_the_loops_thread_and_on_no_other():
    class Kind:
        def select(self, timeout=None):
            return []

    meter = GapMeter()
    meter.watch(Kind)
    Kind().select(0.0)
    time.sleep(0.03)
    other = threading.Thread(target=lambda: [Kind().select(0.0) for _ in range(3)])
    other.start()
    other.join()
    Kind().select(0.0)
    assert len(meter.gaps) == 1
    assert meter.gaps[0][1] >= 0.03


def test_gaps_are_summed_up_by_interval_and_by_second():
    gaps = [(0.0, 500.0, 9.0, 0.0), (1.1, 10.0, 5.0, 0.0), (1.2, 60.0, 6.0, 25.0), (2.5, 30.0, 20.0, 0.0)]

    told = console_load.gaps_told(gaps, 1.0, 4.0)

    assert told["all"]["count"] == 3
    assert (told["all"]["max"], told["over_budget"], told["cpu_of_the_longest"]) == (60.0, 1, 6.0)
    assert told["longest_of_each_second"]["count"] == 2
    assert (told["without_the_queue"]["max"], told["over_budget_without_the_queue"]) == (35.0, 0)
    assert console_load.gaps_told(gaps, 100.0, 101.0) == {"count": 0}


def test_a_crowd_is_there_and_gone(tmp_path):
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]

    before = set(children(os.getpid()))
    with crowd(3):
        (parent,) = set(children(os.getpid())) - before
        sleepers = children(parent)
        assert len(sleepers) == 3
    assert not any(os.path.exists(f"/proc/{pid}") for pid in sleepers)


def test_a_history_is_written_as_the_ledger_reads_it(tmp_path):
    history.fill(tmp_path / "ledger.sqlite3", 12, 1000.0)
    with Ledger(tmp_path / "ledger.sqlite3", writable=False) as ledger:
        rows = ledger.runs.history()
        assert [run.run_id for run in rows] == [f"{number:012x}" for number in reversed(range(12))]
        assert {run.task for run in rows} == set(history.TASKS)
        assert ledger.database.check() == "ok"


def test_whoever_has_the_ledger_to_himself_keeps_readers_out(tmp_path):
    path = tmp_path / "ledger.sqlite3"
    history.fill(path, 1, 1000.0)
    with console.locked(path), pytest.raises(Exception, match="locked"), Ledger(path, writable=False, busy=0.01):
        pass
    with Ledger(path, writable=False) as ledger:
        assert len(ledger.runs.history()) == 1


def test_every_key_of_the_load_is_there_and_a_missing_glances_is_said(tmp_path):
    told = console_load.at_one_hertz(tmp_path, 1.5, 2, None, warm_up=0.2, orchestrated=False)

    assert told["glances"] == "missing (no --peers folder was given to install it in)"
    assert set(told["neo-console"]) >= {"cpu_percent_of_a_core", "cpu_percent_by_slice", "rss_mib_at_the_end"}
    assert told["gaps_ms"]["steady"]["all"]["count"] > 0
    assert set(told["gaps_ms"]["start_up"]) >= {"all", "longest_of_each_second", "over_budget"}
