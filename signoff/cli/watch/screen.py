"""One frame of an execution on a terminal: a progress bar, a grid of tasks by stage, and what workers think.

A frame is a pure function of the view, the layout and the size. It always fits: when columns would get too narrow or
too tall, failed tasks come first, then those at work, and each stage becomes one line with counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from signoff.cli.show.output import STYLES
from signoff.cli.watch.task_lines import ASCII_SYMBOLS, SYMBOLS, cut, elapsed, failed_lines, working_lines
from signoff.client.view import DOING, DONE, EXECUTION_FAILED, VALIDATING, VALIDATION_FAILED, TaskView, View
from signoff.display.visible_text import one_line
from signoff.display.wire_names import clock_time, model_at, state_name, status_name, unix

NARROWEST = 7  # cells of a grid column: a symbol, a space and an id such as 1_2_3
WIDEST = 36  # enough for the start of a description
DESCRIPTION_FROM = 8  # cells that must be left for a description; fewer say nothing
THINKING_LINES = 4
NOTICE_LINES = 2
STAGE_BAR = 20  # cells
LEAST_ABOVE = 8  # lines kept for the headline, the bar, the grid and the hint when the terminal is low


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRows:
    """The part of a layout that the grid needs: the row of each task in its column, and its description."""

    rows: Mapping[str, int] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSize:
    width: int
    height: int


def frame(
    view: View,
    grid_rows: GridRows,
    notices: Sequence[str],
    *,
    size: ScreenSize,
    at: float,
    hint: str = "",
    ascii_only: bool = False,
) -> RenderableType:
    """Returns the whole frame, at most `size.height` lines. `at` is Unix time now, `hint` the line at the bottom."""
    symbols = ASCII_SYMBOLS if ascii_only else SYMBOLS
    asked = _notices((*_models_away(view, at), *_person_wanted(view)), size.width)
    below = [*_thinking(view, size.width), *asked, *_notices(notices, size.width)][-max(1, size.height - LEAST_ABOVE) :]
    above = [_headline(view, symbols, size.width, at), _bar(view, size.width)]
    room = size.height - len(above) - len(below) - 3  # two blank lines and the hint
    body = _body(view, grid_rows, symbols, at, width=size.width, height=room)
    return Group(*above, Text(), *body, Text(), *below, Text(cut(hint, size.width), style="dim", no_wrap=True))


def _body(
    view: View, grid_rows: GridRows, symbols: Mapping[int, str], at: float, *, width: int, height: int
) -> list[Text]:
    """Returns the grid, with the failures below it when there is room; else the failures, what runs, and the stages."""
    drawn = grid(view, grid_rows, symbols, width=width, height=height)
    if drawn:
        failures = failed_lines(view, symbols, width=width, height=height - len(drawn) - 1)
        return [*drawn, Text(), *failures] if failures else drawn
    for_stages = max(height // 2, height - len(view.tasks), 1) if view.tasks else height
    for_tasks = height - min(for_stages, len(view.stages)) - 1
    failures = failed_lines(view, symbols, width=width, height=for_tasks)
    running = working_lines(view, symbols, at, width=width, height=for_tasks - len(failures))
    named = [*failures, *running, Text()] if failures or running else []
    return [*named, *stage_lines(view, symbols, width=width, height=height - len(named))]


def _headline(view: View, symbols: Mapping[int, str], width: int, at: float) -> Text:
    if not view.execution_id:
        return Text("waiting for the runner", style="dim", no_wrap=True)
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{view.plan_id} ", style="bold")
    state = state_name(view.state)
    line.append(state, style=STYLES.get(state, ""))
    line.append(f" {elapsed(took) if (took := view.took(at)) is not None else ''}  {view.done}/{view.total} signed off")
    for status in (DOING, VALIDATING):
        if view.counts[status]:
            word = status_name(status)
            line.append(f"  {symbols[status]} {view.counts[status]} {word}", style=STYLES[word])
    failed = view.counts[EXECUTION_FAILED] + view.counts[VALIDATION_FAILED]
    if failed:
        line.append(f"  {symbols[EXECUTION_FAILED]} {failed} failed", style="red")
    if view.reason:
        line.append(f"  {one_line(view.reason)}", style="dim")
    line.truncate(width, overflow="ellipsis")
    return line


def _bar(view: View, width: int) -> RenderableType:
    return ProgressBar(total=max(view.total, 1), completed=view.done, width=width, complete_style="green")


# ---------------------------------------------------------------- the grid


def grid(view: View, grid_rows: GridRows, symbols: Mapping[int, str], *, width: int, height: int) -> list[Text]:
    """Returns one column a stage and one row a task; empty when it does not fit."""
    stages = sorted(stage for stage, counts in view.stages.items() if counts.total())
    column = min(WIDEST, (width + 1) // max(len(stages), 1) - 1)
    tallest = max((view.stages[stage].total() for stage in stages), default=0)
    if not stages or column < NARROWEST or tallest > height - 1:
        return []
    columns = _columns(view, grid_rows, stages, height - 1)
    heading = Text(" ".join(set_cell_size(f"stage {stage}", column) for stage in stages), style="dim")
    depth = max(max(rows, default=0) for rows in columns) + 1
    return [heading, *(_grid_row(columns, row, grid_rows, symbols, column) for row in range(depth))]


def _columns(view: View, grid_rows: GridRows, stages: Sequence[int], height: int) -> list[dict[int, TaskView]]:
    """Returns the tasks of each stage by row: as the layout places them, or without gaps when that is too tall."""
    by_stage: dict[int, list[TaskView]] = {stage: [] for stage in stages}
    for task in view.tasks.values():
        by_stage[task.stage].append(task)
    columns = [_placed(tasks, grid_rows) for tasks in by_stage.values()]
    if max(max(rows) for rows in columns) < height:
        return columns
    return [dict(enumerate(task for _, task in sorted(rows.items()))) for rows in columns]


def _placed(tasks: Sequence[TaskView], grid_rows: GridRows) -> dict[int, TaskView]:
    """Returns the tasks of a stage by row. Tasks that the layout does not place go into the first free rows."""
    rows: dict[int, TaskView] = {}
    for task in sorted(tasks, key=lambda task: task.task_id not in grid_rows.rows):
        row = grid_rows.rows.get(task.task_id, 0)
        while row in rows:
            row += 1
        rows[row] = task
    return rows


def _grid_row(
    columns: Sequence[Mapping[int, TaskView]], row: int, grid_rows: GridRows, symbols: Mapping[int, str], width: int
) -> Text:
    line = Text(no_wrap=True, end="\n")
    for tasks in columns:
        task = tasks.get(row)
        text = _cell(task, grid_rows, symbols, width) if task else ""
        line.append(set_cell_size(text, width), style=_style(task) if task else "")
        line.append(" ")
    line.rstrip()
    return line


def _cell(task: TaskView, grid_rows: GridRows, symbols: Mapping[int, str], width: int) -> str:
    head = f"{symbols.get(task.status, '?')} {task.task_id}"
    if cell_len(head) > width:
        return cut(head, width)
    room = width - cell_len(head) - 1
    description = one_line(grid_rows.descriptions.get(task.task_id, ""))
    return f"{head} {cut(description, room)}" if description and room >= DESCRIPTION_FROM else head


def _style(task: TaskView) -> str:
    style = STYLES.get(status_name(task.status), "")
    return f"bold {style}" if task.given_up else style


# ---------------------------------------------------------------- one line a stage


def stage_lines(view: View, symbols: Mapping[int, str], *, width: int, height: int) -> list[Text]:
    """Returns a line for each stage, from the first that is not signed off; stages that do not fit are summed up."""
    stages = sorted(stage for stage, counts in view.stages.items() if counts.total())
    first = next((i for i, stage in enumerate(stages) if not _is_done(view, stage)), 0)
    if len(stages) <= height:
        return [_stage_line(view, stage, symbols, width) for stage in stages]
    first = min(first, len(stages) - height + 1)
    room = max(1, height - (first > 0))
    last = first + room
    if last < len(stages):
        last -= 1
    return [
        *_unseen(view, stages[:first], "before this"),
        *(_stage_line(view, stage, symbols, width) for stage in stages[first:last]),
        *_unseen(view, stages[last:], "after this"),
    ]


def _unseen(view: View, stages: Sequence[int], where: str) -> list[Text]:
    if not stages:
        return []
    done = sum(view.stages[stage][DONE] for stage in stages)
    total = sum(view.stages[stage].total() for stage in stages)
    return [Text(f"… {len(stages)} stages {where}, {done}/{total} signed off", style="dim", no_wrap=True)]


def _is_done(view: View, stage: int) -> bool:
    return view.stages[stage][DONE] == view.stages[stage].total()


def _stage_line(view: View, stage: int, symbols: Mapping[int, str], width: int) -> Text:
    counts = view.stages[stage]
    done, total = counts[DONE], counts.total()
    filled = STAGE_BAR * done // total
    line = Text(f"stage {stage:<4} ", no_wrap=True)
    line.append("━" * filled if symbols is SYMBOLS else "=" * filled, style="green")
    line.append("─" * (STAGE_BAR - filled) if symbols is SYMBOLS else "-" * (STAGE_BAR - filled), style="dim")
    line.append(f" {done}/{total}")
    for status in (DOING, VALIDATING, EXECUTION_FAILED, VALIDATION_FAILED):
        if counts[status]:
            line.append(f"  {symbols[status]} {counts[status]}", style=STYLES[status_name(status)])
    line.truncate(width, overflow="ellipsis")
    return line


# ---------------------------------------------------------------- below


def _models_away(view: View, at: float) -> Iterator[str]:
    """Yields a line for each model that work waits for."""
    for outage in [] if view.is_at_rest else view.outages.values():
        wait = unix(outage.next_try) - at
        then = f"next try in {wait:.0f} s" if wait > 0 else "it is being tried again"
        yield f"{model_at(outage)} has been away since {clock_time(outage.since)}, {then}: {one_line(outage.message)}"


def _thinking(view: View, width: int) -> list[Text]:
    """Returns the latest thinking of tasks, the newest at the bottom."""
    lines = []
    for task_id, thought in list(view.thinking.items())[-THINKING_LINES:]:
        head = f"{cut(task_id, width // 2)}: "
        line = Text(head, style="bold", no_wrap=True)
        line.append(tail_of(one_line(thought), width - cell_len(head)), style="not bold italic")
        lines.append(line)
    return lines


def tail_of(text: str, width: int) -> str:
    """Returns the end of a text, at most so many cells wide."""
    if cell_len(text) <= width:
        return text
    if width < 2:
        return ""
    text = text[-width:]
    while cell_len(text) > width - 1:
        text = text[1:]
    return "…" + text


def _person_wanted(view: View) -> Iterator[str]:
    """Yields a line for each candidate that waits for the reader's verdict."""
    for task_id in view.awaiting:
        yield f"{task_id} waits for a verdict: signoff approve {view.plan_id} {task_id}, or reject; it is shown first"


def _notices(notices: Sequence[str], width: int) -> list[Text]:
    return [Text(cut(one_line(notice), width), style="yellow", no_wrap=True) for notice in notices[-NOTICE_LINES:]]
