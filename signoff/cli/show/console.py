"""The rich console of all commands, and the second screen of a terminal: they show no text but what is visible."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from signoff.display.visible_text import visible


class VisibleConsole(Console):
    """A console that writes out what hides or steers in any text, and reads no markup and no emoji names in it.

    Texts are made visible before they are measured, so that columns stay aligned; this is for the text that was not.
    """

    def __init__(self, file: TextIO, **settings: Any) -> None:
        super().__init__(file=file, highlight=False, markup=False, emoji=False, **settings)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


class SecondScreen:
    """A terminal's second screen: each paint writes only the lines that have changed. The first one comes back."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._terminal = VisibleConsole(file)
        self._lines: list[str] = []
        self._size = (0, 0)

    @property
    def size(self) -> tuple[int, int]:
        """Returns the width and the height now."""
        return self._terminal.size.width, self._terminal.size.height

    @property
    def is_ascii(self) -> bool:
        """Tells whether the terminal cannot show more than ASCII."""
        return not (self._terminal.encoding or "").lower().startswith("utf")

    def open(self) -> None:
        self._write("\x1b[?1049h\x1b[?25l")

    def close(self) -> None:
        self._write("\x1b[?25h\x1b[?1049l")

    def paint(self, picture: RenderableType) -> None:
        """Shows a picture. Writes nothing when nothing has changed, and everything after a change of the size."""
        size = self.size
        lines = self._drawn(picture, size)[: size[1]]
        lines += [""] * (size[1] - len(lines))
        if size != self._size:
            self._size, self._lines = size, []
            self._write("\x1b[H\x1b[2J")
        # guard: a screen writes what has changed -> before = [""] * size[1]
        before = self._lines or [""] * size[1]
        changed = [number for number, line in enumerate(lines) if line != before[number]]
        self._lines = lines
        if changed:
            self._write("".join(f"\x1b[{number + 1}H{lines[number]}\x1b[0m\x1b[K" for number in changed))

    def _drawn(self, picture: RenderableType, size: tuple[int, int]) -> list[str]:
        drawn, terminal = io.StringIO(), self._terminal
        styled: Any = {"force_terminal": True, "color_system": terminal.color_system, "no_color": terminal.no_color}
        console = VisibleConsole(drawn, width=size[0], height=size[1], legacy_windows=False, **styled)
        console.print(picture)
        return drawn.getvalue().split("\n")[:-1]

    def _write(self, text: str) -> None:
        self._file.write(text)
        self._file.flush()
