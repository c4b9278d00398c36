"""The README says what the program is: its commands, its keys and its pictures are the real ones."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from neo_console.cli.group import cli
from neo_console.keymap import key_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def fenced(marker: str) -> str:
    match = re.search(rf"<!-- command: {marker} -->\n```sh\n(.*?)\n```", README, re.DOTALL)
    assert match, f"README.md has no command marked {marker}"
    return match[1]


def test_the_key_table_is_the_action_registrys():
    match = re.search(r"<!-- keys: generated[^\n]*-->\n(.*?)\n<!-- keys: end -->", README, re.DOTALL)
    assert match
    assert match[1].strip() == key_table().strip()


def test_the_first_two_commands_are_the_console_and_the_tests():
    blocks = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    assert blocks[:2] == [fenced("console"), fenced("tests")]
    assert fenced("console").endswith(".venv/bin/neo-console")
    assert "pytest -n auto" in fenced("tests")


def test_ci_runs_the_readmes_test_command():
    assert "<!-- command: tests -->" in (ROOT / ".ci/run").read_text()


def test_every_picture_is_there():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [picture for picture in pictures if not (ROOT / picture).is_file()] == []


def test_every_command_that_is_shown_exists():
    shown = [shlex.split(line.split("#")[0])[2:] for line in README.splitlines() if line.startswith("$ neo-console ")]
    assert shown
    assert [words for words in shown if words[0] not in cli.commands] == []


def test_the_command_line_section_lists_every_command():
    section = README.split("## Command line")[1].split("## ")[0]
    assert [name for name in cli.commands if f"`{name}`" not in section] == []
    assert all(isinstance(command, click.Command) for command in cli.commands.values())
