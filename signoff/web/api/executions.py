"""Endpoints of executions: listing, reading, starting, and the commands that move them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

from starlette.responses import Response

from signoff.client.values import by_execution
from signoff.display.cost_records import records
from signoff.display.event_sentences import sentence_of
from signoff.display.waiting import describe_waiting
from signoff.display.wire_names import state_name
from signoff.errors import InvalidField, SequenceAhead
from signoff.rpc.addresses import RunnerStub
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.messages import record
from signoff.web.wire.parameters import PAGE_SIZE, PAGE_TOKEN, choice, moment, number, text

STATES = tuple(name.removeprefix("EXECUTION_STATE_") for name in pb.ExecutionState.keys())[1:]  # noqa: SIM118 - no dict
SELECTIONS = ("none", "all", "unfinished")
STORY_PAGE, MOST_STORY = 500, 5_000  # events


# ---------------------------------------------------------------- questions


async def list_executions(call: Call) -> Response:
    query = call.query
    request = runner_pb2.ListExecutionsRequest(
        plan_id=query.text("planId"),
        page_size=query.number("pageSize"),
        page_token=query.text("pageToken"),
        states=[pb.ExecutionState.Value(f"EXECUTION_STATE_{name}") for name in query.choices("state")],
        created_after=query.moment("createdAfter"),
        created_before=query.moment("createdBefore"),
    )
    return answer(await call.upstream.ask(lambda runner: runner.ListExecutions, request))


async def get_execution(call: Call) -> Response:
    named = call.query.texts("taskId")
    selection = "named" if named else call.query.choice("tasks", "none")
    request = runner_pb2.GetExecutionRequest(
        ref=ref_of(call),
        tasks=_SELECTED[selection],
        task_ids=named,
        page_size=call.query.number("pageSize"),
        page_token=call.query.text("pageToken"),
    )
    return answer(await call.upstream.ask(lambda runner: runner.GetExecution, request))


_SELECTED = {
    "none": runner_pb2.TASK_SELECTION_UNSPECIFIED,
    "all": runner_pb2.TASK_SELECTION_ALL,
    "unfinished": runner_pb2.TASK_SELECTION_UNFINISHED,
    "named": runner_pb2.TASK_SELECTION_NAMED,
}


def ref_of(call: Call) -> runner_pb2.ExecutionRef:
    return by_execution(call.path("executionId"))


async def get_cost(call: Call) -> Response:
    """Adds the costs up from the journal: 100,000 events take seconds."""
    execution = await call.upstream.get(ref_of(call))
    costs = await call.upstream.costs(ref_of(call))
    return answer({"records": list(records(execution, costs, by_task=call.query.flag("byTask"), top=TOP))})


TOP = 5  # of the most expensive tasks, as the command line shows them


async def get_story(call: Call) -> Response:
    """Answers with events and their sentences, from the beginning or after a sequence."""
    after, size = call.query.number("after"), call.query.number("pageSize") or STORY_PAGE
    names = call.query.texts("taskId")
    if names:
        await call.upstream.tasks(ref_of(call), task_ids=names)  # blames an unknown task
    told: list[dict[str, Any]] = []
    watch = call.upstream.watch(ref_of(call), after=after, follow=False, task_ids=names)
    async with aclosing(watch) as messages:
        async for event in messages:
            if isinstance(event, pb.Event):
                told.append(told_event(event))
            if len(told) == size:
                return answer({"events": told, "nextAfter": told[-1]["sequence"]})
    return answer({"events": told})


def told_event(event: pb.Event) -> dict[str, Any]:
    """Returns an event as JSON, with its sentence."""
    return {**record(event), "sentence": sentence_of(event)}


async def get_why(call: Call) -> Response:
    execution = await call.upstream.get(ref_of(call))
    names = call.query.texts("taskId")
    tasks = await call.upstream.tasks(ref_of(call), unfinished=not names, task_ids=names)
    if execution.state == pb.EXECUTION_STATE_QUARANTINED:
        tasks = ()  # nothing is known of them
    told = [{**record(task), "sentence": describe_waiting(task)} for task in tasks]
    return answer({"sentence": _describe(execution), "tasks": told})


def _describe(execution: pb.Execution) -> str:
    counts = execution.counts
    total = sum(value for _, value in counts.ListFields())
    reason = f" ({execution.reason})" if execution.reason else ""
    return f"{execution.plan_id} is {state_name(execution.state)}{reason}: {counts.done} of {total} signed off"


# ---------------------------------------------------------------- commands


async def start_execution(call: Call) -> Response:
    request = await call.message(runner_pb2.StartExecutionRequest)
    request.request_id = call.request_id
    told = await call.upstream.ask(lambda runner: runner.StartExecution, request)
    return answer(told, 201, {"Location": f"executions/{told.execution.execution_id}"})


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


ID = "/{executionId}"


def _endpoint(method: str, path: str, name: str, handler: Any, about: str, **more: Any) -> Endpoint:
    errors = more.pop("errors", (400, 404) if path else (400,))
    return Endpoint(
        method=method,
        path=f"/api/v1/executions{path}",
        handler=handler,
        name=name,
        about=about,
        group="executions",
        errors=errors,
        **more,
    )


def _told_as(
    method: str, path: str, name: str, handler: Any, about: str, takes: Any, answers: Any, **more: Any
) -> Endpoint:
    """Returns the endpoint of a command."""
    return _endpoint(
        method, path, name, handler, about, takes=takes, answers=answers, changes=True, errors=(400, 404, 409), **more
    )


_EVENTS = {"type": "array", "items": {"$ref": "#/components/schemas/ToldEvent"}}

ENDPOINTS = (
    _endpoint(
        "GET",
        "",
        "list_executions",
        list_executions,
        "Lists executions, newest first.",
        query=(
            text("planId", "Only those of this plan."),
            choice("state", "Only those in one of these states, such as RUNNING.", STATES, repeated=True),
            moment("createdAfter", "Only those created then or later."),
            moment("createdBefore", "Only those created before."),
            number("pageSize", "At most so many on a page.", 1_000),
            PAGE_TOKEN,
        ),
        answers=runner_pb2.ListExecutionsResponse,
    ),
    _told_as(
        "POST",
        "",
        "start_execution",
        start_execution,
        "Starts an execution of a plan, or of the last layout set.",
        runner_pb2.StartExecutionRequest,
        runner_pb2.StartExecutionResponse,
        fields=("planId", "settings"),
        status=201,
    ),
    _endpoint(
        "GET",
        ID,
        "get_execution",
        get_execution,
        "One execution, with the states of the tasks asked for.",
        query=(
            choice("tasks", "Which tasks to describe.", SELECTIONS),
            text("taskId", "Only these.", repeated=True),
            PAGE_SIZE,
            PAGE_TOKEN,
        ),
        answers=runner_pb2.GetExecutionResponse,
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
    _endpoint(
        "GET",
        f"{ID}/cost",
        "get_cost",
        get_cost,
        "The costs, as `signoff cost --json` prints them.",
        query=(choice("byTask", "Each task as well.", ("0", "1")),),
        answers={"type": "object", "properties": {"records": {"type": "array", "items": {"type": "object"}}}},
    ),
    _endpoint(
        "GET",
        f"{ID}/story",
        "get_story",
        get_story,
        "The journal as sentences.",
        query=(
            text("taskId", "Only events of these tasks.", repeated=True),
            number("after", "Events after this sequence.", 2**53),
            number("pageSize", "At most so many on a page.", MOST_STORY),
        ),
        answers={"type": "object", "properties": {"events": _EVENTS, "nextAfter": {"type": "string"}}},
        errors=(400, 404, 409),
    ),
    _endpoint(
        "GET",
        f"{ID}/why",
        "get_why",
        get_why,
        "Why tasks are not finished, each with a sentence.",
        query=(text("taskId", "Only these.", repeated=True),),
        answers={
            "type": "object",
            "properties": {
                "sentence": {"type": "string"},
                "tasks": {"type": "array", "items": {"$ref": "#/components/schemas/ToldTask"}},
            },
        },
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

__all__ = ["ENDPOINTS", "SequenceAhead", "ref_of", "told_event"]
