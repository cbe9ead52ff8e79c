"""An executor and a validator by hand, which follow a script for some tasks and finish all others.

Nothing but the published contract is used here, so that the same crew works for every version of the runner.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import grpc.aio

from signoff.v1 import execution_pb2 as pb
from signoff.v1 import worker_pb2, worker_pb2_grpc

SLOTS = 20  # work that a script leaves undone must not be in the way of the rest
CHUNK = 200_000  # bytes
INLINE = 256 * 1024  # bytes of a candidate that travels in one message

EXECUTE, VALIDATE = pb.PHASE_EXECUTE, pb.PHASE_VALIDATE

Move: TypeAlias = Callable[["Hand", worker_pb2.Assign], Awaitable[None]]
Key: TypeAlias = tuple[str, str, "pb.Phase.ValueType"]  # plan id, task id, phase


class Hand:
    """A worker's stream. It answers pings, and makes a move for each assignment."""

    def __init__(self, call: Any, script: Mapping[Key, list[Move]]) -> None:
        self.given: list[worker_pb2.Assign] = []
        self.answered: list[worker_pb2.RunnerMessage] = []  #: all but assignments and pings
        self._call = call
        self._script = script
        self._writing = asyncio.Lock()  # gRPC takes one write at a time, and a pong may meet a result

    async def say(self, *messages: worker_pb2.WorkerMessage) -> None:
        """Sends messages in one frame."""
        async with self._writing:
            await self._call.write(worker_pb2.ConnectRequest(messages=messages))

    async def run(self) -> None:
        """Returns when the stream ends."""
        while (frame := await self._call.read()) is not grpc.aio.EOF:
            for message in frame.messages:
                await self._take(message)

    async def _take(self, message: worker_pb2.RunnerMessage) -> None:
        kind = message.WhichOneof("kind")
        if kind == "ping":
            await self.say(worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=message.ping.nonce)))
        elif kind == "assign":
            await self._begin(message.assign)
        else:
            self.answered.append(message)

    async def _begin(self, assign: worker_pb2.Assign) -> None:
        self.given.append(assign)
        await self.say(worker_pb2.WorkerMessage(accepted=worker_pb2.Accepted(lease_id=assign.lease_id)))
        moves = self._script.get((assign.plan_id, assign.task.task_id, assign.phase), [])
        move = moves.pop(0) if moves else done
        await move(self, assign)


class Crew:
    """The two workers, on one channel. A script has the moves of a task's phases, in the order of its attempts."""

    def __init__(self, channel: grpc.aio.Channel, script: Mapping[Key, list[Move]] = MappingProxyType({})) -> None:
        self._workers: Any = worker_pb2_grpc.WorkerServiceStub(channel)
        self._script = script

    @contextlib.asynccontextmanager
    async def at_work(self, held: Mapping[str, Sequence[str]] = MappingProxyType({})) -> AsyncIterator[list[Hand]]:
        """Lets both work until the block ends, then cancels their streams. `held`: leases they still have, by name."""
        calls = [self._workers.Connect() for _ in range(2)]
        hands = [Hand(call, self._script) for call in calls]
        for hand, role, name in zip(hands, (1, 2), ("executor", "validator"), strict=True):
            await hand.say(worker_pb2.WorkerMessage(hello=_hello(role, name, held.get(name, ()))))
            await hand.say(worker_pb2.WorkerMessage(credit=worker_pb2.Credit(window=SLOTS)))
        loops = [asyncio.create_task(hand.run()) for hand in hands]
        try:
            yield hands
        finally:
            for call in calls:
                call.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


def _hello(role: Any, name: str, held: Sequence[str]) -> worker_pb2.Hello:
    return worker_pb2.Hello(
        role=role,
        name=name,
        slots=SLOTS,
        held_lease_ids=held,
        maker="crew",
        version="test",
        models=["priced"],
        labels={"zone": "here"},
    )


# ---------------------------------------------------------------- moves


async def done(hand: Hand, assign: worker_pb2.Assign) -> None:
    """Makes a text, or judges: a candidate that begins with "bad" fails, any other passes."""
    if assign.phase == EXECUTE:
        await makes(_text(assign))(hand, assign)
    else:
        await hand.say(usage(assign, "priced", 30, 3), verdict(assign, passes=not _is_bad(assign)))


async def held(_hand: Hand, _assign: worker_pb2.Assign) -> None:
    """Sends nothing: the lease stays out."""


