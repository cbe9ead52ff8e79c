"""Plain output: aligned, on one line, and unable to steer the reader's terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from signoff.cli.show.output import CommandOutput, aligned
from signoff.display.visible_text import one_line
from tests.support.processes.screens import Terminal, lines_of, piped


def test_columns_line_up_under_their_headings_also_in_chinese() -> None:
    table = aligned(("task", "about"), [("1_1", "确定关键词"), ("1_10", "x")]).splitlines()
    assert table == ["TASK  ABOUT", "1_1   确定关键词", "1_10  x"]
    table = aligned(("about", "task"), [("确定关键词", "1_1"), ("x", "1_10")]).splitlines()
    assert [cell_len(line[: line.index("1_1")]) for line in table[1:]] == [12, 12]


def test_text_cannot_steer_the_terminal() -> None:
    assert one_line("a\x1b[2Jb\nc\u202ed\x07") == "a\\x1b[2Jb c\\u202ed\\x07"


def test_a_pipe_gets_no_colour_and_no_ruling() -> None:
    output = piped()
    output.table(("task", "status"), [("a", "done")])
    assert lines_of(output) == ["TASK  STATUS", "a     done"]


def test_a_terminal_gets_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    output = CommandOutput(out=Terminal())
    output.table(("task", "status"), [("a", "done")])
    assert output.is_screen
    assert "\x1b[32m" in "\n".join(lines_of(output))


@pytest.mark.parametrize("term", ["", "dumb"])
def test_a_terminal_that_cannot_draw_gets_lines(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    assert not CommandOutput(out=Terminal()).is_screen


def test_json_wins_over_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert not CommandOutput(json=True, out=Terminal()).is_screen


def test_a_record_is_one_line_whatever_is_in_it() -> None:
    output = piped(as_json=True)
    output.record({"message": "two\nlines 中文"})
    assert lines_of(output) == ['{"message":"two\\nlines 中文"}']
