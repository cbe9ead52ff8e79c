"""Checks of verdicts: a pass, a fail that says why, and an error that is neither."""

from __future__ import annotations

from typing import Any

from signoff.conformance.check import Section
from signoff.conformance.messages import CRITERIA, VALIDATOR, at_least, unknown_check
from signoff.conformance.outcome import NotMet
from signoff.conformance.worker_under_test import WorkerUnderTest
from signoff.display.wire_names import enum_name
from signoff.v1 import execution_pb2, plan_pb2

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
MUCH = 1000  # characters; more than any candidate here has

verdicts = Section("verdicts")
SECTIONS = (verdicts,)


async def _judged(worker: WorkerUnderTest, *checks: plan_pb2.Check, **instructions: Any) -> Any:
    """Returns the verdict on a small candidate, with these checks and the kit's criteria."""
    stream = await worker.ready_stream()
    lease = worker.new_lease()
    await stream.say(worker.assign(lease, instructions, checks=checks))
    await stream.accepted(lease)
    return await stream.expect("verdict", lease=lease)


def _require(verdict: Any, outcome: int) -> None:
    if verdict.outcome != outcome:
        raise NotMet(f"expected {_word(outcome)}, but got {_word(verdict.outcome)} ({verdict.feedback[:200]!r})")


def _word(outcome: int) -> str:
    return enum_name(execution_pb2.Outcome.DESCRIPTOR, outcome)


@verdicts.check("verdict.pass", "A pass has a passed result for every criterion and every check", role=VALIDATOR)
async def verdict_pass(worker: WorkerUnderTest) -> None:
    verdict = await _judged(worker, at_least(1), outcome="pass")
    _require(verdict, PASS)
    for result in verdict.results:
        if result.outcome != PASS:
            raise NotMet(f"expected only passed results in a pass, but got {_word(result.outcome)}")
    judged = {result.criterion_number for result in verdict.results if not result.deterministic}
    if missing := set(range(1, len(CRITERIA) + 1)) - judged:
        expected = f"a result with criterion_number {min(missing)} for the criterion {CRITERIA[min(missing) - 1]!r}"
        raise NotMet(f"expected {expected}, but got them for the numbers {sorted(judged)}")
    if not any(result.deterministic and result.check_number == 1 for result in verdict.results):
        raise NotMet("expected a result with deterministic=true and check_number 1 for the check, but got none")


@verdicts.check("verdict.fail", "A fail has a failed result with a reason, and feedback", role=VALIDATOR)
async def verdict_fail(worker: WorkerUnderTest) -> None:
    verdict = await _judged(worker, outcome="fail")
    _require(verdict, FAIL)
    if not any(result.outcome == FAIL and result.reason for result in verdict.results):
        raise NotMet("expected a failed result with a reason, but got none")
    if not verdict.feedback:
        raise NotMet("expected feedback for the next attempt, but it is empty")


@verdicts.check("verdict.error", "A judge that broke is an error, never a pass and never a fail", role=VALIDATOR)
async def verdict_error(worker: WorkerUnderTest) -> None:
    _require(await _judged(worker, outcome="error"), ERROR)


@verdicts.check("verdict.check", "A candidate that fails a check fails, whatever a judge would say", role=VALIDATOR)
async def verdict_check(worker: WorkerUnderTest) -> None:
    verdict = await _judged(worker, at_least(MUCH), outcome="pass")
    _require(verdict, FAIL)


@verdicts.check("verdict.unknown_check", "A check it cannot carry out lets nothing pass", role=VALIDATOR)
async def verdict_unknown_check(worker: WorkerUnderTest) -> None:
    verdict = await _judged(worker, unknown_check(), outcome="pass")
    if verdict.outcome == PASS:
        raise NotMet("expected no pass, because one check is of a kind it does not know, but got pass")
