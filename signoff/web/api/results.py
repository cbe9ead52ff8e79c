"""All results of an execution as one zip file, made while it is sent: nothing of it is kept."""

from __future__ import annotations

import re
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC
from typing import Any

from starlette.responses import Response

from signoff.errors import ArtifactNotFound
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from signoff.web.api.executions import ref_of
from signoff.web.api.tasks import whole
from signoff.web.wire.calls import Call, Endpoint
from signoff.web.wire.contents import SANDBOX, file_name
from signoff.web.wire.messages import encode, record
from signoff.web.wire.streamed import Streamed, begun

PAGE = 500
LEVEL = 1  # of compression: a worker of the door's loop must not be busy for long
BIG = 2**31  # bytes, from which on a file takes the larger headers
MANIFEST = "manifest.json"
OLDEST, NEWEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # that a zip file can tell

_NOT_IN_A_NAME = re.compile(r"[^\w-]+", re.ASCII)


async def get_results(call: Call) -> Response:
    execution = await call.upstream.get(ref_of(call))
    name = f"{_NOT_IN_A_NAME.sub('_', execution.plan_id)}-{_NOT_IN_A_NAME.sub('_', execution.execution_id)}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "no-store",
    }
    return Streamed(await begun(_zip(call, execution)), headers=headers, media_type="application/zip")


class _Sink:
    """Takes what the zip file writes, and hands it on. It cannot seek, so the file is written front to back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        return None

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


async def _zip(call: Call, execution: pb.Execution) -> AsyncGenerator[bytes, None]:
    """Yields the bytes of the file. An error breaks it off before its directory: no program takes it for whole."""
    sink, listed = _Sink(), list[dict[str, Any]]()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as file:  # type: ignore[call-overload]
        async for task in _signed_off(call):
            async with aclosing(_added(call, file, sink, task, listed)) as pieces:
                async for piece in pieces:
                    yield piece
        about = {"executionId": execution.execution_id, "planId": execution.plan_id, "idea": execution.idea}
        file.writestr(MANIFEST, encode({**about, "mapDigest": execution.map_digest, "results": listed}))
        yield sink.take()
    yield sink.take()


async def _signed_off(call: Call) -> AsyncIterator[pb.TaskState]:
    request = runner_pb2.GetExecutionRequest(ref=ref_of(call), tasks=runner_pb2.TASK_SELECTION_ALL, page_size=PAGE)
    while True:
        told = await call.upstream.ask(lambda runner: runner.GetExecution, request)
        for task in told.tasks:
            if task.status == pb.TASK_STATUS_DONE:
                yield task
        if not told.next_page_token:
            return
        request.page_token = told.next_page_token


async def _added(
    call: Call, file: zipfile.ZipFile, sink: _Sink, task: pb.TaskState, listed: list[dict[str, Any]]
) -> AsyncGenerator[bytes, None]:
    """Adds one artifact, and yields what is ready. One that was withdrawn meanwhile is left out."""
    request = runner_pb2.GetArtifactRequest(ref=ref_of(call), task_id=task.task_id)
    try:
        answers = await begun(call.upstream.stream(lambda runner: runner.GetArtifact, request))
    except ArtifactNotFound:
        return
    info = (await anext(answers)).info
    path = entry_path(info)
    entry = zipfile.ZipInfo(path, _moment(task))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    with file.open(entry, "w", force_zip64=info.size_bytes >= BIG) as writer:
        async with aclosing(whole(answers, info)) as chunks:
            async for chunk in chunks:
                writer.write(chunk)
                yield sink.take()
    listed.append({"path": path, **record(info)})


def entry_path(info: pb.ArtifactInfo) -> str:
    """Returns the path of an artifact in the file: two parts, each of letters and digits, so it leads nowhere else."""
    # guard: names in a zip are tame -> return f"{info.task_id}/{info.name}"
    return f"{_NOT_IN_A_NAME.sub('_', info.task_id) or 'task'}/{file_name(info)}"


def _moment(task: pb.TaskState) -> tuple[int, int, int, int, int, int]:
    at = task.changed_at.ToDatetime(UTC)
    return min(NEWEST, max(OLDEST, (at.year, at.month, at.day, at.hour, at.minute, at.second)))


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
