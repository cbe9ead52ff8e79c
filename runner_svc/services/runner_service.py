"""RunnerService: requests become signals and questions, answers become messages. Decides nothing."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

import grpc.aio

from runner_svc.backup.export import parts_of
from runner_svc.codec.canaries import tallies_to_proto
from runner_svc.codec.inputs import given_by_client
from runner_svc.codec.previews import preview_to_proto
from runner_svc.codec.settings import budget_from_proto, settings_from_proto
from runner_svc.codec.views import artifact_to_proto, overview_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.explain.preview import preview, question_of
from runner_svc.core.explain.start_warnings import warnings_of
from runner_svc.core.model import signals
from runner_svc.core.model.map import Map, map_key
from runner_svc.core.model.values import NO_TASK, RUNNER, Content, ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.engine import Engine
from runner_svc.planner import FetchLimit, Planner
from runner_svc.prune.collection import GRACE
from runner_svc.prune.exclusive import Exclusive
from runner_svc.prune.pruner import Pruner
from runner_svc.services.candidates import CandidateQuery, find_candidate
from runner_svc.services.content_uploads import ContentUploads
from runner_svc.services.file_uploads import FileUploads
from runner_svc.services.hub import Hub
from runner_svc.services.layouts import check_request, layout_key, layout_parts
from runner_svc.services.leases import content_of_lease
from runner_svc.services.one_execution import TellFiles, describer, task_named
from runner_svc.services.pages import executions_page, listing_query
from runner_svc.services.prompts import find_prompt, prompts_of
from runner_svc.services.prunes import prune_rule, sums_to_proto
from runner_svc.services.sending import Sending
from runner_svc.services.task_journal import JournalOfTask
from runner_svc.services.watching import check_has_history, watch
from runner_svc.services.worker_list import workers_to_proto
from runner_svc.store.port import Store
from signoff.errors import ArtifactNotFound, InvalidField, PlanNotFound
from signoff.rpc.channel import CHUNK_BYTES
from signoff.rpc.concurrency import ConcurrencyLimit, in_thread
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, runner_pb2_grpc

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

PREVIEWED_A_PAGE = 1000
MOST_PREVIEWS = (
    2  # that are made at once: each takes a thread, of which other work, such as the engine's, needs some too
)
MOST_WARNINGS = 20
MOST_JOURNALS = 4  # that are read as a whole at once: all other reads of the store wait for a page of each
MOST_SNAPSHOTS = 16  # of large executions that are sent at once: each is held as a whole
MOST_LAYOUTS = 64  # that are sent at once: each holds one or two messages of 1 MiB


class RunnerService(runner_pb2_grpc.RunnerServiceServicer):
    """The promises of runner.proto, over the engine."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        hub: Hub,
        planner: Planner,
        currency: str = "",
        *,
        prune_grace: float = GRACE,
        files_of_plan: TellFiles | None = None,
    ) -> None:
        """`currency`: the currency of all costs. `prune_grace`: seconds in which no prune drops a new content.

        `files_of_plan`: tells how far the files for people of a plan are; None: this runner writes none.
        """
        self._engine = engine
        self._store = store
        self._hub = hub
        self._planner = planner
        self._fetches = FetchLimit()
        self._previews = ConcurrencyLimit(MOST_PREVIEWS, "previews")
        self._currency = currency
        self._files_of_plan = files_of_plan
        self._exclusive = Exclusive()
        self._pruner = Pruner(engine, store, self._exclusive, prune_grace)
        self._contents = ContentUploads(engine.contents)
        self._send = Sending(engine.contents)
        self._files = FileUploads(engine)
        self._layouts = ConcurrencyLimit(MOST_LAYOUTS, "layouts")
        self._journals = ConcurrencyLimit(MOST_JOURNALS, "questions about whole journals")
        self._snapshots = ConcurrencyLimit(MOST_SNAPSHOTS, "snapshots of large executions")

    # ------------------------------------------------------------ layouts

    async def SetLayout(self, request: runner_pb2.SetLayoutRequest, context: Context) -> runner_pb2.SetLayoutResponse:
        if not request.plan_id:
            raise InvalidField("plan_id", "the id of a compiled plan", "nothing")
        async with self._fetches.slot(request.plan_id):
            header = await self._set_layout(request.plan_id, request.request_id)
        return runner_pb2.SetLayoutResponse(header=header)

    async def _set_first_layout(self, plan_id: str) -> None:
        """Makes a plan's map its layout, unless another start has done so while this one waited."""
        async with self._fetches.slot(plan_id):
            # guard: a first layout is set once -> if True:
            if not await self._has_layout(plan_id):
                await self._set_layout(plan_id, "")

    async def _has_layout(self, plan_id: str) -> bool:
        return await self._engine.ask(lambda state: plan_id in state.layouts)

    async def _set_layout(self, plan_id: str, request_id: str) -> plan_pb2.MapHeader:
        """Stores the map, then has the engine make it the layout of its plan. Call it in a slot of `_fetches`."""
        fetched = await self._planner.fetch(plan_id)
        with self._engine.setting(fetched.map.key):
            await self._store.put_map(fetched.map.key, fetched.parts)
            signal = signals.SetLayout(at=self._engine.now(), request_id=request_id, map=fetched.map)
            await self._engine.submit(signal, lambda _: None)
        return fetched.header

    async def GetLayout(  # type: ignore[override]  # as those of WatchExecution
        self, request: runner_pb2.GetLayoutRequest, context: Context
    ) -> AsyncIterator[bytes]:
        check_request(request)
        key = await self._engine.ask(lambda state: layout_key(state, request))
        async with self._layouts.slot():
            async for body in layout_parts(self._store, key, tasks=request.tasks):
                yield body

    # ------------------------------------------------------------ commands

    async def StartExecution(
        self, request: runner_pb2.StartExecutionRequest, context: Context
    ) -> runner_pb2.StartExecutionResponse:
        settings, inputs = settings_from_proto(request.settings), given_by_client(request.inputs)
        await self._contents.check_uploaded(inputs)
        if request.plan_id and not await self._has_layout(request.plan_id):
            await self._set_first_layout(request.plan_id)
        new = ExecutionId(uuid.uuid4().hex)
        signal = signals.StartExecution(
            at=self._engine.now(),
            request_id=request.request_id,
            execution=new,
            plan_id=request.plan_id,
            settings=settings,
            currency=self._currency,
            inputs=inputs,
        )

        def started(state: State) -> runner_pb2.StartExecutionResponse:
            known = state.requests.get(request.request_id)
            overview = state.overview(new if known is None else known.execution)
            execution, warnings = overview_to_proto(overview), _warnings(state, overview)
            return runner_pb2.StartExecutionResponse(execution=execution, warnings=warnings)

        return await self._engine.submit(signal, started)

    async def PreviewExecution(
        self, request: runner_pb2.PreviewExecutionRequest, context: Context
    ) -> runner_pb2.PreviewExecutionResponse:
        settings, inputs = settings_from_proto(request.settings), given_by_client(request.inputs)
        # guard: a few previews at once -> async with contextlib.nullcontext():
        async with self._previews.slot():
            plan = await self._compiled(request.plan_id) if request.plan_id else None
            question = await self._engine.ask(
                lambda state: question_of(state, plan or state.layout(request.plan_id), settings, inputs)
            )
            found = await in_thread(lambda: preview(question))
        return preview_to_proto(found, request.max_tasks or PREVIEWED_A_PAGE)

    async def _compiled(self, plan_id: str) -> Map | None:
        """Returns a plan's map as the planner has it. None: it has none, but it was set as a layout before."""
        try:
            async with self._fetches.slot(plan_id):
                return (await self._planner.fetch(plan_id)).map
        except PlanNotFound:
            if await self._has_layout(plan_id):
                return None
            raise

    async def ListMissingContents(
        self, request: runner_pb2.ListMissingContentsRequest, context: Context
    ) -> runner_pb2.ListMissingContentsResponse:
        return runner_pb2.ListMissingContentsResponse(
            digests=await self._contents.missing(request.digests, request.lease_id)
        )

    async def UploadContent(
        self, request_iterator: AsyncIterator[runner_pb2.UploadContentRequest], context: Context
    ) -> runner_pb2.UploadContentResponse:
        return runner_pb2.UploadContentResponse(size_bytes=await self._contents.take(request_iterator))

    async def UploadFiles(
        self, request_iterator: AsyncIterator[runner_pb2.UploadFilesRequest], context: Context
    ) -> runner_pb2.UploadFilesResponse:
        return await self._files.take(request_iterator)

    async def PauseExecution(
        self, request: runner_pb2.PauseExecutionRequest, context: Context
    ) -> runner_pb2.PauseExecutionResponse:
        execution = await self._command(request, signals.PauseExecution, reason=request.reason)
        return runner_pb2.PauseExecutionResponse(execution=execution)

    async def ResumeExecution(
        self, request: runner_pb2.ResumeExecutionRequest, context: Context
    ) -> runner_pb2.ResumeExecutionResponse:
        execution = await self._command(request, signals.ResumeExecution)
        known = ExecutionId(execution.execution_id)
        warnings = await self._engine.ask(lambda state: list(_warnings(state, state.overview(known))))
        return runner_pb2.ResumeExecutionResponse(execution=execution, warnings=warnings)

    async def StopExecution(
        self, request: runner_pb2.StopExecutionRequest, context: Context
    ) -> runner_pb2.StopExecutionResponse:
        execution = await self._command(request, signals.StopExecution, reason=request.reason)
        return runner_pb2.StopExecutionResponse(execution=execution)

    async def RetryTask(self, request: runner_pb2.RetryTaskRequest, context: Context) -> runner_pb2.RetryTaskResponse:
        execution = await self._command(request, signals.RetryTask, task_id=request.task_id)
        return runner_pb2.RetryTaskResponse(execution=execution)

    async def SetBudget(self, request: runner_pb2.SetBudgetRequest, context: Context) -> runner_pb2.SetBudgetResponse:
        budget = budget_from_proto(request.budget)
        execution = await self._command(request, signals.SetBudget, task_id=request.task_id, budget=budget)
        return runner_pb2.SetBudgetResponse(execution=execution)

    async def JudgeTask(self, request: runner_pb2.JudgeTaskRequest, context: Context) -> runner_pb2.JudgeTaskResponse:
        if request.outcome not in (execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL):
            raise InvalidField("outcome", "OUTCOME_PASS or OUTCOME_FAIL", str(request.outcome))
        passes = request.outcome == execution_pb2.OUTCOME_PASS
        if not passes and not request.reason:
            raise InvalidField("reason", "why it is rejected: the next attempt reads it", "nothing")
        execution = await self._command(
            request,
            signals.JudgeTask,
            task_id=request.task_id,
            passes=passes,
            reason=request.reason,
            person=request.person,
            digest=request.digest,
            attempt=request.attempt,
        )
        return runner_pb2.JudgeTaskResponse(execution=execution)

    async def _command(
        self, request: Any, kind: Callable[..., signals.ExecutionCommand], **rest: Any
    ) -> execution_pb2.Execution:
        execution_id = await self._engine.ask(lambda state: _execution_of_command(state, request))
        signal = kind(at=self._engine.now(), request_id=request.request_id, execution=execution_id, **rest)
        return await self._engine.submit(signal, lambda state: overview_to_proto(state.overview(execution_id)))

    async def _resolve(self, ref: runner_pb2.ExecutionRef) -> ExecutionId:
        """Raises ExecutionNotFound, or InvalidField when the reference is empty."""
        return await self._engine.ask(lambda state: _id(state, ref))

    # ------------------------------------------------------------ questions

    async def GetExecution(
        self, request: runner_pb2.GetExecutionRequest, context: Context
    ) -> runner_pb2.GetExecutionResponse:
        describe = describer(request, self._engine.now(), self._files_of_plan)
        return await self._engine.ask(lambda state: describe(state, _id(state, request.ref)))

    async def ListExecutions(
        self, request: runner_pb2.ListExecutionsRequest, context: Context
    ) -> runner_pb2.ListExecutionsResponse:
        query = await self._engine.ask(lambda state: listing_query(state, request))
        rows = await self._store.listed(query)
        return await self._engine.ask(lambda state: executions_page(state, request, query, rows))

    async def WatchExecution(  # type: ignore[override]  # its answers are serialized: signoff.rpc.interceptor sends them as they are
        self, request: runner_pb2.WatchExecutionRequest, context: Context
    ) -> AsyncIterator[bytes]:
        execution_id = await self._resolve(request.ref)
        watching = watch(self._engine, self._store, self._hub, execution_id, request, self._snapshots)
        async with contextlib.aclosing(watching) as answers:
            async for answer in answers:
                yield answer

    async def GetArtifact(
        self, request: runner_pb2.GetArtifactRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetArtifactResponse]:
        info, content = await self._engine.ask(lambda state: _artifact(state, request))
        file = await self._send.file(content, request, f"task {request.task_id}")
        yield runner_pb2.GetArtifactResponse(info=info, file=file)
        to_worker = bool(request.lease_id)
        async with self._send.place(content, request, file, to_worker=to_worker):
            async for piece in self._send.pieces(content, request, file, to_worker=to_worker):
                yield runner_pb2.GetArtifactResponse(file=piece.file, chunk=piece.chunk)

    async def GetCandidate(
        self, request: runner_pb2.GetCandidateRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetCandidateResponse]:
        query = await self._engine.ask(lambda state: _candidate_query(state, request))
        # guard: a few candidates are searched at once -> if True:
        async with self._journals.slot():
            info = await find_candidate(self._store, query)
        made = info.artifact
        content = Content(digest=made.digest, size=made.size_bytes, media_type=made.media_type)
        file = await self._send.file(content, request, f"attempt {made.attempt} of task {request.task_id}")
        yield runner_pb2.GetCandidateResponse(info=info, file=file)
        if request.info_only:
            return
        async with self._send.place(content, request, file):
            async for piece in self._send.pieces(content, request, file):
                yield runner_pb2.GetCandidateResponse(file=piece.file, chunk=piece.chunk)

    async def ListPrompts(
        self, request: runner_pb2.ListPromptsRequest, context: Context
    ) -> runner_pb2.ListPromptsResponse:
        query = await self._engine.ask(lambda state: _prompt_query(state, request))
        # guard: a few lists of prompts are made at once -> if True:
        async with self._journals.slot():
            found = await prompts_of(self._store, query, attempt=request.attempt, phase=request.phase)
        return runner_pb2.ListPromptsResponse(prompts=found)

    async def GetPrompt(
        self, request: runner_pb2.GetPromptRequest, context: Context
    ) -> AsyncIterator[runner_pb2.GetPromptResponse]:
        query = await self._engine.ask(lambda state: _prompt_query(state, request))
        # guard: a few prompts are searched at once -> if True:
        async with self._journals.slot():
            info = await find_prompt(self._store, query, request.digest)
        yield runner_pb2.GetPromptResponse(info=info)
        size = info.size_bytes
        async with self._send.place_for(size), self._engine.contents.lent(info.digest, size) as body:
            for start in range(0, len(body), CHUNK_BYTES):
                yield runner_pb2.GetPromptResponse(chunk=body[start : start + CHUNK_BYTES])

    async def GetThinking(
        self, request: runner_pb2.GetThinkingRequest, context: Context
    ) -> runner_pb2.GetThinkingResponse:
        return await self._engine.ask(lambda state: _thinking(state, request, self._hub))

    async def ListWorkers(
        self, request: runner_pb2.ListWorkersRequest, context: Context
    ) -> runner_pb2.ListWorkersResponse:
        roster, canaries = await self._engine.ask(lambda state: (state.roster, tallies_to_proto(state.canaries())))
        workers = await workers_to_proto(roster, self._hub)
        return runner_pb2.ListWorkersResponse(workers=workers, canaries=canaries)

    async def PruneExecutions(
        self, request: runner_pb2.PruneExecutionsRequest, context: Context
    ) -> AsyncIterator[runner_pb2.PruneExecutionsResponse]:
        rule = prune_rule(request, self._engine.now())
        answer = runner_pb2.PruneExecutionsResponse()
        async with contextlib.aclosing(self._pruner.prune(rule, dry_run=request.dry_run)) as steps:
            async for sums in steps:
                answer = sums_to_proto(sums)
                yield answer
        answer.done = True
        yield answer

    async def BackUp(
        self, request: runner_pb2.BackUpRequest, context: Context
    ) -> AsyncIterator[runner_pb2.BackUpResponse]:
        with self._exclusive.held("a backup"):
            async for part in parts_of(self._store, self._engine.contents, await self._engine.ask(_count_events)):
                yield part


