"""Whatever is wrong, one clear message says what, why and how to mend it; and nothing of the user's is lost."""

from __future__ import annotations

import bad_configuration
import bad_state
import bad_world
import pytest
from bad_case import CannotTryError, attempt

CASES = (*bad_configuration.CASES, *bad_state.CASES, *bad_world.CASES)


def test_each_case_has_a_name_of_its_own_and_there_are_many():
    assert len({case.id for case in CASES}) == len(CASES) >= 45


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input(case, tmp_path):
    try:
        answer = attempt(case, tmp_path / "case")
    except CannotTryError as error:
        pytest.skip(str(error))
    assert "Traceback" not in answer.output
    assert "Exception ignored" not in answer.output
    assert answer.code == case.code, answer.output
    assert len(answer.messages) == 1, answer.output
    assert [word for word in case.words if word not in answer.messages[0]] == [], answer.messages[0]
    assert answer.lost == ()
