"""Books against the bill: real services ask a model server that keeps the true bill, and things go wrong in rows.

    python -m tests.system.books     the table of docs/explanation/books.md, measured anew

Each row is an execution of its own that asks a model of its own name, so that its books and its bill stand apart. What
happens in a row happens when the stream has come to a place, never after a time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration

from signoff.client.client import by_execution
from signoff.v1 import execution_pb2
from tests.support.followed import Events, Followed
from tests.support.processes.cluster import QUICK, Cluster, Shape
from tests.support.processes.commands import Ended, signoff
from tests.support.servers.billing import (
    Answer,
    Asked,
    Bill,
    BillingServer,
    Line,
    Script,
    nothing,
    thought_in_total_only,
    without_thought,
)
from tests.support.servers.model_server import NONCE, Reply, status
from tests.support.values.plans import Plan
from worker_svc.llm.account import LEAST_AHEAD, SHARE_AHEAD

MILLION, NANOS = 1_000_000, 1_000_000_000
PRICE = {"input": 1.0, "output": 4.0}  # for a million tokens, of every model here
UNPRICED = "unpriced"  # the name of a model that is in no price table
SLOTS = 7
HELD, FURTHER = 40, LEAST_AHEAD // 2  # tokens: where a stream waits, and how many come after the books were seen
EXCESS = 1.5  # times the bill that books may be: a token has three bytes in estimates, and four to five in prose

PROSE = (
    "The bridge over the river was built in 1932, and it carries about 4,000 cars a day. We looked at it on the third "
    "of May and wrote down what we found. The north pier has a crack of four millimetres, which should be repaired "
    "before the winter comes. Two bolts of the railing are loose; the deck drains well, even after heavy rain. "
) * 2
THOUGHT = "First I should say when it was built, then what we saw, and in the end what it means for the winter. " * 3
FIGURES = "\n".join(",".join(str(row * column % 23) for column in range(1, 13)) for row in range(1, 21))
EVIDENCE = "The bridge over the river was built in 1932"


# ---------------------------------------------------------------- what models say


def verdict(*, passes: bool = True, quote: str = EVIDENCE) -> str:
    """Returns what a judge says of one criterion."""
    told = {
        "criterion": 1,
        "evidence": {"kind": "quotes", "quotes": [quote], "subject": "", "count": 0},
        "reason": "The first sentence says when the bridge was built." if passes else "It says nothing of the winter.",
        "outcome": "pass" if passes else "fail",
        "retry_worthwhile": True,
    }
    return json.dumps({"nonce": NONCE, "verdicts": [told]})


GOOD, APPROVAL = Answer(text=PROSE), Answer(text=verdict())


def first(*answers: Answer | Reply, of_judges: Iterable[Answer | Reply] = ()) -> Script:
    """Returns a script that gives these answers first, to executors and to judges, and good ones after them."""
    judges = tuple(of_judges)

    def script(asked: Asked) -> Answer | Reply:
        given, good = (judges, APPROVAL) if asked.is_judge else (answers, GOOD)
        return given[asked.number - 1] if asked.number <= len(given) else good

    return script


def each(answer: Answer) -> Script:
    """Returns a script that gives this answer to all executors, and good ones to judges."""
    return lambda asked: APPROVAL if asked.is_judge else answer


# ---------------------------------------------------------------- what is run


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """What an execution has cost, as its runner has it."""

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
    """Returns the sum of what is told of phases and models."""
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
    """Returns the output tokens that events have recorded by now, with what is estimated."""
    recorded = [event.usage_recorded for event in events if event.WhichOneof("kind") == "usage_recorded"]
    return sum(part.output_tokens + part.estimated_output_tokens for part in recorded)


def cost_of(bill: Bill) -> int:
    """Returns what a bill comes to, in billionths."""
    return round((bill.prompt * PRICE["input"] + bill.output * PRICE["output"]) * NANOS / MILLION)


@dataclass(slots=True)
class Run:
    """A row while it runs."""

    row: Row
    house: House
    followed: Followed

    @property
    def cluster(self) -> Cluster:
        return self.house.cluster

    @property
    def ref(self) -> Any:
        return by_execution(self.followed.execution_id)

    @property
    def bill(self) -> Bill:
        return self.house.server.bill(self.row.name)

    async def books(self) -> Books:
        return books_of((await self.cluster.client.get(self.ref)).usage)

    async def comes_to_its_middle(self, streams: int = 1) -> None:
        """Returns when streams are held, the books have what came, and some tokens more have come since.

        These may have been reported or not: what is booked ahead covers them.
        """
        valve = self.house.server.valve(self.row.name)
        await valve.holds(streams)
        covered = self.bill.output + streams * FURTHER
        await self.followed.until(lambda events: output_booked(events) >= covered, f"{covered} output tokens")
        await valve.turn(HELD + FURTHER)
        await self.has_written(streams * (HELD + FURTHER))

    async def has_written(self, tokens: int) -> None:
        """Returns when open streams have so many tokens."""
        await self.house.server.until(lambda lines: sum(_open(lines, self.row.name)) >= tokens)

    async def is_left(self) -> None:
        """Returns when no stream of the row is open."""
        await self.house.server.until(lambda lines: not list(_open(lines, self.row.name)))

    async def goes_on(self) -> None:
        """Lets the streams that are held come to their end."""
        await self.house.server.valve(self.row.name).turn(None)

    async def ends(self) -> None:
        """Returns when the execution has ended, and no stream of it is open."""
        assert self.followed.watching is not None
        await asyncio.wait_for(asyncio.shield(self.followed.watching), 60)
        await self.is_left()

    async def is_paused(self) -> str:
        """Returns why it was paused, or how it ended, when no stream of it is open any more."""
        await self.followed.until(lambda events: any(_at_rest(events)), "it is paused, or ends")
        await self.is_left()
        return next(_at_rest(self.followed.events))


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
    """A run, and what happens in it."""

    name: str  #: of its plan and of its model
    says: str  #: what happens, for the table
    script: Script
    happens: Happening | None = None
    is_exact: bool = False  #: nothing breaks, and the endpoint counts: the books are the bill
    task: str = "Report what you found at the bridge"  #: its description
    tasks: int = 1
    votes: int = 1
    executor: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[House], Awaitable[None]] | None = None  #: done before it starts
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


# ---------------------------------------------------------------- what happens


async def _stop(run: Run) -> None:
    await run.comes_to_its_middle(streams=3)
    ended = await run.house.signoff("stop", run.row.name)
    assert ended.code == 0, ended.err
    await run.is_left()


async def _pause(run: Run) -> None:
    await run.comes_to_its_middle()
    await run.cluster.client.pause(run.ref)
    await run.goes_on()
    await run.is_left()
    await run.cluster.client.resume(run.ref)


def _restarts(name: str) -> Happening:
    async def happens(run: Run) -> None:
        await run.comes_to_its_middle()
        await run.cluster[name].kill()
        if name != "runner":
            await run.is_left()
        await run.goes_on()
        await run.cluster.heal()

    return happens


async def _terminate(run: Run) -> None:
    await run.comes_to_its_middle()
    assert await run.cluster["executor-1"].terminate() == 0
    await run.goes_on()
    await run.cluster.heal()


async def _kill_all(run: Run) -> None:
    await run.comes_to_its_middle()
    await _end_all(run)


async def _kill_all_unheard(run: Run) -> None:
    """The runner stands still from when the task was assigned."""
    await run.followed.reaches("task_assigned")
    run.cluster["runner"].freeze()
    await run.house.server.valve(run.row.name).holds()
    await _end_all(run)


async def _executors_are_new(house: House) -> None:
    """Their first request takes them longest: they load the client of models first."""
    await house.cluster["executor-1"].kill()
    await house.cluster.heal()


async def _end_all(run: Run) -> None:
    services = [run.cluster[name] for name in ("planner", "runner", *run.cluster.workers)]
    await asyncio.gather(*(service.kill() for service in services))
    await run.is_left()
    await run.goes_on()
    await asyncio.gather(*(service.start() for service in services))
    await run.cluster.heal()


HELD_ONCE = Answer(text=PROSE, held=True)
HELD_VERDICT = Answer(text=verdict(), held=True)
KNOWN_SO_FAR = Answer(text=PROSE, told_after=30, cut_after=60)

ROWS = (
    Row(name="plain", says="nothing goes wrong", script=first(), is_exact=True, tasks=3),
    Row(
        name="thoughts",
        says="thoughts are streamed, prompts are cached",
        script=each(Answer(text=PROSE, thought=THOUGHT, cached=64)),
        is_exact=True,
    ),
    Row(name="votes", says="three judges vote", script=first(), is_exact=True, votes=3),
    Row(
        name="second-asking",
        says="a judge is asked again for evidence",
        script=first(of_judges=[Answer(text=verdict(quote="It was opened by the king himself"))]),
        is_exact=True,
    ),
    Row(
        name="retries",
        says="two candidates are rejected",
        script=first(of_judges=[Answer(text=verdict(passes=False))] * 2),
        is_exact=True,
        executor={"max_failures": 3},
    ),
    Row(
        name="refusals",
        says="429, then 500, then an answer",
        script=first(status(429, Retry_After="0"), status(500)),
        is_exact=True,
    ),
    Row(
        name="cut-off",
        says="a stream breaks off, nothing was counted",
        script=first(Answer(text=PROSE, cut_after=60)),
    ),
    Row(
        name="cut-off-counted",
        says="a stream breaks off, half of it was counted",
        script=first(KNOWN_SO_FAR),
    ),
    Row(
        name="total",
        says="5,000 thought tokens in the total only",
        script=each(Answer(text=PROSE, hidden=5_000, told=thought_in_total_only)),
        is_exact=True,
    ),
    Row(
        name="thoughts-uncounted",
        says="thoughts are streamed and not counted",
        script=each(Answer(text=PROSE, thought=THOUGHT, told=without_thought)),
    ),
    Row(
        name="uncounted",
        says="the endpoint never counts",
        script=lambda asked: Answer(text=verdict() if asked.is_judge else PROSE, told=nothing, tokens_a_piece=5),
    ),
    Row(
        name="figures-uncounted",
        says="the same, with a table of figures to read and to write",
        script=lambda asked: Answer(
            text=verdict() if asked.is_judge else f"{EVIDENCE}.\n{FIGURES}", told=nothing, tokens_a_piece=5
        ),
        task=f"Copy this table:\n{FIGURES}",
    ),
    Row(
        name="silent",
        says="silence before the answer, before its first piece, and in its middle",
        script=first(Reply(mute=True), Answer(text=PROSE, silent_after=0), Answer(text=PROSE, silent_after=30)),
        executor={"idle_timeout": 1},
    ),
    Row(
        name="too-slow",
        says="an answer takes longer than run_timeout",
        script=first(Answer(text=PROSE * 4, pause=0.02)),
        executor={"run_timeout": 1},
    ),
    Row(
        name="stopped",
        says="`signoff stop` in the middle of three streams",
        script=each(HELD_ONCE),
        happens=_stop,
        tasks=3,
        ends="execution_stopped",
    ),
    Row(
        name="paused",
        says="`signoff pause` in the middle of a stream, then resume",
        script=each(HELD_ONCE),
        happens=_pause,
        is_exact=True,
    ),
    Row(
        name="terminated",
        says="SIGTERM of an executor in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_terminate,
    ),
    Row(
        name="executor-killed",
        says="kill -9 of an executor in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_restarts("executor-1"),
    ),
    Row(
        name="validator-killed",
        says="kill -9 of a validator in the middle of a verdict",
        script=first(of_judges=[HELD_VERDICT]),
        happens=_restarts("validator-1"),
    ),
    Row(
        name="runner-killed",
        says="kill -9 of the runner in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_restarts("runner"),
        is_exact=True,
    ),
    Row(
        name="all-killed",
        says="kill -9 of everything in the middle of a stream",
        script=first(HELD_ONCE),
        happens=_kill_all,
    ),
    Row(
        name="all-killed-unheard",
        says="kill -9 of everything, before the runner has heard of a request",
        script=first(HELD_ONCE),
        before=_executors_are_new,
        held_at=FURTHER,
        happens=_kill_all_unheard,
    ),
)


# ---------------------------------------------------------------- where it runs


@dataclass(slots=True)
class House:
    """All services, and the endpoint they ask."""

    server: BillingServer
    cluster: Cluster
    folder: Path

    async def signoff(self, *arguments: str) -> Ended:
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
async def house_in(folder: Path, names: Iterable[str]) -> AsyncIterator[House]:
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
            heard=False,
        )
        async with Cluster(shape) as cluster:
            yield House(server, cluster, folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Books and bill of a row that has ended."""

    row: Row
    bill: Bill
    books: Books
    ahead: int  #: output tokens that may be booked besides what came, of requests that broke off
    last: str  #: event of the execution

    def problems(self) -> list[str]:
        """Returns what is not as the row says."""
        bill, books, found = self.bill, self.books, []
        if self.last != self.row.ends:
            found.append(f"expected it to end with {self.row.ends}, but it ended with {self.last}")
        for what, billed, booked, ahead in (
            ("input", bill.prompt, books.input, 0),
            ("output", bill.output, books.output, self.ahead),
        ):
            if booked < billed:
                found.append(f"expected at least {billed} {what} tokens in the books, but they have {booked}")
            if booked > EXCESS * billed + ahead:
                found.append(f"expected at most {EXCESS:g} times {billed} {what} tokens and {ahead}, but got {booked}")
        if books.cost_nanos < cost_of(bill):
            found.append(f"expected a cost of at least {cost_of(bill)}, but the books have {books.cost_nanos}")
        if self.row.is_exact:
            found += self._inexact()
        return found

    def _inexact(self) -> list[str]:
        bill, books = self.bill, self.books
        pairs = {
            "input": (bill.prompt, books.input),
            "output": (bill.output, books.output),
            "reasoning": (bill.reasoning, books.reasoning),
            "cached": (bill.cached, books.cached),
            "estimated": (0, books.estimated),
            "cost": (cost_of(bill), books.cost_nanos),
        }
        return [
            f"expected {billed} {name}, but got {booked}"
            for name, (billed, booked) in pairs.items()
            if billed != booked
        ]


