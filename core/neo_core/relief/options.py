"""What can be done about the memory now, what costs least first, with what each should free. Pure."""

from __future__ import annotations

import msgspec

from neo_core.durations import format_duration
from neo_core.ledger.models import Control, Run
from neo_core.ledger.reliefs import Member, ReliefKind
from neo_core.relief.trees import Tree
from neo_core.snapshot_strays import StrayView

_NAMED = 4


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """A heavy task that starts by itself, and when it is due (seconds since the epoch)."""

    task: str
    due_at: float


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A model server that can be asked to unload. ``tree`` is ``None`` while it is not known (``why``).

    ``absent`` says that nobody is there to be asked. ``freed`` is what the call freed in the past, in bytes.
    """

    name: str
    address: str
    tree: Tree | None = None
    why: str = ""
    absent: bool = False
    freed: tuple[int, ...] = ()


class Working(msgspec.Struct, frozen=True, kw_only=True):
    """A run that works, and its processes; ``tree`` is ``None`` while its runner is not known."""

    run: Run
    tree: Tree | None = None


class Astray(msgspec.Struct, frozen=True, kw_only=True):
    """A process tree that belongs to nothing that lives, and what it costs."""

    stray: StrayView
    tree: Tree


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the options rest on, read beforehand. ``deferral`` is what defers everything heavy already.

    ``orphaned`` says what a killed run left with the lease, and ``orphaned_mend`` is the command that ends it.
    ``unseen`` is why it is not known what is astray, empty when it is.
    """

    now: float
    deferral: Control | None = None
    coming: tuple[Coming, ...] = ()
    servers: tuple[Server, ...] = ()
    working: tuple[Working, ...] = ()
    strays: tuple[Astray, ...] = ()
    orphaned: str = ""
    orphaned_mend: str = ""
    unseen: str = ""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done. ``expected`` is the bytes that it should free (``None``: unknown), by ``basis``.

    ``target`` and ``label`` name a server, a run by its id and its task, or a stray by its pid and its name.
    ``blocked`` says why it cannot be done now, and ``mend`` the way out. ``members`` are the processes whose memory is
    meant, which cost ``cost`` bytes now.
    """

    kind: ReliefKind
    target: str = ""
    label: str = ""
    effect: str
    expected: int | None
    basis: str
    blocked: str = ""
    mend: str = ""
    members: tuple[Member, ...] = ()
    cost: int | None = None


def options(situation: Situation) -> tuple[Option, ...]:
    """Return every option: what only holds back, what nobody needs, what can be loaded again, last what loses work."""
    strays = sorted((_end_stray(one) for one in situation.strays), key=_most_first)
    servers = sorted((_unload(one) for one in situation.servers), key=_most_first)
    runs = sorted((_stop(one, situation.now) for one in situation.working), key=_most_first)
    return (_defer_heavy(situation), *strays, *_orphaned(situation), *servers, *runs)


def _most_first(option: Option) -> tuple[bool, int, str]:
    return bool(option.blocked), -(option.expected or 0), option.label


def _defer_heavy(situation: Situation) -> Option:
    held = situation.deferral
    coming = sorted(situation.coming, key=lambda one: one.due_at)
    named = [f"{one.task} ({_when(one, situation.now)})" for one in coming[:_NAMED]]
    more = [f"{len(coming) - _NAMED} more"] if len(coming) > _NAMED else []
    names = ", ".join(named + more) or "nothing heavy that starts by itself"
    return Option(
        kind=ReliefKind.DEFER_HEAVY,
        effect=f"holds back {names}; what runs goes on, and so does light work",
        expected=0,
        basis="frees nothing by itself",
        blocked="everything heavy is deferred already" if held is not None else "",
        mend="neo-console relief resume-heavy ends it" if held is not None else "",
    )


def _when(one: Coming, now: float) -> str:
    left = int(one.due_at - now)
    if left <= 0:
        return "due"
    return (
        f"in {format_duration(left - left % 60).removesuffix('00s')}" if left >= 600 else f"in {format_duration(left)}"
    )


def _end_stray(one: Astray) -> Option:
    return of_stray(one.stray, one.tree)


def of_stray(stray: StrayView, tree: Tree) -> Option:
    """Return the ending of one stray as something that can be done."""
    return Option(
        kind=ReliefKind.STRAY,
        target=str(stray.pid),
        label=stray.name,
        effect=f"ends what {stray.sentence}",
        expected=tree.cost,
        basis=_of_a_tree(tree),
        members=tree.members,
        cost=tree.cost,
    )


def _orphaned(situation: Situation) -> tuple[Option, ...]:
    """Return what is only pointed at: what a killed run left with the lease, which ends as that run does."""
    if situation.unseen:
        return (_pointer("", f"what is astray is not known: {situation.unseen}", "neo-console doctor"),)
    if situation.orphaned:
        return (_pointer("of a killed run", situation.orphaned, situation.orphaned_mend),)
    return ()


def _pointer(label: str, told: str, mend: str) -> Option:
    basis = "unknown: it is not measured here"
    return Option(kind=ReliefKind.STRAY, label=label, effect=told, expected=None, basis=basis, blocked=told, mend=mend)


def _unload(server: Server) -> Option:
    expected, basis = _expected(server)
    return Option(
        kind=ReliefKind.UNLOAD,
        target=server.name,
        label=server.name,
        effect=f"asks {server.address}; it loads its model again when somebody uses it",
        expected=expected,
        basis=basis,
        blocked=server.why if server.absent else "",
        mend=f"start it, or correct unload.{server.name}.url in neo-console.toml" if server.absent else "",
        members=server.tree.members if server.tree else (),
        cost=server.tree.cost if server.tree else None,
    )


def _expected(server: Server) -> tuple[int | None, str]:
    """Return what a server should free: what it freed before, but never more than it has."""
    has = server.tree.cost if server.tree else None
    if server.freed:
        before = max(0, _median(server.freed))
        times = f"{len(server.freed)} past times" if len(server.freed) > 1 else "the one past time"
        if has is not None and has < before:
            return has, f"all it has now; the median of {times} is more"
        return before, f"median of {times}"
    if server.tree is not None:
        return server.tree.cost, _of_a_tree(server.tree)
    return None, f"unknown: {server.why or 'its processes are not known'}"


def _median(amounts: tuple[int, ...]) -> int:
    """Return the middle of some amounts (importing ``statistics`` would cost every start 10 ms)."""
    ordered, middle = sorted(amounts), len(amounts) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def _stop(working: Working, now: float) -> Option:
    run, tree = working.run, working.tree
    since = "" if run.started_at is None else f" of {format_duration(int(max(0.0, now - run.started_at)))}"
    return Option(
        kind=ReliefKind.STOP,
        target=run.run_id,
        label=run.task,
        effect=f"ends the run; its work{since} may be lost",
        expected=tree.cost if tree else None,
        basis=_of_a_tree(tree) if tree else "unknown: its runner is not known yet",
        members=tree.members if tree else (),
        cost=tree.cost if tree else None,
    )


def _of_a_tree(tree: Tree) -> str:
    return f"{'PSS' if tree.exact else 'RSS, which counts shared pages twice,'} of its tree now, at most"
