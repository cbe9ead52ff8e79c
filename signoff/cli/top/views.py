"""The two views of `signoff top`: the run with its tasks, and the workers. Each draws itself from the session."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from signoff.cli.show.tables import CANARY_HEADINGS
from signoff.cli.top import rows
from signoff.cli.top.session import Session
from signoff.cli.top.tables import VirtualList
from signoff.display.visible_text import one_line

THINKING, STAGES = 4, 4  # lines; fewer on a low terminal
LOW = 20  # lines of a terminal that has no room for stages
WORKER_HEADINGS = ("worker", "role", "busy", "state", "has", "models")


class Lines(Static):
    """A text that is drawn again when it has changed."""

    _put: Text | None = None

    def put(self, text: Text) -> None:
        if self._put != text:
            self._put = text
            self.update(text)


class RunView(Vertical):
    """The stages of a run, its tasks, and what is known of the chosen one."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="run")
        self._session = session
        self.wanted, self.failed_only = "", False  #: what the tasks on the list have in common
        self._id_cells = rows.SHORTEST_ID

    def compose(self) -> ComposeResult:
        yield Lines(id="stages")
        yield Lines(id="heading")
        yield VirtualList(self._task_line, id="tasks")
        yield Lines(id="detail")

    @property
    def chosen(self) -> str:
        """The task under the cursor; empty without tasks."""
        return self.query_one(VirtualList).selected

    def draw(self) -> None:
        """Draws what has changed since the last time."""
        view, (width, height) = self._session.view, self.app.size
        stages = rows.stage_lines(view, STAGES if height >= LOW else 0, width)
        self.query_one("#stages", Lines).put(Text("\n", no_wrap=True).join(stages))
        self.query_one("#stages").display = bool(stages)
        self._id_cells = rows.id_width(view, width)
        self.query_one("#heading", Lines).put(rows.task_heading(width, self._id_cells))
        self.query_one(VirtualList).show_keys(rows.ordered(view, self.wanted, failed_only=self.failed_only))
        self._draw_detail()

    def _draw_detail(self) -> None:
        session, chosen, (width, height) = self._session, self.chosen, self.app.size
        lines = [Text(rows.task_facts(session.view, chosen) or "no task", no_wrap=True, overflow="ellipsis")]
        is_low = height < LOW
        detail = self.query_one("#detail", Lines)
        detail.styles.max_height = 4 if is_low else 7  # with the line above it
        thinking = rows.thinking_lines(session.thinking_of(chosen), width, 2 if is_low else THINKING)
        lines += [Text(line, style="italic") for line in thinking]
        if session.has_earlier_thinking(chosen):
            self.app.run_worker(session.recall(chosen), name="recall")
        detail.put(Text("\n").join(lines))

    def _task_line(self, task_id: str, width: int) -> Text:
        return rows.task_line(self._session.view, task_id, time.time(), width, self._id_cells)

    def on_virtual_list_moved(self) -> None:
        self._draw_detail()


class WorkersView(VerticalScroll):
    """The workers, and how often the canaries have shown their judges wrong."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="workers")
        self._session = session

    def compose(self) -> ComposeResult:
        yield Static(id="crew")

    def draw(self) -> None:
        told = self._session.workforce
        crew = _table(WORKER_HEADINGS, rows.worker_lines(told, self._session.view))
        canaries = _table(CANARY_HEADINGS, rows.canary_lines(told))
        both = Table.grid()
        both.add_row(crew)
        if told.canaries:
            both.add_row(Text())
            both.add_row(canaries)
        self.query_one("#crew", Static).update(both)


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(Text(heading, style="bold dim"), overflow="fold")
    for line in lines:
        table.add_row(*(Text(one_line(cell)) for cell in line))
    return table
