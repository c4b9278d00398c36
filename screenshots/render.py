"""Draw the screenshots from fixed snapshots: ``python -m screenshots.render``; a test compares them with the code."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neo_console.app import NeoConsole
from neo_core.config import Config, ConsoleConfig
from neo_core.durations import Duration
from screenshots.drawn import LOOK_EVERY, drawn, press
from screenshots.engine import FixedEngine
from screenshots.fixtures import first_run, killed_keeper, pressed, snapshot, trouble, unreadable_lease
from screenshots.parts import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.snapshot import Snapshot

FOLDER = Path(__file__).parent
WIDE = (120, 40)


class Shot(NamedTuple):
    """One screenshot: the picture, the keys pressed before, the size, the theme."""

    name: str
    picture: Callable[[], Snapshot]
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    theme: str = "neo-dark"


SHOTS = (
    Shot("held", snapshot),
    Shot("held-light", snapshot, theme="neo-light"),
    Shot("first-run", first_run),
    Shot("why", snapshot, ("down", "w")),
    Shot("unreadable-lease", unreadable_lease),
    Shot("start", first_run, ("t",)),
    Shot("help", snapshot, ("question_mark",)),
    Shot("narrow", snapshot, ("3",), (80, 24)),
    Shot("trouble", trouble),
    Shot("trouble-small", trouble, size=(80, 24), theme="neo-light"),
    Shot("orchestrator-killed", killed_keeper),
    Shot("why-service", trouble, ("G", "k", "k", "w")),
    Shot("service", trouble, ("G", "k", "k", "enter")),
    Shot("start-orchestrator", first_run, ("o",)),
    Shot("health", trouble, ("h",)),
    Shot("memory", pressed),
)


async def draw(shot: Shot) -> str:
    """Return one screenshot as SVG."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    engine = FixedEngine(shot.picture())
    config = Config(console=ConsoleConfig(theme=shot.theme, refresh_every=Duration(3600)))
    app = NeoConsole(lambda: engine, config, workspace_name="/home/ada/neo", now=lambda: NOW)
    async with app.run_test(size=shot.size) as pilot:
        async with asyncio.timeout(10):
            while app.picture.snapshot is None:
                await pilot.pause(LOOK_EVERY)
        await drawn(pilot)
        await press(pilot, *shot.keys)
        return app.export_screenshot(title="neo-console", simplify=True)


def path_of(shot: Shot) -> Path:
    """Return where a screenshot is kept."""
    return FOLDER / f"{shot.name}.svg"


def main() -> None:
    """Draw them all."""
    for shot in SHOTS:
        path_of(shot).write_text(asyncio.run(draw(shot)), encoding="utf-8")
        print(path_of(shot))


if __name__ == "__main__":
    main()
