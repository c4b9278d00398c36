"""The garbage collector while the console opens: it stands still, and what was made until then it leaves alone.

Modules, styles and widgets stay to the end. To look through them again and again costs a tenth of the start, and later
a pause of tens of milliseconds each time.
"""

from __future__ import annotations

import gc


def hold() -> None:
    """Collect nothing until ``settle``."""
    gc.disable()


def settle() -> None:
    """Collect what opening left behind, and from now on only what is made from now on."""
    gc.collect()
    gc.freeze()
    gc.enable()


def leave() -> None:
    """Collect nothing any more: the process ends, and everything with it."""
    gc.disable()
    gc.freeze()
