"""``python -m tests.walk``: walk through the console as an operator would, and say what was not on the screen."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from .scene import LOOKS, Scene
from .terminal import kinds
from .walk import SIZES, Report, walk_through


def parser():
    made = argparse.ArgumentParser(
        prog="python -m tests.walk",
        description="Walk through the console on a real terminal, over a workspace in which everything is alive. "
        "Prints one JSON object per combination: what was done, what was missing on the screen.",
        epilog="Exit code 0: everything was found. 1: something was not. 2: usage.",
    )
    made.add_argument("--size", metavar="WxH", choices=[*SIZES], help=f"one of {', '.join(SIZES)} (default: each)")
    made.add_argument("--look", choices=[*LOOKS], help="default: each")
    made.add_argument("--terminal", choices=["pty", "tmux"], help="default: tmux where it is installed, else a pty")
    made.add_argument(
        "--only", metavar="ACTION", action="append", help="only the steps of this action; may be repeated"
    )
    made.add_argument("--look-only", action="store_true", help="leave out every step that changes something")
    return made


def main(arguments=None):
    made = parser()
    told = made.parse_args(arguments)
    kind = told.terminal or kinds()[-1]
    if kind not in kinds():
        made.error(f"{kind} is not installed; there are: {', '.join(kinds())}")
    failed = False
    for size in [told.size] if told.size else SIZES:
        for look in [told.look] if told.look else LOOKS:
            report = _walked(kind, size, look, told)
            failed |= bool(report.failures)
            print(json.dumps(report.to_json(), ensure_ascii=False), flush=True)
    return 1 if failed else 0


def _walked(kind, size, look, told) -> Report:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="neo-walk-") as name:
        scene = Scene(Path(name))
        try:
            report = walk_through(scene, kind=kind, size=size, look=look, acts=not told.look_only, only=told.only)
        finally:
            scene.close()
    report.seconds = round(time.monotonic() - began, 1)
    return report


if __name__ == "__main__":
    sys.exit(main())
