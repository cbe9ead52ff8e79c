"""Commitments: what attempts under way and tasks that wait take of an execution's budgets, besides what is spent.

Reserved when work is given out, settled by what it cost. What a node has spent, with what is kept back for its attempts
under way, stays within its budget when work is given out. Beyond it goes only what those attempts cost more than was
expected of them (expectations.py). Where each task has its `max_tokens`, that is the error of the estimates of prompts
and of judges' answers. Attempts of which nothing is known are given out one at a time, so a first wave is one attempt
of each kind.
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

LET_GO_A_TURN = 1_000  # tasks, in about 5 ms

Expects = Callable[[AttemptSize], Expected]


class Reservation(NamedTuple):
    """Holds what is kept back for an attempt, besides what it has spent."""

    tokens: int = 0
    cost_nanos: int = 0


NOTHING_KEPT = Reservation()


class HeldForBudget(NamedTuple):
    """Names a task whose next attempt waits for the budget of a node."""

    tokens: int  #: of its prompt and its limit: of one kind, the smallest is let go first
    task: int
    node: int
    size: AttemptSize


class Commitments:
    """What is kept back of the budgets in a ledger, and the tasks that wait for one. A restart finds it anew."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.kept: dict[int, Reservation] = {}  #: by node
        self.trying: dict[Key, set[LeaseId]] = {}  #: leases of which nothing is known
        self.held: dict[int, HeldForBudget] = {}  #: by task
        self.judging: set[int] = set()  #: those of them that wait to be judged
        self._queues: dict[tuple[int, AttemptKind], list[HeldForBudget]] = {}  # heaps; some entries are moot

    # ------------------------------------------------------------ what may be given out

    def refusing(self, task: int, wanted: Expected) -> int | None:
        """Returns the node whose budget does not allow an attempt; None: it is allowed."""
        return next((node for node in self.ledger.scopes(task) if not self._allows(node, wanted)), None)

    def _allows(self, node: int, wanted: Expected, others: Reservation = NOTHING_KEPT) -> bool:
        """`others`: of attempts that are about to be given out."""
        limit = self.ledger.limits[node]
        if limit.tokens is not None and self._tokens(node) + others.tokens + wanted.tokens > limit.tokens:
            return False
        if limit.cost_nanos is None:
            return True
        # guard: unknown prices are said first -> if self.ledger.spent.get(node, NOTHING).unpriced_tokens:
        # guard: unknown prices are not zero -> if wanted.unpriced is not None:
        if self.ledger.spent.get(node, NOTHING).unpriced_tokens or wanted.unpriced is not None:
            return False
        return self._cost(node) + others.cost_nanos + wanted.cost_nanos <= limit.cost_nanos

    def _tokens(self, node: int) -> int:
        """Spent, and kept back."""
        return self.ledger.spent.get(node, NOTHING).tokens + self.kept.get(node, NOTHING_KEPT).tokens

    def _cost(self, node: int) -> int:
        return self.ledger.spent.get(node, NOTHING).cost + self.kept.get(node, NOTHING_KEPT).cost_nanos

    def is_first_out(self, kind: AttemptKind, wanted: Expected) -> bool:
        """Tells whether an attempt must wait, because another one is finding out what those of its kind cost."""
        # guard: one at a time without experience -> return False
        return wanted.is_guess and bool(self.trying.get(kind.key))

    # ------------------------------------------------------------ what is under way

    def keep(self, task: int, before: Reservation, now: Reservation) -> None:
        """From now on this is kept back for an attempt, for which something else was before."""
        if before != now:
            for node in self.ledger.scopes(task):
                kept = self.kept.get(node, NOTHING_KEPT)
                # guard: reserves count cost -> tokens, cost = now.tokens - before.tokens, 0
                tokens, cost = now.tokens - before.tokens, now.cost_nanos - before.cost_nanos
                self.kept[node] = Reservation(kept.tokens + tokens, kept.cost_nanos + cost)

    def tries(self, key: Key, lease: LeaseId) -> None:
        """Notes that an attempt was given out of which nothing is known."""
        self.trying.setdefault(key, set()).add(lease)

    def has_tried(self, key: Key, lease: LeaseId) -> None:
        self.trying.get(key, set()).discard(lease)

    # ------------------------------------------------------------ what waits

    def hold(self, node: int, task: int, size: AttemptSize) -> None:
        """Lets the task's next attempt wait for a node's budget."""
        held = self.held[task] = HeldForBudget(size.prompt + size.limit, task, node, size)
        heapq.heappush(self._queues.setdefault((node, size.kind), []), held)
        if size.kind.phase is Phase.VALIDATE:
            self.judging.add(task)

    def drop(self, task: int) -> None:
        """Ends the waiting of a task."""
        self.held.pop(task, None)
        self.judging.discard(task)

    def let_go(self, expects: Expects) -> list[int]:
        """Takes out tasks that may be tried again: of each kind the smallest, as many as the budget allows.

        LET_GO_A_TURN at most; a turn that has so many is followed by another one.
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
            wanted = expects(queue[0].size)
            if self.is_first_out(kind, wanted) or not self._allows(node, wanted, others):
                return
            others = Reservation(others.tokens + wanted.tokens, others.cost_nanos + wanted.cost_nanos)
            task = heapq.heappop(queue).task
            self.drop(task)
            yield task
            if wanted.is_guess:
                return

    def let_all_go(self) -> list[int]:
        """Takes out all tasks that wait: each is looked at anew."""
        tasks = list(self.held)
        self.held.clear()
        self.judging.clear()
        self._queues.clear()
        return tasks

    def why(self, held: HeldForBudget, wanted: Expected) -> str:
        """Why the budget of a node allows no attempt, in words."""
        node = held.node
        limit, spent, kept = (
            self.ledger.limits[node],
            self.ledger.spent.get(node, NOTHING),
            self.kept.get(node, NOTHING_KEPT),
        )
        whose = "the execution" if node == WHOLE else self.ledger.map.name(node)
        if limit.cost_nanos is not None and spent.unpriced_tokens:
            return f"the budget of {whose} cannot be kept: {spent.unpriced_tokens:,} tokens have no known price"
        if limit.cost_nanos is not None and wanted.unpriced is not None:
            model = f"model {wanted.unpriced}" if wanted.unpriced else "a model that has no name"
            return f"the budget of {whose} cannot be kept: the price of {model} is not known"
        if limit.tokens is not None and self._tokens(node) + wanted.tokens > limit.tokens:
            under_way = f", {kept.tokens:,} are kept back for attempts under way" if kept.tokens else ""
            return (
                f"the budget of {whose} is used up: {spent.tokens:,} of {limit.tokens:,} tokens are spent{under_way}, "
                f"and the next attempt may take {wanted.tokens:,}"
            )
        if self._allows(node, wanted):
            return f"another attempt is finding out what one costs, so that the budget of {whose} is kept"
        under_way = f", {_amount(kept.cost_nanos)} is kept back for attempts under way" if kept.cost_nanos else ""
        return (
            f"the budget of {whose} is used up: {_amount(spent.cost)} of {_amount(limit.cost_nanos or 0)} "
            f"is spent{under_way}, and the next attempt may cost {_amount(wanted.cost_nanos)}"
        )


def _amount(nanos: int) -> str:
    return f"{from_nanos(nanos):.4f}"
