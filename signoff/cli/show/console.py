"""The rich console of all commands: it styles, and shows no text but what is visible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from signoff.display.visible_text import visible


class VisibleConsole(Console):
    """A console that writes out what hides or steers in any text, and reads no markup and no emoji names in it.

    Texts are made visible before they are measured, so that columns stay aligned; this is for the text that was not.
    """

    def __init__(self, file: TextIO) -> None:
        super().__init__(file=file, highlight=False, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
