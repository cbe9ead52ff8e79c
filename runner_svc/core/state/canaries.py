"""Canaries: candidates known to be good or bad. Validators get them among the others, and are measured by them.

A canary is judged under a lease of its own, just before the candidate whose place it takes. The validator cannot tell
it from a candidate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from runner_svc.core.model import events
from runner_svc.core.model.values import Labels, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Validators that judge alike."""

    model: str  #: that they ask; empty when only checks decide
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The counts of canaries that a pool has judged, rightly and wrongly."""

    good: int = 0  #: good canaries that got a verdict
    false_rejects: int = 0  #: those of them that failed
    bad: int = 0
    false_accepts: int = 0
    undecided: int = 0  #: good and bad ones that got none

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            good=self.good + other.good,
            false_rejects=self.false_rejects + other.false_rejects,
            bad=self.bad + other.bad,
            false_accepts=self.false_accepts + other.false_accepts,
            undecided=self.undecided + other.undecided,
        )


Tallies = tuple[tuple[Pool, Tally], ...]

MOST_POOLS = 100  # pools that are counted apart; further ones are counted together
OTHERS = Pool(model="other", labels=frozenset())  #: those further ones


def count(totals: dict[Pool, Tally], pool: Pool, tally: Tally) -> None:
    """Adds a tally. Pools beyond MOST_POOLS are counted as one, so that the list of pools always fits a message."""
    if pool not in totals and len(totals) - (OTHERS in totals) >= MOST_POOLS:
        pool = OTHERS
    totals[pool] = totals.get(pool, Tally()) + tally


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


def sum_tallies(tallies: Iterable[tuple[Pool, Tally]]) -> Tallies:
    """Returns one tally for each pool, ordered by model and labels."""
    totals: dict[Pool, Tally] = {}
    for pool, tally in tallies:
        count(totals, pool, tally)
    return tuple(sorted(totals.items(), key=lambda item: (item[0].model, sorted(item[0].labels))))
