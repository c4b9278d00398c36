"""The configuration with everything that it names resolved: tasks, services, and the ties between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.config import Config, load_config, load_config_anyway
from neo_core.errors import ConfigError, NeoError
from neo_core.profiles import Task, resolve_tasks
from neo_core.services.catalogue import Service, resolve_services
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from neo_core.workspace import Workspace


_BEFORE = "the configuration of before"


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What is maintained here. ``error`` says why this is not what ``neo-console.toml`` says; empty when it is.

    ``instead`` says then what it is, in words for an operator.
    """

    config: Config
    tasks: dict[str, Task]
    services: dict[str, Service]
    error: str = ""
    instead: str = ""


def read_catalogue(workspace: Workspace, config: Config | None = None) -> Catalogue:
    """Resolve ``config`` (default: the workspace's file). Raises ``ConfigError``."""
    found = load_config(workspace.config) if config is None else config
    tasks, services = resolve_tasks(workspace, found), resolve_services(workspace, found)
    for mistake in _loose_ends(workspace, found, tasks, services):
        raise mistake
    return Catalogue(config=found, tasks=tasks, services=services)


def examine_catalogue(workspace: Workspace) -> tuple[Catalogue, list[NeoError]]:
    """Resolve what of the workspace's file can be meant, and return every mistake in it; never raises."""
    config, wrong = load_config_anyway(workspace.config)
    later: list[ConfigError] = []
    tasks = resolve_tasks(workspace, config, mistakes=later)
    services = resolve_services(workspace, config, mistakes=later)
    broken = [name for name, told in config.services.items() if name not in services and told.enabled is not False]
    later += _loose_ends(workspace, config, tasks, [*services, *broken])
    known = {one.thing for one in wrong}
    return Catalogue(config=config, tasks=tasks, services=services), [
        *wrong,
        *(one for one in (*_misplaced(workspace), *later) if one.thing not in known),
    ]


def _misplaced(workspace: Workspace) -> Iterator[NeoError]:
    """Yield why nobody knows where the lease is to be, if so."""
    try:
        resolve_workspace(workspace.root)
    except NeoError as error:
        yield error


def _loose_ends(
    workspace: Workspace, config: Config, tasks: dict[str, Task], services: Collection[str]
) -> Iterator[ConfigError]:
    """Yield every name of a service that there is not."""
    for task in tasks.values():
        for name in task.needs:
            if name not in services:
                known = ", ".join(services) or "none; add a section [services.NAME]"
                yield ConfigError(
                    f"{workspace.config}: tasks.{task.name}.needs",
                    f"{name!r} is not a service that is configured and enabled here",
                    f"Known: {known}.",
                )
    for name, server in config.unload.items():
        if server.service is not None and server.service not in services:
            yield ConfigError(
                f"{workspace.config}: unload.{name}.service",
                f"{server.service!r} is not a service that is configured and enabled here",
                "Name one, or leave it out: then it is whoever listens on the URL's port.",
            )


def read_catalogue_anyway(workspace: Workspace) -> Catalogue:
    """Resolve the workspace's configuration; where it is wrong the last good one, else the defaults; never raises.

    For who looks, stops or holds back: that must be possible also while somebody edits the file.
    """
    try:
        found = read_catalogue(workspace)
        resolve_workspace(workspace.root)
    except NeoError as error:
        instead = _last_good(workspace) or _defaults(workspace)
        return msgspec.structs.replace(instead, error=str(error))
    return found


def _last_good(workspace: Workspace) -> Catalogue | None:
    """Return what the copy says that an orchestrator kept; ``None`` where there is none that can be used."""
    kept = workspace.config_in_force
    try:
        if not kept.is_file():
            return None
        found = read_catalogue(workspace, load_config(kept))
    except (NeoError, OSError):
        return None
    return msgspec.structs.replace(found, instead="the last good configuration")


def _defaults(workspace: Workspace) -> Catalogue:
    try:
        found = read_catalogue(workspace, Config())
    except NeoError:  # a variable of upstream's is what is wrong
        found = Catalogue(config=Config(), tasks={}, services={})
    return msgspec.structs.replace(found, instead="the defaults")


def mended_elsewhere(workspace: Workspace, old: Catalogue) -> tuple[Workspace, Catalogue] | None:
    """Return the workspace and the configuration of a file that was wrong from the beginning and is mended now.

    Only where it puts the lease elsewhere: who began under a wrong file could only guess the place, and has started
    nothing by it. ``None`` for everything else.
    """
    if not old.error or old.instead == _BEFORE:
        return None
    try:
        found, place = read_catalogue(workspace), resolve_workspace(workspace.root)
    except NeoError:
        return None
    return None if place.lease == workspace.lease else (place, found)


def read_catalogue_again(workspace: Workspace, old: Catalogue) -> Catalogue:
    """Resolve an edited configuration, or keep ``old`` with the ``error``; the place of the lease never changes."""
    try:
        found = read_catalogue(workspace)
        if resolve_workspace(workspace.root).lease != workspace.lease:
            raise ConfigError(
                f"{workspace.config}: lease.path",
                "has changed, and with it which lease is meant",
                "Leave and start this program again.",
            )
    except NeoError as error:
        instead = old.instead or _BEFORE
        return msgspec.structs.replace(old, error=str(error), instead=instead)
    return found


def config_stamp(workspace: Workspace) -> tuple[int, int, int] | None:
    """Return what is different after an edit of the configuration; ``None`` while there is no file to be seen."""
    try:
        status = workspace.config.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
