"""Steps against what costs memory: everything heavy deferred, a model unloaded, a stray ended."""

from __future__ import annotations

from neo_core.ledger.reliefs import ReliefKind, ReliefResult
from neo_core.schedule.decision import Reason
from neo_core.snapshot import TaskState

from .scene import MODEL, SERVICES, STARVED, STRAY
from .steps import step

PAGE = "Relieve the memory"
MARKS = ("‖ defer", "◍ end", "▿ unload", "⊘ stop")
MIB = 1024 * 1024


@step("relief")
def what_could_be_done_and_is_not(walk):
    walk.press("m")
    walk.see("‖ defer everything heavy", within=PAGE)
    _choose(walk, f"▿ unload {MODEL}")
    walk.see("127.0.0.1", "measured and recorded", within=f"Unload {MODEL}?")
    walk.back(f"Unload {MODEL}?", key="enter")
    walk.back(PAGE)
    walk.never(walk.scene.relieved, "a relief after Cancel")


@step("relief", acts=True)
def unload_a_model(walk):
    walk.press("m")
    _choose(walk, f"▿ unload {MODEL}")
    walk.see_frame(f"Unload {MODEL}?")
    walk.confirm(f"Unload {MODEL}?")
    walk.world(lambda: _unloaded(walk), "the model's server was asked, and what that freed was measured")
    walk.see("answered with 200", within=PAGE)
    walk.back(PAGE)
    walk.select(SERVICES[0])
    walk.press("l")
    walk.see("unloaded", within="Log · ")
    walk.back("Log · ")


@step("relief", acts=True)
def defer_everything_heavy_and_let_it_start_again(walk):
    walk.see("○ FREE")
    before = len(walk.scene.runs(STARVED))
    walk.press("m")
    walk.see("‖ defer everything heavy", within=PAGE)
    walk.press("enter")
    walk.see("For how long", "1h", within="Defer everything heavy")
    walk.go_on_to("for example", "enter")
    walk.press(*"it swaps", "enter")
    walk.see_no_frame("Defer everything heavy")
    walk.see("nothing heavy starts until", "it swaps", within=PAGE)
    walk.back(PAGE)
    walk.see("nothing heavy starts until", "it swaps")
    walk.world(lambda: walk.scene.heavy_deferral().because == "it swaps", "everything heavy is deferred")
    (walk.scene.root / "again").touch()
    walk.world(lambda: walk.scene.latest(STARVED).reason_code == Reason.HEAVY_DEFERRED, f"{STARVED} was deferred")
    walk.select(STARVED)
    walk.press("t")
    walk.see("press m to let heavy tasks")
    walk.press("w")
    walk.see("everything heavy is deferred", within=f"Why · {STARVED}")
    walk.back("Why")
    walk.press("3")
    walk.open_first(STARVED)
    walk.see("deferred", "everything heavy is deferred", within=f"Detail · {STARVED}")
    walk.back("Detail")
    walk.press("m")
    walk.see("‖ defer everything heavy", within=PAGE)
    walk.press("enter")
    walk.see("it swaps", STARVED, within="Let heavy tasks start again?")
    walk.confirm("Let heavy tasks start again?", "Let them start")
    walk.world(lambda: walk.scene.heavy_deferral() is None, "nothing is deferred any more")
    walk.back(PAGE)
    walk.see("heavy tasks may start again")
    walk.see_gone("nothing heavy starts")
    walk.world(lambda: len(walk.scene.runs(STARVED)) > before, f"{STARVED} has started")
    walk.world(lambda: walk.scene.task(STARVED).state is not TaskState.RUNNING, f"{STARVED} has ended")


@step("stop", acts=True)
def end_a_stray(walk):
    stray = walk.scene.leave_stray()
    served = walk.pid(SERVICES[0])
    title = f"Stop {STRAY} (pid {stray.pid})?"
    walk.press("2")
    walk.filter("status:second")
    walk.see("◍", SERVICES[0], f"└ {STRAY}", f"{stray.pid}", within="2 Processes")
    walk.press("g", "j", "enter")
    walk.find("earlier start of service", within=f"Detail · {STRAY} ({stray.pid})")
    walk.back("Detail")
    walk.press("X")
    walk.see("goes from asking to a kill by itself", "press x to stop it")
    walk.press("x")
    walk.see("second instance", "asked to end", within=title)
    walk.back(title, key="enter")
    walk.never(lambda: stray.returncode is not None, "a stray ended by Cancel")
    walk.press("x")
    walk.see_frame(title)
    walk.confirm(title, f"Stop {STRAY}")
    walk.world(lambda: stray.returncode is not None, "the stray is gone")
    walk.see("ended when asked")
    walk.see_gone(f"{stray.pid}", within="2 Processes")
    walk.press("escape")
    walk.see_gone("esc clears")
    walk.never(lambda: walk.pid(SERVICES[0]) != served, f"{SERVICES[0]} was ended, too")


def _choose(walk, option):
    """Open the preview of one of the page's options; the first of them is selected when it opens."""
    walk.see(option, within=PAGE)
    rows = [line for line in walk.lines(PAGE) if any(mark in line for mark in MARKS)]
    walk.press(*("j" for _ in range(next(row for row, line in enumerate(rows) if option in line))), "enter")


def _unloaded(walk):
    done = [one for one in walk.scene.relieved() if one.kind is ReliefKind.UNLOAD]
    return bool(done) and done[0].result is ReliefResult.DONE and (done[0].freed or 0) > 8 * MIB
