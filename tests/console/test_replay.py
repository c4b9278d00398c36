"""The replay of an incident on every size: the time and the level always in sight, the first trees at once."""

from __future__ import annotations

import pytest

from screenshots.fixtures import pressed

from .test_memory import in_replay


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_the_replay_has_its_first_trees_in_sight_and_its_time_always(machine, open_console, size):
    machine.picture = pressed()
    async with open_console(size=size) as desk:
        await in_replay(desk)
        assert "Incident 3" in desk.screen_text()
        for part in ("dream  ", "code 2201  ", "chroma  ", "▲"):
            assert part in desk.screen_text()
        await desk.press("G")
        assert "▲" not in desk.screen_text() or size[1] == 40
        assert "14:00:12 2s into it  ◐ ELEVATED" in desk.screen_text()
