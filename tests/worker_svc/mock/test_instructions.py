"""The mock obeys the instructions of the conformance kit's tasks, and of no others."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from signoff.v1 import execution_pb2, plan_pb2
from tests.support.work.givens import Heard, artifact, task, to_execute, to_judge
from worker_svc.assignment import CandidateResult, FailureResult, Result
from worker_svc.executor import Executor
from worker_svc.mock import MockModel
from worker_svc.validate.validator import Validator


def task_with(**parameters: Any) -> plan_pb2.TaskSpec:
    spec = task("text")
    spec.input.parameters_json = json.dumps({"conformance": parameters})
    return spec


async def made(spec: plan_pb2.TaskSpec) -> Result:
    return await Executor(MockModel())(to_execute(spec, inputs=(artifact("Venus"),)), Heard())


async def test_it_makes_as_many_bytes_as_it_is_told_or_what_it_was_given() -> None:
    large, copy = await made(task_with(bytes=1000)), await made(task_with(copy=True))
    assert isinstance(large, CandidateResult)
    assert len(large.content) == 1000
    assert isinstance(copy, CandidateResult)
    assert copy.content == b"Venus"


async def test_it_fails_as_it_is_told() -> None:
    failure = await made(task_with(fail="rate_limited", retry_after=7))
    assert isinstance(failure, FailureResult)
    assert failure.kind == execution_pb2.FAILURE_KIND_RATE_LIMITED
    assert failure.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("outcome", ["pass", "fail", "error"])
async def test_it_judges_as_it_is_told(outcome: str) -> None:
    validator = Validator(MockModel())
    verdict = await validator(to_judge("Mars", task_with(outcome=outcome)), Heard())
    await validator.close()
    assert execution_pb2.Outcome.Name(verdict.outcome) == f"OUTCOME_{outcome.upper()}"


@pytest.mark.parametrize("parameters", ["", "not JSON", "[]", '{"conformance": 3}', '{"bytes": 1000}'])
async def test_a_task_that_is_not_the_kits_tells_it_nothing(parameters: str) -> None:
    plain, other = task("text"), task("text")
    other.input.parameters_json = parameters
    result, usual = await made(other), await made(plain)
    assert isinstance(result, CandidateResult)
    assert isinstance(usual, CandidateResult)
    assert result.content.splitlines()[0] == usual.content.splitlines()[0]
