"""Outcomes of rows: books beside the bill, the problems in them, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.servers.billing import (
    Bill,
)
from tests.system.books.billed_cluster import BilledCluster, Books, Row, cost_of
from worker_svc.llm.account import LEAST_AHEAD, SHARE_AHEAD

EXCESS = 1.5  # times the bill that books may be: a token has three bytes in estimates, and four to five in prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Books and bill of a row that has ended."""

    row: Row
    bill: Bill
    books: Books
    ahead: int  #: output tokens that may be booked besides what came, of requests that broke off
    last: str  #: event of the execution
    story: str = ""  #: the bill's lines, and the events that put something into the books

    def problems(self) -> list[str]:
        """Returns the differences between books and bill that the row does not allow."""
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


async def measured(row: Row, billed: BilledCluster) -> Outcome:
    """Runs a row to its end."""
    run = await billed.start(row)
    if row.happens is not None:
        await row.happens(run)
    await run.ends()
    broken = [line for line in billed.server.lines_of(row.name) if line.broke]
    return Outcome(
        row=row,
        bill=run.bill,
        books=await run.books(),
        ahead=sum(LEAST_AHEAD + line.output // SHARE_AHEAD for line in broken),
        last=str(run.watched.events[-1].WhichOneof("kind")),
        story="\n".join(map(str, (*billed.server.lines_of(row.name), *run.watched.events))),
    )


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
