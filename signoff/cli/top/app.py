"""The screen of `signoff top`: a run with its tasks, or its workers, and what keys do."""

from __future__ import annotations

import getpass
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.segment import Segment
from rich.table import Table
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Vertical, VerticalScroll
from textual.filter import LineFilter
from textual.widgets import Static
from textual.worker import Worker

from signoff.cli.show.tables import CANARY_HEADINGS
from signoff.cli.top import rows
from signoff.cli.top.dialogs import AskLine, Choose, Confirm, Reader
from signoff.cli.top.orders import Orders, candidate_text, require_waiting
from signoff.cli.top.session import Session
from signoff.cli.top.tables import VirtualList
from signoff.display.visible_text import one_line, visible
from signoff.display.wire_names import day_and_time, state_name
from signoff.errors import SignoffError
from signoff.v1 import execution_pb2 as pb

REPAINTS = 4  # a second at most, for a terminal over a slow line
THINKING, STAGES = 4, 4  # lines; fewer on a low terminal
LOW = 20  # lines of a terminal that has no room for stages
WORKER_HEADINGS = ("worker", "role", "busy", "state", "has", "models")
KEYS = "q quit  ? keys  y why  c candidate  a approve  x reject  r retry  p pause  f failed"
HELP = """\
up, down, page up, page down, home, end   choose a task
y   why the task is not finished
c   its candidate, and the difference to the one before
a   approve the candidate that waits for you: shows it first
x   reject it: shows it first, then asks for the reason
r   run the task again, with everything downstream of it
p   pause, or resume
s   stop: cancels what runs
f   failed tasks alone, or all
/   filter by a part of the id, the status or the worker
w   the workers and their canaries, or the run
e   another execution
q   quit; the execution goes on
"""


class VisibleText(LineFilter):
    """Writes out what hides or steers in any text, just before it is drawn: for a text that was not made visible."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(visible(text), style, control) for text, style, control in segments]


class NoColours(LineFilter):
    """Leaves bold, dim, italic and reversed text, and no colour: textual's own filter turns colours into greys."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text, style and style.without_color, control) for text, style, control in segments]


