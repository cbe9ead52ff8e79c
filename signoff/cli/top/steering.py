"""The keys of `signoff top` that need the runner: each asks the person what it must, and says what came of it."""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from textual.app import App
from textual.worker import Worker

from signoff.cli.top.dialogs import AskLine, Choose, Confirm, Reader
from signoff.cli.top.orders import Orders, candidate_text, require_waiting
from signoff.cli.top.session import Session
from signoff.display.wire_names import day_and_time, state_name
from signoff.errors import SignoffError
from signoff.v1 import execution_pb2 as pb

WARNING, REFUSAL = "yellow", "red"  # styles of sentences


class Steering:
    """Steers the execution of a session. `say` shows a sentence in a style."""

    def __init__(self, app: App[None], session: Session, say: Callable[[str, str], None]) -> None:
        self._app, self._session, self._say = app, session, say
        self._working: Worker[None] | None = None

    def begin(self, work: Callable[..., Coroutine[Any, Any, None]], *of: str) -> None:
        """Starts what a key asks for, unless another key's work still waits for the runner or for an answer."""
        if self._working is None or self._working.is_finished:
            self._working = self._app.run_worker(partial(work, *of))
        else:
            self._say("the key before this one still waits for the runner", WARNING)

    def _orders(self) -> Orders:
        return Orders(self._session.client, self._session.ref, self._session.plan_id)

    async def _told(self, order: Awaitable[str]) -> None:
        """Shows what came of an order; a refusal in the runner's words."""
        try:
            self._say(await order, WARNING)
        except SignoffError as error:
            self._say(str(error), REFUSAL)

    async def pause(self) -> None:
        """Pauses what runs, and resumes all else."""
        await self._told(self._orders().pause_or_resume(self._session.view.state))

    async def stop(self) -> None:
        """Stops the execution, after a yes."""
        orders, working = self._orders(), sum(bool(task.worker) for task in self._session.view.tasks.values())
        question = f"stop {orders.plan_id} and cancel the {working} tasks at work? p resumes it"
        if await self._app.push_screen_wait(Confirm(question)):
            await self._told(orders.stop())

    async def retry(self, task_id: str) -> None:
        """Runs a task again, after a yes."""
        orders = self._orders()
        question = f"run {task_id} again? What it and everything downstream of it have made is withdrawn"
        if not task_id:
            return
        if await self._app.push_screen_wait(Confirm(question)):
            await self._told(orders.retry(task_id))

    async def why(self, task_id: str) -> None:
        """Shows why a task is not finished."""
        try:
            text = await self._orders().why(task_id) if task_id else "no task is chosen"
        except SignoffError as error:
            self._say(str(error), REFUSAL)
        else:
            await self._app.push_screen_wait(Reader(text))

    async def judge(self, task_id: str, verdict: str) -> None:
        """Shows a candidate; with a verdict, asks for it and gives it on just what was shown."""
        orders = self._orders()
        try:
            found = await orders.candidate(task_id)
            if verdict:
                require_waiting(found)
        except SignoffError as error:
            self._say(str(error), REFUSAL)
            return
        hint = {"a": "a: sign it off", "x": "x: reject it"}.get(verdict, "")
        # guard: people judge in top what they were shown -> pressed = verdict
        pressed = await self._app.push_screen_wait(Reader(candidate_text(orders.plan_id, found), hint, tuple(verdict)))
        reason = await self._app.push_screen_wait(AskLine("what is to be mended?")) if pressed == "x" else ""
        if pressed == "a" or reason:
            await self._told(orders.judge(found, passes=pressed == "a", reason=reason, person=_account()))
        elif verdict:
            self._say("no verdict was given: the candidate waits on", WARNING)

    async def choose(self) -> None:
        """Lets the person choose the execution that the session follows."""
        try:
            found = await self._session.executions()
        except SignoffError as error:
            self._say(str(error), REFUSAL)
            return
        number = await self._app.push_screen_wait(Choose("executions, the newest first", [*map(_named, found)]))
        if number >= 0:
            self._session.choose(found[number])


def _named(execution: pb.Execution) -> str:
    """Returns an execution as a line to choose."""
    began = day_and_time(execution.created_at)
    return f"{execution.plan_id}  {state_name(execution.state)}  {began}  {execution.execution_id}"


def _account() -> str:
    """Returns the name of the account; empty when it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
