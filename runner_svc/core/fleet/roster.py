"""The roster: the connected workers, the leases they hold, and their deadlines. A restart may forget all of it.

Free slots are never counted: a worker can take its window less the leases it holds.
"""

from __future__ import annotations

from collections.abc import Iterator

from runner_svc.core.fleet.deadlines import Deadlines, Due
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.fleet.matching import Matching
from runner_svc.core.fleet.rests import Rests
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.values import LeaseId, ModelAt, Role, SessionId, WorkerName
from runner_svc.core.spending.reservations import release, reserve, size_of_lease
from runner_svc.core.state.execution import Execution


class Roster:
    """The connected workers and all leases that are out."""

    def __init__(self, timings: StreamTimings, tables: ModelTables) -> None:
        self.timings = timings
        self.tables = tables
        self.sessions: dict[SessionId, WorkerSession] = {}
        self.current: dict[WorkerName, WorkerSession] = {}
        self.absent: dict[WorkerName, float] = {}  #: workers that may come back, with the end of their grace
        self.leases: dict[LeaseId, LiveLease] = {}  #: all that are out: the one book of who holds what
        self._held: dict[WorkerName, set[LeaseId]] = {}  # an index of it; connected sessions share their set
        self.deadlines = Deadlines(lambda lease: self.leases.get(lease.id) is lease)
        self.matching = Matching(self.sessions, tables.limits, self.deadlines)
        self.outages = self.matching.outages
        self.rests = Rests(lambda at, worker: self.deadlines.remind(at, Due.REST, worker))

    # ------------------------------------------------------------ workers

    def join(self, session: WorkerSession, at: float) -> None:
        """Begins a session. The idle clocks of its worker's leases stood still while the worker was away."""
        self.sessions[session.id] = session
        self.current[session.worker] = session
        session.leases = self._held.setdefault(session.worker, set())
        # guard: a new session goes on resting -> session.resting = False
        session.resting = self.rests.until(session.worker, at) is not None
        self.matching.joined(session)
        until = self.absent.pop(session.worker, None)
        if until is not None:
            for lease_id in session.leases:
                # guard: the idle clock stands still while a worker is away -> pass
                self.leases[lease_id].progress_at += at - (until - self.timings.resume_grace)

    def leave(self, session: WorkerSession, at: float, *, may_return: bool) -> None:
        """Ends a session. If the worker may return, its leases wait for it until the end of the grace."""
        del self.sessions[session.id]
        self.matching.left()
        if self.current.get(session.worker) is session:
            del self.current[session.worker]
        session.draining = True
        if may_return:
            self.expect(session.worker, at)
        self._forget_if_idle(session.worker)

    def expect(self, worker: WorkerName, at: float) -> None:
        """Waits for a worker that may come back to its leases, unless it is connected, or waited for already."""
        # guard: only a worker that is away is waited for -> if worker in self.absent:
        # guard: a grace is not lengthened -> if worker in self.current:
        if worker in self.current or worker in self.absent:
            return
        # guard: resume grace -> until = at
        until = at + self.timings.resume_grace
        self.absent[worker] = until
        # guard: world: the grace ends -> pass
        self.deadlines.remind(until, Due.GRACE, worker)

    def gave_back(self, worker: WorkerName, at: float) -> None:
        """Takes in that a connected worker has given work back, or let it lie. One that drains may do so."""
        session = self.current[worker]
        if not session.draining:
            self.rests.gave_back(worker, at)
            session.resting = self.rests.until(worker, at) is not None

    def brought_result(self, worker: WorkerName, at: float) -> None:
        """Takes in that a connected worker has brought a result: it rests no more."""
        self.rests.brought_result(worker)
        self.check_rest(worker, at)

    def check_rest(self, worker: WorkerName, at: float) -> None:
        """Gives a worker work again when its rest is over."""
        self.rests.forget_old(worker, at)
        session = self.current.get(worker)
        if session is not None and session.resting and self.rests.until(worker, at) is None:
            session.resting = False
            self.matching.made_room(session)

    def resting(self, requirement: Requirement) -> list[WorkerName]:
        """Returns the connected workers that meet a requirement, and rest."""
        return [session.worker for session in self.sessions.values() if session.resting and session.can(requirement)]

    def postpone(self, by: float) -> None:
        """Moves the deadlines of leases, and of workers that are away, by so many seconds."""
        for lease in self.leases.values():
            lease.accept_by += by
            lease.run_until += by
            lease.progress_at += by
            lease.reminder_at += by
        self.absent = {worker: until + by for worker, until in self.absent.items()}
        self.deadlines.postpone(by)
        self.outages.postpone(by)

    def slots(self, role: Role) -> int:
        """Returns the slots of all connected workers of a role."""
        return sum(session.slots for session in self.sessions.values() if session.role is role)

    def reach(self, role: Role) -> int:
        """Returns how many leases the connected workers of a role would hold, those taken ahead included."""
        return sum(max(session.slots, session.window) for session in self.sessions.values() if session.role is role)

    def held_by(self, worker: WorkerName) -> set[LeaseId]:
        """Returns the leases that a worker holds, whether it is connected or away."""
        return self._held.get(worker, set())

    def has_maker(self, maker: str) -> bool:
        """Tells whether a connected executor would make what this maker made."""
        return any(maker in session.makers for session in self.sessions.values() if session.role is Role.EXECUTOR)

    def can_do(self, requirement: Requirement) -> bool:
        """Tells whether any connected worker meets a requirement, busy or not."""
        return self.matching.alike.can_do(requirement)

    # ------------------------------------------------------------ leases

    def lend(self, execution: Execution, task: int, at: float) -> LiveLease:
        """Adds the lease that a connected worker was just given."""
        lease = self._live(execution, task, at, accepted=False)
        self._enter(lease)
        reserve(lease, self.matching, self.tables.prices)
        self._take(lease)
        # guard: world: accept deadline -> (removed)
        self.deadlines.look_at(lease, lease.accept_by)
        return lease

    def _take(self, lease: LiveLease) -> None:
        if not (self.matching.limiters or self.outages):
            return
        requirement, session = lease.execution.requirement(lease.task, lease.phase.role), self.current[lease.worker]
        lease.model = session.asks(requirement)
        lease.is_probe = lease.model is not None and self.outages.probes(lease.model, lease.id)
        lease.limiter = self.matching.limiter_of(requirement, session)
        if lease.limiter is not None:
            size = size_of_lease(lease)
            # guard: votes are requests -> lease.asked = 1
            lease.asked = size.kind.questions
            lease.taken = lease.limiter.take(lease.asked, size.prompt + size.limit)

    def model_of(self, lease: LiveLease) -> ModelAt | None:
        """Returns the model that a connected worker asks under a lease. None: it asks none."""
        session = self.current[lease.worker]
        return lease.model or session.asks(lease.execution.requirement(lease.task, lease.phase.role))

    def lend_again(self, lease: LiveLease, at: float) -> None:
        """Moves a lease that was not accepted yet to a newer session of its worker. Its run timeout stays as it was."""
        # guard: assign again waits anew -> (removed)
        # guard: what is never accepted ends with its run timeout ->
        #     lease.accept_by = at + self.timings.accept_deadline
        lease.accept_by = min(at + self.timings.accept_deadline, lease.run_until)
        self.deadlines.look_at(lease, lease.accept_by)

    def expect_back(self, execution: Execution, task: int, at: float) -> None:
        """Adds a lease that was given before the execution was built from its journal: its worker may come back to it.

        A worker that is connected has said already what it holds, and has the accept deadline to say more. One that is
        away keeps the grace that it has.
        """
        lease = self._live(execution, task, at, accepted=None)
        self._enter(lease)
        reserve(lease, self.matching, self.tables.prices)
        self.expect(lease.worker, at)
        # guard: a connected worker is asked for its answer -> if False:
        if lease.worker in self.current:
            self.deadlines.look_at(lease, lease.accept_by)

    def _enter(self, lease: LiveLease) -> None:
        self.leases[lease.id] = lease
        self._held.setdefault(lease.worker, set()).add(lease.id)

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
            # guard: run timeout -> run_until=float("inf"),
            run_until=at + execution.run_timeout(task, lease.phase),
            progress_at=at,
            canary=lease.canary,
        )

    def end(self, lease_id: LeaseId) -> LiveLease | None:
        """Forgets a lease; its holder has room again."""
        lease = self.leases.pop(lease_id, None)
        if lease is not None:
            release(lease)
            if lease.is_probe and lease.model is not None:
                self.outages.forget_probe(lease.model, lease.id)
            if lease.limiter is not None and lease.requests:
                lease.limiter.settle(lease.asked, lease.taken, lease.requests, lease.tokens)
            self.held_by(lease.worker).discard(lease_id)
            if lease.worker in self.current:
                self.matching.made_room(self.current[lease.worker])
            self._forget_if_idle(lease.worker)
        return lease

    def _forget_if_idle(self, worker: WorkerName) -> None:
        """Forgets a worker that is not connected and holds nothing."""
        if worker not in self.current and not self.held_by(worker):
            self._held.pop(worker, None)

    def of_execution(self, execution: Execution) -> Iterator[LiveLease]:
        return iter([lease for lease in self.leases.values() if lease.execution is execution])
