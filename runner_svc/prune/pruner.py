"""One prune from its request to its last answer. One at a time; whatever ends it, a later one goes on."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from dataclasses import dataclass, replace

import structlog

from runner_svc.codec.journal.rows import RowDamaged, event_of
from runner_svc.codec.times import seconds_of
from runner_svc.core.decide.prune import PruneRule, chosen
from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.engine import Engine
from runner_svc.prune.collection import GRACE, Collection, Gone
from runner_svc.prune.exclusive import Exclusive
from runner_svc.store.port import Store

log = structlog.get_logger(__name__)

EXECUTIONS_AT_ONCE = 100  # that go in one transaction, for which the loop is held
ROWS_AT_ONCE = 1_000  # that are taken off the disk in one transaction
STEPS_BETWEEN_ANSWERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of a prune: what it has taken away so far, or would."""

    executions: int = 0
    events: int = 0
    contents: int = 0
    content_bytes: int = 0
    maps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """An execution that may go."""

    id: ExecutionId
    sequence: int
    is_stopped: bool  #: when it came to rest is only in its journal
    has_journal: bool


class Pruner:
    """The prunes of one runner."""

    def __init__(self, engine: Engine, store: Store, exclusive: Exclusive, grace: float = GRACE) -> None:
        """`grace`: seconds in which a content that was put is left alone."""
        self._engine = engine
        self._store = store
        self._collection = Collection(engine, store, grace)
        self._exclusive = exclusive

    async def prune(self, rule: PruneRule, *, dry_run: bool) -> AsyncGenerator[Sums, None]:
        """Yields the sums so far, now and then and at the end. Raises StoreBusy, or Unavailable."""
        # guard: one prune or backup at a time -> with Exclusive().held("a prune"):
        with self._exclusive.held("a prune"):
            # What has ended is archived by a checkpoint, and what is pruned to its artifacts stays as one.
            await self._engine.between_turns(lambda _: self._engine.checkpoint())
            found = [each async for each in self._chosen(rule)]
            steps = self._told(found, rule) if dry_run else self._done(found, rule)
            async for sums in steps:
                yield sums

    async def _chosen(self, rule: PruneRule) -> AsyncIterator[_Chosen]:
        for each in await self._engine.ask(lambda state: [*_chosen_of(state, rule)]):
            # guard (2 lines): a stopped execution is as old as its last event -> yield each
            if not each.is_stopped or not each.has_journal or await self._last_event(each) < rule.before:
                yield each

    async def _last_event(self, each: _Chosen) -> float:
        """Returns the time of its last event; one that cannot be read is never old enough."""
        rows = await self._store.read(each.id, each.sequence - 1, 1)
        try:
            return max((seconds_of(event_of(row).at) for row in rows), default=0.0)
        except RowDamaged as damaged:
            log.warning("not_pruned", execution=each.id, reason=str(damaged))
            return math.inf

    # ------------------------------------------------------------ what would be

    async def _told(self, found: list[_Chosen], rule: PruneRule) -> AsyncIterator[Sums]:
        sums = Sums(executions=len(found), events=sum(each.sequence for each in found if each.has_journal))
        yield sums
        names = frozenset(each.id for each in found)
        gone = Gone(histories=names) if rule.keeps_artifacts else Gone(whole=names)
        async for sizes in self._collection.unreferenced(await self._collection.references(gone)):
            number, size = len(sizes), sum(size for _, size in sizes)
            sums = replace(sums, contents=sums.contents + number, content_bytes=sums.content_bytes + size)
        async for _ in self._collection.unneeded_maps(gone):
            sums = replace(sums, maps=sums.maps + 1)
        yield sums

    # ------------------------------------------------------------ what is done

    async def _done(self, found: list[_Chosen], rule: PruneRule) -> AsyncIterator[Sums]:
        sums = Sums()
        for start in range(0, len(found), EXECUTIONS_AT_ONCE):
            batch = {each.id: each.sequence for each in found[start : start + EXECUTIONS_AT_ONCE]}
            removed = await self._engine.remove(batch, rule)
            sums = replace(sums, executions=sums.executions + removed.executions, events=sums.events + removed.events)
            yield sums
        async for _ in self._purged():
            yield sums
        async for sizes in self._collection.unreferenced(await self._collection.references()):
            gone = await self._collection.drop(sizes)
            number, size = len(gone), sum(size for _, size in gone)
            sums = replace(sums, contents=sums.contents + number, content_bytes=sums.content_bytes + size)
            yield sums
        async for key in self._collection.unneeded_maps():
            sums = replace(sums, maps=sums.maps + await self._collection.drop_map(key))
        while await self._store.shrink():
            yield sums
        yield sums

    async def _purged(self) -> AsyncIterator[None]:
        """Takes off the disk what was removed, also by a prune that was cut off."""
        for step in itertools.count(1):
            if (await self._store.purge(ROWS_AT_ONCE)).is_done:
                return
            await asyncio.sleep(0)
            if not step % STEPS_BETWEEN_ANSWERS:
                yield


def _chosen_of(state: State, rule: PruneRule) -> Iterator[_Chosen]:
    for name in chosen(state, rule):
        known: Execution | Overview = state.executions.get(name) or state.archived[name]
        yield _Chosen(
            id=name,
            sequence=known.sequence,
            is_stopped=known.state is ExecutionState.STOPPED,
            has_journal=known.pruned_at is None,
        )
