"""Tasks, stages and workers as lines of text for `signoff top`. Every text in them is visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.cells import chop_cells, set_cell_size
from rich.text import Text

from signoff.cli.show.output import STYLES
from signoff.cli.show.tables import canary_row, worker_row
from signoff.cli.watch.task_lines import FAILED, LONGEST_ID, cut, elapsed
from signoff.client.view import DOING, DONE, UNDONE, VALIDATING, TaskView, View
from signoff.display.visible_text import one_line
from signoff.display.wire_names import state_name, status_name
from signoff.v1 import runner_pb2

BAR = 10  # cells
ORDER: Mapping[int, int] = {
    DOING: 2,
    VALIDATING: 3,
    UNDONE: 4,
    DONE: 5,
}  # after a person's verdict, which is 1; failed ones are 0
SHORTEST_ID = 8  # cells
STATUS, ATTEMPT, TIME = 18, 4, 8  # cells of these columns


def ordered(view: View, wanted: str = "", *, failed_only: bool = False) -> list[str]:
    """Returns the ids of tasks: failed first, then those that wait for a person, those at work, the rest, the done.

    `wanted` is a part of an id, a status or a worker's name, in any case.
    """
    words = wanted.casefold().split()
    tasks = [task for task in view.tasks.values() if _matches(task, words) and (not failed_only or _failed(task))]
    tasks.sort(key=lambda task: (_place(view, task), task.stage))
    return [task.task_id for task in tasks]


def _failed(task: TaskView) -> bool:
    return task.status in FAILED


def _place(view: View, task: TaskView) -> int:
    # guard: failed tasks come first -> if False:
    if _failed(task):
        return 0
    return 1 if task.task_id in view.awaiting else ORDER.get(task.status, 4)


def _matches(task: TaskView, words: Sequence[str]) -> bool:
    text = f"{task.task_id} {status_name(task.status)} {task.worker}".casefold()
    return all(word in text for word in words)


# ---------------------------------------------------------------- lines


def headline(view: View, plan_id: str, at: float, width: int) -> Text:
    line = Text(no_wrap=True)
    line.append(one_line(view.plan_id or plan_id), style="bold")
    if not view.execution_id:
        return line.append(" waiting for the runner")
    state = state_name(view.state)
    line.append(f" {state}", style=STYLES.get(state, ""))
    line.append(f" {elapsed(took) if (took := view.took(at)) is not None else ''} {view.done}/{view.total} signed off")
    failed = sum(view.counts[status] for status in FAILED)
    for count, word, style in ((failed, "failed", "red"), (len(view.awaiting), "for you", "yellow")):
        line.append(f"  {count} {word}" if count else "", style=style)
    line.append(f"  {one_line(view.reason)}" if view.reason else "", style="dim")
    line.truncate(width, overflow="ellipsis")
    return line


def connection_line(is_lost: bool, as_of: float) -> Text:
    """Returns "connection lost, as of 12:04:31"; empty while the runner answers."""
    if not is_lost:
        return Text()
    clock = datetime.fromtimestamp(as_of).astimezone().strftime("%H:%M:%S")
    return Text(f"connection lost, as of {clock}", style="bold red", no_wrap=True)


def stage_lines(view: View, height: int, width: int) -> list[Text]:
    """Returns a line for each stage, from the first that is not signed off; the rest is summed up."""
    if height < 1:
        return []
    stages = sorted(stage for stage, counts in view.stages.items() if counts.total())
    first = next((n for n, stage in enumerate(stages) if view.stages[stage][DONE] < view.stages[stage].total()), 0)
    first = max(0, min(first, len(stages) - height))
    lines = [_stage_line(view, stage) for stage in stages[first : first + height]]
    left = len(stages) - first - height
    if left > 0:
        lines[-1] = Text(f"… {left + 1} more stages", style="dim")
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


def _stage_line(view: View, stage: int) -> Text:
    counts = view.stages[stage]
    done, total = counts[DONE], counts.total()
    line = Text(f"stage {stage:<4} ", no_wrap=True)
    line.append("=" * (BAR * done // total), style="green").append("-" * (BAR - BAR * done // total), style="dim")
    line.append(f" {done}/{total}")
    for status in (DOING, VALIDATING, *FAILED):
        if counts[status]:
            line.append(f"  {counts[status]} {status_name(status)}", style=STYLES[status_name(status)])
    return line


def id_width(view: View, width: int) -> int:
    """Returns the cells of the column of ids: as many as the longest has, up to a third of the line."""
    longest = max(map(len, view.tasks), default=0)
    return max(SHORTEST_ID, min(longest + 2, width // LONGEST_ID))


def task_heading(width: int, id_cells: int) -> Text:
    headings = ("task", "status", "try", f"{'time':<{TIME}}worker, or failure")
    return Text(_columns(headings, width, id_cells), style="bold dim")


def task_line(view: View, task_id: str, at: float, width: int, id_cells: int) -> Text:
    """Returns a task as a line of the table; an empty one when it has gone."""
    task = view.tasks.get(task_id)
    if task is None:
        return Text()
    status = "for you" if task_id in view.awaiting else status_name(task.status)
    cells = (task_id, status, str(task.attempt or ""), _last_cell(task, at))
    style = "yellow" if status == "for you" else STYLES.get(status, "")
    return Text(_columns(cells, width, id_cells), style=f"bold {style}" if task.given_up else style, no_wrap=True)


def _last_cell(task: TaskView, at: float) -> str:
    if task.worker:
        return f"{elapsed(at - task.changed_at) if task.changed_at else '':<{TIME}}{task.worker}"
    return f"for good: {task.last_failure}" if task.given_up else task.last_failure


def _columns(cells: Sequence[str], width: int, id_cells: int) -> str:
    """Returns the cells side by side: the last one has what is left of the line."""
    widths = (id_cells, STATUS, ATTEMPT)
    told = [set_cell_size(cut(one_line(cell), size - 1), size) for cell, size in zip(cells, widths, strict=False)]
    return "".join(told) + cut(one_line(cells[-1]), max(width - sum(widths), 1))


def worker_lines(workforce: runner_pb2.ListWorkersResponse, view: View) -> Iterator[tuple[str, ...]]:
    """Yields the cells of each worker, with the tasks that it has of this execution."""
    has: dict[str, list[str]] = {}
    for task in view.tasks.values():
        if task.worker:
            has.setdefault(task.worker, []).append(task.task_id)
    for worker in workforce.workers:
        name, role, busy, _handlers, models, _labels, state = worker_row(worker)
        yield (name, role, busy, state, ", ".join(has.get(worker.name, ())), models)


def canary_lines(workforce: runner_pb2.ListWorkersResponse) -> Iterator[tuple[str, ...]]:
    for tally in workforce.canaries:
        yield tuple(canary_row(tally))


def thinking_lines(thinking: str, width: int, height: int) -> list[str]:
    """Returns the end of what a worker thinks, cut into lines."""
    lines = chop_cells(one_line(thinking), max(width, 2))
    return lines[-height:] if height > 0 else []


def task_facts(view: View, task_id: str) -> str:
    """Returns what is known of a task, in a line."""
    task = view.tasks.get(task_id)
    if task is None:
        return ""
    worker = f" on {task.worker}" if task.worker else ""
    failure = f": {task.last_failure}" if task.last_failure else ""
    counted = _counted(task.failures, "failure", "failures") + _counted(task.losses, "loss", "losses")
    told = f"{task_id} is {status_name(task.status)}, attempt {task.attempt}{worker}{counted}{failure}"
    return one_line(told)


def _counted(number: int, one: str, many: str) -> str:
    return f", {number} {one if number == 1 else many}" if number else ""
