"""``neo-console``: without a command it opens the console; with one it answers and exits."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from neo_core.errors import NeoError, UsageError, describe_os_error
from neo_core.streams import give_up_output, prepare_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPLETES = "_NEO_CONSOLE_COMPLETE"  # Click's variable: the shell asks for names


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every error is one message on stderr and an exit code that is not zero."""
    prepare_streams()
    try:
        code = _run(_readable(arguments))
        sys.stdout.flush()
    except NeoError as error:
        return _say(str(error), error.exit_code)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        give_up_output()
        return 0
    except OSError as error:
        give_up_output()
        return _say(f"{error.filename or 'output'}: {describe_os_error(error)}. Mend it and repeat.", 1)
    return code


def _run(given: Sequence[str]) -> int:
    """Do what was asked; the console alone opens without the command line's parser, which takes long to load."""
    if given or _COMPLETES in os.environ:
        from neo_console.cli.group import run_commands

        return run_commands(given)
    from neo_console.cli.terminal import open_console
    from neo_core.workspace import resolve_workspace_anyway

    return open_console(resolve_workspace_anyway(None)[0])


def _readable(arguments: Sequence[str] | None) -> list[str]:
    """Return the arguments; one that no ledger row and no JSON could carry is refused."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for text in given:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"argument {text!r}", "is not UTF-8", "Write it in UTF-8.") from error
    return given


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"neo-console: {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
