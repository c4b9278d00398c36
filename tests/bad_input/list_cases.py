"""Print the table of bad inputs: id, command, exit code, and the message actually printed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bad_configuration
import bad_state
import bad_world
from bad_case import CannotTryError, Case, attempt


def row(case: Case, folder: Path) -> tuple[str, str, str, str]:
    command = case.command if len(case.command) < 60 else f"{case.command[:57]}..."
    try:
        answer = attempt(case, folder)
    except CannotTryError as error:
        return case.id, command, "-", f"(not tried: {error})"
    said = " // ".join(answer.messages) or answer.output.strip()[-200:]
    return case.id, command, str(answer.code), said.replace(str(folder), "")


def main() -> None:
    print("| case | command | exit | message |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for case in (*bad_configuration.CASES, *bad_state.CASES, *bad_world.CASES):
            cells = (cell.replace("|", "\\|") for cell in row(case, Path(folder, case.id)))
            print("| {} | `{}` | {} | {} |".format(*cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
