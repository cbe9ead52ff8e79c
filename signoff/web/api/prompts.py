"""Endpoints of what models were asked and thought: the prompts of an attempt, and the thinking of one that runs."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.api.executions import ref_of
from signoff.web.api.tasks import DOWNLOAD, TASK, whole
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.contents import content_response
from signoff.web.wire.streamed import begun


async def list_prompts(call: Call) -> Response:
    request = runner_pb2.ListPromptsRequest(
        ref=ref_of(call), task_id=call.path("taskId"), attempt=call.path_number("attempt")
    )
    return answer(await call.upstream.ask(lambda runner: runner.ListPrompts, request))


async def get_prompt(call: Call) -> Response:
    """Answers with the messages of a prompt: JSON, and as hostile as what a model makes of it."""
    call.path_number("attempt")
    request = runner_pb2.GetPromptRequest(ref=ref_of(call), task_id=call.path("taskId"), digest=call.path("digest"))
    answers = await begun(call.upstream.stream(lambda runner: runner.GetPrompt, request))
    told = (await anext(answers)).info
    info = pb.ArtifactInfo(
        name=f"prompt-{told.attempt}",
        task_id=call.path("taskId"),
        attempt=told.attempt,
        size_bytes=told.size_bytes,
        digest=told.digest,
        media_type="application/json",
    )
    return await content_response(call.request, info, whole(answers, info))


async def get_thinking(call: Call) -> Response:
    return answer(await call.upstream.thinking(ref_of(call), call.path("taskId")))


def _endpoint(path: str, handler: Any, about: str, **more: Any) -> Endpoint:
    errors = (400, 404, *more.pop("errors", ()))
    return Endpoint(
        method="GET",
        path=f"{TASK}{path}",
        handler=handler,
        name=handler.__name__,
        about=about,
        group="tasks",
        errors=errors,
        **more,
    )


ENDPOINTS = (
    _endpoint(
        "/attempts/{attempt}/prompts",
        list_prompts,
        "The prompts of an attempt that are kept.",
        answers=runner_pb2.ListPromptsResponse,
    ),
    _endpoint(
        "/attempts/{attempt}/prompts/{digest}",
        get_prompt,
        "The messages of a prompt: a JSON array of {role, content}.",
        query=(DOWNLOAD,),
        answers="application/octet-stream",
        errors=(416,),
    ),
    _endpoint(
        "/thinking",
        get_thinking,
        "The end of what the worker at work on the task has thought aloud, at most 64 KiB.",
        answers=runner_pb2.GetThinkingResponse,
    ),
)
