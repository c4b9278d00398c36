"""``status --format prometheus``: every line well-formed, labels escaped, and nothing that is not known."""

from __future__ import annotations

import re

from neo_console.cli.prometheus import prometheus_text
from neo_core.ledger.models import ServiceState
from neo_core.snapshot import (
    LeaseLight,
    LeaseView,
    MemoryView,
    OrchestratorState,
    OrchestratorView,
    Section,
    ServiceView,
)
from screenshots.fixtures import held_lease, snapshot
from screenshots.parts import NOW

HEAD = re.compile(r"# (HELP|TYPE) (neo_console_[a-z_]+) (.+)")
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"(neo_console_[a-z_]+)(?:{{({LABEL}(?:,{LABEL})*)}})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)")
LOST = Section(at=NOW, error="ledger: is damaged")
EMPTY_LEASE = LeaseView(light=LeaseLight.FREE, status="missing", sentence="nobody holds the lease")


def samples(picture) -> dict[str, float]:
    """Return value by name and labels, after checking the form of every line and the order of families."""
    found: dict[str, float] = {}
    family, heads = "", []
    text = prometheus_text(picture)
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("#"):
            kind, family, rest = HEAD.fullmatch(line).groups()
            heads.append((kind, family))
            assert kind == "HELP" or rest == "gauge"
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == family
        key = f"{match[1].removeprefix('neo_console_')}{{{match[2]}}}" if match[2] else match[1][12:]
        assert key not in found
        found[key] = float(match[3])
    assert len(set(heads)) == len(heads)
    return found


def test_a_held_lease_tasks_runs_and_memory():
    told = samples(snapshot(services=(), collisions=()))
    assert told['lease_held{owner="dream"}'] == 1
    assert told["lease_age_seconds"] == 732
    assert told['task_deferral_streak{task="backup"}'] == 41
    assert told['task_waiting_seconds{task="backup"}'] == 724
    assert told['task_waiting_seconds{task="dream"}'] == 0
    assert told['task_last_success_timestamp_seconds{task="kbSync"}'] == NOW - 1931
    assert told["memory_pressure_ratio"] == 0.042
    assert told["collisions"] == told['strays{kind="run-orphan"}'] == 0
    assert sum(value for name, value in told.items() if name.startswith("health{")) == 1
    assert sum(value for name, value in told.items() if name.startswith("runs_recent{")) > 0
    assert 'task_starved{task="golden-path"}' not in told  # not configured


def test_what_is_unknown_is_left_out():
    told = samples(
        snapshot(
            lease=LOST,
            schedule=LOST,
            outcomes=LOST,
            memory=LOST,
            services=LOST,
            orchestrator=LOST,
            collisions=LOST,
            strays=LOST,
        )
    )
    assert told['health{status="unknown"}'] == 1
    assert set(told) == {
        "snapshot_timestamp_seconds",
        *(f'health{{status="{word}"}}' for word in ("healthy", "degraded", "unhealthy", "unknown")),
    }
    calm = samples(snapshot(memory=MemoryView(total=2, available=1, swap_used=0)))
    assert "memory_pressure_ratio" not in calm
    assert "memory_available_bytes" in calm


def test_an_unreadable_lease_is_neither_held_nor_free():
    view = LeaseView(light=LeaseLight.UNREADABLE, status="unreadable", sentence="no")
    assert not [name for name in samples(snapshot(lease=view)) if name.startswith("lease")]
    assert samples(snapshot(lease=EMPTY_LEASE))["lease_held"] == 0


def test_services_and_the_orchestrator():
    told = samples(
        snapshot(
            services=tuple(
                ServiceView(
                    name=name, title="", state=state, since=NOW, wanted=True, kept=True, sentence="", restarts=4
                )
                for name, state in (("a", ServiceState.RUNNING), ("b", ServiceState.BACKOFF))
            ),
            orchestrator=OrchestratorView(state=OrchestratorState.SILENT, sentence="", beat_at=NOW - 60),
        )
    )
    assert (told['service_up{service="a"}'], told['service_up{service="b"}']) == (1, 0)
    assert told['service_restarts{service="b"}'] == 4
    assert (told["orchestrator_up"], told["orchestrator_last_poll_timestamp_seconds"]) == (0, NOW - 60)
    unknown = OrchestratorView(state=OrchestratorState.UNKNOWN, sentence="")
    assert not [name for name in samples(snapshot(orchestrator=unknown)) if name.startswith("orchestrator")]


def test_labels_are_escaped():
    import msgspec

    odd = msgspec.structs.replace(held_lease(), owner='a "b" \\ c\nd')
    assert 'lease_held{owner="a \\"b\\" \\\\ c\\nd"}' in samples(snapshot(lease=odd))


def test_the_command_prints_it_and_opens_nothing(console):
    done = console("status", "--format", "prometheus")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("# HELP neo_console_")
    assert "neo_console_lease_held 0\n" in done.stdout
