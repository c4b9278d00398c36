"""Model: hypothesis plays real processes against what the protocol promises (I1 to I7)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from neo_core.lease.inherit import inherited_lease
from neo_core.lease.record import decode
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN
from neo_core.processes.source import system_source

from . import scenes
from .arena import Few, Skewed, spread
from .checker import leftovers
from .orphans import _adopt_orphans as adopt_orphans

ACTORS = st.integers(0, 3)
SKEWS = st.sampled_from([0.0, 3600.0, -3600.0, 86_400.0, -86_400.0])
STEPS = 30
AT_A_TIME = 10  # examples between two looks at the clock
played = {"rules": 0, "acquired": 0, "refused": 0}


def run(options):
    return spread("model", play, options, jobs=2)


def play(arena):
    """Each round is one example of up to ``STEPS`` rules."""
    adopt_orphans()
    arena.report.notes.append(f"a round is one example of up to {STEPS} rules")
    while arena.goes_on() and not arena.report.violations:
        count = min(AT_A_TIME, arena.rounds - arena.report.rounds)
        arena.report.rounds += count
        told = settings(
            max_examples=count,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        machine = seeded(arena.random.randrange(2**32))(Machine)
        try:
            run_state_machine_as_test(machine, settings=told)
        except AssertionError as error:
            kind = "double_holds" if "I1" in str(error) else "losses" if "I3" in str(error) else "errors"
            arena.report.broken(kind, " / ".join(str(error).splitlines()[:3]))
    arena.report.winners = played["acquired"]
    for name, count in played.items():
        arena.report.figures[name] = count


class Actor:
    """A participant in a process of its own, forked from here, that does one thing at a time."""

    def __init__(self, path):
        hear, self._told = os.pipe()
        self._say, answer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _act(path, hear, answer)
            finally:
                os._exit(1)
        os.close(hear)
        os.close(answer)

    def ask(self, do, **options):
        os.write(self._told, json.dumps({"do": do, **options}).encode())
        return json.loads(os.read(self._say, 65_536) or b'"it died"')

    def end(self):
        _end(self.pid)
        os.close(self._told)
        os.close(self._say)


def _end(pid):
    """Kill it and wait for that; a child of a living actor is that one's to collect."""
    os.kill(pid, signal.SIGKILL)
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        while system_source().start_time(pid) is not None:
            time.sleep(0.0002)


def _act(path, hear, answer):
    hold = None
    clock = Skewed()
    while line := os.read(hear, 4096):
        order = json.loads(line)
        clock.skew = order.get("skew", clock.skew)
        store = LeaseStore(path, source=Few(order.get("pids", [])), clock=clock)
        if order["do"] == "acquire":
            got = store.acquire("model", "torture", ttl=order["ttl"])
            hold = got.hold or hold
            told = {"held": got.hold is not None, "status": str(got.status), "detail": got.detail}
            told["token"] = got.hold.lease.token if got.hold else None
        elif order["do"] == "fork":
            told = _fork(hold, order["descriptor"])
        elif order["do"] == "reclaim":
            told = str(store.reclaim().status)
        elif order["do"] == "borrow":
            told = inherited_lease(store, {INHERITED_TOKEN: order["token"]}) is not None
        else:
            told = str(getattr(hold, order["do"])()) if hold else "never held"
        os.write(answer, json.dumps(told).encode())


def _fork(hold, descriptor):
    """Start a child that keeps the lock alive, or one that has given everything away."""
    pid = os.fork()
    if pid == 0:
        if hold and not descriptor and hold.descriptor >= 0:
            os.close(hold.descriptor)
        time.sleep(120)
        os._exit(0)
    return pid


