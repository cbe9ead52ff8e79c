"""The frame of a running execution fits the terminal, whatever there is to show."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from signoff.cli.watch.screen import GridRows, ScreenSize, frame, tail_of
from signoff.cli.watch.task_lines import elapsed
from signoff.client.view import View
from signoff.client.watch import Snapshot
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.servers.fake_runner import (
    BEGAN,
    assigned,
    done,
    execution,
    given_to_judge,
    given_up,
    journal,
    rejected,
    stored,
    undone,
)


def view_of(stages: dict[str, int], *events: pb.Event) -> View:
    view = View()
    tasks = tuple(undone(task, stage=stage) for task, stage in stages.items())
    view.apply(Snapshot(execution=execution(pb.EXECUTION_STATE_RUNNING), tasks=tasks))
    for event in journal(*events):
        view.apply(event)
    return view


def drawn(
    view: View,
    places: GridRows | None = None,
    notices: tuple[str, ...] = (),
    *,
    width: int = 80,
    height: int = 24,
    ascii_only: bool = False,
) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, height=height, color_system=None)
    size = ScreenSize(width=width, height=height)
    picture = frame(
        view, places or GridRows(), notices, size=size, at=BEGAN + 76, hint="Ctrl-C stops", ascii_only=ascii_only
    )
    console.print(picture)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_the_grid_has_a_column_for_each_stage() -> None:
    view = view_of({"1_1": 1, "2_1": 1, "1_2": 2}, *done("1_1"), assigned("2_1"))
    lines = drawn(view)
    assert lines[0] == "trends running 1:15  1/3 signed off  ● 1 doing"
    heading = next(number for number, line in enumerate(lines) if line.startswith("stage 1"))
    assert lines[heading].split() == ["stage", "1", "stage", "2"]
    assert lines[heading + 1].split() == ["✓", "1_1", "·", "1_2"]
    assert lines[heading + 2].split() == ["●", "2_1"]
    assert lines[-1] == "Ctrl-C stops"


def test_the_layout_says_which_row() -> None:
    view = view_of({"a": 1, "b": 2})
    lines = drawn(view, GridRows(rows={"a": 0, "b": 1}))
    heading = next(number for number, line in enumerate(lines) if line.startswith("stage 1"))
    assert "b" not in lines[heading + 1]
    assert "b" in lines[heading + 2]


def test_descriptions_are_shown_where_there_is_room_for_them() -> None:
    view = view_of({"1_1": 1})
    places = GridRows(descriptions={"1_1": "确定文献检索关键词与数据库范围"})
    assert "确定文献" in "\n".join(drawn(view, places))
    crowded = view_of({f"1_{stage}": stage for stage in range(1, 8)})
    assert "确定" not in "\n".join(drawn(crowded, places))


def test_too_many_tasks_become_one_line_a_stage() -> None:
    stages = {f"{stage}_{number}": stage for stage in range(1, 5) for number in range(100)}
    view = view_of(stages, *done("1_0"), assigned("1_1"), assigned("1_2"), stored("1_2"))
    lines = [line for line in drawn(view) if line.startswith("stage")]
    assert [line.split()[1] for line in lines] == ["1", "2", "3", "4"]
    assert "1/100  ● 1  ◐ 1" in lines[0]


def test_failures_come_first_then_what_runs_when_there_is_no_room_for_a_grid() -> None:
    stages = {f"{stage}_{number}": stage for stage in range(1, 5) for number in range(500)}
    events = [event for number in range(9) for event in _rejected(f"1_{number}")]
    view = view_of(stages, *events, given_up("1_3", "no year \x1b[2Jagain"), assigned("2_1"), *done("1_20"))
    lines = drawn(view)
    first = next(number for number, line in enumerate(lines) if line.startswith("✗"))
    assert lines[first] == "✗ 1_3  validation-failed, for good: no year \\x1b[2Jagain"
    assert lines[first + 1].startswith("✗ 1_8  validation-failed, attempt 1: no year")
    assert any(line.startswith("… and") for line in lines) or sum(line.startswith("✗") for line in lines) == 9
    assert [line.split()[1] for line in lines if line.startswith("stage")] == ["1", "2", "3", "4"]
    assert len(lines) <= 24
    assert any(line.startswith("● 2_1  doing") and "executor-1" in line for line in drawn(view, height=30))


def _rejected(task: str) -> list[pb.Event]:
    return [assigned(task), stored(task), given_to_judge(task), rejected(task, "no year")]


def test_too_many_stages_show_those_at_work() -> None:
    stages = {f"t{stage}": stage for stage in range(1, 101)}
    view = view_of(stages, *(event for stage in range(1, 51) for event in done(f"t{stage}")), assigned("t51"))
    lines = drawn(view)
    assert "… 50 stages before this, 50/50 signed off" in lines
    assert any(line.startswith("stage 51") and "● 1" in line for line in lines)
    shown = sum(line.startswith("stage ") for line in lines)
    assert f"… {50 - shown} stages after this, 0/{50 - shown} signed off" in lines


def test_what_went_wrong_and_what_is_thought_stand_below() -> None:
    view = view_of({"a": 1, "b": 1}, assigned("a"), assigned("b"), stored("b"), rejected("b", "no year"))
    view.apply(runner_pb2.Thinking(task_id="a", text="first\x1b[2J\nand then " + "很" * 100))
    lines = drawn(view, notices=("b: no year",))
    thinking = next(line for line in lines if line.startswith("a: "))
    assert thinking.startswith("a: …很")
    assert "b: no year" in lines
    assert "✗ 1 failed" in lines[0]


def test_a_model_that_is_away_is_shown_until_it_answers() -> None:
    outage = pb.Outage(model="m", endpoint="http://h/v1", message="it said 503")
    outage.since.seconds, outage.next_try.seconds = int(BEGAN), int(BEGAN) + 96
    met = pb.Event(task_id="a", outage_met=pb.OutageMet(attempt=1, phase=pb.PHASE_EXECUTE, outage=outage))
    line = next(line for line in drawn(view_of({"a": 1}, assigned("a"), met), width=120) if "away" in line)
    assert "the model m at http://h/v1 has been away since " in line
    assert ", next try in 20 s: it said 503" in line
    ended = pb.Event(outage_ended=pb.OutageEnded(model="m", endpoint="http://h/v1"))
    assert not [line for line in drawn(view_of({"a": 1}, assigned("a"), met, ended)) if "away" in line]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    view = view_of({"a": 1, "b": 1}, *done("a"), assigned("b"))
    grid = "\n".join(drawn(view, ascii_only=True)[3:])
    assert grid.isascii()
    assert "+ a" in grid
    assert "> b" in grid


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    tasks=st.dictionaries(st.text("1234567890_", min_size=1, max_size=40), st.integers(1, 30), min_size=0, max_size=60),
    width=st.integers(20, 200),
    height=st.integers(10, 60),
    text=st.text(max_size=300),
)
def test_it_always_fits(tasks: dict[str, int], width: int, height: int, text: str) -> None:
    view = view_of(tasks, *(assigned(task) for task in tasks))
    for task in tasks:
        view.apply(runner_pb2.Thinking(task_id=task, text=text))
    places = GridRows(descriptions=dict.fromkeys(tasks, text))
    lines = drawn(view, places, (text, text, text), width=width, height=height)
    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width


def test_the_end_of_a_text_is_as_wide_as_asked() -> None:
    assert tail_of("short", 10) == "short"
    assert tail_of("a long text", 5) == "…text"
    assert tail_of("很长的文字", 5) == "…文字"


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (75.9, "1:15"), (3723, "1:02:03"), (-5, "0:00")])
def test_elapsed_time_reads_like_a_clock(seconds: float, words: str) -> None:
    assert elapsed(seconds) == words
