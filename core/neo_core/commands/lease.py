"""``neo-lease``: guard any command with the machine's heavy-maintenance lease, look at it, clear a dead one."""

from __future__ import annotations

import os
import signal
import sys

from neo_core.errors import NeoError, describe_os_error
from neo_core.lease.explain import deferral_lines, explain_held, way_out
from neo_core.lease.inherit import inherited_lease
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import DEFAULT_TTL, RENEW_EVERY, RecordStatus
from neo_core.streams import give_up_output, prepare_streams
from neo_core.workspace import ensure_state, resolve_workspace, resolve_workspace_anyway

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from neo_core.lease.store import HeldLease

FAILED = 125
CANNOT_START = 126
NOT_FOUND = 127

_DESCRIPTION = "Guard a command with the machine's heavy-maintenance lease: at most one heavy job at a time."
_RUN_EXITS = """\
exit codes of run:
  the command's own, 128 + N when signal N ended it
  0, or --held-exit-code, when the lease is held: then two lines say by whom
  125 when the lease cannot be read or written; 126 when the command cannot be started, 127 when it is not found"""
_RUN_EPILOG = f"""\
{_RUN_EXITS}

examples:
  neo-lease run --owner nightly-report -- ./report.sh
  neo-lease run --wait 30m -- make index
  neo-lease run --held-exit-code 75 -- ./sync.sh     # let cron tell that it was held

files and environment:
  .neo-ai-data/orchestrator-daemon/heavy-maintenance-lease.json, or lease.path in neo-console.toml
  NEO_AI_ORCHESTRATOR_DIR: another place for that folder; set it for every script or for none
  NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN: set for the command, so that what it starts borrows the lease"""
_EPILOG = f"""\
{_RUN_EXITS}

examples:
  neo-lease run --wait 30m -- make index
  neo-lease inspect --json
  neo-lease reclaim

neo-lease ACTION --help says more."""
_INSPECT_EPILOG = """\
exit codes: 0 looked; 1 the record cannot be read, or not where it is; 2 usage

examples:
  neo-lease inspect
  neo-lease inspect --json | jq -r .lease.owner"""
_RECLAIM_EPILOG = """\
exit codes:
  0 removed, or there was nothing to remove; 2 usage
  1 not removed, because its holder lives or that is not known

examples:
  neo-lease inspect && neo-lease reclaim"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every error is one message on stderr."""
    prepare_streams()
    words = sys.argv[1:] if arguments is None else arguments
    given = _plain_run(words) or _parser().parse_args(words, namespace=Given())
    code = 0
    try:
        code = int(given.action(given))
        sys.stdout.flush()
    except NeoError as error:
        sys.stderr.write(f"neo-lease: {error}\n")
        return FAILED if given.action is _run else error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        give_up_output()
    except OSError as error:
        give_up_output()
        sys.stderr.write(f"neo-lease: {error.filename or 'output'}: {describe_os_error(error)}. Mend it and repeat.\n")
        return FAILED if given.action is _run else 1
    return code


class Given:
    """What the command line says."""

    action: Callable[[Given], int]
    workspace: str | None = None
    owner: str | None = None
    reason = "manual-cli"
    wait = "0"
    ttl = ""
    held_exit_code = 0
    allow_network_filesystem = False
    command: list[str]
    json = False


def _plain_run(words: list[str]) -> Given | None:
    """Return what ``run [--name VALUE ...] -- COMMAND`` says; ``None`` for anything else, which ``argparse`` judges.

    Importing ``argparse`` and describing every option to it would be a fifth of the time a guarded ``true`` takes.
    """
    if words[:1] != ["run"] or "--" not in words:
        return None
    given, end = Given(), words.index("--")
    given.action, given.command = _run, words[end:]
    for name, value in zip(words[1:end:2], [*words[2:end:2], "-"], strict=False):
        if name not in ("--owner", "--reason", "--wait", "--ttl") or value.startswith("-"):
            return None
        setattr(given, name[2:], value)
    return given


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(
        prog="neo-lease", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=_formatter
    )
    parser.add_argument("--workspace", metavar="DIR", help="the workspace (default: found from the current folder)")
    actions = parser.add_subparsers(metavar="ACTION", required=True, prog="neo-lease")
    run = actions.add_parser(
        "run",
        help="run a command while holding the lease",
        description="Run a command while holding the lease. Inside a run that holds it already, it is borrowed.",
        epilog=_RUN_EPILOG,
        formatter_class=_formatter,
    )
    run.add_argument("--owner", metavar="NAME", help="who you are in every status (default: the command's name)")
    run.add_argument("--reason", metavar="TEXT", default="manual-cli", help="why (default: manual-cli)")
    run.add_argument("--wait", metavar="DURATION", default="0", help="wait this long for a holder, like 90s or 1h")
    run.add_argument("--held-exit-code", metavar="N", type=_exit_code, default=0, help="exit code when held (0)")
    run.add_argument("--ttl", metavar="DURATION", default="", help="the record's promise to foreign scripts (6h)")
    run.add_argument("--allow-network-filesystem", action="store_true", help="trust flock on a network file system")
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND ...", help="what to run")
    run.set_defaults(action=_run)
    inspect = actions.add_parser(
        "inspect",
        help="say who holds the lease; changes nothing",
        description="Say who holds the lease and whether that process lives. Changes nothing.",
        epilog=_INSPECT_EPILOG,
        formatter_class=_formatter,
    )
    inspect.add_argument("--json", action="store_true", help="print one JSON object")
    inspect.set_defaults(action=_inspect)
    reclaim = actions.add_parser(
        "reclaim",
        help="remove a dead holder's record; never a living one's",
        description="Remove the record of a holder that is proven dead; never that of a living one.",
        epilog=_RECLAIM_EPILOG,
        formatter_class=_formatter,
    )
    reclaim.set_defaults(action=_reclaim)
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return the formatter at a fixed width: asking for the terminal's imports shutil for every argument."""
    import argparse

    return argparse.RawDescriptionHelpFormatter(prog, width=100)


