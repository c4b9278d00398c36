"""A service's environment: ours without what belongs to runs, what is configured, and a marker to know it by."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import msgspec

from neo_core.lease.inherit import without_lease
from neo_core.runs.spawn import RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service

_RANDOM = 24
_PRINT = 8


def environment_for(service: Service, instance: str, state: str = "") -> dict[str, str]:
    """Return the environment of a process of ``service`` that is to be recognised by ``instance``.

    ``state`` is the state folder of its workspace, by which it is known to be nobody else's.
    """
    environment = without_lease(os.environ)
    environment.pop(RUN_ID, None)
    return {**environment, **service.env, SERVICE_ID: instance, SERVICE_NAME: service.name, STATE_FOLDER: state}


def marker_of(instance: str) -> str:
    """Return the ``NAME=value`` pair that stands in the environment of every process of ``instance``."""
    return f"{SERVICE_ID}={instance}"


def probe_instance(instance: str) -> str:
    """Return the marker's value for the exec probes of ``instance``, which are no part of the service."""
    return f"{instance}-probe"


def new_instance(service: Service) -> str:
    """Return a random marker that ends in a fingerprint of what the service is started with."""
    return os.urandom(_RANDOM // 2).hex() + fingerprint(service)


def fingerprint(service: Service) -> str:
    """Return eight hexadecimal digits that change with the command, the environment, the folder or the port."""
    told = (service.command, service.cwd, sorted(service.env.items()), service.host, service.port)
    return f"{zlib.crc32(msgspec.json.encode(told)):08x}"


def started_as(service: Service, instance: str) -> bool:
    """Return whether ``instance`` was started with the configuration that ``service`` has now, as far as it tells."""
    return len(instance) != _RANDOM + _PRINT or instance.endswith(fingerprint(service))
