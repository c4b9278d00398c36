"""The commands that keep a workspace: init, doctor, search, backups, restore; and the help of all of them."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess

import click
import pytest
from click.testing import CliRunner

from neo_console.cli.group import cli
from neo_core.config_template import TEMPLATE
from neo_core.lease.words import INHERITED_TOKEN

COMMANDS = sorted(cli.commands)


@pytest.fixture
def fresh(console, root):
    (root / "neo-console.toml").unlink()
    return console


def test_init_writes_the_commented_defaults(fresh, root):
    done = fresh("init")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Wrote {root / 'neo-console.toml'}.")
    assert (root / "neo-console.toml").read_text() == TEMPLATE
    assert fresh("status").returncode == 0


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("before", "expected"),
    [(None, "/.neo-ai-data/\n"), ("*.log", "*.log\n/.neo-ai-data/\n"), ("*.log\n", "*.log\n/.neo-ai-data/\n")],
    ids=["no file", "no last newline", "a file"],
)
def test_init_names_the_command_that_keeps_the_data_out_of_git_and_leaves_it_to_its_owner(
    fresh, root, before, expected
):
    git(root, "init", "--quiet")
    ignored = root / ".gitignore"
    if before is not None:
        ignored.write_text(before)
    done = fresh("init")
    assert (ignored.read_text() if ignored.exists() else None) == before
    (hint,) = done.stderr.splitlines()
    subprocess.run(hint.partition(" keeps it out: ")[2], shell=True, check=True)
    assert ignored.read_text() == expected
    (root / "neo-console.toml").unlink()
    assert json.loads(fresh("init", "--json").stdout)["ignoreCommand"] is None


@pytest.mark.parametrize("pattern", [".neo-ai-data", ".neo-ai-data/", ".neo-ai-data/**"])
def test_init_says_nothing_of_git_where_it_ignores_the_data(fresh, root, pattern):
    git(root, "init", "--quiet")
    (root / ".git" / "info" / "exclude").write_text(pattern)
    assert fresh("init").stderr == ""


@pytest.mark.parametrize("there", ["file", "link to nowhere", "folder"])
def test_init_never_touches_what_is_there(fresh, root, there):
    path = root / "neo-console.toml"
    if there == "file":
        path.write_text("# mine\n")
    elif there == "folder":
        path.mkdir()
    else:
        path.symlink_to(root / "elsewhere")
    before = os.lstat(path)
    done = fresh("init")
    assert done.returncode == 1
    assert done.stderr == f"neo-console: {path}: exists already. Edit it; neo-console doctor checks it.\n"
    assert os.path.samestat(before, os.lstat(path))
    assert not (root / "elsewhere").exists()


def test_init_that_cannot_write_everything_leaves_nothing(fresh, root):
    done = fresh("init", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
    assert done.returncode == 1
    assert "cannot be written: file too large" in done.stderr
    assert not (root / "neo-console.toml").exists()
    assert fresh("init").returncode == 0


def test_doctor_of_a_healthy_workspace_has_nothing_to_mend(fresh):
    done = fresh("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    *findings, empty, verdict = done.stdout.splitlines()
    assert empty == ""
    assert verdict.endswith("things looked at: nothing to mend.")
    assert {line[0] for line in findings} == {"✓"}


def test_doctor_as_json_is_a_list_of_findings(console):
    for finding in console.json("doctor"):
        assert set(finding) <= {"level", "thing", "says", "mend"}
        assert finding["level"] in ("ok", "warn", "fail")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[leese]\n", "leese is not a known key. → Did you mean lease?"),
        ('[keys]\ntriger = "t"\n', "keys.triger is not an action. → Did you mean keys.trigger?"),
        ('[keys]\ntrigger = "q"\n', "is already the key of quit. → Choose another key"),
        (
            '[tasks.x]\ncommand = ["no-such-program"]\n',
            "task x its program 'no-such-program' was not found. → Install it",
        ),
        ('[tasks.x]\ncommand = ["./x"]\n', "task x its program './x' was not found. → Install it"),
        ('[tasks.x]\ncommand = ["ls"]\ncwd = "none"\n', "none does not exist. → Mend tasks.x.cwd."),
    ],
)
def test_doctor_says_each_mistake_once_with_its_mend_and_exits_1(console, root, text, words):
    (root / "neo-console.toml").write_text(text)
    done = console("doctor")
    bad = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert done.returncode == 1
    assert len(bad) == 1
    assert words in bad[0]
    assert done.stdout.endswith(" 1 to mend.\n")


def test_doctor_names_every_mistake_in_one_go(console, root):
    (root / "neo-console.toml").write_text(
        '[console]\ntheme = "plaid"\nrefresh_every = 2\n[keys]\ntriger = "t"\nwhy = "q"\nstop = "hyper+x"\n'
        '[lease]\npath = ""\n[tasks.x]\ncommand = ["no-such-program"]\nneeds = ["web"]\n'
    )
    done = console("doctor")
    bad = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    for words in (
        "console.theme 'plaid' is not a theme",
        "console.refresh_every 2 has no unit",
        "keys.triger is not an action",
        "keys.why 'q' is already the key of quit",
        "keys.stop 'hyper+x' is not a key",
        "lease.path",
        "'no-such-program' was not found",
        "tasks.x.needs 'web' is not a service",
    ):
        assert [words in line for line in bad].count(True) == 1, (words, bad)
    assert (done.returncode, len(bad), done.stderr) == (1, 8, "")
    (root / "neo-console.toml").unlink()


def test_doctor_looks_on_where_the_file_is_no_toml(console, root):
    (root / "neo-console.toml").write_text('[lease]\npath = "a\n')
    done = console("doctor")
    bad = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert (done.returncode, len(bad), done.stderr) == (1, 1, "")
    assert "neo-console.toml is not TOML: " in bad[0]
    assert "✓ lease " in done.stdout
    (root / "neo-console.toml").unlink()


def test_doctor_warns_without_failing(fresh):
    token = "11111111-2222-4333-8444-555555555555"
    done = fresh("doctor", env={**os.environ, INHERITED_TOKEN: token})
    assert done.returncode == 0
    assert f"! {INHERITED_TOKEN} is set in this environment but is not the active lease's token." in done.stdout


def test_without_backups_it_says_how_to_make_one(console):
    assert console("backups").stdout == "No backups yet: neo-console run backup makes one.\n"
    assert console.json("backups") == []


def test_a_backup_is_listed_and_restored_to_an_empty_folder_only(console, root, tmp_path):
    (root / "neo-console.toml").write_text('[jobs.backup]\ninclude = ["notes.txt"]\n')
    (root / "notes.txt").write_text("kept")
    assert console("run", "backup").returncode == 0
    (bundle,) = console.json("backups")
    head, row = (line.split() for line in console("backups").stdout.splitlines())
    assert (row[0], dict(zip(head, row, strict=False))["FILES"]) == (bundle["name"], "1")
    assert "1 database and 1 file, " in console.runs()[0].reason
    target = tmp_path / "target"
    done = console("restore", "latest", "--to", str(target))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Restored {bundle['name']}" in done.stdout
    assert re.search(r": \d+ rows in 1 database, and 1 file, verified\.$", done.stdout.strip())
    assert next(target.rglob("notes.txt")).read_text() == "kept"
    again = console("restore", bundle["name"], "--to", str(target))
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1


def test_search_finds_what_kb_sync_indexed_and_exits_1_without_a_hit(console, root):
    (root / "doc.md").write_text("the xylophone is here\n")
    assert console("run", "kbSync").returncode == 0
    done = console("search", "xylophone")
    assert (done.returncode, done.stdout.startswith("doc.md:1: ")) == (0, True)
    assert console.json("search", "xylophone")[0]["path"] == "doc.md"
    assert console("search", "zither").returncode == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_each_option(command):
    done = CliRunner().invoke(cli, [command, "--help"], prog_name="neo-console")
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: neo-console {command} ")
    unexplained = [
        parameter.name
        for parameter in cli.commands[command].params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert unexplained == []


def test_the_help_of_the_whole_lists_every_command_and_the_exit_codes(console):
    done = console("-h")
    assert done.returncode == 0
    assert all(f"  {command} " in done.stdout for command in COMMANDS)
    told = " ".join(done.stdout.split())
    for code in ("0 done", "1 something", "2 usage", "124 a run reached its time", "130 a run was cancelled"):
        assert code in told


def test_the_commands_are_those_of_the_design():
    assert {
        "status", "run", "why", "defer", "resume", "pause", "unpause", "stop", "history", "logs", "doctor", "init"
    } <= set(COMMANDS)  # fmt: skip


def test_without_a_terminal_the_console_does_not_open(console):
    done = console()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "neo-console: the console: needs a terminal to open in. Use neo-console status in scripts.\n"
    )


def test_the_version_is_the_packages(console):
    from neo_core import __version__

    assert console("--version").stdout == f"neo-console, version {__version__}\n"


def test_what_the_output_cannot_encode_is_shown_and_not_fatal(console):
    narrow = {"env": {**os.environ, "PYTHONIOENCODING": "iso-8859-1"}, "encoding": "iso-8859-1"}
    done = console("status", **narrow)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u25cb FREE" in done.stdout
    assert json.loads(console("status", "--json", **narrow).stdout)["readOnly"] == ""
