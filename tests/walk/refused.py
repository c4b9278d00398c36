"""Steps whose key must not act: the screen says why, and the way out."""

from __future__ import annotations

from .scene import HOLDER, LIGHT, SERVICES, STARVED
from .steps import step


@step("trigger")
def no_start_of_what_runs(walk):
    walk.select(HOLDER)
    walk.press("t")
    walk.see("running", "press l for its log, x to stop it")


@step("trigger")
def no_start_against_the_lease(walk):
    walk.select(STARVED)
    walk.press("t")
    walk.see(HOLDER, "press w for why, d to defer")


@step("trigger")
def a_start_that_is_cancelled(walk):
    before = walk.scene.runs(LIGHT)
    walk.select(LIGHT)
    for key in ("enter", "escape"):
        walk.press("t")
        walk.see(LIGHT, "starts one run now", "old", "Cancel", within=f"Start {LIGHT}?")
        walk.back(f"Start {LIGHT}?", key=key)
    walk.never(lambda: walk.scene.runs(LIGHT) != before, "a run after Cancel")


@step("defer")
def no_deferral_of_a_service(walk):
    walk.select(SERVICES[0])
    walk.press("d")
    walk.see(f"{SERVICES[0]} is not a task", "press 1 and select one")


@step("stop")
def no_stop_of_what_does_not_run(walk):
    walk.select(STARVED)
    walk.press("x")
    walk.see(f"{STARVED} is not running", "press t to start it")


@step("force-stop")
def no_force_for_a_service(walk):
    walk.select(SERVICES[0])
    walk.press("X")
    walk.see("goes from its stop signal to a kill by itself", "press x to stop it")
