"""Mistakes in ``neo-console.toml``; each is one sentence with the file, the key, the cause and the mend."""

from __future__ import annotations

import os

from bad_case import FINDING, Case, Place


def toml(text: str | bytes):
    def write(place: Place) -> None:
        place.config.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def mistake(name: str, text: str | bytes, *words: str) -> Case:
    return Case(f"config-{name}", "neo-console status", ("neo-console.toml", *words), toml(text))


def kind(name: str, make, *words: str, command: str = "neo-console status") -> Case:
    return Case(f"config-{name}", command, ("neo-console.toml", "cannot be read", *words), make)


def unreadable(place: Place) -> None:
    place.config.write_text("")
    place.chmod(place.config, 0)


OWN = "[tasks.x]\ncommand = ['true']\n"

CASES = (
    mistake("not-utf8", b"# \xff\n", "not UTF-8 (byte 2)", "Save it as UTF-8"),
    mistake("not-toml", "[lease\n", "is not TOML", "line 1", "Mend that line"),
    mistake("key-twice", "[lease]\nttl = '1h'\nttl = '2h'\n", "is not TOML", "line 3"),
    mistake("nested-deeply", "a = " + "[" * 4000, "nested too deeply", "fewer brackets"),
    mistake("number-of-5000-digits", "a = " + "9" * 5000, "thousands of digits"),
    mistake("too-long", "#" * 2_000_000, "2000000 bytes long"),
    mistake("unknown-section", "[leese]\n", "leese", "not a known key", "Did you mean lease?"),
    mistake("unknown-key", "[jobs.backup]\nkeeep = 3\n", "jobs.backup.keeep", "Did you mean jobs.backup.keep?"),
    mistake("value-for-table", "tasks = 5\n", "tasks: 5 is a value where a table belongs", "[tasks]"),
    mistake("list-for-table", "[[tasks.x]]\n", "tasks.x", "where a table belongs", "[tasks.x]"),
    mistake("wrong-type", "[console]\ntheme = 5\n", "console.theme", "expected `str`, got `int`", "Mend"),
    mistake("duration-without-unit", "[lease]\nttl = 3600\n", "lease.ttl", "3600 has no unit", "30s"),
    mistake("duration-nonsense", "[lease]\nttl = 'soon'\n", "'soon' is not a duration", "1h30m"),
    mistake("duration-of-centuries", "[lease]\nttl = '9999w'\n", "lease.ttl", "longer than ten years"),
    mistake("ttl-below-renewals", "[lease]\nttl = '1m'\n", "lease.ttl", "three renewals", "Raise it"),
    mistake("poll-too-often", "[orchestrator]\npoll_every = '1ms'\n", "poll_every", "too short", "100ms or more"),
    mistake("every-below-poll", OWN + "every = '1s'\n", "tasks.x.every", "shorter than orchestrator.poll_every", "0"),
    mistake("no-time-limit", OWN + "time_limit = '0'\n", "tasks.x.time_limit", "too short", "1s or more"),
    mistake("window-nonsense", OWN + "window = 'night'\n", "tasks.x.window", "'night'", "22:00-06:30"),
    mistake("window-never-open", OWN + "window = '06:00-06:00'\n", "tasks.x.window", "never open", "different ends"),
    mistake("command-empty", "[tasks.x]\ncommand = []\n", "tasks.x.command", "names no program", "npm"),
    mistake("command-as-text", "[tasks.x]\ncommand = 'a b'\n", "tasks.x.command", "expected `array", "Write it like"),
    mistake("command-missing", "[tasks.x]\n", "tasks.x.command", "heavy task x has no command", "command ="),
    mistake("dream-without-command", "[tasks.dream]\nevery = '2h'\n", "tasks.dream.command", "no command", "command ="),
    mistake("class-unknown", OWN + "class = 'huge'\n", "tasks.x.class", "'huge'", 'Write "heavy" or "light"'),
    mistake("cwd-with-nul", OWN + 'cwd = "a\\u0000"\n', "tasks.x.cwd", "names no folder", "leave it out"),
    mistake("variable-name", OWN + "env = { 'A=B' = 'c' }\n", "tasks.x.env", "'A=B'", "Rename it"),
    mistake("task-name", "[tasks.'a/b']\n", "tasks.a/b", "is not a task name", "letters, digits"),
    mistake("keep-no-backup", "[jobs.backup]\nkeep = 0\n", "jobs.backup.keep", "less than one backup", "1 or more"),
    mistake("no-branch", "[jobs.primary-dev-sync]\nbranch = ''\n", "branch", "names nothing", "leave it out"),
    kind("folder", lambda place: place.config.mkdir(), "not a regular file", "Make it a file that you can read"),
    kind("fifo", lambda place: os.mkfifo(place.config), "not a regular file", "Make it a file"),
    kind(
        "device", lambda place: place.config.symlink_to("/dev/zero"), "not a regular file", command="neo-console run x"
    ),
    kind("link-loop", lambda place: place.config.symlink_to(place.config.name), "symbolic links"),
    kind("for-nobody", unreadable, "permission denied", "Make it a file that you can read"),
    Case(
        "key-of-no-action",
        "neo-console doctor",
        ("keys.triger", "is not an action", "Did you mean keys.trigger?"),
        toml("[keys]\ntriger = 't'\n"),
        said=FINDING,
    ),
    Case(
        "key-taken",
        "neo-console doctor",
        ("keys.trigger", "'q' is already the key of quit", "Choose another key"),
        toml("[keys]\ntrigger = 'q'\n"),
        said=FINDING,
    ),
    Case("init-twice", "neo-console init", ("neo-console.toml", "exists already", "Edit it"), toml("# mine\n")),
)
