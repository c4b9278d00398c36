"""Steps that only look: they leave the world as it was, so that every size and look can have them."""

from __future__ import annotations

from .scene import HOLDER, NEVER, SERVICES, STARVED
from .steps import step

PANELS = ("1 Schedule", "2 Processes", "3 Outcomes", "4 Memory", "5 Log")
GROUNDS = {"dark": range(64), "light": range(192, 256)}


@step("")
def what_stands_there_without_a_key(walk):
    walk.see("● HELD", HOLDER, "ORCH ●", "degraded", "q quit")
    if walk.size[0] >= 80:
        walk.see("1 starved")
    walk.in_panel("1 Schedule")
    walk.see("task", "next / waiting", *SERVICES, "10 tasks · 2 services", within="1 Schedule")
    if not walk.narrow:
        walk.see("LEASE", f"ORCH ● {walk.scene.keeper().pid}", "1 waiting")
        walk.see("reindex", "orchestrator", "neo-console", within="2 Processes")
        walk.see("deferred", STARVED, within="3 Outcomes")
        walk.see("● NORMAL", "1 incident", within="4 Memory")


@step("")
def the_colours_are_those_of_the_look(walk):
    if walk.look == "no-color":
        hues = {colour for colour in walk.colours() if len({colour[:2], colour[2:4], colour[4:]}) > 1}
        walk.never(lambda: hues, f"colours under NO_COLOR: {sorted(hues)}")
        return
    ground = walk.ground()
    walk.never(lambda: int(ground[2:4], 16) not in GROUNDS[walk.look], f"a ground of #{ground} is not {walk.look}")
    walk.never(lambda: len(walk.colours()) < 5, "hardly any colour")


@step("panel-1")
def to_the_schedule(walk):
    _to(walk, 1, f"▲ {STARVED}" if not walk.narrow else "next / waiting")


@step("panel-2")
def to_the_processes(walk):
    _to(walk, 2, "orchestrator")


@step("panel-3")
def to_the_outcomes(walk):
    _to(walk, 3, "● running")


@step("panel-4")
def to_the_memory(walk):
    _to(walk, 4, "1 incident")


@step("panel-5")
def to_the_log(walk):
    walk.select(HOLDER)
    _to(walk, 5, "reindexing everything")


@step("next-panel")
def through_the_panels(walk):
    walk.press("1")
    walk.in_panel(PANELS[0])
    for title in (*PANELS[1:], PANELS[0]):
        walk.press("tab")
        walk.in_panel(title)


@step("previous-panel")
def through_the_panels_backwards(walk):
    walk.press("1")
    walk.in_panel(PANELS[0])
    for title in PANELS[::-1]:
        walk.press("shift+tab")
        walk.in_panel(title)


@step("down")
def down_a_row(walk):
    walk.press("1", "g", "j", "down")
    walk.selected(walk.rows[2])


@step("up")
def up_a_row(walk):
    walk.press("1", "g", "j", "j", "j", "k", "up")
    walk.selected(walk.rows[1])


@step("bottom")
def to_the_last_row(walk):
    walk.press("1", "G")
    walk.selected(SERVICES[-1])


@step("top")
def to_the_first_row(walk):
    walk.press("1", "G", "g")
    walk.selected(walk.rows[0])


@step("detail")
def the_details_of_a_task(walk):
    walk.select(STARVED)
    walk.press("enter")
    walk.see("starved", "heavy: one at a time", within=f"Detail · {STARVED}")
    walk.press("G")
    walk.see("deferred", "last success", within=f"Detail · {STARVED}")
    walk.back("Detail")


@step("detail")
def the_details_of_a_service(walk):
    walk.select(SERVICES[0])
    walk.press("enter")
    walk.see("running", f"{walk.pid(SERVICES[0])}", within=f"Detail · {SERVICES[0]}")
    walk.back("Detail", key="q")


@step("detail")
def the_details_of_a_run_and_of_its_processes(walk):
    run = walk.scene.runs(HOLDER)[0]
    walk.press("3", "g", "enter")
    walk.see(f"Run {run.run_id} of {HOLDER}", "● running", within=f"Detail · {HOLDER} {run.run_id[:8]}")
    walk.back("Detail", key="enter")
    walk.press("2", "g", "enter")
    walk.see("Processes of", "memory", within="Detail")
    walk.back("Detail")


@step("why")
def why_a_task_waits(walk):
    walk.select(STARVED)
    walk.press("w")
    walk.see(f"{STARVED} may not start", HOLDER, within=f"Why · {STARVED} · as of now")
    for text in ("✗ block", "clears when", "memory forecast"):
        walk.find(text, within=f"Why · {STARVED}")
    walk.back("Why")


