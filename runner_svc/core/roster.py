"""Who is connected, what they hold, and until when: everything about workers that a restart may forget.

Slots are never counted apart: what a worker can still take is its window less the leases it holds.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, unique

from runner_svc.core.execution import Execution
from runner_svc.core.rates import Gate, Limit, gates_of
from runner_svc.core.terms import Abilities, Wants
from runner_svc.core.values import LeaseId, Phase, Role, SessionId, WorkerName
from signoff.glossary import JUDGE, MODEL

ASKING = frozenset({MODEL, JUDGE})  # handlers that ask a model
MOST_WANTS = 1000  # kinds of workers that are kept in mind; more are found anew when they are wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """The clocks of the conversation, in seconds."""

    accept_deadline: float = 10.0
    resume_grace: float = 60.0  # a lease outlives a lost stream by this much
    limits: Mapping[str, Limit] = field(default_factory=dict)  #: by the name of the model, as workers are asked for it


@dataclass(slots=True, kw_only=True)
class Session:
    """One stream of one worker."""

    id: SessionId
    worker: WorkerName
    role: Role
    slots: int
    makers: frozenset[str]
    abilities: Abilities
    model: str  #: that it asks when none is named
    window: int = 0
    leases: set[LeaseId] = field(default_factory=set)
    draining: bool = False
    serves: list[Wants] = field(default_factory=list)  #: what was asked for so far that it can do
    queued: set[Wants] = field(default_factory=set)  #: those in whose queues of workers with room it stands

    @property
    def has_room(self) -> bool:
        return not self.draining and len(self.leases) < self.window

    def can(self, wants: Wants) -> bool:
        """Whether it has what is wanted, busy or not."""
        return self.role is wants.role and self.abilities.meet(wants)


@dataclass(slots=True, kw_only=True)
class LiveLease:
    """A lease as the running runner knows it."""

    id: LeaseId
    execution: Execution
    task: int
    phase: Phase
    worker: WorkerName
    accepted: bool | None  #: None: given before the runner started, nobody knows
    accept_by: float
    run_until: float
    progress_at: float
    canary: int = 0  #: the number, from 1, of the canary that is judged under it
    reserved: int = 0  #: tokens, where there is a budget
    gate: Gate | None = None  #: of the model it asks, when that has a limit
    taken: float = 0.0  #: tokens that were taken from it
    tokens: int = 0  #: that it has cost so far, with all models
    requests: int = 0
    reminder_at: float = math.inf  #: of the earliest one that is to come


def reserve(lease: LiveLease) -> None:
    """Keeps back what the attempt may cost."""
    ledger = lease.execution.ledger
    if ledger is not None:
        lease.reserved = ledger.estimate(lease.task, lease.phase).tokens
        ledger.reserve(lease.task, lease.reserved)


def settle_reserve(lease: LiveLease, tokens: int) -> None:
    """So much of what was kept back was spent, or is not needed any more."""
    ledger = lease.execution.ledger
    if ledger is not None:
        settled = min(tokens, lease.reserved)
        lease.reserved -= settled
        ledger.release(lease.task, settled)


@unique
class Due(IntEnum):
    """What a deadline is about."""

    LEASE = 1
    GRACE = 2
    RETRY = 3
    GATE = 4


class Roster:
    """The connected workers and all leases that are out."""

    def __init__(self, timings: Timings) -> None:
        self.timings = timings
        self.sessions: dict[SessionId, Session] = {}
        self.current: dict[WorkerName, Session] = {}
        #: workers that may come back, with the end of their grace and the leases they would come back to
        self.absent: dict[WorkerName, tuple[float, set[LeaseId]]] = {}
        self.leases: dict[LeaseId, LiveLease] = {}
        #: for everything that was asked for: those who can do it and had room when they were last looked at
        self._room: dict[Wants, deque[Session]] = {}
        self.gates = gates_of(timings.limits)
        self._deadlines: list[tuple[float, int, Due, object]] = []
        self._ticket = 0  # keeps the heap from comparing what deadlines are about

    # ------------------------------------------------------------ sessions

    def join(self, session: Session, at: float) -> None:
        """Begins a session. While its worker was away, the idle clocks of what it holds stood still."""
        self.sessions[session.id] = session
        self.current[session.worker] = session
        session.serves = [wants for wants in self._room if session.can(wants)]
        until, leases = self.absent.pop(session.worker, (0.0, ()))
        for lease_id in leases:
            self.leases[lease_id].progress_at += at - (until - self.timings.resume_grace)

    def leave(self, session: Session, at: float, *, may_return: bool) -> None:
        """Ends a session. What it holds waits for the worker until the end of the grace, if it may return."""
        del self.sessions[session.id]
        if self.current.get(session.worker) is session:
            del self.current[session.worker]
        session.draining = True
        if may_return:
            self.expect(session.worker, session.leases, at)

    def expect(self, worker: WorkerName, leases: set[LeaseId], at: float) -> None:
        """A worker is away and may come back to these leases."""
        until = at + self.timings.resume_grace
        self.absent[worker] = (until, leases)
        self.remind(until, Due.GRACE, worker)

    def slots(self, role: Role) -> int:
        """Slots of all connected workers of a role."""
        return sum(session.slots for session in self.sessions.values() if session.role is role)

    def reach(self, role: Role) -> int:
        """Leases that the connected workers of a role would hold: their slots, and what they take ahead."""
        return sum(max(session.slots, session.window) for session in self.sessions.values() if session.role is role)

    def held_by(self, worker: WorkerName) -> set[LeaseId]:
        """The leases a worker holds, whether it is connected or away."""
        if worker in self.current:
            return self.current[worker].leases
        return self.absent[worker][1] if worker in self.absent else set()

    def has_maker(self, maker: str) -> bool:
        """Whether a connected executor would make what this maker made."""
        return any(maker in session.makers for session in self.sessions.values() if session.role is Role.EXECUTOR)

    def can_do(self, wants: Wants) -> bool:
        """Whether any connected worker has what is wanted, busy or not."""
        return any(session.can(wants) for session in self.sessions.values())

    # ------------------------------------------------------------ room for work

    def made_room(self, session: Session) -> None:
        """Call whenever a session may have room that it had not."""
        if not session.has_room:
            return
        for wants in session.serves:
            if wants not in session.queued:
                session.queued.add(wants)
                self._room[wants].append(session)

    def has_room(self, wants: Wants, at: float) -> bool:
        """Whether any worker that has what is wanted can take a lease, and its model's gate is open."""
        queue = self._with_room(wants)
        while queue and not queue[0].has_room:
            queue.popleft().queued.discard(wants)
        if not self.gates or not queue:
            return bool(queue)
        return any(session.has_room and self._is_open(wants, session, at) for session in queue)

    def gate_of(self, wants: Wants, session: Session) -> Gate | None:
        """The gate of the model that a worker would ask; None when no limit is known, or nothing is asked."""
        if not (self.gates and wants.handlers & ASKING):
            return None
        return self.gates.get(wants.model or session.model)

    def closed_gate(self, wants: Wants, at: float) -> Gate | None:
        """The gate that holds everybody back who has room for what is wanted; None: there is none."""
        gates = [self.gate_of(wants, s) for s in self.sessions.values() if s.has_room and s.can(wants)]
        closed = [gate for gate in gates if gate is not None and gate.opens_at(at) > at]
        return closed[0] if closed and len(closed) == len(gates) else None

    def _is_open(self, wants: Wants, session: Session, at: float) -> bool:
        gate = self.gate_of(wants, session)
        if gate is None:
            return True
        opens_at = gate.opens_at(at)
        if opens_at > at and not at < gate.reminder_at <= opens_at:
            gate.reminder_at = opens_at
            self.remind(opens_at, Due.GATE, gate)
        return opens_at <= at

    def with_room(self, wants: Wants, at: float, avoid: WorkerName | None = None) -> Session | None:
        """The worker whose turn it is; another one than `avoid` when there is one. None: nobody has room."""
        queue = self._with_room(wants)
        second = None
        for _ in range(len(queue)):
            session = queue.popleft()
            if not session.has_room:
                session.queued.discard(wants)
                continue
            queue.append(session)  # workers take turns
            if not self._is_open(wants, session, at):
                continue
            if session.worker != avoid:
                return session
            second = session
        return second

    def _with_room(self, wants: Wants) -> deque[Session]:
        """The queue of those who can do what is wanted and may have room."""
        queue = self._room.get(wants)
        if queue is None:
            if len(self._room) >= MOST_WANTS:
                self._forget_wants()
            queue = self._room[wants] = deque()
            for session in self.sessions.values():
                if session.can(wants):
                    session.serves.append(wants)
                    self.made_room(session)
        return queue

    def _forget_wants(self) -> None:
        self._room.clear()
        for session in self.sessions.values():
            session.serves.clear()
            session.queued.clear()

    # ------------------------------------------------------------ leases

    def lend(self, execution: Execution, task: int, at: float) -> None:
        """Takes in the lease that a connected worker was just given."""
        lease = self._live(execution, task, at, accepted=False)
        self.leases[lease.id] = lease
        reserve(lease)
        self._take(lease)
        self.current[lease.worker].leases.add(lease.id)
        self.look_at(lease, lease.accept_by)

    def _take(self, lease: LiveLease) -> None:
        if not self.gates:
            return
        wants = lease.execution.wants(lease.task, lease.phase.role)
        lease.gate = self.gate_of(wants, self.current[lease.worker])
        if lease.gate is not None:
            lease.taken = lease.gate.take()

    def lend_again(self, lease: LiveLease, session: Session, at: float) -> None:
        """A lease that nobody has accepted moves to a newer session of its worker."""
        lease.accept_by = at + self.timings.accept_deadline
        session.leases.add(lease.id)
        self.look_at(lease, lease.accept_by)

    def expect_back(self, execution: Execution, task: int, at: float) -> None:
        """Takes in a lease that an earlier runner gave: its worker may come back to it."""
        lease = self._live(execution, task, at, accepted=None)
        self.leases[lease.id] = lease
        reserve(lease)
        self.expect(lease.worker, self.held_by(lease.worker) | {lease.id}, at)

    def _live(self, execution: Execution, task: int, at: float, *, accepted: bool | None) -> LiveLease:
        lease = execution.records[task].lease
        assert lease is not None, f"{execution.map.name(task)} has no lease"
        return LiveLease(
            id=lease.id,
            execution=execution,
            task=task,
            phase=lease.phase,
            worker=lease.worker,
            accepted=accepted,
            accept_by=at + self.timings.accept_deadline,
            run_until=at + execution.run_timeout(task, lease.phase),
            progress_at=at,
            canary=lease.canary,
        )

    def end(self, lease_id: LeaseId) -> LiveLease | None:
        """Forgets a lease; its holder has room again."""
        lease = self.leases.pop(lease_id, None)
        if lease is not None:
            settle_reserve(lease, lease.reserved)
            if lease.gate is not None and lease.requests:
                lease.gate.settle(lease.taken, lease.tokens, lease.requests)
            self.held_by(lease.worker).discard(lease_id)
            if lease.worker in self.current:
                self.made_room(self.current[lease.worker])
        return lease

    def of_execution(self, execution: Execution) -> Iterator[LiveLease]:
        return iter([lease for lease in self.leases.values() if lease.execution is execution])

    # ------------------------------------------------------------ deadlines

    def remind(self, at: float, about: Due, key: object) -> None:
        self._ticket += 1
        heapq.heappush(self._deadlines, (at, self._ticket, about, key))

    def look_at(self, lease: LiveLease, at: float) -> None:
        """Reminds of a lease no later than `at`: whoever looks too early asks to be reminded again.

        So a lease that ends soon costs one deadline, however many clocks run for it.
        """
        if at < lease.reminder_at:
            lease.reminder_at = at
            self.remind(at, Due.LEASE, lease)

    @property
    def next_deadline(self) -> float | None:
        """When to send TimePassed. Deadlines of leases that have ended are dropped."""
        while self._deadlines and self._is_moot(*self._deadlines[0][2:]):
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def _is_moot(self, about: Due, key: object) -> bool:
        return about is Due.LEASE and isinstance(key, LiveLease) and self.leases.get(key.id) is not key

    def due(self, at: float) -> Iterator[tuple[Due, object]]:
        """Takes out the deadlines that have come."""
        while self._deadlines and self._deadlines[0][0] <= at:
            _, _, about, key = heapq.heappop(self._deadlines)
            if isinstance(key, LiveLease):
                key.reminder_at = math.inf
            yield about, key
