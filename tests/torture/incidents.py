"""Memory incidents with a known culprit: real processes grow, the recorder must name the one that did.

The processes, their memory and its measurement are real; pressure and time come from the script, because a machine that
has room cannot be squeezed. Each round plays every scene once.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from .report import Report
from .squeezed import MIB, Scene


def balloon(scene):
    """A run that grows at once."""
    return _one_grows(scene, "run", "culprit", "grow 300")


def service(scene):
    """A service that grows at once."""
    return _one_grows(scene, "service", "culprit", "grow 300")


def outside(scene):
    """A process that is not ours at all."""
    process = _innocents(scene) or scene.worker("stranger", kind="other")
    scene.play(600)
    scene.tell("stranger", "grow 300")
    scene.play(30, some=40)
    return f"pid {process.pid}"


def slow_leak(scene):
    """A service that leaks a little in every minute before the pressure."""
    _innocents(scene)
    scene.worker("leak", kind="service")
    for _ in range(10):
        scene.play(60)
        scene.tell("leak", "grow 12")
    scene.play(30, some=40)
    return "leak"


def one_file_twice(scene):
    """Two services map the same big file, which RSS counts twice; a run grows by more than the file's half."""
    model = scene.folder / "model"
    model.write_bytes(b"m" * (400 * MIB))
    for name in ("first", "second"):
        scene.worker(name, kind="service")
    scene.worker("culprit")
    scene.play(600)
    for name in ("first", "second"):
        scene.tell(name, f"map {model}")
    scene.tell("culprit", "grow 300")
    scene.play(30, some=40)
    return "culprit"


def big_but_static(scene):
    """A service that is by far the biggest and does not move."""
    scene.worker("giant", kind="service")
    scene.tell("giant", "grow 900")
    return _one_grows(scene, "run", "culprit", "grow 100")


def many_children(scene):
    """A run whose children are many and small."""
    return _one_grows(scene, "run", "culprit", "fork 40 10")


def copy_on_write(scene):
    """A static service forks: its children's RSS is huge, their cost is nothing."""
    scene.worker("forker", kind="service")
    scene.tell("forker", "share 300")
    _innocents(scene)
    scene.worker("culprit")
    scene.play(600)
    scene.tell("forker", "fork 6 0")
    scene.tell("culprit", "grow 200")
    scene.play(30, some=40)
    return "culprit"


def late_run(scene):
    """A run that began only a moment before the pressure."""
    _innocents(scene)
    scene.play(600)
    scene.worker("late")
    scene.tell("late", "grow 250")
    scene.play(30, some=40)
    return "late"


def gone_before_the_end(scene):
    """A run that grew, and was gone when the pressure ended."""
    _innocents(scene)
    scene.worker("culprit")
    scene.play(600)
    scene.tell("culprit", "grow 300")
    scene.play(20, some=40)
    scene.end("culprit")
    scene.play(30, some=20)
    return "culprit"


def two_grow(scene):
    """Two grow, one twice as much."""
    _innocents(scene)
    scene.worker("more")
    scene.worker("less", kind="service")
    scene.play(600)
    scene.tell("less", "grow 100")
    scene.tell("more", "grow 200")
    scene.play(30, some=40)
    return "more"


def one_shrinks(scene):
    """A big one shrinks while a small one grows."""
    _innocents(scene)
    scene.worker("shrinks", kind="service")
    scene.tell("shrinks", "grow 500")
    scene.worker("culprit")
    scene.play(600)
    scene.tell("shrinks", "drop")
    scene.tell("culprit", "grow 80")
    scene.play(30, some=40)
    return "culprit"


def restarted_service(scene):
    """A service is restarted and is as big as before, which is no growth."""
    _innocents(scene)
    scene.worker("again", kind="service")
    scene.tell("again", "grow 400")
    scene.worker("culprit")
    scene.play(600)
    scene.end("again")
    scene.worker("again", kind="service")
    scene.tell("again", "grow 400")
    scene.tell("culprit", "grow 150")
    scene.play(30, some=40)
    return "culprit"


def grows_during(scene):
    """The culprit grows only after the pressure has begun for a small reason."""
    _innocents(scene)
    scene.worker("small")
    scene.worker("culprit", kind="service")
    scene.play(600)
    scene.tell("small", "grow 40")
    scene.play(20, some=40)
    scene.tell("culprit", "grow 300")
    scene.play(30, some=40)
    return "culprit"


SCENES = (
    balloon,
    service,
    outside,
    slow_leak,
    one_file_twice,
    big_but_static,
    many_children,
    copy_on_write,
    late_run,
    gone_before_the_end,
    two_grow,
    one_shrinks,
    restarted_service,
    grows_during,
)
MAY_BE_NAMED_TOO = {
    one_file_twice: {"first", "second"},
    two_grow: {"less"},
    grows_during: {"small"},
}


def run(options):
    """Play every scene ``rounds`` times; an error is a wrong name at the top, or a static tree named at all."""
    report = Report("incidents")
    right = 0
    for _ in range(options.rounds):
        for scene in SCENES:
            report.rounds += 1
            wrong = _played(scene)
            right += not wrong
            if wrong:
                report.broken("errors", f"{scene.__name__}: {wrong}")
    report.figures["scenes"] = len(SCENES)
    report.figures["top_ranked_right"] = right
    report.notes.append("processes and memory are real; pressure and time are the script's")
    return report


def _played(play):
    """Return what was wrong; empty when the culprit stands at the top and nothing static was named."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".neo-ai-data").mkdir()
        scene = Scene(folder)
        try:
            culprit = play(scene)
            named = scene.named()
        finally:
            scene.close()
    if named[:1] != [culprit]:
        return f"{culprit} should be first in {named}"
    extra = [owner for owner in named[1:] if owner not in MAY_BE_NAMED_TOO.get(play, set())]
    return f"{extra} did not grow" if extra else ""


def _innocents(scene):
    """Start what is there and does not move: a run and a service of ordinary size."""
    for name, kind in (("quiet-run", "run"), ("quiet-service", "service")):
        scene.worker(name, kind=kind)
        scene.tell(name, "grow 60")


def _one_grows(scene, kind, name, command):
    _innocents(scene)
    scene.worker(name, kind=kind)
    scene.play(600)
    scene.tell(name, command)
    scene.play(30, some=40)
    return name
