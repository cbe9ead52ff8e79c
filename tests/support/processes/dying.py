"""A service that kills itself in its first starts, before it listens: `python dying.py TALLY TIMES …`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    tally, times = Path(sys.argv[1]), int(sys.argv[2])
    starts = len(tally.read_text()) if tally.exists() else 0
    tally.write_text("|" * (starts + 1))
    if starts < times:
        os.kill(os.getpid(), signal.SIGKILL)
    Path(sys.argv[sys.argv.index("--address-file") + 1]).write_text("127.0.0.1:1")
    sys.stdin.read()


main()
