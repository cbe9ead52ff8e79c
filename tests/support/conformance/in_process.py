"""The product's worker in this process, for the kit to try: whole, or with a fault between it and its stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeAlias

import grpc.aio

from signoff.conformance.check import Result, selected
from signoff.conformance.checks import CHECKS
from signoff.conformance.kit import kit
from signoff.conformance.messages import VALIDATOR, Role
from signoff.conformance.outcome import CheckOutcome
from signoff.conformance.timings import KitTimings
from signoff.v1 import worker_pb2
from worker_svc.assignment import Assignment, Handler, Report
from worker_svc.assignment import Result as WorkResult
from worker_svc.executor import Executor
from worker_svc.link.call import dial
from worker_svc.link.session import SessionTimings, WorkerRefused
from worker_svc.link.stream import Identity, Worker
from worker_svc.mock import MockModel
from worker_svc.validate.validator import Validator

Said: TypeAlias = worker_pb2.WorkerMessage
Told: TypeAlias = worker_pb2.RunnerMessage

QUICK = KitTimings(answer=2.0, connect=10.0, first_pause=0.1, most_pause=1.0, leave=10.0, beat=0.1)
GRACE = 0.5  # seconds


def patience(jitter: Callable[[float, float], float] = random.uniform, **changes: float) -> SessionTimings:
    """A worker's, at the timings of QUICK."""
    clocks = {"first_backoff": QUICK.first_pause, "most_backoff": QUICK.most_pause, **changes}
    return SessionTimings(jitter=jitter, **clocks)


def kind_of(message: Said | Told) -> str:
    """Empty for a message of a kind that is not known here."""
    return message.WhichOneof("kind") or ""


class Fault:
    """What is wrong with a worker. A fault overrides what it spoils; this one spoils nothing."""

    patience = patience()
    timings = replace(QUICK, answer=2.0)  #: seconds that nobody needs but a worker that never answers

    def __init__(self) -> None:
        """Anew for every start of the worker."""

    def says(self, message: Said) -> Iterable[Said]:
        """What the kit hears when the worker says this."""
        return [message]

    def hears(self, message: Told) -> Iterable[Told]:
        """What the worker hears when the kit says this. May raise: then its stream is lost."""
        return [message]

    def frame(self, messages: list[Said]) -> list[Said]:
        """The frame that the worker sends."""
        return messages

    def order(self, messages: list[Told]) -> list[Told]:
        """The order in which the worker hears a frame."""
        return messages

    def lost(self, error: grpc.aio.AioRpcError) -> Exception:
        """What the worker makes of how its stream ended."""
        return error

    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        return await handler(assignment, report)


class _Call:
    """The worker's end of a stream, as a fault lets it through."""

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
        heard = [told for message in frame.messages for told in self._fault.hears(message)]
        return worker_pb2.ConnectResponse(messages=self._fault.order(heard))


class _FaultyHandler:
    """The product's handler, as a fault lets it work."""

    def __init__(self, handler: Handler, fault: Fault) -> None:
        self._handler = handler
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)

    async def __call__(self, assignment: Assignment, report: Report) -> WorkResult:
        return await self._fault.work(self._handler, assignment, report)


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
        async def faulty_dial(address: str) -> AsyncIterator[Any]:
            async with dial(address) as call:
                yield _Call(call, fault)

        handler: Any = Validator(MockModel()) if self._role == VALIDATOR else Executor(MockModel())
        identity = Identity(role=self._role, name="tried", slots=7, version="0")
        worker = Worker(address, identity, _FaultyHandler(handler, fault), fault.patience, faulty_dial)
        try:
            await worker.run(stop, GRACE)
        except WorkerRefused as refused:
            self._last_words = str(refused)
        finally:
            await handler.close()

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
    """The results of the kit on a worker of the product, by the ids of the checks."""
    async with kit("127.0.0.1:0", process=InProcess(role, fault), timings=timings or fault.timings) as trying:
        await trying.meet()
        return {result.check.id: result async for result in trying.run(selected(CHECKS, list(only)))}


def failed(results: dict[str, Result]) -> dict[str, str]:
    """The checks that have failed, with the reasons."""
    return {name: result.reason for name, result in results.items() if result.outcome is CheckOutcome.FAIL}
