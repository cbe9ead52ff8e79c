"""An executor and a validator by hand, which follow a script for some tasks and finish all others.

Nothing but the published contract is used here: what a worker of any make may do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import grpc.aio

from signoff.manifest.manifest import FILES
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2_grpc, worker_pb2, worker_pb2_grpc
from tests.stored.messages import candidate, candidate_of, chunks, usage, verdict
from tests.support.servers.service import until
from tests.support.work import brought_files

SLOTS = 20  # work that a script leaves undone must not be in the way of the rest
PRESS = "press"  # a function that makes files
AWAY = "away"  # a model that the story says is away

EXECUTE, VALIDATE = pb.PHASE_EXECUTE, pb.PHASE_VALIDATE

Move: TypeAlias = Callable[["Hand", worker_pb2.Assign], Awaitable[None]]
Key: TypeAlias = tuple[str, str, "pb.Phase.ValueType"]  # plan id, task id, phase


class Hand:
    """A worker's stream. It answers pings, and makes a move for each assignment."""

    def __init__(self, call: Any, runner: Any, script: Mapping[Key, list[Move]]) -> None:
        self.given: list[worker_pb2.Assign] = []
        self.held: list[worker_pb2.Assign] = []  #: those whose moves send nothing more
        self.answered: list[worker_pb2.RunnerMessage] = []  #: all but assignments and pings
        self._call = call
        self._runner = runner
        self._script = script
        self._writing = asyncio.Lock()  # gRPC takes one write at a time, and a pong may meet a result

    async def say(self, *messages: worker_pb2.WorkerMessage) -> None:
        """Sends messages in one frame."""
        async with self._writing:
            await self._call.write(worker_pb2.ConnectRequest(messages=messages))

    async def bring(self, assign: worker_pb2.Assign, files: Mapping[str, bytes]) -> None:
        """Brings the bytes of files under a lease; a candidate names them later, or none does."""
        await self._runner.UploadFiles(brought_files.messages(assign.lease_id, files.values()))

    async def hears(self, kind: str, of: str = "") -> None:
        """Returns once the runner has said something of this kind. `of`: about this lease."""

        def is_said() -> bool:
            said = (getattr(one, kind) for one in self.answered if one.WhichOneof("kind") == kind)
            return any(of in ("", one.lease_id) for one in said)

        await until(is_said, f"the runner says {kind} of {of or 'any lease'}")

    async def holds(self, execution_id: str, task_id: str) -> worker_pb2.Assign:
        """Returns the assignment of a task, once its move has come to `held`."""

        def found() -> list[worker_pb2.Assign]:
            return [one for one in self.held if (one.execution_id, one.task.task_id) == (execution_id, task_id)]

        await until(lambda: bool(found()), f"{task_id} of {execution_id} is held")
        return found()[-1]

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
        self._runner: Any = runner_pb2_grpc.RunnerServiceStub(channel)
        self._script = script

    @contextlib.asynccontextmanager
    async def at_work(self, held: Mapping[str, Sequence[str]] = MappingProxyType({})) -> AsyncIterator[list[Hand]]:
        """Lets both work until the block ends, then cancels their streams. `held`: leases they still have, by name."""
        calls = [self._workers.Connect() for _ in range(2)]
        hands = [Hand(call, self._runner, self._script) for call in calls]
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
        models=["priced", AWAY],
        handlers=["model", PRESS] if name == "executor" else [],
        features=[FILES],
        labels={"zone": "here"},
    )


# ---------------------------------------------------------------- moves


async def done(hand: Hand, assign: worker_pb2.Assign) -> None:
    """Makes a text or files, or judges: a candidate that begins with "bad" fails, any other passes."""
    if assign.phase == EXECUTE:
        files = {pattern.replace("*", "made"): _text(assign) for pattern in assign.task.output.files}
        await (makes_files(files) if files else makes(_text(assign)))(hand, assign)
    else:
        await hand.say(usage(assign, "priced", 30, 3), verdict(assign, passes=not _is_bad(assign)))


async def held(hand: Hand, assign: worker_pb2.Assign) -> None:
    """Sends nothing: the lease stays out."""
    hand.held.append(assign)


def makes(body: bytes, media_type: str = "text/plain", *, model: str = "priced", tokens: int = 100) -> Move:
    """Makes this content; a large one travels in chunks."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        await hand.say(usage(assign, model, tokens, tokens // 10))
        for chunk in chunks(assign, body):
            await hand.say(chunk)
        await hand.say(candidate(assign, body, media_type))

    return move


def makes_files(files: Mapping[str, bytes]) -> Move:
    """Makes these files, and names them in a manifest."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        await hand.say(usage(assign, "priced", 100, 10))
        await hand.bring(assign, files)
        await hand.say(candidate_of(assign, files))

    return move


def brings(files: Mapping[str, bytes], then: Move) -> Move:
    """Brings files and names none of them before it goes on."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        await hand.bring(assign, files)
        await then(hand, assign)

    return move


def asks(prompt: bytes, then: Move) -> Move:
    """Tells the prompt that its model is asked with, and what the answer may cost, before it goes on."""

    async def move(hand: Hand, assign: worker_pb2.Assign) -> None:
        assert assign.prompts_wanted
        sent = worker_pb2.PromptChunk(lease_id=assign.lease_id, data=prompt, size_bytes=len(prompt))
        await hand.say(worker_pb2.WorkerMessage(prompt_chunk=sent), usage(assign, "priced", 11, 1, estimated=70))
        await then(hand, assign)

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


async def breaks(hand: Hand, assign: worker_pb2.Assign) -> None:
    """Has no opinion on the candidate."""
    broken = worker_pb2.Verdict(lease_id=assign.lease_id, outcome=pb.OUTCOME_ERROR, feedback="the judge broke")
    await hand.say(worker_pb2.WorkerMessage(verdict=broken))


def _text(assign: worker_pb2.Assign) -> bytes:
    return f"text of {assign.task.task_id}, attempt {assign.attempt}".encode()


def _is_bad(assign: worker_pb2.Assign) -> bool:
    return assign.candidate.inline.startswith(b"bad")
