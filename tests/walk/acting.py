"""Steps that change the world: what the screen says afterwards must be so behind it. Each brings the world back."""

from __future__ import annotations

from neo_core.ledger.models import Outcome, ServiceState
from neo_core.processes.source import is_alive, system_source
from neo_core.snapshot import OrchestratorState, TaskState

from .scene import HOLDER, LIGHT, NEVER, SERVICES, STARVED
from .steps import step
from .walker import Walker

FIRST, SECOND = SERVICES


@step("trigger", acts=True)
def start_a_task(walk):
    before = len(walk.scene.runs(LIGHT))
    walk.select(LIGHT)
    walk.press("t")
    walk.see("it runs beside everything else", within=f"Start {LIGHT}?")
    walk.confirm(f"Start {LIGHT}?")
    walk.see_no_frame(f"Start {LIGHT}?")
    walk.see(f"{LIGHT} started as run", "l shows its log")
    walk.world(lambda: _ended(walk, LIGHT, before) is Outcome.COMPLETED, f"{LIGHT} ran and ended well")
    _see_outcome(walk, LIGHT, "✓ completed")
    walk.select(LIGHT)
    walk.press("l")
    walk.see("a digest of the day", "completed", within="Log · ")
    walk.back("Log · ")


@step("trigger", acts=True)
def restart_a_service(walk):
    was = walk.pid(FIRST)
    walk.select(FIRST)
    walk.press("t")
    walk.see(f"service {FIRST}: running", f"pid {was}", within=f"Restart {FIRST}?")
    walk.confirm(f"Restart {FIRST}?")
    walk.see(f"{FIRST} will be restarted by the orchestrator")
    now = walk.pid(FIRST, other_than=was)
    walk.press("enter")
    walk.see("● running", f"{now}", within=f"Detail · {FIRST}")
    walk.back("Detail")


@step("defer", acts=True)
def defer_a_task_and_resume_it(walk):
    walk.select(LIGHT)
    walk.press("d")
    walk.see("For how long", "1h", within=f"Defer {LIGHT}")
    walk.go_on_to("for example", "enter")
    walk.press("enter")
    walk.see("Why? A few words", within=f"Defer {LIGHT}")
    walk.press(*"walking by", "enter")
    walk.see(f"{LIGHT} is snoozed until", "d again resumes it")
    walk.world(lambda: walk.scene.task(LIGHT).snoozed_because == "walking by", "the deferral is kept")
    walk.press("w")
    walk.see("snoozed", within=f"Why · {LIGHT}")
    walk.find("✗ block", within=f"Why · {LIGHT}")
    walk.back("Why")
    walk.press("t")
    walk.see("press d to resume it")
    walk.press("d")
    walk.see("walking by", within=f"Resume {LIGHT}?")
    walk.confirm(f"Resume {LIGHT}?")
    walk.see(f"{LIGHT} is resumed")
    walk.world(lambda: walk.scene.task(LIGHT).snoozed_until is None, "the deferral is over")


@step("pause", acts=True)
def pause_everything_and_end_it(walk):
    walk.press("P")
    walk.see("until somebody ends it: no task starts; what runs goes on", within="Pause every task")
    walk.go_on_to("for example", "enter")
    walk.press(*"measuring", "enter")
    walk.see("every task is paused", "P again ends it")
    walk.see("‖ PAUSED no task starts: measuring", "P ends it")
    walk.world(lambda: walk.scene.task(STARVED).state is TaskState.PAUSED, "tasks are paused")
    walk.press("?")
    walk.see("‖ PAUSED", within="Help · every key")
    walk.back("Help")
    walk.select(LIGHT)
    walk.press("t")
    walk.see("press P to end the pause")
    walk.press("P")
    walk.see("measuring", "what is due may start again", within="End the pause?")
    walk.back("End the pause?")
    walk.see("‖ PAUSED")
    walk.press("P")
    walk.see_frame("End the pause?")
    walk.confirm("End the pause?")
    walk.see("the pause is ended")
    walk.see_gone("‖ PAUSED")
    walk.world(lambda: walk.scene.task(STARVED).state is TaskState.WAITING, "tasks wait for their turn again")


