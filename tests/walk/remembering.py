"""Steps back in time: the cursor of the memory panel, over what the scene's orchestrator and its past recorded."""

from __future__ import annotations

from .steps import step


@step("earlier")
@step("much-later")
def back_in_time_and_to_now(walk):
    walk.press("4", "[")
    walk.see("THEN", "enter tells all", within="4 Memory")
    walk.press("[", "}", "}")
    walk.see_gone("THEN", within="4 Memory")


@step("later")
@step("much-earlier")
def a_minute_back_and_on_again(walk):
    walk.press("4", "{")
    walk.see("THEN", within="4 Memory")
    walk.press("]", "x")
    walk.see("this is the memory as it was at", "press 0 for now")
    walk.press("escape")
    walk.see_gone("THEN", within="4 Memory")


@step("present")
def everything_of_a_moment_and_back_to_now(walk):
    walk.press("4", "[", "{")
    walk.see("THEN", within="4 Memory")
    walk.press("enter")
    walk.see("available", "Process trees at", within="Memory THEN")
    walk.back("Memory THEN")
    walk.press("0")
    walk.see_gone("THEN", within="4 Memory")


@step("go-to-time")
def the_memory_at_a_time_that_is_typed(walk):
    walk.press("1", "@")
    walk.see("14:03", "how long ago", within="What had the memory at")
    walk.press(*"soon", "enter")
    walk.see("That is no time", within="What had the memory at")
    walk.press("escape")
    walk.see_no_frame("What had the memory at")
    walk.press("@")
    walk.see("Cancel", within="What had the memory at")
    walk.press(*"20s ago", "enter")
    walk.see("THEN", within="4 Memory")
    walk.press("0")
    walk.see_gone("THEN", within="4 Memory")
