"""Endpoints of commands: starting an execution, and what moves one that is there."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.responses import Response

from signoff.errors import InvalidField, PlanNotFound
from signoff.rpc.addresses import RunnerStub
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.api.executions import ID, ref_of
from signoff.web.wire.calls import Call, Endpoint, answer

MOST_START = 4 * 1024 * 1024  # bytes of a body with inputs, of which 1 MiB are texts


async def start_execution(call: Call) -> Response:
    request = await call.message(runner_pb2.StartExecutionRequest)
    request.request_id = call.request_id
    if request.plan_id:
        await _set_layout(call, request)
    told = await call.upstream.ask(lambda runner: runner.StartExecution, request)
    return answer(told, 201, {"Location": f"executions/{told.execution.execution_id}"})


async def preview_execution(call: Call) -> Response:
    request = await call.message(runner_pb2.PreviewExecutionRequest)
    return answer(await call.upstream.ask(lambda runner: runner.PreviewExecution, request))


async def _set_layout(call: Call, start: runner_pb2.StartExecutionRequest) -> None:
    """Makes what the planner stores the plan's layout: a new version that was saved is the one that runs."""
    # A repeated start repeats this too, so it needs a request id that is as lasting.
    request_id = hashlib.sha256(f"layout {start.request_id}".encode()).hexdigest() if start.request_id else ""
    request = runner_pb2.SetLayoutRequest(request_id=request_id, plan_id=start.plan_id)
    with suppress(PlanNotFound):  # the runner may have a layout of it all the same
        await call.upstream.ask(lambda runner: runner.SetLayout, request)


def _command(
    kind: Any, rpc: Callable[[RunnerStub], Callable[..., Awaitable[Any]]]
) -> Callable[[Call], Awaitable[Response]]:
    """Returns the handler of a command to one execution."""

    async def handler(call: Call) -> Response:
        request = await call.message(kind)
        request.ref.CopyFrom(ref_of(call))
        request.request_id = call.request_id
        return answer(await call.upstream.ask(rpc, request))

    return handler


def _judge(outcome: pb.Outcome.ValueType) -> Callable[[Call], Awaitable[Response]]:
    async def handler(call: Call) -> Response:
        request = await call.message(runner_pb2.JudgeTaskRequest)
        if not (request.digest and request.attempt):
            raise InvalidField("digest", "the digest and the attempt of the candidate that the person saw", "none")
        request.ref.CopyFrom(ref_of(call))
        request.task_id, request.outcome, request.request_id = call.path("taskId"), outcome, call.request_id
        return answer(await call.upstream.ask(lambda runner: runner.JudgeTask, request))

    return handler


async def retry_task(call: Call) -> Response:
    await call.message(runner_pb2.RetryTaskRequest)  # it has no fields: refuses all
    request = runner_pb2.RetryTaskRequest(request_id=call.request_id, ref=ref_of(call), task_id=call.path("taskId"))
    return answer(await call.upstream.ask(lambda runner: runner.RetryTask, request))


def _told_as(
    method: str, path: str, name: str, handler: Any, about: str, takes: Any, answers: Any, **more: Any
) -> Endpoint:
    """Returns the endpoint of a command."""
    return Endpoint(
        method=method,
        path=f"/api/v1/executions{path}",
        handler=handler,
        name=name,
        about=about,
        group="executions",
        takes=takes,
        answers=answers,
        errors=(400, 404, 409),
        changes=True,
        **more,
    )


ENDPOINTS = (
    _told_as(
        "POST",
        "",
        "start_execution",
        start_execution,
        "Starts an execution of a plan, or of the last layout set.",
        runner_pb2.StartExecutionRequest,
        runner_pb2.StartExecutionResponse,
        fields=("planId", "settings", "inputs"),
        most_body=MOST_START,
        status=201,
    ),
    Endpoint(
        method="POST",
        path="/api/v1/executions/preview",
        handler=preview_execution,
        name="preview_execution",
        about="Tells what a start would keep of earlier executions, and what it would do. Changes nothing.",
        group="executions",
        takes=runner_pb2.PreviewExecutionRequest,
        answers=runner_pb2.PreviewExecutionResponse,
        fields=("planId", "settings", "maxTasks", "inputs"),
        most_body=MOST_START,
        errors=(400, 404, 409),
    ),
    _told_as(
        "POST",
        f"{ID}/pause",
        "pause_execution",
        _command(runner_pb2.PauseExecutionRequest, lambda runner: runner.PauseExecution),
        "Assigns nothing new; what runs goes on.",
        runner_pb2.PauseExecutionRequest,
        runner_pb2.PauseExecutionResponse,
        fields=("reason",),
    ),
    _told_as(
        "POST",
        f"{ID}/resume",
        "resume_execution",
        _command(runner_pb2.ResumeExecutionRequest, lambda runner: runner.ResumeExecution),
        "Goes on after a pause or a stop.",
        runner_pb2.ResumeExecutionRequest,
        runner_pb2.ResumeExecutionResponse,
    ),
    _told_as(
        "POST",
        f"{ID}/stop",
        "stop_execution",
        _command(runner_pb2.StopExecutionRequest, lambda runner: runner.StopExecution),
        "Cancels what runs; a resume goes on from there.",
        runner_pb2.StopExecutionRequest,
        runner_pb2.StopExecutionResponse,
        fields=("reason",),
    ),
    _told_as(
        "PUT",
        f"{ID}/budget",
        "set_budget",
        _command(runner_pb2.SetBudgetRequest, lambda runner: runner.SetBudget),
        "Sets what an execution, a group or a task may spend. A bound that is left out is none.",
        runner_pb2.SetBudgetRequest,
        runner_pb2.SetBudgetResponse,
        fields=("taskId", "budget"),
        required=("budget",),
    ),
    _told_as(
        "POST",
        f"{ID}/tasks/{{taskId}}/retry",
        "retry_task",
        retry_task,
        "Runs a task again, with everything downstream of it.",
        runner_pb2.RetryTaskRequest,
        runner_pb2.RetryTaskResponse,
    ),
    _told_as(
        "POST",
        f"{ID}/tasks/{{taskId}}/approve",
        "approve_task",
        _judge(pb.OUTCOME_PASS),
        "Signs off the candidate that the person saw.",
        runner_pb2.JudgeTaskRequest,
        runner_pb2.JudgeTaskResponse,
        fields=("person", "reason", "digest", "attempt"),
        required=("digest", "attempt"),
    ),
    _told_as(
        "POST",
        f"{ID}/tasks/{{taskId}}/reject",
        "reject_task",
        _judge(pb.OUTCOME_FAIL),
        "Rejects the candidate that the person saw; the next attempt reads the reason.",
        runner_pb2.JudgeTaskRequest,
        runner_pb2.JudgeTaskResponse,
        fields=("person", "reason", "digest", "attempt"),
        required=("reason", "digest", "attempt"),
    ),
)
