"""The client: signoff's services as an async Python API.

    async with Client(planner="127.0.0.1:50051", runner="127.0.0.1:50052") as client:
        compiled = await client.compile_plan(plan_json, plan_id="trends")
        await client.set_layout("trends")
        execution = await client.start("trends")
        async for message in client.watch(by_execution(execution.execution_id)):
            ...

A service's refusal is raised as the class of signoff.errors that the service raised. Every command carries a request id
of its own: it is repeated while a service is away, and still takes effect once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from types import TracebackType
from typing import Self

from signoff.client.commands import RunnerCommands
from signoff.client.costs import Costs
from signoff.client.costs_fold import CostsFold
from signoff.client.planner_calls import PlannerCalls
from signoff.client.questions import RunnerQuestions
from signoff.client.result_files import RunnerFiles
from signoff.client.runner_connection import RetryPolicy, RunnerConnection
from signoff.client.values import Ref
from signoff.client.watch import Message, WatchPosition
from signoff.errors import ReaderTooSlow, TooManyStreams, Unavailable, WatcherTooSlow
from signoff.rpc.addresses import NOWHERE
from signoff.rpc.channel import connect
from signoff.v1 import execution_pb2, planner_pb2_grpc

RECONNECT_FOR = timedelta(seconds=60)  # of a watch that has begun; a runner restarts in a few seconds


class Client(PlannerCalls, RunnerCommands, RunnerQuestions, RunnerFiles):
    """Talks to a planner and a runner; either address may be left out when its service is not needed.

    `runner` may be several addresses with commas, of runners on one database. The client finds the one that serves, and
    finds it again when another one has taken over.

    `patience` is how long a call to the runner is repeated while no runner answers: not at all by default. A watch that
    has begun is resumed for a minute in any case.
    """

    def __init__(self, *, planner: str = "", runner: str = "", patience: timedelta = timedelta(0)) -> None:
        self.planner_address, self.runner_address = planner, runner
        self._patience = patience

    async def __aenter__(self) -> Self:
        self._channel = connect(self.planner_address or NOWHERE)  # a channel connects when it is first used
        self._planner = planner_pb2_grpc.PlannerServiceStub(self._channel)
        self._runner = RunnerConnection(self.runner_address, self._patience)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._channel.close()
        await self._runner.close()

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
        on_lost: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[Message, None]:
        """Yields a snapshot, then every event after it; with `after`, every event after that sequence, and no snapshot.

        Each event comes exactly once and in order, also across a restart of the runner. Ends when the execution is
        final, or, without `follow`, with the last committed event. `on_lost` is called each time that the runner
        does not answer, before the watch is resumed; a watcher that was too slow goes on at once.
        """
        # "The newest of a plan" may be another execution after a reconnect; an execution id stays the same.
        execution_id = (await self.get(ref)).execution_id
        position = WatchPosition(
            execution_id=execution_id, after=after, thinking=thinking, follow=follow, task_ids=tuple(task_ids)
        )
        patience = RetryPolicy(RECONNECT_FOR)
        while True:
            try:
                async with aclosing(
                    self._runner.answers(lambda runner: runner.WatchExecution, position.request())
                ) as answers:
                    async for answer in answers:
                        patience = RetryPolicy(RECONNECT_FOR)
                        for message in position.take(answer):
                            yield message
                return
            except (Unavailable, WatcherTooSlow, ReaderTooSlow, TooManyStreams) as error:
                if isinstance(error, Unavailable):
                    on_lost()
                await self._runner.lost()
                await patience.wait(error)
