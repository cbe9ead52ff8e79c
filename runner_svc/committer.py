"""The committer: makes decisions durable, then publishes them, then carries them out, one transaction at a time.

Decisions that come during a commit wait for the next one. When the store refuses, or publishing throws, nothing more is
committed until the engine has built the state anew. All callers that wait for an answer get the failure.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from runner_svc.codec.journal.entries import event_for_watchers
from runner_svc.contents import Contents
from runner_svc.core.decide.turn import Decision, State
from runner_svc.core.model import commands, events
from runner_svc.core.model.values import ExecutionId, SessionId
from runner_svc.publish.feed import Feed
from runner_svc.store.port import Listed, Row, Store
from signoff.errors import Bug, SignoffError, StorageFailed, Unavailable
from signoff.v1 import execution_pb2

log = structlog.get_logger(__name__)

TOLD_AT_ONCE = 5000  # entries of a large decision for which the loop is held
LAST_COMMIT_WITHIN = 2.0  # seconds that a runner waits for the last commit when it ends


class Performer(Protocol):
    """Port: carries out commands towards the workers."""

    def perform(self, orders: Sequence[commands.Command]) -> None:
        """Hands commands to their sessions, and never blocks. Commands to sessions that have ended are dropped."""

    def end_session(self, session: SessionId, error: SignoffError) -> None:
        """Ends a session with an error; the first error counts."""

    def disconnect_all(self, reason: str) -> None:
        """Ends every session: the runner no longer knows what it told them."""


class Observer(Protocol):
    """Port: is told of every commit, after the watchers."""

    def rebuilt(self, state: State) -> None:
        """Takes the state that was built from the journal, at the start and after each failure."""

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        """Takes the events that have become durable."""

    def is_settled(self, plan_id: str) -> bool:
        """Tells whether nothing is left to do for the executions of a plan that have ended."""


@dataclass(slots=True)
class Answered:
    """The answer that a caller gets once the turn is durable."""

    future: asyncio.Future[Any]
    value: Any = None
    error: Exception | None = field(default=None)


@dataclass(slots=True)
class Batch:
    """The decisions of some turns, to be committed in one transaction."""

    rows: list[Row] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)  #: contents that were brought before, under leases
    listed: dict[str, Listed] = field(default_factory=dict)  #: by execution
    entries: list[events.Entry] = field(default_factory=list)
    messages: defaultdict[ExecutionId, list[execution_pb2.Event]] = field(default_factory=lambda: defaultdict(list))
    commands: list[commands.Command] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.entries or self.commands or self.answers)


class Committer:
    """Commits decisions, tells watchers and callers, and reports its failure to the engine.

    `state` returns the engine's present state. `unanswered` takes the callers that wait for an answer of the engine
    itself, so that they get the failure, too. `unexplained` notes a bug that is no execution's fault. `wake` makes the
    engine begin a turn.
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
        self.failure: Exception | None = None  #: the machine is ahead of the journal, or of the watchers, for good
        self._running: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._running is not None

    def add(
        self,
        decision: Decision,
        written: list[tuple[Row, execution_pb2.Event]],
        listed: Iterable[Listed],
        answers: list[Answered],
    ) -> None:
        """Adds a decision to the next transaction, and starts committing if nothing is being committed."""
        batch = self.decided
        batch.rows += [row for row, _ in written]
        for row, message in written:
            batch.messages[ExecutionId(row.journal)].append(event_for_watchers(message))
        batch.entries += decision.entries
        batch.contents |= decision.contents
        batch.named += decision.named
        batch.listed |= {each.journal: each for each in listed}
        batch.commands += decision.commands
        batch.answers += answers
        if self._running is None and not batch.is_empty:
            self._running = asyncio.create_task(self._commit_all())
            self._running.add_done_callback(self._ended)

    async def idle(self) -> None:
        """Returns once every decision is committed."""
        while self._running is not None:
            await asyncio.shield(self._running)

    def check(self) -> None:
        """Raises the bug that has ended the commits, if there is one."""
        if self._running is not None and self._running.done():
            self._running.result()

    async def end(self) -> None:
        """Waits for the last commit. One that takes too long is left to the store."""
        if self._running is not None:
            await asyncio.wait([self._running], timeout=LAST_COMMIT_WITHIN)
        if self._running is not None:
            self._running.cancel()

    def refuse(self, answers: Sequence[Answered], failure: Exception) -> None:
        """Answers callers with the failure: nothing of their commands was committed."""
        if isinstance(failure, StorageFailed):
            log.error("store_failed", error=str(failure))
        else:
            log.error("bug_in_commit", exc_info=failure)
            self._unexplained()
            failure = Bug()
        deliver([Answered(answer.future, error=failure) for answer in answers])

    # ------------------------------------------------------------ one transaction after another

    async def _commit_all(self) -> None:
        """Commits until no decision is left or one fails. After a failure the next turn begins with a rebuild."""
        while not self.decided.is_empty and self.failure is None:
            batch, self.decided = self.decided, Batch()
            try:
                await self.commit(batch)
            except Exception as failure:  # noqa: BLE001 - the store refused, or the batch has a bug
                self.failure = failure
                self.refuse([*batch.answers, *self._take_later()], failure)
                self._wake()
        self._running = None

    def _take_later(self) -> list[Answered]:
        """Drops what was decided on a state that is built anew. Returns those who wait for it."""
        later, self.decided = self.decided, Batch()
        return [*later.answers, *self._unanswered()]

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._wake()

    async def commit(self, batch: Batch) -> None:
        """Makes a batch durable, publishes it, and answers. Raises the error with which the store refused it."""
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
            # guard: what was decided before a rebuild is not committed after it -> pass
            deliver([replace(answer, error=_not_told()) for answer in self._take_later()])
            self._wake()
        deliver(batch.answers)

    async def _remember(self, batch: Batch) -> None:
        """Appends events in one transaction."""
        if batch.entries:
            await self._store.append(batch.rows, batch.contents, [*batch.listed.values()], batch.named)

    async def _tell(self, batch: Batch) -> None:
        """Publishes the events, then performs the commands."""
        if batch.entries:
            self._contents.remember(batch.contents)
            self._feed.publish(batch.messages)
        for start in range(0, len(batch.entries), TOLD_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            for observer in self.observers:
                observer.committed(self._state(), batch.entries[start : start + TOLD_AT_ONCE])
        self._performer.perform(batch.commands)


def _not_told() -> Unavailable:
    return Unavailable("a bug ended the turn before this one, and nothing of this one was changed: try again")


def deliver(answers: Sequence[Answered]) -> None:
    """Answers the callers that still wait."""
    for answer in answers:
        if answer.future.done():
            continue  # the caller has gone
        if answer.error is not None:
            answer.future.set_exception(answer.error)
        else:
            answer.future.set_result(answer.value)
