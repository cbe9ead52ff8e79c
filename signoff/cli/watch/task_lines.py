"""Single tasks as lines of a screen: those that failed, with the reason, and those at work, with who has them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from signoff.cli.show.output import STYLES
from signoff.client.view import DOING, DONE, EXECUTION_FAILED, UNDONE, VALIDATING, VALIDATION_FAILED, TaskView, View
from signoff.display.visible_text import one_line
from signoff.display.wire_names import status_name

SYMBOLS: Mapping[int, str] = {
    UNDONE: "·",
    DOING: "●",
    VALIDATING: "◐",
    DONE: "✓",
    EXECUTION_FAILED: "✗",
    VALIDATION_FAILED: "✗",
}
ASCII_SYMBOLS: Mapping[int, str] = {
    UNDONE: ".",
    DOING: ">",
    VALIDATING: "?",
    DONE: "+",
    EXECUTION_FAILED: "x",
    VALIDATION_FAILED: "x",
}
FAILED = (EXECUTION_FAILED, VALIDATION_FAILED)
LONGEST_ID = 3  # an id takes at most so much of a line: a third


def failed_lines(view: View, symbols: Mapping[int, str], *, width: int, height: int) -> list[Text]:
    """Returns a line for each task that failed: for good first, then the latest. What does not fit is counted."""
    failed = [task for task in view.tasks.values() if task.status in FAILED]
    failed.sort(key=lambda task: (not task.given_up, -task.changed_at, task.task_id))
    return _listed(
        [_failed_line(task, symbols, width) for task in failed[: max(height, 0)]], len(failed), width, height
    )


def working_lines(view: View, symbols: Mapping[int, str], at: float, *, width: int, height: int) -> list[Text]:
    """Returns a line for each task that a worker has, the one that takes longest first. `at` is Unix time now."""
    working = [task for task in view.tasks.values() if task.worker]
    working.sort(key=lambda task: (task.changed_at, task.task_id))
    lines = [_working_line(task, symbols, at, width) for task in working[: max(height, 0)]]
    return _listed(lines, len(working), width, height)


def _listed(lines: list[Text], total: int, width: int, height: int) -> list[Text]:
    if total <= height or height < 1:
        return lines
    more = Text(cut(f"… and {total - height + 1:,} more", width), style="dim", no_wrap=True)
    return [*lines[: height - 1], more]


def _failed_line(task: TaskView, symbols: Mapping[int, str], width: int) -> Text:
    final = "for good" if task.given_up else f"attempt {task.attempt}"
    reason = f": {one_line(task.last_failure)}" if task.last_failure else ""
    return _line(task, symbols, f"{status_name(task.status)}, {final}{reason}", width)


def _working_line(task: TaskView, symbols: Mapping[int, str], at: float, width: int) -> Text:
    took = f" {elapsed(at - task.changed_at)}" if task.changed_at else ""
    return _line(task, symbols, f"{status_name(task.status)}{took}, attempt {task.attempt} on {task.worker}", width)


def _line(task: TaskView, symbols: Mapping[int, str], text: str, width: int) -> Text:
    style = STYLES.get(status_name(task.status), "")
    name = cut(one_line(task.task_id), max(width // LONGEST_ID, 1))
    line = cut(f"{symbols.get(task.status, '?')} {name}  {one_line(text)}", width)
    return Text(line, style=f"bold {style}" if task.given_up else style, no_wrap=True)


def cut(text: str, width: int) -> str:
    """Returns the beginning of a text, at most so many cells wide."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"


def elapsed(seconds: float) -> str:
    """Returns for example "0:07", "12:30" or "1:02:03"."""
    minutes, second = divmod(max(0, int(seconds)), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