async def measured(row: Row, house: House) -> Outcome:
    """Runs a row to its end."""
    run = await house.start(row)
    if row.happens is not None:
        await row.happens(run)
    await run.ends()
    broken = [line for line in house.server.lines_of(row.name) if line.broke]
    return Outcome(
        row=row,
        bill=run.bill,
        books=await run.books(),
        ahead=sum(LEAST_AHEAD + line.output // SHARE_AHEAD for line in broken),
        last=str(run.followed.events[-1].WhichOneof("kind")),
    )


# ---------------------------------------------------------------- the table

HEADINGS = ("row", "bill: in", "out", "books: in", "out", "estimated")


def table(outcomes: Iterable[Outcome]) -> str:
    """Returns the outcomes in Markdown."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    for outcome in outcomes:
        bill, books = outcome.bill, outcome.books
        figures = (bill.prompt, bill.output, books.input, books.output)
        share = f"{books.estimated / max(1, books.tokens):.0%}"
        lines.append(f"| {' | '.join([outcome.row.says, *(f'{figure:,}' for figure in figures), share])} |")
    return "\n".join(lines)


async def main() -> int:
    """Prints the table and what is not as it should be. Returns 1 when something is."""
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        async with house_in(Path(folder), [row.name for row in ROWS]) as house:
            for row in ROWS:
                await house.cluster.heal()
                outcomes.append(await measured(row, house))
    wrong = [f"{outcome.row.name}: {problem}" for outcome in outcomes for problem in outcome.problems()]
    sys.stdout.write("\n".join([table(outcomes), *wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
