"""What ``--help`` says below the options of a command: what it prints, exit codes, examples, files, environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from neo_console.cli.prints import PRINTS

if TYPE_CHECKING:
    from collections.abc import Iterator

_BAD = "1 something is wrong, and one message said what and how to mend it; 2 usage"
_CONFIG = "neo-console.toml in the workspace: the tasks, the services and every setting"
_LEDGER = ".neo-ai-data/orchestrator-daemon/ledger.sqlite3: runs, outcomes, controls, incidents"
_DURATION = "A DURATION is like 90s, 10m, 1h30m or 2d."
_TIME = (
    "A TIME is local: 14:03 or 14:03:20 (the latest that is past), 2026-11-20T14:03 (with a zone where it has one), or "
    "how long ago: 5m, 2h30m."
)


class Entry(NamedTuple):
    """One command: its line in the list of commands, and what stands below its options."""

    short: str
    exits: str
    examples: tuple[str, ...]
    more: str = ""
    files: tuple[str, ...] = ()


MANUAL = {
    "status": Entry(
        "What runs, what waits and why, and how well everything is.",
        f"0 everything could be read; {_BAD}. With --check: 0 healthy, 1 degraded, 3 unhealthy or unknown",
        (
            "neo-console status --watch",
            "neo-console status --check || echo unwell",
            "neo-console status --format prometheus > /var/lib/node_exporter/neo.prom",
        ),
        files=(_CONFIG, _LEDGER),
    ),
    "why": Entry(
        "Whether TASK may start now: every gate and its verdict.",
        f"0 answered, whatever the answer; {_BAD}",
        ("neo-console why backup", "neo-console why kbSync --scheduled --json"),
    ),
    "history": Entry(
        "Runs, and starts that did not happen, newest first.",
        f"0 listed, also when there is none; {_BAD}",
        (
            "neo-console history --task backup --limit 5",
            "neo-console history --outcome failed --since 1d --json",
            "neo-console history --lease",
        ),
        "The column TIME, with which --since is compared, is when a run ended, or was started while it goes on, and "
        "when a start that did not happen was last tried. --lease lists what runs did with the lease; of a script "
        "under neo-lease run only that the orchestrator reclaimed what it left. " + _TIME,
        (_LEDGER,),
    ),
    "logs": Entry(
        "Print the log of a run, a service or the orchestrator.",
        f"0 printed, also when there is none yet; {_BAD}",
        ("neo-console logs backup", "neo-console logs chroma --follow", "neo-console logs orchestrator | tail"),
        files=(".neo-ai-data/orchestrator-daemon/runs/: one log per run",),
    ),
    "run": Entry(
        "Start TASK now and print its log; ctrl+c stops it.",
        "0 completed, deferred, or skipped because it runs already; 1 failed, lost or not configured, or "
        f"{_BAD[2:]}; 124 time limit; 130 cancelled",
        (
            "neo-console run backup",
            "neo-console run kbSync --detach",
            "neo-console run backup --wait=30m                # start it as soon as it may",
            "neo-console run backup --deferred-exit-code 75   # let cron tell a deferral",
        ),
        files=(_CONFIG,),
    ),
    "stop": Entry(
        "End a run: TERM, then KILL after its grace.",
        f"0 ended, or asked with --no-wait; 1 still ending, or {_BAD[2:]}",
        ("neo-console stop backup --because 'the disk is full'", "neo-console stop 9f31 --force"),
    ),
    "defer": Entry(
        "Snooze TASK: nothing starts it for a while.",
        f"0 snoozed; {_BAD}",
        ("neo-console defer backup --for 2h --because 'giving a talk'",),
        _DURATION,
    ),
    "resume": Entry(
        "End the snooze of TASK.", f"0 also when it was not snoozed; {_BAD}", ("neo-console resume backup",)
    ),
    "pause": Entry(
        "Let no task start, by schedule or by hand.",
        f"0 paused; {_BAD}",
        ("neo-console pause --because 'measuring the machine' --for 30m",),
        _DURATION,
    ),
    "unpause": Entry("End the pause.", f"0 also when nothing was paused; {_BAD}", ("neo-console unpause",)),
    "orchestrator": Entry(
        "Start, stop or look at the orchestrator.",
        f"0 done; {_BAD}; 3 start: one runs already; stop, status: none runs",
        ("neo-console orchestrator start", "neo-console orchestrator status --json"),
    ),
    "orchestrator start": Entry(
        "Start it, detached from this terminal.",
        f"0 it runs and polls; {_BAD}; 3 one runs already, and is named",
        ("neo-console orchestrator start && neo-console status",),
        files=(_CONFIG, ".neo-ai-data/orchestrator-daemon/orchestrator.log: what it did"),
    ),
    "orchestrator stop": Entry(
        "Ask it to end, and wait until it has.",
        f"0 it has ended; 1 it is still ending, or {_BAD[2:]}; 3 none runs",
        ("neo-console orchestrator stop --because 'an upgrade'",),
    ),
    "orchestrator status": Entry(
        "Whether it runs, and since when.",
        "0 it runs and polls; 1 that cannot be read; 2 usage; 3 it does not run",
        ("neo-console orchestrator status || neo-console orchestrator start",),
    ),
    "services": Entry(
        "The services: state, since when, where, and why.",
        f"0 listed; {_BAD}",
        ("neo-console services", "neo-console services --json"),
        files=(_CONFIG,),
    ),
    "service": Entry(
        "Start, stop or restart a service.",
        f"0 taken up by the orchestrator, or stopped without one; 1 not taken up within 10 s, or {_BAD[2:]}",
        ("neo-console service restart chroma", "neo-console service stop web --because 'out of memory'"),
    ),
    "service start": Entry(
        "Start SERVICE and keep it running.",
        f"0 taken up; 1 not taken up within 10 s, or {_BAD[2:]}",
        ("neo-console service start chroma",),
    ),
    "service stop": Entry(
        "Stop SERVICE and leave it stopped.",
        f"0 taken up, or ended without an orchestrator; 1 not taken up within 10 s, something is left, or {_BAD[2:]}",
        ("neo-console service stop chroma --because 'it leaks'",),
    ),
    "service restart": Entry(
        "Stop SERVICE and start it again.",
        f"0 taken up; 1 not taken up within 10 s, or {_BAD[2:]}",
        ("neo-console service restart chroma --no-wait",),
    ),
    "memory": Entry(
        "What has the memory now, or had it at 14:03.",
        f"0 shown; {_BAD}; 3 nothing was recorded near that time",
        (
            "neo-console memory",
            "neo-console memory --at 14:03",
            "neo-console memory --at '5m ago' -n 0 --json",
        ),
        _TIME + " A sample is kept every few seconds for a day (memory.sample_every, memory.keep).",
        (_LEDGER,),
    ),
    "incidents": Entry(
        "The intervals of memory pressure, newest first.",
        f"0 listed, also when there is none; {_BAD}",
        ("neo-console incidents --limit 5",),
        files=(_LEDGER,),
    ),
    "incident": Entry(
        "One incident with everything that coincided with it.",
        f"0 printed; {_BAD}",
        ("neo-console incident 3 > incident-3.md", "neo-console incident 3 --json"),
        files=(_LEDGER,),
    ),
    "strays": Entry(
        "Processes that outlived their run or service.",
        f"0 looked for, also when there is none; {_BAD}",
        ("neo-console strays", "neo-console strays --json"),
    ),
    "strays stop": Entry(
        "End a stray tree: asked, then killed after its grace.",
        f"0 ended; 1 something survives, or {_BAD[2:]}",
        ("neo-console strays stop 4211 --because 'left by a killed run'",),
        "A process without a marker of ours is only ended with --foreign.",
    ),
    "strays history": Entry(
        "Which strays were ended here, when and by whom.",
        f"0 listed; {_BAD}",
        ("neo-console strays history", "neo-console strays history --json"),
    ),
    "relief": Entry(
        "What can be done against memory pressure.",
        f"0 listed; {_BAD}",
        ("neo-console relief", "neo-console relief --json"),
        files=(_CONFIG,),
    ),
    "relief defer-heavy": Entry(
        "Let nothing heavy start for a time.",
        f"0 deferred; {_BAD}",
        ("neo-console relief defer-heavy --for 1h --because 'a video call'",),
        _DURATION,
    ),
    "relief resume-heavy": Entry(
        "Let what is heavy start again.",
        f"0 also when nothing was deferred; {_BAD}",
        ("neo-console relief resume-heavy",),
    ),
    "relief unload": Entry(
        "Ask a model server to give its memory back.",
        f"0 done, and measured unless --no-wait; 1 the server refused or is not there, or {_BAD[2:]}",
        ("neo-console relief unload ollama", "neo-console relief unload ollama --no-wait"),
        files=("neo-console.toml: [unload.NAME] with its url",),
    ),
    "relief end-stray": Entry(
        "End the stray tree of PID and measure what that freed.",
        f"0 done, and measured unless --no-wait; 1 it survived or is no stray, or {_BAD[2:]}",
        ("neo-console relief end-stray 4711",),
    ),
    "relief stop": Entry(
        "Stop RUN and measure what that freed.",
        f"0 done, and measured unless --no-wait; 1 it still works, or {_BAD[2:]}",
        ("neo-console relief stop dream --because 'it swaps'",),
    ),
    "relief history": Entry(
        "What was done, what it should free, what it freed.",
        f"0 listed, also when there is none; {_BAD}",
        ("neo-console relief history --json",),
        files=(_LEDGER,),
    ),
    "search": Entry(
        "Search the index that kbSync keeps.",
        f"0 found; 1 nothing found, or {_BAD[2:]}",
        ("neo-console run kbSync && neo-console search lease token",),
    ),
    "backups": Entry(
        "The backup bundles, newest first.",
        f"0 listed, also when there is none; {_BAD}",
        ("neo-console backups",),
        files=("the folder of jobs.backup.folder in neo-console.toml",),
    ),
    "restore": Entry(
        "Copy BUNDLE to an empty folder and verify it.",
        f"0 restored and verified; {_BAD}",
        ("neo-console restore latest --to /tmp/restored",),
    ),
    "init": Entry(
        "Write a commented neo-console.toml.",
        f"0 written; {_BAD}",
        ("neo-console init && neo-console doctor",),
        files=("neo-console.toml: written, never overwritten", ".gitignore: named in a hint, never touched"),
    ),
    "doctor": Entry(
        "What is wrong with this workspace, each with its mend.",
        "0 nothing must be mended; 1 something must; 2 usage",
        ("neo-console doctor", "neo-console doctor --json"),
    ),
    "completion": Entry(
        "Print the script that completes commands in a shell.",
        "0 printed; 2 no such shell",
        (
            'eval "$(neo-console completion bash)"            # in ~/.bashrc',
            'eval "$(neo-console completion zsh)"             # in ~/.zshrc, after compinit',
            "neo-console completion fish > ~/.config/fish/completions/neo-console.fish",
        ),
    ),
}

TOP = Entry(
    "",
    "0 done, also when a start was deferred with its reason; 1 something is wrong, and one message said what and how "
    "to mend it; 2 usage; 3 orchestrator start: one runs already; orchestrator stop, orchestrator status: none runs; "
    "status --check: unhealthy or unknown; memory: nothing was recorded near that time; 124 a run reached its time "
    "limit; 130 a run was cancelled",
    (
        "neo-console                             # open the console on this folder",
        "neo-console --workspace ~/w --read-only # look; nothing can be started or stopped",
        "neo-console status",
        "neo-console completion bash             # let the shell complete commands, tasks and runs",
    ),
    "Data goes to stdout, diagnostics to stderr; every command has --json.",
    (
        _CONFIG,
        ".neo-ai-data/orchestrator-daemon/: lease, ledger and logs",
        "NEO_AI_ORCHESTRATOR_DIR: another place for that folder; set it for every script or for none",
        "NO_COLOR: the console without colours",
    ),
)


def commands(above: click.Command, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Return every command below ``above`` with its full name."""
    for name, command in sorted(above.commands.items()) if isinstance(above, click.Group) else ():
        yield f"{prefix}{name}", command
        yield from commands(command, f"{prefix}{name} ")


def write_entry(name: str, command: click.Command) -> None:
    """Give a command, and every one below it, what stands here."""
    for full, one in ((name, command), *commands(command, f"{name} ")):
        entry = MANUAL[full]
        one.short_help = entry.short
        one.epilog = epilog(entry, PRINTS[full])


def epilog(entry: Entry, prints: str = "") -> str:
    """Return what follows the options: what it prints, exit codes, examples, files."""
    parts = [f"Prints {prints}."] if prints else []
    parts.append(f"Exit codes: {entry.exits}.")
    if entry.more:
        parts.append(entry.more)
    parts.append("\n".join(("\b", "Examples:", *(f"  {line}" for line in entry.examples))))
    if entry.files:
        parts.append("\n".join(("\b", "Files and environment:", *(f"  {line}" for line in entry.files))))
    return "\n\n".join(parts)
