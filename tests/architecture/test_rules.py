"""The rules of architecture.md that can be read off the source; each names the place that breaks it."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "core" / "neo_core"
CONSOLE = ROOT / "console" / "neo_console"
STYLES = ROOT / "styles" / "neo_styles"

STARTERS = {
    "subprocess",
    "multiprocessing",
    "os.system",
    "os.popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.posix_spawnp",
    "os.execv",
    "os.execve",
    "os.execvp",
    "os.execvpe",
    "os.spawnv",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "pty.spawn",
}
MAY_START = {"runs/spawn.py", "runs/wrapper.py", "jobs/checkout/git.py"}
MAY_SPEAK_SQL = {"jobs/bundles/sqlite_copy.py", "jobs/index/database.py"}
CONSOLE_MAY_SEE = {
    "neo_core",
    "neo_core.awaiting",
    "neo_core.clock",
    "neo_core.config",
    "neo_core.config_template",
    "neo_core.doctor",
    "neo_core.durations",
    "neo_core.engine",
    "neo_core.errors",
    "neo_core.health",
    "neo_core.jobs.bundles.meta",
    "neo_core.jobs.checkout.ignored",
    "neo_core.jobs.index.database",
    "neo_core.jobs.restore",
    "neo_core.ledger.memory",
    "neo_core.ledger.models",
    "neo_core.ledger.reliefs",
    "neo_core.logs",
    "neo_core.memory.incidents",
    "neo_core.orchestrator.detached",
    "neo_core.memory.attribution",
    "neo_core.memory.reading",
    "neo_core.recorder.course",
    "neo_core.recorder.past",
    "neo_core.recorder.replay",
    "neo_core.recorder.report",
    "neo_core.relief.options",
    "neo_core.schedule.decision",
    "neo_core.snapshot",
    "neo_core.snapshot_strays",
    "neo_core.starting",
    "neo_core.streams",
    "neo_core.workspace",
}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"no sources in {folder}"
    return found


def imports(path: Path, *, also_for_types: bool = True) -> set[str]:
    """Return every module a file imports, names imported from a package included."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def names_used(path: Path) -> set[str]:
    return {dotted(node) for node in ast.walk(tree(path)) if isinstance(node, (ast.Attribute, ast.Name))}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_the_engine_imports_no_user_interface():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(CORE)
        for name in imports(path)
        for package in ("neo_console", "neo_styles", "textual", "rich")
        if within(name, package)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["neo_core.engine", "neo_core.runs.runner", "neo_core.commands.lease", "neo_core"])
def test_loading_the_engine_loads_no_user_interface(module):
    script = f"import sys, {module}; print([n for n in sys.modules if n.split('.')[0] in ('textual', 'rich')])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_wrapper_loads_nothing_slow():
    slow = {"textual", "rich", "click", "msgspec", "psutil", "filelock", "subprocess", "asyncio", "sqlite3", "logging"}
    script = (
        "import sys, neo_core.commands.lease, neo_core.runs.wrapper;"
        f"print(sorted({slow!r} & {{n.split('.')[0] for n in sys.modules}}))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_command_line_loads_no_textual_before_the_console_opens():
    script = (
        "import sys, neo_console.cli.main; print([n for n in sys.modules if n.split('.')[0] in ('textual', 'rich')])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_the_console_sees_the_engine_and_the_snapshot_only():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(CONSOLE)
        for name in imports(path)
        if (within(name, "neo_core") and name not in CONSOLE_MAY_SEE)
        or any(within(name, package) for package in ("psutil", "sqlite3", "filelock", "fcntl", "subprocess"))
    ]
    assert wrong == []


def test_the_console_reads_no_proc_file():
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(CONSOLE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/proc")
    ]
    assert wrong == []


def test_only_the_named_places_start_processes():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for folder in (CORE, CONSOLE, STYLES)
        for path in sources(folder)
        if path.relative_to(folder).as_posix() not in MAY_START
        for name in (imports(path) | names_used(path)) & STARTERS
        if not _only_for_types(path, name)
    ]
    assert wrong == []


def _only_for_types(path: Path, name: str) -> bool:
    """Return whether the module is imported under TYPE_CHECKING only, for an annotation."""
    for node in tree(path).body:
        if isinstance(node, ast.If) and dotted(node.test) == "TYPE_CHECKING":
            inside = {alias.name for child in node.body if isinstance(child, ast.Import) for alias in child.names}
            if name in inside:
                return not any(
                    isinstance(child, ast.Call) and dotted(child.func).startswith(f"{name}.")
                    for child in ast.walk(tree(path))
                )
    return False


def test_only_the_record_file_changes_the_lease_file():
    changing = {"os.link", "os.rename", "os.replace", "os.unlink", "os.remove", "os.write", "os.truncate"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(CORE / "lease")
        if path.name not in {"recordfile.py", "foreign_guard.py"}
        for name in names_used(path) & changing
    ]
    assert wrong == []
    users = [path for path in sources(CORE) if "neo_core.lease.recordfile" in imports(path)]
    assert {path.relative_to(CORE).as_posix() for path in users} <= {"lease/store.py", "lease/held.py"}


def test_only_the_ledger_speaks_sql():
    wrong = [
        path.relative_to(ROOT).as_posix()
        for folder in (CORE, CONSOLE)
        for path in sources(folder)
        if "sqlite3" in imports(path)
        and path.relative_to(folder).parts[0] != "ledger"
        and path.relative_to(folder).as_posix() not in MAY_SPEAK_SQL
    ]
    assert wrong == []


def test_only_the_collector_uses_a_thread_and_who_waits_for_the_end_of_the_terminal():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(CONSOLE)
        if path.name not in {"collector.py", "ending.py"}
        for name in (imports(path) | names_used(path))
        if name in {"threading", "_thread", "concurrent.futures", "asyncio.to_thread"}
        or name.endswith("run_in_executor")
    ]
    assert wrong == []
    assert "threading" in imports(CONSOLE / "collector.py")
    assert _keyword_calls("thread") == []


def test_no_text_is_parsed_as_markup():
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(CONSOLE)
        for name in names_used(path)
        if name.endswith(("from_markup", "escape_markup"))
    ]
    assert wrong == []
    unsafe = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {dotted(node.func)}"
        for path in sources(CONSOLE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and dotted(node.func).rsplit(".", 1)[-1] in {"notify", "Static", "Label", "Button"}
        and not any(word.arg == "markup" and _is_false(word.value) for word in node.keywords)
        and not all(isinstance(one, ast.Constant) or _is_plain(one) for one in node.args[:1])
    ]
    assert unsafe == []


def test_the_styles_hold_themes_and_sheets_only():
    assert {path.suffix for path in STYLES.rglob("*") if path.is_file() and path.suffix != ".pyc"} <= {
        ".py",
        ".tcss",
        ".typed",
    }
    assert not [
        name
        for path in sources(STYLES)
        for name in imports(path)
        if within(name, "neo_core") or within(name, "neo_console")
    ]


def test_a_file_fits_in_the_head():
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for folder in (CORE, CONSOLE, STYLES, ROOT / "tests")
        for path in sources(folder)
        if (lines := len(path.read_text().splitlines())) > 320
    }
    assert long == {}


def _keyword_calls(keyword: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources(CONSOLE)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and any(word.arg == keyword and not _is_false(word.value) for word in node.keywords)
    ]


def _is_plain(node: ast.AST) -> bool:
    """Return whether the text is wrapped as content that is never parsed."""
    return isinstance(node, ast.Call) and dotted(node.func).rsplit(".", 1)[-1] in {"Content", "Text"}


def _is_false(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
