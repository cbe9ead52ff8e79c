"""A console that reads no markup, and a screen over a slow line: it writes what has changed, and no more."""

from __future__ import annotations

import pytest
from rich.text import Text

from signoff.cli.show.console import SecondScreen, VisibleConsole
from tests.support.processes.screens import Terminal


@pytest.fixture(autouse=True)
def _of_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TERM", "xterm-256color"), ("COLUMNS", "20"), ("LINES", "5")):
        monkeypatch.setenv(name, value)


def written(terminal: Terminal, before: int) -> str:
    return terminal.getvalue()[before:]


def test_text_is_no_markup_and_hides_nothing() -> None:
    terminal = Terminal()
    VisibleConsole(terminal).print("[red]a\x9b2J[/red] :smile:\u202e", style="bold")
    assert "[red]a\\x9b2J[/red] " in terminal.getvalue().replace("\n", "")
    assert "\x9b" not in terminal.getvalue()
    assert "\u202e" not in terminal.getvalue()


@pytest.mark.guard(name="a screen writes what has changed")
def test_only_lines_that_have_changed_are_written() -> None:
    terminal = Terminal()
    screen = SecondScreen(terminal)
    screen.paint(Text("one\ntwo\nthree"))
    at = len(terminal.getvalue())
    screen.paint(Text("one\ntwo\nthree"))
    assert written(terminal, at) == ""
    screen.paint(Text("one\n2\nthree"))
    assert written(terminal, at) == "\x1b[2H2\x1b[0m\x1b[K"


def test_another_size_draws_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    screen = SecondScreen(terminal)
    screen.paint(Text("one\ntwo"))
    at = len(terminal.getvalue())
    monkeypatch.setattr(SecondScreen, "size", property(lambda _: (20, 2)))
    screen.paint(Text("one\ntwo\nthree"))
    assert "\x1b[2J" in written(terminal, at)
    assert "two" in written(terminal, at)
    assert "three" not in written(terminal, at)


def test_without_colour_nothing_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    SecondScreen(terminal).paint(Text("red", style="red"))
    assert "\x1b[31m" not in terminal.getvalue()


def test_the_first_screen_and_the_cursor_come_back() -> None:
    terminal = Terminal()
    screen = SecondScreen(terminal)
    screen.open()
    screen.close()
    assert terminal.getvalue().endswith("\x1b[?25h\x1b[?1049l")
