"""The screen of `signoff top`: a run with its tasks, or its workers, and what keys do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.widgets import Static

from signoff.cli.top import rows
from signoff.cli.top.dialogs import AskLine, Reader
from signoff.cli.top.session import Session
from signoff.cli.top.steering import WARNING, Steering
from signoff.cli.top.tables import VirtualList
from signoff.cli.top.views import Lines, RunView, WorkersView
from signoff.display.visible_text import one_line, visible

REPAINTS = 4  # a second at most, for a terminal over a slow line
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
        self._shows_workers = False
        self._drawn = (-1, -1)  # the revision, and the second, of what is on the screen
        self._steering = Steering(self, session, self.say)

    def get_line_filters(self) -> Sequence[LineFilter]:
        # guard: NO_COLOR is respected -> return [*super().get_line_filters(), VisibleText()]
        return [*([NoColours()] if self.no_color else super().get_line_filters()), VisibleText()]

    def compose(self) -> ComposeResult:
        yield Lines(id="head")
        yield RunView(self.session)
        yield WorkersView(self.session)
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
        if self._shows_workers:
            self.query_one(WorkersView).draw()
        else:
            self._run.draw()

    def _draw_head(self) -> None:
        view, width = self.session.view, self.size.width
        lines = [rows.headline(view, self.session.plan_id, time.time(), width)]
        if self.session.is_lost:
            lines.append(rows.connection_line(True, self.session.as_of))
        self.query_one("#head", Lines).put(Text("\n", no_wrap=True).join(lines))

    def on_resize(self) -> None:
        self.draw(always=True)

    def say(self, text: str, style: str = WARNING) -> None:
        """Shows a sentence above the keys until the next one."""
        self.query_one("#message", Static).update(Text(one_line(text), style=style))

    @property
    def _run(self) -> RunView:
        return self.query_one(RunView)

    def action_pause(self) -> None:
        self._steering.begin(self._steering.pause)

    def action_stop(self) -> None:
        self._steering.begin(self._steering.stop)

    def action_retry(self) -> None:
        self._steering.begin(self._steering.retry, self._run.chosen)

    def action_why(self) -> None:
        self._steering.begin(self._steering.why, self._run.chosen)

    def action_candidate(self) -> None:
        self._steering.begin(self._steering.judge, self._run.chosen, "")

    def action_approve(self) -> None:
        self._steering.begin(self._steering.judge, self._run.chosen, "a")

    def action_reject(self) -> None:
        self._steering.begin(self._steering.judge, self._run.chosen, "x")

    def action_failed(self) -> None:
        self._run.failed_only = not self._run.failed_only
        self.say("failed tasks alone; f shows all" if self._run.failed_only else "")
        self.draw(always=True)

    def action_filter(self) -> None:
        self._steering.begin(self._filter)

    async def _filter(self) -> None:
        wanted = await self.push_screen_wait(AskLine("show tasks, states or workers with:", self._run.wanted))
        self._run.wanted = wanted
        self.say(f"tasks with {wanted!r}; / changes it" if wanted else "")
        self.draw(always=True)

    def action_workers(self) -> None:
        self._shows_workers = not self._shows_workers
        self._run.display = not self._shows_workers
        self.query_one(WorkersView).display = self._shows_workers
        self.draw(always=True)

    def action_executions(self) -> None:
        self._steering.begin(self._choose)

    async def _choose(self) -> None:
        await self._steering.choose()
        self.draw(always=True)

    def action_keys(self) -> None:
        self.push_screen(Reader(HELP))
