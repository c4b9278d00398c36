"""Steps in the tables: their order, filter, size and what can be copied; older rows; the palette; the first words."""

from __future__ import annotations

import tempfile
from pathlib import Path

from .scene import HOLDER, LIGHT, PAST, PAST_FAILED, SERVICES, STARVED, Fresh
from .steps import step
from .walker import FILTERING, Walker


@step("orchestrator")
def the_first_words_where_nothing_has_run(walk):
    with tempfile.TemporaryDirectory(prefix="neo-walk-") as name:
        fresh = Fresh(Path(name))
        new = Walker(fresh, kind=walk.kind, size=walk.size, look=walk.look)
        try:
            new.see("○ NEW nothing has run here yet", "o the orchestrator")
            new.press("o")
            new.see("a process that outlives this console", within="Start the orchestrator?")
            new.back("Start the orchestrator?")
            new.press("q")
            code = new.exit_code()
            new.never(lambda: code != 0, f"exit code {code}")
        finally:
            new.close()
            fresh.engine.close()


@step("sort")
def the_schedule_by_its_tasks_and_its_own_order_again(walk):
    walk.press("1", "s")
    walk.see("task▲", within="1 Schedule")
    ordered = sorted(walk.scene.tasks(), key=str.casefold)
    walk.press("g")
    walk.selected(ordered[0])
    walk.press("j")
    walk.selected(ordered[1])
    _own_order(walk, "1 Schedule")
    walk.press("g", "j")
    walk.selected(walk.rows[1])


@step("sort")
def nothing_to_sort_in_the_memory(walk):
    walk.press("4", "s")
    walk.see("there is nothing to sort here", "go to a table first")


@step("sort-reverse")
def the_schedule_backwards(walk):
    walk.press("1", "S")
    walk.see("this is the table's own order", "s sorts by a column")
    walk.press("s", "S")
    walk.see("task▼", within="1 Schedule")
    walk.press("g")
    walk.selected(max(walk.scene.tasks(), key=str.casefold))
    walk.press("S")
    walk.see("task▲", within="1 Schedule")
    _own_order(walk, "1 Schedule")


@step("zoom")
def one_panel_on_the_whole_screen(walk):
    walk.press("2", "z")
    walk.see("zoomed: z or esc shows all")
    walk.in_panel("2 Processes")
    walk.see_no_frame("3 Outcomes")
    walk.press("3")
    walk.in_panel("3 Outcomes")
    walk.see_no_frame("2 Processes")
    walk.press("z")
    walk.see_gone("zoomed:")
    walk.press("1", "z")
    walk.see("zoomed: z or esc shows all")
    walk.press("escape")
    walk.see_gone("zoomed:")
    if not walk.narrow:
        for title in ("1 Schedule", "2 Processes", "3 Outcomes", "4 Memory", "5 Log"):
            walk.see_frame(title)


@step("filter")
def a_filter_and_back(walk):
    walk.press("1")
    walk.filter("status:starved")
    walk.see(STARVED, "1 of 12 · /status:starved", within="1 Schedule")
    walk.selected(STARVED)
    walk.press("escape")
    walk.see("10 tasks · 2 services", within="1 Schedule")


@step("filter")
def a_filter_that_nothing_passes(walk):
    walk.press("1", "/")
    walk.see(FILTERING)
    walk.press(*"nosuchthing")
    walk.see("matches “nosuchthing”", "esc clears the filter", within="1 Schedule")
    walk.press("escape")
    walk.see_gone("nosuchthing")


@step("filter")
def what_is_not_wanted_and_what_is_compared(walk):
    walk.press("3")
    walk.filter("-task:back -status:running")
    walk.see("1 of", "deferred", within="3 Outcomes")
    walk.see_gone(PAST, "● running", within="3 Outcomes")
    walk.press("escape")
    walk.see_gone("esc clears", within="3 Outcomes")
    walk.filter('took:<2m "complet"')
    walk.see(PAST, within="3 Outcomes")
    walk.see_gone("● running", "deferred", within="3 Outcomes")
    walk.press("escape")
    walk.see_gone("esc clears", within="3 Outcomes")


@step("filter")
def a_mistake_in_a_filter(walk):
    walk.press("1", "/")
    walk.see(FILTERING)
    walk.press(*"colour:red")
    walk.see("no field colour:", "a part is wrong and left out")
    walk.press("escape")
    walk.see_gone("a part is wrong", FILTERING)


@step("detail")
def outcomes_that_are_older(walk):
    walk.press("3", "g")
    walk.see("● running", within="3 Outcomes")
    walk.press("G")
    walk.see("older… enter loads", within="3 Outcomes")
    walk.press("enter")
    walk.see("older outcomes read; down goes on")
    walk.press("G")
    walk.see("✗ failed", PAST_FAILED[:8], within="3 Outcomes")
    walk.press("enter")
    walk.see(f"of {PAST}", PAST_FAILED, within=f"Detail · {PAST}")
    walk.back("Detail · ")
    walk.press("g")


@step("copy")
def copy_a_name_from_the_menu(walk):
    walk.select(STARVED)
    walk.press("y")
    walk.see(f"1 task {STARVED}", "2 reason", "lease as JSON", within=f"Copy of {STARVED}")
    walk.press("y")
    walk.see(f"copied the task: {STARVED}")
    walk.see_no_frame("Copy of")


@step("copy")
def copy_by_number_by_marking_or_not_at_all(walk):
    walk.select(STARVED)
    walk.press("y")
    walk.see_frame(f"Copy of {STARVED}")
    walk.press("2")
    walk.see(f"copied the reason: {HOLDER}")
    walk.press("y")
    walk.see_frame(f"Copy of {STARVED}")
    walk.press("G", "enter")
    walk.see("copied the lease as JSON")
    walk.press("y")
    walk.see_frame(f"Copy of {STARVED}")
    walk.back(f"Copy of {STARVED}")


@step("palette")
def an_action_by_its_name(walk):
    walk.press(":")
    walk.see("What do you want to do?")
    walk.press(*"health")
    walk.see("health h")
    walk.press("enter")
    walk.see_frame("Health · every cause")
    walk.back("Health")


@step("palette")
def the_palette_by_its_other_key(walk):
    walk.press("ctrl+p")
    walk.see("What do you want to do?", "trigger t")
    walk.press("escape")
    walk.see_gone("What do you want to do?")


@step("palette")
def to_a_service_by_its_name(walk):
    walk.press("1", "g")
    _in_palette(walk, f"go to {SERVICES[1]}")
    walk.selected(SERVICES[1])


@step("palette")
def a_start_by_its_name(walk):
    walk.press("1", "g")
    _in_palette(walk, f"trigger {LIGHT}")
    walk.see("starts one run now", within=f"Start {LIGHT}?")
    walk.back(f"Start {LIGHT}?")
    walk.selected(LIGHT)


def _in_palette(walk, text):
    """Type it, wait until it is offered too, and take the offer."""
    walk.press(":")
    walk.see("What do you want to do?")
    walk.press(*text)
    walk.see_twice(text)
    walk.press("enter")
    walk.see_gone(f": {text}")


def _own_order(walk, title):
    """Sort by column after column until the table is in its own order again."""
    while "▲" in (header := walk.header(title)) or "▼" in header:
        walk.press("s")
        walk.see_other_header(title, header)