@step("why")
def why_a_start_was_prevented_then(walk):
    walk.press("3", "g", "j", "w")
    walk.see("deferred", "as it was then", within=f"Why · {STARVED} · run")
    walk.find("was to clear", within=f"Why · {STARVED} · run")
    walk.back("Why", key="w")


@step("why")
def why_a_service_is_up(walk):
    walk.select(SERVICES[1])
    walk.press("w")
    walk.see("running", "wanted", "kept", "process", "answers", within=f"Why · service {SERVICES[1]}")
    walk.back("Why")


@step("why")
def why_is_nothing_to_ask_about_the_orchestrator(walk):
    walk.press("2", "G", "w")
    walk.see("no gate was asked about", "press enter for what is known")


@step("log")
def the_log_of_a_run(walk):
    walk.select(HOLDER)
    walk.press("l")
    walk.see("reindexing everything", "running", "following", within="Log · ")
    walk.back("Log · ")


@step("next-match")
def the_matches_in_a_log_and_on(walk):
    walk.select(HOLDER)
    walk.press("l", "/")
    walk.see("search in the log", within="Log · ")
    walk.press(*"part ")
    walk.see("5 of 5 · enter keeps", within="Log · ")
    walk.press("enter")
    walk.see("/part 5 of 5 · n next", within="Log · ")
    walk.press("N", "N")
    walk.see("/part 3 of 5", within="Log · ")
    walk.press("n")
    walk.see("/part 4 of 5", within="Log · ")
    walk.press("escape")
    walk.see_gone("/part", within="Log · ")
    walk.back("Log · ")


@step("previous-match")
def the_matches_in_the_log_panel(walk):
    walk.select(HOLDER)
    walk.press("n")
    walk.in_panel("5 Log")
    walk.see("search in the log")
    walk.press(*"nowhere")
    walk.see("/nowhere", "no match")
    walk.press("escape")
    walk.see_gone("/nowhere")
    walk.press("/")
    walk.see("search in the log")
    walk.press(*"part ", "enter")
    walk.see("/part 5 of 5 · n next")
    walk.press("1")
    walk.in_panel("1 Schedule")
    walk.press("N")
    walk.in_panel("5 Log")
    walk.see("/part 4 of 5")
    walk.press("escape")
    walk.see_gone("/part")


@step("log")
def the_log_of_a_service(walk):
    walk.select(SERVICES[0])
    walk.press("l")
    walk.see("serving on", SERVICES[0], "following", within="Log · ")
    walk.back("Log · ", key="l")


@step("log")
def no_log_of_what_never_ran(walk):
    walk.select(NEVER)
    walk.press("l")
    walk.see(f"{NEVER} has not run yet", "press t to start it")


@step("orchestrator-log")
def the_log_of_the_orchestrator(walk):
    walk.press("L")
    walk.see("the orchestrator", "following", within="Log · ")
    walk.back("Log · ", key="L")


@step("health")
def why_the_whole_is_not_healthy(walk):
    walk.press("h")
    walk.see("degraded", STARVED, f"neo-console why {STARVED}", within="Health · every cause")
    walk.back("Health", key="h")


@step("incidents")
def an_incident_and_its_replay(walk):
    walk.press("i")
    walk.see("critical", "2m00s", within="Memory incidents")
    walk.press("enter")
    walk.see("Incident 1 · ", "sample 13 of", "step", within="Incident 1")
    walk.press("right")
    walk.see("sample 14 of", within="Incident 1")
    walk.press("left", "left")
    walk.see("sample 12 of", within="Incident 1")
    walk.press("space")
    walk.see("space stops", within="Incident 1")
    walk.see_gone("sample 12 of", within="Incident 1")
    walk.press("space")
    walk.see("space plays", within="Incident 1")
    walk.press("G")
    walk.see("What operators did by then", within="Incident 1")
    walk.back("Incident 1")
    walk.back("Memory incidents", key="i")


@step("freeze")
def freeze_and_thaw(walk):
    walk.press("p")
    walk.see("FROZEN", "● HELD")
    walk.press("p")
    walk.see_gone("FROZEN")


@step("help")
def every_key_and_what_the_console_uses(walk):
    walk.press("?")
    walk.see("Act", "start the selected task or service", "memory", "CPU", within="Help · every key")
    walk.find("Results of this session", within="Help · every key")
    walk.back("Help", key="?")


@step("quit")
def ctrl_c_says_how_to_quit(walk):
    walk.press("ctrl+c")
    walk.see("q quits the console")


def _to(walk, number, text):
    walk.press("3" if number == 1 else "1")
    walk.in_panel(PANELS[2 if number == 1 else 0])
    walk.press(str(number))
    walk.in_panel(PANELS[number - 1])
    walk.see(text, within=PANELS[number - 1])


@step("suspend")
def ctrl_z_says_that_no_shell_could_bring_it_back(walk):
    walk.press("ctrl+z")
    walk.see("no shell started this console", "q quits it")
