"""What a stray is called in the rows of the processes, and everything known about one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, Heading
from neo_console.format import NOTHING, age, size
from neo_console.vocabulary import Term, term
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from neo_core.snapshot import TreeView
    from neo_core.snapshot_strays import StrayView

_KINDS = {str(kind): kind for kind in StrayKind}


def stray_term(tree: TreeView) -> Term | None:
    """Return how the tree is shown when it is a stray's; ``None`` for any other."""
    kind = _KINDS.get(tree.kind)
    return term(kind) if kind is not None else None


def stray_identity(tree: TreeView) -> tuple[int, int] | None:
    """Return pid and start time of the root of a stray's tree; ``None`` for any other."""
    if tree.kind not in _KINDS or not tree.processes:
        return None
    root = tree.processes[0]
    return root.pid, root.start_time


def stray_memory(stray: StrayView) -> str:
    """Return its memory; ``~`` marks a sum of RSS, which counts shared pages more than once."""
    return size(stray.memory) if stray.exact else f"~{size(stray.memory)}"


def stray_facts(stray: StrayView) -> list[Heading | Fact]:
    """Return what is known of a stray beside its processes; a fact that does not apply is empty."""
    shown = term(stray.kind)
    return [
        Heading(f"Stray {stray.name}, pid {stray.pid}"),
        Fact("kind", str(shown), shown.tone),
        Fact("why", f"it {stray.sentence}"),
        Fact("blocks", stray.blocks),
        Fact("age", age(stray.age) if stray.age is not None else NOTHING),
        Fact("memory", stray_memory(stray)),
        Fact("command line", stray.command),
        Fact("mend", stray.mend),
    ]
