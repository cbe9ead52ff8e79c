"""Guards of assignment, sign-off and budgets."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("only those who can", "a task asks for a function that a connected worker does not have"),
    Guard("a person signs off", "a validator passes what a person is to look at"),
    Guard("costs are totals", "a worker says again what an attempt has cost"),
    Guard("costs of settled leases", "an acknowledgement is lost, and the worker says all of it again"),
    Guard(
        "leases settled before",
        "what a worker said of an attempt comes twice, the second time after the next attempt has ended",
    ),
    Guard("costs are said again", "a stream is lost with what it was about to say of costs"),
    Guard("budgets hold work back", "a budget is nearly used up"),
    Guard("unknown prices are not zero", "a model without a price is asked under a budget of cost"),
    Guard("gates", "more work than a model takes a minute"),
    Guard("reserves count cost", "seven attempts begin at once under a budget of cost"),
    Guard("votes are counted", "nine judges vote on a candidate under a budget"),
    Guard("one at a time without experience", "nothing is known of what an answer costs, and seven executors are free"),
    Guard("unknown prices are said first", "a model without a price is about to be asked under a budget of cost"),
    Guard("a lost lease is booked", "a worker is killed after it has sent a prompt, and before it has said so"),
    Guard("corrections are taken", "a provider counts less than was estimated"),
    Guard("costs after a time-out", "an attempt is cancelled, and its worker says what it has cost"),
    Guard("the last correction is kept", "a worker has said more often what it costs than is recorded one by one"),
    Guard("bounded rows of corrections", "a worker raises and lowers its estimates for ever"),
    Guard("experience is not booked ahead", "a long answer is booked ahead, and others are to be given out"),
    Guard("votes are requests", "nine judges vote on a candidate, and their model takes three requests a minute"),
    Guard("amounts fit their numbers", "a worker claims a trillion tokens of a dear model, and a budget is set"),
    Guard("reports of the past", "a message that told an estimate comes again after the provider has counted"),
)
