"""The workspace is found as git finds a repository; the state folder moves only when told to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from neo_core.config import Config
from neo_core.config_sections import LeaseConfig
from neo_core.errors import ConfigError, WorkspaceError
from neo_core.workspace import (
    CONFIG_NAME,
    KEPT_CONFIG_NAME,
    LEASE_KEYS,
    SECTIONS,
    STATE_VARIABLE,
    ensure_state,
    resolve_workspace,
    resolve_workspace_anyway,
)


@pytest.mark.parametrize("marker", ["neo-console.toml", ".neo-ai-data", ".git"])
@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_the_nearest_ancestor_with_a_marker_is_the_workspace(tmp_path, marker, kind):
    deep = tmp_path / "outer" / "inner" / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "outer" / ".git").mkdir()
    place = tmp_path / "outer" / "inner" / marker
    if kind == "folder":
        place.mkdir()
    elif kind == "file":  # a worktree's .git is one
        place.touch()
    else:
        place.symlink_to("nowhere")
    assert resolve_workspace(start=deep).root == tmp_path / "outer" / "inner"


def test_the_current_folder_itself_counts_before_its_ancestors(tmp_path, monkeypatch):
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "outer" / ".git").mkdir()
    (inner / "neo-console.toml").touch()
    monkeypatch.chdir(inner)
    assert resolve_workspace().root == inner


def test_without_any_marker_the_start_is_the_workspace(tmp_path):
    lonely = Path("/proc/self/task")
    assert resolve_workspace(start=lonely).root == lonely


def test_told_explicitly_no_marker_is_looked_for(tmp_path):
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "inner"
    inner.mkdir()
    assert resolve_workspace(inner).root == inner


def test_an_explicit_relative_folder_is_made_absolute_without_following_links(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "real")
    assert resolve_workspace("../link").root == tmp_path / "link"


def test_an_explicit_tilde_is_the_home(tmp_path, monkeypatch):
    (tmp_path / "repo").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_workspace("~/repo").root == tmp_path / "repo"


def test_everything_lies_below_the_root(workspace, root):
    state = root / ".neo-ai-data" / "orchestrator-daemon"
    assert workspace.state == workspace.default_state == state
    assert workspace.lease == state / "heavy-maintenance-lease.json"
    assert workspace.ledger == state / "ledger.sqlite3"
    assert workspace.run_log("abc") == state / "runs" / "abc.log"
    assert workspace.config == root / "neo-console.toml"
    assert workspace.search_index.parent == workspace.data == root / ".neo-ai-data"


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("/var/lib/neo", "/var/lib/neo"),
        ("state/../other", "{root}/other"),
        ("~/neo", "{home}/neo"),
        ("  ", "{root}/.neo-ai-data/orchestrator-daemon"),
        ("", "{root}/.neo-ai-data/orchestrator-daemon"),
    ],
)
def test_the_variable_moves_the_state_folder(root, tmp_path, monkeypatch, told, state):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(STATE_VARIABLE, told)
    found = resolve_workspace(root)
    assert str(found.state) == state.format(root=root, home=tmp_path)
    assert found.data == root / ".neo-ai-data"


def test_the_state_folder_is_made_private_and_making_it_again_changes_nothing(workspace):
    ensure_state(workspace)
    (workspace.state / "kept").touch()
    ensure_state(workspace)
    assert (workspace.state / "kept").exists()
    assert {folder.stat().st_mode & 0o777 for folder in (workspace.state, workspace.logs)} == {0o700}


def test_a_workspace_that_was_moved_away_is_not_made_again(workspace):
    workspace.root.rename(workspace.root.with_name("elsewhere"))
    with pytest.raises(WorkspaceError, match=f"{workspace.root}: is gone"):
        ensure_state(workspace)
    assert not workspace.root.exists()


@pytest.mark.parametrize("place", ["state", "logs", "data"])
def test_a_file_where_a_folder_belongs_is_named(workspace, place):
    path = getattr(workspace, place)
    if place == "data":
        path.rmdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(WorkspaceError, match=f"cannot be created.*{STATE_VARIABLE}"):
        ensure_state(workspace)
    assert path.read_text() == "mine"


def test_wrong_folders_are_refused_with_their_cause(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / os.fsdecode(b"\xff")).mkdir()
    for told, cause in (
        (tmp_path / "none", "does not exist"),
        (tmp_path / "file", "is not a folder"),
        (tmp_path / ("x" * 300), "file name too long"),
        (tmp_path / "file" / "below", "not a directory"),
        (tmp_path / os.fsdecode(b"\xff"), "not UTF-8"),
        ("~nobody-of-that-name/x", "home folder that is not known"),
        ("", "is empty"),
        ("a\0b", "NUL"),
    ):
        with pytest.raises(WorkspaceError, match=cause):
            resolve_workspace(told)
    monkeypatch.setenv(STATE_VARIABLE, "~nobody-of-that-name/x")
    with pytest.raises(WorkspaceError, match=STATE_VARIABLE):
        resolve_workspace(tmp_path)


@pytest.mark.parametrize("told", ["None", "'relative'"])
def test_a_current_folder_that_is_gone_is_said(tmp_path, told):
    script = (
        "import os; from neo_core.workspace import resolve_workspace; from neo_core.errors import WorkspaceError\n"
        "os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')\n"
        f"try: resolve_workspace({told})\nexcept WorkspaceError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "current folder: no longer exists. Change into a folder that does.\n"


def test_what_may_be_told_of_the_lease_is_what_the_configuration_knows():
    assert set(LEASE_KEYS) == set(LeaseConfig.__struct_fields__)
    assert set(SECTIONS) == set(Config.__struct_fields__)


@pytest.mark.parametrize(
    ("told", "mistake"),
    [
        ('[lease]\npaht = "shared.json"', "lease.paht: is not a known key. Did you mean lease.path?"),
        ('[leese]\npath = "shared.json"', "leese: is not a known key. Did you mean lease?"),
        ('lease_path = "shared.json"', "lease_path: is not a known key."),
    ],
)
def test_a_mistyped_place_of_the_lease_is_never_the_usual_place(tmp_path, told, mistake):
    (tmp_path / CONFIG_NAME).write_text(f"{told}\n")
    with pytest.raises(ConfigError, match=re.escape(mistake)):
        resolve_workspace(tmp_path)
    state = tmp_path / ".neo-ai-data" / "orchestrator-daemon"
    state.mkdir(parents=True)
    (state / KEPT_CONFIG_NAME).write_text('[lease]\npath = "shared.json"\n')
    found, said = resolve_workspace_anyway(tmp_path)
    assert found.lease == tmp_path / "shared.json"
    assert mistake in said
