"""Never the wrong row: a key acts on what was under the cursor when it was pressed, or on nothing, and says so."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from textual.app import App

from neo_console.collector import Collected
from neo_console.news import News
from neo_console.panels.table import KeyedTable
from neo_console.rows.model import Cell, Column, Row
from neo_console.subjects import task_subject
from neo_core.ledger.models import LeaseRole, Outcome
from neo_core.snapshot import LeaseLight, LeaseView, ScheduleView, TaskState, TreeView
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, process, run, task

COLUMNS = (Column("name", "name", 10, flexible=True), Column("n", "n", 5, right=True, falling=True))
NAMES = "abcdefghij"
KEYS = st.lists(st.sampled_from(NAMES), unique=True, max_size=8)
VALUES = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=8, max_size=8)
OPERATOR = ("down", "up", "first", "last", "filter")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("refresh", "refresh", "page", "filter")), KEYS, VALUES),
        st.tuples(st.sampled_from(("sort", "reverse", "down", "up", "first", "last")), st.none(), st.none()),
    ),
    max_size=30,
)


class Bench(App):
    AUTO_FOCUS = None

    def compose(self):
        yield KeyedTable(COLUMNS, id="table")


def rows_of(keys, values):
    return [
        Row(task_subject(key), (Cell(key), Cell(str(value))), key, key, (), (key, value))
        for key, value in zip(keys, values, strict=False)
    ]


def under_cursor(table):
    """The key of the row that is drawn with the cursor; nothing where no cursor is drawn."""
    if not table.show_cursor or not table.row_count:
        return None
    return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value


def do(table, step, keys, values):
    match step:
        case "refresh":
            table.show_rows(rows_of(keys, values), {})
        case "filter":
            table.show_rows(rows_of(keys, values), {}, refiltered=True)
        case "page":
            more = [key for key in keys if key not in table._rows]
            table.show_rows([*table._told, *rows_of(more, values)], {})
        case "sort":
            table.sort_next()
        case "reverse":
            table.sort_reverse()
        case "down" | "up":
            table.move_by(1 if step == "down" else -1)
        case _:
            table.move_to_end(last=step == "last")


async def test_nothing_but_the_operator_moves_the_selection_to_another_row():
    app = Bench()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.query_one(KeyedTable)
        table.focus()
        await pilot.pause()

        @settings(max_examples=150, deadline=None)
        @given(STEPS)
        def walk(steps):
            table.show_rows(rows_of("abcdef", range(6)), {}, refiltered=True)
            table.move_to_end(last=False)
            while table.order.column:
                table.sort_next()
            for step, keys, values in steps:
                before, gone = under_cursor(table), table.gone
                do(table, step, keys, values)
                now = under_cursor(table)
                assert (table.subject.key if table.subject else None) == now
                if step in OPERATOR or before is None:
                    assert step in OPERATOR or now is None or gone is None or gone.key == now
                elif before in table._rows:
                    assert now == before, f"{step} moved the selection from {before} to {now}"
                else:
                    assert now is None, f"{step} put {now} under the cursor in place of {before}"
                    assert table.gone.key == before

        walk()


class Move(NamedTuple):
    """One thing that happens: a key of the operator, or a change of the machine."""

    kind: str
    what: object = None


CHANGES = st.sampled_from(("shuffle", "die", "end", "rename", "reuse", "come", "again")).map(
    lambda what: Move("world", what)
)
KEYS_OF_OPERATOR = st.sampled_from(
    (
        *("panel-1", "panel-2", "panel-3", "down", "down", "up", "bottom", "top", "sort", "sort-reverse", "freeze"),
        *("filter a", "filter status:running", "filter "),
    )
).map(lambda what: Move("key", what))
ACTS = st.tuples(st.sampled_from(("trigger", "stop", "defer", "force-stop")), st.lists(CHANGES, max_size=3)).map(
    lambda told: Move("act", told)
)
DAY = st.lists(st.one_of(CHANGES, KEYS_OF_OPERATOR, ACTS), min_size=6, max_size=14)


class World:
    """A machine whose tasks, runs and processes come, go and change places; it remembers who was who."""

    def __init__(self):
        self.born = Counter()
        self.tasks = []
        self.runs = []
        self.who = {}
        for _ in range(4):
            self.change("come")

    def change(self, what):
        number = self.born[what]
        self.born[what] += 1
        match what:
            case "come":
                name = f"a{number}"
                self.tasks.insert(0, name)
                self._start(name, number)
            case "shuffle":
                self.tasks = self.tasks[1:] + self.tasks[:1]
                self.runs = self.runs[-1:] + self.runs[:-1]
            case "die" if self.tasks:
                self.tasks.pop(number % len(self.tasks))
            case "rename" if self.tasks:
                self.tasks[number % len(self.tasks)] = f"renamed{number}"
            case "end" if self.runs:
                place = number % len(self.runs)
                self.runs[place] = msgspec.structs.replace(self.runs[place], outcome=Outcome.COMPLETED, ended_at=NOW)
            case "reuse":
                for place, one in enumerate(self.runs):
                    if one.live:
                        self.runs[place] = msgspec.structs.replace(one, runner_start=one.runner_start + 1000)
            case "again" if self.runs:
                one = self.runs[number % len(self.runs)]
                self.runs.remove(one)
                self.runs.append(msgspec.structs.replace(one, outcome=Outcome.FAILED, ended_at=NOW))
                self._start(one.task, 500 + number)

    def _start(self, name, number):
        run_id = f"{number:012x}"
        self.runs.insert(
            0,
            run(run_id, name, None, at=NOW - number, started_at=NOW, runner_pid=100 + number, runner_start=number + 1),
        )

    def live(self, name):
        return next((one for one in self.runs if one.live and one.task == name), None)

    def picture(self):
        tasks = []
        for name in self.tasks:
            live = self.live(name)
            self.who[name] = (name, live.run_id if live else "")
            state = TaskState.RUNNING if live else TaskState.DUE
            tasks.append(task(name, state, due_at=NOW, running_run_id=live.run_id if live else ""))
        trees = []
        for one in self.runs:
            self.who[one.run_id] = (one.task, one.run_id)
            if one.live:
                member = process(one.runner_pid, 0, "python", 10, 1.0, 5.0)
                member = msgspec.structs.replace(member, start_time=one.runner_start)
                self.who[f"{member.pid}:{member.start_time}"] = self.who[f"run:{one.task}:{one.run_id}"] = (
                    one.task,
                    one.run_id,
                )
                told = {"run_id": one.run_id, "role": LeaseRole.HOLDER, "memory": 10, "processes": (member,)}
                trees.append(TreeView(owner=one.task, kind="run", **told))
        return snapshot(
            lease=LeaseView(light=LeaseLight.FREE, status="missing"),
            schedule=ScheduleView(tasks=tuple(tasks)),
            outcomes=tuple(self.runs),
            processes=tuple(trees),
            services=(),
        )


def may_have_asked(world, asked, who):
    """Whether what the engine was asked for is what that row stood for."""
    name, run_id = who
    match asked:
        case ("trigger", target) | ("resume", target) | ("defer", target, *_):
            return target == name and target in world.tasks
        case ("stop", target, _):
            stopped = next((one for one in world.runs if one.run_id == target), None)
            return stopped is not None and stopped.live and stopped.task == name and target == run_id
    return False


def see(desk, world):
    """Hand the app the picture of the world as the collector does."""
    desk.machine.picture = world.picture()
    desk.app.on_news(News(Collected(desk.machine.picture)))


async def act(desk, world, action, meanwhile):
    """Do what a key does, let the machine change, confirm; return what was asked. Something is said in any case."""
    app, asked, before = desk.app, len(desk.machine.asked), len(desk.app.journal.results())

    def said():
        return len(app.journal.results()) > before

    app.perform(action)
    await desk.until(lambda: said() or app.screen is not desk.main)
    dialog = app.screen if app.screen is not desk.main else None
    for change in meanwhile:
        world.change(change.what)
        see(desk, world)
    complained = False
    if dialog is not None:
        if action == "defer":
            dialog._because.value = "why not"
        elif action == "force-stop":
            dialog._input.value = dialog._proposal.typed
            dialog.confirm.disabled = False
        dialog.action_confirm()
        complained = dialog.complaint.display
        if complained:
            dialog.action_cancel()
        await desk.until(lambda: app.screen is desk.main and (complained or said()))
    return desk.machine.asked[asked:]


FEW = settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)


@FEW
@given(day=DAY)
async def test_what_is_confirmed_is_what_was_under_the_cursor_or_nothing(machine, open_console, day):
    world = World()
    machine.asked.clear()
    machine.picture = world.picture()
    async with open_console(size=(120, 40)) as desk:
        for move in day:
            if move.kind == "world":
                world.change(move.what)
                see(desk, world)
            elif move.kind == "key" and move.what.startswith("filter"):
                desk.main._filter(desk.main._table, move.what.partition(" ")[2])
            elif move.kind == "key":
                desk.app.perform(move.what)
                await desk.pilot.pause()
            else:
                action, meanwhile = move.what
                drawn = under_cursor(desk.main._table.body)
                who = world.who.get(drawn)
                asked = await act(desk, world, action, meanwhile)
                assert len(asked) <= 1
                for one in asked:
                    assert drawn is not None, f"{one} was asked with nothing under the cursor"
                    assert may_have_asked(world, one, who), f"{one} was asked for the row of {drawn}"


def one_run(run_id, pid):
    """The picture of a machine on which only that run works."""
    live = run(run_id, "dream", None, at=NOW, started_at=NOW, runner_pid=pid, runner_start=pid)
    member = msgspec.structs.replace(process(pid, 0, "python", 10, 1.0, 5.0), start_time=pid)
    tree = TreeView(owner="dream", kind="run", run_id=run_id, role=LeaseRole.HOLDER, memory=10, processes=(member,))
    return snapshot(outcomes=(live,), processes=(tree,), services=())


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_panel_that_is_entered_again_acts_on_the_row_its_cursor_shows(machine, open_console, size):
    machine.picture = one_run("a" * 12, 100)
    async with open_console(size=size) as desk:
        await desk.press("2", "1")
        await desk.see(one_run("b" * 12, 200))
        await desk.press("2")
        assert under_cursor(desk.main.processes.table) == f"run:dream:{'b' * 12}"
        await desk.press("x", "tab", "enter")
        assert machine.asked == [("stop", "b" * 12, False)]


async def test_what_vanishes_under_the_cursor_is_not_replaced_until_the_operator_moves(machine, open_console):
    machine.picture = one_run("a" * 12, 100)
    async with open_console() as desk:
        await desk.press("2")
        await desk.see(one_run("b" * 12, 200))
        await desk.press("x")
        assert desk.app.screen is desk.main
        assert "dream is gone" in desk.screen_text()
