"""Names in a data directory: the files of each plan, and the folder `.signoff` for everything else.

db/<plan id>/plan.json              the plan, as the planner received it
db/<plan id>/execution.json         the compiled plan
db/<plan id>/<task id>/output.json  the artifact of a signed-off task
db/<plan id>/<task id>/files/       its files, when it has several
db/.signoff/                        the journal, addresses, locks and logs; no plan id begins with a dot
"""

from __future__ import annotations

from pathlib import Path

PLAN_JSON = "plan.json"
EXECUTION_JSON = "execution.json"
OUTPUT_JSON = "output.json"
OUTPUT_FILES = "files"  # a folder beside it

SERVICES = Path(".signoff")
JOURNAL = SERVICES / "journal.db"  # the runner's, unless it keeps its journal in PostgreSQL
OBJECTS = SERVICES / "objects"  # the runner's large contents, unless it keeps them elsewhere
RUNNER_ADDRESS_FILE = SERVICES / "runner.address"  # the runner's address, while it listens
SERVICES_LOCK = SERVICES / "services.lock"  # held by the command that started the services
SERVICES_RECORD = SERVICES / "services.json"  # where those services listen, and what their workers offer
PLAN_FILES = SERVICES / "files"  # for each plan id, the file that the plan came from
LOGS = SERVICES / "logs"  # of services that a command started
