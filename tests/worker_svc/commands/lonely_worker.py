"""`python -m tests.worker_svc.commands.lonely_worker FOLDER`: a worker to kill while its command runs.

Prints what the command says on standard error.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.worker_svc.commands.programs import STUBBORN, python
from tests.worker_svc.givens import Heard
from worker_svc.commands import CommandExecutor


class Passing(Heard):
    """Passes what it hears on."""

    def thinking(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(CommandExecutor(Path(sys.argv[1]))(python(STUBBORN), Passing()))
