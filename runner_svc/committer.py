"""What is decided becomes durable, then known, then done: one transaction after another.

While one commits, whatever is decided meanwhile waits for the next. When the store refuses, or telling it throws,
nothing more is committed until the engine has built the state anew, and all who wait for an answer are told.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from runner_svc.codec.journal.entries import event_for_watchers
from runner_svc.contents import Contents
from runner_svc.core.decide.turn import Decision, State
from runner_svc.core.model import commands, events
from runner_svc.core.model.values import ExecutionId, SessionId
from runner_svc.publish.feed import Feed
from runner_svc.store.port import Row, Store
from signoff.errors import Bug, SignoffError, StorageFailed
from signoff.v1 import execution_pb2

log = structlog.get_logger(__name__)

TOLD_AT_ONCE = 5000  # entries of a large decision for which the loop is held
LAST_COMMIT_WITHIN = 2.0  # seconds that a runner which ends waits for it


class Performer(Protocol):
    """Carries out commands towards the workers."""

    def perform(self, orders: Sequence[commands.Command]) -> None:
        """Hands commands to their sessions. Never blocks; commands for sessions that have ended are dropped."""

    def end_session(self, session: SessionId, error: SignoffError) -> None:
        """Ends a session with an error; the first error counts."""

    def disconnect_all(self, reason: str) -> None:
        """Ends every session: the runner no longer knows what it told them."""


class Observer(Protocol):
    """Hears of what was committed, after the watchers."""

    def rebuilt(self, state: State) -> None:
        """Takes the state as it was made anew from the journal: at the start, and after the store has failed."""

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        """Takes what has become durable."""

    def is_settled(self, plan_id: str) -> bool:
        """Tells whether nothing is left to do for the executions of a plan that have ended."""


@dataclass(slots=True)
class Answered:
    """Holds what a caller is told once the turn is durable."""

    future: asyncio.Future[Any]
    value: Any = None
    error: Exception | None = field(default=None)


@dataclass(slots=True)
class Batch:
    """Collects what some turns decided, to be remembered in one transaction."""

    rows: list[Row] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    entries: list[events.Entry] = field(default_factory=list)
    messages: defaultdict[ExecutionId, list[execution_pb2.Event]] = field(default_factory=lambda: defaultdict(list))
    commands: list[commands.Command] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.entries or self.commands or self.answers)


class Committer:
    """Commits what it is given, tells the watchers and callers, and says when it cannot.

    `state` is the engine's by now; `unanswered` takes those who wait for an answer of the engine itself, for a failure
    to be theirs too; `unexplained` notes a bug that no execution is to blame for; `wake` has the engine begin a turn.
    """

    def __init__(
        self,
        store: Store,
        contents: Contents,
        feed: Feed,
        performer: Performer,
        *,
        state: Callable[[], State],
        unanswered: Callable[[], list[Answered]],
        unexplained: Callable[[], None],
        wake: Callable[[], None],
    ) -> None:
        self._store, self._contents, self._feed, self._performer = store, contents, feed, performer
        self._state, self._unanswered, self._unexplained, self._wake = state, unanswered, unexplained, wake
        self.observers: list[Observer] = []
        self.decided = Batch()
        self.failure: Exception | None = None  #: the machine is ahead of the journal, or of what was told, for good
        self._running: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def add(self, decision: Decision, written: list[tuple[Row, execution_pb2.Event]], answers: list[Answered]) -> None:
        """Adds all of a decision to what is to be committed next, in one transaction, and sees to it that it is."""
        batch = self.decided
        batch.rows += [row for row, _ in written]
        for row, message in written:
            batch.messages[ExecutionId(row.journal)].append(event_for_watchers(message))
        batch.entries += decision.entries
        batch.contents |= decision.contents
        batch.commands += decision.commands
        batch.answers += answers
        if self._running is None and not batch.is_empty:
            self._running = asyncio.create_task(self._commit_all())
            self._running.add_done_callback(self._ended)

    async def idle(self) -> None:
        """Returns when nothing that was decided waits for a commit."""
        while self._running is not None:
            await asyncio.shield(self._running)

    def check(self) -> None:
        """Raises the bug that ended a commit."""
        if self._running is not None and self._running.done():
            self._running.result()

    async def end(self) -> None:
        """Waits for the last commit; one that takes too long is left to the store."""
        if self._running is not None:
            await asyncio.wait([self._running], timeout=LAST_COMMIT_WITHIN)
        if self._running is not None:
            self._running.cancel()

    def refuse(self, answers: Sequence[Answered], failure: Exception) -> None:
        """Tells callers that what they asked for was not committed."""
        if isinstance(failure, StorageFailed):
            log.error("store_failed", error=str(failure))
        else:
            log.error("bug_in_commit", exc_info=failure)
            self._unexplained()
            failure = Bug()
        deliver([Answered(answer.future, error=failure) for answer in answers])

    # ------------------------------------------------------------ one transaction after another

    async def _commit_all(self) -> None:
        """Commits until nothing more is decided, or something fails: then the next turn begins with a rebuild."""
        while not self.decided.is_empty and self.failure is None:
            batch, self.decided = self.decided, Batch()
            try:
                await self.commit(batch)
            except Exception as failure:  # noqa: BLE001 - the store refused, or there is a bug in what it was given
                self.failure = failure
                later, self.decided = self.decided, Batch()
                self.refuse([*batch.answers, *later.answers, *self._unanswered()], failure)
                self._wake()
        self._running = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._wake()

    async def commit(self, batch: Batch) -> None:
        """Makes a batch durable, tells it, and answers. Raises what the store refused it with."""
        # guard: world: remember before acting ->
        #     self._performer.perform(batch.commands)
        #     await self._remember(batch)
        # guard: remember before telling; world: remember before answering ->
        #     deliver(batch.answers)
        #     await self._remember(batch)
        await self._remember(batch)
        try:
            await self._tell(batch)
        except Exception as bug:
            log.error("bug_in_telling", exc_info=bug)
            self._unexplained()
            # guard: a bug after the commit -> raise
            self.failure = bug
            self._wake()
        deliver(batch.answers)

    async def _remember(self, batch: Batch) -> None:
        """Appends events in one transaction."""
        if batch.entries:
            await self._store.append(batch.rows, batch.contents)

    async def _tell(self, batch: Batch) -> None:
        """Publishes what is durable, then acts on it."""
        if batch.entries:
            self._contents.remember(batch.contents)
            self._feed.publish(batch.messages)
        for start in range(0, len(batch.entries), TOLD_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for observer in self.observers:
                observer.committed(self._state(), batch.entries[start : start + TOLD_AT_ONCE])
        self._performer.perform(batch.commands)


def deliver(answers: Sequence[Answered]) -> None:
    """Answers those who still wait."""
    for answer in answers:
        if answer.future.done():
            continue  # the caller has gone
        if answer.error is not None:
            answer.future.set_exception(answer.error)
        else:
            answer.future.set_result(answer.value)
