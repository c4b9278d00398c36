"""The services of a checkout of neo, as its files, upstream's variables and the configuration say."""

from __future__ import annotations

import pytest

from neo_core.config import Config, ServiceConfig, load_config
from neo_core.doctor import Level, examine
from neo_core.errors import ConfigError
from neo_core.services.catalogue import resolve_services


def services(workspace, variables=None, **told):
    return resolve_services(workspace, Config(services=told), variables or {})


def test_elsewhere_there_are_none_and_the_variables_mean_nothing(workspace):
    assert services(workspace, {"NEO_ORCHESTRATOR_MLX_ENABLED": "true"}) == {}
    assert services(workspace, {"NEO_CHROMA_PORT": "nonsense"}, chroma=ServiceConfig())["chroma"].port == 8000


def test_in_a_checkout_chroma_runs_and_the_bridge_if_it_is_there(workspace, checkout):
    root = checkout()
    chroma = services(workspace)["chroma"]
    assert list(services(workspace)) == ["chroma"]
    assert chroma.command == ("chroma", "run", "--path", ".neo-ai-data/chroma/knowledge-base", "--port", "8000")
    assert (chroma.host, chroma.port, chroma.probe, chroma.probe_path) == (
        "localhost",
        8000,
        "http",
        "/api/v2/heartbeat",
    )
    for place in ("ai/scripts/bridge-daemon.mjs", "ai/daemons/bridge/daemon.mjs", "ai/daemons/wake/daemon.mjs"):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).touch()
        assert services(workspace)["bridgeDaemon"].command == ("node", place)
    assert list(services(workspace)) == ["chroma", "bridgeDaemon"]


def test_chroma_is_as_the_environment_says(workspace, checkout):
    checkout()
    said = {"NEO_CHROMA_PORT": "8010", "NEO_CHROMA_HOST": "127.0.0.1", "NEO_CHROMA_DATA_DIR": "/data/chroma"}
    chroma = services(workspace, said)["chroma"]
    assert chroma.command == ("chroma", "run", "--path", "/data/chroma", "--host", "127.0.0.1", "--port", "8010")
    assert (chroma.host, chroma.port) == ("127.0.0.1", 8010)


def test_the_configuration_precedes_the_environment_of_chroma(workspace, checkout):
    checkout()
    chroma = services(workspace, {"NEO_CHROMA_PORT": "8010"}, chroma=ServiceConfig(port=9000))["chroma"]
    assert (chroma.port, chroma.command[-1]) == (9000, "9000")
    own = services(workspace, {"NEO_CHROMA_PORT": "8010"}, chroma=ServiceConfig(command=("true",)))["chroma"]
    assert (own.command, own.port) == (("true",), 8010)


def test_the_newer_data_folder_is_used_where_it_is(workspace, checkout):
    (checkout() / ".neo-ai-data/chroma/unified").mkdir(parents=True)
    assert services(workspace)["chroma"].command[3] == ".neo-ai-data/chroma/unified"


def test_chroma_on_another_machine_is_not_started_here(workspace, checkout):
    checkout()
    assert services(workspace, {"NEO_CHROMA_HOST": "chroma.internal"}) == {}


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("NEO_CHROMA_PORT", "0", "not a port"),
        ("NEO_CHROMA_PORT", "65536", "not a port"),
        ("NEO_CHROMA_PORT", "eight", "not a port"),
        ("NEO_CHROMA_PORT", "9" * 5000, "not a port"),
        ("NEO_CHROMA_HOST", "http://localhost", "not the name of a machine"),
        ("NEO_ORCHESTRATOR_CHROMA_DAEMON_ENABLED", "perhaps", "neither true nor false"),
        ("NEO_ORCHESTRATOR_BRIDGE_DAEMON_ENABLED", "2", "neither true nor false"),
        ("NEO_ORCHESTRATOR_MLX_ENABLED", "y?", "neither true nor false"),
    ],
)
def test_a_bad_variable_of_a_service_is_named_and_doctor_finds_it(
    workspace, checkout, monkeypatch, variable, value, says
):
    checkout()
    with pytest.raises(ConfigError, match=f"environment variable {variable}: .*{says}"):
        services(workspace, {variable: value})
    monkeypatch.setenv(variable, value)
    assert [one.level for one in examine(workspace) if one.thing.endswith(variable)] == [Level.FAIL]


def test_the_switches_of_the_services(workspace, checkout):
    root = checkout()
    (root / "ai/scripts").mkdir(parents=True)
    (root / "ai/scripts/bridge-daemon.mjs").touch()
    off = {f"NEO_ORCHESTRATOR_{name}_DAEMON_ENABLED": "false" for name in ("CHROMA", "BRIDGE")}
    assert services(workspace, off) == {}
    assert list(services(workspace, off, chroma=ServiceConfig(enabled=True))) == ["chroma"]
    assert services(workspace, off, chroma=ServiceConfig(port=9000)) == {}
    assert "chroma" not in services(workspace, chroma=ServiceConfig(enabled=False))


def test_mlx_is_off_and_needs_a_model_when_it_is_on(workspace, checkout):
    checkout()
    on = {"NEO_ORCHESTRATOR_MLX_ENABLED": "true"}
    with pytest.raises(ConfigError, match=r"services\.mlx\.model: .* has no model.*NEO_ORCHESTRATOR_MLX_MODEL"):
        services(workspace, on)
    mlx = services(workspace, {**on, "NEO_ORCHESTRATOR_MLX_MODEL": "a/b", "NEO_ORCHESTRATOR_MLX_PORT": "4000"})["mlx"]
    assert mlx.command == ("python3", "-m", "mlx_lm.server", "--model", "a/b", "--port", "4000")
    assert (mlx.port, mlx.probe, mlx.probe_path) == (4000, "http", "/v1/models")


def test_mlx_is_served_by_the_checkouts_own_python(workspace, checkout):
    own = checkout() / "ai/mcp/server/memory-core/.venv/bin/python"
    own.parent.mkdir(parents=True)
    own.touch()
    assert services(workspace, mlx=ServiceConfig(model="m"))["mlx"].command[0] == str(own)


def test_mlx_elsewhere_is_what_the_configuration_says(workspace, root):
    (root / "neo-console.toml").write_text('[services.mlx]\nmodel = "a/b"\nport = 5000\n')
    mlx = resolve_services(workspace, load_config(workspace.config), {})["mlx"]
    assert mlx.command == ("python3", "-m", "mlx_lm.server", "--model", "a/b", "--port", "5000")
    (root / "neo-console.toml").write_text("[services.mlx]\n")
    with pytest.raises(ConfigError, match=r"services\.mlx\.model"):
        resolve_services(workspace, load_config(workspace.config), {})
