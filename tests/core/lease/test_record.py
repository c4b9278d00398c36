"""The record as it is written and read: upstream's fields, ours below metadata, everything else kept."""

import json
import os
import re
from pathlib import Path

import pytest

from neo_core.lease.record import Holder, Lease, decode, new_lease, new_token
from neo_core.lease.words import MAX_RECORD_BYTES

FIELDS = ["owner", "reason", "pid", "token", "acquiredAt", "staleAfterMs", "expiresAt", "metadata"]
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def held(imagined):
    got = imagined.acquire("summary", "interval", ttl=60, metadata={"source": "neo-console", "runId": "r1"})
    yield got.hold
    got.hold.release()


def test_it_has_upstreams_eight_fields_in_upstreams_order(held, lease_path):
    told = json.loads(lease_path.read_bytes())

    assert list(told) == FIELDS
    assert (told["owner"], told["reason"], told["pid"]) == ("summary", "interval", os.getpid())
    assert re.fullmatch(UUID4, told["token"])
    assert re.fullmatch(ISO, told["acquiredAt"])
    assert re.fullmatch(ISO, told["expiresAt"])
    assert told["staleAfterMs"] == 60_000


def test_it_is_pretty_printed_with_two_spaces(held, lease_path):
    raw = lease_path.read_text(encoding="utf-8")

    assert raw == json.dumps(json.loads(raw), indent=2)
    assert raw.startswith('{\n  "owner": "summary",\n')


def test_what_is_ours_stands_below_metadata(held, lease_path):
    metadata = json.loads(lease_path.read_bytes())["metadata"]
    status = Path(f"{lease_path}.hold").stat()

    assert (metadata["source"], metadata["runId"]) == ("neo-console", "r1")
    assert metadata["holder"] == {
        "startTime": 1,
        "bootId": "boot-1",
        "pidNamespace": "pid:[1]",
        "host": os.uname().nodename,
        "uid": os.geteuid(),
        "hold": [status.st_dev, status.st_ino],
        "generation": 1,
    }


def test_there_is_never_a_boot_id_at_the_top(held, lease_path):
    held.renew()

    assert "bootId" not in json.loads(lease_path.read_bytes())


def test_a_caller_cannot_forge_the_holder(imagined, lease_path):
    got = imagined.acquire("x", "y", metadata={"holder": {"startTime": 5, "bootId": "other"}})

    assert json.loads(lease_path.read_bytes())["metadata"]["holder"]["bootId"] == "boot-1"
    got.hold.release()


def test_only_its_user_may_read_it(held, lease_path):
    assert lease_path.stat().st_mode & 0o777 == 0o600
    assert Path(f"{lease_path}.hold").stat().st_mode & 0o777 == 0o600
    assert Path(f"{lease_path}.lock").stat().st_mode & 0o777 == 0o600


def test_a_renewal_keeps_what_it_does_not_know(held, lease_path, clock):
    told = json.loads(lease_path.read_bytes())
    told["later"] = {"deep": [1, None, "ü"], "float": 0.1}
    told["metadata"]["theirs"] = True
    lease_path.write_text(json.dumps(told), encoding="utf-8")
    clock.wall += 10

    held.renew()

    renewed = json.loads(lease_path.read_bytes())
    assert list(renewed) == [*FIELDS, "later", "renewedAt"]
    assert {name: renewed[name] for name in told if name != "expiresAt"} == {
        name: told[name] for name in told if name != "expiresAt"
    }
    assert Lease(renewed).expires_at == pytest.approx(clock.wall + 60, abs=0.002)
    assert Lease(renewed).renewed_at == pytest.approx(clock.wall, abs=0.002)


def test_words_outside_ascii_and_broken_ones_come_back(imagined, lease_path):
    got = imagined.acquire("größe 🚀 \udc80", "r")

    assert "größe 🚀" in lease_path.read_text(encoding="utf-8")
    assert json.loads(lease_path.read_bytes())["owner"] == "größe 🚀 \udc80"
    assert got.hold.release() == "released"


def test_a_record_too_large_to_be_read_again_is_not_written(imagined, lease_path, names):
    from neo_core.errors import LeaseError

    with pytest.raises(LeaseError, match="bytes long"):
        imagined.acquire("x", "y", metadata={"note": "x" * MAX_RECORD_BYTES})

    assert names() == []
    assert imagined.acquire("x", "y").status == "acquired"


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"null", b"[]", b'"x"', b"7", b"{}", b'{"acquiredAt": ""}', b'{"acquiredAt": null}'),
        *(b'{"acquiredAt": true}', b'{"acquiredAt": {}}', b"\xff\xfe", b'{"acquiredAt": NaN}', b"\0" * 100),
        *(b'\xef\xbb\xbf{"acquiredAt": "2026-01-01T00:00:00Z"}', b'{"owner": "x"}'),
        pytest.param(b"[" * 60_000, id="deep"),
    ],
)
def test_what_is_no_object_with_an_acquisition_time_is_no_lease(raw):
    assert decode(raw) is None


