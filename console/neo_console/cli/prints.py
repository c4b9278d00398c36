"""What each command prints on stdout, and what ``--json`` makes of it; diagnostics go to stderr."""

from __future__ import annotations

_CONTROL = "a sentence that says so"

PRINTS = {
    "status": "health with its causes, lease, orchestrator, memory, tasks, services, outcomes; --json one object",
    "why": "what it comes to, then a table with a row per gate; --json one object",
    "history": "a table with a row per run or prevented start; --json an array of objects",
    "logs": "the log as it was written; --json one object with its text",
    "run": "the run's log, on stderr how it ended; with --detach its id; --json its row as one object, without the log",
    "stop": "how the run ended; --json its row as one object",
    "defer": f"{_CONTROL}, with the time it ends; --json the command as one object",
    "resume": f"{_CONTROL}; --json one object",
    "pause": f"{_CONTROL}, with the time it ends; --json the command as one object",
    "unpause": f"{_CONTROL}; --json one object",
    "orchestrator": "see its commands",
    "orchestrator start": "its pid; --json one object",
    "orchestrator stop": f"{_CONTROL}; --json one object",
    "orchestrator status": "one line; --json one object",
    "services": "a table with a row per service; --json an array of objects",
    "service": "see its commands",
    "service start": "the service's row; --json the command with the service as one object",
    "service stop": "the service's row; --json the command with the service as one object",
    "service restart": "the service's row; --json the command with the service as one object",
    "memory": "readings, live runs, who held the lease, process trees, of now or of one moment; --json one object",
    "incidents": "a table with a row per incident; --json an array of objects",
    "incident": "a page in Markdown; --json one object with every sample",
    "strays": "a table with a row per tree, what each blocks and the command that ends it; --json one object",
    "strays stop": "what became of it; --json one object",
    "relief": "a table with a row per thing that can be done and the command that does it; --json an array of objects",
    "relief defer-heavy": f"{_CONTROL}, with the time it ends; --json its row as one object",
    "relief resume-heavy": f"{_CONTROL}; --json one object",
    "relief unload": "what it freed beside what was expected; --json its row as one object",
    "relief stop": "what it freed beside what was expected; --json its row as one object",
    "relief history": "a table with a row per act, what was measured and how it ended; --json an array of objects",
    "search": "a line per hit, FILE:LINE: TEXT; --json an array of objects",
    "backups": "a table with a row per bundle; --json an array of objects",
    "restore": "what was copied and verified; --json one object",
    "init": "the file that was written, on stderr how to keep the data out of git; --json both as one object",
    "doctor": "a line per thing looked at, its mend behind an arrow; --json an array of objects",
    "completion": "the script",
}
