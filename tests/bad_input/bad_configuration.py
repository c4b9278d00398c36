"""Mistakes in ``neo-console.toml``; each is one sentence with the file, the key, the cause and the mend."""

from __future__ import annotations

import os

from bad_case import FINDING, Case, Place


def toml(text: str | bytes):
    def write(place: Place) -> None:
        place.config.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


def mistake(name: str, text: str | bytes, *words: str, file: str = "neo-console.toml") -> Case:
    return Case(f"config-{name}", "neo-console status", (file, *words), toml(text), called=True)


def kind(name: str, make, *words: str, command: str = "neo-console status") -> Case:
    return Case(f"config-{name}", command, ("neo-console.toml", "cannot be read", *words), make)


def unreadable(place: Place) -> None:
    place.config.write_text("")
    place.chmod(place.config, 0)


SERVICE = "[services.y]\ncommand = ['true']\n"
LEESE = toml("[leese]\n")
SERVER = "[unload.m]\nurl = 'http://127.0.0.1:9/'\n"
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
    mistake("cron-nonsense", OWN + "cron = 'daily'\n", "tasks.x.cron", "'daily'", "five fields", "30 2 * * *"),
    mistake("cron-out-of-range", OWN + "cron = '61 * * * *'\n", "tasks.x.cron", "no cron expression", "five fields"),
    mistake("cron-and-every", OWN + "cron = '0 3 * * *'\nevery = '1h'\n", "tasks.x.every is set too", "Keep one"),
    mistake("jitter-too-long", OWN + "every = '1h'\njitter = '1h'\n", "tasks.x.jitter", "not shorter", "Lower it"),
    mistake("trigger-of-nothing", OWN + "trigger_file = ' '\n", "tasks.x.trigger_file", "names nothing"),
    mistake("trigger-count", OWN + "trigger_count = 0\n", "tasks.x.trigger_count", "no file would be enough"),
    mistake("retries-negative", OWN + "retries = -1\n", "tasks.x.retries", "-1 is negative", "0 or more"),
    mistake("retry-at-once", OWN + "retry_after = '1s'\n", "tasks.x.retry_after", "too short", "3s or more"),
    mistake("needs-unknown", SERVICE + OWN + "needs = ['z']\n", "tasks.x.needs", "'z' is not a service", "Known: y"),
    mistake("needs-without-services", OWN + "needs = ['z']\n", "tasks.x.needs", "[services.NAME]"),
    mistake("needs-disabled", SERVICE + "enabled = false\n" + OWN + "needs = ['y']\n", "tasks.x.needs", "enabled here"),
    mistake("service-name", "[services.'a/b']\n", "services.a/b", "is not a service name", "letters, digits"),
    mistake("service-without-command", "[services.y]\n", "services.y.command", "has no command", "Set it"),
    mistake("service-unknown-key", SERVICE + "prot = 1\n", "services.y.prot", "not a known key", "services.y.port"),
    mistake("service-port", SERVICE + "port = 70000\n", "services.y.port", "70000 is not a port", "65535"),
    mistake("service-probe-unknown", SERVICE + "probe = 'ping'\n", "services.y.probe", "'ping'", '"tcp"'),
    mistake("service-probe-without-port", SERVICE + "probe = 'tcp'\n", "services.y.port", "has no port", "another"),
    mistake("service-probe-path", SERVICE + "port = 1\nprobe_path = 'x'\n", "probe_path", "not a path of a URL"),
    mistake("service-exec-without-command", SERVICE + "probe = 'exec'\n", "services.y.probe_command", "is missing"),
    mistake("service-restart-unknown", SERVICE + "restart = 'maybe'\n", "services.y.restart", '"on-failure"'),
    mistake("service-signal-unknown", SERVICE + "stop_signal = 'BOO'\n", "services.y.stop_signal", '"TERM"'),
    mistake("service-backoff", SERVICE + "backoff = '2m'\nbackoff_max = '1m'\n", "services.y.backoff_max", "Raise it"),
    mistake("service-never-probed", SERVICE + "probe_every = '0'\n", "services.y.probe_every", "too short"),
    mistake("service-gives-up-at-once", SERVICE + "give_up_after = 0\n", "services.y.give_up_after", "less than one"),
    mistake("service-variable", SERVICE + "env = { NEO_CONSOLE_SERVICE_ID = 'x' }\n", "services.y.env", "Leave it out"),
    mistake("size-without-unit", SERVICE + "memory_limit = 5\n", "memory_limit", "5 has no unit", "10MiB"),
    mistake("size-nonsense", SERVICE + "log_max = 'much'\n", "services.y.log_max", "'much' is not a size", "1.5GiB"),
    mistake("log-too-small", "[orchestrator]\nlog_max = '1KiB'\n", "orchestrator.log_max", "too little", "64KiB"),
    mistake("starved-at-once", "[orchestrator]\nstarved_after = '1s'\n", "starved_after", "too short", "3s or more"),
    mistake("on-stop-unknown", "[orchestrator]\non_stop = 'kill'\n", "orchestrator.on_stop", '"leave" or "stop"'),
    mistake("memory-too-often", '[memory]\nsample_every = "10ms"\n', "memory.sample_every", "too short", "1s or more"),
    mistake("memory-blind-window", '[memory]\nwindow = "8s"\n', "memory.window", "too short", "10s or more"),
    mistake("memory-no-percentage", "[memory]\nelevated_some = 100\n", "memory.elevated_some", "no percentage"),
    mistake("memory-size-without-unit", "[memory]\nreserve = 5\n", "memory.reserve", "no unit", "10MiB"),
    mistake("relief-at-once", '[memory]\nrelief_settle = "0"\n', "memory.relief_settle", "too short", "100ms or more"),
    mistake("unload-name", "[unload.'a/b']\n", "unload.a/b", "is not a model server's name", "letters, digits"),
    mistake("unload-without-url", "[unload.m]\n", "unload.m.url", "is missing", "http://127.0.0.1:11434"),
    mistake("unload-url", "[unload.m]\nurl = 'ftp://localhost/'\n", "unload.m.url", "no http or https URL", "Write it"),
    mistake("unload-port", "[unload.m]\nurl = 'http://[::1]:x/'\n", "unload.m.url", "is no URL", "Write it like"),
    mistake(
        "unload-elsewhere", "[unload.m]\nurl = 'http://10.0.0.7/'\n", "'10.0.0.7' is not this machine", "localhost"
    ),
    mistake("unload-user", "[unload.m]\nurl = 'http://a:b@[::1]/'\n", "carries a user's name", "Authorization"),
    mistake("unload-method", SERVER + "method = 'post'\n", "unload.m.method", "'post'", 'Write "POST"'),
    mistake("unload-header", SERVER + "headers = { 'A b' = 'c' }\n", "unload.m.headers", "'A b' is no header"),
    mistake("unload-own-header", SERVER + "headers = { Host = 'c' }\n", "Host is set by the call itself", "Leave"),
    mistake("unload-no-time", SERVER + "timeout = '0'\n", "unload.m.timeout", "too short", "100ms or more"),
    mistake("unload-service", SERVER + "service = 'z'\n", "unload.m.service", "'z' is not a service", "leave it out"),
    mistake("lease-of-nothing", "[lease]\npath = ' '\n", "lease.path", "names nothing", "leave it out"),
    mistake("lease-of-no-home", "[lease]\npath = '~nobody-here/x'\n", "lease.path", "home folder", file=""),
    mistake("lease-and-not-toml", "[lease]\npath = \n", "is not TOML", "Mend that line"),
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
    *(
        Case(f"config-refused-by-{command.replace(' ', '-')}", f"neo-console {command}", ("leese", "known key"), LEESE)
        for command in (
            "run backup",
            "run backup --detach",
            "orchestrator start",
        )
    ),
    Case("config-seen-in-status", "neo-console status", ("UNHEALTHY",), LEESE, said=r"^health     "),
    Case("config-checked", "neo-console status --check", ("UNHEALTHY",), LEESE, 3, said=r"^health     "),
    Case("init-twice", "neo-console init", ("neo-console.toml", "exists already", "Edit it"), toml("# mine\n")),
)