def _run(given: Given) -> int:
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command or not command[0]:
        raise NeoError("run", "no command was given", "Write it behind --, like: neo-lease run -- make backup")
    wait, ttl = _seconds(given.wait, "--wait"), _ttl(given.ttl)
    workspace = resolve_workspace(given.workspace)
    ensure_state(workspace)
    store = LeaseStore(workspace.lease_text, allow_network=given.allow_network_filesystem)
    if inherited_lease(store) is not None:
        return _start(command, None, store)
    from neo_core.lease.waiting import acquire_waiting

    owner = given.owner or os.path.basename(command[0])  # noqa: PTH119 - the word for the owner, not a path
    attempt = acquire_waiting(store, owner, given.reason, wait=wait, ttl=ttl, source="neo-lease")
    if attempt.hold is None:
        sys.stdout.write(f"{deferral_lines(attempt.before)}\n")
        return int(given.held_exit_code)
    try:
        return _start(command, attempt, store)
    finally:
        _release(attempt.hold)


def _release(hold: HeldLease) -> None:
    """Release; a failure is said, and never hides the command's own exit code."""
    try:
        hold.release()
    except NeoError as error:
        sys.stderr.write(f"neo-lease: the lease was not released cleanly: {error}\n")


def _start(command: list[str], attempt: object, store: LeaseStore) -> int:
    from neo_core.lease.store import Acquisition
    from neo_core.runs.wrapper import replace_by, run_guarded

    try:
        if isinstance(attempt, Acquisition) and attempt.hold is not None:
            return run_guarded(command, attempt.hold, store)
        replace_by(command)
    except FileNotFoundError:
        sys.stderr.write(f"neo-lease: program {command[0]!r}: was not found. Install it, or mend its name.\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"neo-lease: program {command[0]!r}: {describe_os_error(error)}. Make it executable.\n")
        return CANNOT_START
    return FAILED


def _inspect(given: Given) -> int:
    workspace, mistake = resolve_workspace_anyway(given.workspace)
    if mistake:
        sys.stderr.write(f"neo-lease: {mistake} Until then this is its last known or its usual place.\n")
    store = LeaseStore(path := workspace.lease_text)
    seen = store.inspect()
    from neo_core.commands.lease_text import as_json, as_text, working_under

    told = as_json(seen, path) if given.json else as_text(seen, path, working_under(seen, store.source))
    sys.stdout.write(told)
    return 1 if mistake or seen.status is RecordStatus.UNREADABLE else 0


def _reclaim(given: Given) -> int:
    before = LeaseStore(resolve_workspace(given.workspace).lease_text).reclaim()
    if before.takeable and before.status is not RecordStatus.MISSING:
        who = f" of {before.lease.owner} (pid {before.lease.pid})" if before.lease else ""
        sys.stdout.write(f"Reclaimed: the {before.status} record{who} is removed.\n")
        return 0
    if before.status is RecordStatus.MISSING:
        sys.stdout.write("Nothing to reclaim: nobody holds the lease.\n")
        return 0
    mend = way_out(before)
    sys.stderr.write(f"neo-lease: not reclaimed: {explain_held(before)}.{f' To end it: {mend}' if mend else ''}\n")
    return 1


def _ttl(text: str) -> float:
    """Return the record's promise; one that ends before it is renewed would invite foreign scripts in."""
    ttl = _seconds(text, "--ttl") if text else DEFAULT_TTL
    if ttl < 3 * RENEW_EVERY:
        cause = f"{text} is less than three renewals of {RENEW_EVERY:.0f}s"
        raise NeoError("--ttl", cause, f"Give it {3 * RENEW_EVERY:.0f}s or more, or leave it out.")
    return ttl


def _seconds(text: str, option: str) -> float:
    if text == "0":
        return 0.0
    from neo_core.durations import parse_duration

    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise NeoError(option, str(error), "Mend it.") from error


def _exit_code(text: str) -> int:
    import argparse

    if not (text.isascii() and text.isdigit() and int(text) <= 255):
        raise argparse.ArgumentTypeError(f"{text!r} is not an exit code; give a number from 0 to 255")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
