"""PlannerService: the compiler and its store behind gRPC.

Compiling runs in threads of its own, a few at a time, so that the loop keeps answering. A plan is taken as it comes, at
most 1 GiB of it; what goes out is read or built one message at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

import structlog

from planner_svc import wire
from planner_svc.codec import diagnostic_to_proto
from planner_svc.compiler import Compiled, compile_plan
from planner_svc.diagnostics import Diagnostic, Severity
from planner_svc.document import execution_json_pieces
from planner_svc.ids import PLAN_ID_RULE, is_plan_id
from planner_svc.layout import lay_out
from planner_svc.mapcodec import map_to_bytes
from planner_svc.parse import MAX_PLAN_BYTES
from planner_svc.store import EXECUTION_JSON, MAP, PLAN_JSON, Store, StoredPlan, decoding, read_chunks, read_parts
from signoff.errors import InvalidField, PlanInvalid, PlanTooLarge
from signoff.frames import runs
from signoff.garbage import uncollected
from signoff.turns import Turns
from signoff.v1 import plan_pb2, planner_pb2, planner_pb2_grpc

log = structlog.get_logger(__name__)

COMPILES_AT_ONCE = 2  # more only wait for the same interpreter, and each holds a plan in memory
DIAGNOSTICS_BYTES = 256 * 1024  # of one message
MOST_SENDING = 64  # plans that are sent at once: each holds a message or two, about 2 MiB
PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000
TOKEN_PREFIX = "after:"

Item = TypeVar("Item")
Context = Any  # grpc.aio.ServicerContext; nothing here uses it
UploadMessage = planner_pb2.CheckPlanRequest | planner_pb2.CompilePlanRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A plan as it was streamed in."""

    plan_id: str  #: empty when none was given
    data: bytes
    infer: bool


class PlannerService(planner_pb2_grpc.PlannerServiceServicer):
    def __init__(self, store: Store, max_plan_bytes: int = MAX_PLAN_BYTES) -> None:
        self._store = store
        self._max_plan_bytes = max_plan_bytes
        self._sending = Turns(MOST_SENDING, "plans")
        self._compilers = ThreadPoolExecutor(COMPILES_AT_ONCE, thread_name_prefix="compile")

    def close(self) -> None:
        """Ends the threads once what they compile is compiled."""
        self._compilers.shutdown()

    async def CheckPlan(
        self, request_iterator: AsyncIterator[planner_pb2.CheckPlanRequest], context: Context
    ) -> AsyncIterator[planner_pb2.CheckPlanResponse]:
        upload = await receive(request_iterator, self._max_plan_bytes)
        compiled = await self._in_thread(lambda: compile_plan(upload.data, infer=upload.infer))
        for diagnostics in _batches(compiled.diagnostics):
            yield planner_pb2.CheckPlanResponse(diagnostics=diagnostics)

    async def CompilePlan(
        self, request_iterator: AsyncIterator[planner_pb2.CompilePlanRequest], context: Context
    ) -> AsyncIterator[planner_pb2.CompilePlanResponse]:
        upload = await receive(request_iterator, self._max_plan_bytes)
        plan_id = upload.plan_id or default_plan_id(upload.data)
        _check_plan_id(plan_id)
        compiled, file = await self._in_thread(lambda: self._compile_and_store(plan_id, upload))
        for diagnostics in _batches(compiled.diagnostics):
            yield planner_pb2.CompilePlanResponse(diagnostics=diagnostics)
        if file is None:
            raise PlanInvalid(_errors_in_short(compiled.diagnostics))
        with file:
            async for part in stepped(map(_compiled_part, read_parts(file))):
                yield part

    async def GetPlan(  # type: ignore[override]  # parts are sent as they are stored, and not read
        self, request: planner_pb2.GetPlanRequest, context: Context
    ) -> AsyncIterator[planner_pb2.GetPlanResponse | bytes]:
        _check_plan_id(request.plan_id)
        name = _FILES.get(request.view)
        if name is None:
            raise InvalidField("view", "a PlanView", str(request.view))
        async with self._sending.one():
            async for answer in self._file(request.plan_id, name):
                yield answer

    async def _file(self, plan_id: str, name: str) -> AsyncIterator[planner_pb2.GetPlanResponse | bytes]:
        with await asyncio.to_thread(self._store.open, plan_id, name) as file:
            if name == MAP:
                async for part in stepped(map(_stored_part, read_parts(file))):
                    yield part
            else:
                async for chunk in stepped(read_chunks(file)):
                    yield planner_pb2.GetPlanResponse(chunk=chunk)

    async def ListPlans(self, request: planner_pb2.ListPlansRequest, context: Context) -> planner_pb2.ListPlansResponse:
        after, size = _after(request.page_token), request.page_size or PAGE_SIZE
        if size > MAX_PAGE_SIZE:
            raise InvalidField("page_size", f"at most {MAX_PAGE_SIZE:,}", f"{size:,}")
        found = await asyncio.to_thread(self._store.list_after, after, size + 1)
        answer = planner_pb2.ListPlansResponse(plans=map(_summary_to_proto, found[:size]))
        if len(found) > size:
            answer.next_page_token = TOKEN_PREFIX + found[size - 1].header.plan_id
        return answer

    def _compile_and_store(self, plan_id: str, upload: Upload) -> tuple[Compiled, BinaryIO | None]:
        compiled = compile_plan(upload.data, plan_id=plan_id, infer=upload.infer)
        if compiled.map is None or compiled.encoded is None:
            log.info("plan_refused", plan=plan_id, diagnostics=len(compiled.diagnostics))
            return compiled, None
        parts = map_to_bytes(compiled.map, compiled.encoded, lay_out(compiled.map, compiled.own))
        file = self._store.save(plan_id, upload.data, execution_json_pieces(compiled.map), parts)
        log.info("plan_compiled", plan=plan_id, tasks=len(compiled.map.tasks), stages=compiled.map.stage_count)
        return compiled, file

    async def _in_thread(self, work: Callable[[], Item]) -> Item:
        def compiling() -> Item:
            with uncollected():
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._compilers, compiling)


