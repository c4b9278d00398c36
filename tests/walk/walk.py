"""One walk: every step in its order, each failure with the screen on which something was missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from . import acting, browsing, looking, refused, relieving, remembering  # noqa: F401 - each fills the table of steps
from .steps import STEPS
from .walker import MissingError, Walker

SIZES = {"120x40": (120, 40), "80x24": (80, 24), "60x16": (60, 16)}


@dataclass
class Report:
    """What a walk found; ``failures`` has a line and a screen for each step that failed."""

    terminal: str
    size: str
    look: str
    done: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self):
        """Return it as one object."""
        return asdict(self) | {"done": len(self.done)}


def walk_through(scene, *, kind, size, look, acts=True, only=None):
    """Walk over ``scene`` and return the report; ``acts`` includes what changes the world."""
    report = Report(kind, size, look)
    scene.configure(look)
    scene.ready()
    if acts:
        scene.leave_stray()
    walker = Walker(scene, kind=kind, size=SIZES[size], look=look)
    try:
        walker.see("10 tasks · 2 services", "q quit")  # keys that come before the first rows move nothing
        for step in sorted(STEPS, key=lambda one: one.acts):
            if (acts or not step.acts) and (not only or step.action in only):
                _done(report, walker, f"{step.action or 'screen'}: {step.name}", step.walk)
        _done(report, walker, "quit: leave", acting.leave)
    except MissingError as missing:
        report.failures.append(f"open: {missing}")
    finally:
        walker.close()
    return report


def _done(report, walker, name, walk):
    try:
        walk(walker)
    except MissingError as missing:
        report.failures.append(f"{name}: {missing}")
        _go_back(walker)
    else:
        report.done.append(name)


def _go_back(walker):
    """Leave what a failed step left open."""
    for _ in range(3):
        if walker.terminal.exit_code() is not None:
            return
        walker.press("escape")
        walker.pause()
