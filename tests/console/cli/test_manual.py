"""``--help`` is a manual, costs no user interface, and the shell completes what there is without a word on errors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import click
import pytest

from neo_console.cli.group import cli
from neo_console.cli.manual import MANUAL, commands
from neo_console.cli.prints import PRINTS
from neo_core.commands import lease, orchestrator

from .conftest import NEO_CONSOLE

COMMANDS = dict(commands(cli))


def complete(root, words):
    """Return what the shell is offered after these words, the last one unfinished."""
    environment = {**os.environ, "_NEO_CONSOLE_COMPLETE": "bash_complete", "COMP_WORDS": words}
    environment["COMP_CWORD"] = str(len(words.split(" ")) - 1)
    done = subprocess.run(NEO_CONSOLE, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_every_command_stands_in_the_manual():
    assert set(MANUAL) == set(PRINTS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_it_does_and_prints_its_options_exit_codes_and_an_example(name):
    command = COMMANDS[name]
    with click.Context(command, info_name=f"neo-console {name}", terminal_width=100) as context:
        text = command.get_help(context)
    assert text.startswith(f"Usage: neo-console {name}")
    assert command.help
    assert command.help.partition("\n")[0].endswith((".", ":"))
    assert re.search(r"\n +Prints \w", text)
    assert ("--json" in PRINTS[name]) == any(one.name == "as_json" for one in command.params)
    assert "Exit codes: 0 " in text
    assert re.search(rf"Examples:\n +.*neo-console {name}\b", text)
    assert len(MANUAL[name].short) <= 60
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts}"
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(
    "words",
    ["lease", "lease run", "lease inspect", "lease reclaim", "orchestrator", "orchestrator run"],
)
def test_the_help_of_the_other_programs_has_the_same_parts(words, capsys):
    program, *action = words.split()
    main = {"lease": lease.main, "orchestrator": orchestrator.main}[program]
    with pytest.raises(SystemExit, match="0"):
        main([*action, "--help"])
    text = capsys.readouterr().out
    assert text.startswith(f"usage: neo-{words}")
    assert re.search(r"exit codes.*:\s+\S", text)
    assert re.search(rf"examples:\n.*neo-{words}\b", text)


def test_an_example_is_a_command_line_that_exists():
    for name, entry in MANUAL.items():
        for example in entry.examples:
            for called in re.findall(r"neo-console ((?:--\S+ )*)([a-z]+)", example):
                assert called[1] in cli.commands, (name, example)


def test_help_loads_no_user_interface(root):
    code = "import sys\nfrom neo_console.cli.main import main\n"
    code += "try:\n    main(['run', '--help'])\nexcept SystemExit:\n    pass\n"
    code += "print([name for name in ('textual', 'rich') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_names_of_this_workspace_are_completed(console, root):
    console("run", "quick")
    run_id = console.json("history")[0]["runId"]
    assert complete(root, "neo-console wh") == ["why"]
    assert {"quick", "backup"} <= set(complete(root, "neo-console why "))
    assert complete(root, f"neo-console logs {run_id[:6]}") == [run_id]
    assert complete(root, "neo-console restore ") == ["latest"]
    elsewhere = root.parent / "elsewhere"
    elsewhere.mkdir()
    assert complete(elsewhere, f"neo-console --workspace {root} why qui") == ["quick"]


def test_what_cannot_be_read_is_not_completed_and_not_complained_about(console, root):
    (root / "neo-console.toml").write_text("not toml [")
    assert "backup" in complete(root, "neo-console why ")
    state = root / ".neo-ai-data" / "orchestrator-daemon"
    state.mkdir(parents=True, exist_ok=True)
    (state / "ledger.sqlite3").write_bytes(b"not a database at all" * 100)
    assert complete(root, "neo-console stop ") == []
    assert complete(root, "neo-console incident ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_accepts(console, shell):
    done = console("completion", shell)
    assert done.returncode == 0
    assert "_NEO_CONSOLE_COMPLETE" in done.stdout
    if program := shutil.which(shell):
        checked = subprocess.run([program, "-n"], input=done.stdout, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_a_shell_that_nobody_knows_is_refused(console):
    done = console("completion", "cmd")
    assert done.returncode == 2
    assert "'cmd' is not one of" in done.stderr
