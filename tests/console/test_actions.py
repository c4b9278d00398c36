"""One registry: every action has a performer, no two share a key, and rebinding is checked at start."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.actions import ACTIONS, BY_ID, GROUPS
from neo_console.app import NeoConsole
from neo_console.availability import may_stop
from neo_console.context import Context
from neo_console.keymap import RESERVED, default_keymap, key_table, resolve_keys
from neo_console.panels.footer import hints
from neo_console.performers import PERFORMERS
from neo_console.picture import Picture
from neo_console.rows.processes import process_rows, tree_subject
from neo_console.subjects import task_subject
from neo_core.config import Config, ConsoleConfig
from neo_core.errors import ConfigError
from neo_core.snapshot import Section
from screenshots.fixtures import busy_trees, held_lease, snapshot
from screenshots.parts import NOW


def a_context(subject=None, *, read_only="", picture=None):
    told = Picture()
    told.take(picture or snapshot())
    return Context(told, subject, None, read_only, default_keymap().key)


def test_every_action_is_performed_and_nothing_else():
    assert set(PERFORMERS) == set(BY_ID)
    assert len(BY_ID) == len(ACTIONS)


def test_the_orchestrators_tree_names_the_key_that_stops_it():
    tree = msgspec.structs.replace(busy_trees()[0], kind="orchestrator", owner="orchestrator", run_id="")
    told = snapshot(processes=(tree,))
    blocked = may_stop(a_context(tree_subject(tree), picture=told))
    assert (
        str(blocked)
        == f"the orchestrator has a key of its own — press {default_keymap().key('orchestrator')} to stop it"
    )


def test_a_script_that_holds_the_lease_names_its_pid_and_the_command_that_ends_it():
    script = msgspec.structs.replace(held_lease(), owner="nightly", pid=4211, run_id="", reason="manual-cli")
    tree = msgspec.structs.replace(busy_trees()[0], kind="lease", owner="nightly", run_id="")
    told = snapshot(processes=(tree,), lease=Section(at=NOW, value=script))
    subjects = [row.subject for row in process_rows((tree,))]
    assert len(subjects) > 1
    for subject in subjects:
        assert str(may_stop(a_context(subject, picture=told))) == (
            "nightly (pid 4211) is a script that holds the lease, no run of ours"
            " — end it where it was started, or with: kill 4211"
        )


def test_every_action_says_what_it_does():
    for action in ACTIONS:
        assert action.label
        assert action.tooltip
        assert action.group in GROUPS


def test_no_key_is_taken_twice_or_reserved_or_lost_to_a_terminal():
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert not set(keys) & set(RESERVED)
    assert not [key for key in keys if "alt+" in key or key in {"ctrl+a", "ctrl+b"} or key.startswith("f1")]


def test_read_only_blocks_exactly_what_changes_something():
    context = a_context(task_subject("dream", "9f31c07a55d2"), read_only="started with --read-only")
    blocked = {action.id for action in ACTIONS if (told := action.blocked(context)) and "read-only" in told.reason}
    changing = {"trigger", "defer", "stop", "force-stop", "pause", "relief", "orchestrator"}
    assert blocked == {action.id for action in ACTIONS if action.needs_write} == changing


@pytest.mark.parametrize(
    ("action", "task", "sentence"),
    [
        ("trigger", "kbSync", "lease held by dream (pid 4211): its holder is alive — press w for why, d to defer"),
        ("trigger", "summary", "summary is snoozed until 15:10 (giving a talk) — press d to resume it"),
        ("trigger", "dream", "dream is already running (9f31c07a55d2) — press l for its log, x to stop it"),
        ("defer", "golden-path", "golden-path is not configured — set tasks.golden-path.command in neo-console.toml"),
        ("stop", "kbSync", "kbSync is not running — press t to start it"),
        ("log", "primary-dev-sync", "primary-dev-sync has not run yet — press t to start it"),
    ],
)
def test_a_blocked_action_gives_the_reason_and_the_way_out(action, task, sentence):
    assert str(BY_ID[action].blocked(a_context(task_subject(task)))).endswith(sentence)


def test_the_way_out_of_a_task_without_a_command_is_said_once():
    told = str(BY_ID["trigger"].blocked(a_context(task_subject("golden-path"))))
    assert told == "golden-path is not configured — set tasks.golden-path.command in neo-console.toml"


def test_nothing_selected_blocks_with_a_way_out():
    for action in ("trigger", "defer", "why", "stop", "force-stop", "log", "detail", "copy"):
        assert "press 1 for the schedule" in str(BY_ID[action].blocked(a_context()))


def test_deferring_again_is_called_resuming():
    assert BY_ID["defer"].label_in(a_context(task_subject("summary"))) == "resume"
    assert BY_ID["defer"].label_in(a_context(task_subject("kbSync"))) == "defer"


@pytest.mark.parametrize("width", [20, 40, 60, 80, 118])
def test_the_footer_fits_and_has_at_most_eight_keys(width):
    shown = hints(a_context(task_subject("summary")), default_keymap(), width)
    assert sum(hint.width + 3 for hint in shown) - 3 <= width
    assert len(shown) <= 8
    assert shown[-1].action_id == "quit"
    if width >= 76:
        assert len(shown) == 8


def test_long_rebound_keys_do_not_overflow_the_footer():
    keymap = resolve_keys({"trigger": "ctrl+shift+backspace", "why": "ctrl+shift+insert"}, "f")
    shown = hints(a_context(task_subject("summary")), keymap, 78)
    assert sum(hint.width + 3 for hint in shown) - 3 <= 78


def test_keys_can_be_rebound_and_swapped():
    keymap = resolve_keys({"trigger": "d", "defer": "t D"}, "f")
    assert keymap.keys("trigger") == ("d",)
    assert keymap.keys("defer") == ("t", "D")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"triger": "t"}, ("/w/neo-console.toml: keys.triger", "is not an action", "keys.trigger")),
        ({"trigger": "q"}, ("/w/neo-console.toml: keys.trigger", "'q' is already the key of quit", "keys.quit")),
        ({"trigger": "z", "defer": "z"}, ("'z' is already the key of",)),
        ({"trigger": "ctrl+c"}, ("keys.trigger", "cannot be taken", "how to quit")),
        ({"trigger": "escape"}, ("keys.trigger", "cannot be taken")),
        ({"trigger": "hyper+t"}, ("keys.trigger", "'hyper+t' is not a key")),
        ({"trigger": "tt"}, ("keys.trigger", "'tt' is not a key")),
    ],
)
def test_a_wrong_binding_is_an_error_at_start_that_names_file_and_key(keys, said):
    with pytest.raises(ConfigError) as caught:
        NeoConsole(lambda: None, Config(keys=keys), config_path="/w/neo-console.toml")
    for part in said:
        assert part in str(caught.value)


def test_an_unknown_theme_is_an_error_that_names_the_known_ones():
    with pytest.raises(ConfigError, match=r"/w/f: console.theme: 'neon' is not a theme. Known: .*neo-dark, neo-light"):
        NeoConsole(lambda: None, Config(console=ConsoleConfig(theme="neon")), config_path="/w/f")


@pytest.mark.parametrize("theme", ["nord", "textual-light", "ansi-dark", "neo-light"])
async def test_other_themes_can_be_worn(machine, theme):
    app = NeoConsole(lambda: machine, Config(console=ConsoleConfig(theme=theme)))
    async with app.run_test() as pilot:
        await pilot.press("question_mark")
        assert app.theme == theme
    assert all(app.colours[tone].startswith("#") for tone in app.colours if tone != "plain")


def test_the_readmes_table_lists_every_action():
    table = key_table()
    for action in ACTIONS:
        assert f"`{action.id}`" in table
        assert action.tooltip in table
