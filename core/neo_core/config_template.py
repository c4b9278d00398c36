"""The commented ``neo-console.toml`` that ``neo-console init`` writes; every line in it is a default or an example."""

from __future__ import annotations

TEMPLATE = """\
# neo-console.toml - what is maintained here, and how. Every value below is the default; remove the '#' to change it.
# Durations are written like 30s, 10m, 1h30m or 7d. Check the file with: neo-console doctor

[lease]
# ttl = "6h"                          # how long foreign scripts must respect our record without a renewal
# renew_every = "1m"                  # how often it is renewed while a run lives
# allow_network_filesystem = false    # flock may not reach other machines there

[orchestrator]
# poll_every = "3s"                   # how often due tasks are looked for

[console]
# refresh_every = "1s"
# theme = "neo-dark"                  # or neo-light

# The six tasks of the catalogue. backup, kbSync and primary-dev-sync are built in; the other three need a command.
[tasks.backup]
# every = "24h"                       # 0 means: never by itself
# time_limit = "1h"                   # then TERM, after grace KILL, for the whole process tree
# grace = "10s"
# window = "01:00-06:00"              # scheduled starts only in this part of the day (local time)

[tasks.kbSync]
# every = "30m"

[tasks.primary-dev-sync]
# every = "10m"

# [tasks.summary]
# command = ["npm", "run", "ai:summarize-sessions"]
# every = "10m"

# [tasks.dream]
# command = ["npm", "run", "ai:run-sandman"]
# every = "1h"

# A task of your own. Heavy tasks take the machine's lease, light ones run beside them.
# [tasks.my-report]
# command = ["./report.sh", "--daily"]
# class = "light"
# every = "24h"
# cwd = "."
# env = { LANG = "C.UTF-8" }
# title = "writes the daily report"

[jobs.backup]
# folder = ".neo-ai-data/backups"
# include = ["notes", "settings.json"]  # more files and folders beside the databases
# keep = 3
# max_age = "7d"

[jobs.kbSync]
# exclude = ["*.min.js", "vendor/**"]
# max_file_bytes = 1048576

[jobs.primary-dev-sync]
# branch = "dev"
# remote = "origin"
# cascade = true                      # a pull that moved something starts kbSync under the same lease

[keys]
# trigger = "t"                       # rebind any action by its id; the README's key table lists them
"""
