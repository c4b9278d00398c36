"""``python -m tests.torture``: prove the lease to a sceptic, or show that this proof can fail."""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
import time

from . import weakened
from .arena import Options

# Rounds that the issue asks for (a scenario's own unit: races, kills, inputs, examples), and of a quick look.
SCENARIOS = {
    "race": (22_000, 96, "processes let go at one instant on a lease in every state; 20,000 of them in the six named"),
    "kill": (5_000, 160, "kill -9 at every system call of acquire, renew, release, reclaim, and at random times"),
    "orphans": (400, 30, "the runner is killed, its children live on in every disguise"),
    "moves": (3_000, 24, "the lease's folder and files are moved, copied and removed between any two calls"),
    "clock": (600, 24, "wall clocks that jump, sleep and disagree; deadlines that pass under a living holder"),
    "foreign": (6_000, 30, "mixed with a Node script that follows the foreign algorithm; rates per cell"),
    "fuzz": (100_000, 1_500, "bytes, JSON shapes and odd kinds of file under the lease's name"),
    "model": (2_000, 20, "hypothesis plays real processes against a model of the protocol"),
    "disk": (600, 60, "no space, read-only, I/O errors, at every call"),
    "adoption": (50, 3, "the orchestrator is killed and restarted under load; supervisor, circus and pm2 beside it"),
    "two-orchestrators": (600, 10, "two workspaces, one lease, intervals of seconds; a round is a second"),
    "incidents": (3, 1, "memory incidents with a known culprit: what grew is named first, what is static is not"),
    "pressure": (600, 30, "pressure comes and goes under an orchestrator; nothing heavy starts into it"),
    "console": (80, 8, "the console on a real terminal: signals, storms of sizes, a lost folder, a locked ledger"),
    "chroma": (5, 1, "a real Chroma server is kept: probed, killed, refused its port, deaf to SIGTERM"),
}


def parser():
    told = "\n".join(f"  {name:<9}{about} ({full:,} rounds; quick {quick:,})" for name, (full, quick, about) in lines())
    made = argparse.ArgumentParser(
        prog="python -m tests.torture",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Torture the heavy-maintenance lease with real processes. Prints one JSON object per scenario.",
        epilog=f"scenarios:\n{told}\n\n"
        "Exit code 0: no invariant was broken (with --weaken: a violation was found). 1: the opposite. 2: usage.\n"
        "double_holds, permanent_blocks, leftovers, losses (somebody else's record removed) and errors must all be 0.\n"
        "Of 'foreign', only cells that the protocol guarantees count as broken; the others state their measured rate.",
    )
    made.add_argument("scenario", nargs="*", help="what to play (default: all)")
    made.add_argument("--rounds", type=int, help="how many rounds, instead of the scenario's own number")
    made.add_argument("--quick", action="store_true", help="a short look at each scenario")
    made.add_argument("--contenders", default="2,8,16,32", help="sizes of the crowds in 'race' (default: %(default)s)")
    made.add_argument("--seed", type=int, default=0, help="what the pseudo-random choices start from")
    made.add_argument("--seconds", type=float, default=3600.0, help="stop each scenario after so long")
    made.add_argument("--jobs", type=int, default=4, help="arenas that play at the same time (default: %(default)s)")
    made.add_argument(
        "--peers", metavar="DIR", help="where 'adoption' and 'chroma' install what they need (without: missing)"
    )
    made.add_argument(
        "--weaken",
        choices=sorted(weakened.ENGINES),
        help="take one protection out of the engine; the harness must find out (default scenario: where it bites)",
    )
    return made


def lines():
    return SCENARIOS.items()


def main(arguments=None):
    made = parser()
    told = made.parse_args(arguments)
    names = told.scenario or ([weakened.SCENARIO[told.weaken]] if told.weaken else ["all"])
    names = list(SCENARIOS) if "all" in names else names
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        made.error(f"unknown scenario {unknown[0]!r}; there are: all, {', '.join(SCENARIOS)}")
    try:
        contenders = tuple(int(size) for size in told.contenders.split(","))
    except ValueError:
        contenders = ()
    if not contenders or min(contenders) < 1:
        made.error("--contenders takes numbers above 0, separated by commas")
    if told.rounds is not None and told.rounds < 1:
        made.error("--rounds takes a number above 0")
    reports = [_play(name, told, contenders) for name in names]
    found = any(report.violations for report in reports)
    return 0 if found == bool(told.weaken) else 1


def _play(name, told, contenders):
    full, quick, _ = SCENARIOS[name]
    rounds = told.rounds or (200 if told.weaken else quick if told.quick else full)
    options = Options(rounds, contenders, told.seed, told.weaken, told.seconds, max(1, told.jobs), told.peers)
    begun = time.monotonic()
    report = importlib.import_module(f".{_module(name)}", __package__).run(options)
    report.seconds = time.monotonic() - begun
    if told.weaken:
        first = [f"{name.replace('_', ' ')} {value}" for name, value in report.figures.items() if "first" in name]
        found = f"found: {', '.join(first)}" if report.violations else f"NOT found in {report.rounds} rounds"
        report.notes.append(f"the weakening was {found}")
    machine = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    print(json.dumps(report.to_json() | {"machine": machine}, ensure_ascii=False), flush=True)
    return report


def _module(name):
    return "clocks" if name == "clock" else name.replace("-", "_")


if __name__ == "__main__":
    sys.exit(main())
