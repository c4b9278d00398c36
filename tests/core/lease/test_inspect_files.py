"""What reading tells about the file itself: five statuses, whatever lies there."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from neo_core.lease.explain import explain_held
from neo_core.lease.words import MAX_RECORD_BYTES


def test_no_file_is_missing(imagined):
    seen = imagined.inspect()

    assert (seen.status, seen.holder, seen.lease, seen.takeable) == ("missing", None, None, True)


def test_no_folder_is_missing(imagined, lease_path):
    lease_path.parent.rmdir()

    assert imagined.inspect().status == "missing"


def a_folder(path):
    path.mkdir()


def a_link(path):
    path.with_name("target").write_text('{"acquiredAt": "2026-01-01"}')
    path.symlink_to(path.with_name("target"))


def a_dangling_link(path):
    path.symlink_to(path.with_name("nowhere"))


def a_fifo(path):
    os.mkfifo(path)


def a_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def an_oversized_file(path):
    path.write_bytes(b" " * (MAX_RECORD_BYTES + 1))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (a_folder, "is a folder, not a regular file"),
        (a_link, "is a symbolic link, not a regular file"),
        (a_dangling_link, "is a symbolic link, not a regular file"),
        (a_fifo, "is a FIFO, not a regular file"),
        (a_socket, "is a device or socket, not a regular file"),
        (an_oversized_file, "is 65537 bytes long; a lease has at most 65536"),
    ],
)
def test_what_is_no_small_regular_file_is_unreadable(imagined, lease_path, make, words):
    make(lease_path)

    seen = imagined.inspect()

    assert (seen.status, seen.error, seen.takeable) == ("unreadable", words, False)
    assert words in explain_held(seen)


def test_the_largest_record_is_still_read(imagined, lease_path, put):
    record = b'{"acquiredAt": "2026-01-01T00:00:00Z"}'
    put(record + b" " * (MAX_RECORD_BYTES - len(record)))

    assert imagined.inspect().lease is not None


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_any_error_but_not_found_is_unreadable(imagined, put, records, monkeypatch, error):
    put(records["foreign"]())
    real = os.open

    def refuse(path, *rest, **options):
        if str(path).endswith(".json"):
            raise error
        return real(path, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    seen = imagined.inspect()

    assert seen.status == "unreadable"
    assert seen.error == error.strerror[0].lower() + error.strerror[1:]


LOOK = """
import os, sys
from neo_core.lease.store import LeaseStore
store = LeaseStore(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
seen = store.inspect()
print(seen.status, seen.error)
"""


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_file_without_permission_is_unreadable_for_an_ordinary_user(closed):
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        path = Path(base) / "state" / "heavy-maintenance-lease.json"
        path.parent.mkdir(mode=0o755)
        path.write_text('{"acquiredAt": "2026-01-01"}')
        (path if closed == "file" else path.parent).chmod(0)
        answer = subprocess.run([sys.executable, "-c", LOOK, str(path)], capture_output=True, text=True, check=False)
        path.parent.chmod(0o755)

    assert answer.stdout == "unreadable permission denied\n", answer.stderr


def test_a_file_that_grows_while_it_is_read_is_unreadable(imagined, lease_path, put, records, syscalls):
    put(records["foreign"]())
    with syscalls.Before(lease_path.parent, 3, lambda: lease_path.write_bytes(b" " * 100_000)):
        seen = imagined.inspect()

    assert seen.status == "unreadable"


def test_a_fifo_that_takes_the_files_place_blocks_nobody(imagined, lease_path, put, records, syscalls):
    put(records["foreign"](), age=100)

    def swap():
        lease_path.unlink()
        os.mkfifo(lease_path)
        os.utime(lease_path, (0, 0))

    with syscalls.Before(lease_path.parent, 1, swap):
        seen = imagined.inspect()

    assert seen.status == "unreadable"


def test_a_file_that_vanishes_while_it_is_read_is_missing(imagined, lease_path, put, records, syscalls):
    put(records["foreign"]())
    with syscalls.Before(lease_path.parent, 1, lease_path.unlink):
        assert imagined.inspect().status == "missing"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"owner": "x"}', b"\xff"])
def test_what_is_no_lease_is_malformed(imagined, put, content):
    put(content, age=60)

    seen = imagined.inspect()

    assert (seen.status, seen.busy, seen.takeable, seen.lease) == ("malformed", False, True, None)


@pytest.mark.parametrize(("age", "busy"), [(0.0, True), (1.9, True), (2.1, False), (-1.9, True), (-2.1, False)])
def test_a_malformed_record_is_busy_while_its_writer_may_still_write(imagined, put, age, busy):
    put(b"", age=age)

    seen = imagined.inspect()

    assert (seen.status, seen.busy, seen.takeable) == ("malformed", busy, not busy)
    assert not busy or explain_held(seen) == "somebody is writing the lease file right now"


def snapshot(folder):
    found = {path.name: path.lstat() for path in folder.iterdir()}
    told = {name: (one.st_ino, one.st_mtime_ns, one.st_ctime_ns, one.st_size) for name, one in found.items()}
    return told, folder.stat().st_mtime_ns


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"acquiredAt": "2020-01-01"}'])
def test_reading_changes_nothing(imagined, lease_path, put, content):
    if content is not None:
        put(content)
    for name in (".new", ".aside"):
        Path(f"{lease_path}{name}").write_text("left behind")
    before = snapshot(lease_path.parent)

    imagined.inspect()

    assert snapshot(lease_path.parent) == before


def test_reading_takes_no_lock(store, lease_path, participant, records, put):
    keeper = participant()
    keeper.ask("acquire")
    keeper.ask("enter_guard")

    seen = store.inspect()

    assert (seen.status, seen.lease.pid) == ("active", keeper.pid)
