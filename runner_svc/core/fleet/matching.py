"""The matching of work and workers: which connected workers meet a requirement, have room, and may ask their model."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from runner_svc.core.fleet.alike import Alike
from runner_svc.core.fleet.deadlines import Deadlines, Due
from runner_svc.core.fleet.outages import Outages
from runner_svc.core.fleet.rate_limits import Limit, RateLimiter, limiters_of
from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.values import Away, SessionId, WorkerName

MOST_REQUIREMENTS = 1000  # requirements that are remembered; beyond them, all are found anew


class Matching:
    """The connected sessions, queued by the requirements that they meet."""

    def __init__(
        self, sessions: Mapping[SessionId, WorkerSession], limits: Mapping[str, Limit], deadlines: Deadlines
    ) -> None:
        """`sessions`: a live view of those that are connected."""
        self.limiters = limiters_of(limits)
        self.outages = Outages(lambda at: deadlines.remind(at, Due.RATE, None))
        self._sessions = sessions
        self._deadlines = deadlines
        #: by requirement: the sessions that meet it and had room when they were last looked at
        self._queues: dict[Requirement, deque[WorkerSession]] = {}
        self._away: dict[Requirement, Away | None] = {}  # found since the sessions or the outages last changed
        self._away_as_of = -1
        self.alike = Alike(sessions)

    def joined(self, session: WorkerSession) -> None:
        """Takes in a session that has begun."""
        self.outages.changes += 1
        self.alike.forget()
        session.serves = [requirement for requirement in self._queues if session.can(requirement)]

    def left(self) -> None:
        """Takes in that a session has ended."""
        self.outages.changes += 1
        self.alike.forget()

    def made_room(self, session: WorkerSession) -> None:
        """Queues a session that may have room again. Call it whenever that may be."""
        if not session.has_room:
            return
        for requirement in session.serves:
            if requirement not in session.queued:
                session.queued.add(requirement)
                self._queues[requirement].append(session)

    def has_room(self, requirement: Requirement, at: float) -> bool:
        """Tells whether a worker that meets the requirement can take a lease now, and may ask its model."""
        queue = self._with_room(requirement)
        while queue and not queue[0].has_room:
            queue.popleft().queued.discard(requirement)
        if not queue or not (self.limiters or self.outages):
            return bool(queue)
        return any(session.has_room and self._is_open(requirement, session, at) for session in queue)

    def limiter_of(self, requirement: Requirement, session: WorkerSession) -> RateLimiter | None:
        """Returns the rate limiter of the model that a worker would ask. None: no limit, or no model is asked."""
        model = session.model_for(requirement) if self.limiters else None
        return None if model is None else self.limiters.get(model)

    def models_of(self, requirement: Requirement) -> Sequence[str]:
        """Returns the models that workers would ask, by their names in reports of costs."""
        if not requirement.asks_a_model:
            return ()
        asked = (session.reports(requirement) for session in self._sessions.values() if session.can(requirement))
        return sorted({model for model in asked if model is not None})

    def closed_limiter(self, requirement: Requirement, at: float) -> RateLimiter | None:
        """Returns a rate limiter if limiters hold back every worker that has room for the work; else None."""
        limiters = [
            self.limiter_of(requirement, s) for s in self._sessions.values() if s.has_room and s.can(requirement)
        ]
        closed = [limiter for limiter in limiters if limiter is not None and limiter.opens_at(at) > at]
        return closed[0] if closed and len(closed) == len(limiters) else None

    def away(self, requirement: Requirement) -> Away | None:
        """Returns the outage that is tried first, if the models of all workers for the work are away; else None."""
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
        """Returns the worker whose turn it is, other than `avoid` where possible. None: no worker has room."""
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
        """Returns the queue of the sessions that meet a requirement and may have room."""
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
