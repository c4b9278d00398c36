"""Both themes of our own can be read: every text on every ground it stands on, in 16 colours and in none."""

from __future__ import annotations

import pytest
from rich.color import Color as Drawn
from rich.color import ColorSystem
from textual.color import Color

import neo_styles
from neo_console.vocabulary import VOCABULARIES, Tone, term
from neo_core.config import Config, ConsoleConfig
from neo_core.durations import Duration

TEXT = 4.5
FRAME = 1.15
GROUNDS = ("background", "surface", "panel", "cursor", "cursor-away")


def luminance(colour):
    parts = [part / 255 for part in Color.parse(colour).rgb]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """The ratio of WCAG 2: 1 for the same colour, 21 for black on white."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ground(theme, name):
    return getattr(theme, name, None) or theme.variables[f"neo-{name}"]


def test_the_ratio_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", neo_styles.THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("name", GROUNDS)
def test_every_tone_can_be_read_on_every_ground(theme, name):
    under = ground(theme, name)
    tones = {**neo_styles.tones(theme), "plain": theme.foreground}
    weak = {tone: round(contrast(colour, under), 2) for tone, colour in tones.items() if contrast(colour, under) < TEXT}
    assert weak == {}


@pytest.mark.parametrize("theme", neo_styles.THEMES, ids=lambda theme: theme.name)
def test_the_focused_button_and_the_frame_of_the_focus_can_be_told(theme):
    focus = theme.variables["neo-frame-focus"]
    assert contrast(theme.background, focus) >= TEXT
    assert contrast(theme.variables["neo-frame"], theme.background) >= FRAME
    assert contrast(focus, theme.variables["neo-frame"]) >= 2


def test_every_word_reads_without_colour():
    for vocabulary in VOCABULARIES:
        shown = [str(term(member)) for member in vocabulary]
        assert len(set(shown)) == len(shown)
        assert all(term(member).badge.strip() and term(member).word for member in vocabulary)


@pytest.mark.parametrize("theme", neo_styles.THEMES, ids=lambda theme: theme.name)
def test_in_16_colours_no_tone_is_lost_in_the_ground(theme):
    def drawn(colour):
        return Drawn.parse(colour).downgrade(ColorSystem.STANDARD).number

    lost = [
        tone for tone, colour in neo_styles.tones(theme).items() if colour and drawn(colour) == drawn(theme.background)
    ]
    assert lost == []


@pytest.mark.parametrize("theme", ["neo-light", "neo-dark"])
async def test_a_theme_of_the_configuration_is_worn(open_console, theme):
    config = Config(console=ConsoleConfig(refresh_every=Duration(3600), theme=theme))
    async with open_console(size=(80, 24), config=config) as desk:
        assert desk.app.current_theme.name == theme
        assert desk.app.colours[Tone.FAIL] == desk.app.available_themes[theme].variables["neo-fail"]


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY"])
async def test_nothing_moves_by_itself_over_ssh(open_console, monkeypatch, variable):
    monkeypatch.delenv("TEXTUAL_ANIMATIONS", raising=False)
    monkeypatch.setenv(variable, "somewhere")
    async with open_console(size=(80, 24)) as desk:
        assert desk.app.animation_level == "none"
