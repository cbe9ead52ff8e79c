"""Takes executions away, between two turns of the engine: in one transaction from the store, then from the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from runner_svc.codec.checkpoints import execution_to_proto
from runner_svc.codec.journal.entries import event_to_proto
from runner_svc.core.decide.prune import PruneRule, may_go
from runner_svc.core.decide.turn import State
from runner_svc.core.model import events
from runner_svc.core.model.values import RUNNER, ExecutionId
from runner_svc.core.state.overview import Overview
from runner_svc.core.state.pruned import pruned_event
from runner_svc.recovery.recovery import Recovery
from runner_svc.store.port import Removal, Row, Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The sums of a removal."""

    executions: int = 0
    events: int = 0


class RemovalOfExecutions:
    """Takes executions away from the store and the state of one engine."""

    def __init__(self, store: Store, recovery: Recovery) -> None:
        self._store = store
        self._recovery = recovery

    async def remove(self, state: State, chosen: Mapping[ExecutionId, int], rule: PruneRule, at: float) -> Removed:
        """Takes those of the chosen executions away of which no event has come since they were chosen.

        `chosen`: their sequences then. The loop waits meanwhile: a hundred of them take about 20 ms. Raises
        StorageFailed; then the state must be built anew, for the outcome may be unknown.
        """
        found = [each for name, sequence in chosen.items() if (each := self._removable(state, name, sequence, rule))]
        if not found:
            return Removed()
        whole = () if rule.keeps_artifacts else found
        pruned = [replace(each, pruned_at=at, outages=()) for each in found] if rule.keeps_artifacts else ()
        entry = events.Entry(RUNNER, state.sequence + 1, pruned_event(at, whole, len(pruned)))
        await self._store.remove(_removal_of(entry, whole, pruned))
        state.apply(entry)
        names = frozenset(each.id for each in found)
        self._recovery.checkpoints.forget(names)
        if whole:
            state.remove(names)
        for each in pruned:
            state.prune_to_artifacts(each)
        log.info("executions_pruned", executions=len(found), keeps_artifacts=rule.keeps_artifacts)
        return Removed(executions=len(found), events=sum(each.sequence for each in found if each.pruned_at is None))

    def _removable(self, state: State, name: ExecutionId, sequence: int, rule: PruneRule) -> Overview | None:
        live = state.executions.get(name)
        known = live or state.archived.get(name)
        if known is None or known.sequence != sequence or not may_go(known, rule):
            return None
        if live is not None and rule.keeps_artifacts and not self._recovery.checkpoints.has(live):
            return None  # its checkpoint is all that will stay of it
        return known if isinstance(known, Overview) else known.overview()


def _removal_of(entry: events.Entry, whole: Sequence[Overview], pruned: Sequence[Overview]) -> Removal:
    body = event_to_proto(entry, None).SerializeToString()
    return Removal(
        row=Row(RUNNER, entry.sequence, body),
        whole=[each.id for each in whole],
        histories=[(each.id, execution_to_proto(each, settled=True).SerializeToString()) for each in pruned],
    )
