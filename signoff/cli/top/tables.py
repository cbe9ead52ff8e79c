"""A list of any length on a terminal: only the lines that are on the screen are made and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

LineOf = Callable[[str, int], Text]  # the line of a key, at a width


class VirtualList(ScrollView, can_focus=True):
    """Lines by key. The cursor stays on its key when the order changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "a page up", show=False),
        Binding("pagedown", "page(1)", "a page down", show=False),
        Binding("home,g", "jump(0)", "first", show=False),
        Binding("end,G", "jump(-1)", "last", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another key."""

    def __init__(self, line_of: LineOf, *, id: str) -> None:  # noqa: A002 - textual's name
        super().__init__(id=id)
        self._line_of = line_of
        self.keys: Sequence[str] = ()
        self.cursor = 0
        self._drawn: dict[int, Strip] = {}  # by line of the screen

    @property
    def selected(self) -> str:
        """The key under the cursor; empty without lines."""
        return self.keys[self.cursor] if self.keys else ""

    def show_keys(self, keys: Sequence[str]) -> None:
        """Shows these lines. A cursor that a person has not moved stays at the top."""
        before = self.selected
        self.keys = keys
        if self.cursor and before in keys:
            self.cursor = keys.index(before)
        self.cursor = max(0, min(self.cursor, len(keys) - 1))
        self.virtual_size = Size(self.size.width, len(keys))
        self._refresh_changed()
        if self.selected != before:
            self.post_message(self.Moved())

    def _refresh_changed(self) -> None:
        """Has the lines drawn that are not as they were drawn the last time."""
        for y in range(self.size.height):
            # guard: a second draws what has changed -> if True:
            if self._line(y) != self._drawn.get(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        self._drawn[y] = self._line(y)
        return self._drawn[y]

    def _line(self, y: int) -> Strip:
        number, width = self.scroll_offset.y + y, self.scrollable_content_region.width  # beside the scroll bar
        if number >= len(self.keys):
            return Strip.blank(width, self.rich_style)
        line = self._line_of(self.keys[number], width)
        line.end = ""
        line.truncate(width, pad=True)
        line.stylize_before(line.style)  # rich leaves the style of a whole text to those who print it
        if number == self.cursor:
            line.stylize("reverse")
        return Strip(line.render(self.app.console)).adjust_cell_length(width).apply_style(self.rich_style)

    def action_move(self, lines: int) -> None:
        self._go(self.cursor + lines)

    def action_page(self, pages: int) -> None:
        self._go(self.cursor + pages * max(self.size.height - 1, 1))

    def action_jump(self, place: int) -> None:
        self._go(len(self.keys) - 1 if place < 0 else 0)

    def on_click(self, event: events.Click) -> None:
        self._go(self.scroll_offset.y + event.y)

    def _go(self, number: int) -> None:
        self.cursor = max(0, min(number, len(self.keys) - 1))
        height, top = max(self.size.height, 1), self.scroll_offset.y
        if not top <= self.cursor < top + height:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - height + 1, animate=False)
        self.refresh()
        self.post_message(self.Moved())
