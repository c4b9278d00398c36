"""The commands against memory pressure, as the real command over a real server."""

from __future__ import annotations

import http.server
import json
import shlex
import threading

import pytest

CONFIGURATION = """
[memory]
relief_settle = "100ms"
[unload.model]
url = "http://127.0.0.1:{port}/unload"
[unload.broken]
url = "http://127.0.0.1:{port}/broken"
[tasks.waits]
command = ["sh", "-c", "echo begun; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done; echo ended"]
"""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200 if self.path == "/unload" else 503)
        self.end_headers()
        self.wfile.write(b"no such model")

    def log_message(self, *told):
        pass


@pytest.fixture
def served(console, root):
    """A workspace with a model server that listens in this process."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    (root / "neo-console.toml").write_text(CONFIGURATION.format(port=server.server_port))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield console
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_can_be_done_is_listed_with_what_it_should_free_and_why(served):
    lines = served("relief").stdout.splitlines()
    told = served.json("relief")

    assert lines[0].split() == ["WHAT", "FREES", "BY", "EFFECT", "COMMAND"]
    assert lines[1].startswith("defer everything heavy  nothing  frees nothing by itself")
    assert lines[2].endswith(("neo-console relief unload broken", "neo-console relief unload model"))
    assert [one["kind"] for one in told] == ["defer-heavy", "unload", "unload"]
    assert told[1]["expectedBytes"] > 0
    assert told[1]["basis"] == "PSS of its tree now, at most"


def test_an_unload_is_done_measured_and_in_the_history(served):
    done = served("relief", "unload", "model", "--because", "it swaps")
    (row,) = served.json("relief", "history")

    assert (done.returncode, done.stdout.split()[0]) == (0, "Freed")
    assert "answered with 200; measuring what that frees" in done.stderr
    assert (row["kind"], row["target"], row["because"], row["result"]) == ("unload", "model", "it swaps", "done")
    assert row["measuredAt"]
    assert row["freedBytes"] == row["treeBeforeBytes"] - row["treeAfterBytes"]


def test_a_server_that_refuses_is_one_sentence_exit_1_and_a_row(served):
    failed = served("relief", "unload", "broken")
    line = served("relief", "history").stdout.splitlines()[1]

    assert (failed.returncode, failed.stdout) == (1, "")
    (said,) = failed.stderr.splitlines()
    assert said.startswith("neo-console: unload.broken: 127.0.0.1:")
    assert "answered with 503: no such model. Correct url, method, body or headers of [unload.broken]" in said
    assert "unmeasured" in line
    assert "✗ failed · 127.0.0.1:" in line


def test_a_name_that_is_not_configured_exits_2_and_names_the_known(served):
    done = served("relief", "unload", "nobody")

    assert (done.returncode, done.stdout) == (2, "")
    assert "model server 'nobody': is not known here. Known: model, broken." in done.stderr


def test_deferring_everything_heavy_is_said_everywhere_until_it_is_ended(served):
    done = served("relief", "defer-heavy", "--for", "1h", "--because", "it swaps")
    prevented = served("run", "waits")
    status = served("status").stdout

    assert done.returncode == 0
    assert "Everything heavy is deferred until" in done.stdout
    assert "It holds back" in done.stdout
    assert "deferred: waits did not start: everything heavy is deferred until" in prevented.stdout
    assert prevented.stdout.splitlines()[0].endswith("[heavy-deferred]")
    assert "HEAVY DEFERRED until" in status
    assert "[heavy-deferred]" in status
    assert served.json("status")["heavyDeferral"]["value"]["because"] == "it swaps"
    assert served.json("relief", "resume-heavy") == {"ended": True}
    assert served("relief", "resume-heavy").stdout == "Nothing heavy was deferred.\n"


def test_every_command_of_the_list_does_its_thing_when_pasted(served):
    """Of the server that refuses it is that server's answer that fails, not the command line."""

    def commands():
        lines = served("relief").stdout.splitlines()[1:]
        return [shlex.split(line[line.rindex("neo-console relief") :])[1:] for line in lines]

    defer, *unload = commands()
    deferred = served(*defer)
    resumed = served(*commands()[0])
    unloaded = [served(*one).returncode for one in unload]

    assert (deferred.returncode, resumed.returncode, sorted(unloaded)) == (0, 0, [0, 1])
    assert "Everything heavy is deferred until" in deferred.stdout
    assert resumed.stdout == "Heavy tasks may start again.\n"


def test_the_history_tells_that_a_deferral_ended_early_or_was_replaced(served):
    for length in ("1h", "2h"):
        served("relief", "defer-heavy", "--for", length, "--because", "it swaps")
    before = served.json("relief", "history")
    served("relief", "resume-heavy")
    latest, first = served.json("relief", "history")
    line = served("relief", "history").stdout.splitlines()[1]

    assert "ended" not in before[0]["note"]
    assert ", ended early at 2" in latest["note"]
    assert ", replaced by another at 2" in first["note"]
    assert "ended early at" in line
    assert "Z by" not in line


def test_stopping_a_run_measures_what_its_tree_gave_back(served, until):
    run_id = served.running("waits", until)
    done = served("relief", "stop", "waits", "--json")
    told = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert (told["kind"], told["target"], told["treeAfterBytes"]) == ("stop", run_id, 0)
    assert told["freedBytes"] == told["treeBeforeBytes"] > 0
    assert served.json("history")[0]["outcome"] == "cancelled"
    again = served("relief", "stop", run_id)
    assert again.returncode == 1
    assert "has ended already" in again.stderr
