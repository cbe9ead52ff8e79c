"""A command's output: a terminal gets colour, a pipe gets plain lines, `--json` gets one object a line.

Answers go to standard output, notes about them to standard error. Everything that a command prints passes here, and
nothing passes that hides or steers: signoff.display.visible_text says what that is. Only the bytes of an artifact, a
candidate or a document stay as they are, when they go to a pipe or a file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TextIO

from signoff.display.visible_text import one_line, visible, visible_json

if TYPE_CHECKING:
    from signoff.cli.show.console import SecondScreen, VisibleConsole

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

    @property
    def is_terminal(self) -> bool:
        """Tells whether answers go to a terminal, whatever it can draw."""
        return self.out.isatty()

    @property
    def has_reader(self) -> bool:
        """Tells whether a person sees what goes to standard error."""
        return self.err.isatty()

    @property
    def on_stderr(self) -> Self:
        """The same output with standard error in the place of standard output."""
        return type(self)(json=self.json, out=self.err, err=self.err)

    def console(self) -> VisibleConsole:
        """Returns a console for what is drawn or coloured."""
        from signoff.cli.show.console import VisibleConsole

        return VisibleConsole(self.out)

    def second_screen(self) -> SecondScreen:
        """Returns the terminal's second screen, for what is drawn again and again."""
        from signoff.cli.show.console import SecondScreen

        return SecondScreen(self.out)

    # ------------------------------------------------------------ answers

    def line(self, text: str, *, indent: int = 0) -> None:
        self._put(self.out, f"{' ' * indent}{one_line(text)}\n")

    def record(self, fields: dict[str, Any]) -> None:
        """Writes one JSON object on a line of its own."""
        self._put(self.out, visible_json(json.dumps(fields, ensure_ascii=False, separators=(",", ":"))) + "\n")

    def content(self, content: bytes) -> None:
        """Writes bytes as they are to a pipe or a file. A terminal gets a visible text, and a newline at its end."""
        # guard: a terminal gets no raw bytes -> if True:
        if not self.out.isatty():
            self._put_bytes(content)
            return
        text = visible(content.decode(errors="replace"))
        self._put(self.out, text if text.endswith("\n") else text + "\n")

    def document(self, content: bytes) -> None:
        """Writes a JSON document as it is to a pipe or a file. A terminal gets one that means the same."""
        if self.out.isatty():
            self._put(self.out, visible_json(content.decode(errors="replace")))
        else:
            self._put_bytes(content)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Writes a table: ruled and coloured on a terminal, aligned columns in a pipe."""
        titles, *cleaned = [[one_line(cell) for cell in row] for row in (headings, *rows)]
        if self.is_screen:
            self._ruled(titles, cleaned)
        else:
            self._put(self.out, aligned(titles, cleaned))

    # ------------------------------------------------------------ notes

    def note(self, text: str) -> None:
        """Writes something to know that is not the answer to standard error; it may have several lines."""
        for line in text.splitlines():
            self._put(self.err, f"signoff: {one_line(line)}\n")

    def aside(self, text: str) -> None:
        """Writes a line to standard error as it is, with its spaces: a part of a text that a person is to see."""
        self._put(self.err, visible(text) + "\n")

    def question(self, text: str) -> None:
        """Writes a question to standard error, and leaves the cursor behind it."""
        self._put(self.err, f"{one_line(text)}? [y/N] ")

    # ------------------------------------------------------------ how

    def _put(self, file: TextIO, text: str) -> None:
        file.write(text)
        file.flush()

    def _put_bytes(self, content: bytes) -> None:
        self.out.flush()  # what was said before comes before
        buffer = getattr(self.out, "buffer", None)
        if buffer is None:  # a stream of text alone, as under a test
            self._put(self.out, content.decode(errors="replace"))
        else:
            buffer.write(content)
            buffer.flush()

    def _ruled(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        console = self.console()
        apart = 2 if _width(headings, rows, apart=2) <= console.width else 1
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, apart - 1, 0, 0))
        for heading in headings:
            table.add_column(Text(heading), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
        console.print(table)


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
