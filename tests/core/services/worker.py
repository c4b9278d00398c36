"""A program that keeps services until it is killed; by its third argument it kills itself at a chosen moment."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import suppress
from random import random

import msgspec

from neo_core.clock import SystemClock
from neo_core.ledger.store import Ledger
from neo_core.processes.source import system_source
from neo_core.services import kept
from neo_core.services.catalogue import Service
from neo_core.services.keeper import ServiceKeeper
from neo_core.workspace import resolve_workspace


def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)


def main(root, services, moment):
    launch = kept.launch

    def launch_and_die(*arguments):
        launch(*arguments)
        die()

    if moment == "before the spawn":
        kept.launch = die
    elif moment == "after the spawn":
        kept.launch = launch_and_die
    workspace = resolve_workspace(root)
    clock = SystemClock()
    with Ledger(workspace.ledger) as ledger:
        keeper = ServiceKeeper(
            workspace,
            ledger,
            {one.name: one for one in msgspec.json.decode(services, type=list[Service])},
            clock=clock,
            source=system_source(),
            say=lambda level, line: print(level, line, flush=True),
            random=random,
        )
        print("beginning", flush=True)
        keeper.begin()
        while True:
            with suppress(ChildProcessError):
                while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                    keeper.child_ended(ended[0], os.waitstatus_to_exitcode(ended[1]))
            keeper.tick()
            if moment == "when all run" and {row.state for row in ledger.services.all().values()} == {"running"}:
                die()
            wait = (keeper.next_at() or 0.0) - clock.monotonic()
            select.select(keeper.filenos(), [], [], min(0.05, max(0.0, wait)))


main(*sys.argv[1:])
