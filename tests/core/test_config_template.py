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

OWN = ("[tasks.my-report]", "[services.my-server]", "[unload.my-ollama]")
NEEDED = {
    "[tasks.summary]": '\ncommand = ["true"]',
    "[tasks.dream]": '\ncommand = ["true"]',
    "[services.mlx]": '\ncommand = ["true"]',
}

# What the template shows as an example because its default is "nothing".
EXAMPLES = {
    ("[lease]", "path"),
    ("[tasks.backup]", "window"),
    ("[tasks.summary]", "trigger_glob"),
    ("[services.mlx]", "model"),
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
    if section not in OWN and (section, line.split(" ")[0]) not in EXAMPLES
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
    assert msgspec.structs.replace(uncommented, tasks={}, services={}, keys={}) == Config()


def test_an_own_service_shows_the_defaults_too(load, tmp_path):
    examples = {"command", "cwd", "env", "port", "probe", "probe_command", "memory_limit", "title"}
    header = '[services.my-server]\ncommand = ["./server.sh"]'
    for line in SECTIONS["[services.my-server]"]:
        if line.split(" ")[0] not in examples:
            assert as_services(tmp_path, load(f"{header}\n{line}")) == as_services(tmp_path, load(header)), line


def test_an_own_model_server_shows_the_defaults_too(load):
    header = '[unload.my-ollama]\nurl = "http://127.0.0.1:1/"'
    for line in SECTIONS["[unload.my-ollama]"]:
        if line.split(" ")[0] in ("method", "timeout"):
            assert load(f"{header}\n{line}") == load(header), line


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
