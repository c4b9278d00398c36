"""The rows of the processes: every owner's tree with its memory, and the processes below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import NOTHING, age, percent, plain, size
from neo_console.rows.model import About, Cell, Column, Row, words_of
from neo_console.rows.strays import stray_identity, stray_term
from neo_console.subjects import Kind, Subject
from neo_console.vocabulary import Term, Tone, term
from neo_core.ledger.models import LeaseRole
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from neo_core.snapshot import ProcessView, TreeView

COLUMNS = (
    Column("name", "process", 13, flexible=True),
    Column("pid", "pid", 7, right=True),
    Column("pss", "PSS", 5, right=True, falling=True),
    Column("cpu", "CPU", 4, right=True, falling=True),
    Column("age", "age", 6, right=True, spare=1, falling=True),
)
CONSOLE = "console"
RUN = "run"
SERVICE = "service"
ORPHANS = "orphans"
_KINDS = {
    ORPHANS: "orphans",
    "lease": "not ours",
    SERVICE: "service",
    "orchestrator": "orchestrator",
    CONSOLE: "this console",
    "stray": "stray",
}
KINDS = {RUN, *_KINDS}


def process_rows(trees: tuple[TreeView, ...]) -> list[Row]:
    """Return a row for every tree and, below it, one for every process of it."""
    rows: list[Row] = []
    for tree in trees:
        rows.append(_tree_row(tree))
        above = [(-1, rows[-1].key)]
        for process in tree.processes:
            while above[-1][0] >= max(0, process.depth):
                above.pop()
            rows.append(_process_row(tree, process, above[-1][1]))
            above.append((process.depth, rows[-1].key))
    return rows


def tree_subject(tree: TreeView) -> Subject:
    """Return the subject of a tree."""
    return Subject(
        Kind.TREE,
        tree_key(tree),
        plain(tree.owner),
        task=_task_of(tree),
        run_id=tree.run_id,
        service=_service_of(tree),
        stray=stray_identity(tree),
    )


def tree_key(tree: TreeView) -> str:
    """Return what a tree is known by: its kind, its owner and its run; a stray by its root."""
    stray = stray_identity(tree)
    if stray is not None:
        return f"{tree.kind}:{stray[0]}:{stray[1]}"
    return f"{tree.kind}:{tree.owner}:{tree.run_id}"


def tree_memory(tree: TreeView) -> str:
    """Return the memory of a tree; ``~`` marks a sum of RSS, which counts shared pages more than once."""
    return size(tree.memory) if tree.exact else f"~{size(tree.memory)}"


def tree_note(tree: TreeView) -> str:
    """Return what the tree is, or is to the lease, in a few words."""
    shown = _stray_term(tree)
    if shown is not None:
        return shown.word
    known = "" if tree.owner == _KINDS.get(tree.kind) else _KINDS.get(tree.kind, "")
    role = "" if tree.role is LeaseRole.NONE else term(tree.role).word
    return ", ".join(part for part in (role, known) if part)


def _stray_term(tree: TreeView) -> Term | None:
    """Return how a stray is shown, and what a killed run left under the lease: it belongs to nothing that lives too."""
    return term(StrayKind.RUN) if tree.kind == ORPHANS else stray_term(tree)


def _tree_row(tree: TreeView) -> Row:
    note, shown = tree_note(tree), _stray_term(tree)
    known = [process.cpu for process in tree.processes if process.cpu is not None]
    cells = (
        Cell(f"{shown.badge} {plain(tree.owner)}", shown.tone, f"{shown} · {plain(tree.owner)}", lead=True, strong=True)
        if shown
        else _named(plain(tree.owner), note),
        Cell(""),
        Cell(tree_memory(tree), strong=True),
        Cell(percent(sum(known)) if known else "?", strong=True),
        Cell(age(tree.processes[0].age) if tree.processes else ""),
    )
    root = tree.processes[0] if tree.processes else None
    lasted, memory = (root.age, tree.memory) if root else (None, None)
    return Row(
        tree_subject(tree),
        cells,
        words_of(cells, tree.run_id),
        plain(_task_of(tree)),
        (tree.kind, *note.split(", ")),
        (plain(tree.owner), root.pid if root else None, memory, sum(known) if known else None, lasted),
        About(note, plain(tree.owner), lasted, memory),
    )


def _named(owner: str, note: str) -> Cell:
    """Return the owner with what its tree is, where there is little room only the first of it."""
    if not note:
        return Cell(owner, strong=True)
    return Cell(owner, full=f"{owner} · {note}", strong=True, middle=f"{owner} · {note.partition(', ')[0]}")


def _process_row(tree: TreeView, process: ProcessView, under: str) -> Row:
    name = plain(process.name)
    subject = Subject(
        Kind.PROCESS,
        f"{process.pid}:{process.start_time}",
        f"{name} ({process.pid})",
        task=_task_of(tree),
        run_id=tree.run_id,
        pid=process.pid,
        start_time=process.start_time,
        service=_service_of(tree),
        stray=stray_identity(tree),
    )
    memory = size(process.pss) if process.pss is not None else f"~{size(process.rss)}"
    cells = (
        Cell(f"{'  ' * process.depth}└ {name}"),
        Cell(str(process.pid), Tone.DIM),
        Cell(memory),
        Cell(percent(process.cpu), Tone.PLAIN if process.cpu is not None else Tone.UNKNOWN),
        Cell(age(process.age) if process.age is not None else NOTHING, Tone.DIM),
    )
    used = process.rss if process.pss is None else process.pss
    return Row(
        subject,
        cells,
        words_of(cells, plain(process.command)),
        plain(_task_of(tree)),
        (tree.kind,),
        (name, process.pid, used, process.cpu, process.age),
        About("", plain(tree.owner), process.age, used),
        under,
    )


def _task_of(tree: TreeView) -> str:
    return tree.owner if tree.kind == RUN else ""


def _service_of(tree: TreeView) -> str:
    return tree.owner if tree.kind == SERVICE else ""
