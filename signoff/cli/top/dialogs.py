"""Questions on top of the screen: to confirm, to type a line, to read a long text, to choose from a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from signoff.display.visible_text import one_line, visible

#: A long text is drawn in pieces of so many lines: one of a megabyte would hold the screen up.
MOST_SHOWN = 5_000  # lines


Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """A question with one answer: a key that comes after it, before the dialog has gone, is nothing."""

    _is_answered = False

    def answer(self, answer: Answer) -> None:
        # guard: a dialog has one answer -> if True:
        if self.is_current and not self._is_answered:
            self._is_answered = True
            self.dismiss(answer)


class Confirm(Dialog[bool]):
    """Asks whether to do what cannot be undone; any key but y is a no."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(one_line(self._question)))
            yield Static(Text("y: yes   any other key: no", style="dim"))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        # guard: what cannot be undone is confirmed -> self.answer(True)
        self.answer(event.key.casefold() == "y")


class AskLine(Dialog[str]):
    """Asks for a line; empty after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave")]

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(one_line(self._question)))
            yield Input(value=self._value, id="line")
            yield Static(Text("Enter: go on   Escape: leave", style="dim"))

    def on_mount(self) -> None:
        line = self.query_one(Input)
        line.cursor_blink = False  # each blink would be a repaint
        line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.answer(event.value.strip())

    def action_leave(self) -> None:
        self.answer("")


class Reader(Dialog[str]):
    """Shows a text to its end. Returns the key among `keys` that was pressed; empty for any other way out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "leave")]

    def __init__(self, text: str, hint: str = "", keys: Sequence[str] = ()) -> None:
        super().__init__()
        self._text, self._hint, self._keys = text, hint, keys

    def compose(self) -> ComposeResult:
        lines = visible(self._text).split("\n")
        more = [f"… and {len(lines) - MOST_SHOWN:,} more lines"] if len(lines) > MOST_SHOWN else []
        with Vertical(classes="reader"):
            with VerticalScroll(id="text"):
                yield Static(Text("\n".join(lines[:MOST_SHOWN] + more)))
            yield Static(Text(f"{one_line(self._hint)}   Escape: leave".strip(), style="dim"), id="hint")

    def on_mount(self) -> None:
        self.query_one("#text").focus()

    def on_key(self, event: events.Key) -> None:
        if event.key in self._keys:
            event.stop()
            self.answer(event.key)

    def action_leave(self) -> None:
        self.answer("")


class Choose(Dialog[int]):
    """Lets a person choose a line; -1 after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "leave")]

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._title, self._lines = title, lines

    def compose(self) -> ComposeResult:
        with Vertical(classes="reader"):
            yield Static(Text(one_line(self._title), style="bold"))
            yield OptionList(*(Option(Text(one_line(line), no_wrap=True)) for line in self._lines))
            yield Static(Text("Enter: choose   Escape: leave", style="dim"))

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.answer(event.option_index)

    def action_leave(self) -> None:
        self.answer(-1)
