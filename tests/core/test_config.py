"""``neo-console.toml``: every key is read, every mistake has one sentence with the key, the cause and the mend."""

from __future__ import annotations

import os

import pytest

from neo_core.config import Config, TaskConfig, load_config
from neo_core.durations import Window
from neo_core.errors import ConfigError

EVERYTHING = """
[lease]
ttl = "2h"
renew_every = "30s"
allow_network_filesystem = true

[orchestrator]
poll_every = "5s"

[console]
refresh_every = "2s"
theme = "neo-light"

[tasks.backup]
every = "12h"
time_limit = "30m"
grace = "0"
window = "22:00-06:00"

[tasks.report]
command = ["./report.sh", "--daily"]
class = "light"
every = 0
cwd = "reports"
env = { LANG = "C.UTF-8" }
title = "writes the report"

[jobs.backup]
folder = "/backups"
include = ["notes"]
keep = 5
max_age = "30d"

[jobs.kbSync]
exclude = ["vendor/**"]
max_file_bytes = 10

[jobs.primary-dev-sync]
branch = "main"
remote = "upstream"
cascade = false

[keys]
trigger = "g"
"""


@pytest.fixture
def load(tmp_path):
    path = tmp_path / "neo-console.toml"

    def read(text: str | bytes) -> Config:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_config(path)

    return read


def test_a_missing_file_means_the_defaults(tmp_path):
    assert load_config(tmp_path / "neo-console.toml") == Config()


def test_an_empty_file_means_the_defaults(load):
    assert load("# nothing yet\n") == Config()


def test_every_key_is_read(load):
    config = load(EVERYTHING)
    assert (config.lease.ttl, config.lease.renew_every, config.lease.allow_network_filesystem) == (7200, 30, True)
    assert (config.orchestrator.poll_every, config.console.refresh_every, config.console.theme) == (5, 2, "neo-light")
    assert config.tasks["backup"] == TaskConfig(every=43200, time_limit=1800, grace=0, window=Window(1320, 360))
    assert config.tasks["report"] == TaskConfig(
        command=("./report.sh", "--daily"),
        task_class="light",
        every=0,
        cwd="reports",
        env={"LANG": "C.UTF-8"},
        title="writes the report",
    )
    backup, kb_sync, dev_sync = config.jobs.backup, config.jobs.kb_sync, config.jobs.primary_dev_sync
    assert (backup.folder, backup.include, backup.keep, backup.max_age) == ("/backups", ("notes",), 5, 30 * 86400)
    assert (kb_sync.exclude, kb_sync.max_file_bytes) == (("vendor/**",), 10)
    assert (dev_sync.branch, dev_sync.remote, dev_sync.cascade) == ("main", "upstream", False)
    assert config.keys == {"trigger": "g"}


def test_windows_line_ends_and_a_task_of_a_foreign_alphabet_are_fine(load):
    config = load('[tasks."bürö.ночь_1-a"]\r\ncommand = ["true"]\r\n')
    assert list(config.tasks) == ["bürö.ночь_1-a"]


