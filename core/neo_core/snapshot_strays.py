"""What the snapshot says about strays: processes that carry our markers, or listen on our ports, and belong to nothing.

Times are in seconds, memory is in bytes.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class StrayKind(StrEnum):
    """Why a process is a stray."""

    RUN = "run-orphan"
    SERVICE = "service-orphan"
    SECOND = "second-instance"
    LEASE = "lease-orphan"
    LISTENER = "foreign-listener"


class StrayView(msgspec.Struct, frozen=True, kw_only=True):
    """One stray tree. Pid, start time and boot are its root's and identify it; ``members`` are (pid, start time).

    ``spared`` are those below it, likewise, that belong to something that lives.

    ``owner`` is the task, the service or the lease's owner that it belonged to, or for a foreign listener whose port it
    has; ``elsewhere`` says that this lease was not taken by a program of ours in this workspace. ``memory``
    sums PSS where it can be read, else RSS; ``exact`` says which. ``blocks`` is what it stands in the way of, empty
    for nothing known.
    """

    kind: StrayKind
    pid: int
    start_time: int
    boot_id: str
    owner: str
    name: str
    command: str
    sentence: str
    mend: str
    run_id: str = ""
    blocks: str = ""
    age: float | None = None
    memory: int = 0
    exact: bool = False
    members: tuple[tuple[int, int], ...] = ()
    spared: tuple[tuple[int, int], ...] = ()
    elsewhere: bool = False
    keeps_lease: bool = False
    lost: bool = False

    @property
    def foreign(self) -> bool:
        """Whether nothing says that it was started here: nobody ends it without being told its name."""
        return self.elsewhere or self.kind is StrayKind.LISTENER

    @property
    def service(self) -> str:
        """The service that it was started for; empty for what was started for none."""
        return self.owner if self.kind in (StrayKind.SERVICE, StrayKind.SECOND) else ""

    @property
    def label(self) -> str:
        """Its root in words that fit into a sentence."""
        return f"{self.name} (pid {self.pid})"


class StraysView(msgspec.Struct, frozen=True, kw_only=True):
    """Every stray, and what could not be looked at.

    ``looked_at`` counts the processes whose environment was read, ``unreadable`` those of this user that would not
    show it, ``others`` those of other users. ``unknown`` says what should have been seen and could not. ``settling``
    counts what looks like a stray but is too new to be called one; ``settling_services`` names the services among
    what it was started for. ``orphaned`` says what a killed run left that keeps the lease, which is stopped as that run
    and is none of ``found``; empty for nothing.
    """

    found: tuple[StrayView, ...] = ()
    looked_at: int = 0
    unreadable: int = 0
    others: int = 0
    settling: int = 0
    settling_services: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    orphaned: str = ""
    orphaned_mend: str = ""


class StrayEnd(StrEnum):
    """How the attempt to end a stray went."""

    ENDED = "ended"
    KILLED = "killed"
    SURVIVED = "survived"


class StrayStop(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one stray; ``took`` is in seconds."""

    stray: StrayView
    end: StrayEnd
    took: float

    @property
    def sentence(self) -> str:
        """What became of it, in words."""
        count = len(self.stray.members)
        whole = f"{count} processes" if count > 1 else "1 process"
        how = {
            StrayEnd.ENDED: "ended when asked",
            StrayEnd.KILLED: "did not end when asked and was killed",
            StrayEnd.SURVIVED: "survives SIGKILL (stuck in the kernel, or another user's)",
        }[self.end]
        return f"{self.stray.label} with {whole} {how}"
