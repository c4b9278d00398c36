"""``neo-console``: without a command it opens the console; with one it answers and exits."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from neo_core import __version__
from neo_core.errors import NeoError, UsageError, describe_os_error
from neo_core.streams import give_up_output, prepare_streams
from neo_core.workspace import Workspace, resolve_workspace_anyway

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """Loads the commands when one is asked for: a console that opens needs none of them."""

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """Every command by its name."""
        if not self._known:
            from neo_console.cli import act, completion, incidents, keep, logs, memory, relief, see, strays, upkeep
            from neo_console.cli.manual import write_manual

            for module in (see, logs, act, upkeep, memory, incidents, strays, relief, keep, completion):
                self._known.update({str(command.name): command for command in module.COMMANDS})
            write_manual(self)
        return self._known

    @commands.setter
    def commands(self, given: MutableMapping[str, click.Command]) -> None:
        self._known = given


@click.group(cls=_Commands, invoke_without_command=True, context_settings=_SETTINGS)
@click.option("--workspace", metavar="DIR", help="The folder to maintain (default: found from the current folder).")
@click.option("--read-only", is_flag=True, help="Open the console without any action; it records the memory.")
@click.version_option(__version__, prog_name="neo-console")
@click.pass_context
def cli(context: click.Context, workspace: str | None, *, read_only: bool) -> None:
    """Operator console for the heavy maintenance jobs of this machine.

    At most one heavy job runs at a time; every start that did not happen has a reason. Without a command the console
    opens.
    """
    found, _ = resolve_workspace_anyway(workspace)  # what starts something resolves it once more, in earnest
    context.obj = found
    if context.invoked_subcommand is None:
        context.exit(_open_console(found, read_only=read_only))


def _open_console(workspace: Workspace, *, read_only: bool) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NeoError("the console", "needs a terminal to open in", "Use neo-console status in scripts.")
    from neo_console import heap

    heap.hold()
    from neo_console.opening import run_console

    return run_console(workspace, read_only=read_only)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every error is one message on stderr and an exit code that is not zero."""
    prepare_streams()
    try:
        code = cli.main(args=_readable(arguments), prog_name="neo-console", standalone_mode=False)
        sys.stdout.flush()
    except NeoError as error:
        return _say(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        give_up_output()
        return 0
    except OSError as error:
        give_up_output()
        return _say(f"{error.filename or 'output'}: {describe_os_error(error)}. Mend it and repeat.", 1)
    return code if isinstance(code, int) else 0


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
    click.echo(f"neo-console: {text}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
