"""What can be done about a fixed memory, and what was done before."""

from __future__ import annotations

from neo_core.config import UnloadConfig
from neo_core.errors import UsageError
from neo_core.ledger.models import Control, ControlKind
from neo_core.ledger.reliefs import Relief, ReliefKind, ReliefResult
from neo_core.relief.options import Coming, Option, Server, Situation, Working, options
from neo_core.relief.trees import Tree
from screenshots.parts import MIB, NOW, run

SERVERS = {
    "ollama": UnloadConfig(url="http://127.0.0.1:11434/api/generate"),
    "lm-studio": UnloadConfig(url="http://localhost:1234/api/v1/models/unload"),
}


def situation(deferral: Control | None = None) -> Situation:
    """Return a machine with two model servers, of which one is down, and a run."""
    return Situation(
        now=NOW,
        deferral=deferral,
        coming=(Coming(task="backup", due_at=NOW - 60), Coming(task="kbSync", due_at=NOW + 252)),
        servers=(
            Server(
                name="ollama",
                address="127.0.0.1:11434",
                tree=Tree(members=((3117, 900),), cost=5210 * MIB),
                freed=(4890 * MIB, 4930 * MIB, 4410 * MIB),
            ),
            Server(name="lm-studio", address="localhost:1234", why="nobody listens on port 1234", absent=True),
        ),
        working=(
            Working(
                run=run("9f31c07a55d2", "dream", None, at=NOW - 192, started_at=NOW - 192, runner_pid=4211),
                tree=Tree(members=((4211, 1000),), cost=4212 * MIB),
            ),
        ),
    )


def past() -> list[Relief]:
    """Return one that was measured, and one that failed."""
    return [
        Relief(
            relief_id=2,
            kind=ReliefKind.UNLOAD,
            target="lm-studio",
            asked_at=NOW - 900,
            requested_by="ada",
            done_at=NOW - 900,
            result=ReliefResult.FAILED,
            sentence="localhost:1234 cannot be reached: connection refused",
            settled_at=NOW - 900,
            note="nothing was done",
        ),
        Relief(
            relief_id=1,
            kind=ReliefKind.UNLOAD,
            target="ollama",
            asked_at=NOW - 1200,
            requested_by="ada",
            expected=4890 * MIB,
            basis="median of 2 past times",
            tree_before=5210 * MIB,
            available_before=1100 * MIB,
            done_at=NOW - 1200,
            result=ReliefResult.DONE,
            sentence="127.0.0.1:11434 answered with 200",
            settled_at=NOW - 1184,
            tree_after=320 * MIB,
            available_after=5700 * MIB,
        ),
    ]


class FixedReliever:
    """Remembers in ``asked`` what it was asked to do, and does nothing."""

    def __init__(self, asked: list[tuple[object, ...]]) -> None:
        self.asked = asked
        self.deferral: Control | None = None
        self.error: Exception | None = None

    def options(self) -> tuple[Option, ...]:
        """Return what can be done in the fixed situation."""
        return options(situation(self.deferral))

    def history(self, limit: int = 100) -> list[Relief]:
        """Return what was done."""
        return past()[:limit]

    def defer_heavy(self, seconds: float, because: str) -> Relief:
        """Remember it, and be deferred from now on."""
        self.asked.append(("defer-heavy", seconds, because))
        self.deferral = Control(
            control_id=9,
            kind=ControlKind.DEFER_HEAVY,
            target="",
            created_at=NOW,
            until=NOW + seconds,
            because=because,
            requested_by="ada",
        )
        return Relief(kind=ReliefKind.DEFER_HEAVY, target="", asked_at=NOW, expected=0)

    def resume_heavy(self) -> bool:
        """Remember it."""
        self.asked.append(("resume-heavy",))
        self.deferral = None
        return True

    def unload(self, name: str, because: str = "") -> Relief:
        """Remember it, or fail as the test wants."""
        self.asked.append(("unload", name, because))
        if self.error is not None:
            raise self.error
        told = f"{name} answered with 200"
        return Relief(kind=ReliefKind.UNLOAD, target=name, asked_at=NOW, expected=4890 * MIB, sentence=told)

    def stop(self, run_id: str, because: str = "", *, force: bool = False) -> Relief:
        """Remember it."""
        if force:
            raise UsageError(f"run {run_id}", "is not to be forced from here", "Use force-stop.")
        self.asked.append(("relief-stop", run_id, because))
        told = "dream was asked to end"
        return Relief(kind=ReliefKind.STOP, target=run_id, asked_at=NOW, expected=4212 * MIB, sentence=told)

    def end_stray(self, pid: int, start_time: int | None = None, because: str = "") -> Relief:
        """Remember it."""
        self.asked.append(("end-stray", pid, start_time, because))
        told = f"sleep (pid {pid}) with 1 process ended when asked"
        return Relief(kind=ReliefKind.STRAY, target=str(pid), asked_at=NOW, expected=4096 * MIB, sentence=told)
