"""What a scenario found: counts that must be zero, figures, and a few examples in words."""

from __future__ import annotations

BROKEN = ("double_holds", "permanent_blocks", "leftovers", "losses", "errors")
EXAMPLES = 6


class Report:
    """Counts of one scenario, or of one arena's share of it."""

    def __init__(self, name, engine="neo_core"):
        self.name = name
        self.engine = engine
        self.rounds = 0
        self.contenders = []
        self.winners = 0
        self.counts = dict.fromkeys(BROKEN, 0)
        self.examples = []
        self.cells = {}
        self.figures = {}
        self.notes = []
        self.seconds = 0.0

    @property
    def violations(self):
        return sum(self.counts.values())

    def broken(self, kind, text, *, times=1):
        """Count a broken invariant; the first few are kept in words."""
        self.counts[kind] += times
        first = "double_hold" if kind == "double_holds" else "violation"
        self.figures.setdefault(f"first_{first}_in_round", self.rounds)
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind} in round {self.rounds}: {text}")

    def cell(self, name, **counts):
        """Add to the figures of one cell of the scenario's matrix."""
        cell = self.cells.setdefault(name, {"rounds": 0, "double_holds": 0, "winners": 0})
        for key, value in counts.items():
            cell[key] = cell.get(key, 0) + value

    def figure(self, name, value, how=max):
        """Keep the worst (or the sum, ...) of a measured figure."""
        self.figures[name] = how((self.figures[name], value)) if name in self.figures else value

    def merge(self, other):
        """Add another arena's share, given as ``to_share`` made it."""
        self.rounds += other["rounds"]
        self.winners += other["winners"]
        self.contenders = sorted({*self.contenders, *other["contenders"]})
        for kind, count in other["counts"].items():
            self.counts[kind] += count
        self.examples = (self.examples + other["examples"])[:EXAMPLES]
        self.notes += [note for note in other["notes"] if note not in self.notes]
        for name, counts in other["cells"].items():
            self.cell(name, **counts)
        for name, value in other["figures"].items():
            self.figure(name, value, max if name.startswith(("max", "first")) else sum)

    def to_share(self):
        names = ("rounds", "winners", "contenders", "counts", "examples", "cells", "figures", "notes")
        return {name: getattr(self, name) for name in names}

    def to_json(self):
        """Return the object that the command prints."""
        rates = {
            name: {**cell, "rate": round(cell["double_holds"] / cell["rounds"], 5) if cell["rounds"] else None}
            for name, cell in sorted(self.cells.items())
        }
        told = {
            "name": self.name,
            "engine": self.engine,
            "rounds": self.rounds,
            "contenders": self.contenders,
            **self.counts,
            "winners": self.winners,
            "rates": rates,
            "seconds": round(self.seconds, 1),
        }
        extra = {"figures": self.figures, "notes": self.notes, "examples": self.examples}
        return told | {name: value for name, value in extra.items() if value}
