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

_SERVICES = Path(".signoff")
JOURNAL = _SERVICES / "journal.db"  # the runner's, unless it keeps its journal in PostgreSQL
OBJECTS = _SERVICES / "objects"  # the runner's large contents, unless it keeps them elsewhere
RUNNER_ADDRESS_FILE = _SERVICES / "runner.address"  # the runner's address, while it listens
SERVICES_LOCK = _SERVICES / "services.lock"  # held by the command that started the services
SERVICES_RECORD = _SERVICES / "services.json"  # where those services listen, and what their workers offer
PLAN_FILES = _SERVICES / "files"  # for each plan id, the file that the plan came from
LOGS = _SERVICES / "logs"  # of services that a command started
