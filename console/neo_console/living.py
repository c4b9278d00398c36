"""What lives here and is no run of ours: a script that holds the lease, the process of a pid; and what ends each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.vocabulary import term
from neo_core.errors import NeoError
from neo_core.ledger.models import Trigger
from neo_core.snapshot import LeaseLight

if TYPE_CHECKING:
    from neo_core.ledger.models import Run
    from neo_core.snapshot import LeaseView, Snapshot, TreeView

SCRIPT_TREE = "lease"
_SCRIPT = "a script"
_ENDS = {
    "run": "neo-console stop {tree.run_id}",
    "orphans": "neo-console stop {tree.run_id}",
    "service": "neo-console service stop {tree.owner}",
    "orchestrator": "neo-console orchestrator stop",
}
_LONGEST_COMMAND = 100


def how_asked(lease: LeaseView, run: Run | None) -> str:
    """Return how the holder was started: a run by its trigger, a script as such, with the reason it gave, if any."""
    if run is not None:
        return term(run.trigger).word
    reason = "" if lease.by_hand else lease.reason
    if lease.run_id:
        return reason or term(Trigger.MANUAL).word
    return f"{_SCRIPT}: {reason}" if reason else _SCRIPT


def is_script(lease: LeaseView) -> bool:
    """Return whether a living process holds the lease that is no run of this or another workspace."""
    return lease.pid is not None and not lease.run_id and lease.light in (LeaseLight.HELD, LeaseLight.OVERDUE)


def script_end(lease: LeaseView) -> str:
    """Return how an operator ends a living script: ``neo-lease run`` passes the signal on to its command."""
    return f"end it where it was started, or with: kill {lease.pid}"


def explain_living(snapshot: Snapshot, name: str) -> NeoError | None:
    """Return what ``name`` is, a script that holds the lease or a living process's pid, and the command that ends it.

    ``None`` when it is neither, as far as the snapshot could be read.
    """
    lease = snapshot.lease.value
    trees = snapshot.processes.value or ()
    script = lease if lease is not None and is_script(lease) else None
    if script is not None and name in (script.owner, str(script.pid)):
        return _of_script(script, next((one for one in trees if one.kind == SCRIPT_TREE), None))
    tree = next((one for one in trees if any(str(process.pid) == name for process in one.processes)), None)
    if tree is None:
        return None
    if tree.kind == SCRIPT_TREE and script is not None:
        cause = f"works for the script {script.owner}, which holds the lease and is no run of ours (pid {script.pid})"
        return NeoError(f"process {name}", cause, _sentence(script_end(script)))
    if tree.kind not in _ENDS or (tree.kind == "orphans" and not tree.run_id):
        return None
    what = f"run {tree.run_id} of {tree.owner}" if tree.run_id else f"the {tree.kind} {tree.owner}"
    what = "the orchestrator" if tree.kind == "orchestrator" else what
    return NeoError(f"process {name}", f"belongs to {what}", f"End that with: {_ENDS[tree.kind].format(tree=tree)}.")


def _of_script(script: LeaseView, tree: TreeView | None) -> NeoError:
    command = tree.processes[0].command if tree is not None and tree.processes else ""
    shown = command if len(command) <= _LONGEST_COMMAND else f"{command[:_LONGEST_COMMAND]}…"
    what = f"pid {script.pid}, {shown}" if shown else f"pid {script.pid}"
    cause = f"is no run of ours but a script that holds the lease by itself ({what})"
    return NeoError(f"script {script.owner!r}", cause, _sentence(script_end(script)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
