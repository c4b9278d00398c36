"""Every code has a word, a badge and a tone; ages and sizes read well."""

from __future__ import annotations

import subprocess
import sys

import pytest
from rich.cells import cell_len

from neo_console import format as fmt
from neo_console.vocabulary import VOCABULARIES, Seen, Tone, outcome_term, reason_text, term
from neo_core.ledger.models import ControlKind, LeaseRole, Outcome, ServiceState, Trigger
from neo_core.ledger.reliefs import ReliefKind, ReliefResult
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Gate, Reason, Verdict
from neo_core.snapshot import HealthStatus, LeaseLight, OrchestratorState, TaskState
from neo_core.snapshot_strays import StrayEnd, StrayKind
from neo_styles import THEMES, tones

SHOWN = (
    Outcome,
    Trigger,
    LeaseLight,
    TaskState,
    Verdict,
    Gate,
    Reason,
    LeaseRole,
    ServiceState,
    OrchestratorState,
    HealthStatus,
    Phase,
    ControlKind,
    StrayKind,
    StrayEnd,
    ReliefKind,
    ReliefResult,
    Seen,
)


@pytest.mark.parametrize("vocabulary", SHOWN)
def test_every_member_has_a_word_a_one_cell_badge_and_a_tone(vocabulary):
    words = [term(member).word for member in vocabulary]
    assert len(set(words)) == len(words)
    for member in vocabulary:
        shown = term(member)
        assert shown.word == shown.word.strip() != ""
        assert cell_len(shown.badge) == 1
        assert isinstance(shown.tone, Tone)


def test_no_vocabulary_is_forgotten():
    assert set(VOCABULARIES) == set(SHOWN)


def test_green_is_only_for_what_was_verified():
    green = {str(member) for kind in SHOWN for member in kind if term(member).tone is Tone.OK}
    assert green == {"completed", "free", "pass", "ok", "running", "healthy", "normal"}


def test_unknown_is_grey():
    assert term(LeaseLight.UNKNOWN).tone is term(Seen.UNKNOWN).tone is Tone.UNKNOWN


def test_members_of_the_same_spelling_keep_apart():
    assert term(Gate.RUNNING) != term(TaskState.RUNNING)
    assert term(Outcome.SKIPPED).tone is Tone.DIM


def test_a_run_without_an_outcome_runs():
    assert outcome_term(None).word == "running"


def test_a_jobs_own_code_stands_for_itself():
    assert reason_text("heavy-maintenance-lease-held") == "the lease is held"
    assert reason_text("dirty-checkout") == "dirty-checkout"


def test_neither_textual_nor_rich_is_imported():
    modules = "neo_console.vocabulary, neo_console.format, neo_console.keymap"
    code = f"import sys, {modules}; sys.exit(len({{'textual', 'rich'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (-3, "0s"), (0.4, "0s"), (59, "59s"), (192, "3m12s"), (599, "9m59s"), (600, "10m"), (732, "12m"),
     (3599, "59m"), (11_040, "3h04m"), (86_399, "23h59m"), (200_000, "2d")],
)  # fmt: skip
def test_ages(seconds, text):
    assert fmt.age(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "–"), (0, "0B"), (999, "999B"), (1000, "1.0K"), (655_360, "640K"), (1_288_490_188, "1.2G"),
     (10 * 1024**3, "10G"), (1000 * 1024**3, "1.0T")],
)  # fmt: skip
def test_sizes_never_take_more_than_five_cells(amount, text):
    assert fmt.size(amount) == text
    assert len(text) <= 5


def test_times_are_relative_and_absolute():
    now = 1_763_733_802.0
    assert fmt.countdown(now + 245, now) == "in 4m · 14:07"
    assert fmt.ago(now - 732, now) == "12m ago · 13:51:10"
    assert fmt.moment(now - 86_400, now) == "Thu 14:03"
    assert fmt.moment(now - 30 * 86_400, now) == "22 Oct"
    assert fmt.moment(now - 500 * 86_400, now) == "2024-07"


def test_a_time_far_ahead_fits_the_schedule():
    now = 1_763_733_802.0
    for ahead in (59, 3599, 86_399, 86_400 * 5.9, 86_400 * 400):
        assert len(fmt.countdown_brief(now + ahead, now)) <= 18
    assert fmt.countdown_brief(now + 86_399, now) == "in 23h · Sat 14:03"


@pytest.mark.parametrize(
    ("cron", "text"),
    [
        ("0 3 * * *", "03:00"),
        ("*/15 * * * *", "15m"),
        ("5 * * * *", "1h"),
        ("0 */6 * * *", "6h"),
        ("30 6 * * 0", "30 6 * * 0"),
    ],
)
def test_a_cron_expression_is_short_where_it_is_plain(cron, text):
    assert fmt.cron_brief(cron) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "never"), (600, "10m"), (86_400, "1d"), (5400, "1h30m")])
def test_intervals(seconds, text):
    assert fmt.every(seconds) == text


def test_control_characters_are_shown_not_obeyed():
    assert fmt.plain("a\x1b[31mb\x07\u202ec\nd") == "a\ufffd[31mb\ufffd\ufffdc d"


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_tones_can_be_read_on_their_background(theme):
    for name, colour in tones(theme).items():
        if name != "plain":
            assert _contrast(colour, theme.background) >= 4.5, name


def _contrast(one, other):
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
