"""Guards of what work may be given to whom, who signs it off, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

REPORTING = "runner_svc/core/reporting.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="only those who can",
        file="runner_svc/core/terms.py",
        code="            wants.handlers <= self.handlers\n            and",
        without="            True\n            and",
        fault="a task asks for a function that a connected worker does not have",
    ),
    Guard(
        name="a person signs off",
        file=REPORTING,
        code="    elif outcome is Outcome.PASS and execution.map.terms_of(task).human:",
        without="    elif False:",
        fault="a validator passes what a person is to look at",
    ),
    Guard(
        name="costs are totals",
        file=REPORTING,
        code="    more = signal.total.since(so_far.get(signal.model, NOTHING))",
        without="    more = signal.total",
        fault="a worker says again what an attempt has cost",
    ),
    Guard(
        name="costs of settled leases",
        file=REPORTING,
        code="    return (execution, task, ended.phase) if ended is not None else None",
        without="    return (execution, task, Phase.EXECUTE)",
        fault="an acknowledgement is lost, and the worker says all of it again",
    ),
    Guard(
        name="leases settled before",
        file="runner_svc/core/records.py",
        code=" or lease in self.settled_before",
        without="",
        fault="what a worker said of an attempt comes twice, the second time after the next attempt has ended",
    ),
    Guard(
        name="costs are said again",
        file="worker_svc/word.py",
        code="        self._unsaid = dict.fromkeys(self._usage)",
        without="        self._unsaid = {}",
        fault="a stream is lost with what it was about to say of costs",
    ),
    Guard(
        name="budgets hold work back",
        file="runner_svc/core/lending.py",
        code="    return node is not None",
        without="    return False",
        fault="a budget is nearly used up",
    ),
    Guard(
        name="unknown prices are not zero",
        file="runner_svc/core/budget.py",
        code="        return not spent.unpriced_tokens and",
        without="        return",
        fault="a model without a price is asked under a budget of cost",
    ),
    Guard(
        name="gates",
        file="runner_svc/core/room.py",
        code="        return opens_at <= at",
        without="        return True",
        fault="more work than a model takes a minute",
    ),
)
