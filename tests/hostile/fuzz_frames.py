"""`python -m tests.hostile.fuzz_frames`: workers and clients that know the grammar talk to a runner, mostly well.

--inputs 100000      how many frames and requests
--seed 1             which ones

Each drawn worker says Hello, is welcomed, is given work, and answers it with frames that are good, odd, damaged, or
about the work of others; drawn clients send requests of every kind. None of them may cause a bug, end the runner, keep
honest workers from finishing an execution, break a page that people look at, or leave a journal that opens to another
state. The seed decides what is drawn. The answers of the runner, and so the known leases, also depend on the moment.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import random
import sys
import tempfile
import traceback
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, cast

import grpc.aio
import structlog
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.timings import StreamTimings
from runner_svc.engine import Engine
from runner_svc.publish.feed import Feed
from runner_svc.publish.metrics import figures_of, page_of
from runner_svc.services.hub import Hub
from runner_svc.store.sqlite import SqliteStore
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.hostile.drawn_messages import ODD_BYTES, Drawer, Known
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, candidate, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running
from tests.support.values.results import results_of

FRAMES_A_SESSION = 40  # at most
REQUESTS_A_ROUND = 10
ROUNDS_A_LOOK = 50
TELL_EVERY = 10_000
PATIENCE = 30.0  # seconds until an answer that does not come is a failure
FOLLOWED = 0.05  # seconds of a watch: what it waits for may never happen
UNFINISHED = 12  # executions: with fewer, another one is started
SUCCEEDED = execution_pb2.EXECUTION_STATE_SUCCEEDED
OURS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS)
OF_THE_CLIENT = "Internal error from Core"  # of gRPC's client: it wrote as the stream was being ended
CONNECT = "/signoff.v1.WorkerService/Connect"
PLANS = PlannerOfTexts(
    {"canary": plan_pb2.TaskSpec(validation=plan_pb2.Validation(canaries=[plan_pb2.Canary(candidate="x", good=True)]))},
    work="a[p]; b[q](p) <- a; g/c(p, q) <- b; g/canary; d <- g",
    wide="; ".join(f"t{n}" for n in range(12)),
    honest="h[p]; i(p) <- h",
)
PATIENT = execution_pb2.ExecutionSettings(
    max_failures=20, max_rollbacks=20, max_judge_errors=20, max_losses=20, retry_base=Duration(nanos=1_000_000)
)
METHODS: tuple[MethodDescriptor, ...] = tuple(runner_pb2.DESCRIPTOR.services_by_name["RunnerService"].methods)


class Failed(AssertionError):
    """An outcome that no input from outside may cause."""


class Snapshot(NamedTuple):
    """The state of an execution, for a comparison."""

    sequence: int
    state: int
    counts: tuple[int, ...]  #: of tasks by their status


@dataclass(slots=True)
class Counts:
    """Counts of what was sent, and of the outcomes."""

    frames: int = 0
    requests: int = 0
    sessions: int = 0
    welcomed: int = 0
    assigned: int = 0
    looks: int = 0
    codes: Counter[str] = field(default_factory=Counter)  #: with which streams and requests ended
    kinds: Counter[str] = field(default_factory=Counter)  #: of messages that were sent
    durable: int = 0  #: results of drawn workers that the runner acknowledged

    @property
    def inputs(self) -> int:
        return self.frames + self.requests

    def __str__(self) -> str:
        ends = ", ".join(f"{count:,} {code}" for code, count in self.codes.most_common())
        return (
            f"{self.frames:,} frames in {self.sessions:,} sessions ({self.welcomed:,} welcomed, {self.assigned:,} "
            f"assignments, {self.durable:,} results kept) and {self.requests:,} requests; {self.looks} looks; {ends}"
        )


class DrawnWorker:
    """One session of a worker that sends drawn frames."""

    def __init__(self, call: Any, drawer: Drawer, counts: Counts, story: deque[str]) -> None:
        self._call, self._drawer, self._counts, self._story = call, drawer, counts, story
        self._chance = drawer.chance
        self._held: list[worker_pb2.Assign] = []
        self._nonces: list[int] = []

    async def work(self) -> None:
        """Sends Hello, and then frames until it has sent enough or is cut off."""
        listening = asyncio.create_task(self._listen())
        try:
            await self._send([worker_pb2.WorkerMessage(hello=self._hello())])
            await self._send([worker_pb2.WorkerMessage(credit=worker_pb2.Credit(window=self._chance.randint(1, 20)))])
            await asyncio.sleep(0.005)  # the runner may give it work meanwhile, as below
            for _ in range(self._chance.randint(1, FRAMES_A_SESSION)):
                if self._call.done():
                    break
                if self._chance.random() < 0.3:
                    await asyncio.sleep(0.001)
                await self._send([self._message() for _ in range(self._chance.choice((1, 1, 1, 2, 5)))])
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            pass  # the runner has ended the stream; with what is looked at below
        if not self._call.done() and self._chance.random() < 0.7:
            with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await self._call.done_writing()
        else:
            self._call.cancel()
        try:
            async with asyncio.timeout(PATIENCE):
                code, details = await listening
        except TimeoutError:
            raise Failed(f"expected the stream of a worker to end within {PATIENCE:g} s, but it did not") from None
        self._counts.sessions += 1
        self._counts.codes[code.name] += 1
        if code in OURS:
            raise Failed(f"expected a stream to end for a reason of its own, but got {code}: {details}")

    async def _listen(self) -> tuple[grpc.StatusCode, str]:
        """Returns how the stream ended, as a read tells it: gRPC's client may only know of a write at that moment."""
        try:
            while (answer := await self._call.read()) is not grpc.aio.EOF:
                for message in worker_pb2.ConnectResponse.FromString(answer).messages:
                    self._hear(message)
        except grpc.aio.AioRpcError as error:
            told = error.details() or ""
            return (grpc.StatusCode.CANCELLED if told == OF_THE_CLIENT else error.code()), told
        except asyncio.CancelledError:
            return grpc.StatusCode.CANCELLED, ""
        return grpc.StatusCode.OK, ""

    def _hear(self, message: worker_pb2.RunnerMessage) -> None:
        match message.WhichOneof("kind"):
            case "welcome":
                self._counts.welcomed += 1
                self._drawer.known.add("continues_session_id", message.welcome.session_id)
            case "assign":
                self._counts.assigned += 1
                self._held.append(message.assign)
                self._drawer.known.add("lease_id", message.assign.lease_id)
                self._drawer.known.add("held_lease_ids", message.assign.lease_id)
            case "ping":
                self._nonces.append(message.ping.nonce)
            case "ack":
                self._counts.durable += 1

    async def _send(self, messages: list[worker_pb2.WorkerMessage]) -> None:
        body = worker_pb2.ConnectRequest(messages=messages).SerializeToString()
        self._counts.kinds.update(str(message.WhichOneof("kind")) for message in messages)
        if self._chance.random() < 0.004:
            body = self._damaged(body)
        self._counts.frames += 1
        self._story.append(body[:400].hex())
        await self._call.write(body)

    def _damaged(self, body: bytes) -> bytes:
        place = self._chance.randrange(len(body) + 1)
        match self._chance.randrange(4):
            case 0:
                return body[:place]
            case 1:
                return body[:place] + self._chance.randbytes(3) + body[place:]
            case 2:
                return body + body[:place]  # messages twice, and a part of one
        return bytes(byte ^ (self._chance.random() < 0.02) for byte in body)

    def _hello(self) -> worker_pb2.Hello:
        if self._chance.random() < 0.2:
            return self._drawer.message(worker_pb2.Hello)
        held = self._drawer.known.texts.get("lease_id", [])
        return worker_pb2.Hello(
            role=self._chance.choice((EXECUTOR, VALIDATOR)),
            name=f"drawn {self._chance.randrange(4)}",
            slots=self._chance.randint(1, 4),
            maker=self._chance.choice(("", "m1", "m2")),
            held_lease_ids=self._chance.sample(list(held), min(len(held), self._chance.choice((0, 0, 1, 5)))),
        )

    def _message(self) -> worker_pb2.WorkerMessage:
        if not self._held or self._chance.random() < 0.3:
            return self._any()
        assign = self._chance.choice(self._held)
        return self._about(assign.lease_id, assign.phase == execution_pb2.PHASE_VALIDATE)

    def _any(self) -> worker_pb2.WorkerMessage:
        """Draws any message; seldom one that ends the session."""
        while True:
            message = self._drawer.message(worker_pb2.WorkerMessage)
            ends = message.WhichOneof("kind") in (None, "hello", "draining")
            if not ends or self._chance.random() < 0.1:
                return message

    def _about(self, lease: str, is_verdict: bool) -> worker_pb2.WorkerMessage:
        """Draws a message that an honest worker might send about a lease, in any order and with odd contents."""
        pb = worker_pb2
        kind = self._chance.choice(("accepted", "progress", "usage", "chunk", "result", "result", "failure", "any"))
        match kind:
            case "accepted":
                return pb.WorkerMessage(accepted=pb.Accepted(lease_id=lease))
            case "chunk":
                body = self._body()
                chunk = pb.CandidateChunk(lease_id=lease, offset=self._chance.choice((0, 0, len(body))), data=body)
                return pb.WorkerMessage(candidate_chunk=chunk)
            case "result" if is_verdict:
                verdict = self._drawer.message(pb.Verdict)
                verdict.lease_id = lease
                return pb.WorkerMessage(verdict=verdict)
            case "result":
                return pb.WorkerMessage(candidate=self._candidate(lease))
            case "any":
                message = self._any()
                inner = getattr(message, str(message.WhichOneof("kind")))
                if hasattr(inner, "lease_id"):
                    inner.lease_id = lease
                return message
        inner = self._drawer.message(type(getattr(pb.WorkerMessage(), kind)))
        inner.lease_id = lease
        return pb.WorkerMessage(**{kind: inner})

    def _candidate(self, lease: str) -> worker_pb2.Candidate:
        body = self._body()
        made = worker_pb2.Candidate(
            lease_id=lease,
            inline=body,
            size_bytes=len(body),
            digest=hashlib.sha256(body).hexdigest(),
            media_type=self._chance.choice(("application/json", "text/plain", "", "text/x; q=1")),
            maker=self._chance.choice(("", "m1", "m2")),
        )
        if self._chance.random() < 0.1:
            made.MergeFrom(self._drawer.message(worker_pb2.Candidate, fields=0.3))
            made.lease_id = lease
        return made

    def _body(self) -> bytes:
        return self._chance.choice((*ODD_BYTES, b'{"a": 1}', b'{"a": 1}', b"text", self._chance.randbytes(20)))


