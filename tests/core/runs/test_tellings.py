"""What a command's last lines mean, and what they must not be taken for."""

from __future__ import annotations

import os

import pytest

from neo_core.ledger.models import Outcome
from neo_core.runs.outcome import judge_exit

HELD = "heavy-maintenance-lease-held"
UPSTREAM = "⏸️  Deferred: heavy-maintenance lease held by 'x' (reason='y', pid=1, acquiredAt=z)."
NESTED = "deferred: b did not start: every task is paused until ended by hand (a [talk]) [paused]"


@pytest.mark.parametrize(
    ("lines", "outcome", "code"),
    [
        (["working", "done"], Outcome.COMPLETED, ""),
        (['{"deferred": true, "reasonCode": "busy"}'], Outcome.DEFERRED, "busy"),
        (['{"deferred": true, "reason": null}'], Outcome.DEFERRED, HELD),
        (['{"deferred": true, "reasonCode": 7}'], Outcome.DEFERRED, HELD),
        (['{"deferred": true}', "npm notice on stderr"], Outcome.DEFERRED, HELD),
        (['{"deferred": true}', *["work"] * 10], Outcome.COMPLETED, ""),
        (
            ['{"level": "info"}', UPSTREAM, "   This script will not run"],
            Outcome.DEFERRED,
            "heavy-maintenance-lease-held",
        ),
        ([UPSTREAM, '{"level": "info"}'], Outcome.DEFERRED, HELD),
        ([UPSTREAM, '{"outcome": "completed"}'], Outcome.COMPLETED, ""),
        ([NESTED, "Clears when: neo-console unpause. Details: neo-console why b"], Outcome.DEFERRED, "paused"),
        (["skipped: b did not start: b is already running (1f) [already-running]"], Outcome.SKIPPED, "already-running"),
        (["deferred: the rest did not start"], Outcome.COMPLETED, ""),
        (['{"outcome": "skipped", "reasonCode": "wrong-branch"}'], Outcome.SKIPPED, "wrong-branch"),
        (['{"outcome": "completed", "reasonCode": "up-to-date"}'], Outcome.COMPLETED, "up-to-date"),
        (['{"deferred": "yes"}'], Outcome.COMPLETED, ""),
        (["{" * 5000], Outcome.COMPLETED, ""),
        (
            ['{"outcome": "skipped", "reasonCode": "dirty", "details": "' + "x" * 200_000 + '"}'],
            Outcome.SKIPPED,
            "dirty",
        ),
    ],
)
def test_the_last_telling_line_decides(tmp_path, lines, outcome, code):
    log = tmp_path / "log"
    log.write_text("\n".join(lines) + "\n")
    ending = judge_exit(0, log, 0)
    assert (ending.outcome, ending.reason_code) == (outcome, code)


def test_a_failures_reason_is_the_commands_line_and_not_its_runners(tmp_path):
    log = tmp_path / "log"
    log.write_text(f"boom\n[2026-01-01T00:00:00.000Z] [PID:{os.getpid()}] [INFO] The command ended; waiting\n")
    assert judge_exit(3, log, 0).reason == "exit code 3: boom"


def test_what_an_earlier_run_wrote_does_not_count(tmp_path):
    log = tmp_path / "log"
    log.write_text('{"deferred": true}\n')
    assert judge_exit(0, log, log.stat().st_size).outcome is Outcome.COMPLETED
