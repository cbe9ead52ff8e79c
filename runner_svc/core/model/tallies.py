"""Tallies: how pools of validators judged canaries, the candidates that are known to be good or bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from runner_svc.core.model.values import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Validators that judge alike."""

    model: str  #: that they ask; empty when only checks decide
    labels: Labels

    @property
    def size(self) -> int:
        """Returns the bytes that it takes in a message, at most."""
        pairs = sum(len(key.encode()) + len(value.encode()) + PAIR_BYTES for key, value in self.labels)
        return len(self.model.encode()) + pairs


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

PAIR_BYTES = 12  # that a label takes besides its texts
MOST_POOL_BYTES = 2_048  # of the names and labels of a pool that is counted apart: a message holds all of them
MOST_POOLS = 100  # pools that are counted apart; further ones are counted together
OTHERS = Pool(model="other", labels=frozenset())  #: those further ones


def count(totals: dict[Pool, Tally], pool: Pool, tally: Tally) -> None:
    """Adds a tally. Pools beyond MOST_POOLS, and those of long labels, are counted as one.

    So the list of pools always fits a message.
    """
    if pool not in totals:
        # guard: pools of long labels are counted together -> is_apart = len(totals) - (OTHERS in totals) < MOST_POOLS
        is_apart = len(totals) - (OTHERS in totals) < MOST_POOLS and pool.size <= MOST_POOL_BYTES
        pool = pool if is_apart else OTHERS
    totals[pool] = totals.get(pool, Tally()) + tally


def sum_tallies(tallies: Iterable[tuple[Pool, Tally]]) -> Tallies:
    """Returns one tally for each pool, ordered by model and labels."""
    totals: dict[Pool, Tally] = {}
    for pool, tally in tallies:
        count(totals, pool, tally)
    return tuple(sorted(totals.items(), key=lambda item: (item[0].model, sorted(item[0].labels))))
