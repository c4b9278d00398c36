"""Other supervisors with the same workers: supervisor and circus from PyPI, pm2 from npm, each installed by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress

from .workers import NAMES

INSTALL_SECONDS = 600


class MissingError(Exception):
    """This peer is not to be had here; the message says why."""


class Peer:
    """A supervisor that was installed into ``folder`` and keeps the workers of a crew."""

    name = ""

    def __init__(self, folder, crew):
        self.folder, self.crew = folder, crew
        self.process = None

    def start(self):
        """Start the supervisor; return its pid."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = self.crew.popen(self.command(), cwd=self.crew.folder, **quiet)
        return self.process.pid

    def kill(self):
        """Kill the supervisor with the signal that nobody can catch, nothing else."""
        self.process.kill()
        self.process.wait()

    def pid(self):
        return self.process.pid

    def configure(self):
        """Write what the supervisor reads."""

    def command(self):
        """Return the command that runs it in the foreground."""
        raise NotImplementedError


class Supervisor(Peer):
    name = "supervisor"

    def configure(self):
        lines = ["[supervisord]", "nodaemon=true", "logfile=/dev/null", "logfile_maxbytes=0", "pidfile=pid"]
        for name, command in self.crew.commands().items():
            lines += [f"[program:{name}]", f"command={' '.join(command)}", "autorestart=true", "startsecs=0"]
            lines += ["stdout_logfile=NONE", "stderr_logfile=NONE"]
        _write(f"{self.crew.folder}/supervisord.conf", lines)

    def command(self):
        return [f"{self.folder}/bin/supervisord", "-n", "-c", f"{self.crew.folder}/supervisord.conf"]


class Circus(Peer):
    name = "circus"

    def configure(self):
        sockets = {key: f"ipc://{self.crew.folder}/{key}" for key in ("endpoint", "pubsub_endpoint")}
        lines = ["[circus]", "statsd = False", *(f"{key} = {place}" for key, place in sockets.items())]
        for name, command in self.crew.commands().items():
            lines += [f"[watcher:{name}]", f"cmd = {' '.join(command)}", "numprocesses = 1", "copy_env = True"]
        _write(f"{self.crew.folder}/circus.ini", lines)

    def command(self):
        return [f"{self.folder}/bin/circusd", "--log-output", "/dev/null", f"{self.crew.folder}/circus.ini"]


class Pm2(Peer):
    """Its daemon starts itself behind the first command; the list of workers is its own saved one."""

    name = "pm2"

    def configure(self):
        apps = ", ".join(
            f'{{"name": "{name}", "script": "{self.crew.script}", "args": "{name}", "interpreter": "/bin/sh"}}'
            for name in NAMES
        )
        _write(f"{self.crew.folder}/pm2.json", [f'{{"apps": [{apps}]}}'])

    def start(self):
        if os.path.exists(f"{self.crew.folder}/home/dump.pm2"):
            self._tell("resurrect")
        else:
            self._tell("start", f"{self.crew.folder}/pm2.json")
            self._tell("save")
        return self.pid()

    def kill(self):
        pid = self.pid()
        os.kill(pid, 9)
        while os.path.exists(f"/proc/{pid}") and pid in self.crew.tagged():
            time.sleep(0.01)

    def pid(self):
        with open(f"{self.crew.folder}/home/pm2.pid") as file:
            return int(file.read())

    def _tell(self, *arguments):
        home = {"PM2_HOME": f"{self.crew.folder}/home", "PM2_DISABLE_VERSION_CHECK": "true"}
        command = ["node", f"{self.folder}/node_modules/pm2/bin/pm2", *arguments]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command,
                cwd=self.crew.folder,
                env=self.crew.environment(**home),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
                check=False,
            )


PEERS = {peer.name: peer for peer in (Supervisor, Circus, Pm2)}


def python_environment(peers, name):
    """Return the environment in ``peers`` with PyPI's ``name``, made when it is missing. Raises ``MissingError``."""
    folder = _folder(peers, name)
    if not os.path.exists(f"{folder}/bin/.{name}-is-there"):
        _run(name, [sys.executable, "-m", "venv", folder])
        _run(name, [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", name])
        _write(f"{folder}/bin/.{name}-is-there", [])
    return folder


def node_environment(peers, name):
    """Return the folder in ``peers`` that has npm's ``name``, made when it is missing. Raises ``MissingError``."""
    folder = _folder(peers, name)
    if not os.path.isdir(f"{folder}/node_modules/{name}"):
        if shutil.which("npm") is None or shutil.which("node") is None:
            raise MissingError("node or npm is not installed")
        os.makedirs(folder, exist_ok=True)
        _run(name, ["npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", name])
    return folder


def environment_of(peers, name):
    """Return where the peer is installed. Raises ``MissingError``."""
    return node_environment(peers, name) if name == "pm2" else python_environment(peers, name)


def _folder(peers, name):
    if not peers:
        raise MissingError("no --peers folder was given to install it in")
    return os.path.join(os.path.realpath(peers), name)


def _run(name, command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MissingError(f"{name} could not be installed: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise MissingError(f"{name} could not be installed: {said[-1] if said else done.returncode}")


def _write(path, lines):
    with open(path, "w") as file:
        file.write("\n".join([*lines, ""]))
