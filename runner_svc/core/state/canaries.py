"""Canaries: candidates known to be good or bad. Validators get them among the others, and are measured by them.

A canary is judged under a lease of its own, just before the candidate whose place it takes. The validator cannot tell
it from a candidate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from runner_svc.core.model import events
from runner_svc.core.model.tallies import Pool, Tally, count
from runner_svc.core.model.values import Outcome


@dataclass(slots=True, kw_only=True)
class Canaries:
    """The canaries of an execution: how many were given, and how they were judged. A part of its fold."""

    candidates: int = 0  #: made so far, by tasks that have canaries
    given: int = 0
    tallies: dict[Pool, Tally] = field(default_factory=dict)

    def is_one_due(self, rate: float) -> bool:
        """Tells whether a canary goes before the next candidate. At any rate above 0, one goes before the first."""
        return self.given < math.ceil(round(rate * self.candidates, 9))

    def apply(self, event: events.Event) -> None:
        """Takes in an event of a task that has canaries."""
        if isinstance(event, events.CandidateStored | events.CandidateReused | events.OrphanAdopted):
            self.candidates += 1
        elif isinstance(event, events.TaskAssigned) and event.canary:
            self.given += 1
        elif isinstance(event, events.CanaryJudged):
            count(self.tallies, Pool(model=event.model, labels=event.labels), _tally(event.good, event.outcome))


def _tally(good: bool, outcome: Outcome) -> Tally:
    if outcome is Outcome.ERROR:
        return Tally(undecided=1)
    if good:
        return Tally(good=1, false_rejects=int(outcome is Outcome.FAIL))
    return Tally(bad=1, false_accepts=int(outcome is Outcome.PASS))
