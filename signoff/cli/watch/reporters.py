"""The reporters of a watch: a screen on a terminal, plain lines in a pipe, or JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from types import TracebackType
from typing import Any, Protocol, Self

from signoff.cli.show.output import CommandOutput
from signoff.cli.watch.screen import NOTICE_LINES, GridRows, ScreenSize, frame
from signoff.client.view import Change, View
from signoff.client.watch import Message, Snapshot
from signoff.display.event_sentences import sentence_of
from signoff.display.wire_names import clock_time, iso, record_of, status_name
from signoff.v1 import execution_pb2, runner_pb2

FRAMES_PER_SECOND = 4  # at most: a frame that is as the last one is not written
SHOWN_WITHOUT_A_MOVE = {
    "judge_failed",
    "outage_met",
    "lease_lost",
    "task_failed",
    "orphan_stored",
    "orphan_adopted",
    "person_asked",
}


class Reporter(Protocol):
    """Shows a watch to a person or a program. It is entered for as long as the watch goes on."""

    tells_every_event: bool  #: also those that happened before the watch had begun

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def show(self, view: View, message: Message, change: Change | None) -> None:
        """Shows a message that came, after it was folded into the view."""

    def notice(self, text: str) -> None:
        """Shows something that is no event of the execution."""


def reporter_for(output: CommandOutput, grid_rows: GridRows, hint: str) -> Reporter:
    if output.json:
        return JsonReporter(output)
    return ScreenReporter(output, grid_rows, hint) if output.is_screen else LineReporter(output)


class _Plain:
    tells_every_event = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None


class LineReporter(_Plain):
    """Writes a line for every change of a task's status, and for every event of the execution itself."""

    def __init__(self, output: CommandOutput) -> None:
        self._output = output

    def show(self, view: View, message: Message, change: Change | None) -> None:
        if isinstance(message, Snapshot):
            self._output.line(f"{view.plan_id} ({view.execution_id}): {view.done} of {view.total} signed off")
        elif change is not None and is_worth_a_line(change):
            self._output.line(line_of(view, change))

    def notice(self, text: str) -> None:
        self._output.note(text)


def is_worth_a_line(change: Change) -> bool:
    if change.before is None or change.after is None:
        return change.event.WhichOneof("kind") != "command_noted"
    moved = change.before.status != change.after.status
    return moved or change.event.WhichOneof("kind") in SHOWN_WITHOUT_A_MOVE


def line_of(view: View, change: Change) -> str:
    """Returns for example "18:24:05  1_2  done  signed off (4 of 13)"."""
    sentence = sentence_of(change.event)
    if change.after is None:
        return f"{clock_time(change.event.at)}  {view.plan_id}: {sentence}"
    if change.event.WhichOneof("kind") in ("verdict_passed", "artifact_kept"):
        sentence = f"{sentence} ({view.done} of {view.total})"
    return f"{clock_time(change.event.at)}  {change.after.task_id}  {status_name(change.after.status)}  {sentence}"


class JsonReporter(_Plain):
    """Writes every event as a record, and thinking when it was asked for."""

    tells_every_event = True

    def __init__(self, output: CommandOutput) -> None:
        self._output = output

    def show(self, view: View, message: Message, change: Change | None) -> None:
        if isinstance(message, Snapshot):
            self._output.record({"event": "snapshot", **record_of(message.execution)})
        elif isinstance(message, runner_pb2.Thinking):
            self._output.record({"event": "thinking", **record_of(message)})
        else:
            status = {"status": status_name(change.after.status)} if change and change.after else {}
            self._output.record({**event_record(message), **status})

    def notice(self, text: str) -> None:
        self._output.record({"event": "notice", "message": text})


def event_record(event: execution_pb2.Event) -> dict[str, Any]:
    """Returns an event as one flat object; `event` is its kind, for example "task-assigned"."""
    kind = event.WhichOneof("kind") or "unknown"
    task = {"task_id": event.task_id} if event.task_id else {}
    fields = record_of(getattr(event, kind)) if kind != "unknown" else {}
    return {"event": kind.replace("_", "-"), "sequence": event.sequence, "at": iso(event.at), **task, **fields}


def is_worth_a_notice(event: execution_pb2.Event) -> bool:
    """Tells whether an event needs a notice, because the grid does not show it: unread inputs, a person's sign-off."""
    return event.candidate_stored.HasField("unread") or event.verdict_passed.by.HasField("person")


class ScreenReporter:
    """Draws the view at most a few times a second, on the terminal's second screen: the first comes back at the end."""

    tells_every_event = False

    def __init__(self, output: CommandOutput, grid_rows: GridRows, hint: str) -> None:
        self._output, self._grid_rows, self._hint = output, grid_rows, hint
        self._screen = output.second_screen()
        self._notices: deque[str] = deque(maxlen=NOTICE_LINES)
        self._all_notices: list[str] = []
        self._view = View()
        self._drawing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._screen.open()
        self._drawing = asyncio.create_task(self._draw_on())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        try:
            if self._drawing is not None:
                self._drawing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._drawing
        finally:
            self._screen.close()
        for notice in self._all_notices:
            self._output.note(notice)

    def show(self, view: View, message: Message, change: Change | None) -> None:
        self._view = view
        if change is not None and change.after is not None and change.after.last_failure:
            kind = change.event.WhichOneof("kind")
            if kind in ("verdict_failed", "attempt_failed", "judge_failed", "lease_lost", "task_failed"):
                self._notices.append(f"{change.after.task_id}: {sentence_of(change.event)}")
        if change is not None and is_worth_a_notice(change.event):
            self._notices.append(f"{change.event.task_id}: {sentence_of(change.event)}")

    def notice(self, text: str) -> None:
        self._notices.append(text)
        self._all_notices.append(text)

    async def _draw_on(self) -> None:
        while True:
            self._screen.paint(self._picture())
            await asyncio.sleep(1 / FRAMES_PER_SECOND)

    def _picture(self) -> Any:
        width, height = self._screen.size
        return frame(
            self._view,
            self._grid_rows,
            tuple(self._notices),
            size=ScreenSize(width=width, height=height),
            at=time.time(),
            hint=self._hint,
            ascii_only=self._screen.is_ascii,
        )
