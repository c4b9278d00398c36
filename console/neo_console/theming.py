"""Which themes there are: our own beside Textual's; and what is left of any theme without colour."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter
from textual.theme import BUILTIN_THEMES

import neo_styles
from neo_core.errors import ConfigError

if TYPE_CHECKING:
    from textual.color import Color


class Colourless(LineFilter):
    """Leaves bold, dim, underlined and reversed text, and sends no colour; Textual's own leaves greys.

    Text that is struck through leaves reversed: nothing else is, and an option list hands on no reverse.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Return the segments of a line without their colours."""
        return [Segment(text, _without_colour(style) if style else None, control) for text, style, control in segments]


def check_theme(name: str, config_path: str) -> None:
    """Raise ``ConfigError`` with the known names when there is no such theme."""
    known = {*(theme.name for theme in neo_styles.THEMES), *BUILTIN_THEMES}
    if name not in known:
        raise ConfigError(
            f"{config_path}: console.theme", f"{name!r} is not a theme", f"Known: {', '.join(sorted(known))}."
        )


@lru_cache(1024)
def _without_colour(style: Style) -> Style:
    turned = style.reverse or style.strike
    plain = Style(bold=style.bold, dim=style.dim, italic=style.italic, underline=style.underline, reverse=turned)
    return plain + Style.from_meta(style.meta) if style.meta else plain
