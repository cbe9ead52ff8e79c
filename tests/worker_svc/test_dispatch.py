"""Each task goes to the executor that it names, and a worker offers what its executors do together."""

from __future__ import annotations

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import Heard, task, to_execute
from worker_svc.assignment import Assignment, CandidateResult, FailureResult, Offer, Report, Result
from worker_svc.dispatch import Dispatcher


class Named:
    """An assignment.Handler that makes its own name."""

    def __init__(self, name: str, *makers: str, models: tuple[str, ...] = ()) -> None:
        self._name = name
        self.offer = Offer(models=models, makers=makers)
        self.is_closed = False

    async def __call__(self, assignment: Assignment, report: Report) -> Result:
        return CandidateResult(content=self._name.encode(), media_type="text/plain", maker="")

    async def close(self) -> None:
        self.is_closed = True


HANDLERS = {
    "model": Named("model", "m1", "m2", models=("writer", "thinker")),
    "command": Named("command"),
    "fetch": Named("fetch", "f1", "m2", models=("writer",)),
}
PROGRAM = plan_pb2.CommandSpec(argv=["true"])


def test_the_offers_are_merged_in_order_and_each_is_there_once() -> None:
    assert Dispatcher(HANDLERS).offer == Offer(
        handlers=("model", "command", "fetch"), models=("writer", "thinker"), makers=("m1", "m2", "f1")
    )


@pytest.mark.parametrize(
    ("executor", "made_by"),
    [
        (None, b"model"),
        (plan_pb2.ExecutorSpec(), b"model"),
        (plan_pb2.ExecutorSpec(command=PROGRAM), b"command"),
        (plan_pb2.ExecutorSpec(name="fetch"), b"fetch"),
        (plan_pb2.ExecutorSpec(name="fetch", command=PROGRAM), b"fetch"),
    ],
)
async def test_a_task_goes_to_the_executor_it_names(executor: plan_pb2.ExecutorSpec | None, made_by: bytes) -> None:
    spec = task()
    if executor is not None:
        spec.executor.CopyFrom(executor)
    made = await Dispatcher(HANDLERS)(to_execute(spec), Heard())
    assert isinstance(made, CandidateResult)
    assert made.content == made_by


async def test_a_task_for_an_executor_that_is_not_there_fails_for_good_and_says_what_is() -> None:
    spec = task()
    spec.executor.name = "search"
    failed = await Dispatcher(HANDLERS)(to_execute(spec), Heard())
    assert failed == FailureResult(
        kind=execution_pb2.FAILURE_KIND_PERMANENT,
        message="expected a task for model or command or fetch, but task 1_1 asks for search",
    )


async def test_all_are_closed() -> None:
    await Dispatcher(HANDLERS).close()
    assert [handler.is_closed for handler in HANDLERS.values()] == [True, True, True]
