"""The committed screenshots are what the code draws."""

from __future__ import annotations

import pytest

from screenshots.render import SHOTS, draw, path_of


@pytest.mark.parametrize("shot", SHOTS, ids=lambda shot: shot.name)
async def test_the_screenshot_is_current(shot):
    drawn = await draw(shot)
    kept = path_of(shot).read_text(encoding="utf-8")
    assert drawn == kept, f"{path_of(shot)} is out of date: run python -m screenshots.render and look at the result"


def test_no_screenshot_is_left_over():
    assert {path.name for path in path_of(SHOTS[0]).parent.glob("*.svg")} == {f"{shot.name}.svg" for shot in SHOTS}
    assert len(SHOTS) <= 16
