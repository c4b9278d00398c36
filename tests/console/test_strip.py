"""What the strip leaves out where it is narrow, and what it never does: a pure function of picture, flags and width."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.picture import Picture
from neo_console.rows.strip import Flags, fit_parts, strip_parts
from neo_console.vocabulary import Tone
from neo_core.snapshot import LeaseLight, Section
from screenshots.fixtures import first_run, held_lease, killed_keeper, pressed, snapshot, trouble, unreadable_lease
from screenshots.parts import NOW
from tests.console.taken import picture_of, written

WIDTHS = (60, 70, 80, 100, 120)
PADDING = 2
NO_FLAGS = Flags()
PICTURES = {
    "busy": snapshot,
    "pressed": pressed,
    "trouble": trouble,
    "killed": killed_keeper,
    "new": first_run,
    "unreadable": unreadable_lease,
    "long": lambda: trouble_with("golden-path-of-the-whole-machine", LeaseLight.OVERDUE),
}


def trouble_with(owner, light):
    lease = msgspec.structs.replace(held_lease(), owner=owner, light=light)
    return msgspec.structs.replace(trouble(), lease=msgspec.structs.replace(trouble().lease, value=lease))


def line_of(shown, width, flags=NO_FLAGS, *, later=0.0):
    """The strip of a terminal that wide: left, right."""
    fitting = fit_parts(*strip_parts(picture_of(shown), NOW + later, flags), width - PADDING)
    return tuple(written(parts) for parts in fitting)


@pytest.mark.parametrize(
    ("name", "width", "line"),
    [
        ("busy", 60, "● HELD dream 12m · pid 4211 │ ORCH ● │ ✓ healthy"),
        ("busy", 70, "● HELD dream 12m · 2 waiting │ ORCH ● 4121 │ ✓ healthy"),
        ("busy", 80, "● HELD dream 12m · pid 4211 · 2 waiting │ ORCH ● 4121 │ ✓ healthy"),
        ("pressed", 80, "● HELD dream 12m · 2 waiting │ ✗ CRITICAL │ ORCH ● │ ✗ unhealthy"),
        ("trouble", 60, "● HELD dream ✗ COLLISION │ ORCH ● │ ✗ unhealthy"),
        ("trouble", 80, "● HELD dream 12m ✗ COLLISION · 1 starved │ ORCH ● 4121 │ ✗ unhealthy"),
        ("killed", 60, "● HELD dream 12m │ ORCH ! KILLED │ ✗ unhealthy"),
        ("new", 60, "LEASE ○ FREE │ ORCH ○ STOPPED │ ✓ healthy"),
        ("long", 60, "◐ OVERDUE golden-path-of… │ ORCH ● │ ✗ unhealthy"),
    ],
)
def test_the_strip_drops_the_least_important_and_only_what_does_not_fit(name, width, line):
    assert line_of(PICTURES[name](), width)[0] == line


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("flags", [Flags(), Flags("why", frozen=True), Flags(busy="starting")])
@pytest.mark.parametrize("later", [0.0, 600.0])
def test_lease_owner_orchestrator_and_health_stay_at_every_width(name, flags, later):
    shown = PICTURES[name]()
    for width in WIDTHS:
        left, right = line_of(shown, width, flags, later=later)
        assert len(left) + 1 + len(right) <= width - PADDING
        assert shown.lease.value.light.upper() in left
        assert shown.lease.value.owner[:4] in left
        assert "│ ORCH " in left.replace("  │  ", " │ ")
        assert left.endswith("unknown" if later else ("✓ healthy" if name in ("busy", "new") else "✗ unhealthy"))
        assert ("FROZEN RO" in right) is flags.frozen
        assert ("STALE" in right) is bool(later)


@pytest.mark.parametrize("name", ["busy", "trouble", "killed"])
def test_where_there_is_room_the_pid_of_the_holder_stands_there(name):
    assert "· pid 4211" in line_of(PICTURES[name](), 120)[0]


def test_the_strip_answers_in_one_line():
    left, right = strip_parts(picture_of(snapshot()), NOW, Flags())
    assert written(left) == (
        "LEASE ● HELD dream 12m · manual · pid 4211 · renewed 4s ago · 2 waiting"
        "  │  MEM 29% free · PSI 4.2  │  ORCH ● 4121  │  ✓ healthy"
    )
    assert written(right) == "14:03:22"


@pytest.mark.parametrize(
    ("reason", "told"), [("manual-cli", "· a script ·"), ("nightly index", "· a script: nightly index ·")]
)
def test_the_holder_that_is_no_run_is_called_a_script(reason, told):
    script = msgspec.structs.replace(held_lease(), owner="nightly", run_id="", reason=reason)
    left, _ = line_of(snapshot(lease=Section(at=NOW, value=script)), 140)
    assert told in left
    assert "manual-cli" not in left


@pytest.mark.parametrize("width", [58, 78, 98, 118])
def test_the_strip_fits_and_keeps_what_matters(width):
    left, right = fit_parts(*strip_parts(picture_of(snapshot()), NOW, Flags("why", frozen=True)), width)
    line = f"{written(left)}  {written(right)}"
    assert len(line) <= width
    assert "● HELD dream 12m" in line
    assert line.endswith("FROZEN RO 14:03:22")


def test_the_strip_never_dresses_the_unknown_as_good():
    picture = Picture()
    assert written(strip_parts(picture, NOW, Flags())[0]) == "LEASE … LOADING  │  MEM …  │  ORCH …"
    picture.take(snapshot(lease=Section(at=NOW, error="E"), memory=Section(at=NOW, error="E")))
    left, _ = strip_parts(picture, NOW, Flags())
    assert written(left) == "LEASE ✗ UNREADABLE · 2 waiting  │  MEM unknown  │  ORCH ● 4121  │  ? unknown"
    assert [part.text for part in left if part.tone is Tone.OK] == ["●", "4121"]


def test_an_old_lease_loses_its_colour():
    picture = picture_of(first_run())
    assert strip_parts(picture, NOW, Flags())[0][1].tone is Tone.OK
    left, right = strip_parts(picture, NOW + 60, Flags())
    assert left[1].tone is Tone.UNKNOWN
    assert right[0].text == "STALE"
