"""Budgets: what an execution, a group or a task may spend; reserved when work is given out, settled by what it cost.

A ledger exists only for executions that have a budget: all others pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from runner_svc.core.plan import Map
from runner_svc.core.usage import NOTHING, Usage
from runner_svc.core.values import WHOLE, Budget, Phase

#: Tokens that an attempt is expected to take while nothing better is known.
FIRST_ESTIMATE = 1_000


@dataclass(slots=True, kw_only=True)
class Ledger:
    """The budgets of one execution, by node; WHOLE is the execution itself."""

    map: Map = field(compare=False)
    limits: dict[int, Budget]
    spent: dict[int, Usage] = field(default_factory=dict)
    #: of each phase: the most tokens (as input tokens) and the highest cost of an attempt
    largest: dict[Phase, Usage] = field(default_factory=dict)
    reserved: dict[int, int] = field(default_factory=dict, compare=False)  #: tokens; live, a restart reserves anew
    #: tasks whose next attempt waits for a node's budget, by what it is expected to cost
    held: dict[tuple[int, Phase, int | None], dict[int, None]] = field(default_factory=dict, compare=False)

    def scopes(self, task: int) -> Iterator[int]:
        """The nodes with a budget that a task's costs count against."""
        if WHOLE in self.limits:
            yield WHOLE
        yield from (node for node in self.map.with_groups(task) if node in self.limits)

    def spend(self, task: int, phase: Phase, usage: Usage, so_far: Usage) -> None:
        """`so_far`: what the attempt has cost, with this."""
        for node in self.scopes(task):
            self.spent[node] = self.spent.get(node, NOTHING) + usage
        before = self.largest.get(phase, NOTHING)
        self.largest[phase] = Usage(
            input_tokens=max(before.input_tokens, so_far.tokens), cost_nanos=max(before.cost_nanos, so_far.cost_nanos)
        )

    def estimate(self, task: int, phase: Phase) -> Usage:
        """What an attempt may cost: as the dearest so far, and no less than the longest answer it may give."""
        most = self.map.terms_of(task).max_tokens or 0
        known = self.largest.get(phase)
        if known is None:
            return Usage(input_tokens=max(most, FIRST_ESTIMATE))
        return Usage(input_tokens=max(most, known.input_tokens), cost_nanos=known.cost_nanos)

    def refusing(self, task: int, estimate: Usage) -> int | None:
        """The node whose budget does not allow an attempt; None: it is allowed."""
        return next((node for node in self.scopes(task) if not self._allows(node, estimate)), None)

    def _allows(self, node: int, estimate: Usage, times: int = 1) -> bool:
        limit, spent = self.limits[node], self.spent.get(node, NOTHING)
        tokens = spent.tokens + self.reserved.get(node, 0) + times * estimate.tokens
        if limit.tokens is not None and tokens > limit.tokens:
            return False
        if limit.cost_nanos is None:
            return True
        return not spent.unpriced_tokens and spent.cost_nanos + times * estimate.cost_nanos <= limit.cost_nanos

    # ------------------------------------------------------------ what is under way

    def reserve(self, task: int, tokens: int) -> None:
        for node in self.scopes(task):
            self.reserved[node] = self.reserved.get(node, 0) + tokens

    def release(self, task: int, tokens: int) -> None:
        for node in self.scopes(task):
            self.reserved[node] = max(0, self.reserved.get(node, 0) - tokens)

    def hold(self, node: int, task: int, phase: Phase) -> None:
        """The task's next attempt waits for a node's budget."""
        self.held.setdefault((node, phase, self.map.terms_of(task).max_tokens), {})[task] = None

    def drop(self, task: int) -> None:
        """The task waits no more."""
        for tasks in self.held.values():
            tasks.pop(task, None)

    def holds(self, task: int) -> bool:
        return any(task in tasks for tasks in self.held.values())

    def let_go(self) -> list[int]:
        """Takes out the tasks that may be tried again: of each kind as many as the budget allows by now."""
        free: list[int] = []
        for (node, phase, _), tasks in self.held.items():
            for count, task in enumerate(list(tasks), start=1):
                if not self._allows(node, self.estimate(task, phase), count):
                    break  # attempts of a kind are all expected to cost the same
                del tasks[task]
                free.append(task)
        self.held = {kind: tasks for kind, tasks in self.held.items() if tasks}
        return free

    def let_all_go(self) -> list[int]:
        """Takes out all tasks that wait: each is looked at anew."""
        tasks = [task for held in self.held.values() for task in held]
        self.held.clear()
        return tasks

    def why(self, node: int, estimate: Usage) -> str:
        """Why the budget of a node allows no attempt, in words."""
        limit, spent = self.limits[node], self.spent.get(node, NOTHING)
        whose = "the execution" if node == WHOLE else self.map.name(node)
        if limit.cost_nanos is not None and spent.unpriced_tokens:
            return f"the budget of {whose} cannot be kept: {spent.unpriced_tokens:,} tokens have no known price"
        if limit.tokens is not None and not self._allows_tokens(node, estimate):
            return (
                f"the budget of {whose} is used up: {spent.tokens:,} of {limit.tokens:,} tokens are spent, "
                f"and the next attempt may take {estimate.tokens:,}"
            )
        return (
            f"the budget of {whose} is used up: {_amount(spent.cost_nanos)} of {_amount(limit.cost_nanos or 0)} "
            f"is spent, and the next attempt may cost {_amount(estimate.cost_nanos)}"
        )

    def _allows_tokens(self, node: int, estimate: Usage) -> bool:
        limit = self.limits[node].tokens
        spent = self.spent.get(node, NOTHING).tokens + self.reserved.get(node, 0)
        return limit is None or spent + estimate.tokens <= limit


def _amount(nanos: int) -> str:
    return f"{nanos / 1e9:.4f}"


def ledger_of(plan: Map, whole: Budget | None) -> Ledger | None:
    """What an execution begins with: the plan's budgets, and the one its settings give to the whole."""
    limits = dict(plan.budgets)
    if whole is not None:
        limits[WHOLE] = whole
    return Ledger(map=plan, limits=limits) if limits else None


def spent_by(plan: Map, node: int, usage_of: Mapping[int, Usage]) -> Usage:
    """What the tasks of a node have cost together."""
    tasks = usage_of if node == WHOLE else plan.tasks_below(node)
    return sum((usage_of.get(task, NOTHING) for task in tasks), start=NOTHING)
