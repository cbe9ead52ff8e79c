"""The sums over executions that were removed: a prune takes nothing away from what is counted over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from runner_svc.core.model import events
from runner_svc.core.model.tallies import Pool, Tallies, Tally, count
from runner_svc.core.model.usage import Totals, add
from runner_svc.core.state.overview import Overview


@dataclass(slots=True)
class PrunedSums:
    """The costs by currency, and the verdicts on canaries by pool."""

    usage: dict[str, Totals] = field(default_factory=dict)
    canaries: dict[Pool, Tally] = field(default_factory=dict)

    def add(self, usage: Mapping[str, Totals], canaries: Tallies) -> None:
        for currency, totals in usage.items():
            for (phase, model), spent in totals.items():
                add(self.usage.setdefault(currency, {}), phase, model, spent)
        for pool, tally in canaries:
            count(self.canaries, pool, tally)


def pruned_event(at: float, removed: Sequence[Overview], pruned_to_artifacts: int) -> events.ExecutionsPruned:
    """Returns the event of a prune, with the sums over the executions that it removes."""
    sums = PrunedSums()
    for overview in removed:
        usage = {(phase, model): spent for phase, model, spent in overview.usage}
        sums.add({overview.currency: usage}, overview.canaries)
    return events.ExecutionsPruned(
        at=at,
        removed=len(removed),
        pruned_to_artifacts=pruned_to_artifacts,
        usage=sums.usage,
        canaries=tuple(sums.canaries.items()),
    )
