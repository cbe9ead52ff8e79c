"""The books are right and budgets hold under faults: real services, and an endpoint that keeps the true bill."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from signoff.v1 import plan_pb2
from tests.support.processes.commands import signoff
from tests.support.servers.billing import Answer, Bill, BillingServer
from tests.system.books.answers import PROSE, each, first
from tests.system.books.billed_cluster import (
    MILLION,
    NANOS,
    SLOTS,
    UNPRICED,
    BilledCluster,
    Books,
    Row,
    billed_cluster,
    books_of,
    cost_of,
    models_file,
    plan_of,
    prices_file,
)
from tests.system.books.outcomes import HEADINGS, Outcome, measured, table
from tests.system.books.rows import ROWS

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "books.md").read_text()
CUT_OFF = each(Answer(text=PROSE, cut_after=60))
AN_ATTEMPT = 400  # tokens, more than any of a plain task here has: 212 of its prompt, and its answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BilledCluster]:
    """Starts services for all rows: the start takes seconds."""
    names = [row.name for row in (*ROWS, *BUDGET_ROWS)]
    async with billed_cluster(tmp_path_factory.mktemp("billed"), names) as billed:
        yield billed


@pytest_asyncio.fixture(loop_scope="module")
async def billed(shared: BilledCluster) -> BilledCluster:
    await shared.cluster.heal()
    return shared


# ---------------------------------------------------------------- books


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_the_books_have_what_the_bill_has(row: Row, billed: BilledCluster) -> None:
    outcome = await measured(row, billed)
    assert outcome.problems() == [], outcome.story


@pytest.mark.asyncio(loop_scope="module")
async def test_the_command_tells_the_same_as_the_client(billed: BilledCluster) -> None:
    run = await billed.start(TOLD)
    await run.ends()
    ended = await billed.signoff("cost", TOLD.name, "--json")
    assert ended.code == 0, ended.err
    told = [json.loads(line) for line in ended.out.splitlines()]
    books = await run.books()
    for key, expected in (
        ("estimated_input_tokens", books.estimated_input),
        ("estimated_output_tokens", books.estimated_output),
        ("input_tokens", books.input - books.estimated_input),
        ("output_tokens", books.output - books.estimated_output),
    ):
        assert sum(int(total.get(key, 0)) for total in told) == expected, key
    assert books.estimated > 0


def problems_of(books: Books, *, ahead: int = 0, is_exact: bool = False) -> list[str]:
    """Returns the problems of books beside a bill of 1,000 and 100 tokens."""
    row, bill = Row(name="any", says="", script=first(), is_exact=is_exact), Bill(prompt=1_000, output=100)
    return Outcome(row=row, bill=bill, books=books, ahead=ahead, last=row.ends).problems()


def test_books_that_are_the_bill_or_somewhat_more_are_right() -> None:
    bill = cost_of(Bill(prompt=1_000, output=100))
    assert problems_of(Books(input=1_000, output=100, cost_nanos=bill), is_exact=True) == []
    assert problems_of(Books(input=1_400, output=180, cost_nanos=2 * bill), ahead=40) == []


@pytest.mark.parametrize(
    "books",
    [
        Books(input=999, output=100, cost_nanos=NANOS),
        Books(input=1_000, output=99, cost_nanos=NANOS),
        Books(input=MILLION, output=100, cost_nanos=NANOS),
        Books(input=1_000, output=MILLION, cost_nanos=NANOS),
        Books(input=1_000, output=100),
    ],
    ids=["less input", "less output", "more input", "more output", "less cost"],
)
def test_books_that_are_less_than_the_bill_or_far_more_are_wrong(books: Books) -> None:
    assert len(problems_of(books, ahead=40)) == 1


def test_an_estimate_is_wrong_where_the_endpoint_has_counted() -> None:
    bill = cost_of(Bill(prompt=1_000, output=100))
    assert problems_of(Books(input=1_000, output=100, estimated_output=1, cost_nanos=bill)) == []
    assert len(problems_of(Books(input=1_000, output=100, estimated_output=1, cost_nanos=bill), is_exact=True)) == 1


def test_the_page_has_the_rows_of_the_table() -> None:
    _, _, behind = PAGE.partition("\n## Books against bill\n")
    _, _, rows = behind.partition(f"{table([])}\n")
    written, _, _ = rows.partition("\n\n")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in written.splitlines()]
    assert [row[0] for row in cells] == [row.says for row in ROWS]
    assert {len(row) for row in cells} == {len(HEADINGS)}


# ---------------------------------------------------------------- budgets

ENDLESS = Row(name="endless", says="", script=CUT_OFF, tasks=40, executor={"max_failures": 1})
COSTLY = Row(name="costly", says="", script=CUT_OFF, tasks=40)
FIRST_WAVE = Row(name="first-wave", says="", script=first(), tasks=7, task="Look at this again: " + PROSE * 16)
VOTES = Row(name="dear-votes", says="", script=first(), votes=7)
ROOMY = Row(name="roomy", says="", script=first(Answer(text=PROSE, cut_after=60)))
TOLD = Row(name="told", says="", script=first(Answer(text=PROSE, cut_after=60)))
BUDGET_ROWS = (ENDLESS, COSTLY, FIRST_WAVE, VOTES, ROOMY, TOLD)


def file_of(row: Row, folder: Path) -> Path:
    path = folder / f"{row.name}.json"
    path.write_bytes(plan_of(row).body)
    return path


async def test_a_run_whose_streams_are_always_cut_off_ends_at_its_budget(tmp_path: Path) -> None:
    budget, slots = 6_000, 2
    async with BillingServer({ENDLESS.name: CUT_OFF}) as server:
        models = models_file(tmp_path, ["plain", ENDLESS.name], server.base_url)
        flags = ("--models", models, "--executors", str(slots), "--budget-tokens", str(budget))
        ended = await signoff("run", file_of(ENDLESS, tmp_path), *flags, cwd=tmp_path)
        bill = server.bill(ENDLESS.name)
    assert ended.code == 3, ended.out + ended.err
    assert budget / 2 < bill.prompt + bill.output <= budget + slots * AN_ATTEMPT
    cost = await signoff("cost", ENDLESS.name, "--json", cwd=tmp_path)
    totals = [json.loads(line) for line in cost.out.splitlines()]
    keys = ("input_tokens", "output_tokens", "estimated_input_tokens", "estimated_output_tokens")
    booked = sum(int(total.get(key, 0)) for total in totals for key in keys)
    assert bill.prompt + bill.output <= booked <= budget + slots * AN_ATTEMPT


@pytest.mark.asyncio(loop_scope="module")
async def test_a_budget_of_cost_is_kept_too(billed: BilledCluster) -> None:
    budget = NANOS * 5_000 // MILLION
    run = await billed.start(COSTLY, budget=plan_pb2.Budget(cost_nanos=budget))
    assert "budget" in await run.is_paused()
    in_flight = SLOTS * cost_of(Bill(prompt=AN_ATTEMPT, output=AN_ATTEMPT))
    assert budget / 3 < cost_of(run.bill) <= budget + in_flight
    assert cost_of(run.bill) <= (await run.books()).cost_nanos <= budget + in_flight


@pytest.mark.asyncio(loop_scope="module")
async def test_a_first_wave_takes_no_more_prompts_than_the_budget_has_room_for(billed: BilledCluster) -> None:
    run = await billed.start(FIRST_WAVE, budget=plan_pb2.Budget(tokens=8_000))
    assert "budget" in await run.is_paused()
    assert 0 < run.bill.prompt <= 8_000
    assert run.bill.prompt + run.bill.output <= 8_000 + SLOTS * AN_ATTEMPT


@pytest.mark.asyncio(loop_scope="module")
async def test_the_first_judgement_is_reserved_with_all_its_votes(billed: BilledCluster) -> None:
    run = await billed.start(VOTES, budget=plan_pb2.Budget(tokens=6_000))
    assert "budget" in await run.is_paused()
    assert run.bill.prompt + run.bill.output <= 6_000


async def test_a_model_without_a_price_under_a_budget_of_cost_is_told_before_it_is_asked(tmp_path: Path) -> None:
    row = Row(name=UNPRICED, says="", script=first())
    async with BillingServer({UNPRICED: row.script}) as server:
        models = models_file(tmp_path, ["plain", UNPRICED], server.base_url)
        flags = ("--models", models, "--prices", prices_file(tmp_path, ["plain"]), "--budget-cost", "0.5")
        ended = await signoff("run", file_of(row, tmp_path), *flags, cwd=tmp_path)
        assert server.requests[UNPRICED] == 0
    assert ended.code != 0
    assert "price" in ended.out + ended.err
    assert UNPRICED in ended.out + ended.err


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_told_of_a_budget_has_what_is_estimated_in_it(billed: BilledCluster) -> None:
    run = await billed.start(ROOMY, budget=plan_pb2.Budget(tokens=1_000_000))
    await run.ends()
    execution = await billed.cluster.client.get(run.ref)
    (state,) = execution.budgets
    assert state.spent_tokens == books_of(execution.usage).tokens
    assert state.estimated_tokens == books_of(execution.usage).estimated > 0