class Fuzz:
    """Drawn peers of one runner, and the checks in between."""

    def __init__(self, runner: Running, seed: int) -> None:
        self.counts = Counts()
        self.story = deque[str](maxlen=60)  #: the last frames, as hex, and requests
        self._runner = runner
        self._known = Known(
            {
                "plan_id": ["work", "wide", "honest", "unknown"],
                "task_id": ["a", "b", "c", "canary", "d", "g", "t1"],
                "name": ["p", "q"],
            }
        )
        self._chance = random.Random(f"{seed} frames")
        self._drawer = Drawer(self._chance, self._known)

    async def run(self, inputs: int) -> AsyncIterator[Counts]:
        """Goes on until so many messages were sent. Yields the counts now and then."""
        told = 0
        while self.counts.inputs < inputs:
            for _ in range(ROUNDS_A_LOOK):
                await self._round()
                if self.counts.inputs >= inputs:
                    break
            await self.look()
            if self.counts.inputs - told >= TELL_EVERY:
                told = self.counts.inputs
                yield self.counts

    async def _round(self) -> None:
        await self._start_more()
        workers = [self._worker() for _ in range(self._chance.randint(1, 3))]
        await asyncio.gather(*(worker.work() for worker in workers), self._requests())

    async def _start_more(self) -> None:
        listed = await self._runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_size=UNFINISHED))
        unfinished = [one for one in listed.executions if one.state == execution_pb2.EXECUTION_STATE_RUNNING]
        if len(unfinished) < UNFINISHED:
            plan = self._chance.choice(("work", "wide"))
            request = runner_pb2.StartExecutionRequest(plan_id=plan, settings=PATIENT)
            started = await self._runner.stub.StartExecution(request)
            self._known.add("execution_id", started.execution.execution_id, most=UNFINISHED)

    def _worker(self) -> DrawnWorker:
        call: Any = self._runner.channel.stream_stream(CONNECT)()  # bytes, as they are
        return DrawnWorker(call, self._drawer, self.counts, self.story)

    async def _requests(self) -> None:
        for _ in range(self._chance.randrange(REQUESTS_A_ROUND)):
            method = self._chance.choice(METHODS)
            request = self._drawer.message(GetMessageClass(method.input_type))
            self.story.append(f"{method.name} {request.SerializeToString()[:400].hex()}")
            await self._request(method, request)

    async def _request(self, method: MethodDescriptor, request: Message) -> None:
        call: Any
        path = f"/{method.containing_service.full_name}/{method.name}"
        answer = cast(Any, GetMessageClass(method.output_type)).FromString
        serialize = type(request).SerializeToString
        channel: Any = self._runner.channel
        kind: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = kind(path, request_serializer=serialize, response_deserializer=answer)(request)
        code = grpc.StatusCode.OK
        follows = isinstance(request, runner_pb2.WatchExecutionRequest) and request.follow
        try:
            async with asyncio.timeout(FOLLOWED if follows else PATIENCE):
                if method.server_streaming:
                    await call.read()
                    call.cancel()
                else:
                    await call
        except TimeoutError:
            if not follows:
                raise Failed(f"expected an answer to {method.name} within {PATIENCE:g} s, but none came") from None
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code in OURS:
                raise Failed(f"expected {method.name} to be answered, but got {code}: {error.details()}") from None
        self.counts.requests += 1
        self.counts.codes[code.name] += 1

    # ------------------------------------------------------------ what must hold

    async def look(self) -> None:
        """Reads everything that people may look at, and has honest workers finish an execution."""
        ids = [one.execution_id for one in await self._listed()]
        await self._runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())
        for execution_id in self._chance.sample(ids, min(5, len(ids))):
            ref = runner_pb2.ExecutionRef(execution_id=execution_id)
            every = runner_pb2.TASK_SELECTION_ALL
            await self._runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=every))
            async for _ in self._runner.stub.WatchExecution(runner_pb2.WatchExecutionRequest(ref=ref)):
                pass
            async for _ in self._runner.stub.WatchExecution(
                runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0)
            ):
                pass
        page = page_of(await self._runner.engine.ask(figures_of), {})
        if b"signoff" not in page.body:
            raise Failed(f"expected the figures of the runner, but got {page.body[:200]!r}")
        await self._honest()
        self.counts.looks += 1

    async def _listed(self) -> list[execution_pb2.Execution]:
        found, token = list[execution_pb2.Execution](), ""
        while True:
            answer = await self._runner.stub.ListExecutions(runner_pb2.ListExecutionsRequest(page_token=token))
            found += answer.executions
            if not (token := answer.next_page_token):
                return found

    async def _honest(self) -> None:
        """Has two honest workers finish a plan that only they were given, and all other work that there is."""
        # Drawn clients start executions of any priority, and honest workers would have to finish all of those first.
        first = execution_pb2.ExecutionSettings(priority=2**31 - 1)
        request = runner_pb2.StartExecutionRequest(plan_id="honest", settings=first)
        started = await self._runner.stub.StartExecution(request)
        ref = runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)
        async with (
            raw_worker(self._runner, EXECUTOR, "honest executor", slots=8) as executor,
            raw_worker(self._runner, VALIDATOR, "honest validator", slots=8) as validator,
        ):
            at_work = [asyncio.create_task(_work_off(worker)) for worker in (executor, validator)]
            ending = asyncio.create_task(self._ended(ref))
            await asyncio.wait([ending, *at_work], return_when=asyncio.FIRST_COMPLETED)
            for task in at_work:
                if task.done():
                    task.result()  # a worker whose stream was ended: no other peer may cause that
            state = await ending
            for task in at_work:
                task.cancel()
            await asyncio.gather(*at_work, return_exceptions=True)
        if state != SUCCEEDED:
            raise Failed(f"expected honest workers to finish, but got {execution_pb2.ExecutionState.Name(state)}")

    async def _ended(self, ref: runner_pb2.ExecutionRef) -> execution_pb2.ExecutionState.ValueType:
        request = runner_pb2.WatchExecutionRequest(ref=ref, after_sequence=0, follow=True)
        try:
            async with asyncio.timeout(PATIENCE):
                async for _ in self._runner.stub.WatchExecution(request):
                    pass
        except TimeoutError:
            every = runner_pb2.TASK_SELECTION_ALL
            stuck = await self._runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref, tasks=every))
            workers = await self._runner.stub.ListWorkers(runner_pb2.ListWorkersRequest())
            told = f"expected honest workers to finish within {PATIENCE:g} s, but they did not"
            raise Failed(f"{told}: {stuck}, with {workers}") from None
        got = await self._runner.stub.GetExecution(runner_pb2.GetExecutionRequest(ref=ref))
        return got.execution.state


