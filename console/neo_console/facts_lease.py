"""How a tree that is no living run's keeps the lease: what a killed run left, or a script; since when, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, Heading
from neo_console.format import age, ago, moment
from neo_console.living import SCRIPT_TREE, is_script, script_end
from neo_console.rows.processes import ORPHANS
from neo_console.vocabulary import outcome_term, term
from neo_core.snapshot import LeaseLight

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.ledger.models import Run
    from neo_core.snapshot import LeaseView, TreeView

_BLOCKS = "everything heavy: nothing heavy starts meanwhile"


def keeping(tree: TreeView, picture: Picture, now: float, stop_key: str = "") -> list[Heading | Fact]:
    """Return what the tree has to do with the lease, where it is left of a killed run or a script's; else nothing.

    ``stop_key`` is the key that ends it on its row; without one none is named.
    """
    lease = picture.lease_known()
    if tree.kind == ORPHANS:
        run = picture.run(tree.run_id) if tree.run_id else None
        return [Heading("The lease"), *_left_behind(tree, lease, run, now, stop_key)]
    if tree.kind == SCRIPT_TREE and lease is not None and is_script(lease):
        return [Heading("The lease"), *_script(lease, now)]
    return []


def _left_behind(tree: TreeView, lease: LeaseView | None, run: Run | None, now: float, stop_key: str) -> list[Fact]:
    whose = f"run {tree.run_id} of {tree.owner}" if tree.run_id else tree.owner
    shown = term(LeaseLight.ORPHANED)
    lost = ""
    if run is not None and not run.live:
        noticed = "" if run.ended_at is None else f", noticed {ago(run.ended_at, now)}"
        lost = f"{outcome_term(run.outcome).word}{noticed}"
    known = lease is not None and lease.light is LeaseLight.ORPHANED
    ways = [lease.mend] if lease is not None and known and lease.mend else []
    ways += [f"{stop_key} on its row"] if stop_key else []
    to_end = f"; to end them: {', or '.join(ways)}" if ways else ""
    return [
        Fact("why", f"whoever held it for {whose} is gone; these processes of it still work and keep it", shown.tone),
        Fact("its run", lost),
        Fact("since", _since(lease, now) if lease is not None and known else ""),
        Fact("blocks", _BLOCKS),
        Fact("ends", f"the lease is free when the last of them has ended{to_end}"),
    ]


def _script(lease: LeaseView, now: float) -> list[Fact]:
    shown = term(lease.light)
    return [
        Fact("holder", f"{lease.owner} (pid {lease.pid}), a script that holds the lease, no run of ours", shown.tone),
        Fact("reason", "" if lease.by_hand else lease.reason),
        Fact("since", _since(lease, now)),
        Fact("blocks", _BLOCKS),
        Fact("ends", f"when the script does; {script_end(lease)}"),
    ]


def _since(lease: LeaseView, now: float) -> str:
    at = lease.acquired_at
    return "" if at is None else f"{moment(at, now, seconds=True)}, for {age(now - at)}"
