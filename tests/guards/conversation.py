"""Guards of the conversation between runner and worker."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard, frames, workers

SESSION, STREAM, BENCH = "worker_svc/session.py", "worker_svc/stream.py", "worker_svc/bench.py"
SERVICE, ASSIGNMENTS = "runner_svc/services/worker_service.py", "runner_svc/codec/assignments.py"
WORKER_CODEC = "worker_svc/codec.py"

ROTATION: Sequence[Guard] = (
    Guard(
        name="rotate",
        file=SERVICE,
        code="        self._session.send(worker_pb2.RunnerMessage(rotate=",
        without="        (worker_pb2.RunnerMessage(rotate=",
        fault="a stream lives for ever",
    ),
    Guard(
        name="an old stream ends",
        file=SERVICE,
        code="        await asyncio.sleep(within)",
        without="        await asyncio.Event().wait()",
        fault="a worker ignores Rotate",
    ),
    Guard(
        name="streams do not rotate together",
        file=SERVICE,
        code="self.max_stream_age * self.jitter(1 - AGE_SPREAD, 1 + AGE_SPREAD)",
        without="self.max_stream_age",
        fault="a runner restarts, and all streams grow old in the same moment",
    ),
    Guard(
        name="the next stream before the old one is left",
        file=STREAM,
        code="            within = await old.rotation()",
        without="            within = await old.rotation()\n            await old.close()",
        fault="the old stream is left before there is a new one",
    ),
    Guard(
        name="a random moment",
        file=STREAM,
        code="await asyncio.sleep(self._patience.jitter(0, within / 2))",
        without="pass",
        fault="all workers are told to rotate in the same moment",
    ),
    Guard(
        name="silence on the old stream",
        file=STREAM,
        code="                    await old.fall_silent()\n",
        without="",
        fault="what is said on the old stream after Hello is not heard",
    ),
    Guard(
        name="the old stream may end first",
        file=STREAM,
        code="            if session.is_silent:",
        without="            if False:",
        fault="the runner's end of the old stream overtakes its Welcome on the new one",
    ),
    Guard(
        name="the old stream stays when none can be opened",
        file=STREAM,
        code="            return False\n",
        without="            raise\n",
        fault="nothing new can be connected while the old stream is well",
    ),
    Guard(
        name="a frame is finished",
        file=SESSION,
        code="            async with self._pen:",
        without="            if True:",
        fault="a slow write is under way when the next stream begins",
    ),
)

STREAMS: Sequence[Guard] = (
    Guard(
        name="three missed pings",
        file=SERVICE,
        code="        while self._unanswered < MISSED_PINGS:",
        without="        while True:",
        fault="a worker is stuck, or the line is dead",
    ),
    Guard(
        name="idle workers are pinged rarely",
        file=SERVICE,
        code="self._pings_rarely = not self._engine.has_leases(self._session.id)",
        without="self._pings_rarely = False",
        fault="a thousand workers wait for work",
    ),
    Guard(
        name="work brings a ping along",
        file=SERVICE,
        code="            self._has_work.set()",
        without="            pass",
        fault="a worker hangs that had nothing to do, and is given work",
    ),
    Guard(
        name="a pong is a sign of life",
        file=SERVICE,
        code="""        if kind == "pong":
            self._unanswered = 0""",
        without="""        if kind == "pong":
            pass""",
        fault="a worker has nothing to say but pong",
    ),
    Guard(
        name="hello is awaited only so long",
        file=SERVICE,
        code="        async with asyncio.timeout(HELLO_WITHIN):",
        without="        async with asyncio.timeout(None):",
        fault="somebody connects and says nothing",
    ),
    Guard(
        name="uploads are bounded",
        file="runner_svc/services/uploads.py",
        code="        if len(own.uploads) >= most:",
        without="        if False:",
        fault="a worker begins candidates and never ends them",
    ),
    Guard(
        name="attention after keep",
        file="runner_svc/services/hub.py",
        code="                if isinstance(command, c.Keep):",
        without="                if False:",
        fault="a watcher comes while a worker is away",
    ),
    Guard(
        name="a slow watcher is cut off",
        file="runner_svc/feed.py",
        code="""        elif behind > self._allowed:
""",
        without="""        elif False:
""",
        fault="a watcher does not read",
    ),
    Guard(
        name="thinking gives way to events",
        file="runner_svc/feed.py",
        code="        if len(self._thinking) > self._limit // 2:",
        without="        if False:",
        fault="a watcher reads more slowly than the workers think",
    ),
    Guard(
        name="the inbox is bounded",
        file="runner_svc/engine.py",
        code="asyncio.Queue(INBOX_LIMIT)",
        without="asyncio.Queue()",
        fault="workers report faster than the store writes",
    ),
    Guard(
        name="keepalive is permitted",
        file="signoff/rpc.py",
        code='("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS // 2)',
        without='("grpc.http2.min_ping_interval_without_data_ms", _KEEPALIVE_MS * 100)',
        fault="a stream is quiet for long",
    ),
)

GUARDS: Sequence[Guard] = (*ROTATION, *STREAMS, *frames.GUARDS, *workers.GUARDS)
