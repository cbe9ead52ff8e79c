"""Endpoints of one task: its state, what it made, its attempts and how they differ."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.responses import Response

from signoff.client.result_files import checked_content, files_of
from signoff.client.values import Candidate, by_execution
from signoff.display.differences import Side, compared
from signoff.display.sizes import format_size
from signoff.errors import CandidateNotFound
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.api.executions import map_parts, ref_of, told_event
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.contents import content_response
from signoff.web.wire.messages import record
from signoff.web.wire.parameters import flag, number
from signoff.web.wire.streamed import begun

MOST_EVENTS = 10_000  # of one task, the last ones
MOST_INFOS = 50  # candidates of a task that are described, the last ones: each is read from the journal
DOWNLOAD = flag("download", "As an attachment, whatever its type.")

Info = TypeVar("Info", pb.ArtifactInfo, pb.CandidateInfo)


async def get_task(call: Call) -> Response:
    """Answers with the state of a task, and with its spec in the map that the execution runs."""
    task = await call.upstream.task(ref_of(call), call.path("taskId"))
    async with aclosing(map_parts(call)) as parts:
        async for part in parts:
            for found in part.tasks.tasks:
                if found.spec.task_id == task.task_id:
                    return answer({"task": record(task), "spec": record(found.spec)})
    return answer({"task": record(task)})  # a group has no spec


# ---------------------------------------------------------------- contents


async def get_artifact(call: Call) -> Response:
    request = runner_pb2.GetArtifactRequest(ref=ref_of(call), task_id=call.path("taskId"))
    answers = await begun(call.upstream.stream(lambda runner: runner.GetArtifact, request))
    info = (await anext(answers)).info
    return await content_response(call.request, info, whole(answers, info))


async def get_candidate(call: Call) -> Response:
    answers = await begun(_candidate(call, info_only=False))
    info = (await anext(answers)).info.artifact
    return await content_response(call.request, info, whole(answers, info))


async def get_attempt(call: Call) -> Response:
    async with aclosing(_candidate(call, info_only=True)) as answers:
        return answer((await anext(answers)).info)


def _candidate(call: Call, *, info_only: bool) -> AsyncGenerator[Any, None]:
    request = runner_pb2.GetCandidateRequest(
        ref=ref_of(call), task_id=call.path("taskId"), attempt=call.path_number("attempt"), info_only=info_only
    )
    return call.upstream.stream(lambda runner: runner.GetCandidate, request)


def whole(answers: AsyncGenerator[Any, None], info: pb.ArtifactInfo) -> AsyncGenerator[bytes, None]:
    """Yields the chunks of a content. Breaks the answer off before the last one when its digest is another."""
    # guard: contents are not whole before their last piece -> return _chunks(answers)
    return checked_content(f"the content of {info.task_id}", info.size_bytes, info.digest, _chunks(answers))


async def _chunks(answers: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(answers):
        async for told in answers:
            yield told.chunk


# ---------------------------------------------------------------- attempts


async def list_attempts(call: Call) -> Response:
    """Answers with the events of a task by attempt, and with what each attempt made."""
    name = call.path("taskId")
    await call.upstream.tasks(ref_of(call), task_ids=(name,))  # blames an unknown task
    events: deque[pb.Event] = deque(maxlen=MOST_EVENTS)
    watch = call.upstream.watch(ref_of(call), after=0, follow=False, task_ids=(name,))
    async with aclosing(watch) as messages:
        async for event in messages:
            if isinstance(event, pb.Event):
                events.append(event)
    attempts = _by_attempt(events)
    for info in await _infos(call, name):
        attempts.setdefault(info.artifact.attempt, {"attempt": info.artifact.attempt, "events": []})
        attempts[info.artifact.attempt]["candidate"] = record(info)
    return answer({"attempts": [attempts[number] for number in sorted(attempts)]})


def _by_attempt(events: deque[pb.Event]) -> dict[int, dict[str, Any]]:
    """Returns the events under the number of their attempt; those without one belong to the attempt before them."""
    attempts: dict[int, dict[str, Any]] = {}
    current = 0
    for event in events:
        kind = event.WhichOneof("kind")
        current = getattr(getattr(event, kind), "attempt", 0) or current if kind else current
        attempts.setdefault(current, {"attempt": current, "events": []})["events"].append(told_event(event))
    return attempts


async def _infos(call: Call, task_id: str) -> list[pb.CandidateInfo]:
    execution = by_execution(call.path("executionId"))
    try:
        last = (await call.upstream.candidate(execution, task_id, info_only=True)).info
    except CandidateNotFound:
        return []
    earlier = [number for number in last.attempts if number != last.artifact.attempt][-MOST_INFOS + 1 :]
    found = [(await call.upstream.candidate(execution, task_id, number, info_only=True)).info for number in earlier]
    return [*found, last]


async def get_difference(call: Call) -> Response:
    """Compares the candidate of an attempt with that of another, by default of the one before."""
    ref, name, number_ = ref_of(call), call.path("taskId"), call.path_number("attempt")
    after = await call.upstream.candidate(ref, name, number_)
    other = call.query.number("to") or max((n for n in after.info.attempts if n < number_), default=0)
    if other == 0:
        raise CandidateNotFound(
            f"expected an attempt before attempt {number_} that made a candidate, but it is the first"
        )
    before = await call.upstream.candidate(ref, name, other)
    found = await asyncio.to_thread(
        lambda: compared(
            Side(name=f"attempt {other}", content=_comparable(before)),
            Side(name=f"attempt {number_}", content=_comparable(after)),
        )
    )
    return answer({"before": other, "after": number_, **found})


def _comparable(candidate: Candidate) -> bytes:
    """Returns the text that is compared: of a candidate with files, a line for each of them."""
    manifest = files_of(candidate)
    if manifest is None:
        return candidate.content
    lines = (f"{file.path} ({file.media_type}, {format_size(file.size)}) {file.digest[:12]}" for file in manifest.files)
    return "\n".join(lines).encode() + b"\n"


TASK = "/api/v1/executions/{executionId}/tasks/{taskId}"


def _endpoint(path: str, handler: Any, about: str, **more: Any) -> Endpoint:
    return Endpoint(
        method="GET",
        path=f"{TASK}{path}",
        handler=handler,
        name=handler.__name__,
        about=about,
        group="tasks",
        errors=(400, 404, 409, *more.pop("errors", ())),
        **more,
    )


_ATTEMPTS = {"type": "array", "items": {"$ref": "#/components/schemas/Attempt"}}
_ANY = "application/octet-stream"

ENDPOINTS = (
    _endpoint("", get_task, "The state of a task and its spec.", answers={"$ref": "#/components/schemas/TaskWithSpec"}),
    _endpoint(
        "/artifact",
        get_artifact,
        "The bytes that were signed off; ETag is their digest.",
        query=(DOWNLOAD,),
        answers=_ANY,
        errors=(416,),
    ),
    _endpoint(
        "/attempts",
        list_attempts,
        "What happened, by attempt, and what each attempt made.",
        answers={"type": "object", "properties": {"attempts": _ATTEMPTS}},
    ),
    _endpoint(
        "/attempts/{attempt}", get_attempt, "What an attempt made, and what became of it.", answers=pb.CandidateInfo
    ),
    _endpoint(
        "/attempts/{attempt}/candidate",
        get_candidate,
        "The bytes that an attempt made, whatever became of them.",
        query=(DOWNLOAD,),
        answers=_ANY,
        errors=(416,),
    ),
    _endpoint(
        "/attempts/{attempt}/difference",
        get_difference,
        "How the candidate differs from that of another attempt.",
        query=(number("to", "The other attempt. Without it: the one before that made a candidate."),),
        answers={"$ref": "#/components/schemas/Difference"},
    ),
)
