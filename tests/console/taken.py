"""What tests of the console share: a picture that was just taken, the text of a strip, something astray."""

from __future__ import annotations

from neo_console.picture import Picture
from neo_console.rows.strip import joined
from neo_core.snapshot_strays import StrayKind, StrayView
from screenshots.parts import MIB

ORPHAN = StrayView(
    kind=StrayKind.RUN,
    pid=7710,
    start_time=7710,
    boot_id="b",
    owner="kbSync",
    name="node",
    command="node ./sync.mjs",
    sentence="works on for run 51ee0000beef of kbSync, which was lost",
    mend="neo-console strays stop 7710",
    run_id="51ee0000beef",
    age=312.0,
    memory=96 * MIB,
    exact=True,
    members=((7710, 7710), (7711, 7711)),
)


def picture_of(shown):
    """Return the picture of a console that has just taken the snapshot ``shown``."""
    picture = Picture()
    picture.take(shown)
    return picture


def written(parts):
    """Return the text of a strip's parts."""
    return "".join(part.text for part in joined(parts))
