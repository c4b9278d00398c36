"""The file that ``neo-console init`` writes: whoever removes a '#' gets what the line says, and nothing breaks."""

from __future__ import annotations

import re

import msgspec
import pytest

from neo_core.catalogue import read_catalogue
from neo_core.config import Config, ServiceConfig, TaskConfig, UnloadConfig, load_config
from neo_core.config_template import TEMPLATE
from neo_core.profiles import resolve_tasks
from neo_core.services.catalogue import resolve_services
from neo_core.workspace import resolve_workspace

_HEADER = re.compile(r"(?:# )?(\[[\w.-]+\])$")
_VALUE = re.compile(r"# (\w+ = .+)$")

NEEDED = {
    "[tasks.summary]": '\ncommand = ["true"]',
    "[tasks.dream]": '\ncommand = ["true"]',
    "[tasks.my-report]": '\ncommand = ["true"]',
    "[services.mlx]": '\ncommand = ["true"]',
    "[services.my-server]": '\ncommand = ["true"]',
    "[unload.my-ollama]": '\nurl = "http://127.0.0.1:1/"',
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
    if "example" not in line.rpartition("# ")[2]
]


@pytest.fixture
def load(tmp_path):
    def read(text: str) -> Config:
        (tmp_path / "neo-console.toml").write_text(text)
        return load_config(tmp_path / "neo-console.toml")

    return read


def as_tasks(tmp_path, config):
    return resolve_tasks(resolve_workspace(tmp_path), config)


def as_services(tmp_path, config):
    return resolve_services(resolve_workspace(tmp_path), config)


def test_the_template_as_written_is_the_defaults(load, tmp_path):
    config = load(TEMPLATE)
    assert msgspec.structs.replace(config, tasks={}) == Config()
    assert as_tasks(tmp_path, config) == as_tasks(tmp_path, Config())


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_loads_when_all_its_lines_are_uncommented(load, tmp_path, section):
    assert SECTIONS[section]
    config = load("\n".join([section, *SECTIONS[section]]))
    as_tasks(tmp_path, config)
    as_services(tmp_path, config)


def test_everything_uncommented_at_once_loads(load, tmp_path):
    config = load("\n".join("\n".join([section, *lines]) for section, lines in SECTIONS.items()))
    tasks = as_tasks(tmp_path, config)
    found = read_catalogue(resolve_workspace(tmp_path), config)
    assert tasks["my-report"].heavy is False
    assert (tasks["my-report"].needs, sorted(found.services)) == (("chroma",), ["chroma", "mlx", "my-server"])
    assert all(tasks[name].configured for name in ("summary", "dream"))


@pytest.mark.parametrize(("section", "line"), DEFAULTS, ids=lambda part: part.strip("[]"))
def test_each_line_shows_the_default(load, tmp_path, section, line):
    needed = NEEDED.get(section, "")
    without, uncommented = load(f"{section}{needed}"), load(f"{section}{needed}\n{line}")
    assert as_tasks(tmp_path, uncommented) == as_tasks(tmp_path, without)
    assert as_services(tmp_path, uncommented) == as_services(tmp_path, without)
    assert uncommented.unload == without.unload
    assert msgspec.structs.replace(uncommented, tasks={}, services={}, unload={}, keys={}) == Config()


def test_what_is_no_default_says_that_it_is_an_example(load):
    config = load("\n".join(f"{section}\n{line}" for section, line in marked("[jobs.")))
    assert (config.jobs.backup.include, config.jobs.kb_sync.exclude) == (
        ("notes", "settings.json"), ("*.min.js", "vendor/**")
    )  # fmt: skip
    assert len(DEFAULTS) > 60
    assert {"class", "cron", "retries"} <= {line.split(" ")[0] for _, line in marked("[tasks.my-report]")}
    assert [line.split(" ")[0] for _, line in marked("[tasks.backup]")] == ["window"]


def marked(prefix: str) -> list[tuple[str, str]]:
    return [
        (section, line)
        for section, lines in SECTIONS.items()
        for line in lines
        if section.startswith(prefix) and (section, line) not in DEFAULTS
    ]


def test_every_key_of_every_section_is_in_the_template():
    for section, struct in (
        ("lease", Config().lease),
        ("orchestrator", Config().orchestrator),
        ("memory", Config().memory),
        ("console", Config().console),
    ):
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
    assert shown_under("[tasks.") == encoded(TaskConfig)
    assert shown_under("[services.") == encoded(ServiceConfig)
    assert shown_under("[unload.") == encoded(UnloadConfig)


def shown_under(prefix: str) -> set[str]:
    return {line.split(" ")[0] for name, lines in SECTIONS.items() if name.startswith(prefix) for line in lines}


def encoded(kind) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}
