"""Executors of several kinds in one worker: each task goes to the executor that it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from signoff.plan.specs import executor_name
from signoff.v1 import execution_pb2
from worker_svc.assignment import Assignment, FailureResult, Handler, Offer, Report, Result


class Dispatcher:
    """An assignment.Handler that passes each task to one of several handlers, by name."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)

    @property
    def offer(self) -> Offer:
        offers = [handler.offer for handler in self._handlers.values()]
        return Offer(
            handlers=tuple(self._handlers),
            models=_merged(offer.models for offer in offers),
            makers=_merged(offer.makers for offer in offers),
            known_makers=tuple(known for offer in offers for known in offer.known_makers),
            endpoints={name: url for offer in offers for name, url in offer.endpoints.items()},
            own_names={name: own for offer in offers for name, own in offer.own_names.items()},
        )

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        name = executor_name(assignment.task)
        handler = self._handlers.get(name)
        if handler is None:  # the runner matches tasks and workers, so this is a guard
            expected = f"a task for {' or '.join(self._handlers)}"
            problem = f"expected {expected}, but task {assignment.task.task_id} asks for {name}"
            return FailureResult(kind=execution_pb2.FAILURE_KIND_PERMANENT, message=problem)
        return await handler(assignment, report)

    async def close(self) -> None:
        for handler in self._handlers.values():
            await handler.close()


def _merged(offered: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Returns all names, each once, in order."""
    return tuple(dict.fromkeys(name for names in offered for name in names))