class Machine(RuleBasedStateMachine):
    """What must be: one holder or none, and who keeps the lock when it is gone."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="torture-model-")
        self.path = f"{self.folder}/heavy-maintenance-lease.json"
        self.actors = [Actor(self.path) for _ in range(4)]
        self.holder = None  # the actor that holds
        self.token = None  # of the last acquisition
        self.keepers = []  # children of the holder that share its descriptor
        self.others = []  # children that do not
        self.record = "missing"  # or: ours, dead, malformed, foreign

    def pids(self):
        return [*(actor.pid for actor in self.actors), *self.keepers, *self.others]

    def ask(self, number, do, **options):
        played["rules"] += 1
        return self.actors[number].ask(do, pids=self.pids(), **options)

    def locked(self):
        return self.holder is not None or bool(self.keepers)

    @rule(who=ACTORS, skew=SKEWS, ttl=st.sampled_from([0.001, 21_600.0]))
    def acquire(self, who, skew, ttl):
        got = self.ask(who, "acquire", skew=skew, ttl=ttl)
        free = not self.locked() and self.record != "foreign"
        assert got["held"] <= free, f"I1: {who} took it beside {self.holder} and {self.keepers}"
        assert got["held"] == free, f"I2: free ({self.record}), but {got}"
        played["acquired" if got["held"] else "refused"] += 1
        if not got["held"]:
            assert got["detail"], "I5: refused without a reason"
            return
        after = {"missing": "acquired", "malformed": "acquired-after-malformed"}
        assert got["status"] == after.get(self.record, "acquired-after-stale")
        self.holder, self.token, self.record = who, got["token"], "ours"

    @rule(who=ACTORS, skew=SKEWS)
    def renew(self, who, skew):
        told = self.ask(who, "renew", skew=skew)
        if who == self.holder:
            expected = {"ours": "renewed", "missing": "retaken", "malformed": "missing", "foreign": "not-owner"}
            assert told == expected[self.record], f"I7: the holder's renewal ended as {told}"
            self.record = "ours" if told == "retaken" else self.record
        else:
            assert told != "renewed", f"I3: {who} renewed the lease of {self.holder}"

    @rule(who=ACTORS, skew=SKEWS)
    def release(self, who, skew):
        told = self.ask(who, "release", skew=skew)
        if who != self.holder:
            assert told != "released", f"I3: {who} released the lease of {self.holder}"
            return
        assert (told == "released") == (self.record == "ours"), f"I3: the release ended as {told}"
        self.record = "missing" if self.record == "ours" else self.record
        self.holder = None
        self.others, self.keepers = self.others + self.keepers, []

    @rule(who=ACTORS, skew=SKEWS)
    def reclaim(self, who, skew):
        self.ask(who, "reclaim", skew=skew)
        if not self.locked() and self.record in ("dead", "malformed"):
            assert not os.path.exists(self.path), "I2: a dead record was not reclaimed"
            self.record = "missing"

    @rule(who=ACTORS, right=st.booleans(), skew=SKEWS)
    def borrow(self, who, right, skew):
        told = self.ask(who, "borrow", token=self.token if right and self.token else "another", skew=skew)
        lends = right and self.holder is not None and self.record == "ours"
        assert told == lends, f"borrowed {told}, lends {lends}"

    @precondition(lambda self: self.holder is not None and len(self.keepers) < 3)
    @rule(descriptor=st.booleans())
    def fork(self, descriptor):
        (self.keepers if descriptor else self.others).append(self.ask(self.holder, "fork", descriptor=descriptor))

    @rule(who=ACTORS)
    def kill(self, who):
        self.actors[who].end()
        self.actors[who] = Actor(self.path)
        if who == self.holder:
            self.holder = None
            self.record = "dead" if self.record == "ours" else self.record

    @precondition(lambda self: self.keepers)
    @rule()
    def kill_a_keeper(self):
        _end(self.keepers.pop())

    @precondition(lambda self: self.record != "foreign")
    @rule(content=st.sampled_from([b"", b"{", b"[]", None]))
    def damage(self, content):
        """Somebody removes the record or writes over it; the kernel lock still tells who holds."""
        if content is None:
            if os.path.exists(self.path):
                os.unlink(self.path)
            self.record = "missing"
        else:
            # By none of the clocks that are played with is it fresh enough to be somebody's unfinished writing.
            scenes.put(self.path, content, age=1_000.0)
            self.record = "malformed"

    @precondition(lambda self: self.record == "missing" and self.holder is None)
    @rule()
    def a_foreign_script_takes_it(self):
        # Its deadline is beyond every clock that is played with: a foreign deadline is a contract with the wall clock.
        scenes.put(self.path, scenes.foreign(os.getpid(), ttl=7 * 86_400.0))
        self.record = "foreign"

    @precondition(lambda self: self.record == "foreign")
    @rule()
    def the_foreign_script_leaves(self):
        os.unlink(self.path)
        self.record = "missing"

    @invariant()
    def the_record_is_whole_and_alone(self):
        extra = leftovers(self.path)
        assert not extra, f"left beside the record: {extra}"
        found = None
        if os.path.exists(self.path):
            with open(self.path, "rb") as file:
                found = decode(file.read())
        if self.record in ("ours", "dead"):
            assert found, "I4: the record cannot be read"
            assert found.token == self.token, "I3: the record is not the last holder's"
        elif self.record == "foreign":
            assert found, "I3: a living foreign record was removed"
            assert found.owner == "kbSync", "I3: a living foreign record was replaced"

    def teardown(self):
        for actor in self.actors:
            actor.end()
        for pid in self.keepers + self.others:
            _end(pid)
        shutil.rmtree(self.folder, ignore_errors=True)
