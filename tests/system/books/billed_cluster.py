"""A cluster whose models are asked at a server that keeps the true bill; rows run on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration

from signoff.client import by_execution
from signoff.v1 import execution_pb2
from tests.support.processes.cluster import QUICK, Cluster, Shape
from tests.support.processes.commands import ProcessResult, signoff
from tests.support.servers.billing import (
    Bill,
    BillingServer,
    Line,
    Script,
)
from tests.support.values.plans import Plan
from tests.support.watched_execution import Events, WatchedExecution
from worker_svc.llm.account import LEAST_AHEAD

MILLION, NANOS = 1_000_000, 1_000_000_000
PRICE = {"input": 1.0, "output": 4.0}  # for a million tokens, of every model here
UNPRICED = "unpriced"  # the name of a model that is in no price table
SLOTS = 7
HELD, FURTHER = 40, LEAST_AHEAD // 2  # tokens: where a stream waits, and how many more come after the books were seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The usage of an execution, as its runner has booked it."""

    input: int = 0
    output: int = 0
    estimated_input: int = 0  #: of `input`
    estimated_output: int = 0
    cached: int = 0
    reasoning: int = 0
    requests: int = 0
    cost_nanos: int = 0

    @property
    def estimated(self) -> int:
        return self.estimated_input + self.estimated_output

    @property
    def tokens(self) -> int:
        return self.input + self.output


def books_of(usage: Iterable[execution_pb2.UsageTotal]) -> Books:
    """Returns the sum over all phases and models."""
    totals = list(usage)
    estimated_input = sum(total.estimated_input_tokens for total in totals)
    estimated_output = sum(total.estimated_output_tokens for total in totals)
    return Books(
        input=sum(total.input_tokens for total in totals) + estimated_input,
        output=sum(total.output_tokens for total in totals) + estimated_output,
        estimated_input=estimated_input,
        estimated_output=estimated_output,
        cached=sum(total.cached_input_tokens for total in totals),
        reasoning=sum(total.reasoning_tokens for total in totals),
        requests=sum(total.requests for total in totals),
        cost_nanos=sum(total.cost_nanos + total.estimated_cost_nanos for total in totals),
    )


def output_booked(events: Events) -> int:
    """Returns the output tokens in the events so far, counted and estimated."""
    recorded = [event.usage_recorded for event in events if event.WhichOneof("kind") == "usage_recorded"]
    return sum(part.output_tokens + part.estimated_output_tokens for part in recorded)


def cost_of(bill: Bill) -> int:
    """Returns the cost of a bill, in billionths."""
    return round((bill.prompt * PRICE["input"] + bill.output * PRICE["output"]) * NANOS / MILLION)


@dataclass(slots=True)
class Run:
    """A row while it runs."""

    row: Row
    billed: BilledCluster
    watched: WatchedExecution

    @property
    def cluster(self) -> Cluster:
        return self.billed.cluster

    @property
    def ref(self) -> Any:
        return by_execution(self.watched.execution_id)

    @property
    def bill(self) -> Bill:
        return self.billed.server.bill(self.row.name)

    async def books(self) -> Books:
        return books_of((await self.cluster.client.get(self.ref)).usage)

    async def comes_to_its_middle(self, streams: int = 1) -> None:
        """Returns when streams are held, their tokens are in the books, and some more tokens have come since.

        These may have been reported or not: what is booked ahead covers them.
        """
        valve = self.billed.server.valve(self.row.name)
        await valve.holds(streams)
        covered = self.bill.output + streams * FURTHER
        await self.watched.until(lambda events: output_booked(events) >= covered, f"{covered} output tokens")
        await valve.turn(HELD + FURTHER)
        await self.has_written(streams * (HELD + FURTHER))

    async def has_written(self, tokens: int) -> None:
        """Returns when open streams have so many tokens."""
        await self.billed.server.until(lambda lines: sum(_open(lines, self.row.name)) >= tokens)

    async def is_left(self) -> None:
        """Returns when no stream of the row is open."""
        await self.billed.server.until(lambda lines: not list(_open(lines, self.row.name)))

    async def goes_on(self) -> None:
        """Lets the streams that are held come to their end."""
        await self.billed.server.valve(self.row.name).turn(None)

    async def ends(self) -> None:
        """Returns when the execution has ended, and no stream of it is open."""
        assert self.watched.watching is not None
        await asyncio.wait_for(asyncio.shield(self.watched.watching), 60)
        await self.is_left()

    async def is_paused(self) -> str:
        """Returns why it was paused, or how it ended, when no stream of it is open any more."""
        await self.watched.until(lambda events: any(_at_rest(events)), "it is paused, or ends")
        await self.is_left()
        return next(_at_rest(self.watched.events))


