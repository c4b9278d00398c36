"""A run's log on a terminal: the job's own lines, without the result that the last line of ours tells."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from neo_console.cli.runlog import RunLog

from .conftest import NEO_CONSOLE

RESULT = '{"outcome":"completed","deferred":false,"summary":"2 files"}\n'
ENDED = "[2025-11-21T14:03:00.000Z] [PID:7] [INFO] Run abc of backup: completed 2 files\n"


def read(*parts: str, told: bool = True, whole: bool = False) -> str:
    log = RunLog("abc", whole=whole)
    return "".join([*map(log.feed, parts), log.finish(told=told)])


@pytest.mark.parametrize(
    "parts", [(f"one\n{RESULT}{ENDED}",), ("one\n", RESULT, ENDED), tuple(f"one\n{RESULT}{ENDED}")]
)
def test_the_result_and_the_runners_word_are_left_out_however_the_log_grows(parts):
    assert read(*parts) == "one\n"


def test_a_program_gets_everything():
    assert read("one\n", RESULT, ENDED, whole=True) == f"one\n{RESULT}{ENDED}"


def test_what_is_said_after_the_result_is_printed():
    assert read(RESULT, "warning: slow\n", ENDED) == "warning: slow\n"


def test_only_the_last_of_several_results_is_the_result():
    assert read(RESULT, "two\n", RESULT) == f"{RESULT}two\n"


def test_a_line_that_much_follows_is_no_result():
    after = "".join(f"line {number}\n" for number in range(12))
    assert read(RESULT, after) == RESULT + after


def test_a_result_that_is_told_nowhere_else_is_printed():
    assert read("one\n", RESULT, told=False) == f"one\n{RESULT}"


@pytest.mark.parametrize("text", ['{"level":"info"}\n', "{not json\n", "{", "[x] no end", "50%\r60%\r", "no newline"])
def test_everything_else_is_printed_as_it_is(text):
    assert read(text) == text


def test_a_line_without_an_end_is_printed_at_once():
    assert RunLog("abc", whole=False).feed("working ...") == "working ..."


def on_a_terminal(root, *arguments: str) -> str:
    """Return what the command prints on a terminal."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.Popen(
            [*NEO_CONSOLE, *arguments], cwd=root, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # its last end was closed
            pass
        assert done.wait(timeout=30) == 0
    finally:
        os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def test_a_job_on_a_terminal_ends_with_one_line_for_people(console, root):
    (root / "notes.md").write_text("lease")
    *lines, last = on_a_terminal(root, "run", "kbSync").splitlines()
    assert lines == [f"2 files to look at in {root}"]
    assert last.startswith("✓ completed: kbSync ")
    assert "took" in last
    assert "2 files indexed: 2 added" in last


def test_a_detached_start_says_on_a_terminal_how_to_follow_it(console, root, until):
    shown = on_a_terminal(root, "run", "quick", "--detach")
    run_id = console.runs()[0].run_id
    assert shown == f"started quick, run {run_id}; follow it with: neo-console logs {run_id} -f\n"
    until(lambda: console.runs()[0].outcome, what="its end")
