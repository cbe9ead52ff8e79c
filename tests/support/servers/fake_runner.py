"""A fake runner with what a test wrote for it: executions, journals, artifacts, and streams that break off."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import duration_pb2, timestamp_pb2

from signoff.errors import (
    ArtifactNotFound,
    CandidateNotFound,
    ExecutionNotFound,
    PromptNotFound,
    TaskNotFound,
    WrongState,
)
from signoff.manifest.manifest import (
    MANIFEST_TYPE,
    FileEntry,
    Manifest,
    manifest_from_json,
    manifest_of,
    manifest_to_json,
)
from signoff.plan.inputs import media_type_of
from signoff.rpc.server import Server
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2, runner_pb2_grpc

EXECUTION_ID = "x-1"
PLAN_ID = "trends"
BEGAN = 1_800_000_000  # Unix time of every journal's first event; each later one comes a second later

Context = grpc.aio.ServicerContext[Any, Any]


def at(second: int) -> timestamp_pb2.Timestamp:
    return timestamp_pb2.Timestamp(seconds=BEGAN + second)


# ---------------------------------------------------------------- what a journal is made of


def journal(*events: pb.Event) -> list[pb.Event]:
    """Numbers the events from 1, a second apart."""
    for sequence, event in enumerate(events, start=1):
        event.sequence = sequence
        event.at.CopyFrom(at(sequence))
    return list(events)


def created(tasks: int = 1) -> pb.Event:
    return pb.Event(execution_created=pb.ExecutionCreated(plan_id=PLAN_ID, idea="an idea", task_count=tasks))


def started() -> pb.Event:
    return pb.Event(execution_started=pb.ExecutionStarted())


def succeeded() -> pb.Event:
    return pb.Event(execution_succeeded=pb.ExecutionSucceeded())


def failed(reason: str) -> pb.Event:
    return pb.Event(execution_failed=pb.ExecutionFailed(reason=reason))


def assigned(task: str, *, attempt: int = 1, worker: str = "executor-1") -> pb.Event:
    body = pb.TaskAssigned(attempt=attempt, phase=pb.PHASE_EXECUTE, worker=worker)
    return pb.Event(task_id=task, task_assigned=body)


def given_to_judge(task: str, *, attempt: int = 1, worker: str = "validator-1") -> pb.Event:
    body = pb.TaskAssigned(attempt=attempt, phase=pb.PHASE_VALIDATE, worker=worker)
    return pb.Event(task_id=task, task_assigned=body)


def stored(task: str, *, attempt: int = 1) -> pb.Event:
    body = pb.CandidateStored(attempt=attempt, size_bytes=1536, media_type="text/markdown")
    return pb.Event(task_id=task, candidate_stored=body)


def passed(task: str, *, attempt: int = 1) -> pb.Event:
    result = pb.CriterionResult(criterion="is there", outcome=pb.OUTCOME_PASS, deterministic=True)
    return pb.Event(task_id=task, verdict_passed=pb.VerdictPassed(attempt=attempt, results=[result]))


def rejected(task: str, feedback: str, *, attempt: int = 1) -> pb.Event:
    result = pb.CriterionResult(criterion="names a year", outcome=pb.OUTCOME_FAIL, reason=feedback)
    body = pb.VerdictFailed(attempt=attempt, results=[result], feedback=feedback, retry_worthwhile=True)
    return pb.Event(task_id=task, verdict_failed=body)


def retry_scheduled(task: str) -> pb.Event:
    return pb.Event(task_id=task, retry_scheduled=pb.RetryScheduled(retry_at=at(60)))


def given_up(task: str, reason: str) -> pb.Event:
    return pb.Event(task_id=task, task_failed=pb.TaskFailed(reason=reason))


def done(task: str) -> list[pb.Event]:
    """Returns the events of a task without failures, from start to end."""
    return [assigned(task), stored(task), given_to_judge(task), passed(task)]


# ---------------------------------------------------------------- states


def execution(state: pb.ExecutionState.ValueType, *, sequence: int = 0, **counts: int) -> pb.Execution:
    return pb.Execution(
        execution_id=EXECUTION_ID,
        plan_id=PLAN_ID,
        idea="an idea",
        state=state,
        sequence=sequence,
        created_at=at(0),
        started_at=at(1),
        counts=pb.TaskCounts(**counts),
    )


def undone(task: str, *, stage: int = 1, why: str = "waits for a worker") -> pb.TaskState:
    waiting = pb.Waiting(message=why)
    waiting.waiting_for = pb.WAITING_FOR_EXECUTOR
    return pb.TaskState(task_id=task, stage=stage, status=pb.TASK_STATUS_UNDONE, waiting=waiting)


def signed_off(task: str, content: bytes = b"made", *, stage: int = 1, name: str = "") -> pb.TaskState:
    artifact = pb.ArtifactInfo(
        name=name,
        task_id=task,
        attempt=1,
        size_bytes=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        media_type="text/markdown",
    )
    return pb.TaskState(
        task_id=task,
        stage=stage,
        status=pb.TASK_STATUS_DONE,
        attempt=1,
        took=duration_pb2.Duration(seconds=3),
        artifact=artifact,
    )


def with_files(task: str, files: Mapping[str, bytes], *, main: str = "", name: str = "") -> tuple[pb.TaskState, bytes]:
    """Returns the state of a task whose result has files, and their manifest."""
    manifest = manifest_of([_entry(path, body) for path, body in files.items()], main or min(files))
    body = manifest_to_json(manifest)
    state = signed_off(task, body, name=name)
    described(state.artifact, manifest)
    return state, body


def described(info: pb.ArtifactInfo, manifest: Manifest) -> None:
    """Makes the description of a content that of a manifest."""
    info.media_type = MANIFEST_TYPE
    info.file_count, info.files_bytes = len(manifest.files), manifest.size


def _entry(path: str, body: bytes) -> FileEntry:
    media_type = media_type_of(path, is_text=True)
    return FileEntry(path=path, media_type=media_type, size=len(body), digest=hashlib.sha256(body).hexdigest())


# ---------------------------------------------------------------- the service


@dataclass(slots=True)
class FakeRunner(runner_pb2_grpc.RunnerServiceServicer):
    """A runner with one execution. It keeps the requests in `asked`."""

    execution: pb.Execution = field(default_factory=lambda: execution(pb.EXECUTION_STATE_RUNNING))
    tasks: list[pb.TaskState] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)  #: all of them, also those the snapshot covers
    thinking: list[runner_pb2.Thinking] = field(default_factory=list)  #: sent before the events of every stream
    contents: dict[str, bytes] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)  #: files of results, by digest
    file_piece: int = 1000  #: bytes of a file in a message
    candidates: list[tuple[pb.CandidateInfo, bytes]] = field(default_factory=list)  #: of one task, the last one last
    prompts: list[tuple[runner_pb2.PromptInfo, bytes]] = field(default_factory=list)  #: of one task
    workers: list[runner_pb2.Worker] = field(default_factory=list)
    canaries: list[pb.CanaryTally] = field(default_factory=list)
    thoughts: runner_pb2.GetThinkingResponse = field(default_factory=runner_pb2.GetThinkingResponse)
    cuts: list[int] = field(default_factory=list)  #: how many messages the next streams send before they break off
    asked: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  #: of every start and every resume
    preview: runner_pb2.PreviewExecutionResponse = field(default_factory=runner_pb2.PreviewExecutionResponse)
    uploaded: dict[str, bytes] = field(default_factory=dict)  #: contents of inputs, by digest
    others: list[pb.Execution] = field(default_factory=list)  #: that it lists after its own
    output_files: list[runner_pb2.OutputFiles] = field(default_factory=list)  #: told one by one, and then the last one
    ends_as: pb.ExecutionState.ValueType | None = None  #: its state, just before it would be resumed or stopped
    looks: int = 0  #: how often a client must ask for the execution before a watch ends
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def GetExecution(
        self, request: runner_pb2.GetExecutionRequest, context: Context
    ) -> runner_pb2.GetExecutionResponse:
        self._require(request.ref)
        self.asked.append(request)
        async with self.looked:
            self.looks -= 1
            self.looked.notify_all()
        wanted = self._selected(request)
        begin = int(request.page_token or 0)
        end = begin + (request.page_size or len(wanted))
        token = str(end) if end < len(wanted) else ""
        page = wanted[begin:end]
        return runner_pb2.GetExecutionResponse(
            execution=self.execution, tasks=page, next_page_token=token, output_files=self._output_files(request)
        )

    def _output_files(self, request: runner_pb2.GetExecutionRequest) -> runner_pb2.OutputFiles | None:
        if request.tasks == runner_pb2.TASK_SELECTION_UNSPECIFIED and len(self.output_files) > 1:
            return self.output_files.pop(0)
        return self.output_files[0] if self.output_files else None

    def _selected(self, request: runner_pb2.GetExecutionRequest) -> list[pb.TaskState]:
        if self.execution.state == pb.EXECUTION_STATE_QUARANTINED:
            return []  # nothing is known of its tasks, not even their names
        if request.tasks == runner_pb2.TASK_SELECTION_NAMED:
            unknown = set(request.task_ids) - {task.task_id for task in self.tasks}
            if unknown:
                raise TaskNotFound(f"expected tasks of {self.execution.plan_id}, but got {', '.join(unknown)}")
            return [task for task in self.tasks if task.task_id in request.task_ids]
        if request.tasks == runner_pb2.TASK_SELECTION_UNFINISHED:
            return [task for task in self.tasks if task.status != pb.TASK_STATUS_DONE]
        return self.tasks if request.tasks == runner_pb2.TASK_SELECTION_ALL else []

    async def ListExecutions(
        self, request: runner_pb2.ListExecutionsRequest, context: Context
    ) -> runner_pb2.ListExecutionsResponse:
        self.asked.append(request)
        return runner_pb2.ListExecutionsResponse(executions=[self.execution, *self.others])

    async def PruneExecutions(
        self, request: runner_pb2.PruneExecutionsRequest, context: Context
    ) -> AsyncIterator[runner_pb2.PruneExecutionsResponse]:
        self.asked.append(request)
        yield runner_pb2.PruneExecutionsResponse(executions=2)
        yield runner_pb2.PruneExecutionsResponse(executions=3, events=40, contents=5, content_bytes=6000, done=True)

    async def BackUp(
        self, request: runner_pb2.BackUpRequest, context: Context
    ) -> AsyncIterator[runner_pb2.BackUpResponse]:
        self.asked.append(request)
        yield runner_pb2.BackUpResponse(end=runner_pb2.BackedUpEnd())

    async def ListWorkers(
        self, request: runner_pb2.ListWorkersRequest, context: Context
    ) -> runner_pb2.ListWorkersResponse:
        return runner_pb2.ListWorkersResponse(workers=self.workers, canaries=self.canaries)

    async def PauseExecution(
        self, request: runner_pb2.PauseExecutionRequest, context: Context
    ) -> runner_pb2.PauseExecutionResponse:
        self._require(request.ref)
        self.asked.append(request)
        if self.execution.state == pb.EXECUTION_STATE_SUCCEEDED:
            raise WrongState("expected an execution that goes on, but x-1 has succeeded")
        self.execution.state, self.execution.reason = pb.EXECUTION_STATE_PAUSED, request.reason
        return runner_pb2.PauseExecutionResponse(execution=self.execution)

    async def ResumeExecution(
        self, request: runner_pb2.ResumeExecutionRequest, context: Context
    ) -> runner_pb2.ResumeExecutionResponse:
        self.asked.append(request)
        self._end_first()
        self.execution.state = pb.EXECUTION_STATE_RUNNING
        return runner_pb2.ResumeExecutionResponse(execution=self.execution, warnings=self.warnings)

    async def StopExecution(
        self, request: runner_pb2.StopExecutionRequest, context: Context
    ) -> runner_pb2.StopExecutionResponse:
        self.asked.append(request)
        self._end_first()
        self.execution.state, self.execution.reason = pb.EXECUTION_STATE_STOPPED, request.reason
        return runner_pb2.StopExecutionResponse(execution=self.execution)

    def _end_first(self) -> None:
        """Raises WrongState when the execution is to end just before an order comes."""
        if self.ends_as is not None:
            self.execution.state = self.ends_as
            raise WrongState("expected an execution that has not ended, but this one has")

    async def SetLayout(self, request: runner_pb2.SetLayoutRequest, context: Context) -> runner_pb2.SetLayoutResponse:
        self.asked.append(request)
        return runner_pb2.SetLayoutResponse(header=plan_pb2.MapHeader(plan_id=request.plan_id))

    async def StartExecution(
        self, request: runner_pb2.StartExecutionRequest, context: Context
    ) -> runner_pb2.StartExecutionResponse:
        self.asked.append(request)
        self.execution.state = pb.EXECUTION_STATE_RUNNING
        return runner_pb2.StartExecutionResponse(execution=self.execution, warnings=self.warnings)

    async def PreviewExecution(
        self, request: runner_pb2.PreviewExecutionRequest, context: Context
    ) -> runner_pb2.PreviewExecutionResponse:
        self.asked.append(request)
        return self.preview

    async def ListMissingContents(
        self, request: runner_pb2.ListMissingContentsRequest, context: Context
    ) -> runner_pb2.ListMissingContentsResponse:
        missing = [digest for digest in request.digests if digest not in self.uploaded]
        return runner_pb2.ListMissingContentsResponse(digests=missing)

    async def UploadContent(
        self, request_iterator: AsyncIterator[runner_pb2.UploadContentRequest], context: Context
    ) -> runner_pb2.UploadContentResponse:
        requests = [request async for request in request_iterator]
        self.uploaded[requests[0].digest] = b"".join(request.chunk for request in requests)
        return runner_pb2.UploadContentResponse(size_bytes=len(self.uploaded[requests[0].digest]))

    async def UploadFiles(
        self, request_iterator: AsyncIterator[runner_pb2.UploadFilesRequest], context: Context
    ) -> runner_pb2.UploadFilesResponse:
        requests = [request async for request in request_iterator]
        return runner_pb2.UploadFilesResponse(files=sum(bool(request.digest) for request in requests))

    async def RetryTask(self, request: runner_pb2.RetryTaskRequest, context: Context) -> runner_pb2.RetryTaskResponse:
        self.asked.append(request)
        return runner_pb2.RetryTaskResponse(execution=self.execution)

    async def SetBudget(self, request: runner_pb2.SetBudgetRequest, context: Context) -> runner_pb2.SetBudgetResponse:
        self.asked.append(request)
        return runner_pb2.SetBudgetResponse(execution=self.execution)

    async def JudgeTask(self, request: runner_pb2.JudgeTaskRequest, context: Context) -> runner_pb2.JudgeTaskResponse:
        self.asked.append(request)
        return runner_pb2.JudgeTaskResponse(execution=self.execution)

    async def GetLayout(
        self, request: runner_pb2.GetLayoutRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetLayoutResponse]:
        self.asked.append(request)
        header = plan_pb2.MapHeader(plan_id=PLAN_ID, task_count=len(self.tasks))
        yield runner_pb2.GetLayoutResponse(part=plan_pb2.MapPart(header=header))
        for task in self.tasks:
            node = plan_pb2.TreeNode(task_id=task.task_id, atomic=True, description=f"about {task.task_id}")
            layout = plan_pb2.LayoutPart(nodes=[node])
            yield runner_pb2.GetLayoutResponse(part=plan_pb2.MapPart(layout=layout))
        if request.tasks:
            specs = [plan_pb2.MapTask(spec=plan_pb2.TaskSpec(task_id=task.task_id)) for task in self.tasks]
            yield runner_pb2.GetLayoutResponse(part=plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=specs)))

    async def GetArtifact(
        self, request: runner_pb2.GetArtifactRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetArtifactResponse]:
        self._require(request.ref)
        if request.task_id not in self.contents:
            raise ArtifactNotFound(f"expected a signed-off task, but {request.task_id} is undone")
        info = next(task.artifact for task in self.tasks if task.task_id == request.task_id)
        self.asked.append(request)
        for part in self._parts(request, info, info, self.contents[request.task_id], 3):
            yield runner_pb2.GetArtifactResponse(**part)

    def _parts(
        self, request: Any, told: Any, info: pb.ArtifactInfo, content: bytes, at_once: int
    ) -> Iterable[dict[str, Any]]:
        """Yields the fields of the answers: the content, one of its files, or all of them."""
        if not (request.path or (request.all_files and info.file_count)):
            yield {"info": told}
            yield from _pieces(content, at_once)
            return
        files = manifest_from_json(content).files if info.file_count else ()
        chosen = [one for one in files if request.path in ("", one.path)]
        if not chosen:
            raise ArtifactNotFound(f"expected a file of {info.task_id}, but got {request.path!r}")
        if not request.path:
            yield {"info": told}
        for entry in chosen:
            file = runner_pb2.FileEntry(
                path=entry.path, media_type=entry.media_type, size_bytes=entry.size, digest=entry.digest
            )
            yield {"info": told, "file": file} if request.path else {"file": file}
            body = self.bodies[entry.digest]
            end = request.offset + request.length if request.length else len(body)
            yield from _pieces(body[request.offset : end], self.file_piece)

    async def GetCandidate(
        self, request: runner_pb2.GetCandidateRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetCandidateResponse]:
        self._require(request.ref)
        self.asked.append(request)
        made = {info.artifact.attempt: (info, body) for info, body in self.candidates}
        attempt = request.attempt or max(made, default=0)
        if attempt not in made:
            raise CandidateNotFound(f"expected an attempt that made a candidate, but got {attempt}")
        info, body = made[attempt]
        if request.info_only:
            yield runner_pb2.GetCandidateResponse(info=info)
            return
        for part in self._parts(request, info, info.artifact, body, 1000):
            yield runner_pb2.GetCandidateResponse(**part)

    async def ListPrompts(
        self, request: runner_pb2.ListPromptsRequest, context: Context
    ) -> runner_pb2.ListPromptsResponse:
        self._require(request.ref)
        self.asked.append(request)
        wanted = [
            info
            for info, _ in self.prompts
            if request.attempt in (0, info.attempt) and request.phase in (0, info.phase)
        ]
        return runner_pb2.ListPromptsResponse(prompts=wanted)

    async def GetPrompt(
        self, request: runner_pb2.GetPromptRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetPromptResponse]:
        self._require(request.ref)
        found = {info.digest: (info, body) for info, body in self.prompts}
        if request.digest not in found:
            raise PromptNotFound(f"expected the digest of a prompt, but got {request.digest}")
        info, body = found[request.digest]
        yield runner_pb2.GetPromptResponse(info=info)
        for begin in range(0, len(body), 9):
            yield runner_pb2.GetPromptResponse(chunk=body[begin : begin + 9])

    async def GetThinking(
        self, request: runner_pb2.GetThinkingRequest, context: Context
    ) -> runner_pb2.GetThinkingResponse:
        self._require(request.ref)
        self.asked.append(request)
        return self.thoughts

    async def WatchExecution(
        self, request: runner_pb2.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[runner_pb2.WatchExecutionResponse]:
        self._require(request.ref)
        self.asked.append(request)
        left = self.cuts.pop(0) if self.cuts else None
        for answer in self._answers(request):
            if left == 0:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the stream broke off")
            yield answer
            left = None if left is None else left - 1
        async with self.looked:
            await self.looked.wait_for(lambda: self.looks <= 0)

    def _answers(self, request: runner_pb2.WatchExecutionRequest) -> Iterable[runner_pb2.WatchExecutionResponse]:
        after = request.after_sequence
        if not request.HasField("after_sequence"):
            after = self.execution.sequence
            yield from self._snapshot()
        for thought in self.thinking if request.thinking else ():
            yield runner_pb2.WatchExecutionResponse(thinking=runner_pb2.ThinkingBatch(thinking=[thought]))
        for event in self.events:
            if event.sequence > after and (not request.task_ids or event.task_id in request.task_ids):
                yield runner_pb2.WatchExecutionResponse(events=runner_pb2.EventBatch(events=[event]))

    def _snapshot(self) -> Iterable[runner_pb2.WatchExecutionResponse]:
        """Returns a message for each task and an empty last one, so that a stream can break off inside."""
        for task in self.tasks:
            yield _part(runner_pb2.SnapshotPart(execution=self.execution, tasks=[task]))
        yield _part(runner_pb2.SnapshotPart(execution=self.execution, last=True))

    def _require(self, ref: runner_pb2.ExecutionRef) -> None:
        if ref.execution_id != EXECUTION_ID and ref.plan_id != PLAN_ID:
            raise ExecutionNotFound(f"expected an execution this runner has, but got {ref.execution_id or ref.plan_id}")


def _pieces(content: bytes, at_once: int) -> Iterable[dict[str, Any]]:
    return ({"chunk": content[begin : begin + at_once]} for begin in range(0, len(content), at_once))


def _part(part: runner_pb2.SnapshotPart) -> runner_pb2.WatchExecutionResponse:
    return runner_pb2.WatchExecutionResponse(snapshot=part)


@asynccontextmanager
async def listening(runner: FakeRunner, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """Serves on loopback; yields the address."""
    server = Server()
    server.add(runner_pb2_grpc.add_RunnerServiceServicer_to_server, runner, "signoff.v1.RunnerService")
    try:
        yield await server.start(address)
    finally:
        await server.stop(0)
        await asyncio.sleep(0)
