"""Linux's signals, read from trees of files and from this machine."""

from __future__ import annotations

import os
import sys

import pytest

from neo_core.memory.linux import LinuxMemory
from neo_core.memory.reading import Limit, Stall

GIB = 1024**3
MEMINFO = """\
MemTotal:       16384000 kB
MemFree:          102400 kB
MemAvailable:    4096000 kB
SwapTotal:       8192000 kB
SwapFree:        6144000 kB
HugePages_Total:       0
"""
VMSTAT = "nr_free_pages 25600\npgmajfault 1234\npswpin 10\npswpout 20\n"
PRESSURE = """\
some avg10=12.34 avg60=5.60 avg300=1.00 total=987654
full avg10=3.21 avg60=1.00 avg300=0.10 total=123456
"""


@pytest.fixture
def tree(tmp_path):
    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return LinuxMemory(str(tmp_path)).read(5.0)

    return write


def test_amounts_are_in_bytes_and_counters_as_counted(tree):
    reading = tree({"proc/meminfo": MEMINFO, "proc/vmstat": VMSTAT})
    page = os.sysconf("SC_PAGE_SIZE")

    assert (reading.total, reading.available) == (16384000 * 1024, 4096000 * 1024)
    assert (reading.swap_total, reading.swap_used) == (8192000 * 1024, 2048000 * 1024)
    assert (reading.swap_in, reading.swap_out) == (10 * page, 20 * page)
    assert reading.major_faults == 1234
    assert reading.free_share == 25.0


def test_pressure_is_told_for_somebody_and_for_everybody(tree):
    reading = tree({"proc/pressure/memory": PRESSURE})

    assert reading.some == Stall(avg10=12.34, avg60=5.6, total=987654)
    assert reading.full == Stall(avg10=3.21, avg60=1.0, total=123456)


@pytest.mark.parametrize("text", ["", "some\n", "some avg10=x avg60=1 total=1\n", "some avg10=1.0 avg60=1.0\n", "\0\n"])
def test_pressure_that_cannot_be_read_is_unknown_and_not_calm(tree, text):
    reading = tree({"proc/pressure/memory": text})

    assert reading.some is None
    assert reading.full is None


def test_a_machine_that_tells_nothing_is_unknown_in_everything(tree):
    reading = tree({})

    told = {name for name in reading.__struct_fields__ if getattr(reading, name) is not None}
    assert told == {"at"}
    assert reading.free_share is None


GROUP = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "12:memory:/old\n0::/work.slice/neo.service\n",
    "sys/fs/cgroup/work.slice/neo.service/memory.current": f"{3 * GIB}\n",
    "sys/fs/cgroup/work.slice/neo.service/memory.high": "max\n",
    "sys/fs/cgroup/work.slice/neo.service/memory.max": "max\n",
    "sys/fs/cgroup/work.slice/memory.current": f"{7 * GIB}\n",
    "sys/fs/cgroup/work.slice/memory.high": f"{10 * GIB}\n",
    "sys/fs/cgroup/work.slice/memory.max": f"{8 * GIB}\n",
    "sys/fs/cgroup/work.slice/memory.events": "low 0\nhigh 4\nmax 3\noom 1\noom_kill 2\n",
}


def test_the_tightest_control_group_on_the_way_up_bounds_us(tree):
    reading = tree(GROUP)

    assert reading.limit == Limit(
        path="/work.slice", current=7 * GIB, high=10 * GIB, max=8 * GIB, high_events=4, max_events=3, kills=2
    )
    assert reading.free_share == pytest.approx(12.5)


def test_without_a_bound_there_is_no_limit(tree):
    reading = tree({name: text for name, text in GROUP.items() if not name.startswith("sys/fs/cgroup/work.slice/m")})

    assert reading.limit is None
    assert reading.free_share == 25.0


def test_a_group_of_version_one_only_is_no_limit(tree):
    assert tree({**GROUP, "proc/self/cgroup": "4:memory:/work.slice/neo.service\n"}).limit is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads this machine's /proc")
def test_this_machine_tells_its_memory():
    reading = LinuxMemory().read(1.0)

    assert reading.total is not None
    assert reading.available is not None
    assert 0 < reading.available <= reading.total
    assert reading.major_faults is not None
