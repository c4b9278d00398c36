"""Cron expressions in local time; the calendar is ``cronsim``'s, which follows Debian's cron."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache


def check_cron(expression: str) -> str:
    """Return what is wrong with a five-field expression; empty when nothing is."""
    if len(expression.split()) != 5:
        return "it has not five fields"
    from cronsim import CronSim, CronSimError  # few schedules have one

    try:
        next(CronSim(expression, datetime(2026, 1, 1)))  # noqa: DTZ001 - cron speaks local time
    except CronSimError as error:
        return str(error).lower()
    except StopIteration:
        return "it never comes"
    return ""


@lru_cache(maxsize=1024)
def next_fire(expression: str, after: float) -> float:
    """Return the first moment of a checked expression later than ``after``; both in seconds since the epoch.

    An hour that the clocks skip comes as the hour after it; one that they repeat comes once.
    """
    from cronsim import CronSim

    fires = CronSim(expression, datetime.fromtimestamp(after))  # noqa: DTZ006 - cron speaks local time
    # Within an hour that comes twice, the fires that follow on the wall have passed already.
    return next(at for fire in fires if (at := fire.timestamp()) > after)
