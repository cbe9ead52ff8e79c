"""Guards of work that waits for models, and of runs that can only wait."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("the models that are away at once are bounded", "a thousand endpoints that no worker asks any more are away"),
    Guard("the models of a worker that leaves are not away", "each worker of a large fleet has a model of its own"),
    Guard("the models of a worker that is lost are not away", "a worker dies while its own model is away"),
    Guard(
        "a worker that is gone after a restart takes its outages along", "runner and worker die while a model is away"
    ),
    Guard(
        "patience looks at every task once", "a large plan has one task that waits for no model, and a model is away"
    ),
    Guard(
        "a model that says nothing is away before the runner gives up", "an endpoint takes a question and says nothing"
    ),
    Guard("outages are no failures", "an endpoint is away for four seconds"),
    Guard("an outage that is over for others is over for all", "it ended while an execution was in quarantine"),
    Guard("one probe at a time", "a model that is down is asked by every worker at once"),
    Guard(
        "the first word ends an outage",
        "the first answer after an outage takes minutes, and everything waits for its end",
    ),
    Guard("a provider's time is obeyed", "a provider that is overloaded asks for two minutes"),
    Guard("patience stands still while the clock jumps", "a laptop sleeps while its model is away"),
    Guard("patience ends with a pause", "an endpoint never comes back"),
    Guard("an outage of one task alone is a failure", "an endpoint answers one prompt with 500, always"),
    Guard("candidates of judges that are away hold no other up", "the judge's endpoint is away while executors work"),
    Guard("a run that cannot go on ends", "a plan needs programs, and --allow-commands was forgotten"),
    Guard("a run that the runner pauses ends", "a budget is used up in the night"),
    Guard(
        "a run that was paused at once ends",
        "the price of a model is not known, and the run is paused before a client watches it",
    ),
)
