"""PlannerService: the compiler and its store behind gRPC.

This process never looks into a plan. It receives plans into files (uploads.py) and has them compiled by processes that
can be ended (processes/pool.py), which write the new files beside their places. Then it puts the files into place and
sends them, one message at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO, TypeVar

import structlog

from planner_svc.processes.job import CompileAnswer, CompileJob
from planner_svc.processes.pool import CompileLimits, Compilers
from planner_svc.staging import MAP, read_records
from planner_svc.store import PlanStore, StoredPlan, decoding, read_chunks, read_parts
from planner_svc.uploads import MAX_PLAN_BYTES, PlanUpload, PlanUploads
from planner_svc.wire import protobuf as wire
from signoff.errors import InvalidField, PlanInvalid, PlanTooLarge, StorageFailed
from signoff.files.data_directory import EXECUTION_JSON, PLAN_JSON
from signoff.plan.ids import PLAN_ID_RULE, is_plan_id
from signoff.rpc.concurrency import ConcurrencyLimit
from signoff.v1 import planner_pb2, planner_pb2_grpc

log = structlog.get_logger(__name__)

MOST_SENDING = 64  # plans that are sent at once: each holds a message or two, about 2 MiB
PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000
PAGE_BYTES = 2 << 20  # of one page of plans, whose ideas may have 1 MiB each
TOKEN_PREFIX = "after:"

Item = TypeVar("Item")
Context = Any  # grpc.aio.ServicerContext; nothing here uses it


class PlannerService(planner_pb2_grpc.PlannerServiceServicer):
    """The rpcs of planner.proto."""

    def __init__(
        self, store: PlanStore, max_plan_bytes: int = MAX_PLAN_BYTES, limits: CompileLimits | None = None
    ) -> None:
        self._store = store
        self._limits = limits or CompileLimits()
        self._uploads = PlanUploads(store.folder, max_plan_bytes)
        self._sending = ConcurrencyLimit(MOST_SENDING, "plans")
        self.compilers = Compilers(self._limits)

    async def close(self) -> None:
        """Ends the processes that compile, even in the middle of a plan."""
        await self.compilers.close()

    async def CheckPlan(  # type: ignore[override]  # the interceptor sends bytes as they are
        self, request_iterator: AsyncIterator[planner_pb2.CheckPlanRequest], context: Context
    ) -> AsyncIterator[bytes]:
        with ExitStack() as files:
            async with self._uploads.received(request_iterator) as upload:
                diagnostics_file = files.enter_context(self._uploads.temporary())
                job = CompileJob(infer=upload.infer, cpu_seconds=self._cpu_seconds(upload))
                await self._carry_out(job, upload, diagnostics_file)
            async for diagnostics in _read(diagnostics_file):
                yield diagnostics

    async def CompilePlan(  # type: ignore[override]  # as above
        self, request_iterator: AsyncIterator[planner_pb2.CompilePlanRequest], context: Context
    ) -> AsyncIterator[bytes]:
        with ExitStack() as files:
            async with self._uploads.received(request_iterator) as upload:
                _check_plan_id(upload.named)
                diagnostics_file = files.enter_context(self._uploads.temporary())
                answer, stored = await self._compile(upload, diagnostics_file)
            file = files.enter_context(stored) if stored is not None else None
            async for diagnostics in _read(diagnostics_file):
                yield diagnostics
            if file is None:
                raise PlanInvalid(answer.refused)
            async for part in stepped(map(_compiled_part, read_parts(file))):
                yield part

    async def _compile(self, upload: PlanUpload, diagnostics_file: BinaryIO) -> tuple[CompileAnswer, BinaryIO | None]:
        """Compiles a plan and puts its files into place. Returns its open map, or None when the plan has errors."""
        plan_id, token = upload.named, self._store.new_token()
        folder = str(self._store.folder.absolute())
        cpu = self._cpu_seconds(upload)
        job = CompileJob(infer=upload.infer, cpu_seconds=cpu, folder=folder, plan_id=plan_id, token=token)
        try:
            answer = await self._carry_out(job, upload, diagnostics_file)
        except BaseException:
            self._discard(plan_id, token)
            raise
        if answer.refused:
            log.info("plan_refused", plan=plan_id, diagnostics=answer.diagnostics)
            return answer, None
        file = await self._commit(plan_id, token)
        log.info("plan_compiled", plan=plan_id, tasks=answer.tasks, stages=answer.stages)
        return answer, file

    def _discard(self, plan_id: str, token: str) -> None:
        """Removes staged files. Blocks, because a call that was cancelled can await nothing more."""
        try:
            self._store.discard(plan_id, token)
        except StorageFailed as error:
            log.warning("staged_files_left", plan=plan_id, error=str(error))

    async def _commit(self, plan_id: str, token: str) -> BinaryIO:
        """Puts the files into place. Its thread goes on to the end even when the call is cancelled meanwhile."""
        committing = asyncio.create_task(asyncio.to_thread(self._store.commit, plan_id, token))
        try:
            return await asyncio.shield(committing)
        except asyncio.CancelledError:
            committing.add_done_callback(_close)
            raise

    async def _carry_out(self, job: CompileJob, upload: PlanUpload, diagnostics_file: BinaryIO) -> CompileAnswer:
        """Has a job done and returns its answer. Raises the error that the answer names."""
        answer = await self.compilers.run(job, (upload.file, diagnostics_file))
        if answer.bug:
            raise RuntimeError(f"expected an answer of the compiler, but it raised:\n{answer.bug}")
        if answer.storage:
            raise StorageFailed(answer.storage)
        if answer.too_large:
            raise PlanTooLarge(answer.too_large)
        return answer

    def _cpu_seconds(self, upload: PlanUpload) -> int:
        return self._limits.cpu_seconds(upload.size)

    async def GetPlan(  # type: ignore[override]  # as above
        self, request: planner_pb2.GetPlanRequest, context: Context
    ) -> AsyncIterator[bytes]:
        _check_plan_id(request.plan_id)
        name = _FILES.get(request.view)
        if name is None:
            raise InvalidField("view", "a PlanView", str(request.view))
        async with self._sending.slot():
            async for answer in self._file(request.plan_id, name):
                yield answer

    async def _file(self, plan_id: str, name: str) -> AsyncIterator[bytes]:
        with await asyncio.to_thread(self._store.open, plan_id, name) as file:
            if name == MAP:
                async for part in stepped(map(_stored_part, read_parts(file))):
                    yield part
            else:
                async for chunk in stepped(read_chunks(file)):
                    yield wire.delimited(_CHUNK, chunk)

    async def ListPlans(self, request: planner_pb2.ListPlansRequest, context: Context) -> planner_pb2.ListPlansResponse:
        after, size = _after(request.page_token), request.page_size or PAGE_SIZE
        if size > MAX_PAGE_SIZE:
            raise InvalidField("page_size", f"at most {MAX_PAGE_SIZE:,}", f"{size:,}")
        plans, is_last = await asyncio.to_thread(self._store.page_after, after, size, PAGE_BYTES)
        answer = planner_pb2.ListPlansResponse(plans=map(_summary_to_proto, plans))
        if not is_last:
            answer.next_page_token = TOKEN_PREFIX + plans[-1].header.plan_id
        return answer


_FILES = {
    planner_pb2.PLAN_VIEW_UNSPECIFIED: MAP,
    planner_pb2.PLAN_VIEW_MAP: MAP,
    planner_pb2.PLAN_VIEW_PLAN_JSON: PLAN_JSON,
    planner_pb2.PLAN_VIEW_EXECUTION_JSON: EXECUTION_JSON,
}


def _close(committing: asyncio.Task[BinaryIO]) -> None:
    if not committing.cancelled() and committing.exception() is None:
        committing.result().close()


async def stepped(items: Iterator[Item]) -> AsyncIterator[Item]:
    """Yields the items of an iterator that blocks, taking each step in a thread."""
    end = object()
    while (item := await asyncio.to_thread(next, items, end)) is not end:
        yield item  # type: ignore[misc]


async def _read(diagnostics_file: BinaryIO) -> AsyncIterator[bytes]:
    """Yields the diagnostics of a job as serialized messages."""
    await asyncio.to_thread(diagnostics_file.seek, 0)
    async for message in stepped(read_records(diagnostics_file)):
        yield message


def _compiled_part(part: bytes) -> bytes:
    """Returns a serialized CompilePlanResponse. The part was written a moment ago, and need not be checked."""
    return wire.delimited(_COMPILED_PART, part)


def _stored_part(part: bytes) -> bytes:
    """Returns a serialized GetPlanResponse, for a message object would take several times the memory.

    Raises StorageFailed when the part is damaged.
    """
    answer = wire.delimited(_STORED_PART, part)
    with decoding():
        planner_pb2.GetPlanResponse.FromString(answer)
    return answer


_COMPILED_PART = wire.tag(planner_pb2.CompilePlanResponse.PART_FIELD_NUMBER)
_STORED_PART = wire.tag(planner_pb2.GetPlanResponse.PART_FIELD_NUMBER)
_CHUNK = wire.tag(planner_pb2.GetPlanResponse.CHUNK_FIELD_NUMBER)


def _check_plan_id(plan_id: str) -> None:
    if not is_plan_id(plan_id):
        got = repr(plan_id) if len(plan_id) <= 128 else f"{len(plan_id):,} characters"
        raise InvalidField("plan_id", PLAN_ID_RULE, got)


def _after(token: str) -> str:
    plan_id = token.removeprefix(TOKEN_PREFIX)
    if token and (plan_id == token or not is_plan_id(plan_id)):
        raise InvalidField("page_token", "the token of an earlier answer", repr(token[:40]))
    return plan_id


def _summary_to_proto(plan: StoredPlan) -> planner_pb2.PlanSummary:
    summary = planner_pb2.PlanSummary(
        plan_id=plan.header.plan_id,
        idea=plan.header.idea,
        map_digest=plan.header.map_digest,
        task_count=plan.header.task_count,
        stage_count=plan.header.stage_count,
    )
    summary.compiled_at.FromDatetime(plan.compiled_at)
    return summary
