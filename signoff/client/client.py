"""The client: signoff's services as an async Python API.

    async with Client(planner="127.0.0.1:50051", runner="127.0.0.1:50052") as client:
        compiled = await client.compile_plan(plan_json, plan_id="trends")
        await client.set_layout("trends")
        execution = await client.start("trends")
        async for message in client.watch(by_execution(execution.execution_id)):
            ...

What a service refuses is raised as the class of signoff.errors that it was there. Every command carries a request id of
its own, so repeating it while a service is away changes nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import grpc.aio

from signoff.client.costs import Costs, CostsFold
from signoff.client.watch import Message, WatchPosition
from signoff.errors import (
    PlanInvalid,
    ReaderTooSlow,
    SignoffError,
    TooManyStreams,
    Unavailable,
    WatcherTooSlow,
)
from signoff.rpc.addresses import NOWHERE, Route, RunnerStub
from signoff.rpc.channel import CHUNK_BYTES, connect
from signoff.rpc.statuses import typed
from signoff.v1 import (
    execution_pb2,
    plan_pb2,
    planner_pb2,
    planner_pb2_grpc,
    runner_pb2,
)

ANSWER_WITHIN = timedelta(seconds=30)  # of one unary call; the services answer in milliseconds
RECONNECT_FOR = timedelta(seconds=60)  # of a watch that has begun; a runner restarts in a few seconds
PAGE = 1_000

Answer = TypeVar("Answer")
Ref = runner_pb2.ExecutionRef


def by_plan(plan_id: str) -> Ref:
    """The newest execution of a plan."""
    return Ref(plan_id=plan_id)


def by_execution(execution_id: str) -> Ref:
    return Ref(execution_id=execution_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What the planner made of a plan."""

    diagnostics: tuple[plan_pb2.Diagnostic, ...]
    header: plan_pb2.MapHeader | None  #: None when a diagnostic is an error

    @property
    def ok(self) -> bool:
        return self.header is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a screen puts the tasks of a plan."""

    header: plan_pb2.MapHeader
    layout: plan_pb2.LayoutPart  #: all parts in one


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    info: execution_pb2.ArtifactInfo
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What an attempt made, and what became of it."""

    info: execution_pb2.CandidateInfo
    content: bytes  #: empty when the info alone was asked for