MISTAKES = {
    'leas = "x"': ("leas", "not a known key", "Did you mean lease?"),
    "zzz = 1": ("zzz", "not a known key", "Known here: lease, orchestrator"),
    "[lease]\nttk = 1": ("lease.ttk", "not a known key", "Did you mean lease.ttl?"),
    "[jobs.backups]": ("jobs.backups", "not a known key", "Did you mean jobs.backup?"),
    "[jobs.backup]\nfolders = 'x'": ("jobs.backup.folders", "not a known key", "Did you mean jobs.backup.folder?"),
    "[tasks.x]\ncommand = ['a']\nevry = '1h'": ("tasks.x.evry", "not a known key", "Did you mean tasks.x.every?"),
    "lease = 5": ("lease", "5 is a value where a table belongs", "Write it as [lease]"),
    "[tasks]\nx = 'y'": ("tasks.x", "'y' is a value where a table belongs", "Write it as [tasks.x]"),
    "[[tasks]]\nx = 1": ("tasks", "where a table belongs", "[tasks]"),
    "keys = []": ("keys", "where a table belongs", "[keys]"),
    "[keys]\nquit = 5": ("keys.quit", "5 is not a key", 'keys.trigger = "t"'),
    "[keys]\nquit = ' '": ("keys.quit", "' ' is not a key", "Write it like"),
    "[lease]\nttl = 5": ("lease.ttl", "has no unit", "30s"),
    "[lease]\nttl = true": ("lease.ttl", "has no unit", "30s"),
    "[lease]\nttl = 'soon'": ("lease.ttl", "'soon' is not a duration", "30s, 10m"),
    "[lease]\nttl = '600w'": ("lease.ttl", "longer than ten years", "Mend"),
    "[lease]\nttl = '2m'": ("lease.ttl", "less than three renewals of 1m00s", "Raise it, or lower lease.renew_every"),
    "[lease]\nrenew_every = '500ms'": ("lease.renew_every", "500ms is too short", "Set it to 1s or more"),
    "[lease]\nallow_network_filesystem = 'yes'": ("lease.allow_network_filesystem", "expected `bool`", "Mend"),
    "[orchestrator]\npoll_every = '50ms'": ("orchestrator.poll_every", "too short", "100ms or more"),
    "[console]\nrefresh_every = '0'": ("console.refresh_every", "0s is too short", "100ms or more"),
    "[console]\ntheme = 5": ("console.theme", "expected `str`, got `int`", "Mend"),
    "[tasks.x]\ncommand = []": ("tasks.x.command", "names no program", "npm"),
    "[tasks.x]\ncommand = ['']": ("tasks.x.command", "names no program", "npm"),
    '[tasks.x]\ncommand = ["a\\u0000"]': ("tasks.x.command", "names no program", "npm"),
    "[tasks.x]\ncommand = 'a b'": ("tasks.x.command", "expected `array`, got `str`", "Write it like"),
    "[tasks.x]\ncommand = ['a', 5]": ("tasks.x.command[1]", "expected `str`, got `int`", "Mend"),
    "[tasks.x]\nclass = 'medium'": ("tasks.x.class", "invalid enum value 'medium'", 'Write "heavy"'),
    "[tasks.x]\nevery = '1s'": ("tasks.x.every", "shorter than orchestrator.poll_every (3s)", "0 to disable"),
    "[tasks.x]\ntime_limit = '0'": ("tasks.x.time_limit", "0s is too short", "Set it to 1s or more"),
    "[tasks.x]\nwindow = 'noon'": ("tasks.x.window", "'noon' is not a daily window", "22:00-06:30"),
    "[tasks.x]\nwindow = 5": ("tasks.x.window", "5 is not a daily window", "22:00-06:30"),
    "[tasks.x]\nwindow = '09:00-09:00'": ("tasks.x.window", "never open long enough", "different ends"),
    "[tasks.x]\ncwd = ''": ("tasks.x.cwd", "names no folder", "leave it out"),
    '[tasks.x]\ncwd = "a\\u0000"': ("tasks.x.cwd", "names no folder", "leave it out"),
    "[tasks.x.env]\n'A=B' = 'c'": ("tasks.x.env", "'A=B' is not a variable's name", "Rename it"),
    "[tasks.x.env]\n'' = 'c'": ("tasks.x.env", "'' is not a variable's name", "Rename it"),
    "[tasks.x.env]\nA = 5": ("tasks.x.env", "expected `str`, got `int`", "Mend"),
    "[tasks.'a b']": ("tasks.a b", "is not a task name", "letters, digits"),
    "[tasks.'']": ("tasks.", "is not a task name", "letters, digits"),
    f"[tasks.{'x' * 65}]": ("tasks.xxx", "is not a task name", "at most 64"),
    "[jobs.backup]\nkeep = 0": ("jobs.backup.keep", "less than one backup would be kept", "1 or more"),
    "[jobs.backup]\nkeep = true": ("jobs.backup.keep", "expected `int`, got `bool`", "Mend"),
    "[jobs.backup]\nfolder = ' '": ("jobs.backup.folder", "' ' names nothing", "leave it out"),
    "[jobs.backup]\ninclude = 'x'": ("jobs.backup.include", "expected `array`", "Mend"),
    "[jobs.kbSync]\nmax_file_bytes = 0": ("jobs.kbSync.max_file_bytes", "no file would be indexed", "1 or more"),
    "[jobs.primary-dev-sync]\nbranch = ''": ("jobs.primary-dev-sync.branch", "names nothing", "leave it out"),
    "[jobs.primary-dev-sync]\nremote = ''": ("jobs.primary-dev-sync.remote", "names nothing", "leave it out"),
    "a = 1\na = 2\n": ("", "is not TOML", "line 2"),
    "a = \n": ("", "is not TOML", "line 1"),
    "a = 2026-99-99": ("", "is not TOML", "line 1"),
    "a = " + "9" * 5000: ("", "thousands of digits", "can be meant"),
    "a = " + "[" * 3000: ("", "nested too deeply", "fewer brackets"),
}


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text[:40])
def test_a_mistake_is_one_sentence_with_file_key_cause_and_mend(load, tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        load(text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'neo-console.toml'}: {MISTAKES[text][0]}")
    assert all(word in said for word in MISTAKES[text])
    assert "\n" not in said.split(":", 1)[0]


def test_what_is_not_utf8_is_said_with_its_place(load):
    with pytest.raises(ConfigError, match=r"is not UTF-8 \(byte 4\)"):
        load(b"# a \xff")


def test_a_folder_a_fifo_a_device_and_a_loop_are_not_read(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "fifo", "device", "loop"):
        with pytest.raises(ConfigError, match=r"cannot be read: .*Make it a file that you can read"):
            load_config(tmp_path / name)


def test_a_file_of_megabytes_is_not_a_configuration(load):
    with pytest.raises(ConfigError, match="1048577 bytes long"):
        load("#" * 1_048_577)


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("npm run ai:dream", '["npm", "run", "ai:dream"]'),
        ("echo 'a b'", '["echo", "a b"]'),
        ("make all && ./report", '["sh", "-c", "make all && ./report"]'),
        ("say 'hi", '["sh", "-c", "say \'hi"]'),
    ],
)
def test_a_command_written_as_text_is_given_back_as_the_list_it_should_be(tmp_path, line, mend):
    path = tmp_path / "neo-console.toml"
    path.write_text(f'[tasks.x]\ncommand = "{line}"\n')
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert refused.value.mend == f"Write it like {mend}."
    path.write_text(f"[tasks.x]\ncommand = {mend}\n")
    assert load_config(path).tasks["x"].command
