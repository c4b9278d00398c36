"""macOS's signals from recorded answers of its kernel."""

from __future__ import annotations

import struct
import sys

import pytest

from neo_core.memory.macos import MacMemory

GIB = 1024**3
SWAP = struct.pack("=QQQIi", 4 * GIB, GIB, 3 * GIB, 16384, 0)


def source(level, swap=SWAP):
    answers = {"kern.memorystatus_vm_pressure_level": level, "vm.swapusage": swap}
    return MacMemory(answers.get, lambda: (16 * GIB, 2 * GIB)).read(9.0)


@pytest.mark.parametrize("level", [1, 2, 4])
def test_the_kernels_level_and_swap_are_told(level):
    reading = source(level.to_bytes(4, sys.byteorder))

    assert reading.level == level
    assert (reading.swap_total, reading.swap_used) == (4 * GIB, 3 * GIB)
    assert reading.free_share == 12.5
    assert reading.some is None


@pytest.mark.parametrize("raw", [None, b"", b"\1", (3).to_bytes(4, sys.byteorder), bytes(8)])
def test_a_level_that_means_nothing_is_unknown(raw):
    assert source(raw).level is None


@pytest.mark.parametrize("raw", [None, b"", SWAP[:23]])
def test_swap_that_cannot_be_read_is_unknown(raw):
    reading = source((1).to_bytes(4, sys.byteorder), raw)

    assert (reading.swap_total, reading.swap_used) == (None, None)


def test_amounts_that_cannot_be_had_are_unknown():
    assert MacMemory(lambda _: None, lambda: None).read(1.0).free_share is None


def test_asking_a_kernel_that_has_no_such_names_ends_in_unknown():
    reading = MacMemory(amounts=lambda: None).read(1.0)

    assert reading.level in (None, 1, 2, 4)
