"""Borrowing, file systems, and what importing the lease costs."""

import subprocess
import sys

import pytest

from neo_core.lease.filesystem import network_filesystem
from neo_core.lease.inherit import borrowable, inherited_lease, inherited_token, without_lease
from neo_core.lease.words import GENERATION, INHERITED_TOKEN

TOKEN = "11111111-1111-4111-8111-111111111111"


def test_the_token_of_an_active_lease_borrows(imagined, put, records, machine):
    machine.started[4242] = 777
    put(records["ours"]())

    assert inherited_lease(imagined, {INHERITED_TOKEN: TOKEN}).token == TOKEN


def test_the_token_of_a_living_foreign_lease_borrows(imagined, put, records, machine):
    machine.started[4242] = 1
    put(records["foreign"]())

    assert inherited_lease(imagined, {INHERITED_TOKEN: TOKEN}).owner == "kbSync"


def test_a_holder_that_cannot_be_checked_still_lends(imagined, put, records):
    put(records["ours"](pidNamespace="pid:[2]"))

    assert inherited_lease(imagined, {INHERITED_TOKEN: TOKEN}) is not None


@pytest.mark.parametrize("environment", [{}, {INHERITED_TOKEN: ""}, {INHERITED_TOKEN: "another"}])
def test_no_token_or_another_borrows_nothing(imagined, put, records, machine, environment):
    machine.started[4242] = 777
    put(records["ours"]())

    assert inherited_lease(imagined, environment) is None


@pytest.mark.parametrize("content", [None, b"{", "dead", "orphaned"])
def test_a_lease_without_a_living_holder_lends_nothing(imagined, put, records, machine, content):
    if content == "orphaned":
        machine.started[50] = 1
        machine.environments[50] = f"{INHERITED_TOKEN}={TOKEN}\0".encode()
    if content is not None:
        put(content if isinstance(content, bytes) else records["ours"]())

    assert inherited_lease(imagined, {INHERITED_TOKEN: TOKEN}) is None


def test_a_record_without_a_token_lends_to_nobody(imagined, put, records, machine):
    machine.started[4242] = 1
    put(records["foreign"](token=""))

    assert borrowable(imagined.inspect(), "") is None


def test_the_token_comes_from_the_own_environment(monkeypatch):
    assert inherited_token() == ""
    monkeypatch.setenv(INHERITED_TOKEN, "x")
    assert inherited_token() == "x"


def test_what_belongs_to_the_holders_tree_is_stripped_elsewhere():
    assert without_lease({"A": "1", INHERITED_TOKEN: "x", GENERATION: "3"}) == {"A": "1"}


MOUNTS = """\
/dev/sda / ext4 rw 0 0
server:/x /home nfs4 rw 0 0
/dev/sdb /home/local\\040disk xfs rw 0 0
me@host:/ /mnt/ssh fuse.sshfs rw 0 0
proc /proc proc rw 0 0
broken
//nas/share /over cifs rw 0 0
tmpfs /over tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", None),
        ("/home/me/project", "nfs4"),
        ("/home", "nfs4"),
        ("/homes", None),
        ("/home/local disk/project", None),
        ("/mnt/ssh/project", "fuse.sshfs"),
        ("/over/x", None),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(tmp_path, folder, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    assert network_filesystem(folder, str(mounts)) == kind


def test_without_a_mount_table_it_counts_as_local(tmp_path):
    assert network_filesystem("/", str(tmp_path / "none")) is None


HEAVY = ["textual", "rich", "msgspec", "click", "psutil", "filelock", "subprocess", "dataclasses", "uuid", "asyncio"]


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import neo_core.lease.store", [*HEAVY, "inspect", "threading", "logging"]),
        ("from neo_core import hold_lease", [*HEAVY, "inspect", "logging"]),
        ("import neo_core", [*HEAVY, "inspect", "json", "neo_core.lease"]),
    ],
)
def test_importing_the_lease_leaves_the_rest_alone(statement, unwanted):
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert statement.split()[1] in answer.stdout.split()
    assert set(answer.stdout.split()) & set(unwanted) == set()


def test_a_whole_acquisition_leaves_the_rest_alone(tmp_path):
    code = (
        "import sys; before = set(sys.modules)\n"
        "from neo_core.lease.store import LeaseStore\n"
        f"got = LeaseStore({str(tmp_path / 'lease.json')!r}).acquire('x', 'y')\n"
        "assert got.hold.renew() == 'renewed' and got.hold.release() == 'released'\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set(answer.stdout.split()) & {*HEAVY, "inspect", "threading"} == set()
