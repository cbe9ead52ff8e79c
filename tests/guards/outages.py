"""Guards of what waits for models, and of runs that can only wait."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

FAILING, OUTAGES = "runner_svc/core/failing.py", "runner_svc/core/outages.py"

GUARDS: Sequence[Guard] = (
    Guard(
        name="a model that says nothing is away before the runner gives up",
        file="worker_svc/llm/bounds.py",
        code="min(self.idle, SOONER * idle_timeout) if idle_timeout else self.idle",
        without="self.idle",
        fault="an endpoint takes a question and says nothing",
    ),
    Guard(
        name="outages are no failures",
        file=FAILING,
        code="    model = turn.state.roster.model_of(lease) if kind in OUTAGES else None\n",
        without="    model = None\n",
        fault="an endpoint is away for four seconds",
    ),
    Guard(
        name="one probe at a time",
        file=OUTAGES,
        code="live.probe is None and live.away.next_try <= at",
        without="live.away.next_try <= at",
        fault="a model that is down is asked by every worker at once",
    ),
    Guard(
        name="the first word ends an outage",
        file="runner_svc/core/reporting.py",
        code="        if signal.answered:\n            _answered(turn, lease, signal.at)\n",
        without="",
        fault="the first answer after an outage takes minutes, and everything waits for its end",
    ),
    Guard(
        name="a provider's time is obeyed",
        file=OUTAGES,
        code="wanted = _next(tries, retry_after, fraction, at) if is_probe else at + (retry_after or 0.0)",
        without="wanted = at",
        fault="a provider that is overloaded asks for two minutes",
    ),
    Guard(
        name="patience ends with a pause",
        file="runner_svc/core/lending.py",
        code="            pause_if_away(turn, execution, at)\n",
        without="            pass\n",
        fault="an endpoint never comes back",
    ),
    Guard(
        name="an outage of one task alone is a failure",
        file=FAILING,
        code="record.outages >= MOST_OUTAGES or ",
        without="",
        fault="an endpoint answers one prompt with 500, always",
    ),
    Guard(
        name="candidates of judges that are away hold nobody up",
        file="runner_svc/core/lending.py",
        code="execution.backlog - _judges_away(state, execution)",
        without="execution.backlog",
        fault="the judge's endpoint is away while executors work",
    ),
    Guard(
        name="a run that cannot go on ends",
        file="signoff/cli/following.py",
        code="                if reason and alone and not wait:\n                    return reason\n",
        without="",
        fault="a plan needs programs, and --allow-commands was forgotten",
    ),
    Guard(
        name="a run that the runner pauses ends",
        file="signoff/cli/following.py",
        code="            was_paused = change is not None and was_paused_by_the_runner(change.event)\n",
        without="            was_paused = False\n",
        fault="a budget is used up in the night",
    ),
    Guard(
        name="a run that was paused at once ends",
        file="signoff/cli/following.py",
        code=" or (is_first and view.state == pb.EXECUTION_STATE_PAUSED)",
        without="",
        fault="the price of a model is not known, and the run is paused before anybody watches it",
    ),
)
