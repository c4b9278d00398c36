"""What the lease costs beside every other lock, the orchestrator beside other supervisors, and the console on a real
terminal beside glances and a bare Textual table: one JSON document.

Measured interleaved, in one run. A peer that is not installed is reported as missing. proper-lockfile is looked for in
the folder that --node-modules names: the one in which ``npm install proper-lockfile`` was run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import console, console_load, contention, costs, figures, idle, locks, schedule, startup

SIZES = (100, 500, 2000)
TASKS = (6, 200, 10_000)


def parts(given):
    """Return what can be measured, by name."""
    goes, modules = max(1, given.rounds // 10), given.node_modules
    return {
        "uncontended_us": lambda folder: contention.uncontended(folder, given.rounds, modules),
        "contended_16": lambda folder: contention.contended(folder, 16, goes, given.seconds, modules),
        "contended_8": lambda folder: contention.contended(folder, 8, goes, given.seconds, modules),
        "startup_ms": lambda folder: startup.starting(folder, given.rounds),
        "inspect_us": lambda folder: costs.inspecting(folder, given.rounds),
        "renewal_us": lambda folder: costs.renewing(folder, given.rounds),
        "carrier_search_us": lambda _folder: costs.searching(SIZES, given.rounds),
        "planning_ms": lambda _folder: schedule.planning(TASKS, given.rounds),
        "console_first_cell_ms": lambda folder: console.first_cell(folder, given.rounds),
        "status_json_ms": lambda folder: console.status_json(folder, given.rounds),
        "console_quit_ms": lambda folder: console.quitting(folder, given.rounds),
        "console_million_rows": lambda folder: console_load.many_rows(folder, given.rounds, given.rows),
        "console_1hz": lambda folder: console_load.at_one_hertz(
            folder, given.console_seconds, given.processes, given.peers
        ),
        "idle": lambda _folder: idle.idling(given.idle_seconds, given.peers),
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="interleaved rounds (30); with contenders a tenth of it")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long the contenders of one go contend (2)")
    parser.add_argument("--only", metavar="NAME", action="append", help="measure only this part; may be repeated")
    parser.add_argument("--node-modules", metavar="DIR", default=".", help="where proper-lockfile is installed")
    parser.add_argument("--idle-seconds", type=float, default=600.0, help="how long 'idle' looks at supervisors (600)")
    parser.add_argument("--peers", metavar="DIR", help="where the peers of 'idle' and 'console_1hz' are installed")
    parser.add_argument("--console-seconds", type=float, default=120.0, help="how long 'console_1hz' looks (120)")
    parser.add_argument("--processes", type=int, default=500, help="how many sleep beside 'console_1hz' (500)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="runs in the ledger of 'console_million_rows'")
    parser.add_argument("--folder", metavar="DIR", help="where the lock files are made (default: the temp folder)")
    given = parser.parse_args()
    known = parts(given)
    wanted = given.only or list(known)
    if given.rounds < 1 or not set(wanted) <= set(known):
        parser.error(f"--rounds is 1 or more, and --only one of: {', '.join(known)}")
    result = {"machine": figures.machine(), "versions": locks.versions(), "rounds": given.rounds}
    result["filesystem"] = figures.filesystem(given.folder or tempfile.gettempdir())
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="neo-bench-", dir=given.folder) as folder:
            sys.stderr.write(f"bench: {name} ...\n")
            result[name] = known[name](Path(folder))
    result["load_afterwards"] = figures.machine()["load"]
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