def test_a_lease_needs_nothing_but_its_acquisition_time():
    lease = decode(b'{"acquiredAt": "2026-01-01T00:00:00.000Z"}')

    assert (lease.owner, lease.reason, lease.pid, lease.token) == ("unknown", "", None, "")
    assert (lease.metadata, lease.holder, lease.renewed_at) == ({}, None, None)
    assert lease.acquired_at == 1_767_225_600.0
    assert lease.expires_at == lease.acquired_at + 21_600


@pytest.mark.parametrize(("told", "seconds"), [("soon", 0.0), (1_767_225_600_000, 1_767_225_600.0), (-5, 0.0)])
def test_an_odd_acquisition_time_still_makes_a_lease(told, seconds):
    assert decode(json.dumps({"acquiredAt": told}).encode()).acquired_at == seconds


@pytest.mark.parametrize("pid", [0, -1, True, "12", 1.5, None, 2**31, [], {}])
def test_an_impossible_pid_is_none(pid):
    assert Lease({"acquiredAt": "2026-01-01", "pid": pid}).pid is None


@pytest.mark.parametrize("told", [0, -1, True, "60000", None, 1e400, 1e15])
def test_an_impossible_ttl_is_the_default(told):
    assert Lease({"acquiredAt": "2026-01-01", "staleAfterMs": told}).ttl == 21_600


def test_the_declared_deadline_wins_over_the_ttl():
    lease = Lease({"acquiredAt": "2026-01-01T00:00:00Z", "staleAfterMs": 1000, "expiresAt": "2026-01-02T00:00:00Z"})
    odd = Lease({**lease.fields, "expiresAt": "later"})

    assert lease.expires_at == lease.acquired_at + 86_400
    assert odd.expires_at == lease.acquired_at + 1


@pytest.mark.parametrize(
    "holder",
    [None, [], {"startTime": "1", "bootId": "b"}, {"startTime": True, "bootId": "b"}, {"startTime": 1, "bootId": 2}],
)
def test_an_incomplete_identity_makes_it_a_foreign_record(holder):
    assert Lease({"acquiredAt": "2026-01-01", "metadata": {"holder": holder}}).holder is None


def test_text_that_could_harm_a_terminal_is_replaced():
    lease = Lease({"acquiredAt": "2026-01-01\x1b10:00", "owner": "a\x1b[31mb\nc", "reason": "x" * 9000})

    assert lease.owner == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}c"
    assert len(lease.reason) == 500
    assert lease.acquired_text.isprintable()


def test_a_number_beyond_every_float_can_still_be_written_back():
    lease = decode(b'{"acquiredAt": "2026-01-01", "theirs": 1e999, "more": -1e999}')

    assert decode(lease.encode()) == lease


def test_tokens_are_random_uuids():
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(re.fullmatch(UUID4, token) for token in tokens)


HOLDER = Holder(9, "boot", "pid:[1]", "host", 1000, (1, 2), 3)


@pytest.mark.parametrize(
    ("changed", "holder"),
    [
        ({}, {}),
        ({"metadata": {"source": "neo-console", "task": "t", "runId": "r1"}}, {}),
        ({"metadata": {"list": [1, 2], "deep": {"er": {"s": 1}}}}, {}),
        ({"metadata": {"none": None, "true": True, "float": 0.5, "empty": {}, "words": ["a"]}}, {}),
        ({"metadata": {"holder": "forged", "after": 1}}, {}),
        ({"metadata": {'a"b': "back\\slash"}}, {}),
        ({"owner": 'so "called"', "reason": "two\nlines"}, {}),
        ({"owner": "größe 🚀", "reason": "100 % %s"}, {}),
        ({"owner": 5, "reason": None}, {}),
        ({"owner": ""}, {"host": 'h"', "boot_id": ""}),
        ({}, {"hold": None}),
    ],
)
def test_a_fresh_record_is_written_as_json_would_write_it(changed, holder):
    told = {"owner": "o", "reason": "r", "token": new_token(), "now": 1_767_225_600.5, "ttl": 60.0, "metadata": {}}
    lease = new_lease(**{**told, **changed}, holder=HOLDER._replace(**holder))

    assert lease.encode().decode() == json.dumps(lease.fields, indent=2, ensure_ascii=False)
    assert decode(lease.encode()) == lease