def _count_events(state: State) -> int:
    return state.sequence + sum(known.sequence for known in state.in_order() if known.pruned_at is None)


def _warnings(state: State, overview: Overview) -> Iterator[str]:
    """Returns the doubts about an execution's start; none while its map is not in memory."""
    plan = state.maps.get(map_key(overview.plan_id, overview.map_digest))
    return itertools.islice(warnings_of(state, plan), MOST_WARNINGS) if plan is not None else iter(())


def _id(state: State, ref: runner_pb2.ExecutionRef) -> ExecutionId:
    kind = ref.WhichOneof("ref")
    if kind is None:
        raise InvalidField("ref", "an execution_id or a plan_id", "neither")
    return state.overview(ref.execution_id).id if kind == "execution_id" else state.latest_of(ref.plan_id)


def _execution_of_command(state: State, request: Any) -> ExecutionId:
    """Returns the execution that a command is about. A repeated command keeps the execution of its first time."""
    found = _id(state, request.ref)
    known = state.requests.get(request.request_id)
    if known is None or request.ref.WhichOneof("ref") != "plan_id" or known.execution == RUNNER:
        return found
    return known.execution if state.overview(known.execution).plan_id == request.ref.plan_id else found


def _with_history(state: State, ref: runner_pb2.ExecutionRef) -> Execution:
    """Raises ExecutionPruned for an execution of which only the artifacts were kept."""
    known = _id(state, ref)
    check_has_history(state.overview(known))
    return state.execution(known)


