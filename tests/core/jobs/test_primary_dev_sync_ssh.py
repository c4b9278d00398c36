"""A fetch over ssh leaves no connection master behind: it would carry the lease for as long as it persists."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from neo_core.config import Config
from neo_core.errors import JobError
from neo_core.jobs.checkout.git import without_master
from neo_core.jobs.primary_dev_sync import sync
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose remote is reached by a fake ssh that writes its arguments to a file and fails."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    fake = tmp_path / "bin" / "ssh"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit 255\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", "-b", "dev", str(folder)], check=True)
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "one"], cwd=folder, check=True)
    subprocess.run(["git", "remote", "add", "origin", "ssh://nowhere.invalid/x.git"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("origin", ["default", "configuration", "environment"])
def test_the_fetch_asks_ssh_for_no_master(over_ssh, tmp_path, monkeypatch, origin):
    if origin == "configuration":
        subprocess.run(["git", "config", "core.sshCommand", "ssh -i mine"], cwd=over_ssh, check=True)
    if origin == "environment":
        monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i mine")
    with pytest.raises(JobError):
        sync(resolve_workspace(over_ssh), Config())
    asked = (tmp_path / "asked").read_text()
    assert "-o ControlMaster=no" in asked
    assert ("-i mine" in asked) is (origin != "default")


def test_another_program_in_place_of_ssh_is_left_alone():
    assert without_master("/opt/tunnel --fast") == "/opt/tunnel --fast"
