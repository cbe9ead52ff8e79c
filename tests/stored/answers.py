"""Asks a runner what it knows, in a form that can be kept as JSON and compared later."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc.aio
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from signoff.v1 import runner_pb2, runner_pb2_grpc

Json: TypeAlias = dict[str, Any]


async def answers_of(channel: grpc.aio.Channel) -> Json:
    """Returns everything that the runner answers: its executions from the oldest on, and its canaries."""
    stub: Any = runner_pb2_grpc.RunnerServiceStub(channel)
    listed = await stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=1000))
    workers = await stub.ListWorkers(runner_pb2.ListWorkersRequest())
    executions = [await answers_about(stub, one.execution_id) for one in reversed(listed.executions)]
    return {"executions": executions, "canaries": [_dict(tally) for tally in workers.canaries]}


async def answers_about(stub: Any, execution_id: str) -> Json:
    """Returns one execution: its overview, its tasks, its artifacts and its events."""
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=1000)
    found = await stub.GetExecution(request)
    made = [task.task_id for task in found.tasks if task.artifact.digest and can_be_named(task.task_id)]
    return {
        "execution": _dict(found.execution),
        "tasks": [_dict(task) for task in found.tasks],
        "artifacts": {task: await artifact(stub, ref, task) for task in made},
        "events": await events(stub, ref),
    }


def can_be_named(task_id: str) -> bool:
    """Tells whether a request can name a task; 47ee0cd took ids from planners that no request of later ones can."""
    return re.fullmatch(r"[A-Za-z0-9_]{1,128}", task_id) is not None


async def artifact(stub: Any, ref: runner_pb2.ExecutionRef, task_id: str) -> Json:
    """Returns an artifact's name and type, with the length and the digest of the bytes that came."""
    body, info = bytearray(), None
    async for part in stub.GetArtifact(runner_pb2.GetArtifactRequest(ref=ref, task_id=task_id)):
        info = info or part.info
        body += part.chunk
    assert info is not None, f"expected an artifact of {task_id}, but nothing came"
    digest = hashlib.sha256(body).hexdigest()
    return {"name": info.name, "mediaType": info.media_type, "size": len(body), "digest": digest}


async def events(stub: Any, ref: runner_pb2.ExecutionRef) -> Json:
    """Returns how many events of each kind an execution has, and a digest of all of them as they are stored.

    That a lease is a canary's is stored with its assignment, and received with the verdict: it is put back.
    """
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=False)
    received = [event async for answer in stub.WatchExecution(request) for event in answer.events.events]
    canaries = {event.canary_judged.lease_id: event.canary_judged.canary for event in received}
    kinds: Counter[str] = Counter()
    digest = hashlib.sha256()
    for event in received:
        kinds[event.WhichOneof("kind")] += 1
        if event.HasField("task_assigned") and event.task_assigned.lease_id in canaries:
            event.task_assigned.canary = canaries[event.task_assigned.lease_id]
        digest.update(event.SerializeToString(deterministic=True))
    return {"count": kinds.total(), "kinds": dict(sorted(kinds.items())), "sha256": digest.hexdigest()}


def recorded_request(rpc: str, request: Message, execution_id: str) -> Json:
    """Returns a command that was accepted, so that it can be repeated later."""
    return {"rpc": rpc, "request": _dict(request), "execution": execution_id}


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """Returns the digests of files, by their names."""
    return {name: hashlib.sha256(body).hexdigest() for name, body in sorted(files.items())}


def _dict(message: Message) -> Json:
    return dict(MessageToDict(message))
