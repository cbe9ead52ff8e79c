"""Asks a runner what it knows, in a form that can be kept as JSON and compared later."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2, runner_pb2_grpc

Json: TypeAlias = dict[str, Any]

OF_QUARANTINED = ("executionId", "planId", "state")  # the fields of an execution of which nothing else is known


async def answers_of(channel: grpc.aio.Channel) -> Json:
    """Returns everything that the runner answers: its executions from the oldest on, and its canaries.

    Also those that wait for each kind of need, by the store's index; of a quarantined one that is not known.
    """
    stub: Any = runner_pb2_grpc.RunnerServiceStub(channel)
    listed = await stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=1000))
    workers = await stub.ListWorkers(runner_pb2.ListWorkersRequest())
    return {
        "executions": [await answers_about(stub, one.execution_id) for one in reversed(listed.executions)],
        "canaries": [_dict(tally) for tally in workers.canaries],
        "needs": {name: await _in_need(stub, need) for name, need in runner_pb2.ExecutionNeed.items() if need},
    }


async def _in_need(stub: Any, need: runner_pb2.ExecutionNeed.ValueType) -> list[str]:
    found = await stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=1000, awaiting=[need]))
    return [one.execution_id for one in found.executions if one.state != pb.EXECUTION_STATE_QUARANTINED]


async def answers_about(stub: Any, execution_id: str) -> Json:
    """Returns one execution: its overview and its tasks, with what they have made, and its events."""
    ref = runner_pb2.ExecutionRef(execution_id=execution_id)
    request = runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL, page_size=1000)
    found = await stub.GetExecution(request)
    overview = _dict(found.execution)
    if found.execution.state == pb.EXECUTION_STATE_QUARANTINED:
        return {"execution": {name: overview[name] for name in OF_QUARANTINED}, "tasks": [], "artifacts": {}}
    answers = {
        "execution": overview,
        "tasks": [_dict(task) for task in found.tasks],
        "artifacts": {
            task.task_id: await artifact(stub, ref, task)
            for task in found.tasks
            if task.artifact.digest and can_be_named(task.task_id)
        },
    }
    if found.execution.HasField("pruned_at"):
        return answers
    begun = [task for task in found.tasks if task.attempt and can_be_named(task.task_id)]
    return answers | {
        "events": await events(stub, ref),
        "candidates": {task.task_id: await candidate(stub, ref, task) for task in begun if not task.artifact.digest},
        "prompts": {task.task_id: told for task in begun if (told := await prompts(stub, ref, task))},
    }


def can_be_named(task_id: str) -> bool:
    """Tells whether a request can name a task; 47ee0cd took ids from planners that no request of later ones can."""
    return re.fullmatch(r"[A-Za-z0-9_]{1,128}", task_id) is not None


async def artifact(stub: Any, ref: runner_pb2.ExecutionRef, task: pb.TaskState) -> Json:
    """Returns an artifact's name and type, with the length and the digest of the bytes that came, and its files."""
    request = runner_pb2.GetArtifactRequest(ref=ref, task_id=task.task_id)
    info, body = await _read(stub.GetArtifact(request))
    told = {"name": info.name, "mediaType": info.media_type, "size": len(body), "digest": _digest(body)}
    if not info.file_count:
        return told
    request.all_files = True
    return told | {"files": await _files(stub.GetArtifact(request))}


async def candidate(stub: Any, ref: runner_pb2.ExecutionRef, task: pb.TaskState) -> Json:
    """Returns what is known of the last candidate of a task, with the digest of the bytes that came, and its files."""
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id=task.task_id)
    try:
        info, body = await _read(stub.GetCandidate(request))
    except grpc.aio.AioRpcError as refusal:
        if refusal.code() is not grpc.StatusCode.NOT_FOUND:
            raise
        return {}
    told = {"info": _dict(info), "digest": _digest(body)}
    if not info.artifact.file_count:
        return told
    request.all_files = True
    return told | {"files": await _files(stub.GetCandidate(request))}


async def prompts(stub: Any, ref: runner_pb2.ExecutionRef, task: pb.TaskState) -> list[Json]:
    """Returns the prompts of a task that are shown, with the digests of the bytes that came."""
    listed = await stub.ListPrompts(runner_pb2.ListPromptsRequest(ref=ref, task_id=task.task_id))
    told = []
    for prompt in listed.prompts:
        request = runner_pb2.GetPromptRequest(ref=ref, task_id=task.task_id, digest=prompt.digest)
        _, body = await _read(stub.GetPrompt(request))
        told.append(_dict(prompt) | {"came": _digest(body)})
    return told


async def _read(answers: Any) -> tuple[Any, bytes]:
    """Returns what a stream of bytes begins with, and all its bytes."""
    parts = [part async for part in answers]
    return parts[0].info, b"".join(part.chunk for part in parts)


async def _files(answers: Any) -> Json:
    """Returns the digests of the bytes that came of all files, by their paths."""
    bodies: dict[str, bytearray] = {}
    path = ""
    async for part in answers:
        if part.HasField("file"):
            path = part.file.path
            bodies[path] = bytearray()
        if path:
            bodies[path] += part.chunk
    return {path: _digest(body) for path, body in bodies.items()}


def _digest(body: bytes | bytearray) -> str:
    return hashlib.sha256(body).hexdigest()


async def events(stub: Any, ref: runner_pb2.ExecutionRef) -> Json:
    """Returns how many events of each kind an execution has, and a digest of all of them as they are stored.

    That a lease is a canary's is stored with its assignment, and received with the verdict: it is put back.
    """
    received = await events_of(stub, ref)
    canaries = {event.canary_judged.lease_id: event.canary_judged.canary for event in received}
    kinds: Counter[str] = Counter()
    digest = hashlib.sha256()
    for event in received:
        kinds[event.WhichOneof("kind") or ""] += 1
        if event.HasField("task_assigned") and event.task_assigned.lease_id in canaries:
            event.task_assigned.canary = canaries[event.task_assigned.lease_id]
        digest.update(event.SerializeToString(deterministic=True))
    return {"count": kinds.total(), "kinds": dict(sorted(kinds.items())), "sha256": digest.hexdigest()}


async def events_of(stub: Any, ref: runner_pb2.ExecutionRef) -> list[pb.Event]:
    """Returns all events of an execution."""
    request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=False)
    return [event async for answer in stub.WatchExecution(request) for event in answer.events.events]


def recorded_request(rpc: str, request: Message, execution_id: str) -> Json:
    """Returns a command that was accepted, so that it can be repeated later."""
    return {"rpc": rpc, "request": _dict(request), "execution": execution_id}


def _dict(message: Message) -> Json:
    return dict(MessageToDict(message))
