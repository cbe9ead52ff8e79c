"""Guards of what work may be given to whom, who signs it off, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

REPORTING, ACCOUNTING = "runner_svc/core/reporting.py", "runner_svc/core/accounting.py"
BUDGET, EXPECTING = "runner_svc/core/budget.py", "runner_svc/core/expecting.py"

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
        file=ACCOUNTING,
        code="    changes = list(before.changes_to(total))\n",
        without="    changes = [total]\n",
        fault="a worker says again what an attempt has cost",
    ),
    Guard(
        name="costs of settled leases",
        file="runner_svc/core/records.py",
        code="if ended.id == lease and ended.worker == worker), None)",
        without="if ended.id == lease), EndedLease(lease, Phase.EXECUTE, worker))",
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
        file=BUDGET,
        code="        if self.spent.get(node, NOTHING).unpriced_tokens or ",
        without="        if ",
        fault="a model without a price is asked under a budget of cost",
    ),
    Guard(
        name="gates",
        file="runner_svc/core/room.py",
        code="        return opens_at <= at",
        without="        return True",
        fault="more work than a model takes a minute",
    ),
    Guard(
        name="reserves count cost",
        file=BUDGET,
        code="now.tokens - before.tokens, now.cost_nanos - before.cost_nanos",
        without="now.tokens - before.tokens, 0",
        fault="seven attempts begin at once under a budget of cost",
    ),
    Guard(
        name="votes are counted",
        file=EXPECTING,
        code="    votes = demands.votes\n",
        without="    votes = 1\n",
        fault="nine judges vote on a candidate under a budget",
    ),
    Guard(
        name="one at a time without experience",
        file=BUDGET,
        code="        return wanted.is_guess and bool(self.trying.get(kind.key))",
        without="        return False",
        fault="nothing is known of what an answer costs, and seven executors are free",
    ),
    Guard(
        name="unknown prices are said first",
        file=BUDGET,
        code=" or wanted.unpriced is not None:",
        without=":",
        fault="a model without a price is about to be asked under a budget of cost",
    ),
    Guard(
        name="a lost lease is booked",
        file=ACCOUNTING,
        code="    _record(turn, lease, asked, [booked], at)\n",
        without="    pass\n",
        fault="a worker is killed after it has sent a prompt, and before it has said so",
    ),
    Guard(
        name="corrections are taken",
        file="runner_svc/core/usage.py",
        code="estimated_input_tokens=self.estimated_input_tokens - before.estimated_input_tokens,",
        without="estimated_input_tokens=max(0, self.estimated_input_tokens - before.estimated_input_tokens),",
        fault="a provider counts less than was estimated",
    ),
    Guard(
        name="costs after a time-out",
        file="runner_svc/core/records.py",
        code="    if event.kind is FailureKind.TIMEOUT:\n        _cut_off(record)\n",
        without="",
        fault="an attempt is cancelled, and its worker says what it has cost",
    ),
    Guard(
        name="the last correction is kept",
        file=ACCOUNTING,
        code="        lease.untold[model] = total\n",
        without="",
        fault="a worker has said more often what it costs than is recorded one by one",
    ),
    Guard(
        name="bounded rows of corrections",
        file=ACCOUNTING,
        code="    return (total.tokens - before.tokens) * 100 > before.tokens",
        without="    return True",
        fault="a worker raises and lowers its estimates for ever",
    ),
    Guard(
        name="experience is not booked ahead",
        file="runner_svc/core/execution.py",
        code=" and usage.is_counted and asks_a_model",
        without=" and asks_a_model",
        fault="a long answer is booked ahead, and others are to be given out",
    ),
    Guard(
        name="votes are requests",
        file="runner_svc/core/roster.py",
        code="            lease.asked = size.kind.questions\n",
        without="            lease.asked = 1\n",
        fault="nine judges vote on a candidate, and their model takes three requests a minute",
    ),
    Guard(
        name="reports of the past",
        file="runner_svc/core/usage.py",
        code="        if total._counted < before._counted and total.estimated_tokens > before.estimated_tokens:",
        without="        if False:",
        fault="a message that told an estimate comes again after the provider has counted",
    ),
)
