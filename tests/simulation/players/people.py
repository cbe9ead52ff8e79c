"""A person: starts executions and gives commands, and repeats those that were not answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from signoff.errors import Bug, Rejected, Unavailable
from signoff.v1 import execution_pb2, runner_pb2
from tests.simulation.judge.witness import Witness
from tests.simulation.nature.weather import Weather
from tests.simulation.players.runner import Runner
from tests.simulation.scenario import PERSON

DEADLINE = 30.0  # seconds that a client waits for an answer
TRIES = 4  # of a command that is not answered and has a request id
PAUSE = 2.0  # seconds between them
JUDGES_EVERY = 15.0  # seconds
PLAN = "plan"  # the id of the only plan

#: Errors of a call that leave open whether it was carried out.
UNANSWERED = (ConnectionError, TimeoutError, Unavailable, Bug)


class Client:
    """A client for unary calls over the network, to the runner that is up."""

    def __init__(self, seed: str, weather: Weather, runner: Callable[[], Runner]) -> None:
        self._chance = random.Random(seed)
        self._weather = weather
        self._runner = runner

    async def call(self, method: str, request: Any) -> Any:
        """Returns the answer. Raises a SignoffError, or one of UNANSWERED; an answer may be lost as any message."""
        await self._travel()
        runner = self._runner()
        if not runner.serves:
            raise ConnectionError("no runner listens")
        async with asyncio.timeout(DEADLINE):
            answer = await runner.call(method, request)
        await self._travel()
        if self._chance.random() < self._weather.rate("messages lost"):
            raise TimeoutError("the answer was lost")
        return answer

    async def _travel(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 0.2))


class Person:
    """A person, who starts executions and gives commands."""

    def __init__(self, client: Client, witness: Witness) -> None:
        self.executions: dict[int, str] = {}  #: their ids, by their numbers in the scenario
        self._client = client
        self._witness = witness
        self._started: dict[int, asyncio.Event] = {}

    def started(self, number: int) -> asyncio.Event:
        """Returns an event that is set once the execution's id is known."""
        return self._started.setdefault(number, asyncio.Event())

    async def start(self, number: int, settings: Any) -> None:
        """Starts an execution, again and again with the same request ids, until it is accepted."""
        layout = runner_pb2.SetLayoutRequest(plan_id=PLAN, request_id=f"layout {number}")
        start = runner_pb2.StartExecutionRequest(plan_id=PLAN, request_id=f"start {number}", settings=settings)
        await self._insist("SetLayout", layout)
        answer = await self._insist("StartExecution", start)
        again = await self._insist("StartExecution", start)
        assert again.execution.execution_id == answer.execution.execution_id, "a repeated start began another execution"
        self.executions[number] = answer.execution.execution_id
        self.started(number).set()

    async def _insist(self, method: str, request: Any) -> Any:
        while True:
            try:
                answer = await self._client.call(method, request)
            except UNANSWERED:
                await asyncio.sleep(PAUSE)
            else:
                self._witness.accepted(request.request_id)
                return answer

    async def order(self, method: str, request: Any) -> None:
        """Gives a command, which may be refused. Repeats it when it has a request id and is not answered."""
        for _ in range(TRIES if request.request_id else 1):
            try:
                await self._client.call(method, request)
            except UNANSWERED:
                await asyncio.sleep(PAUSE)
            except Rejected:
                return
            else:
                self._witness.accepted(request.request_id)
                return

    async def judge(self, number: int, seed: int) -> None:
        """Gives verdicts on candidates that wait for a person, for ever; one in five is a rejection."""
        while True:
            answer = await self.describe(number, runner_pb2.TASK_SELECTION_UNFINISHED)
            for task in answer.tasks:
                if task.waiting.waiting_for == execution_pb2.WAITING_FOR_PERSON:
                    await self._judge(number, task, seed)
            await asyncio.sleep(JUDGES_EVERY)

    async def _judge(self, number: int, task: Any, seed: int) -> None:
        request_id = f"judge {number} {task.task_id} {task.attempt}"
        passes = random.Random(f"{seed} {request_id}").random() < 0.8
        request = runner_pb2.JudgeTaskRequest(
            request_id=request_id,
            ref=runner_pb2.ExecutionRef(execution_id=self.executions[number]),
            task_id=task.task_id,
            outcome=execution_pb2.OUTCOME_PASS if passes else execution_pb2.OUTCOME_FAIL,
            reason="" if passes else "too bold",
            person=PERSON,
            attempt=task.attempt,
        )
        await self.order("JudgeTask", request)

    async def describe(self, number: int, tasks: runner_pb2.TaskSelection.ValueType) -> Any:
        """Calls GetExecution until it is answered, and returns its pages as one."""
        ref = runner_pb2.ExecutionRef(execution_id=self.executions[number])
        request, whole = runner_pb2.GetExecutionRequest(ref=ref, tasks=tasks), runner_pb2.GetExecutionResponse()
        while True:
            try:
                page = await self._client.call("GetExecution", request)
            except UNANSWERED:
                await asyncio.sleep(PAUSE)
                continue
            whole.execution.CopyFrom(page.execution)
            whole.tasks.extend(page.tasks)
            request.page_token = page.next_page_token
            if not request.page_token:
                return whole
