"""Endpoints of executions: listing, reading, starting, and why they stand where they stand."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response

from signoff.client.values import by_execution
from signoff.display.cost_records import records
from signoff.display.event_sentences import sentence_of
from signoff.display.progress import describe_counts
from signoff.display.waiting import describe_waiting
from signoff.display.wire_names import state_name
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.messages import record
from signoff.web.wire.parameters import PAGE_SIZE, PAGE_TOKEN, choice, moment, number, text
from signoff.web.wire.streamed import Streamed, begun, map_json

STATES = tuple(name.removeprefix("EXECUTION_STATE_") for name in pb.ExecutionState.keys())[1:]  # noqa: SIM118 - no dict
NEEDS = tuple(name.removeprefix("EXECUTION_NEED_") for name in runner_pb2.ExecutionNeed.keys())[1:]  # noqa: SIM118
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
        awaiting=[runner_pb2.ExecutionNeed.Value(f"EXECUTION_NEED_{name}") for name in query.choices("awaiting")],
        text=query.text("text"),
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
    reason = f" ({execution.reason})" if execution.reason else ""
    return f"{execution.plan_id} is {state_name(execution.state)}{reason}: {describe_counts(execution)}"


async def get_map(call: Call) -> Response:
    """Answers with the map that the execution runs, whatever its plan has become since."""
    parts = await begun(map_parts(call))
    return Streamed(map_json(parts), media_type="application/json")


async def map_parts(call: Call) -> AsyncGenerator[plan_pb2.MapPart, None]:
    """Yields the map that the execution runs, with its tasks."""
    request = runner_pb2.GetLayoutRequest(execution=ref_of(call), tasks=True)
    async with aclosing(call.upstream.stream(lambda runner: runner.GetLayout, request)) as answers:
        async for told in answers:
            yield told.part


async def get_layout(call: Call) -> Response:
    found = await call.upstream.layout_of(ref_of(call))
    return answer({"header": record(found.header), **record(found.layout)})


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
            choice("awaiting", "Only those that wait for one of these.", NEEDS, repeated=True),
            text("text", "Only those with this text in their id, their plan's id or their idea."),
            number("pageSize", "At most so many on a page.", 1_000),
            PAGE_TOKEN,
        ),
        answers=runner_pb2.ListExecutionsResponse,
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
    _endpoint(
        "GET",
        f"{ID}/cost",
        "get_cost",
        get_cost,
        "The costs, as `signoff cost --json` prints them.",
        query=(choice("byTask", "Each task as well.", ("0", "1")),),
        answers={"type": "object", "properties": {"records": {"type": "array", "items": {"type": "object"}}}},
        errors=(400, 404, 409),
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
    _endpoint(
        "GET",
        f"{ID}/map",
        "get_execution_map",
        get_map,
        "The map that the execution runs: its header, groups and tasks.",
        answers={"$ref": "#/components/schemas/Map"},
    ),
    _endpoint(
        "GET",
        f"{ID}/layout",
        "get_execution_layout",
        get_layout,
        "The places of the tasks of that map on a screen.",
        answers={"$ref": "#/components/schemas/Layout"},
    ),
)
