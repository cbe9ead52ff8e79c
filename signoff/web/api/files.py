"""Endpoints of results with files: their list, each of them with ranges, and all of them as a zip file.

The same four are there for the artifact of a task and for the candidate of an attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from signoff.client.result_files import ResultOf, checked, entry_of, files_of, info_of
from signoff.client.values import Artifact, Candidate
from signoff.display.result_names import safe_name
from signoff.errors import Unavailable
from signoff.manifest.manifest import FileEntry, Manifest, shown
from signoff.plan.inputs import problem_of_kept_path
from signoff.v1 import runner_pb2
from signoff.web.api.executions import ref_of
from signoff.web.safety.refusals import NotFound
from signoff.web.wire.calls import Call, Endpoint, answer
from signoff.web.wire.contents import SANDBOX, Span, file_response
from signoff.web.wire.parameters import flag
from signoff.web.wire.streamed import Streamed, begun
from signoff.web.wire.zips import ZipStream

DOWNLOAD = flag("download", "As an attachment, whatever its type.")


def _result(call: Call) -> ResultOf:
    """Returns the result that a path names: a candidate when it has an attempt."""
    is_candidate = "attempt" in call.request.path_params
    attempt = call.path_number("attempt") if is_candidate else None
    return ResultOf(ref=ref_of(call), task_id=call.path("taskId"), attempt=attempt)


async def _found(call: Call) -> tuple[Artifact | Candidate, Manifest]:
    """Returns a result with files, and their manifest. Raises NotFound for one content."""
    result = _result(call)
    found: Artifact | Candidate
    if result.attempt is None:
        found = await call.upstream.artifact(result.ref, result.task_id)
    else:
        found = await call.upstream.candidate(result.ref, result.task_id, result.attempt)
    manifest = await asyncio.to_thread(files_of, found)
    if manifest is None:
        raise NotFound(f"expected a result with files, but {result} is one content")
    return found, manifest


def files_record(manifest: Manifest) -> dict[str, Any]:
    """Returns the files of a result for programs, as protobuf's JSON mapping writes them."""
    files = [
        {"path": file.path, "mediaType": file.media_type, "sizeBytes": str(file.size), "digest": file.digest}
        for file in manifest.files
    ]
    return {"main": manifest.main, "files": files}


async def list_files(call: Call) -> Response:
    _, manifest = await _found(call)
    return answer(files_record(manifest))


# ---------------------------------------------------------------- one file


async def get_file(call: Call) -> Response:
    result, path = _result(call), call.path("path")
    # guard: paths of files are checked -> if False:
    if problem_of_kept_path(path):
        raise NotFound(f"expected the path of a file of {result}, but got {shown(path)}")
    answers = await begun(_told(call, result, path))
    first = await anext(answers)
    if not first.HasField("file"):
        await answers.aclose()
        raise NotFound(f"expected a result with files, but {result} is one content")
    entry = entry_of(first.file)

    async def opened(span: Span | None) -> AsyncIterator[bytes]:
        if span is None:
            return checked(entry, _chunks(answers))
        await answers.aclose()
        return _range(call, result, entry, span)

    response = None
    try:
        response = await file_response(call.request, entry, opened)
    finally:
        if response is None or not isinstance(response, Streamed):
            await answers.aclose()
    return response


def _told(call: Call, result: ResultOf, path: str, offset: int = 0, length: int = 0) -> AsyncGenerator[Any, None]:
    wanted: dict[str, Any] = {"path": path, "offset": offset, "length": length}
    if result.attempt is None:
        artifact = runner_pb2.GetArtifactRequest(ref=result.ref, task_id=result.task_id, **wanted)
        return call.upstream.stream(lambda runner: runner.GetArtifact, artifact)
    candidate = runner_pb2.GetCandidateRequest(ref=result.ref, task_id=result.task_id, attempt=result.attempt, **wanted)
    return call.upstream.stream(lambda runner: runner.GetCandidate, candidate)


async def _chunks(answers: AsyncGenerator[Any, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(answers):
        async for told in answers:
            yield told.chunk


async def _range(call: Call, result: ResultOf, entry: FileEntry, span: Span) -> AsyncGenerator[bytes, None]:
    """Yields a range of a file. Raises Unavailable, which breaks the answer off, when it is short or another file's."""
    left = span.last - span.first + 1
    async with aclosing(_told(call, result, entry.path, span.first, left)) as answers:
        first = await anext(answers, None)
        if first is not None and first.file.digest == entry.digest:
            async for told in answers:
                left -= len(told.chunk)
                yield told.chunk
    if left:
        raise Unavailable(f"{result} was replaced while {entry.path} was read")


# ---------------------------------------------------------------- all of them


async def get_files_zip(call: Call) -> Response:
    found, manifest = await _found(call)
    task = await call.upstream.task(ref_of(call), call.path("taskId"))
    info = info_of(found)
    attempt = f"-attempt-{info.attempt}" if "attempt" in call.request.path_params else ""
    name = f"{safe_name(info.name) or info.task_id}{attempt}"
    return zip_response(name, await begun(_zip(call, manifest, task.changed_at)))


async def _zip(call: Call, manifest: Manifest, at: Timestamp) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of the zip file. An error breaks it off before its directory."""
    file = ZipStream()
    async with aclosing(call.upstream.files(_result(call), manifest)) as files:
        async for entry, chunks in files:
            async with aclosing(file.add(entry.path, at, entry.media_type, entry.size, chunks)) as pieces:
                async for piece in pieces:
                    yield piece
    yield file.end()


def zip_response(name: str, content: AsyncIterator[bytes]) -> Response:
    """Answers with a zip file of this name, without its suffix."""
    plain = "".join(character if character.isascii() else "_" for character in name)
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}.zip\"; filename*=UTF-8''{quote(name, safe='')}.zip",
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "no-store",
    }
    return Streamed(content, headers=headers, media_type="application/zip")


# ---------------------------------------------------------------- the table

_FILE = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("path", "mediaType", "sizeBytes", "digest")},
    "required": ["path", "mediaType", "sizeBytes", "digest"],
    "additionalProperties": False,
}
_FILES = {
    "type": "object",
    "properties": {"main": {"type": "string"}, "files": {"type": "array", "items": _FILE}},
    "required": ["main", "files"],
    "additionalProperties": False,
}


def _endpoint(
    of: str, path: str, handler: Callable[[Call], Awaitable[Response]], name: str, about: str, **more: Any
) -> Endpoint:
    kind = of.rpartition("/")[2]
    return Endpoint(
        method="GET",
        path=f"/api/v1/executions/{{executionId}}/tasks/{{taskId}}/{of}/{path}",
        handler=handler,
        name=name.format(kind),
        about=about,
        group="tasks",
        errors=(400, 404, 409, *more.pop("errors", ())),
        **more,
    )


def _endpoints(of: str, named: str) -> tuple[Endpoint, ...]:
    return (
        _endpoint(of, "files", list_files, "list_{}_files", f"The files of {named}, and the main one.", answers=_FILES),
        _endpoint(
            of,
            "files/{path}",
            get_file,
            "get_{}_file",
            f"A file of {named}; ETag is its digest.",
            query=(DOWNLOAD,),
            answers="application/octet-stream",
            errors=(416,),
        ),
        _endpoint(
            of, "files.zip", get_files_zip, "get_{}_files_zip", f"All files of {named}.", answers="application/zip"
        ),
    )


ENDPOINTS = (
    *_endpoints("artifact", "an artifact that has several"),
    *_endpoints("attempts/{attempt}/candidate", "a candidate that has several"),
)
