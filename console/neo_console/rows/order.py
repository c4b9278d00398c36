"""The order of a table's rows: its own, or by the values of one column; what is unknown comes last either way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_console.rows.model import Column, Row

UP, DOWN = "▲", "▼"


class Order(NamedTuple):
    """The key of the column that rows are sorted by, empty for the table's own order; ``falling`` is largest first."""

    column: str = ""
    falling: bool = False

    @property
    def mark(self) -> str:
        """What stands in the header beside the column's name."""
        return (DOWN if self.falling else UP) if self.column else ""

    def reversed(self) -> Order:
        """Return the opposite order; the table's own has none."""
        return self._replace(falling=not self.falling) if self.column else self


OWN = Order()


def next_order(order: Order, columns: Sequence[Column]) -> Order:
    """Return the next stop: the first column after the table's own order, and its own again after the last column."""
    keys = [column.key for column in columns]
    at = keys.index(order.column) + 1 if order.column in keys else 0
    return Order(columns[at].key, columns[at].falling) if at < len(keys) else OWN


def arranged(rows: Sequence[Row], order: Order, columns: Sequence[Column]) -> list[Row]:
    """Return the rows in that order: children below their parent, unknown values last, closing rows at the end."""
    index = next((place for place, column in enumerate(columns) if column.key == order.column), None)
    closing = [row for row in rows if row.closing]
    rest = [row for row in rows if not row.closing]
    if index is None:
        return [*rest, *closing]
    here = {row.key for row in rest}
    below: dict[str, list[Row]] = {}
    for row in rest:
        below.setdefault(row.under if row.under in here and row.under != row.key else "", []).append(row)
    found: list[Row] = []
    waiting = _sorted(below.get("", ()), index, falling=order.falling)[::-1]
    while waiting:
        row = waiting.pop()
        found.append(row)
        waiting.extend(_sorted(below.get(row.key, ()), index, falling=order.falling)[::-1])
    return [*found, *closing]


def _sorted(rows: Iterable[Row], index: int, *, falling: bool) -> list[Row]:
    known: list[tuple[tuple[bool, float, str], Row]] = []
    unknown: list[Row] = []
    for row in rows:
        value = row.values[index] if index < len(row.values) else None
        if value is None:
            unknown.append(row)
        elif isinstance(value, str):
            known.append(((True, 0.0, value.casefold()), row))
        else:
            known.append(((False, value, ""), row))
    known.sort(key=lambda pair: pair[0], reverse=falling)
    return [*(row for _, row in known), *unknown]
