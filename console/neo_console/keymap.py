"""Which keys do what: the registry's defaults, changed by ``[keys]`` in the configuration and checked at start."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from neo_console.actions import ACTIONS
from neo_core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESERVED = {
    "ctrl+c": "says how to quit",
    "escape": "clears the filter and ends the zoom",
    "up": "moves",
    "down": "moves",
    "left": "scrolls",
    "right": "scrolls",
    "pageup": "moves",
    "pagedown": "moves",
    "home": "moves",
    "end": "moves",
}
_NAMED = "tab|enter|space|backspace|delete|insert|f([1-9]|1[0-9]|2[0-4])"
_KEY = re.compile(rf"((ctrl|shift|alt|super)\+)*([^\s+]|\+|{_NAMED})")


class Keymap:
    """The keys of every action, after rebinding."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._keys = dict(keys)

    def keys(self, action_id: str) -> tuple[str, ...]:
        """Return the keys of an action, most important first."""
        return self._keys[action_id]

    def key(self, action_id: str) -> str:
        """Return the key to name in a sentence."""
        return self._keys[action_id][0]


def default_keymap() -> Keymap:
    """Return the keys as the registry has them."""
    return Keymap({action.id: action.keys for action in ACTIONS})


def resolve_keys(told: Mapping[str, str], path: str) -> Keymap:
    """Return the keys after applying ``[keys]``; several keys of one action are separated by blanks.

    Raises ``ConfigError`` naming the file and the key for an unknown action, something that is no key, or a clash.
    """
    keys, mistakes = _resolved(told, path)
    if mistakes:
        raise mistakes[0]
    return Keymap(keys)


def key_mistakes(told: Mapping[str, str], path: str) -> list[ConfigError]:
    """Return everything that is wrong with ``[keys]``."""
    return _resolved(told, path)[1]


def _resolved(told: Mapping[str, str], path: str) -> tuple[dict[str, tuple[str, ...]], list[ConfigError]]:
    keys = {action.id: action.keys for action in ACTIONS}
    mistakes: list[ConfigError] = []
    for action_id, value in told.items():
        place = f"{path}: keys.{action_id}"
        if action_id not in keys:
            near = difflib.get_close_matches(action_id, keys, n=1)
            mend = f"Did you mean keys.{near[0]}?" if near else f"Known here: {', '.join(keys)}."
            mistakes.append(ConfigError(place, "is not an action", mend))
            continue
        wrong = [error for key in value.split() if (error := _mistake(key, place)) is not None]
        if wrong:
            mistakes += wrong
        else:
            keys[action_id] = tuple(map(_name, value.split()))
    return keys, [*mistakes, *_clashes(keys, told, path)]


def _name(key: str) -> str:
    return key if len(key) == 1 else key.lower()


def _mistake(key: str, place: str) -> ConfigError | None:
    name = _name(key)
    if name in RESERVED:
        return ConfigError(place, f"{key!r} cannot be taken: it {RESERVED[name]}", "Choose another key.")
    if _KEY.fullmatch(name) is None:
        return ConfigError(place, f"{key!r} is not a key", 'Write it like "t", "T", "space" or "ctrl+t".')
    return None


def _clashes(keys: Mapping[str, tuple[str, ...]], told: Mapping[str, str], path: str) -> Iterator[ConfigError]:
    taken: dict[str, str] = {}
    for action_id in sorted(keys, key=lambda name: name in told):
        for key in keys[action_id]:
            other = taken.setdefault(key, action_id)
            if other != action_id:
                cause = f"{key!r} is already the key of {other}"
                yield ConfigError(f"{path}: keys.{action_id}", cause, f"Choose another key, or move keys.{other} too.")


def key_table() -> str:
    """Return the README's table of keys, in Markdown."""
    lines = ["| key | id | action |", "|---|---|---|"]
    for action in ACTIONS:
        keys = " ".join(f"`{key}`" for key in action.keys)
        changes = " *(not with `--read-only`)*" if action.needs_write else ""
        lines.append(f"| {keys} | `{action.id}` | {action.tooltip}{changes} |")
    return "\n".join(lines) + "\n"