_FILES = {
    planner_pb2.PLAN_VIEW_UNSPECIFIED: MAP,
    planner_pb2.PLAN_VIEW_MAP: MAP,
    planner_pb2.PLAN_VIEW_PLAN_JSON: PLAN_JSON,
    planner_pb2.PLAN_VIEW_EXECUTION_JSON: EXECUTION_JSON,
}


async def receive(messages: AsyncIterator[UploadMessage], most: int) -> Upload:
    """Gathers a streamed plan. Raises InvalidField when options come late, PlanTooLarge beyond `most` bytes."""
    first = None
    data = bytearray()
    async for message in messages:
        if first is None:
            first = message
        elif message.no_infer or _plan_id(message):
            field = "no_infer" if message.no_infer else "plan_id"
            raise InvalidField(field, "options in the first message only", "one in a later message")
        if len(data) + len(message.plan_json) > most:
            raise PlanTooLarge(f"expected a plan of at most {most:,} bytes, but got more")
        data += message.plan_json
    if first is None:
        raise InvalidField("plan_json", "at least one message", "a stream without any")
    return Upload(plan_id=_plan_id(first), data=bytes(data), infer=not first.no_infer)


def _plan_id(message: UploadMessage) -> str:
    return message.plan_id if isinstance(message, planner_pb2.CompilePlanRequest) else ""


def default_plan_id(data: bytes) -> str:
    return f"plan-{hashlib.sha256(data).hexdigest()[:12]}"


async def stepped(items: Iterator[Item]) -> AsyncIterator[Item]:
    """What an iterator that blocks yields, each step taken in a thread."""
    end = object()
    while (item := await asyncio.to_thread(next, items, end)) is not end:
        yield item  # type: ignore[misc]


def _compiled_part(part: bytes) -> planner_pb2.CompilePlanResponse:
    with decoding():
        return planner_pb2.CompilePlanResponse.FromString(wire.delimited(_COMPILED_PART, part))


def _stored_part(part: bytes) -> bytes:
    """The answer with a part, serialized, once it can be read: an object of it takes several times the memory."""
    answer = wire.delimited(_STORED_PART, part)
    with decoding():
        planner_pb2.GetPlanResponse.FromString(answer)
    return answer


_COMPILED_PART = wire.tag(planner_pb2.CompilePlanResponse.PART_FIELD_NUMBER)
_STORED_PART = wire.tag(planner_pb2.GetPlanResponse.PART_FIELD_NUMBER)


def _check_plan_id(plan_id: str) -> None:
    if not is_plan_id(plan_id):
        got = repr(plan_id) if len(plan_id) <= 128 else f"{len(plan_id):,} characters"
        raise InvalidField("plan_id", PLAN_ID_RULE, got)


def _after(token: str) -> str:
    plan_id = token.removeprefix(TOKEN_PREFIX)
    if token and (plan_id == token or not is_plan_id(plan_id)):
        raise InvalidField("page_token", "the token of an earlier answer", repr(token[:40]))
    return plan_id


def _batches(diagnostics: Iterable[Diagnostic]) -> Iterator[list[plan_pb2.Diagnostic]]:
    return runs(map(diagnostic_to_proto, diagnostics), DIAGNOSTICS_BYTES)


def _errors_in_short(diagnostics: Iterable[Diagnostic]) -> str:
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR]
    more = f" (and {len(errors) - 1:,} more)" if len(errors) > 1 else ""
    return f"expected a plan without errors, but {errors[0].code}: {errors[0].message}{more}"


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
