"""The instructions that a task can give the mock: the test mode of the conformance kit (docs/reference/protocol.md).

The task's parameters have an object "conformance". Its keys: `seconds` of work, `busy` with computing, `bytes` to make,
`copy` the first input (the main file of one with files), `fail` as a kind of failure with `retry_after` seconds, the
`outcome` of a judgement. `files` are made by a function, because a model makes none.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from signoff.v1 import execution_pb2, plan_pb2
from worker_svc.assignment import Artifact, Assignment
from worker_svc.llm.port import ModelFailure, ModelRequest, OnDelta
from worker_svc.llm.read.json_text import parse_json
from worker_svc.mock.judging import evidence_of

Instructions = Mapping[str, Any]

_STEP = 0.1  # seconds between two pieces of an answer that takes its time
_FAILURES = {
    "transient": execution_pb2.FAILURE_KIND_TRANSIENT,
    "permanent": execution_pb2.FAILURE_KIND_PERMANENT,
    "rate_limited": execution_pb2.FAILURE_KIND_RATE_LIMITED,
    "budget": execution_pb2.FAILURE_KIND_BUDGET,
}


def instructions_of(task: plan_pb2.TaskSpec) -> Instructions | None:
    """Returns the task's instructions; None for every task but the kit's."""
    try:
        parameters = parse_json(task.input.parameters_json or "{}")
    except ValueError:
        return None
    found = parameters.get("conformance") if isinstance(parameters, dict) else None
    return found if isinstance(found, dict) else None


async def answer(instructions: Instructions, request: ModelRequest, on_delta: OnDelta) -> str:
    """Returns the text that was asked for, when the time is over. Raises ModelFailure when a failure was asked for."""
    seconds = float(instructions.get("seconds", 0.0))
    await (asyncio.to_thread(_compute, seconds) if instructions.get("busy") else _take_time(seconds, on_delta))
    return _judgement(instructions, request) if request.criteria else _work(instructions, request.assignment)


def _compute(seconds: float) -> None:
    """Computes without a pause."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


async def _take_time(seconds: float, on_delta: OnDelta) -> None:
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        await asyncio.sleep(min(rest, _STEP))
        on_delta(".")


def _work(instructions: Instructions, assignment: Assignment) -> str:
    if (word := instructions.get("fail")) in _FAILURES:
        wait = timedelta(seconds=float(instructions["retry_after"])) if "retry_after" in instructions else None
        raise ModelFailure(_FAILURES[word], f"a {word} failure, as the task asks", retry_after=wait)
    if instructions.get("copy") and assignment.inputs:
        return _content(assignment.inputs[0]).decode(errors="replace")
    return "x" * int(instructions["bytes"]) if "bytes" in instructions else "Mars"


def _content(artifact: Artifact) -> bytes:
    if artifact.manifest is None:
        return artifact.whole()
    return artifact.file(artifact.manifest.main).read_bytes()


def _judgement(instructions: Instructions, request: ModelRequest) -> str:
    outcome = instructions.get("outcome", "pass")
    if outcome == "error":
        raise ModelFailure.transient("the judge broke, as the task asks")
    candidate = request.assignment.candidate
    content = candidate.whole().decode("utf-8", errors="replace") if candidate else ""
    verdict = {"evidence": evidence_of(content), "reason": "as the task asks", "outcome": outcome}
    verdicts = [{"criterion": n, **verdict} for n, _ in enumerate(request.criteria, 1)]
    return json.dumps({"nonce": request.nonce, "verdicts": verdicts})
