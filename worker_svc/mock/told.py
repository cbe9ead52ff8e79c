"""What a task can tell the mock to do: the test mode that the conformance kit asks for (docs/reference/protocol.md).

The task's parameters have an object "conformance". Its keys: `seconds` of work, `busy` with computing, `bytes` to make,
`copy` the first input, `fail` as a kind of failure with `retry_after` seconds, the `outcome` of a judgement.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Assignment
from worker_svc.llm.port import ModelFailure, ModelRequest, OnDelta
from worker_svc.llm.read.json_text import parse_json
from worker_svc.mock.judging import evidence_of

Told = Mapping[str, Any]

_STEP = 0.1  # seconds between two pieces of an answer that takes its time
_FAILURES = {
    "transient": execution_pb2.FAILURE_KIND_TRANSIENT,
    "permanent": execution_pb2.FAILURE_KIND_PERMANENT,
    "rate_limited": execution_pb2.FAILURE_KIND_RATE_LIMITED,
    "budget": execution_pb2.FAILURE_KIND_BUDGET,
}


def told_by(task: plan_pb2.TaskSpec) -> Told | None:
    """What the task tells; None for every task but the kit's."""
    try:
        parameters = parse_json(task.input.parameters_json or "{}")
    except ValueError:
        return None
    told = parameters.get("conformance") if isinstance(parameters, dict) else None
    return told if isinstance(told, dict) else None


async def answer(told: Told, request: ModelRequest, on_delta: OnDelta) -> str:
    """The text that was asked for, once the time is over. Raises ModelFailure when that was asked for."""
    seconds = float(told.get("seconds", 0.0))
    await (asyncio.to_thread(_compute, seconds) if told.get("busy") else _take_time(seconds, on_delta))
    return _judgement(told, request) if request.criteria else _work(told, request.assignment)


def _compute(seconds: float) -> None:
    """Never pauses, as work that computes does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def _take_time(seconds: float, on_delta: OnDelta) -> None:
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        await asyncio.sleep(min(rest, _STEP))
        on_delta(".")


def _work(told: Told, assignment: Assignment) -> str:
    if (word := told.get("fail")) in _FAILURES:
        wait = timedelta(seconds=float(told["retry_after"])) if "retry_after" in told else None
        raise ModelFailure(_FAILURES[word], f"a {word} failure, as the task asks", retry_after=wait)
    if told.get("copy") and assignment.inputs:
        return assignment.inputs[0].whole().decode()
    return "x" * int(told["bytes"]) if "bytes" in told else "Mars"


def _judgement(told: Told, request: ModelRequest) -> str:
    outcome = told.get("outcome", "pass")
    if outcome == "error":
        raise ModelFailure.transient("the judge broke, as the task asks")
    candidate = request.assignment.candidate
    content = candidate.whole().decode("utf-8", errors="replace") if candidate else ""
    verdict = {"evidence": evidence_of(content), "reason": "as the task asks", "outcome": outcome}
    verdicts = [{"criterion": n, **verdict} for n, _ in enumerate(request.criteria, 1)]
    return json.dumps({"nonce": request.nonce, "verdicts": verdicts})