class Client:
    """Talks to a planner and a runner; either address may be left out when its service is not needed.

    `runner` may be several addresses with commas, of runners on one database: the one that serves is found, and found
    again when another one has taken over.

    `patience` is for how long a call is repeated while its service is away: none by default. A watch that has begun
    comes back for a minute in any case.
    """

    def __init__(self, *, planner: str = "", runner: str = "", patience: timedelta = timedelta(0)) -> None:
        self.planner_address, self.runner_address = planner, runner
        self._patience = patience

    async def __aenter__(self) -> Self:
        self._channel = connect(self.planner_address or NOWHERE)  # a channel connects when it is first used
        self._planner = planner_pb2_grpc.PlannerServiceStub(self._channel)
        self._route = Route(self.runner_address)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._channel.close()
        await self._route.close()

    # ------------------------------------------------------------ the planner

    async def check_plan(self, plan_json: bytes, *, infer: bool = True) -> tuple[plan_pb2.Diagnostic, ...]:
        """Everything that is wrong or doubtful about a plan. Stores nothing."""
        diagnostics: list[plan_pb2.Diagnostic] = []
        requests = _check_requests(plan_json, no_infer=not infer)
        try:
            async for answer in self._planner.CheckPlan(requests):
                diagnostics.extend(answer.diagnostics)
        except grpc.RpcError as error:
            raise typed(error, "planner", self.planner_address) from None
        return tuple(diagnostics)

    async def compile_plan(
        self,
        plan_json: bytes,
        *,
        plan_id: str = "",
        infer: bool = True,
        see: Callable[[plan_pb2.MapPart], None] | None = None,
    ) -> Compilation:
        """Compiles and stores a plan. A plan with errors is an answer too: its diagnostics, and no header.

        `see` gets each part of the map as it comes: a map may be too large to be kept whole.
        """
        if not isinstance(plan_json, bytes | bytearray | memoryview):
            raise TypeError(f"expected the bytes of a plan.json, but got {type(plan_json).__name__}")
        diagnostics: list[plan_pb2.Diagnostic] = []
        header: plan_pb2.MapHeader | None = None
        requests = _compile_requests(plan_json, plan_id=plan_id, no_infer=not infer)
        try:
            async for answer in self._planner.CompilePlan(requests):
                diagnostics.extend(answer.diagnostics)
                header = answer.part.header if answer.part.HasField("header") else header
                if see is not None and answer.HasField("part"):
                    see(answer.part)
        except grpc.RpcError as error:
            refusal = typed(error, "planner", self.planner_address)
            if not isinstance(refusal, PlanInvalid):
                raise refusal from None
        return Compilation(diagnostics=tuple(diagnostics), header=header)

    # ------------------------------------------------------------ commands

    async def set_layout(self, plan_id: str) -> plan_pb2.MapHeader:
        """Makes a compiled plan the runner's current layout."""
        request = runner_pb2.SetLayoutRequest(request_id=_new_request_id(), plan_id=plan_id)
        return (await self._ask(lambda runner: runner.SetLayout, request)).header

    async def start(
        self,
        plan_id: str = "",
        settings: execution_pb2.ExecutionSettings | None = None,
        warn: Callable[[str], None] | None = None,
    ) -> execution_pb2.Execution:
        """Starts an execution of a plan, or of the last layout set. `warn` hears what is doubtful."""
        request = runner_pb2.StartExecutionRequest(request_id=_new_request_id(), plan_id=plan_id, settings=settings)
        answer: runner_pb2.StartExecutionResponse = await self._ask(lambda runner: runner.StartExecution, request)
        return _warned(answer, warn)

    async def pause(self, ref: Ref, reason: str = "") -> execution_pb2.Execution:
        request = runner_pb2.PauseExecutionRequest(request_id=_new_request_id(), ref=ref, reason=reason)
        return (await self._ask(lambda runner: runner.PauseExecution, request)).execution

    async def resume(self, ref: Ref, warn: Callable[[str], None] | None = None) -> execution_pb2.Execution:
        """Goes on with an execution. `warn` hears what is doubtful."""
        request = runner_pb2.ResumeExecutionRequest(request_id=_new_request_id(), ref=ref)
        answer: runner_pb2.ResumeExecutionResponse = await self._ask(lambda runner: runner.ResumeExecution, request)
        return _warned(answer, warn)

    async def stop(self, ref: Ref, reason: str = "") -> execution_pb2.Execution:
        request = runner_pb2.StopExecutionRequest(request_id=_new_request_id(), ref=ref, reason=reason)
        return (await self._ask(lambda runner: runner.StopExecution, request)).execution

    async def retry(self, ref: Ref, task_id: str) -> execution_pb2.Execution:
        """Runs a task again, with everything downstream of it."""
        request = runner_pb2.RetryTaskRequest(request_id=_new_request_id(), ref=ref, task_id=task_id)
        return (await self._ask(lambda runner: runner.RetryTask, request)).execution

    async def set_budget(
        self, ref: Ref, task_id: str = "", *, tokens: int | None = None, cost_nanos: int | None = None
    ) -> execution_pb2.Execution:
        """What a task, a group or, without `task_id`, the execution may spend; None is no bound."""
        budget = plan_pb2.Budget(tokens=tokens, cost_nanos=cost_nanos)
        request = runner_pb2.SetBudgetRequest(request_id=_new_request_id(), ref=ref, task_id=task_id, budget=budget)
        return (await self._ask(lambda runner: runner.SetBudget, request)).execution

    async def judge(
        self,
        ref: Ref,
        task_id: str,
        *,
        passes: bool,
        reason: str = "",
        person: str = "",
        seen: execution_pb2.CandidateInfo | None = None,
    ) -> execution_pb2.Execution:
        """A person's verdict on a candidate that waits for one. `reason` is required to reject.

        `seen` is what the person looked at: when something else waits by now, the verdict is refused with
        CandidateChanged.
        """
        request = runner_pb2.JudgeTaskRequest(
            request_id=_new_request_id(),
            ref=ref,
            task_id=task_id,
            outcome=execution_pb2.OUTCOME_PASS if passes else execution_pb2.OUTCOME_FAIL,
            reason=reason,
            person=person,
            digest=seen.artifact.digest if seen is not None else "",
            attempt=seen.artifact.attempt if seen is not None else 0,
        )
        return (await self._ask(lambda runner: runner.JudgeTask, request)).execution

    # ------------------------------------------------------------ questions

    async def get(self, ref: Ref) -> execution_pb2.Execution:
        request = runner_pb2.GetExecutionRequest(ref=ref)
        return (await self._ask(lambda runner: runner.GetExecution, request)).execution

    async def tasks(
        self, ref: Ref, *, unfinished: bool = False, task_ids: Sequence[str] = ()
    ) -> tuple[execution_pb2.TaskState, ...]:
        """The states of all tasks, of the unfinished ones, or of those named; in natural order."""
        selection = runner_pb2.TASK_SELECTION_UNFINISHED if unfinished else runner_pb2.TASK_SELECTION_ALL
        if task_ids:
            selection = runner_pb2.TASK_SELECTION_NAMED
        request = runner_pb2.GetExecutionRequest(ref=ref, tasks=selection, task_ids=task_ids, page_size=PAGE)
        tasks: list[execution_pb2.TaskState] = []
        while True:
            answer = await self._ask(lambda runner: runner.GetExecution, request)
            tasks.extend(answer.tasks)
            if not answer.next_page_token:
                return tuple(tasks)
            request.page_token = answer.next_page_token

    async def list(
        self,
        plan_id: str = "",
        *,
        at_most: int = PAGE,
        states: Sequence[execution_pb2.ExecutionState.ValueType] = (),
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> tuple[execution_pb2.Execution, ...]:
        """The newest executions, newest first: of one plan or of all, in any of these states, created in this time.

        `created_after` is part of the time, `created_before` is not.
        """
        request = runner_pb2.ListExecutionsRequest(plan_id=plan_id, page_size=min(at_most, PAGE), states=states)
        if created_after is not None:
            request.created_after.FromDatetime(created_after)
        if created_before is not None:
            request.created_before.FromDatetime(created_before)
        executions: list[execution_pb2.Execution] = []
        while True:
            answer = await self._ask(lambda runner: runner.ListExecutions, request)
            executions.extend(answer.executions)
            if not answer.next_page_token or len(executions) >= at_most:
                return tuple(executions[:at_most])
            request.page_token = answer.next_page_token

    async def workers(self) -> tuple[runner_pb2.Worker, ...]:
        return tuple((await self.workforce()).workers)

    async def workforce(self) -> runner_pb2.ListWorkersResponse:
        """The workers, and how each pool of validators judged canaries, in all executions together."""
        return await self._ask(lambda runner: runner.ListWorkers, runner_pb2.ListWorkersRequest())

    async def layout(self, plan_id: str = "") -> Layout:
        """The layout of a plan that was set, or of the last one set."""
        header, whole = plan_pb2.MapHeader(), plan_pb2.LayoutPart()
        try:
            runner = await self._route.stub()
            async for answer in runner.GetLayout(runner_pb2.GetLayoutRequest(plan_id=plan_id)):
                header.MergeFrom(answer.part.header)
                whole.MergeFrom(answer.part.layout)
        except grpc.RpcError as error:
            raise typed(error, "runner", self._route.address) from None
        return Layout(header=header, layout=whole)

    async def artifact(self, ref: Ref, task_id: str) -> Artifact:
        """What a signed-off task made."""
        info, chunks = execution_pb2.ArtifactInfo(), list[bytes]()
        try:
            runner = await self._route.stub()
            async for answer in runner.GetArtifact(runner_pb2.GetArtifactRequest(ref=ref, task_id=task_id)):
                info.MergeFrom(answer.info)
                chunks.append(answer.chunk)
        except grpc.RpcError as error:
            raise typed(error, "runner", self._route.address) from None
        return Artifact(info=info, content=_whole(f"the artifact of {task_id}", info, chunks))

    async def candidate(self, ref: Ref, task_id: str, attempt: int = 0, *, info_only: bool = False) -> Candidate:
        """The candidate of an attempt, whatever became of it; of the last one that made one when `attempt` is 0.

        Raises CandidateNotFound, which says which attempts made one.
        """
        request = runner_pb2.GetCandidateRequest(ref=ref, task_id=task_id, attempt=attempt, info_only=info_only)
        info, chunks = execution_pb2.CandidateInfo(), list[bytes]()
        try:
            runner = await self._route.stub()
            async for answer in runner.GetCandidate(request):
                info.MergeFrom(answer.info)
                chunks.append(answer.chunk)
        except grpc.RpcError as error:
            raise typed(error, "runner", self._route.address) from None
        what = f"the candidate of attempt {info.artifact.attempt} of {task_id}"
        return Candidate(info=info, content=b"" if info_only else _whole(what, info.artifact, chunks))

    async def costs(self, ref: Ref) -> Costs:
        """Adds up what an execution has cost, over its whole journal: 100,000 events take seconds."""
        fold = CostsFold()
        async with aclosing(self.watch(ref, after=0, follow=False)) as messages:
            async for message in messages:
                if isinstance(message, execution_pb2.Event):
                    fold.take(message)
        return fold.costs()

    async def watch(
        self,
        ref: Ref,
        *,
        after: int | None = None,
        thinking: bool = False,
        follow: bool = True,
        task_ids: Sequence[str] = (),
    ) -> AsyncGenerator[Message, None]:
        """A snapshot, then every event after it; with `after`, every event after that sequence, and no snapshot.

        Each event comes exactly once and in order, also across a restart of the runner. Ends when the execution is
        final, or, without `follow`, with the last committed event.
        """
        # "The newest of a plan" may be another execution after a reconnect; an execution id stays the same.
        execution_id = (await self.get(ref)).execution_id
        place = WatchPosition(
            execution_id=execution_id, after=after, thinking=thinking, follow=follow, task_ids=tuple(task_ids)
        )
        patience = RetryPolicy(RECONNECT_FOR)
        while True:
            try:
                async with aclosing(self._stream(place)) as answers:
                    async for answer in answers:
                        patience = RetryPolicy(RECONNECT_FOR)
                        for message in place.take(answer):
                            yield message
                return
            except (Unavailable, WatcherTooSlow, ReaderTooSlow, TooManyStreams) as error:
                await self._route.lost()
                await patience.wait(error)

    async def _stream(self, place: WatchPosition) -> AsyncGenerator[runner_pb2.WatchExecutionResponse, None]:
        runner = await self._route.stub()
        call = runner.WatchExecution(place.request())
        try:
            async for answer in call:
                yield answer
        except grpc.RpcError as error:
            raise typed(error, "runner", self._route.address) from None
        finally:
            call.cancel()

    async def _ask(self, method: Callable[[RunnerStub], Callable[..., Awaitable[Answer]]], request: Any) -> Answer:
        patience = RetryPolicy(self._patience)
        while True:
            try:
                return await self._ask_once(method, request)
            except Unavailable as unavailable:
                await self._route.lost()
                await patience.wait(unavailable)

    async def _ask_once(self, method: Callable[[RunnerStub], Callable[..., Awaitable[Answer]]], request: Any) -> Answer:
        runner = await self._route.stub()
        try:
            return await method(runner)(request, timeout=ANSWER_WITHIN.total_seconds())
        except grpc.RpcError as error:
            raise typed(error, "runner", self._route.address) from None


@dataclass(slots=True)
class RetryPolicy:
    """How long something is tried again, with full jitter between the tries."""

    total: timedelta
    _since: float = field(default_factory=time.monotonic)
    _tries: int = 0

    async def wait(self, error: SignoffError) -> None:
        """Returns when it is time to try again; raises `error` when patience is over."""
        if time.monotonic() - self._since >= self.total.total_seconds():
            raise error
        await asyncio.sleep(random.uniform(0, min(5.0, 0.1 * 2**self._tries)))
        self._tries += 1


# ---------------------------------------------------------------- requests


def _warned(
    answer: runner_pb2.StartExecutionResponse | runner_pb2.ResumeExecutionResponse, warn: Callable[[str], None] | None
) -> execution_pb2.Execution:
    """The execution that was answered, once its warnings are said."""
    if warn is not None:
        for warning in answer.warnings:
            warn(warning)
    return answer.execution


def _whole(what: str, info: execution_pb2.ArtifactInfo, chunks: Sequence[bytes]) -> bytes:
    """Returns the bytes that came in chunks. Raises Unavailable when they are not those of the digest."""
    content = b"".join(chunks)
    if hashlib.sha256(content).hexdigest() != info.digest:
        raise Unavailable(f"{what} arrived damaged: {len(content)} of {info.size_bytes} bytes")
    return content


def _new_request_id() -> str:
    return uuid.uuid4().hex


def _pieces(content: bytes) -> Iterator[bytes]:
    """At least one, because the first message carries the options."""
    yield content[:CHUNK_BYTES]
    for start in range(CHUNK_BYTES, len(content), CHUNK_BYTES):
        yield content[start : start + CHUNK_BYTES]


def _check_requests(plan_json: bytes, *, no_infer: bool) -> Iterator[planner_pb2.CheckPlanRequest]:
    for number, piece in enumerate(_pieces(plan_json)):
        yield planner_pb2.CheckPlanRequest(plan_json=piece, no_infer=no_infer and number == 0)


def _compile_requests(plan_json: bytes, *, plan_id: str, no_infer: bool) -> Iterator[planner_pb2.CompilePlanRequest]:
    for number, piece in enumerate(_pieces(plan_json)):
        first = number == 0
        yield planner_pb2.CompilePlanRequest(
            plan_json=piece, plan_id=plan_id if first else "", no_infer=no_infer and first
        )
