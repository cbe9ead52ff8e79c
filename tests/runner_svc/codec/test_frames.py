"""The border to the workers: whatever they say fits what the runner sends on."""

from __future__ import annotations

from runner_svc.codec.frames import MAX_RESULTS, assign_to_proto, failure_from_proto, verdict_from_proto
from runner_svc.core.commands import Assign
from runner_svc.core.values import FailureKind, Outcome, SessionId
from signoff.rpc import MAX_FRAME_BYTES
from signoff.v1 import execution_pb2, worker_pb2
from tests.support.story import candidate, executor, given, passes, started, validator

LONG = "长" * 100_000


def verdict(outcome: int, count: int) -> worker_pb2.Verdict:
    failed = execution_pb2.CriterionResult(criterion=LONG, outcome=execution_pb2.OUTCOME_FAIL, reason=LONG)
    passed = execution_pb2.CriterionResult(criterion="fine", outcome=execution_pb2.OUTCOME_PASS)
    results = [passed] * count + [failed] * count
    stated = execution_pb2.Outcome.ValueType(outcome)
    return worker_pb2.Verdict(lease_id="l", outcome=stated, results=results, feedback=LONG, retry_worthwhile=True)


async def test_a_verdict_of_any_length_still_fits_the_next_assignment() -> None:
    run = given("a", executor("w1"), validator("v1"), started, candidate("a", "x" * 300_000))
    lease, session = run.lease("a"), run.holder("a")
    message = verdict(execution_pb2.OUTCOME_FAIL, 300)
    message.lease_id = lease
    run.when(lambda run: verdict_from_proto(message, session=session, at=run.at), passes(1.0))
    assign = next(command for command in run.last.commands if isinstance(command, Assign))

    async def read(digest: str) -> bytes:
        return b"x" * 300_000

    told = await assign_to_proto(assign, read, thinking_wanted=False)
    assert told.ByteSize() < MAX_FRAME_BYTES
    assert len(told.feedback.results) == MAX_RESULTS
    assert {result.outcome for result in told.feedback.results} == {execution_pb2.OUTCOME_FAIL}
    assert told.feedback.previous_candidate.by_reference


def test_an_outcome_nobody_knows_is_a_judge_error_and_never_a_pass() -> None:
    for outcome in (0, 17):
        signal = verdict_from_proto(verdict(outcome, 0), session=SessionId("s"), at=0.0)
        assert signal.outcome is Outcome.ERROR


def test_a_kind_of_failure_that_is_not_the_workers_to_say_is_transient() -> None:
    for kind in (execution_pb2.FAILURE_KIND_UNSPECIFIED, execution_pb2.FAILURE_KIND_TIMEOUT):
        failure = worker_pb2.Failure(lease_id="l", kind=kind, message="it broke")
        assert failure_from_proto(failure, session=SessionId("s"), at=0.0).kind is FailureKind.TRANSIENT
