"""Whatever is wrong, one clear message says what, why and how to mend it; and nothing of the user's is lost."""

from __future__ import annotations

import bad_configuration
import bad_state
import bad_world
import pytest
from bad_case import CannotTryError, attempt, typed

from neo_console.cli.main import main

CASES = (*bad_configuration.CASES, *bad_state.CASES, *bad_world.CASES)


def test_each_case_has_a_name_of_its_own_and_there_are_many():
    assert len({case.id for case in CASES}) == len(CASES) >= 45


@pytest.fixture
def called(monkeypatch, capfd):
    """Call the command in this process: what is read from one file is told the same as by a process of its own."""

    def call(case, place):
        monkeypatch.chdir(place.cwd)
        code = main(case.command.split()[1:])
        return code, "".join(capfd.readouterr())

    return call


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input(case, tmp_path, called):
    try:
        answer = attempt(case, tmp_path / "case", called if case.called else typed)
    except CannotTryError as error:
        pytest.skip(str(error))
    assert "Traceback" not in answer.output
    assert "Exception ignored" not in answer.output
    assert answer.code == case.code, answer.output
    assert len(answer.messages) == 1, answer.output
    assert [word for word in case.words if word not in answer.messages[0]] == [], answer.messages[0]
    assert answer.lost == ()
