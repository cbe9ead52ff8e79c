"""Outputs of the command line that a test can read."""

from __future__ import annotations

import io
import json
from typing import Any

from signoff.cli.show.output import CommandOutput


class Terminal(io.StringIO):
    """A text stream that passes for a terminal."""

    def isatty(self) -> bool:
        return True


def piped(*, as_json: bool = False) -> CommandOutput:
    return CommandOutput(json=as_json, out=io.StringIO(), err=io.StringIO())


def lines_of(output: CommandOutput) -> list[str]:
    assert isinstance(output.out, io.StringIO)
    return output.out.getvalue().splitlines()


def notes_of(output: CommandOutput) -> list[str]:
    assert isinstance(output.err, io.StringIO)
    return output.err.getvalue().splitlines()


def records_of(output: CommandOutput) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines_of(output)]
