"""Searching: words are literal and ANDed, the answer names file and line, and nothing is ever a syntax error."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from neo_core.config import Config
from neo_core.errors import JobError, UsageError
from neo_core.jobs.index import database
from neo_core.jobs.index.database import search
from neo_core.jobs.kb_sync import sync
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

PAGES = {
    "lease.md": "# Lease\n\nOne heavy job at a time.\nThe holder renews the lease.\n",
    "dream.md": "A dream extracts\na graph; the *graph* is ranked.\n",
    "code.py": 'def renew_lease(path):\n    return "C:\\\\temp" + path  # NOT "quoted"\n',
    "cafe.md": "Café crème\n",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text)
    found = resolve_workspace(tmp_path)
    sync(found, Config())
    return found


def paths(workspace: Workspace, words: str, limit: int = 10) -> set[str]:
    return {hit.path for hit in search(workspace, words, limit)}


def test_hit_names_the_line_of_the_first_match_and_shows_it(workspace: Workspace) -> None:
    (hit,) = search(workspace, "holder", 10)
    assert (hit.path, hit.line, hit.snippet) == ("lease.md", 4, "The holder renews the lease.")
    assert hit.rank > 0


def test_all_words_must_be_there(workspace: Workspace) -> None:
    assert paths(workspace, "lease") == {"lease.md", "code.py"}
    assert paths(workspace, "lease heavy") == {"lease.md"}
    assert paths(workspace, "lease graph") == set()


def test_case_and_accents_do_not_matter(workspace: Workspace) -> None:
    assert paths(workspace, "CAFE creme") == {"cafe.md"}


def test_file_name_is_searched_too_and_ranks_first(workspace: Workspace) -> None:
    hits = search(workspace, "lease", 10)
    assert hits[0].path == "lease.md"
    assert [hit.rank for hit in hits] == sorted((hit.rank for hit in hits), reverse=True)
    (hit,) = search(workspace, "code py", 10)
    assert (hit.path, hit.line, hit.snippet) == ("code.py", 1, "def renew_lease(path):")


@pytest.mark.parametrize(
    "words",
    [
        '"', "graph*", "NOT graph", "graph AND", "OR", "NEAR(graph dream)", "path:dream", "^graph", "gra'ph", "(graph",
        "{body}: graph", "graph -- drop", "graph + dream", "-graph", 'a"b"c', "graph\0dream", "gr\udce4ph", "$1 @2 ?3",
        "a" * 5000, " ".join(f"w{number}" for number in range(3000)),
    ],
)  # fmt: skip
def test_whatever_is_typed_is_never_a_syntax_error(workspace: Workspace, words: str) -> None:
    if any(char.isalnum() for char in words):
        assert paths(workspace, words) <= set(PAGES)
    else:
        with pytest.raises(UsageError):
            search(workspace, words, 10)


def test_operators_are_words_like_others(workspace: Workspace) -> None:
    assert paths(workspace, "NOT quoted") == {"code.py"}
    assert paths(workspace, "graph OR lease") == set()
    assert paths(workspace, "renew_lease(path)") == {"code.py"}
    assert paths(workspace, "path:dream") == set()


def test_words_of_punctuation_alone_are_left_out_and_refused_when_alone(workspace: Workspace) -> None:
    assert paths(workspace, "graph -- ***") == {"dream.md"}
    with pytest.raises(UsageError, match="no letter and no digit"):
        search(workspace, "*** --", 10)
    with pytest.raises(UsageError):
        search(workspace, "   ", 10)


def test_limit_is_kept_and_must_be_positive(workspace: Workspace) -> None:
    assert len(search(workspace, "a", 1)) == 1
    with pytest.raises(UsageError):
        search(workspace, "a", 0)


def test_snippet_of_a_long_line_is_cropped_around_the_match_and_free_of_control_characters(
    workspace: Workspace,
) -> None:
    line = "x " * 5000 + "\x1b[31m needle\x07 [bold]here[/]\u202e" + " y" * 5000
    (workspace.root / "long.txt").write_text(f"first\r\n{line}\n")
    sync(workspace, Config())
    (hit,) = search(workspace, "needle", 5)
    assert hit.line == 2
    assert len(hit.snippet) <= 162
    assert hit.snippet.startswith("…")
    assert hit.snippet.endswith("…")
    assert "[31m needle [bold]here[/]" in hit.snippet
    assert hit.snippet.isprintable()


def test_no_index_yet_says_how_to_make_one_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="neo-console run kbSync"):
        search(resolve_workspace(tmp_path), "graph", 5)
    assert list(tmp_path.iterdir()) == []


def test_index_whose_making_was_cut_off_counts_as_none(tmp_path: Path) -> None:
    workspace = resolve_workspace(tmp_path)
    workspace.data.mkdir()
    workspace.search_index.touch()
    with pytest.raises(JobError, match="is not there yet"):
        search(workspace, "graph", 5)


def test_search_works_while_a_batch_is_being_written(workspace: Workspace) -> None:
    with closing(sqlite3.connect(workspace.search_index, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM text")
        writer.execute("DELETE FROM files")
        assert paths(workspace, "graph") == {"dream.md"}
        writer.execute("ROLLBACK")


def test_search_never_writes_to_the_index(workspace: Workspace) -> None:
    before = workspace.search_index.read_bytes()
    paths(workspace, "graph")
    assert workspace.search_index.read_bytes() == before


def test_file_that_goes_while_its_hit_is_read_is_told_as_it_was_ranked(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_hit = database._hit

    def removing(*arguments: object) -> object:
        (workspace.root / "dream.md").unlink()
        sync(workspace, Config())
        return read_hit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "_hit", removing)
    assert paths(workspace, "graph") == {"dream.md"}
    assert paths(workspace, "graph") == set()
