"""The commented ``neo-console.toml`` that ``neo-console init`` writes: defaults, and examples that say they are."""

from __future__ import annotations

TEMPLATE = """\
# neo-console.toml - what is maintained here, and how. Remove the '#' of a line to use it. Every value is the default,
# but where the line says "example": there the default is nothing, or what the line tells.
# Durations are written like 30s, 10m, 1h30m or 7d, sizes like 512KiB or 10MiB. Check the file with: neo-console doctor

[lease]
# path = "../heavy-maintenance-lease.json"  # example: a file shared with other workspaces (else: in the state folder)
# ttl = "6h"                          # how long foreign scripts must respect our record without a renewal
# renew_every = "1m"                  # how often it is renewed while a run lives
# allow_network_filesystem = false    # flock may not reach other machines there

[orchestrator]
# poll_every = "3s"                   # how often due tasks are looked for
# starved_after = "1h"                # a task that waits longer makes the health degraded
# retries = 3                         # a failed run is tried again so often before its next turn
# retry_after = "1m"                  # the pause before the first retry; it doubles each time
# on_stop = "leave"                   # when the orchestrator ends, services: leave (the next one adopts them) or stop
# log_max = "5MiB"                    # its log is rotated beyond this size
# log_keep = 3                        # rotated logs that are kept
# keep_run_logs = "14d"               # logs of runs are removed that long after their last line

[memory]
# sample_every = "5s"                 # recorded by the orchestrator, else by an open console
# elevated_some = 10.0                # percent of the last 10 s in which somebody waited for memory
# critical_full = 5.0                 # percent of them in which everybody did, for critical_full_for
# critical_full_for = "10s"
# critical_available = 10.0           # percent of the memory that is available
# calm_for = "1m"                     # heavy work waits until it has been calm for so long
# wake_grace = "30s"                  # nothing is judged so soon after the machine slept
# window = "10m"                      # growth is measured since so long before an incident
# reserve = "512MiB"                  # stays free beside what a task needed in the past
# keep = "1d"                         # samples are kept for so long
# relief_settle = "15s"               # what a relief freed is measured so long after it

[console]
# refresh_every = "1s"
# theme = "neo-dark"                  # or neo-light

# The six tasks of the catalogue. backup, kbSync and primary-dev-sync are built in; the other three need a command.
[tasks.backup]
# every = "24h"                       # 0 means: never by itself
# time_limit = "1h"                   # then TERM, after grace KILL, for the whole process tree
# grace = "10s"
# window = "01:00-06:00"              # example: starts by itself only in this part of the day (local time)

[tasks.kbSync]
# every = "30m"

[tasks.primary-dev-sync]
# every = "10m"

# [tasks.summary]
# command = ["npm", "run", "ai:summarize-sessions"]  # example
# every = "10m"
# trigger_glob = ".neo-ai-data/handovers/*.md"  # example: so many files newer than the last start make it due at once
# trigger_count = 1

# [tasks.dream]
# command = ["npm", "run", "ai:run-sandman"]  # example
# every = "1h"

# A task of your own: its name has letters, digits, '-', '_' and '.', at most 64 of them, and it needs a command.
# [tasks.my-report]
# command = ["./report.sh", "--daily"]  # example
# class = "light"                     # example: runs beside the heavy ones; else heavy, which takes the machine's lease
# cron = "30 6 * * 1-5"               # example, in place of every: minute, hour, day, month, weekday (local time)
# jitter = "5m"                       # example: each start is delayed by a part of this
# trigger_file = "notes/new"          # example: due at once when this file is newer than the last start
# retries = 1                         # example; else orchestrator.retries
# retry_after = "10m"                 # example; else orchestrator.retry_after
# needs = ["chroma"]                  # example: waits until these services are up
# cwd = "."
# env = { LANG = "C.UTF-8" }          # example
# title = "writes the daily report"   # example

# Services: processes that the orchestrator keeps running. A section turns one on.
# [services.chroma]
# host = "localhost"
# port = 8000
# probe = "http"                      # GET probe_path; or tcp (a connection), exec (probe_command), none
# probe_path = "/api/v2/heartbeat"

# [services.mlx]
# model = "mlx-community/Qwen3-4B-4bit"  # example; a command of your own needs none
# port = 11435
# probe_path = "/v1/models"

# A service of your own.
# [services.my-server]
# command = ["./server.sh"]           # example
# enabled = true
# cwd = "."
# env = { LANG = "C.UTF-8" }          # example
# host = "127.0.0.1"
# port = 9000                         # example
# probe = "exec"                      # example; else tcp where there is a port, none where there is none
# probe_path = "/"
# probe_command = ["./is-it-well.sh"]  # example
# probe_every = "10s"
# probe_timeout = "2s"
# probe_failures = 3                  # so many in a row, after start_grace, and it is restarted
# start_grace = "30s"
# restart = "always"                  # or on-failure, never
# backoff = "1s"                      # the pause before a restart; it doubles up to backoff_max
# backoff_max = "1m"
# stable_after = "1m"                 # without a fault for so long, the pause begins again at backoff
# give_up_after = 10                  # starts in a row that fail, then it is fatal
# stop_signal = "TERM"                # to the whole process tree, after stop_grace KILL
# stop_grace = "10s"
# log_max = "10MiB"
# log_keep = 3
# memory_limit = "2GiB"               # example: restarted above this; else no limit
# title = "serves the reports"        # example

# A model server of this machine that can be asked to give its memory back: neo-console relief unload NAME
# [unload.my-ollama]
# url = "http://127.0.0.1:11434/api/generate"  # example
# method = "POST"
# body = '{"model": "qwen3:4b", "keep_alive": 0}'  # example
# headers = { Authorization = "Bearer abc" }  # example
# timeout = "10s"                     # for the whole call
# service = "mlx"                     # example: whose memory it frees; else whoever listens on the URL's port

[jobs.backup]
# folder = ".neo-ai-data/backups"
# include = ["notes", "settings.json"]  # example: more files and folders, databases too
# keep = 3
# max_age = "7d"

[jobs.kbSync]
# exclude = ["*.min.js", "vendor/**"]  # example
# max_file_bytes = 1048576

[jobs.primary-dev-sync]
# branch = "dev"
# remote = "origin"
# cascade = true                      # a pull that moved something starts kbSync under the same lease

[keys]
# trigger = "t"                       # rebind any action by its id; the README's key table lists them
"""
