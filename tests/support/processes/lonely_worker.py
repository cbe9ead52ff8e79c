"""`python -m tests.support.processes.lonely_worker FOLDER`: a worker without a runner, to kill while its command runs.

It prints the command's standard error.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.support.work.givens import Heard
from tests.support.work.programs import STUBBORN, python
from worker_svc.commands import CommandExecutor


class Passing(Heard):
    """A report that prints the command's standard error."""

    def thinking(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(CommandExecutor(Path(sys.argv[1]))(python(STUBBORN), Passing()))
