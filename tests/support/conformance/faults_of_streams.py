"""Workers with one fault each, in how leases, streams and the worker itself end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import replace

import grpc
import grpc.aio

from signoff.v1 import worker_pb2
from tests.support.conformance.in_process import QUICK, Fault, RunnerMessage, WorkerMessage, kind_of, quick_timings
from worker_svc.assignment import Assignment, Handler, Report
from worker_svc.assignment import Result as WorkResult
from worker_svc.link.session import WorkerRefused

LARGEST = 4 * 1024 * 1024  # bytes


# ---------------------------------------------------------------- inputs and leases


class AsksForAnotherExecution(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("assign"):
            message.assign.execution_id = "another"
        return [message]


class RepeatsWhatCameTooLate(Fault):
    """Does not hear Superseded once it has a result."""

    def __init__(self) -> None:
        self._results: set[str] = set()

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        self._results.add(message.candidate.lease_id)
        return [message]

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        return [] if message.superseded.lease_id in self._results - {""} else [message]


class KeepsWhatItShouldStop(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("stop"):
            return [RunnerMessage(keep=worker_pb2.Keep(lease_id=message.stop.lease_id))]
        return [message]


class BreaksOnAStrangeLease(Fault):
    def __init__(self) -> None:
        self._given: set[str] = set()

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        self._given.add(message.assign.lease_id)
        if message.HasField("ack") and message.ack.lease_id not in self._given:
            raise ConnectionError("a bug: no such lease")
        return [message]


class NeverFreesASlot(Fault):
    """Work that was cancelled keeps its slot for ever."""

    def __init__(self) -> None:
        self._free = 7

    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        if not self._free:
            await asyncio.Event().wait()
        self._free -= 1
        result = await handler(assignment, report)
        self._free += 1
        return result


class ForgetsItsLeases(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            del message.hello.held_lease_ids[:]
        return [message]


# ---------------------------------------------------------------- streams


class GivesUpOn(Fault):
    """Takes a passing status for a refusal."""

    code = grpc.StatusCode.OK

    def lost(self, error: grpc.aio.AioRpcError) -> Exception:
        return WorkerRefused("a status it takes for final") if error.code() is self.code else error


def gives_up_on(code: grpc.StatusCode) -> type[Fault]:
    return type(f"GivesUpOn{code.name}", (GivesUpOn,), {"code": code})


class GoesOnAfter(Fault):
    """Takes a refusal for a passing status."""

    code = grpc.StatusCode.OK

    def lost(self, error: grpc.aio.AioRpcError) -> Exception:
        return ConnectionError("a status it takes for passing") if error.code() is self.code else error


def goes_on_after(code: grpc.StatusCode) -> type[Fault]:
    return type(f"GoesOnAfter{code.name}", (GoesOnAfter,), {"code": code})


class TrustsTheTransport(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("welcome"):
            message.welcome.ping_interval.seconds = 1000
        return [message]


class ExpectsPingsAsWelcomeSaid(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("ping"):
            message.ping.ClearField("next_within")
        return [message]


class NeverExpectsPingsSooner(Fault):
    """Goes by the longest time that any ping has named."""

    def __init__(self) -> None:
        self._longest = 0

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("ping") and message.ping.HasField("next_within"):
            self._longest = max(self._longest, message.ping.next_within.seconds)
            message.ping.next_within.seconds = self._longest
        return [message]


class PausesExactly(Fault):
    timings = quick_timings(jitter=lambda _least, most: most / 2, first_backoff=1.0, most_backoff=8.0)
    kit_timings = replace(QUICK, answer=1.0, first_pause=1.0, most_pause=8.0)


class PausesNoLonger(Fault):
    timings = quick_timings(jitter=lambda _least, most: random.uniform(0, 0.7 * most), most_backoff=QUICK.first_pause)


class ContinuesNoSession(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            message.hello.continues_session_id = ""
        return [message]


# ---------------------------------------------------------------- frames, leaving


class HearsTheLastFirst(Fault):
    def order(self, messages: list[RunnerMessage]) -> list[RunnerMessage]:
        return messages if messages and messages[0].HasField("welcome") else messages[::-1]


class BreaksOnNewMessages(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if not kind_of(message):
            raise ConnectionError("a bug: no such message")
        return [message]


class SendsLargeFrames(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("welcome"):
            message.welcome.max_frame_bytes = LARGEST
        return [message]


class MixesLeasesUp(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("usage"):
            message.usage.lease_id = "another"
        return [message]


class TakesWorkWhileItLeaves(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("declined"):
            return [WorkerMessage(accepted=worker_pb2.Accepted(lease_id=message.declined.lease_id))]
        return [message]
