"""How a command comes by its engine: what looks, stops or holds back goes on without a usable configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.cli.output import note
from neo_core.engine import Engine
from neo_core.errors import ConfigError
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from neo_core.workspace import Workspace


def engine_anyway(workspace: Workspace) -> Engine:
    """Return an engine to look, stop or hold back with; one line on stderr says where the configuration is wrong.

    It goes by the last good configuration then, else by the defaults.
    """
    engine = Engine.for_looking(workspace)
    if engine.config_error:
        note(f"neo-console: {engine.config_error} Until then this goes by {engine.configured_by}.")
    return engine


def engine_to_start(workspace: Workspace) -> Engine:
    """Return an engine to start something with. Raises ``ConfigError`` for what is wrong in the configuration."""
    try:
        return Engine(resolve_workspace(workspace.root))
    except ConfigError as error:
        way_out = "Until then nothing is started by hand; what runs can be stopped: neo-console stop RUN."
        raise ConfigError(error.thing, error.cause, f"{error.mend} {way_out}") from error