async def _work_off(worker: RawWorker) -> None:
    """Does every task well. Waits for no acknowledgement: a lease may have ended during another one."""
    while (frame := await worker.call.read()) is not grpc.aio.EOF:
        for message in frame.messages:
            if message.WhichOneof("kind") == "assign":
                await _do_well(worker, message.assign)


async def _do_well(worker: RawWorker, assign: worker_pb2.Assign) -> None:
    if assign.phase == execution_pb2.PHASE_VALIDATE:
        passes = execution_pb2.OUTCOME_PASS
        results = results_of(assign.task, passes)
        await worker.say(verdict=worker_pb2.Verdict(lease_id=assign.lease_id, outcome=passes, results=results))
    else:
        await worker.say(candidate=candidate(assign.lease_id, b"made"))


async def fuzz(inputs: int, seed: int, folder: Path) -> Counts:
    """Sends so many frames and requests to a runner. Raises Failed, with the last messages in its notes."""
    errors = list[Any]()
    with _errors_into(errors):
        store = SqliteStore(folder / "journal.db")
        timings = StreamTimings(accept_deadline=2.0, resume_grace=0.5)
        async with running(PLANS, folder / "db", store=store, timings=timings, checkpoint_every=500) as runner:
            one = Fuzz(runner, seed)
            try:
                async for counts in one.run(inputs):
                    _say(f"seed {seed}: {counts}")
                    _check(errors)
                _check(errors)
            except Failed as failed:
                for sent in one.story:
                    failed.add_note(sent)
                raise
            before = await runner.engine.ask(_snapshots)
        _compare(before, *await _reopened(folder))
        _check(errors)
    return one.counts


