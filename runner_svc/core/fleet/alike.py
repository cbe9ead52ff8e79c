"""Compares what connected workers would do with how it was done before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from runner_svc.core.fleet.sessions import WorkerSession
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.values import Content, Makers, SessionId

MOST_ANSWERS = 1000  # that are remembered; beyond them, all are found anew


class Alike:
    """The answers to questions about the makers of connected workers, each found once until the workers change."""

    def __init__(self, sessions: Mapping[SessionId, WorkerSession]) -> None:
        """`sessions`: a live view of those that are connected, or a copy."""
        self._sessions = sessions
        self._answers: dict[tuple[object, ...], bool] = {}

    def forget(self) -> None:
        """Takes in that the workers have changed."""
        self._answers.clear()

    def can_do(self, requirement: Requirement) -> bool:
        """Tells whether any connected worker meets a requirement, busy or not."""
        return self._answer((requirement,), lambda: any(True for _ in self._able(requirement)))

    def would_make(self, requirement: Requirement, content: Content, *, prompts_count: bool) -> bool:
        """Tells whether a connected worker would do the work as it was done for this content."""
        made_by = content.made_by

        def is_one_alike() -> bool:
            for session in self._able(requirement):
                now = session.makers_for(requirement)
                if made_by is None or not now:
                    if content.maker and content.maker in session.makers:
                        return True
                elif not made_by.differences(now[0], prompts_count=prompts_count):
                    return True
            return False

        return self._answer((requirement, content.maker, made_by, prompts_count), is_one_alike)

    def would_judge(self, requirement: Requirement, judged_by: Makers, *, prompts_count: bool) -> bool:
        """Tells whether a connected worker would judge as it was judged, as far as workers have said how.

        Without a worker that can judge, nothing else is known.
        """

        def is_one_alike() -> bool:
            judges = [session.makers_for(requirement) for session in self._able(requirement)]
            if not judged_by or not all(judges):
                return True
            return not judges or any(_do_alike(judged_by, judge, prompts_count=prompts_count) for judge in judges)

        return self._answer((requirement, judged_by, prompts_count), is_one_alike)

    def makers_of(self, requirement: Requirement) -> Makers:
        """Returns what the first worker that can do the work does it with, as far as it has said."""
        return next((session.makers_for(requirement) for session in self._able(requirement)), ())

    def _able(self, requirement: Requirement) -> Iterator[WorkerSession]:
        return (session for session in self._sessions.values() if session.can(requirement))

    def _answer(self, question: tuple[object, ...], find: Callable[[], bool]) -> bool:
        if question not in self._answers:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[question] = find()
        return self._answers[question]


def _do_alike(before: Makers, now: Makers, *, prompts_count: bool) -> bool:
    return [maker.handler for maker in before] == [maker.handler for maker in now] and not any(
        old.differences(new, prompts_count=prompts_count) for old, new in zip(before, now, strict=True)
    )
