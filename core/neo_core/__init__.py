"""The engine of neo-console: one machine-wide lease, one way to start a task, one way to see.

Scripts use ``from neo_core import hold_lease``; nothing else is imported until it is asked for, so that a guarded
cron job does not pay for a user interface.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from neo_core.lease.hold import LeaseHeldError, hold_lease

__version__ = "0.1.0"
__all__ = ["LeaseHeldError", "__version__", "hold_lease"]


def __getattr__(name: str) -> object:
    """Load the script interface on first use."""
    if name in {"hold_lease", "LeaseHeldError"}:
        from neo_core.lease import hold

        return getattr(hold, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