def _compare(before: dict[str, Snapshot], after: dict[str, Snapshot], archived: set[str]) -> None:
    """Checks that the state before the end is the state afterwards, unless something more happened by the end."""
    for name, told in before.items():
        again = after.get(name)
        if again is None and name in archived:
            continue
        if again is None or (again.sequence <= told.sequence and again != told):
            raise Failed(f"expected the journal of {name} to open to {told}, but it opened to {again}")


def _check(errors: list[Any]) -> None:
    if errors:
        raise Failed(f"expected no error in the log, but there is {errors[0]}")


@contextlib.contextmanager
def _errors_into(errors: list[Any]) -> Iterator[None]:
    """Collects the logged errors, and drops the rest: every refused stream is logged."""

    def collect(_: Any, __: str, event: Any) -> Any:
        if "exc_info" in event:
            event["story"] = traceback.format_exception(event["exc_info"])
        errors.append(event)
        raise structlog.DropEvent

    def drop(_: Any, method: str, event: Any) -> Any:
        if method not in ("error", "exception", "critical"):
            raise structlog.DropEvent
        return event

    processors = structlog.get_config()["processors"]
    before = processors.copy()
    processors[:] = [drop, collect]  # in place, as structlog's own capture_logs: loggers keep the list
    try:
        yield
    finally:
        processors[:] = before


def _snapshots(state: State) -> dict[str, Snapshot]:
    """Returns the state of every execution."""
    if state.quarantined:
        raise Failed(f"expected no execution in quarantine, but there is {next(iter(state.quarantined))}")
    return {
        name: Snapshot(execution.sequence, execution.state, tuple(execution.counts))
        for name, execution in state.executions.items()
    }


async def _reopened(folder: Path) -> tuple[dict[str, Snapshot], set[str]]:
    """Returns the state that the journal opens to, and the executions that are read only when a client asks."""
    store = SqliteStore(folder / "journal.db")
    feed = Feed()
    engine = Engine(store, performer=Hub(feed), feed=feed)
    try:
        await engine.open()
        return _snapshots(engine._machine.state), {str(name) for name in engine._machine.state.archived}
    finally:
        await store.close()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile.fuzz_frames",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = asyncio.run(fuzz(arguments.inputs, arguments.seed, Path(folder)))
    _say(f"seed {arguments.seed}: {counts}")
    _say("\n".join(f"{count:9,} of {kind}" for kind, count in counts.kinds.most_common()))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