@step("stop", acts=True)
def stop_a_service_and_start_it(walk):
    walk.select(SECOND)
    walk.press("x")
    walk.see("then it stays stopped", within=f"Stop {SECOND}?")
    walk.back(f"Stop {SECOND}?", key="enter")
    walk.never(lambda: not walk.scene.service(SECOND).wanted, f"{SECOND} was stopped by Cancel")
    walk.press("x")
    walk.see_frame(f"Stop {SECOND}?")
    walk.confirm(f"Stop {SECOND}?")
    walk.see(f"{SECOND} will be stopped by the orchestrator, and stays so")
    walk.world(lambda: walk.scene.service(SECOND).state is ServiceState.STOPPED, f"{SECOND} is stopped")
    walk.see("○ stopped", within="1 Schedule")
    walk.press("x")
    walk.see(f"{SECOND} is stopped already", "press t to start it")
    walk.press("t")
    walk.see("starts it now and keeps it running", within=f"Start {SECOND}?")
    walk.confirm(f"Start {SECOND}?")
    walk.see(f"{SECOND} will be started by the orchestrator")
    walk.pid(SECOND)


@step("refresh", acts=True)
def a_new_picture_when_it_is_asked_for(walk):
    scene = walk.scene
    scene.configure(walk.look, refresh="1h")
    seldom = Walker(scene, kind=walk.kind, size=walk.size, look=walk.look)
    try:
        seldom.see("● HELD", HOLDER)
        seldom.select(NEVER)
        scene.engine.defer(NEVER, 3600.0, "said elsewhere once")
        seldom.never(lambda: "d resume" in seldom.text(), "a new picture that nobody asked for")
        seldom.press("r")
        seldom.see("d resume")
    finally:
        seldom.close()
        scene.engine.resume(NEVER)
        scene.configure(walk.look)


@step("freeze", acts=True)
def frozen_tables_do_not_move(walk):
    walk.select(LIGHT)
    walk.see(f"⊘ {LIGHT}")
    walk.press("p")
    walk.see("FROZEN")
    walk.scene.engine.defer(LIGHT, 3600.0, "said elsewhere")
    walk.press("t")
    walk.see(f"{LIGHT} is snoozed until")
    walk.never(lambda: f"◑ {LIGHT}" in walk.text(), "a frozen table that moved")
    walk.press("p")
    walk.select(LIGHT)
    walk.see(f"◑ {LIGHT}")
    walk.scene.engine.resume(LIGHT)
    walk.see_gone(f"◑ {LIGHT}")


@step("incidents", acts=True)
def an_incident_as_files(walk):
    walk.press("i")
    walk.see("critical", within="Memory incidents")
    walk.press("e")
    walk.see("incident 1 is exported to")
    walk.back("Memory incidents")
    exported = list(walk.scene.workspace.state.rglob("*incident*"))
    walk.never(lambda: len(exported) < 2, "an export without its files")


@step("stop", acts=True)
def stop_the_run_that_holds_the_lease(walk):
    run = walk.scene.runs(HOLDER)[0]
    before = len(walk.scene.runs(STARVED))
    walk.select(HOLDER)
    walk.press("x")
    walk.see(f"run {run.run_id}", "asked to end", "Cancel", within=f"Stop {HOLDER}?")
    walk.back(f"Stop {HOLDER}?")
    walk.never(lambda: not walk.scene.runs(HOLDER)[0].live, "a run stopped by esc")
    walk.press("x")
    walk.see_frame(f"Stop {HOLDER}?")
    walk.confirm(f"Stop {HOLDER}?")
    walk.see(f"{HOLDER} (run {run.run_id[:8]}) was asked to end", "its outcome will be a row")
    walk.world(lambda: walk.scene.runs(HOLDER)[0].outcome is Outcome.CANCELLED, "the run is recorded as cancelled")
    walk.world(lambda: _ended(walk, STARVED, before) is Outcome.COMPLETED, "what starved has run")
    walk.see("○ FREE")
    _see_outcome(walk, HOLDER, "⊘ cancelled")


@step("trigger", acts=True)
def no_start_while_the_lease_is_unreadable(walk):
    walk.see("○ FREE")
    walk.scene.spoil_lease()
    try:
        walk.see("✗ UNREADABLE", "✗ LEASE", "nothing heavy starts")
        walk.select(HOLDER)
        walk.press("t")
        walk.see("the lease file", "press w for why, d to defer")
        walk.press("w")
        walk.see("the lease file", "nothing heavy starts", within=f"Why · {HOLDER}")
        walk.find("✗ block", within=f"Why · {HOLDER}")
        walk.back("Why")
        walk.press("h")
        walk.see("unhealthy", "lease", within="Health · every cause")
        walk.back("Health")
    finally:
        walk.scene.mend_lease()
    walk.see("○ FREE")
    walk.see_gone("UNREADABLE")