def makes(body: bytes, media_type: str = "text/plain", *, model: str = "priced", tokens: int = 100) -> Move:
    """Makes this content; a large one travels in chunks."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        await hand.say(usage(assign, model, tokens, tokens // 10))
        for chunk in chunks(assign, body):
            await hand.say(chunk)
        await hand.say(candidate(assign, body, media_type))

    return move


def notes(checkpoint: bytes, then: Move) -> Move:
    """Reports a checkpoint before it goes on."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        progress = worker_pb2.Progress(lease_id=assign.lease_id, tokens=7, checkpoint=checkpoint)
        await hand.say(worker_pb2.WorkerMessage(progress=progress))
        await then(hand, assign)

    return move


def fails(kind: pb.FailureKind.ValueType, seconds: int = 0, message: str = "it did not work") -> Move:
    """Reports a failure; `seconds`: the provider's wish for a pause."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        failure = worker_pb2.Failure(lease_id=assign.lease_id, kind=kind, message=message)
        if seconds:
            failure.retry_after.seconds = seconds
        await hand.say(worker_pb2.WorkerMessage(failure=failure))

    return move


async def rejects(hand: Hand, assign: worker_pb2.Assign) -> None:
    await hand.say(verdict(assign, passes=False))


# ---------------------------------------------------------------- messages


def candidate(assign: worker_pb2.Assign, body: bytes, media_type: str = "text/plain") -> worker_pb2.WorkerMessage:
    return worker_pb2.WorkerMessage(
        candidate=worker_pb2.Candidate(
            lease_id=assign.lease_id,
            inline=body if len(body) <= INLINE else b"",
            size_bytes=len(body),
            digest=hashlib.sha256(body).hexdigest(),
            media_type=media_type,
            maker="crew",
        )
    )


def chunks(assign: worker_pb2.Assign, body: bytes) -> Iterator[worker_pb2.WorkerMessage]:
    """Yields the chunks of a candidate that is too large for one message."""
    for start in range(0, len(body) if len(body) > INLINE else 0, CHUNK):
        chunk = worker_pb2.CandidateChunk(lease_id=assign.lease_id, offset=start, data=body[start : start + CHUNK])
        yield worker_pb2.WorkerMessage(candidate_chunk=chunk)


def usage(assign: worker_pb2.Assign, model: str, tokens_in: int, tokens_out: int) -> worker_pb2.WorkerMessage:
    spent = worker_pb2.Usage(
        lease_id=assign.lease_id, model=model, input_tokens=tokens_in, output_tokens=tokens_out, requests=1
    )
    return worker_pb2.WorkerMessage(usage=spent)


def verdict(assign: worker_pb2.Assign, *, passes: bool) -> worker_pb2.WorkerMessage:
    """Returns a verdict with a result for each criterion of the task."""
    outcome = pb.OUTCOME_PASS if passes else pb.OUTCOME_FAIL
    results = [
        pb.CriterionResult(criterion=criterion, outcome=outcome, reason="as the crew sees it", **_numbered(number))
        for number, criterion in enumerate(_criteria(assign), 1)
    ]
    results += [
        pb.CriterionResult(criterion="a check", outcome=outcome, deterministic=True, **_of_check(number))
        for number, check in enumerate(assign.task.validation.checks, 1)
        if not check.criterion
    ]
    return worker_pb2.WorkerMessage(
        verdict=worker_pb2.Verdict(
            lease_id=assign.lease_id,
            outcome=outcome,
            results=results,
            feedback="" if passes else "it is bad",
            retry_worthwhile=True,
            judge="crew",
        )
    )


def _numbered(number: int) -> dict[str, Any]:
    """Returns the number, for versions that know the field."""
    return {"criterion_number": number} if "criterion_number" in pb.CriterionResult.DESCRIPTOR.fields_by_name else {}


def _of_check(number: int) -> dict[str, Any]:
    return {"check_number": number} if "check_number" in pb.CriterionResult.DESCRIPTOR.fields_by_name else {}


def _criteria(assign: worker_pb2.Assign) -> Sequence[str]:
    """Returns the criteria of the task; for a task without any, one about its output."""
    return assign.task.validation.criteria or ("The output is as described.",)


def _text(assign: worker_pb2.Assign) -> bytes:
    return f"text of {assign.task.task_id}, attempt {assign.attempt}".encode()


def _is_bad(assign: worker_pb2.Assign) -> bool:
    return assign.candidate.inline.startswith(b"bad")
