"""Which themes there are: our own beside Textual's."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES

import neo_styles
from neo_core.errors import ConfigError


def check_theme(name: str, config_path: str) -> None:
    """Raise ``ConfigError`` with the known names when there is no such theme."""
    known = {*(theme.name for theme in neo_styles.THEMES), *BUILTIN_THEMES}
    if name not in known:
        raise ConfigError(
            f"{config_path}: console.theme", f"{name!r} is not a theme", f"Known: {', '.join(sorted(known))}."
        )