def _at_rest(events: Events) -> Iterator[str]:
    """Yields the reasons of pauses, and the names of ends."""
    for event in events:
        match event.WhichOneof("kind"):
            case "execution_paused":
                yield event.execution_paused.reason
            case "execution_succeeded" | "execution_failed" | "execution_stopped" as ended:
                yield ended


def _open(lines: Iterable[Line], model: str) -> Iterable[int]:
    return (line.output for line in lines if line.model == model and line.is_open)


Happening = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A run, and the fault in it."""

    name: str  #: of its plan and of its model
    says: str  #: its description, for the table
    script: Script
    happens: Happening | None = None
    is_exact: bool = False  #: nothing breaks and the endpoint counts, so the books equal the bill
    task: str = "Report what you found at the bridge"  #: its description
    tasks: int = 1
    votes: int = 1
    executor: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[BilledCluster], Awaitable[None]] | None = None  #: done before it starts
    held_at: int = HELD
    ends: str = "execution_succeeded"


def plan_of(row: Row) -> Plan:
    """Returns the row's plan: tasks that wait for nothing, each judged by one criterion."""
    tasks = [
        {
            "task_id": str(number),
            "description": row.task,
            "input": {},
            "output": {"description": "Some sentences", "format": "text"},
            "validation": {
                "criteria": ["It says when the bridge was built"],
                "judge": {"model": row.name, "votes": row.votes},
            },
            "executor": {"model": row.name, **row.executor},
        }
        for number in range(1, row.tasks + 1)
    ]
    return Plan(plan_id=row.name, body=json.dumps({"idea": "bridges", "tasks": tasks}).encode(), before={})


@dataclass(slots=True)
class BilledCluster:
    """A cluster, and the endpoint that its workers ask."""

    server: BillingServer
    cluster: Cluster
    folder: Path

    async def signoff(self, *arguments: str) -> ProcessResult:
        """Runs a command against these services."""
        return await signoff(*arguments, "--runner", self.cluster["runner"].address, cwd=self.folder)

    async def start(self, row: Row, **settings: Any) -> Run:
        """Starts a row; its retries come at once."""
        if row.before is not None:
            await row.before(self)
        self.server.script(row.name, row.script)
        await self.server.valve(row.name).turn(row.held_at)
        return Run(row, self, await self.cluster.start(plan_of(row), retry_base=Duration(), **settings))


def models_file(folder: Path, names: Iterable[str], base_url: str) -> Path:
    path = folder / "models.toml"
    presets = [f'[models."{name}"]\nmodel = "{name}"\nbase_url = "{base_url}"\n' for name in names]
    path.write_text("\n".join(['default = "plain"', *presets]))
    return path


def prices_file(folder: Path, names: Iterable[str]) -> Path:
    path = folder / "prices.toml"
    prices = [f'[models."{name}"]\ninput = {PRICE["input"]}\noutput = {PRICE["output"]}\n' for name in names]
    path.write_text("\n".join(['currency = "USD"', *prices]))
    return path


@asynccontextmanager
async def billed_cluster(folder: Path, names: Iterable[str]) -> AsyncIterator[BilledCluster]:
    """Starts everything; all models of these names have a price."""
    names = list(names)
    async with BillingServer({}) as server:
        shape = Shape(
            folder=folder,
            executors=1,
            validators=1,
            slots=SLOTS,
            model="plain",
            worker_flags=("--models", str(models_file(folder, [*names, UNPRICED], server.base_url)), "--grace", "0.2"),
            runner_flags=(*QUICK, "--prices", str(prices_file(folder, names))),
            recorded=False,
        )
        async with Cluster(shape) as cluster:
            yield BilledCluster(server, cluster, folder)
