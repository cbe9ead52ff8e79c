"""The hub: the streams of all connected workers. It hands commands to them, and their thinking to its watchers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from runner_svc.core.decide.turn import State
from runner_svc.core.model import commands, events
from runner_svc.core.model.value import value
from runner_svc.core.model.values import ExecutionId, LeaseId, Phase, SessionId, WorkerName
from runner_svc.publish.feed import Feed
from runner_svc.publish.last_thoughts import LastThoughts
from signoff.errors import SessionReplaced, SignoffError, Unavailable, WorkerTooSlow
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2

#: Seconds that an acknowledgement waits for a frame which is sent anyway. No work waits for one, and without a frame of
#: their own a chain of tasks takes an eighth less time.
ACKNOWLEDGE_WITHIN = 0.02

#: Messages that may wait for a worker to read them. A worker that comes back with as many leases as Hello can name gets
#: two messages about each, and as many assignments as its credit allows.
MOST_UNSENT = 100_000


@value(frozen=True, slots=True)
class Lent:
    """The facts about a lease that is out, as they were committed."""

    worker: WorkerName
    execution: ExecutionId
    task_id: str
    attempt: int
    phase: Phase


class SessionWriter:
    """One worker's stream, as far as the runner writes to it.

    Most messages answer one of the worker's, and would pile up when the worker sends much and reads nothing. So the
    outbox has a bound; beyond it the session ends.
    """

    def __init__(self, session_id: SessionId, hello: worker_pb2.Hello, connected_at: float) -> None:
        self.id = session_id
        self.hello = hello
        self.connected_at = connected_at
        self.is_leaving = False  #: the worker has said goodbye on this stream
        self.outbox: deque[commands.Command | worker_pb2.RunnerMessage] = deque()
        self.wake = asyncio.Event()
        self._reminder: asyncio.TimerHandle | None = None  # of acknowledgements
        self.ended: asyncio.Future[SignoffError | None] = asyncio.get_running_loop().create_future()

    def send(self, item: commands.Command | worker_pb2.RunnerMessage) -> None:
        # guard: the outbox is bounded -> if False:
        if len(self.outbox) >= MOST_UNSENT:
            self._overflow()
            return
        self.outbox.append(item)
        if not isinstance(item, commands.Acknowledge) or self.is_leaving:
            self.wake.set()
        elif self._reminder is None:
            self._reminder = asyncio.get_running_loop().call_later(ACKNOWLEDGE_WITHIN, self._remind)

    def _overflow(self) -> None:
        self.outbox.clear()
        most = f"expected the worker to read what it is sent, but more than {MOST_UNSENT:,} messages wait for it"
        self.end(WorkerTooSlow(most))

    def _remind(self) -> None:
        self._reminder = None
        self.wake.set()

    def end(self, error: SignoffError | None) -> None:
        """Makes the stream end: in order, or with this error."""
        if not self.ended.done():
            self.ended.set_result(error)


class Hub:
    """Implements the engine's Performer and Observer over the sessions."""

    def __init__(self, feed: Feed, thoughts: LastThoughts | None = None) -> None:
        self.thoughts = thoughts or LastThoughts()
        self.sessions: dict[SessionId, SessionWriter] = {}
        self._by_name: dict[str, SessionWriter] = {}
        self._feed = feed
        self._lent: dict[LeaseId, Lent] = {}
        self._returned = asyncio.Event()

    @property
    def leases_out(self) -> int:
        return len(self._lent)

    def add(self, session: SessionWriter) -> None:
        self.sessions[session.id] = session
        self._by_name[session.hello.name] = session

    def remove(self, session: SessionWriter) -> None:
        del self.sessions[session.id]
        if self._by_name.get(session.hello.name) is session:
            del self._by_name[session.hello.name]

    def perform(self, orders: Sequence[commands.Command]) -> None:
        for command in orders:
            session = self.sessions.get(command.session)
            if session is None:
                continue
            if isinstance(command, commands.EndSession):
                session.end(None if command.continued else SessionReplaced(command.reason))
            else:
                session.send(command)
                # guard: attention after keep -> if False:
                if isinstance(command, commands.Keep):
                    self._tell_attention(session, command.lease)

    def rebuilt(self, state: State) -> None:
        """Takes in the leases that earlier runners gave: they are out too."""
        self._lent.clear()
        for lease in state.roster.leases.values():
            attempt = lease.execution.records[lease.task].attempt
            task_id = lease.execution.map.task_ids[lease.task]
            self._lent[lease.id] = Lent(lease.worker, lease.execution.id, task_id, attempt, lease.phase)
        self.thoughts.keep_only(self._lent)

    def committed(self, state: State, entries: Sequence[events.Entry]) -> None:
        """Keeps track of the leases that are out."""
        for entry in entries:
            event = entry.event
            if isinstance(event, events.TaskAssigned):
                task_id = state.executions[entry.execution].map.task_ids[event.task]
                self._lent[event.lease] = Lent(event.worker, entry.execution, task_id, event.attempt, event.phase)
            elif isinstance(event, events.LeaseEnded):
                self._lent.pop(event.lease, None)
                # guard: thoughts end with their lease -> pass
                self.thoughts.end(event.lease)
        if not self._lent:
            self._returned.set()

    def is_settled(self, plan_id: str) -> bool:
        """Returns True: executions that have ended have no leases, so nothing is left to do for them."""
        return True

    def end_session(self, session: SessionId, error: SignoffError) -> None:
        if session in self.sessions:
            self.sessions[session].end(error)

    def disconnect_all(self, reason: str) -> None:
        for session in self.sessions.values():
            session.end(Unavailable(reason))

    def drain(self, within: float) -> None:
        """Asks every worker to finish what it holds and to come back later."""
        message = worker_pb2.RunnerMessage(drain=worker_pb2.Drain())
        message.drain.within.FromMilliseconds(round(within * 1000))
        for session in self.sessions.values():
            session.send(message)

    async def all_returned(self) -> None:
        """Returns when no lease is out."""
        while self._lent:
            self._returned.clear()
            await self._returned.wait()

    def has_lent(self, session: SessionWriter, lease: LeaseId) -> bool:
        """Tells whether a lease is out to a session's worker, as committed so far, and the session is its newest."""
        lent = self._lent.get(lease)
        return lent is not None and self._by_name.get(lent.worker) is session

    # ------------------------------------------------------------ thinking

    def think(self, progress: worker_pb2.Progress) -> None:
        """Keeps a piece of thinking, and hands it to its watchers. The lease must be one that `has_lent` knows."""
        lease = LeaseId(progress.lease_id)
        lent = self._lent.get(lease)
        if lent is None or not (progress.thinking or progress.gap):
            return
        self.thoughts.add(lease, progress.thinking, gap=progress.gap)
        if not self._feed.wants_thinking(lent.execution):
            return
        piece = runner_pb2.Thinking(
            task_id=lent.task_id,
            attempt=lent.attempt,
            phase=execution_pb2.Phase.ValueType(lent.phase),
            text=progress.thinking,
            gap=progress.gap,
        )
        self._feed.think(lent.execution, piece)

    def wants_thinking(self, execution: ExecutionId) -> bool:
        """Tells whether workers are to send what they think: it is kept, or a watcher wants to see it."""
        return self.thoughts.is_on or self._feed.wants_thinking(execution)

    def attention_changed(self, execution: ExecutionId) -> None:
        """Tells the workers of an execution whether their thinking is wanted, after a watcher has come or gone."""
        if self.thoughts.is_on:
            return  # it is wanted in any case
        for lease, lent in self._lent.items():
            session = self._by_name.get(lent.worker)
            if lent.execution == execution and session is not None:
                self._tell_attention(session, lease)

    def _tell_attention(self, session: SessionWriter, lease: LeaseId) -> None:
        """Tells a worker whether thinking is wanted. Needed for kept leases, too: watchers may have come or gone."""
        if lease in self._lent:
            wanted = self.wants_thinking(self._lent[lease].execution)
            attention = worker_pb2.Attention(lease_id=lease, thinking_wanted=wanted)
            session.send(worker_pb2.RunnerMessage(attention=attention))
