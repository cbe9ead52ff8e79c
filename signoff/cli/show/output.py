"""A command's output: a terminal gets colour, a pipe gets plain lines, `--json` gets one object a line.

Answers go to standard output, notes about them to standard error.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from signoff.errors import ConfigurationError
from signoff.files.writing import NotAFile, write_atomically

# Control characters and direction overrides: text of plans and models must not steer the reader's terminal.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

STYLES = {
    "undone": "dim",
    "doing": "cyan",
    "validating": "yellow",
    "done": "green",
    "execution-failed": "red",
    "validation-failed": "magenta",
    "running": "cyan",
    "paused": "yellow",
    "stopped": "yellow",
    "succeeded": "green",
    "failed": "red",
    "quarantined": "red",
    "error": "red",
    "warning": "yellow",
}


def one_line(text: str) -> str:
    """Returns a text that is safe to show and stays on its line."""
    return _UNPRINTABLE.sub(" ", text).strip()


def visible(text: str) -> str:
    """Returns a text of several lines that is safe to show: control characters are written out, such as \\x1b."""
    return _UNPRINTABLE.sub(lambda found: "".join(map(_written_out, found[0])), text)


def _written_out(character: str) -> str:
    return character if character in "\n\t" else ascii(character)[1:-1]


@dataclass(slots=True)
class CommandOutput:
    """The output of one command, in the form its user asked for."""

    json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    @property
    def is_screen(self) -> bool:
        """Tells whether the output is a terminal that can be drawn on."""
        return not self.json and self.out.isatty() and os.environ.get("TERM", "") not in ("", "dumb")

    def line(self, text: str) -> None:
        self.out.write(one_line(text) + "\n")
        self.out.flush()

    def record(self, fields: dict[str, Any]) -> None:
        """Writes one JSON object on a line of its own."""
        self.out.write(json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """Writes something to know that is not the answer to standard error; it may have several lines."""
        for line in text.splitlines():
            self.err.write(f"signoff: {one_line(line)}\n")
        self.err.flush()

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Writes a table: ruled and coloured on a terminal, aligned columns in a pipe."""
        cleaned = [[one_line(cell) for cell in row] for row in rows]
        if self.is_screen:
            self._ruled(headings, cleaned)
        else:
            self.out.write(aligned(headings, cleaned))
            self.out.flush()

    def _ruled(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self.out, highlight=False)
        apart = 2 if _width(headings, rows, apart=2) <= console.width else 1
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, apart - 1, 0, 0))
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        console.print(table)


def write_file(file: Path, content: bytes) -> None:
    """Writes to a file, a pipe or a device that a person named. Raises ConfigurationError."""
    try:
        write_atomically(file, content, wait=True)
    except NotAFile as error:
        raise ConfigurationError(str(error)) from None
    except BrokenPipeError:
        raise ConfigurationError(f"expected {file} to be read to its end, but its reader has gone") from None
    except OSError as error:
        raise ConfigurationError(f"expected a file that can be written, but got {error}") from None


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns columns two spaces apart, by the width a terminal gives each character: a Chinese one takes two cells."""
    from rich.cells import set_cell_size

    widths = _widths(headings, rows)
    return "".join(
        "  ".join(set_cell_size(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in ([heading.upper() for heading in headings], *rows)
    )


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [max(cell_len(line[column]) for line in (headings, *rows)) for column in range(len(headings))]


def _width(headings: Sequence[str], rows: Sequence[Sequence[str]], *, apart: int) -> int:
    return sum(_widths(headings, rows)) + apart * len(headings)
