"""A checkout of neo: its scripts become the tasks where they exist, and upstream's variables count."""

from __future__ import annotations

import os

import pytest

from neo_core.config import Config, TaskConfig
from neo_core.doctor import Level, examine
from neo_core.durations import Duration
from neo_core.errors import ConfigError
from neo_core.ledger.models import Trigger
from neo_core.neo_checkout import read_checkout
from neo_core.profiles import HEAVY_SIX, resolve_tasks
from neo_core.schedule.gates import Facts, LeaseFacts, decide

ALL = ("ai:sync-kb", "ai:backup", "ai:summarize-sessions", "ai:run-sandman", "ai:sync-github-workflow")
MAPPED = {
    "kbSync": "ai:sync-kb",
    "backup": "ai:backup",
    "summary": "ai:summarize-sessions",
    "dream": "ai:run-sandman",
    "sandman": "ai:run-sandman",
    "syncGithubWorkflow": "ai:sync-github-workflow",
}
INTERVALS = {
    "NEO_ORCHESTRATOR_SUMMARY_SWEEP_INTERVAL_MS": "summary",
    "NEO_SUMMARIZATION_SWEEP_INTERVAL_MS": "summary",
    "NEO_ORCHESTRATOR_KB_SYNC_INTERVAL_MS": "kbSync",
    "NEO_ORCHESTRATOR_BACKUP_INTERVAL_MS": "backup",
    "NEO_ORCHESTRATOR_PRIMARY_DEV_SYNC_INTERVAL_MS": "primary-dev-sync",
    "NEO_ORCHESTRATOR_DREAM_INTERVAL_MS": "dream",
    "NEO_ORCHESTRATOR_GOLDEN_PATH_INTERVAL_MS": "golden-path",
}


def tasks(workspace, config=None, **variables):
    return resolve_tasks(workspace, config or Config(), variables)


# ---- which scripts there are


@pytest.mark.parametrize("name", MAPPED)
def test_a_task_is_the_checkouts_script(workspace, checkout, name):
    checkout()
    task = tasks(workspace)[name]
    assert task.command == ("npm", "run", MAPPED[name])
    assert (task.heavy, task.missing_key, task.cwd) == (True, "", str(workspace.root))


def test_the_six_come_first_then_the_manual_scripts_then_the_users_own(workspace, checkout):
    checkout()
    found = tasks(workspace, Config(tasks={"mine": TaskConfig(command=("true",))}))
    assert list(found) == [*HEAVY_SIX, "sandman", "syncGithubWorkflow", "mine"]


def test_the_manual_scripts_never_start_by_themselves_unless_told(workspace, checkout):
    checkout()
    assert [tasks(workspace)[name].every for name in ("sandman", "syncGithubWorkflow")] == [0, 0]
    told = Config(tasks={"sandman": TaskConfig(every=Duration(60))})
    assert tasks(workspace, told)["sandman"].every == 60
    assert tasks(workspace, told)["sandman"].configured


def test_primary_dev_sync_is_ours_there_too(workspace, checkout):
    checkout()
    assert "neo_core.jobs.primary_dev_sync" in tasks(workspace)["primary-dev-sync"].command


def test_only_scripts_that_exist_are_used(workspace, checkout):
    checkout("ai:sync-kb")
    found = tasks(workspace)
    assert found["kbSync"].command == ("npm", "run", "ai:sync-kb")
    assert "neo_core.jobs.backup" in found["backup"].command
    assert not found["summary"].configured
    assert "sandman" not in found
    assert "syncGithubWorkflow" not in found


def test_what_is_missing_is_named_with_the_script(workspace, checkout):
    checkout()
    task = tasks(workspace)["golden-path"]
    assert (task.configured, task.missing_key) == (False, "tasks.golden-path.command")
    sentence = decide(task, Facts(trigger=Trigger.MANUAL, now=0, lease=LeaseFacts(takeable=True))).results[0].sentence
    assert "package.json has no script 'ai:golden-path'" in sentence
    assert "set tasks.golden-path.command" in sentence


def test_golden_path_is_its_own_script_where_there_is_one(workspace, checkout):
    checkout(*ALL, "ai:golden-path")
    assert tasks(workspace)["golden-path"].command == ("npm", "run", "ai:golden-path")


def test_the_configuration_precedes_the_script(workspace, checkout):
    checkout()
    told = Config(tasks={"dream": TaskConfig(command=("true",)), "kbSync": TaskConfig(task_class="light")})
    assert tasks(workspace, told)["dream"].command == ("true",)
    assert tasks(workspace, told)["kbSync"].command == ("npm", "run", "ai:sync-kb")
    assert not tasks(workspace, told)["kbSync"].heavy


