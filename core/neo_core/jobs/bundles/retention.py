"""Which old bundles go after a successful backup, and letting them go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.jobs.bundles.meta import PARTIAL_PREFIX, BundleInfo, is_bundle_name
from neo_core.jobs.bundles.scratch import Scratch, remove_abandoned
from neo_core.jobs.support import say

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def choose_dropped(
    bundles: Iterable[BundleInfo], *, keep: int, max_age: float, now: float, newest: str
) -> list[BundleInfo]:
    """Return the bundles to remove: beyond the ``keep`` newest, or older than ``max_age`` seconds (0: any age).

    ``newest`` names the one just made and verified, which always stays. Bundles with a problem are not judged at all.
    """
    sound = [info for info in bundles if not info.problem and info.created_at is not None]
    ranked = sorted(sound, key=lambda info: (info.created_at or 0.0, info.name), reverse=True)
    return [
        info
        for rank, info in enumerate(ranked)
        if info.name != newest and (rank >= keep or (max_age and now - (info.created_at or 0.0) > max_age))
    ]


def drop(bundle: Path) -> bool:
    """Remove a bundle so that a half-removed one never looks complete; return whether it is gone."""
    try:
        with Scratch(bundle.with_name(f"{PARTIAL_PREFIX}{bundle.name}")) as scratch:
            bundle.rename(scratch.payload)
    except OSError as error:
        say(f"could not remove the old bundle {bundle.name}: {error}")
        return False
    return True


def remove_leftovers(folder: Path) -> int:
    """Remove the partial folders of backups that were killed; return how many. Raises ``OSError``."""
    if not folder.is_dir():
        return 0
    removed = 0
    for path in sorted(folder.glob(f"{PARTIAL_PREFIX}backup-*")):
        if is_bundle_name(path.name.removeprefix(PARTIAL_PREFIX)):
            gone = remove_abandoned(path)
            removed += gone
            say(f"removed the leftover {path.name}" if gone else f"left {path.name} alone: not ours, or still at work")
    return removed
