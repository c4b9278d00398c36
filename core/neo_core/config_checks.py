"""What is well-formed in ``neo-console.toml`` but can never work, refused before anything runs by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.durations import format_duration
from neo_core.lease.words import GENERATION, INHERITED_TOKEN
from neo_core.workspace import STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neo_core.config_sections import Config, ServiceConfig, TaskConfig, UnloadConfig

    Complaint = Callable[[str, str, str], object]

_SET_BY_US = frozenset({"host", "content-length", "connection", "transfer-encoding"})
# What a task may not change: it would run under another lease, or write into another ledger, than its runner.
_MARKERS = ("RUN_ID", "SERVICE_ID", "SERVICE_NAME", "STATE")
_OURS = frozenset({STATE_VARIABLE, INHERITED_TOKEN, GENERATION, *(f"NEO_CONSOLE_{name}" for name in _MARKERS)})

_FOR_A_SHELL = frozenset("|&;<>()$`*?~#\n")


def check_config(config: Config, complain: Complaint) -> None:
    """Call ``complain(key, cause, mend)`` for every setting that cannot work."""
    _Checks(complain).config(config)


def as_arguments(line: str) -> str:
    """Return a command line as the list of words it should have been; what only a shell understands stays for one."""
    import json
    import shlex

    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    if not words or set(line) & _FOR_A_SHELL:
        words = ["sh", "-c", line]
    return json.dumps(words, ensure_ascii=False)


class _Checks:
    def __init__(self, complain: Complaint) -> None:
        self._complain = complain

    def config(self, config: Config) -> None:
        lease, poll = config.lease, config.orchestrator.poll_every
        self._at_least(lease.renew_every, 1, "lease.renew_every")
        self._at_least(poll, 0.1, "orchestrator.poll_every")
        self._at_least(config.console.refresh_every, 0.1, "console.refresh_every")
        if lease.ttl < 3 * lease.renew_every:
            cause = f"{format_duration(lease.ttl)} is less than three renewals of {format_duration(lease.renew_every)}"
            self._complain("lease.ttl", cause, "Raise it, or lower lease.renew_every.")
        if lease.path is not None:
            self._names(lease.path, "lease.path")
        self._orchestrator(config)
        self._memory(config)
        if config.jobs.backup.keep < 1:
            self._complain("jobs.backup.keep", "less than one backup would be kept", "Set it to 1 or more.")
        if config.jobs.kb_sync.max_file_bytes < 1:
            self._complain("jobs.kbSync.max_file_bytes", "no file would be indexed", "Set it to 1 or more.")
        self._names(config.jobs.backup.folder, "jobs.backup.folder")
        self._names(config.jobs.primary_dev_sync.branch, "jobs.primary-dev-sync.branch")
        self._names(config.jobs.primary_dev_sync.remote, "jobs.primary-dev-sync.remote")
        for name, task in config.tasks.items():
            self._task(f"tasks.{name}", task, poll)
        for name, service in config.services.items():
            self._service(f"services.{name}", service)
        for name, server in config.unload.items():
            self._unload(f"unload.{name}", server)

    def _orchestrator(self, config: Config) -> None:
        told = config.orchestrator
        self._at_least(told.starved_after, told.poll_every, "orchestrator.starved_after")
        self._at_least(told.retry_after, told.poll_every, "orchestrator.retry_after")
        self._not_negative(told.retries, "orchestrator.retries")
        self._not_negative(told.log_keep, "orchestrator.log_keep")
        if told.log_max < 64 * 1024:
            self._complain("orchestrator.log_max", f"{told.log_max} bytes is too little", "Set it to 64KiB or more.")

    def _memory(self, config: Config) -> None:
        told = config.memory
        self._at_least(told.sample_every, 1, "memory.sample_every")
        # A window that is shorter than two samples can never see anything (upstream-facts.md).
        for key in ("critical_full_for", "calm_for", "wake_grace", "window"):
            self._at_least(getattr(told, key), 2 * told.sample_every, f"memory.{key}")
        self._at_least(told.keep, told.window, "memory.keep")
        self._at_least(told.relief_settle, 0.1, "memory.relief_settle")
        for key in ("elevated_some", "critical_full", "critical_available"):
            share = getattr(told, key)
            if not 0 < share < 100:
                self._complain(f"memory.{key}", f"{share:g} is no percentage that can be passed", "Set 1 to 99.")

    def _task(self, prefix: str, task: TaskConfig, poll: float) -> None:
        self._command(task.command, f"{prefix}.command")
        self._cwd(task.cwd, prefix)
        if task.time_limit is not None:
            self._at_least(task.time_limit, 1, f"{prefix}.time_limit")
        if task.every and task.every < poll:
            cause = f"{format_duration(task.every)} is shorter than orchestrator.poll_every ({format_duration(poll)})"
            self._complain(f"{prefix}.every", cause, "Raise it, or set it to 0 to disable the task.")
        if task.window is not None and task.window.length < max(poll, 60):
            cause = f"the window {task.window} is never open long enough to start in"
            self._complain(f"{prefix}.window", cause, "Give it different ends, or leave it out.")
        self._due(prefix, task, poll)
        self._environment(task.env, prefix)

    def _due(self, prefix: str, task: TaskConfig, poll: float) -> None:
        if task.cron is not None:
            if task.every is not None:
                self._complain(f"{prefix}.cron", f"{prefix}.every is set too", "Keep one of the two.")
            cause = _cron_error(task.cron)
            if cause:
                mend = 'Write five fields, like "30 2 * * *" for every day at 02:30.'
                self._complain(f"{prefix}.cron", f"{task.cron!r} is no cron expression: {cause}", mend)
        if task.jitter is not None and task.every and task.jitter >= task.every:
            cause = f"{format_duration(task.jitter)} is not shorter than {prefix}.every"
            self._complain(f"{prefix}.jitter", cause, "Lower it.")
        for key, told in (("trigger_file", task.trigger_file), ("trigger_glob", task.trigger_glob)):
            if told is not None:
                self._names(told, f"{prefix}.{key}")
        if task.trigger_count < 1:
            self._complain(f"{prefix}.trigger_count", "no file would be enough", "Set it to 1 or more.")
        if task.retries is not None:
            self._not_negative(task.retries, f"{prefix}.retries")
        if task.retry_after is not None:
            self._at_least(task.retry_after, poll, f"{prefix}.retry_after")

    def _service(self, prefix: str, service: ServiceConfig) -> None:
        self._command(service.command, f"{prefix}.command")
        self._command(service.probe_command, f"{prefix}.probe_command")
        self._cwd(service.cwd, prefix)
        self._environment(service.env, prefix)
        if service.port is not None and not 1 <= service.port <= 65535:
            self._complain(f"{prefix}.port", f"{service.port} is not a port", "Use a number from 1 to 65535.")
        if service.host is not None:
            self._names(service.host, f"{prefix}.host")
        if service.probe_path is not None and (
            not service.probe_path.startswith("/") or any(char <= " " for char in service.probe_path)
        ):
            cause = f"{service.probe_path!r} is not a path of a URL"
            self._complain(f"{prefix}.probe_path", cause, 'Write it like "/api/v2/heartbeat".')
        if service.probe == "exec" and service.probe_command is None:
            self._complain(
                f"{prefix}.probe_command", "is missing for an exec probe", "Set it, or choose another probe."
            )
        self._service_numbers(prefix, service)

    def _service_numbers(self, prefix: str, service: ServiceConfig) -> None:
        for key in ("probe_every", "probe_timeout", "backoff", "backoff_max", "stable_after", "stop_grace"):
            value = getattr(service, key)
            if value is not None:
                self._at_least(value, 0.1, f"{prefix}.{key}")
        for key in ("probe_failures", "give_up_after"):
            count = getattr(service, key)
            if count is not None and count < 1:
                self._complain(f"{prefix}.{key}", f"{count} is less than one", "Set it to 1 or more.")
        if service.backoff is not None and service.backoff_max is not None and service.backoff > service.backoff_max:
            self._complain(f"{prefix}.backoff_max", f"is shorter than {prefix}.backoff", "Raise it.")

    def _unload(self, prefix: str, server: UnloadConfig) -> None:
        cause, mend = _url_error(server.url)
        if cause:
            self._complain(f"{prefix}.url", cause, mend)
        self._at_least(server.timeout, 0.1, f"{prefix}.timeout")
        if server.service is not None:
            self._names(server.service, f"{prefix}.service")
        for name, value in server.headers.items():
            if not name or not name.replace("-", "").isalnum() or not name.isascii() or not _is_one_line(value):
                cause = f"{name!r} is no header of a request"
                self._complain(f"{prefix}.headers", cause, 'Write it like { Authorization = "Bearer abc" }.')
            if name.lower() in _SET_BY_US:
                self._complain(f"{prefix}.headers", f"{name} is set by the call itself", "Leave it out.")

    def _command(self, command: tuple[str, ...] | None, key: str) -> None:
        if command is not None and (not command or not command[0] or "\0" in "".join(command)):
            self._complain(key, "names no program", 'Write it like ["npm", "run", "ai:dream"].')

    def _cwd(self, cwd: str | None, prefix: str) -> None:
        if cwd is not None and (not cwd or "\0" in cwd):
            self._complain(f"{prefix}.cwd", "names no folder", "Name one, or leave it out for the workspace.")

    def _environment(self, environment: Mapping[str, str], prefix: str) -> None:
        for variable, value in environment.items():
            if variable in _OURS:
                cause = f"{variable} is set by neo-console itself for every run"
                self._complain(f"{prefix}.env", cause, "Leave it out.")
            if not variable or "=" in variable or "\0" in variable + value:
                self._complain(f"{prefix}.env", f"{variable!r} is not a variable's name", "Rename it.")

    def _names(self, text: str, key: str) -> None:
        if not text.strip() or "\0" in text:
            self._complain(key, f"{text!r} names nothing", "Name one, or leave it out.")

    def _not_negative(self, count: int, key: str) -> None:
        if count < 0:
            self._complain(key, f"{count} is negative", "Set it to 0 or more.")

    def _at_least(self, value: float, least: float, key: str) -> None:
        if value < least:
            cause = f"{format_duration(value)} is too short"
            self._complain(key, cause, f"Set it to {format_duration(least)} or more.")


def _url_error(url: str) -> tuple[str, str]:
    """Return what is wrong with a model server's URL, and the mend; empty when nothing is."""
    from urllib.parse import urlsplit

    mend = 'Write it like "http://127.0.0.1:11434/api/generate".'
    if not url:
        return "is missing", mend
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"{url!r} is no URL: {error}", mend
    if parts.scheme not in ("http", "https") or not host or any(char <= " " for char in url) or not url.isascii():
        return f"{url!r} is no http or https URL", mend
    if parts.username is not None:
        return "it carries a user's name", "Give an Authorization header instead."
    if not is_loopback(host):
        return f"{host!r} is not this machine, where memory is to be freed", "Use 127.0.0.1, [::1] or localhost."
    return "", ""


def is_loopback(host: str) -> bool:
    """Return whether ``host`` names this very machine and nothing else."""
    from ipaddress import ip_address

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_one_line(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _cron_error(expression: str) -> str:
    """Return what is wrong with a cron expression; empty when nothing is."""
    from neo_core.cron import check_cron

    return check_cron(expression)