def test_elsewhere_nothing_changes(workspace, root):
    (root / "package.json").write_text('{"scripts": {"build": "x", "ai:other": "y"}}')
    assert list(tasks(workspace)) == list(HEAVY_SIX)
    assert "missing" not in tasks(workspace)["golden-path"].mend


# ---- a package.json that is none


SCRIPTS_OF_ANOTHER_KIND = ['{"ai:sync-kb": 1, "ai:backup": null}', '{"ai:sync-kb": "  "}', '"ai:sync-kb"', "[]", "{}"]


@pytest.mark.parametrize(
    "text", ["[]", "null", "1", '"x"', "{}", *(f'{{"scripts": {told}}}' for told in SCRIPTS_OF_ANOTHER_KIND)]
)
def test_a_package_of_another_kind_is_no_checkout_and_no_trouble(root, text):
    (root / "package.json").write_text(text)
    assert (read_checkout(root).is_neo, read_checkout(root).trouble) == (False, "")


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b'{"scripts": {"ai:sync-kb": "\xff"}}', "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"scripts": {"ai:sync-kb": "x"}}' + b" " * 1_048_576, "bytes long"),
    ],
)
def test_an_unreadable_package_is_no_checkout_and_doctor_says_so(workspace, root, raw, says):
    (root / "package.json").write_bytes(raw)
    assert not read_checkout(root).is_neo
    found = [one for one in examine(workspace) if one.thing.endswith("package.json")]
    assert [(one.level, says in one.says, bool(one.mend)) for one in found] == [(Level.WARN, True, True)]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["fifo", "folder"])
def test_what_is_no_file_is_not_waited_for(root, make):
    make(root / "package.json")
    assert "not a regular file" in read_checkout(root).trouble


def test_a_byte_order_mark_is_no_mistake(root):
    (root / "package.json").write_bytes(b'\xef\xbb\xbf{"scripts": {"ai:sync-kb": "x"}}')
    assert read_checkout(root).is_neo


def test_doctor_names_the_scripts_and_what_is_missing(workspace, checkout):
    checkout()
    found = {one.thing: one for one in examine(workspace)}
    assert "ai:run-sandman" in found[str(workspace.root / "package.json")].says
    assert "no script 'ai:golden-path'" in found["task golden-path"].says


def test_without_a_package_doctor_says_nothing_of_it(workspace):
    assert not [one for one in examine(workspace) if "package.json" in one.thing]


# ---- upstream's variables


@pytest.mark.parametrize("variable", INTERVALS)
def test_an_interval_is_taken_in_milliseconds(workspace, checkout, variable):
    checkout()
    name = INTERVALS[variable]
    assert tasks(workspace, **{variable: "90000"})[name].every == 90
    assert tasks(workspace, **{variable: "0"})[name].every == 0
    assert tasks(workspace, **{variable: " "})[name].every == HEAVY_SIX[name].every


@pytest.mark.parametrize("variable", INTERVALS)
@pytest.mark.parametrize("value", ["10m", "-1", "1.5", "1e3", "٣", "9" * 400, "315360000001", "true"])
def test_a_bad_interval_is_an_error_that_names_the_variable(workspace, checkout, variable, value):
    checkout()
    with pytest.raises(ConfigError, match=f"environment variable {variable}: .*ms|milliseconds|ten years"):
        tasks(workspace, **{variable: value})


def test_the_newer_name_precedes_the_older(workspace, checkout):
    checkout()
    both = dict(zip(list(INTERVALS)[:2], ("1000", "2000"), strict=True))
    assert tasks(workspace, **both)["summary"].every == 1


def test_the_configuration_precedes_the_environment(workspace, checkout):
    checkout()
    said = {"NEO_ORCHESTRATOR_DREAM_INTERVAL_MS": "1000"}
    assert tasks(workspace, Config(tasks={"dream": TaskConfig(every=Duration(9))}), **said)["dream"].every == 9
    assert tasks(workspace, Config(tasks={"dream": TaskConfig(cron="0 3 * * *")}), **said)["dream"].every == 0


@pytest.mark.parametrize("name", ["kbSync", "primary-dev-sync"])
def test_a_switched_off_task_never_starts_by_itself(workspace, checkout, name):
    checkout()
    variable = f"NEO_ORCHESTRATOR_{'KB_SYNC' if name == 'kbSync' else 'PRIMARY_DEV_SYNC'}_ENABLED"
    for off in ("false", "FALSE", "0"):
        assert tasks(workspace, **{variable: off})[name].every == 0
    assert tasks(workspace, **{variable: "true"})[name].every == HEAVY_SIX[name].every
    with pytest.raises(ConfigError, match=f"{variable}: 'maybe' is neither true nor false"):
        tasks(workspace, **{variable: "maybe"})


def test_elsewhere_the_variables_mean_nothing(workspace):
    assert tasks(workspace, NEO_ORCHESTRATOR_DREAM_INTERVAL_MS="nonsense")["dream"].every == 3600