@step("trigger", acts=True)
def start_the_run_that_holds_the_lease(walk):
    walk.select(HOLDER)
    walk.press("t")
    walk.see("takes the heavy lease", within=f"Start {HOLDER}?")
    walk.confirm(f"Start {HOLDER}?")
    walk.see("● HELD", HOLDER, f"{HOLDER} started as run")
    walk.world(lambda: walk.scene.engine.snapshot().lease.value.owner == HOLDER, "the lease is held")


@step("force-stop", acts=True)
def stop_a_run_by_force(walk):
    run = walk.scene.runs(HOLDER)[0]
    walk.select(HOLDER)
    walk.press("X")
    walk.see("killed at once", f"type {HOLDER}", within=f"Force stop {HOLDER}?")
    walk.press("r")
    walk.see_gone(f"type {HOLDER}", within=f"Force stop {HOLDER}?")
    walk.press(*"eind", "enter")
    walk.see(" reind ", within=f"Force stop {HOLDER}?")
    walk.never(lambda: not walk.scene.runs(HOLDER)[0].live, "a run stopped by half its name")
    walk.press(*"ex", "enter")
    walk.see_no_frame(f"Force stop {HOLDER}?")
    walk.see(f"{HOLDER} (run {run.run_id[:8]}) was asked to end at once")
    walk.world(lambda: walk.scene.runs(HOLDER)[0].outcome is Outcome.CANCELLED, "the run is recorded as cancelled")
    walk.world(lambda: not is_alive(run.runner, system_source()), "its runner has ended")
    walk.see("○ FREE")


@step("orchestrator", acts=True)
def stop_the_orchestrator_and_start_it(walk):
    was = walk.scene.keeper().pid
    served = [walk.pid(name) for name in SERVICES]
    walk.press("o")
    walk.see(f"pid {was}", "nothing starts by itself any more", within="Stop the orchestrator?")
    walk.back("Stop the orchestrator?", key="enter")
    walk.never(lambda: walk.scene.keeper().state is OrchestratorState.STOPPED, "an end by Cancel")
    walk.press("o")
    walk.see_frame("Stop the orchestrator?")
    walk.confirm("Stop the orchestrator?")
    walk.see("the orchestrator was asked to end; runs go on")
    walk.see("STOPPED", "o starts it")
    walk.world(lambda: walk.scene.keeper().state is OrchestratorState.STOPPED, "it is gone")
    walk.select(FIRST)
    walk.press("t")
    walk.see("the orchestrator is not running", "press o to start it")
    walk.press("o")
    walk.see("a process that outlives this console", f"keeps {FIRST}, {SECOND}", within="Start the orchestrator?")
    walk.confirm("Start the orchestrator?")
    walk.see("the orchestrator runs as pid", "L shows its log")
    walk.world(lambda: walk.scene.keeper().state is OrchestratorState.RUNNING, "it runs")
    walk.never(lambda: walk.scene.keeper().pid == was, "the same orchestrator as before")
    walk.see_gone("STOPPED")
    walk.never(lambda: [walk.pid(name) for name in SERVICES] != served, "services started twice")


def leave(walk):
    """Quit, at the very end: the terminal is given back, and the work goes on."""
    keeper = walk.scene.keeper().pid
    live = [run.run_id for run in walk.scene.runs(HOLDER) if run.live]
    walk.press("q")
    code = walk.exit_code()
    walk.never(lambda: code != 0, f"exit code {code}")
    walk.never(lambda: walk.scene.keeper().pid != keeper, "quitting ended the orchestrator")
    after = [run.run_id for run in walk.scene.runs(HOLDER) if run.live]
    walk.never(lambda: after != live, "quitting ended a run")


def _ended(walk, task, before):
    """Return how the run that came after ``before`` others ended; ``None`` while it has not."""
    runs = walk.scene.runs(task)
    return runs[0].outcome if len(runs) > before else None


def _see_outcome(walk, task, outcome):
    """Find the task's outcome by a filter, and take the filter away."""
    walk.press("3")
    walk.filter(f"task:{task}")
    walk.see(outcome, within="3 Outcomes")
    walk.press("escape")
    walk.see_gone("esc clears")
