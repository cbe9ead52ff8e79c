"""A process that gives one `signoff` command after the other: its start takes longer than most commands do.

It reads a list of command lines as JSON, and writes a list of exit codes and outputs. Each command goes through `main`,
as on the command line, with streams of its own that are no terminal.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence

from signoff.cli.app import main


def result_of(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Gives a command. Returns its exit code, its standard output and its standard error."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code = 0
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return code, out, err


if __name__ == "__main__":
    json.dump([result_of(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
