"""How the console looks: themes and the stylesheet, nothing else."""

from pathlib import Path

from neo_styles.themes import NEO_DARK, NEO_LIGHT, THEMES, stylesheet_variables, tones

STYLESHEET = Path(__file__).with_name("console.tcss")

__all__ = ["NEO_DARK", "NEO_LIGHT", "STYLESHEET", "THEMES", "stylesheet_variables", "tones"]
