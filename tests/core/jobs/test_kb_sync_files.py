"""Which files kbSync takes: git's rules in a checkout, good manners elsewhere, never anything private."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from neo_core.config import BackupConfig, Config, JobsConfig, KbSyncConfig
from neo_core.errors import JobError
from neo_core.jobs.index.files import find_files, matches
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("NEO_AI_ORCHESTRATOR_DIR", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return resolve_workspace(tmp_path)


def git(folder: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


def write(workspace: Workspace, *names: str) -> None:
    for name in names:
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def listed(workspace: Workspace, config: Config | None = None) -> list[str]:
    return [os.fsdecode(path) for path in find_files(workspace, config or Config()).paths]


def excluding(*patterns: str) -> Config:
    return Config(jobs=JobsConfig(kb_sync=KbSyncConfig(exclude=patterns)))


def test_checkout_lists_tracked_and_untracked_but_nothing_ignored_deleted_or_private(workspace: Workspace) -> None:
    git(workspace.root, "init", "-q")
    write(workspace, "tracked.md", "gone.md", "forced.log", "docs/spaced name.md", ".neo-ai-data/notes.md")
    (workspace.root / ".gitignore").write_text("*.log\nbuild/\n")
    git(workspace.root, "add", "-f", ".")
    (workspace.root / "gone.md").unlink()
    write(workspace, "new.md", "noise.log", "build/out.md", ".hidden.md")
    there = [name for name in listed(workspace) if (workspace.root / name).exists()]
    assert there == [".gitignore", ".hidden.md", "docs/spaced name.md", "forced.log", "new.md", "tracked.md"]


def test_unmerged_path_is_listed_once(workspace: Workspace) -> None:
    git(workspace.root, "init", "-q", "-b", "dev")
    for content, arguments in (("0", ()), ("1", ("-b", "one")), ("2", ("-b", "two", "dev"))):
        if arguments:
            git(workspace.root, "checkout", "-q", *arguments)
        (workspace.root / "a.md").write_text(content)
        git(workspace.root, "add", "a.md")
        git(workspace.root, "commit", "-qm", content)
    with pytest.raises(subprocess.CalledProcessError):
        git(workspace.root, "merge", "-q", "one")
    assert listed(workspace) == ["a.md"]


def test_submodules_and_checkouts_inside_the_checkout_are_not_looked_into(workspace: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "outer" / "module"
    other.mkdir(parents=True)
    git(other, "init", "-q")
    (other / "inside.md").write_text("x")
    git(other, "add", ".")
    git(other, "commit", "-qm", "x")
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    git(root, "submodule", "add", "-q", str(other), "sub")
    git(root, "clone", "-q", str(other), "loose")
    inner = resolve_workspace(root)
    assert [name for name in listed(inner) if (root / name).is_file()] == [".gitmodules"]


def test_links_are_not_followed_in_a_checkout_even_above_a_tracked_file(workspace: Workspace) -> None:
    outside = workspace.root / ".neo-ai-data" / "outside"
    outside.mkdir(parents=True)
    (outside / "secret.md").write_text("secret")
    git(workspace.root, "init", "-q")
    write(workspace, "docs/secret.md", "plain.md")
    git(workspace.root, "add", ".")
    (workspace.root / "docs" / "secret.md").unlink()
    (workspace.root / "docs").rmdir()
    (workspace.root / "docs").symlink_to(outside)
    assert "docs/secret.md" not in listed(workspace)
    assert "plain.md" in listed(workspace)


def test_folder_of_a_checkout_is_a_workspace_with_its_own_paths(workspace: Workspace) -> None:
    git(workspace.root, "init", "-q")
    write(workspace, "top.md", "part/in.md", "part/noise.log")
    (workspace.root / ".gitignore").write_text("*.log\n")
    assert listed(resolve_workspace(workspace.root / "part")) == ["in.md"]


def test_workspace_that_a_checkout_around_it_ignores_is_walked(workspace: Workspace) -> None:
    git(workspace.root, "init", "-q")
    (workspace.root / ".gitignore").write_text("part/\n")
    write(workspace, "part/in.md")
    assert listed(resolve_workspace(workspace.root / "part")) == ["in.md"]


def test_walk_leaves_out_caches_private_folders_and_links(workspace: Workspace) -> None:
    write(workspace, "a.md", ".config.md", "src/b.py", "src/__pycache__/b.pyc", "web/node_modules/x.js")
    write(workspace, ".venv/lib.py", ".neo-ai-data/x.md", ".mypy_cache/x.json", "deep/.neo-ai-data/x.md")
    (workspace.root / "link.md").symlink_to(workspace.root / "a.md")
    (workspace.root / "loop").symlink_to(workspace.root)
    assert listed(workspace) == [".config.md", "a.md", "src/b.py"]


def test_walk_asks_git_in_the_checkouts_it_meets(workspace: Workspace) -> None:
    write(workspace, "notes.md", "project/code.py", "project/.env", "project/deep/x.py")
    git(workspace.root / "project", "init", "-q")
    (workspace.root / "project" / ".gitignore").write_text(".env\n")
    expected = ["notes.md", "project/.gitignore", "project/code.py", "project/deep/x.py"]
    assert listed(workspace) == expected
    assert listed(workspace, excluding("project/deep"))[-1] == "project/code.py"


def test_broken_checkout_inside_the_walk_is_named_and_the_rest_is_listed(workspace: Workspace) -> None:
    write(workspace, "notes.md", "project/code.py")
    (workspace.root / "project" / ".git").write_text("gitdir: /nowhere/at/all\n")
    found = find_files(workspace, Config())
    assert (found.paths, found.unreadable) == ([b"notes.md"], [b"project"])


def test_state_and_backup_folders_are_left_out_wherever_they_are(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO_AI_ORCHESTRATOR_DIR", "state")
    write(workspace, "a.md", "state/runs/1.log", "kept/meta.json", "stately.md")
    config = Config(jobs=JobsConfig(backup=BackupConfig(folder="./kept")))
    assert listed(resolve_workspace(workspace.root), config) == ["a.md", "stately.md"]


def test_excluded_patterns_are_left_out_in_a_checkout_and_in_a_walk(workspace: Workspace) -> None:
    write(workspace, "a.md", "vendor/x.md", "docs/old/y.md", "docs/z.md")
    config = excluding("vendor/**", "docs/*/y.md")
    assert listed(workspace, config) == ["a.md", "docs/z.md"]
    git(workspace.root, "init", "-q")
    assert listed(workspace, config) == ["a.md", "docs/z.md"]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.md", "a.md", True),
        ("*.md", "deep/er/a.md", True),
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/deep/a.md", False),
        ("docs/**/*.md", "docs/a.md", True),
        ("docs/**/*.md", "docs/x/y/a.md", True),
        ("**/a.md", "a.md", True),
        ("vendor", "vendor/x/y.md", True),
        ("vendor", "src/vendor/y.md", True),
        ("/vendor", "src/vendor/y.md", False),
        ("vendor/", "vendor/y.md", True),
        ("vendor/**", "vendor/y.md", True),
        ("vendor/**", "vendored.md", False),
        ("./docs", "docs/a.md", True),
        ("a?.md", "ab.md", True),
        ("[ab].md", "c.md", False),
        ("**", "anything/at/all", True),
        ("", "a.md", False),
        ("/", "a.md", False),
    ],
)
def test_glob_pattern(pattern: str, path: str, expected: bool) -> None:
    assert matches(path, [pattern]) is expected


def test_missing_git_is_a_clear_error_in_a_checkout(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    git(workspace.root, "init", "-q")
    monkeypatch.setenv("PATH", str(workspace.root))
    with pytest.raises(JobError, match=r"git: is not installed, or not on PATH\. Install git"):
        find_files(workspace, Config())


def test_no_git_is_needed_without_a_checkout(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write(workspace, "a.md")
    monkeypatch.setenv("PATH", str(workspace.root))
    assert listed(workspace) == ["a.md"]


def test_surrounding_git_variables_do_not_lead_astray(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    git(workspace.root, "init", "-q")
    (workspace.root / ".gitignore").write_text("*.log\n")
    write(workspace, "a.md", "noise.log")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert listed(workspace) == [".gitignore", "a.md"]
