"""Opening the console over a workspace in this terminal, until it is quit."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from neo_console import heap
from neo_console.collector import Collector
from neo_console.daemon import DetachedDaemon
from neo_core.config import Config, load_config
from neo_core.engine import Engine
from neo_core.errors import ConfigError

if TYPE_CHECKING:
    from neo_core.workspace import Workspace


def run_console(workspace: Workspace, config: Config | None = None, *, read_only: bool = False) -> int:
    """Run the console in this terminal until it is quit; return the exit code.

    Where the configuration cannot be used it shows what can be seen by the last good one, else by the defaults, and
    changes nothing until that is mended. Raises ``ConfigError`` for keys and themes that cannot be used.
    """
    unusable = ""
    if config is None:
        try:
            config = load_config(workspace.config)
        except ConfigError:
            config, unusable = Config(), f"{workspace.config.name} cannot be used"

    connect = partial(Engine.for_looking, workspace)
    collector = Collector(connect, every=config.console.refresh_every)
    collector.start()  # reads the workspace while Textual is loaded
    from neo_console.app import NeoConsole

    app = NeoConsole(
        connect,
        config,
        config_path=str(workspace.config),
        workspace_name=str(workspace.root),
        read_only=read_only,
        daemon=DetachedDaemon(workspace),
        unusable=unusable,
        collector=collector,
    )
    ended = 1
    app.ending.heed_signals()
    try:
        code = app.run()
        ended = app.return_code or 0 if code is None else code
    finally:
        heap.leave()
        app.ending.end_for_sure(ended)
    return ended
