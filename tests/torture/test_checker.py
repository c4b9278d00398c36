"""The checker finds planted overlaps and leftovers, and a report that found nothing says so."""

import pytest

from .checker import Interval, leftovers, overlaps
from .report import Report


def intervals(*pairs):
    return [Interval(begin, end, f"ours {number}") for number, (begin, end) in enumerate(pairs)]


@pytest.mark.parametrize(
    ("pairs", "planted"),
    [
        ([], 0),
        ([(1, 5), (5, 9), (20, 30)], 0),
        ([(5, 9), (1, 6)], 1),
        ([(1, 100), (2, 3), (50, 60)], 2),
        ([(1, 10), (1, 10)], 1),
        ([(1, 10), (1, 10), (1, 10)], 3),
        ([(10, 20), (1, 11), (30, 40), (35, 36)], 2),
        ([(1, 2), (0, 100), (3, 4), (99, 101), (100, 102)], 4),
    ],
)
def test_it_finds_planted_overlaps(pairs, planted):
    assert len(overlaps(intervals(*pairs))) == planted


def test_an_overlap_names_both():
    first, second = overlaps(intervals((1, 5), (4, 9)))[0]

    assert (first.who, second.who) == ("ours 0", "ours 1")


def test_only_the_record_and_its_two_files_may_stay(tmp_path):
    path = tmp_path / "lease.json"
    for name in ("lease.json", "lease.json.hold", "lease.json.lock"):
        (tmp_path / name).touch()
    assert leftovers(path) == []

    (tmp_path / "lease.json.aside").touch()
    assert leftovers(path) == ["lease.json.aside"]


def test_reports_of_several_arenas_add_up():
    total, share = Report("race"), Report("race")
    share.rounds = 3
    share.broken("double_holds", "planted", times=2)
    share.cell("stale", rounds=3, double_holds=2)

    total.merge(share.to_share())
    total.merge(share.to_share())

    told = total.to_json()
    assert (told["rounds"], told["double_holds"], total.violations) == (6, 4, 4)
    assert told["rates"]["stale"]["rate"] == pytest.approx(4 / 6, abs=1e-4)
    assert Report("race").violations == 0
