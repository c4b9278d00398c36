"""What does not stop the schedule: many light tasks at once, and a record of memory that is of no use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neo_core.ledger.models import Outcome


def test_many_light_tasks_that_are_due_start_a_few_at_a_time_and_all_of_them_soon(place):
    names = [f"light{number}" for number in range(10)]
    tasks = "".join(place.job(name) + 'class = "light"\nevery = "1h"\n' for name in names)
    place.configure('[orchestrator]\npoll_every = "5s"\n' + tasks, fast=False)
    process = place.up()
    place.until(lambda: all(place.ended(name) for name in names))
    assert place.down(process) == 0
    assert place.log().count("10 light tasks are due: starting 4 at a time") == 1
    assert [row.outcome for row in place.rows()] == [Outcome.COMPLETED] * len(names)
    asked = sorted(row.requested_at for row in place.rows())
    assert asked[4] - asked[3] > 0.4
    assert asked[8] - asked[7] > 0.4


def test_one_poll_that_was_asked_for_starts_every_light_task(place):
    names = [f"light{number}" for number in range(6)]
    place.configure("".join(place.job(name) + 'class = "light"\nevery = "1h"\n' for name in names))
    assert place.run("--once").wait(timeout=20) == 0
    place.until(lambda: all(place.ended(name) for name in names))


@pytest.mark.parametrize(
    "error", ["LedgerError('ledger x', 'is damaged', 'Wait.')", "OSError(5, 'Bad')", "ValueError('x')"]
)
def test_a_record_of_memory_that_cannot_be_read_stops_no_poll(place, error):
    place.configure(place.job("a") + 'every = "300ms"\n')
    script = (
        "import sys\nfrom neo_core.commands.orchestrator import main\nfrom neo_core.errors import LedgerError\n"
        "from neo_core.orchestrator.reading import Reading\n"
        f"def memory(*given):\n raise {error}\n"
        "Reading.memory = memory\nsys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, "run", "--workspace", str(place.root)])
    try:
        place.until(lambda: len(place.ended("a")) > 2)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert place.log().count("[ERROR] The memory's record cannot be read") == 1
    assert "Trying again" not in place.log()


def test_trouble_with_recording_memory_is_said_once_and_not_over_at_each_turn_between_samples(place):
    place.configure(place.job("a") + 'every = "300ms"\n[memory]\nsample_every = "1s"\n')
    script = (
        "import sys\nfrom neo_core.commands.orchestrator import main\nfrom neo_core.errors import LedgerError\n"
        "from neo_core.recorder.recorder import Recorder\n"
        "def record(*given):\n"
        " open('samples', 'a').write('x')\n"
        " raise LedgerError('ledger x', 'is full', 'Wait.')\n"
        "Recorder._record = record\nsys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, "run", "--workspace", str(place.root)], cwd=place.root)
    samples = place.root / "samples"
    try:
        place.until(lambda: samples.exists() and len(samples.read_text()) > 2)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert place.log().count("[ERROR] Trying again:") == 1
    assert "is over" not in place.log()
