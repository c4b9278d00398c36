"""The commands and options of ``neo-console``, as Click sees them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from neo_console.cli.terminal import open_console
from neo_core import __version__
from neo_core.workspace import resolve_workspace_anyway

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


HOMES: Mapping[str, tuple[str, ...]] = {
    "see": ("status", "why", "history"),
    "logs": ("logs",),
    "act": ("run", "stop", "defer", "resume", "pause", "unpause"),
    "upkeep": ("orchestrator", "services", "service"),
    "memory": ("memory",),
    "incidents": ("incidents", "incident"),
    "strays": ("strays",),
    "relief": ("relief",),
    "keep": ("init", "doctor", "search", "backups", "restore"),
    "completion": ("completion",),
}
_HOME_OF = {name: home for home, names in HOMES.items() for name in names}


class _Commands(click.Group):
    """Loads the module of the command that is asked for; all of them only for what lists them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - Click's own
        """Return the command of that name, with what the manual says of it."""
        if cmd_name in _HOME_OF and cmd_name not in self._known:
            self._load(_HOME_OF[cmd_name])
        return self._known.get(cmd_name)

    @property
    def commands(self) -> MutableMapping[str, click.Command]:
        """Every command by its name."""
        for home, names in HOMES.items():
            if not self._known.keys() >= set(names):
                self._load(home)
        return self._known

    @commands.setter
    def commands(self, given: MutableMapping[str, click.Command]) -> None:
        self._known = given

    def _load(self, home: str) -> None:
        from neo_console.cli.manual import write_entry

        for command in import_module(f"neo_console.cli.{home}").COMMANDS:
            self._known[str(command.name)] = command
            write_entry(str(command.name), command)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the manual says of the program as a whole."""
        from neo_console.cli.manual import TOP, epilog

        self.epilog = epilog(TOP)
        super().format_epilog(ctx, formatter)


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
        context.exit(open_console(found, read_only=read_only))


def run_commands(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code; what they get wrong is told on stderr.

    Raises ``NeoError``, ``OSError`` and ``KeyboardInterrupt`` as the commands do.
    """
    try:
        code = cli.main(args=list(arguments), prog_name="neo-console", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as abort:
        raise KeyboardInterrupt from abort
    return code if isinstance(code, int) else 0
