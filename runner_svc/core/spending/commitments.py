"""Commitments: the amounts that attempts under way keep back of an execution's budgets, and the tasks that wait.

An amount is kept back when work is given out, and settled by the actual cost. Work is given out only while a node's
costs and the amounts kept back stay within its budget. A budget is exceeded only when attempts cost more than expected
(expectations.py). Where each task has its `max_tokens`, only prompts and judges' answers are estimated. Attempts of a
kind that is not known yet are given out one at a time, so the first wave is one attempt of each kind.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from runner_svc.core.model.usage import NOTHING
from runner_svc.core.model.values import WHOLE, LeaseId, Phase
from runner_svc.core.spending.budgets import Ledger
from runner_svc.core.spending.expectations import AttemptKind, AttemptSize, Expected, Key
from signoff.money import from_nanos

LET_GO_A_TURN = 1_000  # tasks, which take about 5 ms

Expects = Callable[[AttemptSize], Expected]

OF_A_BUDGET = "the budget of "  #: begins the reason of every pause that a budget has caused


class Reservation(NamedTuple):
    """The amount kept back for an attempt, besides what it has spent."""

    tokens: int = 0
    cost_nanos: int = 0


NOTHING_KEPT = Reservation()


class HeldForBudget(NamedTuple):
    """A task whose next attempt waits for the budget of a node."""

    tokens: int  #: of its prompt and its limit: the smallest of a kind is let go first
    task: int
    node: int
    size: AttemptSize


class Commitments:
    """The amounts kept back of a ledger's budgets, and the tasks that wait. A restart finds them anew."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.kept: dict[int, Reservation] = {}  #: by node
        self.trying: dict[Key, set[LeaseId]] = {}  #: leases of attempts of a kind that is not known yet
        self.held: dict[int, HeldForBudget] = {}  #: by task
        self.judging: set[int] = set()  #: held tasks whose candidate waits to be judged
        self._queues: dict[tuple[int, AttemptKind], list[HeldForBudget]] = {}  # heaps; some entries are moot

    # ------------------------------------------------------------ what may be given out

    def refusing(self, task: int, expected: Expected) -> int | None:
        """Returns the node whose budget does not allow an attempt; None: it is allowed."""
        return next((node for node in self.ledger.scopes(task) if not self._allows(node, expected)), None)

    def _allows(self, node: int, expected: Expected, others: Reservation = NOTHING_KEPT) -> bool:
        """Tells whether a node's budget allows an attempt. `others`: attempts that are about to be given out."""
        limit = self.ledger.limits[node]
        if limit.tokens is not None and self._tokens(node) + others.tokens + expected.tokens > limit.tokens:
            return False
        if limit.cost_nanos is None:
            return True
        # guard: unknown prices are said first -> if self.ledger.spent.get(node, NOTHING).unpriced_tokens:
        # guard: unknown prices are not zero -> if expected.unpriced is not None:
        if self.ledger.spent.get(node, NOTHING).unpriced_tokens or expected.unpriced is not None:
            return False
        return self._cost(node) + others.cost_nanos + expected.cost_nanos <= limit.cost_nanos

    def _tokens(self, node: int) -> int:
        """Returns the tokens that are spent or kept back."""
        return self.ledger.spent.get(node, NOTHING).tokens + self.kept.get(node, NOTHING_KEPT).tokens

    def _cost(self, node: int) -> int:
        return self.ledger.spent.get(node, NOTHING).cost + self.kept.get(node, NOTHING_KEPT).cost_nanos

    def is_first_out(self, kind: AttemptKind, expected: Expected) -> bool:
        """Tells whether an attempt must wait, because the first one of its kind is still under way."""
        # guard: one at a time without experience -> return False
        return expected.is_guess and bool(self.trying.get(kind.key))

    # ------------------------------------------------------------ what is under way

    def keep(self, task: int, before: Reservation, now: Reservation) -> None:
        """Changes the amount that is kept back for an attempt."""
        if before != now:
            for node in self.ledger.scopes(task):
                kept = self.kept.get(node, NOTHING_KEPT)
                # guard: reserves count cost -> tokens, cost = now.tokens - before.tokens, 0
                tokens, cost = now.tokens - before.tokens, now.cost_nanos - before.cost_nanos
                self.kept[node] = Reservation(kept.tokens + tokens, kept.cost_nanos + cost)

    def tries(self, key: Key, lease: LeaseId) -> None:
        """Notes that an attempt of an unknown kind was given out."""
        self.trying.setdefault(key, set()).add(lease)

    def has_tried(self, key: Key, lease: LeaseId) -> None:
        self.trying.get(key, set()).discard(lease)

    # ------------------------------------------------------------ what waits

    def hold(self, node: int, task: int, size: AttemptSize) -> None:
        """Makes the task's next attempt wait for a node's budget."""
        held = self.held[task] = HeldForBudget(size.prompt + size.limit, task, node, size)
        heapq.heappush(self._queues.setdefault((node, size.kind), []), held)
        if size.kind.phase is Phase.VALIDATE:
            self.judging.add(task)

    def drop(self, task: int) -> None:
        """Ends the waiting of a task."""
        self.held.pop(task, None)
        self.judging.discard(task)

    def let_go(self, expects: Expects) -> list[int]:
        """Takes out the tasks that the budget allows by now, the smallest of each kind first.

        There are LET_GO_A_TURN at most. A turn with so many is followed by another one.
        """
        free: list[int] = []
        for place in list(self._queues):
            free += islice(self._let_go_of(place, expects), LET_GO_A_TURN - len(free))
            if not self._queues[place]:
                del self._queues[place]
            if len(free) >= LET_GO_A_TURN:
                break
        return free

    def _let_go_of(self, place: tuple[int, AttemptKind], expects: Expects) -> Iterator[int]:
        (node, kind), queue = place, self._queues[place]
        others = NOTHING_KEPT
        while queue:
            if self.held.get(queue[0].task) is not queue[0]:
                heapq.heappop(queue)
                continue
            expected = expects(queue[0].size)
            if self.is_first_out(kind, expected) or not self._allows(node, expected, others):
                return
            others = Reservation(others.tokens + expected.tokens, others.cost_nanos + expected.cost_nanos)
            task = heapq.heappop(queue).task
            self.drop(task)
            yield task
            if expected.is_guess:
                return

    def let_all_go(self) -> list[int]:
        """Takes out all tasks that wait, because each is looked at anew."""
        tasks = list(self.held)
        self.held.clear()
        self.judging.clear()
        self._queues.clear()
        return tasks

    def why(self, held: HeldForBudget, expected: Expected) -> str:
        """Says why the budget of a node does not allow an attempt."""
        node = held.node
        limit, spent, kept = (
            self.ledger.limits[node],
            self.ledger.spent.get(node, NOTHING),
            self.kept.get(node, NOTHING_KEPT),
        )
        whose = "the execution" if node == WHOLE else self.ledger.map.name(node)
        if limit.cost_nanos is not None and spent.unpriced_tokens:
            return f"{OF_A_BUDGET}{whose} cannot be kept: {spent.unpriced_tokens:,} tokens have no known price"
        if limit.cost_nanos is not None and expected.unpriced is not None:
            model = f"model {expected.unpriced}" if expected.unpriced else "a model that has no name"
            return f"{OF_A_BUDGET}{whose} cannot be kept: the price of {model} is not known"
        if limit.tokens is not None and self._tokens(node) + expected.tokens > limit.tokens:
            under_way = f", {kept.tokens:,} are kept back for attempts under way" if kept.tokens else ""
            return (
                f"{OF_A_BUDGET}{whose} is used up: {spent.tokens:,} of {limit.tokens:,} tokens are spent{under_way}, "
                f"and the next attempt may take {expected.tokens:,}"
            )
        if self._allows(node, expected):
            return f"another attempt is finding out what one costs, so that the budget of {whose} is kept"
        under_way = f", {_amount(kept.cost_nanos)} is kept back for attempts under way" if kept.cost_nanos else ""
        return (
            f"{OF_A_BUDGET}{whose} is used up: {_amount(spent.cost)} of {_amount(limit.cost_nanos or 0)} "
            f"is spent{under_way}, and the next attempt may cost {_amount(expected.cost_nanos)}"
        )


def _amount(nanos: int) -> str:
    return f"{from_nanos(nanos):.4f}"