class TopApp(App[None]):
    """Shows a session, and steers its execution."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "signoff top"
    CSS = """
    Screen { layout: vertical; }
    #head, #stages, #heading, #detail, #message, #keys { height: auto; width: 1fr; }
    #head, #stages, #heading, #keys { text-wrap: nowrap; text-overflow: ellipsis; }
    #tasks { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    #detail { border-top: solid $primary; }
    #workers { height: 1fr; display: none; }
    .dialog { align: center middle; width: 80%; max-width: 90; height: auto; border: solid $primary; padding: 1 2; }
    .dialog Static { height: auto; }
    .reader { width: 100%; height: 100%; }
    .reader Static { height: auto; }
    .reader #text, .reader OptionList { height: 1fr; }
    Confirm, AskLine { align: center middle; }
    OptionList:nocolor > .option-list--option-highlighted { text-style: bold underline; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", "quit", priority=False),
        Binding("p", "pause", "pause or resume"),
        Binding("s", "stop", "stop"),
        Binding("r", "retry", "retry"),
        Binding("c", "candidate", "candidate"),
        Binding("a", "approve", "approve"),
        Binding("x", "reject", "reject"),
        Binding("y,enter", "why", "why"),
        Binding("f", "failed", "failed alone"),
        Binding("slash", "filter", "filter"),
        Binding("w", "workers", "workers"),
        Binding("e", "executions", "executions"),
        Binding("question_mark,h", "keys", "help"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.wanted, self.failed_only, self.shows_workers = "", False, False
        self._drawn = (-1, -1)  # the revision, and the second, of what is on the screen
        self._id_cells = rows.SHORTEST_ID
        self._shown: dict[str, Text] = {}  # by part of the screen
        self._working: Worker[None] | None = None

    def get_line_filters(self) -> Sequence[LineFilter]:
        # guard: NO_COLOR is respected -> return [*super().get_line_filters(), VisibleText()]
        return [*([NoColours()] if self.no_color else super().get_line_filters()), VisibleText()]

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Vertical(id="run"):
            yield Static(id="stages")
            yield Static(id="heading")
            yield VirtualList(self._task_line, id="tasks")
            yield Static(id="detail")
        with VerticalScroll(id="workers"):
            yield Static(id="crew")
        yield Static(id="message")
        yield Static(Text(KEYS, style="dim", no_wrap=True, overflow="ellipsis"), id="keys")

    def on_mount(self) -> None:
        self.query_one(VirtualList).focus()
        self.run_worker(self.session.follow(), name="follow")
        self.run_worker(self.session.look_at_workers(), name="workers")
        self.set_interval(1 / REPAINTS, self.draw)

    # ------------------------------------------------------------ drawing

    def draw(self, *, always: bool = False) -> None:
        """Draws what has changed since the last time; a clock moves on each second."""
        state = (self.session.revision, int(time.time()))
        if state == self._drawn and not always:
            return
        # The clock may move on while the app ends and has taken its parts away.
        # guard (2 lines): top ends without an error -> (removed)
        if not self.query("#head"):
            return
        self._drawn = state
        self._draw_head()
        if self.shows_workers:
            self._draw_workers()
        else:
            self._draw_run()

    def _draw_head(self) -> None:
        view, width = self.session.view, self.size.width
        lines = [rows.headline(view, self.session.plan_id, time.time(), width)]
        if self.session.is_lost:
            lines.append(rows.connection_line(True, self.session.as_of))
        self._put("#head", Text("\n", no_wrap=True).join(lines))

    def _draw_run(self) -> None:
        view, width = self.session.view, self.size.width
        stages = rows.stage_lines(view, STAGES if self.size.height >= LOW else 0, width)
        self._put("#stages", Text("\n", no_wrap=True).join(stages))
        self.query_one("#stages").display = bool(stages)
        self._id_cells = rows.id_width(view, width)
        self._put("#heading", rows.task_heading(width, self._id_cells))
        self.query_one(VirtualList).show_keys(rows.ordered(view, self.wanted, failed_only=self.failed_only))
        self._draw_detail()

    def _draw_detail(self) -> None:
        view, chosen = self.session.view, self.query_one(VirtualList).selected
        lines = [Text(rows.task_facts(view, chosen) or "no task", no_wrap=True, overflow="ellipsis")]
        is_low = self.size.height < LOW
        self.query_one("#detail").styles.max_height = 4 if is_low else 7  # with the line above it
        height = 2 if is_low else THINKING
        thinking = rows.thinking_lines(self.session.thinking_of(chosen), self.size.width, height)
        lines += [Text(line, style="italic") for line in thinking]
        if self.session.has_earlier_thinking(chosen):
            self.run_worker(self.session.recall(chosen), name="recall")
        self._put("#detail", Text("\n").join(lines))

    def _put(self, name: str, text: Text) -> None:
        """Shows a text in a part of the screen, which is drawn again when it has changed."""
        if self._shown.get(name) != text:
            self._shown[name] = text
            self.query_one(name, Static).update(text)

    def _draw_workers(self) -> None:
        told = self.session.workforce
        crew = _table(WORKER_HEADINGS, rows.worker_lines(told, self.session.view))
        canaries = _table(CANARY_HEADINGS, rows.canary_lines(told))
        both = Table.grid()
        both.add_row(crew)
        if told.canaries:
            both.add_row(Text())
            both.add_row(canaries)
        self.query_one("#crew", Static).update(both)

    def _task_line(self, task_id: str, width: int) -> Text:
        return rows.task_line(self.session.view, task_id, time.time(), width, self._id_cells)

    def on_virtual_list_moved(self) -> None:
        self._draw_detail()

    def on_resize(self) -> None:
        self.draw(always=True)

    def say(self, text: str, style: str = "yellow") -> None:
        """Shows a sentence above the keys until the next one."""
        self.query_one("#message", Static).update(Text(one_line(text), style=style))

    # ------------------------------------------------------------ keys

    def _begin(self, work: Callable[..., Coroutine[Any, Any, None]], *of: str) -> None:
        """Starts what a key asks for, unless another key's work still waits for the runner or for an answer."""
        if self._working is None or self._working.is_finished:
            self._working = self.run_worker(partial(work, *of))
        else:
            self.say("the key before this one still waits for the runner")

    @property
    def _chosen(self) -> str:
        return self.query_one(VirtualList).selected

    def _orders(self) -> Orders:
        return Orders(self.session.client, self.session.ref, self.session.plan_id)

    async def _told(self, order: Awaitable[str]) -> None:
        """Shows what came of an order; a refusal in the runner's words."""
        try:
            self.say(await order)
        except SignoffError as error:
            self.say(str(error), "red")

    def action_pause(self) -> None:
        self._begin(self._pause)

    async def _pause(self) -> None:
        await self._told(self._orders().pause_or_resume(self.session.view.state))

    def action_stop(self) -> None:
        self._begin(self._stop)

    async def _stop(self) -> None:
        orders, working = self._orders(), sum(bool(task.worker) for task in self.session.view.tasks.values())
        question = f"stop {orders.plan_id} and cancel the {working} tasks at work? p resumes it"
        if await self.push_screen_wait(Confirm(question)):
            await self._told(orders.stop())

    def action_retry(self) -> None:
        self._begin(self._retry, self._chosen)

    async def _retry(self, task_id: str) -> None:
        orders = self._orders()
        question = f"run {task_id} again? What it and everything downstream of it have made is withdrawn"
        if not task_id:
            return
        if await self.push_screen_wait(Confirm(question)):
            await self._told(orders.retry(task_id))

    def action_why(self) -> None:
        self._begin(self._why, self._chosen)

    async def _why(self, task_id: str) -> None:
        try:
            text = await self._orders().why(task_id) if task_id else "no task is chosen"
        except SignoffError as error:
            self.say(str(error), "red")
        else:
            await self.push_screen_wait(Reader(text))

    def action_candidate(self) -> None:
        self._begin(self._judge, self._chosen, "")

    def action_approve(self) -> None:
        self._begin(self._judge, self._chosen, "a")

    def action_reject(self) -> None:
        self._begin(self._judge, self._chosen, "x")

    async def _judge(self, task_id: str, verdict: str) -> None:
        """Shows a candidate; with a verdict, asks for it and gives it on just what was shown."""
        orders = self._orders()
        try:
            found = await orders.candidate(task_id)
            if verdict:
                require_waiting(found)
        except SignoffError as error:
            self.say(str(error), "red")
            return
        hint = {"a": "a: sign it off", "x": "x: reject it"}.get(verdict, "")
        # guard: people judge in top what they were shown -> pressed = verdict
        pressed = await self.push_screen_wait(Reader(candidate_text(orders.plan_id, found), hint, tuple(verdict)))
        reason = await self.push_screen_wait(AskLine("what is to be mended?")) if pressed == "x" else ""
        if pressed == "a" or reason:
            await self._told(orders.judge(found, passes=pressed == "a", reason=reason, person=_account()))
        elif verdict:
            self.say("no verdict was given: the candidate waits on")

    def action_failed(self) -> None:
        self.failed_only = not self.failed_only
        self.say("failed tasks alone; f shows all" if self.failed_only else "")
        self.draw(always=True)

    def action_filter(self) -> None:
        self._begin(self._filter)

    async def _filter(self) -> None:
        self.wanted = await self.push_screen_wait(AskLine("show tasks, states or workers with:", self.wanted))
        self.say(f"tasks with {self.wanted!r}; / changes it" if self.wanted else "")
        self.draw(always=True)

    def action_workers(self) -> None:
        self.shows_workers = not self.shows_workers
        self.query_one("#run").display = not self.shows_workers
        self.query_one("#workers").display = self.shows_workers
        self.draw(always=True)

    def action_executions(self) -> None:
        self._begin(self._choose)

    async def _choose(self) -> None:
        try:
            found = await self.session.executions()
        except SignoffError as error:
            self.say(str(error), "red")
            return
        number = await self.push_screen_wait(Choose("executions, the newest first", [*map(_named, found)]))
        if number >= 0:
            self.session.choose(found[number])
            self.draw(always=True)

    def action_keys(self) -> None:
        self.push_screen(Reader(HELP))


def _named(execution: pb.Execution) -> str:
    """Returns an execution as a line to choose."""
    began = day_and_time(execution.created_at)
    return f"{execution.plan_id}  {state_name(execution.state)}  {began}  {execution.execution_id}"


def _table(headings: Sequence[str], lines: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(Text(heading, style="bold dim"), overflow="fold")
    for line in lines:
        table.add_row(*(Text(one_line(cell)) for cell in line))
    return table


def _account() -> str:
    """Returns the name of the account; empty when it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
