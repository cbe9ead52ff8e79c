"""All results of an execution as one zip file, made while it is sent: nothing of it is kept."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from signoff.client.result_files import ResultOf, files_of
from signoff.client.values import Artifact
from signoff.display.result_names import MANIFEST, has_own_name, result_names
from signoff.errors import ArtifactNotFound
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.api.executions import ref_of
from signoff.web.api.files import files_record, zip_response
from signoff.web.api.tasks import whole
from signoff.web.wire.calls import Call, Endpoint
from signoff.web.wire.messages import encode, record
from signoff.web.wire.streamed import begun
from signoff.web.wire.zips import ZipStream

PAGE = 500

_NOT_IN_A_NAME = re.compile(r"[^\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A signed-off result."""

    info: pb.ArtifactInfo
    at: Timestamp


async def get_results(call: Call) -> Response:
    execution = await call.upstream.get(ref_of(call))
    name = f"{_NOT_IN_A_NAME.sub('_', execution.plan_id)}-{_NOT_IN_A_NAME.sub('_', execution.execution_id)}"
    return zip_response(name, await begun(_zip(call, execution)))


async def _zip(call: Call, execution: pb.Execution) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of the file. An error breaks it off before its directory: no program takes it for whole."""
    file, listed = ZipStream(), list[dict[str, Any]]()
    made, names = await _signed_off(call)
    for one in made:
        async with aclosing(_added(call, file, one, names[one.info.task_id], listed)) as pieces:
            async for piece in pieces:
                yield piece
    about = {"executionId": execution.execution_id, "planId": execution.plan_id, "idea": execution.idea}
    file.add_text(MANIFEST, encode({**about, "mapDigest": execution.map_digest, "results": listed}))
    yield file.end()


async def _signed_off(call: Call) -> tuple[list[_Made], dict[str, str]]:
    """Returns the results that are signed off, and their names by task."""
    request = runner_pb2.GetExecutionRequest(ref=ref_of(call), tasks=runner_pb2.TASK_SELECTION_ALL, page_size=PAGE)
    made, task_ids = list[_Made](), list[str]()
    while True:
        told = await call.upstream.ask(lambda runner: runner.GetExecution, request)
        task_ids += (task.task_id for task in told.tasks)
        done = (task for task in told.tasks if task.status == pb.TASK_STATUS_DONE)
        made += (_Made(info=task.artifact, at=task.changed_at) for task in done)
        if not told.next_page_token:
            break
        request.page_token = told.next_page_token
    nameless = {one.info.task_id for one in made if not has_own_name(one.info)}
    about = await call.upstream.descriptions(ref_of(call), nameless)
    return made, result_names((one.info for one in made), task_ids, about)


async def _added(
    call: Call, file: ZipStream, made: _Made, name: str, listed: list[dict[str, Any]]
) -> AsyncGenerator[bytes, None]:
    """Adds one artifact, and yields what is ready. One that was withdrawn meanwhile is left out."""
    task_id = made.info.task_id
    try:
        if made.info.file_count:
            found = await call.upstream.artifact(ref_of(call), task_id)
            pieces = _added_files(call, file, made, found, name, listed)
        else:
            request = runner_pb2.GetArtifactRequest(ref=ref_of(call), task_id=task_id)
            answers = await begun(call.upstream.stream(lambda runner: runner.GetArtifact, request))
            info = (await anext(answers)).info
            listed.append({"path": name, **record(info)})
            pieces = file.add(name, made.at, info.media_type, info.size_bytes, whole(answers, info))
    except ArtifactNotFound:
        return
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece


async def _added_files(
    call: Call, file: ZipStream, made: _Made, found: Artifact, name: str, listed: list[dict[str, Any]]
) -> AsyncGenerator[bytes, None]:
    manifest = files_of(found)
    assert manifest is not None
    result = ResultOf(ref=ref_of(call), task_id=made.info.task_id)
    async with aclosing(call.upstream.files(result, manifest)) as files:
        async for entry, chunks in files:
            path = f"{name}/{entry.path}"
            async with aclosing(file.add(path, made.at, entry.media_type, entry.size, chunks)) as pieces:
                async for piece in pieces:
                    yield piece
    listed.append({"path": name, **record(found.info), **files_record(manifest)})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/executions/{executionId}/results.zip",
        handler=get_results,
        name="get_results",
        group="executions",
        about="Every artifact that is signed off, with a manifest of their digests.",
        answers="application/zip",
        errors=(400, 404),
    ),
)