def _candidate_query(state: State, request: runner_pb2.GetCandidateRequest) -> CandidateQuery:
    execution = _with_history(state, request.ref)
    return CandidateQuery(
        execution=execution.id,
        sequence=execution.sequence,
        task_id=request.task_id,
        artifact=execution.map.makes[task_named(execution, request.task_id)],
        attempt=request.attempt,
    )


def _prompt_query(state: State, request: runner_pb2.ListPromptsRequest | runner_pb2.GetPromptRequest) -> JournalOfTask:
    execution = _with_history(state, request.ref)
    task_named(execution, request.task_id)
    return JournalOfTask(execution=execution.id, sequence=execution.sequence, task_id=request.task_id)


def _thinking(state: State, request: runner_pb2.GetThinkingRequest, hub: Hub) -> runner_pb2.GetThinkingResponse:
    execution = state.execution(_id(state, request.ref))
    record = execution.record(task_named(execution, request.task_id))
    if record.lease is None:
        return runner_pb2.GetThinkingResponse(attempt=record.attempt)
    heard, phase = hub.thoughts.of(record.lease.id), execution_pb2.Phase.ValueType(record.lease.phase)
    return runner_pb2.GetThinkingResponse(attempt=record.attempt, phase=phase, text=heard.text, dropped=heard.dropped)


def _artifact(state: State, request: runner_pb2.GetArtifactRequest) -> tuple[execution_pb2.ArtifactInfo, Content]:
    execution = state.execution(_id(state, request.ref))
    is_of_plan = bool(request.lease_id) and not request.task_id  # an input of the plan
    task = NO_TASK if is_of_plan else task_named(execution, request.task_id)
    if request.lease_id:
        content = content_of_lease(state, execution, task, request)
        return artifact_to_proto(execution, task, content), content
    artifact = execution.record(task).artifact
    if artifact is None:
        status = execution.task_status(task).label
        raise ArtifactNotFound(f"expected task {request.task_id} to be signed off, but it is {status}")
    return artifact_to_proto(execution, task, artifact), artifact
