"""Two themes of our own, and what the tones of the vocabulary look like in any theme.

Colour only ever means something: green was verified, blue runs, yellow waits, red failed, cyan was deferred on purpose,
grey is unknown or past. Frames and focus are therefore grey.
"""

from __future__ import annotations

from textual.theme import Theme

NEO_DARK = Theme(
    name="neo-dark",
    dark=True,
    primary="#6cb0ff",
    secondary="#8fa1b8",
    accent="#c3cede",
    foreground="#d3dae5",
    background="#0f131a",
    surface="#151a23",
    panel="#1c2330",
    success="#7ecb94",
    warning="#e5c469",
    error="#f2777e",
    variables={
        "neo-ok": "#7ecb94",
        "neo-run": "#6cb0ff",
        "neo-wait": "#e5c469",
        "neo-fail": "#f2777e",
        "neo-calm": "#5fcbcb",
        "neo-dim": "#909cb0",
        "neo-unknown": "#9aa3b2",
        "neo-frame": "#2b3443",
        "neo-frame-focus": "#8fa1b8",
        "neo-cursor": "#243044",
        "neo-cursor-away": "#181f2a",
        "border": "#8fa1b8",
        "border-blurred": "#2b3443",
        "block-cursor-background": "#243044",
        "block-cursor-foreground": "#d3dae5",
        "block-cursor-text-style": "none",
        "scrollbar": "#2b3443",
        "scrollbar-hover": "#3d495d",
        "scrollbar-active": "#8fa1b8",
        "scrollbar-background": "#0f131a",
        "scrollbar-background-hover": "#0f131a",
        "scrollbar-background-active": "#0f131a",
        "input-selection-background": "#6cb0ff 35%",
    },
)

NEO_LIGHT = Theme(
    name="neo-light",
    dark=False,
    primary="#1d5fc2",
    secondary="#5a6675",
    accent="#2d3743",
    foreground="#222a33",
    background="#fbfaf7",
    surface="#f3f1ec",
    panel="#eae7e0",
    success="#1b7036",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        "neo-ok": "#1b7036",
        "neo-run": "#1d5fc2",
        "neo-wait": "#8a5a00",
        "neo-fail": "#b3261e",
        "neo-calm": "#0b7278",
        "neo-dim": "#5b646f",
        "neo-unknown": "#5c6570",
        "neo-frame": "#d4d0c6",
        "neo-frame-focus": "#5a6675",
        "neo-cursor": "#dfe6f0",
        "neo-cursor-away": "#f0eee8",
        "border": "#5a6675",
        "border-blurred": "#d4d0c6",
        "block-cursor-background": "#dfe6f0",
        "block-cursor-foreground": "#222a33",
        "block-cursor-text-style": "none",
        "scrollbar": "#d4d0c6",
        "scrollbar-hover": "#b9b4a8",
        "scrollbar-active": "#5a6675",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-background-hover": "#fbfaf7",
        "scrollbar-background-active": "#fbfaf7",
        "input-selection-background": "#1d5fc2 25%",
    },
)

THEMES = (NEO_DARK, NEO_LIGHT)
_FROM_ANY = {
    "ok": "success",
    "run": "primary",
    "wait": "warning",
    "fail": "error",
    "calm": "accent",
}
_FRAMES = {"frame": "panel", "frame-focus": "secondary", "cursor": "panel", "cursor-away": "surface"}


def tones(theme: Theme) -> dict[str, str]:
    """Return a colour for every tone, empty for plain text."""
    variables = stylesheet_variables(theme)
    return {"plain": "", **{name: variables[f"neo-{name}"] for name in (*_FROM_ANY, "dim", "unknown")}}


def stylesheet_variables(theme: Theme) -> dict[str, str]:
    """Return what the stylesheet and the tones need; a theme that is not ours lends its nearest colours."""
    home = NEO_DARK if theme.dark else NEO_LIGHT
    needed = {name: colour for name, colour in home.variables.items() if name.startswith("neo-")}
    if theme in THEMES:
        return needed
    generated = theme.to_color_system().generate()
    lent = {f"neo-{tone}": generated[name] for tone, name in _FROM_ANY.items()}
    lent.update({f"neo-{part}": generated[name] for part, name in _FRAMES.items()})
    return {**needed, **{name: colour for name, colour in lent.items() if colour.startswith("#")}}
