"""Who has room for what: the connected workers by what is asked of them, and which models may be asked now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runner_svc.core.fleet.deadlines import Deadlines, Due
from runner_svc.core.fleet.outages import Away, Outages
from runner_svc.core.fleet.rate_limits import Limit, RateLimiter, limiters_of
from runner_svc.core.model.requirements import Abilities, Requirement
from runner_svc.core.model.values import LeaseId, ModelAt, Role, SessionId, WorkerName

MOST_REQUIREMENTS = 1000  # kinds of workers that are kept in mind; more are found anew when they are wanted


@dataclass(slots=True, kw_only=True)
class WorkerSession:
    """One stream of one worker."""

    id: SessionId
    worker: WorkerName
    role: Role
    slots: int
    makers: frozenset[str]
    abilities: Abilities
    model: str  #: that it asks when none is named
    endpoints: Mapping[str, str] = field(default_factory=dict)  #: URLs by the names of its models
    own_names: Mapping[str, str] = field(default_factory=dict)  #: of its models, by those that are others
    window: int = 0
    leases: set[LeaseId] = field(default_factory=set)
    draining: bool = False
    serves: list[Requirement] = field(default_factory=list)  #: what was asked for so far that it can do
    queued: set[Requirement] = field(default_factory=set)  #: those in whose queues of workers with room it stands

    @property
    def has_room(self) -> bool:
        # guard: world: credit -> return not self.draining and bool(self.window)
        # guard: credit -> return not self.draining
        return not self.draining and len(self.leases) < self.window

    def can(self, requirement: Requirement) -> bool:
        """Whether it has what is wanted, busy or not."""
        return self.role is requirement.role and self.abilities.meet(requirement)

    def model_for(self, requirement: Requirement) -> str | None:
        """The model it asks to do what is wanted; empty: one without a name. None: no model is asked."""
        return (requirement.model or self.model) if requirement.asks_a_model else None

    def reports(self, requirement: Requirement) -> str | None:
        """The name that the costs of what is wanted are reported under. None: no model is asked."""
        model = self.model_for(requirement)
        return None if model is None else self.own_names.get(model, model)

    def asks(self, requirement: Requirement) -> ModelAt | None:
        """The model it asks to do what is wanted, and where. None: no model is asked.

        A worker that does not say where asks one of its own, as far as others are concerned.
        """
        model = self.model_for(requirement)
        return None if model is None else ModelAt(model, self.endpoints.get(model) or f"worker {self.worker}")


class Matching:
    """Which of the sessions can take work."""

    def __init__(
        self, sessions: Mapping[SessionId, WorkerSession], limits: Mapping[str, Limit], deadlines: Deadlines
    ) -> None:
        """`sessions`: those that are connected, as they come and go."""
        self.limiters = limiters_of(limits)
        self.outages = Outages(lambda at: deadlines.remind(at, Due.RATE, None))
        self._sessions = sessions
        self._deadlines = deadlines
        #: for everything that was asked for: those who can do it and had room when they were last looked at
        self._queues: dict[Requirement, deque[WorkerSession]] = {}
        self._away: dict[Requirement, Away | None] = {}  # as found since the sessions or the outages last changed
        self._away_as_of = -1

    def joined(self, session: WorkerSession) -> None:
        """A session has begun."""
        self._away.clear()
        session.serves = [requirement for requirement in self._queues if session.can(requirement)]

    def left(self) -> None:
        """A session has ended."""
        self._away.clear()

    def made_room(self, session: WorkerSession) -> None:
        """Call whenever a session may have room that it had not."""
        if not session.has_room:
            return
        for requirement in session.serves:
            if requirement not in session.queued:
                session.queued.add(requirement)
                self._queues[requirement].append(session)

    def has_room(self, requirement: Requirement, at: float) -> bool:
        """Tells whether any worker that has what is wanted can take a lease, and its model may be asked."""
        queue = self._with_room(requirement)
        while queue and not queue[0].has_room:
            queue.popleft().queued.discard(requirement)
        if not queue or not (self.limiters or self.outages):
            return bool(queue)
        return any(session.has_room and self._is_open(requirement, session, at) for session in queue)

    def limiter_of(self, requirement: Requirement, session: WorkerSession) -> RateLimiter | None:
        """The rate limiter of the model that a worker would ask; None when no limit is known, or nothing is asked."""
        model = session.model_for(requirement) if self.limiters else None
        return None if model is None else self.limiters.get(model)

    def models_of(self, requirement: Requirement) -> Sequence[str]:
        """The models that workers ask for what is wanted, by the names that their costs are reported under."""
        if not requirement.asks_a_model:
            return ()
        asked = (session.reports(requirement) for session in self._sessions.values() if session.can(requirement))
        return sorted({model for model in asked if model is not None})

    def closed_limiter(self, requirement: Requirement, at: float) -> RateLimiter | None:
        """The limiter that holds all back that have room for what is wanted; None: there is none."""
        limiters = [
            self.limiter_of(requirement, s) for s in self._sessions.values() if s.has_room and s.can(requirement)
        ]
        closed = [limiter for limiter in limiters if limiter is not None and limiter.opens_at(at) > at]
        return closed[0] if closed and len(closed) == len(limiters) else None

    def away(self, requirement: Requirement) -> Away | None:
        """Returns the outage that keeps all workers from what is wanted; of several the one that is tried first."""
        if not self.outages:
            return None
        if self._away_as_of != self.outages.changes or len(self._away) > MOST_REQUIREMENTS:
            self._away.clear()
            self._away_as_of = self.outages.changes
        if requirement not in self._away:
            self._away[requirement] = self._find_away(requirement)
        return self._away[requirement]

    def _find_away(self, requirement: Requirement) -> Away | None:
        models = [session.asks(requirement) for session in self._sessions.values() if session.can(requirement)]
        found = [self.outages.get(model) if model is not None else None for model in models]
        away = [outage for outage in found if outage is not None]
        return min(away, key=lambda outage: outage.next_try) if away and len(away) == len(found) else None

    def _is_open(self, requirement: Requirement, session: WorkerSession, at: float) -> bool:
        model = session.asks(requirement) if self.outages else None
        if model is not None and not self.outages.may_ask(model, at):
            return False
        limiter = self.limiter_of(requirement, session)
        if limiter is None:
            return True
        opens_at = limiter.opens_at(at)
        if opens_at > at and not at < limiter.reminder_at <= opens_at:
            limiter.reminder_at = opens_at
            self._deadlines.remind(opens_at, Due.RATE, limiter)
        # guard: gates -> return True
        return opens_at <= at

    def with_room(self, requirement: Requirement, at: float, avoid: WorkerName | None = None) -> WorkerSession | None:
        """The worker whose turn it is; another one than `avoid` when there is one. None: nobody has room."""
        queue = self._with_room(requirement)
        second = None
        for _ in range(len(queue)):
            session = queue.popleft()
            if not session.has_room:
                session.queued.discard(requirement)
                continue
            queue.append(session)  # workers take turns
            if not self._is_open(requirement, session, at):
                continue
            if session.worker != avoid:
                return session
            second = session
        return second

    def _with_room(self, requirement: Requirement) -> deque[WorkerSession]:
        """The queue of those who can do what is wanted and may have room."""
        queue = self._queues.get(requirement)
        if queue is None:
            if len(self._queues) >= MOST_REQUIREMENTS:
                self._forget_requirements()
            queue = self._queues[requirement] = deque()
            for session in self._sessions.values():
                if session.can(requirement):
                    session.serves.append(requirement)
                    self.made_room(session)
        return queue

    def _forget_requirements(self) -> None:
        self._queues.clear()
        for session in self._sessions.values():
            session.serves.clear()
            session.queued.clear()
