"""What the tests of pure functions of a picture share."""

from __future__ import annotations

from neo_console.picture import Picture
from neo_console.rows.strip import joined


def picture_of(shown):
    """Return the picture of a console that has just taken the snapshot ``shown``."""
    picture = Picture()
    picture.take(shown)
    return picture


def written(parts):
    """Return the text of a strip's parts."""
    return "".join(part.text for part in joined(parts))
