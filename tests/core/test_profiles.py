"""The catalogue: exactly six heavy names, changed by the configuration, and tasks of one's own."""

from __future__ import annotations

import sys

import pytest

from neo_core.config import Config, TaskConfig
from neo_core.durations import Duration, Window
from neo_core.errors import ConfigError
from neo_core.profiles import HEAVY_SIX, resolve_tasks

SIX = ["backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path"]
EVERY = {"backup": 86400, "kbSync": 1800, "primary-dev-sync": 600, "summary": 600, "dream": 3600, "golden-path": 3600}
COMMAND = ("true",)


def catalogue(workspace, **tasks):
    return resolve_tasks(workspace, Config(tasks={name.replace("_", "-"): told for name, told in tasks.items()}))


def test_exactly_the_six_are_heavy_by_default_and_backup_is_first(workspace):
    tasks = resolve_tasks(workspace, Config())
    assert list(tasks) == list(HEAVY_SIX) == SIX
    assert all(task.heavy for task in tasks.values())
    assert {name: task.every for name, task in tasks.items()} == EVERY


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("backup", "neo_core.jobs.backup"),
        ("kbSync", "neo_core.jobs.kb_sync"),
        ("primary-dev-sync", "neo_core.jobs.primary_dev_sync"),
    ],
)
def test_three_are_built_in_and_run_for_this_workspace(workspace, root, name, module):
    task = resolve_tasks(workspace, Config())[name]
    assert task.command == (sys.executable, "-P", "-m", module, "--workspace", str(root))
    assert task.configured
    assert task.cwd == str(root)


@pytest.mark.parametrize("name", ["summary", "dream", "golden-path"])
def test_three_wait_for_a_command_and_name_the_key_to_set(workspace, name):
    task = resolve_tasks(workspace, Config())[name]
    assert not task.configured
    assert task.missing_key == f"tasks.{name}.command"


@pytest.mark.parametrize("name", SIX)
def test_each_of_the_six_can_be_given_another_command_and_be_made_light(workspace, name):
    told = TaskConfig(command=COMMAND, task_class="light")
    task = resolve_tasks(workspace, Config(tasks={name: told}))[name]
    assert (task.command, task.heavy, task.configured, task.missing_key) == (COMMAND, False, True, "")
    assert task.every == EVERY[name]


def test_what_is_not_told_stays_as_it_was(workspace):
    task = catalogue(workspace, backup=TaskConfig(every=Duration(3600)))["backup"]
    plain = resolve_tasks(workspace, Config())["backup"]
    assert task.every == 3600
    assert (task.command, task.time_limit, task.grace, task.title) == (
        plain.command,
        plain.time_limit,
        plain.grace,
        plain.title,
    )


def test_everything_of_a_task_can_be_told(workspace, root):
    task = catalogue(
        workspace,
        kbSync=TaskConfig(
            command=COMMAND,
            every=Duration(0),
            time_limit=Duration(60),
            grace=Duration(0),
            window=Window(0, 60),
            cwd="sub",
            env={"A": "b"},
            title="mine",
        ),
    )["kbSync"]
    assert (task.every, task.time_limit, task.grace) == (0, 60, 0)
    assert (task.window, task.cwd, task.env, task.title) == (Window(0, 60), str(root / "sub"), {"A": "b"}, "mine")


def test_an_absolute_folder_of_a_task_stays_absolute(workspace):
    assert catalogue(workspace, x=TaskConfig(command=COMMAND, cwd="/tmp"))["x"].cwd == "/tmp"


def test_a_task_of_ones_own_is_heavy_and_never_starts_by_itself_unless_told(workspace):
    tasks = catalogue(
        workspace, my_report=TaskConfig(command=COMMAND), tiny=TaskConfig(command=COMMAND, every=Duration(9))
    )
    assert list(tasks) == [*SIX, "my-report", "tiny"]
    assert (tasks["my-report"].heavy, tasks["my-report"].every, tasks["tiny"].every) == (True, 0, 9)
    assert (tasks["my-report"].time_limit, tasks["my-report"].grace) == (7200, 10)


@pytest.mark.parametrize(("name", "kind"), [("dream", "heavy"), ("mine", "heavy"), ("light", "light")])
def test_a_configured_task_without_a_command_is_an_error_that_names_the_key(workspace, name, kind):
    told = TaskConfig(task_class="light" if kind == "light" else None)
    with pytest.raises(
        ConfigError, match=rf"tasks\.{name}\.command: the {kind} task {name} has no command.*command = "
    ):
        resolve_tasks(workspace, Config(tasks={name: told}))
