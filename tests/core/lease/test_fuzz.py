"""Whatever lies under the lease's name: a defined answer, no exception, and nothing of it lost."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neo_core.errors import LeaseError
from neo_core.lease.explain import deferral_lines, explain_held
from neo_core.lease.record import decode
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import AcquireStatus, HolderState, RecordStatus

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
TIMES = st.sampled_from(
    [
        *("2026-05-28T20:25:40.000Z", "2026-05-28", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
        *("2026-05-28\n00:00", "+275760-09-13T00:00:00.000Z", "2026-02-30T00:00:00Z", "soon", ""),
    ]
)
PIDS = st.sampled_from([os.getpid(), 1, 4242, 2**31, -1, 10**30])
HOLDERS = st.fixed_dictionaries(
    {},
    optional={
        "startTime": st.sampled_from([1, 777, -1]) | JSON,
        "bootId": st.sampled_from(["boot-1", "boot-0", ""]) | JSON,
        "pidNamespace": st.sampled_from(["pid:[1]", "pid:[2]"]) | JSON,
        "host": st.sampled_from([os.uname().nodename, "elsewhere"]) | JSON,
        "uid": JSON,
        "hold": st.lists(st.integers(), min_size=2, max_size=2) | JSON,
        "generation": JSON,
    },
)
LEASES = st.fixed_dictionaries(
    {},
    optional={
        "owner": JSON,
        "reason": JSON,
        "pid": PIDS | JSON,
        "token": JSON,
        "acquiredAt": TIMES | JSON,
        "staleAfterMs": st.integers() | st.floats() | JSON,
        "expiresAt": TIMES | JSON,
        "metadata": st.fixed_dictionaries({"holder": HOLDERS}) | JSON,
        "renewedAt": TIMES | JSON,
        "bootId": JSON,
    },
)
TORN = st.builds(lambda told, at: json.dumps(told).encode()[:at], LEASES, st.integers(0, 200))
CONTENTS = st.binary(max_size=300) | TORN | (LEASES | JSON).map(lambda told: json.dumps(told).encode())
AGES = st.sampled_from([-1e9, -5.0, 0.0, 1.0, 60.0, 1e9])


@pytest.fixture
def anywhere(machine, clock):
    """Put a file under the lease's name in a folder of its own."""

    @contextlib.contextmanager
    def place(content, age):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lease.json"
            path.write_bytes(content)
            os.utime(path, (clock.wall - age, clock.wall - age))
            yield path, LeaseStore(path, source=machine, clock=clock)

    return place


@FEW
@given(content=CONTENTS, age=AGES)
def test_reading_always_has_an_answer_and_changes_nothing(anywhere, content, age):
    with anywhere(content, age) as (path, store):
        before = path.stat()

        seen = store.inspect()

        assert seen.status in {RecordStatus.MALFORMED, RecordStatus.STALE, RecordStatus.ACTIVE}
        assert (seen.holder in set(HolderState)) == (seen.lease is not None)
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, before.st_mtime_ns)
        assert list(path.parent.iterdir()) == [path]
        assert explain_held(seen).isprintable()
        assert len(deferral_lines(seen).splitlines()) == 2


@FEW
@given(content=CONTENTS, age=AGES)
def test_an_acquisition_takes_what_may_be_taken_and_leaves_everything_else(anywhere, content, age):
    with anywhere(content, age) as (path, store):
        seen = store.inspect()

        got = store.acquire("fuzz", "test")

        assert (got.status is AcquireStatus.HELD) == (not seen.takeable)
        if got.hold is None:
            assert path.read_bytes() == content
            assert got.detail
        else:
            assert decode(path.read_bytes()).token == got.hold.lease.token
            assert got.hold.renew() == "renewed"
            assert got.hold.release() == "released"
            assert not path.exists()


@FEW
@given(content=CONTENTS, age=AGES)
def test_a_reclaim_removes_what_may_be_taken_and_nothing_else(anywhere, content, age):
    with anywhere(content, age) as (path, store):
        takeable = store.inspect().takeable

        store.reclaim()

        assert path.exists() == (not takeable)
        assert not path.exists() or path.read_bytes() == content


@FEW
@given(content=CONTENTS)
def test_what_was_read_is_written_back_the_same(content):
    lease = decode(content)

    if lease is not None:
        assert decode(lease.encode()) == lease
        assert decode(lease.renewed(1e9).encode()).renewed_at == 1e9 if lease.ttl < 1e11 else True


@FEW
@given(content=st.binary(max_size=60))
def test_a_damaged_hold_file_stops_nobody_and_never_counts_back(machine, clock, content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lease.json"
        Path(f"{path}.hold").write_bytes(content)
        store = LeaseStore(path, source=machine, clock=clock)
        first, second = (generation(store) for _ in range(2))

    assert second == first + 1


def generation(store):
    try:
        got = store.acquire("fuzz", "test")
    except LeaseError as error:  # pragma: no cover - the failure this test looks for
        pytest.fail(str(error))
    got.hold.release()
    return got.hold.generation
