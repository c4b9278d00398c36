"""The file that ``neo-console init`` writes: whoever removes a '#' gets what the line says, and nothing breaks."""

from __future__ import annotations

import re

import msgspec
import pytest

from neo_core.config import Config, load_config
from neo_core.config_template import TEMPLATE
from neo_core.profiles import resolve_tasks
from neo_core.workspace import resolve_workspace

_HEADER = re.compile(r"(?:# )?(\[[\w.-]+\])$")
_VALUE = re.compile(r"# (\w+ = .+)$")

# What the template shows as an example because its default is "nothing".
EXAMPLES = {
    ("[tasks.backup]", "window"),
    ("[jobs.backup]", "include"),
    ("[jobs.kbSync]", "exclude"),
    ("[tasks.summary]", "command"),
    ("[tasks.dream]", "command"),
}


def sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current = ""
    for line in TEMPLATE.splitlines():
        if header := _HEADER.match(line):
            current = header.group(1)
            found[current] = []
        elif (value := _VALUE.match(line)) and current:
            found[current].append(value.group(1))
    return found


SECTIONS = sections()
DEFAULTS = [
    (section, line)
    for section, lines in SECTIONS.items()
    for line in lines
    if section != "[tasks.my-report]" and (section, line.split(" ")[0]) not in EXAMPLES
]


@pytest.fixture
def load(tmp_path):
    def read(text: str) -> Config:
        (tmp_path / "neo-console.toml").write_text(text)
        return load_config(tmp_path / "neo-console.toml")

    return read


def as_tasks(tmp_path, config):
    return resolve_tasks(resolve_workspace(tmp_path), config)


def test_the_template_as_written_is_the_defaults(load, tmp_path):
    config = load(TEMPLATE)
    assert msgspec.structs.replace(config, tasks={}) == Config()
    assert as_tasks(tmp_path, config) == as_tasks(tmp_path, Config())


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_loads_when_all_its_lines_are_uncommented(load, tmp_path, section):
    assert SECTIONS[section]
    as_tasks(tmp_path, load("\n".join([section, *SECTIONS[section]])))


def test_everything_uncommented_at_once_loads(load, tmp_path):
    config = load("\n".join("\n".join([section, *lines]) for section, lines in SECTIONS.items()))
    tasks = as_tasks(tmp_path, config)
    assert tasks["my-report"].heavy is False
    assert all(tasks[name].configured for name in ("summary", "dream"))


@pytest.mark.parametrize(("section", "line"), DEFAULTS, ids=lambda part: part.strip("[]"))
def test_each_line_shows_the_default(load, tmp_path, section, line):
    command = '\ncommand = ["true"]' if section in ("[tasks.summary]", "[tasks.dream]") else ""
    without, uncommented = load(f"{section}{command}"), load(f"{section}{command}\n{line}")
    assert as_tasks(tmp_path, uncommented) == as_tasks(tmp_path, without)
    assert msgspec.structs.replace(uncommented, tasks={}, keys={}) == Config()


def test_every_key_of_every_section_is_in_the_template():
    for section, struct in (("lease", Config().lease), ("orchestrator", Config().orchestrator)):
        shown = {line.split(" ")[0] for line in SECTIONS[f"[{section}]"]}
        assert shown == set(struct.__struct_fields__)
    jobs = Config().jobs
    for section, struct in (
        ("backup", jobs.backup),
        ("kbSync", jobs.kb_sync),
        ("primary-dev-sync", jobs.primary_dev_sync),
    ):
        shown = {line.split(" ")[0] for line in SECTIONS[f"[jobs.{section}]"]}
        assert shown == set(struct.__struct_fields__)
    every_task_key = {
        line.split(" ")[0] for name, lines in SECTIONS.items() if name.startswith("[tasks.") for line in lines
    }
    assert every_task_key == {"command", "class", "every", "time_limit", "grace", "window", "cwd", "env", "title"}
