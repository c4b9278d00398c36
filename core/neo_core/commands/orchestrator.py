"""``neo-orchestrator``: starts what is due, one heavy job at a time, and keeps the services alive."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import suppress

from neo_core.clock import SystemClock
from neo_core.errors import NeoError
from neo_core.lease.words import GENERATION, INHERITED_TOKEN
from neo_core.orchestrator.instance import take_instance_lock
from neo_core.orchestrator.log import OrchestratorLog
from neo_core.orchestrator.loop import CRASHED, Orchestrator
from neo_core.processes.source import system_source
from neo_core.runs.signals import SignalWaiter
from neo_core.runs.spawn import RUN_ID, SERVICE_ID
from neo_core.streams import prepare_streams
from neo_core.workspace import Workspace, ensure_state, resolve_workspace

_LOG_MAX, _LOG_KEEP = 5 * 1024 * 1024, 3

_DESCRIPTION = "Start what is due, at most one heavy job at a time, and keep the services alive."
_EPILOG = """\
exit codes:
  0 stopped as asked (TERM, INT, neo-console orchestrator stop), or polled once
  1 the configuration or the state folder cannot be used; 2 usage
  3 another one runs in this workspace, and is named; 70 crashed, see the log

examples:
  neo-orchestrator run                      # in the foreground, for systemd or launchd
  neo-orchestrator run --once               # one poll, for cron
  neo-console orchestrator start            # detached from the terminal

files and environment:
  neo-console.toml: the tasks, the services and every setting
  .neo-ai-data/orchestrator-daemon/orchestrator.log: what it did
  NEO_AI_ORCHESTRATOR_DIR: another place for that folder; set it for every script or for none"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every foreseen error is one message on stderr."""
    prepare_streams()
    given = _parser().parse_args(arguments)
    try:
        return _run(resolve_workspace(given.workspace), once=given.once)
    except NeoError as error:
        with suppress(OSError):
            sys.stderr.write(f"neo-orchestrator: {error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="neo-orchestrator", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=_formatter
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    run = actions.add_parser(
        "run",
        help="run in the foreground until told to stop",
        description="Run in the foreground until told to stop. Only one runs per workspace.",
        epilog=_EPILOG,
        formatter_class=_formatter,
    )
    run.add_argument("--workspace", metavar="DIR", help="the workspace (default: found from the current folder)")
    run.add_argument("--once", action="store_true", help="poll a single time, leaving the services alone, and exit")
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    return argparse.RawDescriptionHelpFormatter(prog, width=100)


def _run(workspace: Workspace, *, once: bool) -> int:
    _forget_whose_child_we_are()
    ensure_state(workspace)
    clock, source = SystemClock(), system_source()
    lock = take_instance_lock(workspace, source)
    shown = sys.stderr.isatty()
    log = OrchestratorLog(workspace.orchestrator_log, clock, max_bytes=_LOG_MAX, keep=_LOG_KEEP, echo=shown)
    waiter = SignalWaiter(_stops(shown=shown))
    if shown:
        sys.stderr.write(f"neo-orchestrator for {workspace.root}: Ctrl-C stops it; its log: {log.path}\n")
    try:
        return Orchestrator(workspace, lock, log, waiter, clock=clock, source=source, once=once).run()
    except NeoError as error:
        log.say("ERROR", f"Not running: {error}")
        raise
    except Exception as error:  # noqa: BLE001 - the last one to say what nobody foresaw, and never with exit code 0
        import traceback

        log.say_lines("ERROR", f"Crashed: {type(error).__name__}: {error}", traceback.format_exc())
        return CRASHED
    finally:
        log.close()
        lock.release()


def _stops(*, shown: bool) -> tuple[signal.Signals, ...]:
    """Return the signals that stop us: in a terminal also its end, unless somebody (nohup) had that ignored."""
    ended_with_terminal = shown and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if ended_with_terminal else ()))


def _forget_whose_child_we_are() -> None:
    """Drop what a run that started us lent to its children: we live longer than it."""
    for name in (INHERITED_TOKEN, GENERATION, RUN_ID, SERVICE_ID):
        os.environ.pop(name, None)


if __name__ == "__main__":
    sys.exit(main())
