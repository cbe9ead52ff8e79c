"""Workers with one fault each, in how they begin, work, and report results."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Sequence

from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from tests.support.conformance.in_process import Fault, RunnerMessage, WorkerMessage, kind_of
from worker_svc.assignment import Assignment, CandidateResult, Handler, Report
from worker_svc.assignment import Result as WorkResult

PASS, FAIL, ERROR = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL, execution_pb2.OUTCOME_ERROR
LARGEST = 4 * 1024 * 1024  # bytes


# ---------------------------------------------------------------- greeting


class TooManyLabels(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            message.hello.labels.update({str(number): "" for number in range(65)})
        return [message]


class TalksBeforeWelcome(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        credit = WorkerMessage(credit=worker_pb2.Credit(window=1))
        return [message, credit] if message.HasField("hello") else [message]


class AnotherNameEachTime(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("hello"):
            message.hello.name = f"tried-{random.random()}"
        return [message]


class MoreCreditThanSlots(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.credit.window:
            message.credit.window = 1000
        return [message]


class OneThingAtATime(Fault):
    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        async with self._turn:
            return await handler(assignment, report)


# ---------------------------------------------------------------- assignments, pings, progress


class AcceptsWithTheResult(Fault):
    """Fetches first and accepts afterwards."""

    def __init__(self) -> None:
        self._held_back: dict[str, WorkerMessage] = {}
        self._by_reference: set[str] = set()

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if any(given.by_reference for given in message.assign.inputs):
            self._by_reference.add(message.assign.lease_id)
        return [message]

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        lease = message.accepted.lease_id
        if lease in self._by_reference:
            self._held_back[lease] = message
            return []
        lease = message.candidate.lease_id or message.failure.lease_id
        return [self._held_back.pop(lease), message] if lease in self._held_back else [message]


class WorksTwice(Fault):
    """Takes a repeated assignment for a new lease."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("assign"):
            if message.assign.lease_id in self._seen:
                message.assign.lease_id += "-again"
            self._seen.add(message.assign.lease_id)
        return [message]

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        body = getattr(message, kind_of(message))
        if hasattr(body, "lease_id"):
            body.lease_id = body.lease_id.removesuffix("-again")
        return [message]


class FailsOnFeedback(Fault):
    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        if assignment.feedback is not None:
            raise ValueError("feedback, as broken as it gets")
        return await handler(assignment, report)


class RoundsNonces(Fault):
    """Rounds large numbers, like a language that has only doubles."""

    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.pong.nonce:
            message.pong.nonce = int(float(message.pong.nonce))
        return [message]


class WorksOnTheLoop(Fault):
    async def work(self, handler: Handler, assignment: Assignment, report: Report) -> WorkResult:
        if "busy" in assignment.task.input.parameters_json:
            time.sleep(1.2)  # noqa: ASYNC251 - this is the fault
            return CandidateResult(content=b"Mars", media_type="text/plain", maker="")
        return await handler(assignment, report)


class ThinksForNobody(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("assign"):
            message.assign.thinking_wanted = True
        return [message]


class SendsPromptsUnasked(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("assign"):
            message.assign.prompts_wanted = True
        return [message]


class SendsHalfAPrompt(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("prompt_chunk"):
            message.prompt_chunk.data = message.prompt_chunk.data[:5]
        return [message]


class ShiftsPrompts(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("prompt_chunk"):
            message.prompt_chunk.offset = 1
        return [message]


# ---------------------------------------------------------------- results


class WrongDigest(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("candidate"):
            message.candidate.digest = message.candidate.digest.upper()
        return [message]


class AnotherMaker(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("candidate"):
            message.candidate.maker = "another"
        return [message]


class ContentAfterChunks(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("candidate") and not message.candidate.inline:
            message.candidate.inline = b"and more"
        return [message]


class SendsWhatIsTooLarge(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("welcome"):
            message.welcome.max_candidate_bytes = LARGEST
        return [message]


class KnowsOneKindOfFailure(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.failure.kind == execution_pb2.FAILURE_KIND_BUDGET:
            message.failure.kind = execution_pb2.FAILURE_KIND_TRANSIENT
        return [message]


class ForgetsRetryAfter(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("failure"):
            message.failure.ClearField("retry_after")
        return [message]


class TakesAckForKeep(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        if message.HasField("ack"):
            return [RunnerMessage(keep=worker_pb2.Keep(lease_id=message.ack.lease_id))]
        return [message]


class SaysResultsTwice(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        return [message, message] if message.HasField("candidate") else [message]


class MakesAnythingOfWrongBytes(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if "could not be fetched" not in message.failure.message:
            return [message]
        return [WorkerMessage(candidate=worker_pb2.Candidate(lease_id=message.failure.lease_id))]


# ---------------------------------------------------------------- verdicts


class PassesWithAFailedResult(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.verdict.outcome == PASS:
            message.verdict.results[0].outcome = FAIL
        return [message]


class PassesWithoutResults(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.verdict.outcome == PASS:
            del message.verdict.results[:]
        return [message]


class FailsWithoutFeedback(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.HasField("verdict"):
            message.verdict.feedback = ""
        return [message]


class BrokenJudgeFailsTheWork(Fault):
    def says(self, message: WorkerMessage) -> Iterable[WorkerMessage]:
        if message.verdict.outcome == ERROR:
            message.verdict.outcome = FAIL
        return [message]


class SkipsUnknownChecks(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        known = [check for check in message.assign.task.validation.checks if check.WhichOneof("kind")]
        return [_with_checks(message, known)]


class SkipsChecks(Fault):
    def hears(self, message: RunnerMessage) -> Iterable[RunnerMessage]:
        return [_with_checks(message, ())]


def _with_checks(message: RunnerMessage, checks: Sequence[plan_pb2.Check]) -> RunnerMessage:
    if message.HasField("assign"):
        kept = [plan_pb2.Check.FromString(check.SerializeToString()) for check in checks]
        del message.assign.task.validation.checks[:]
        message.assign.task.validation.checks.extend(kept)
    return message
