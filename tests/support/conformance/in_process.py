"""The product's worker in this process, for the kit to try: sound, or with a fault between it and its stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import grpc.aio

from signoff.conformance.check import Result, selected
from signoff.conformance.checks import CHECKS
from signoff.conformance.kit import kit
from signoff.conformance.messages import VALIDATOR, Role
from signoff.conformance.outcome import CheckOutcome
from signoff.conformance.timings import KitTimings
from signoff.plan.glossary import MODEL
from signoff.v1 import worker_pb2
from tests.support.conformance import files_app
from tests.support.conformance.between import (
    Fetched,
    KitCalls,
    Missing,
    Question,
    Upload,
    Uploaded,
    Wanted,
    runner_between,
)
from worker_svc.assignment import Assignment, Handler, Report
from worker_svc.assignment import Result as WorkResult
from worker_svc.dispatch import Dispatcher
from worker_svc.executor import Executor
from worker_svc.functions.calling import Callee
from worker_svc.functions.executor import FunctionExecutor
from worker_svc.functions.places.choice import CallPlaces
from worker_svc.link.call import dial
from worker_svc.link.session import SessionTimings, WorkerRefused
from worker_svc.link.stream import Identity, Worker
from worker_svc.mock import MockModel
from worker_svc.validate.validator import Validator

WorkerMessage: TypeAlias = worker_pb2.WorkerMessage
RunnerMessage: TypeAlias = worker_pb2.RunnerMessage

QUICK = KitTimings(answer=2.0, connect=10.0, first_pause=0.1, most_pause=1.0, leave=10.0, beat=0.1)
LATE = 20.0  #: seconds for an answer that comes, on a machine that is busy with others
GRACE = 0.5  # seconds
SLOTS = 7


def quick_timings(jitter: Callable[[float, float], float] = random.uniform, **changes: float) -> SessionTimings:
    """Returns a worker's timings with the pauses of QUICK."""
    clocks = {"first_backoff": QUICK.first_pause, "most_backoff": QUICK.most_pause, **changes}
    return SessionTimings(jitter=jitter, **clocks)


def kind_of(message: WorkerMessage | RunnerMessage) -> str:
    """Returns the message's kind; empty when it is not known here."""
    return message.WhichOneof("kind") or ""


class Fault:
    """A fault of a worker. Each overrides what it spoils; this one spoils nothing."""

    timings = quick_timings()
    kit_timings = replace(QUICK, answer=2.0)  #: seconds that only a worker that never answers needs

    def __init__(self) -> None:
        """Is called anew for every start of the worker."""

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        """Returns what reaches the kit of a message that the worker sends."""
        return [message]

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        """Returns what reaches the worker of a message that the kit sends. An error loses the worker's stream."""
        return [message]

    def frame(self, messages: list[WorkerMessage]) -> list[WorkerMessage]:
        """Returns the messages of the frame that the worker sends."""
        return messages

    def order(self, messages: list[RunnerMessage]) -> list[RunnerMessage]:
        """Returns a frame's messages in the order in which the worker handles them."""
        return messages

    def lost(self, error: grpc.aio.AioRpcError) -> Exception:
        """Returns the error that the worker sees when its stream ends with one."""
        return error

    @property
    def is_about_files(self) -> bool:
        """Tells whether the calls about files go through this fault."""
        return any(getattr(type(self), call) is not getattr(Fault, call) for call in ("missing", "upload", "fetch"))

    async def missing(self, request: Question, kit: KitCalls) -> Missing:
        return await kit.missing(request)

    async def upload(self, messages: list[Upload], kit: KitCalls) -> Uploaded:
        return await kit.upload(messages)

    async def fetch(self, request: Wanted, kit: KitCalls) -> list[Fetched]:
        return await kit.fetch(request)

    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        return await handler(assignment, report)


class _Call:
    """The worker's end of a stream, with a fault in between."""

    def __init__(self, call: Any, fault: Fault) -> None:
        self._call = call
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    async def write(self, frame: worker_pb2.ConnectRequest) -> None:
        said = [spoiled for message in frame.messages for spoiled in self._fault.says(message)]
        if messages := self._fault.frame(said):
            await self._call.write(worker_pb2.ConnectRequest(messages=messages))

    async def read(self) -> Any:
        try:
            frame = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise self._fault.lost(error) from None
        if frame is grpc.aio.EOF:
            return frame
        heard = [passed for message in frame.messages for passed in self._fault.hears(message)]
        return worker_pb2.ConnectResponse(messages=self._fault.order(heard))


class _FaultyHandler:
    """The product's handler, with a fault in between."""

    def __init__(self, handler: Handler, fault: Fault) -> None:
        self._handler = handler
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    async def __call__(self, assignment: Assignment, report: Report) -> WorkResult:
        return await self._fault.work(self._handler, assignment, report)


def _executor() -> Handler:
    """Returns an executor with a model, and with a function that makes files."""
    functions = files_app.app.executors.items()
    makers = {
        name: FunctionExecutor(Callee(function, files_app.NAME), CallPlaces(SLOTS)) for name, function in functions
    }
    return Dispatcher({MODEL: Executor(MockModel()), **makers})


class InProcess:
    """A worker of the product. Implements conformance.command.WorkerProcess."""

    def __init__(self, role: Role, fault: type[Fault] = Fault) -> None:
        self._role = role
        self._kind = fault
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_words = "it ended without a word"

    @property
    def is_running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def start(self, address: str) -> None:
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(address, self._kind(), self._stop))

    async def _run(self, address: str, fault: Fault, stop: asyncio.Event) -> None:
        @asynccontextmanager
        async def faulty_dial(_address: str) -> AsyncIterator[Any]:
            async with dial(address) as call:
                yield _Call(call, fault)

        handler: Any = Validator(MockModel()) if self._role == VALIDATOR else _executor()
        identity = Identity(role=self._role, name="tried", slots=SLOTS, version="0")
        async with AsyncExitStack() as life:
            life.push_async_callback(handler.close)
            runner = await life.enter_async_context(runner_between(address, fault)) if fault.is_about_files else address
            worker = Worker(runner, identity, _FaultyHandler(handler, fault), fault.timings, faulty_dial)
            try:
                await worker.run(stop, GRACE)
            except WorkerRefused as refused:
                self._last_words = str(refused)

    def ask_to_end(self) -> None:
        self._stop.set()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])

    async def kill(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def last_words(self) -> str:
        return self._last_words


async def tried(
    role: Role, fault: type[Fault] = Fault, only: Iterable[str] = (), timings: KitTimings | None = None
) -> dict[str, Result]:
    """Runs the kit on a worker of the product. Returns the results by the ids of the checks."""
    async with kit("127.0.0.1:0", process=InProcess(role, fault), timings=timings or fault.kit_timings) as trying:
        await trying.meet()
        return {result.check.id: result async for result in trying.run(selected(CHECKS, list(only)))}


def failed(results: dict[str, Result]) -> dict[str, str]:
    """Returns the checks that have failed, with the reasons."""
    return {name: result.reason for name, result in results.items() if result.outcome is CheckOutcome.FAIL}
