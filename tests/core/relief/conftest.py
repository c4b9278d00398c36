"""Model servers of this machine: real processes with real memory, and real HTTP answers of every kind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

MIB = 1024 * 1024

# A server whose child has the memory, as model servers do; it gives it back when it is asked.
MODEL_SERVER = """
import http.server, os, signal, subprocess, sys, time
CHILD = "import time; kept = b'x' * (64 << 20); print(1, flush=True); time.sleep(99)"
child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
child.stdout.readline()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        told = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/unload":
            child.kill()
            child.wait()
        elif self.path == "/hang":
            print("asked", flush=True)
            time.sleep(99)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told)
    def log_message(self, *told):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: (child.kill(), os._exit(0)))
print(server.server_port, flush=True)
server.serve_forever()
"""


class ModelServer:
    """One that runs; ``port`` is where."""

    def __init__(self, root) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", MODEL_SERVER], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.port = int(self.process.stdout.readline())
        self._root = root

    def configure(self, path="/unload", more="", settle="100ms") -> None:
        """Name it in the workspace's configuration."""
        (self._root / "neo-console.toml").write_text(
            f'[memory]\nrelief_settle = "{settle}"\n'
            f'[unload.model]\nurl = "http://127.0.0.1:{self.port}{path}"\nbody = "{{}}"\n{more}\n'
        )

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def model_server(root):
    running = ModelServer(root)
    running.configure()
    yield running
    running.end()


@pytest.fixture
def answering():
    """Serve one connection with exact bytes, and keep what was asked; ``hold`` keeps it open afterwards."""
    listeners = []

    def serve(*pieces, hold=False):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        asked = []

        def talk():
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                for piece in pieces:
                    connection.sendall(piece)
                    if hold and released.wait(0.02):
                        return
                if hold:
                    released.wait(10)

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/api", asked

    released = threading.Event()
    yield serve
    released.set()
    for listener in listeners:
        listener.close()
