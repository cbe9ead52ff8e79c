"""Finds the contents and maps that nothing refers to, and drops them.

Contents are put before the event that names them, so that young ones are never dropped; a content that is put again is
young again. All others are looked for in the journals, in the checkpoints of executions that have no journal, and in
what running executions may keep of earlier ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from runner_svc.core.decide.turn import State
from runner_svc.core.model.map import map_key
from runner_svc.core.model.values import Content, ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.engine import Engine
from runner_svc.prune.references import References, digests_in, digests_in_manifest, may_name_manifest
from runner_svc.store.port import InObjects, Store
from signoff.manifest.manifest import MAX_MANIFEST_BYTES, is_manifest
from signoff.v1 import checkpoint_pb2

ROWS_AT_ONCE, CONTENTS_AT_ONCE, MAPS_AT_ONCE = 500, 500, 100
BYTES_AT_ONCE = 16 * 1024 * 1024  # of contents that are dropped in one transaction
GRACE = 3600.0  # seconds in which a content that was put may wait for its event


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Executions that are taken as gone, so that a dry run can tell what would follow."""

    whole: Set[ExecutionId] = frozenset()
    histories: Set[ExecutionId] = frozenset()  #: all but their artifacts


NOTHING_GONE = Gone()
Sizes = Sequence[tuple[str, int]]


class Collection:
    """Collects over one store, beside the work of one engine."""

    def __init__(self, engine: Engine, store: Store, grace: float = GRACE) -> None:
        """`grace`: seconds in which a content that was put is left alone."""
        self._engine = engine
        self._store = store
        self._grace = grace

    # ------------------------------------------------------------ contents

    async def references(self, gone: Gone = NOTHING_GONE) -> References:
        """Returns all that is referred to now."""
        found, manifests = References(), set[bytes]()
        # What is offered later comes from executions that are still there, and is found in their journals.
        offered, pruned = await self._engine.ask(lambda state: ([*_offered(state), *_lent(state)], {*_pruned(state)}))
        # guard: what running executions may keep is not dropped -> (removed)
        found.add(content.digest.encode() for content in offered)
        manifests |= {content.digest.encode() for content in offered if is_manifest(content.media_type)}
        position, without = 0, gone.whole | gone.histories
        while True:
            rows, position = await self._store.everything(position, ROWS_AT_ONCE)
            if not rows:
                break
            for row in rows:
                if row.journal not in without:
                    # guard: what a journal refers to is not dropped -> pass
                    found.add(digests_in(row.body))
                    if may_name_manifest(row.body):
                        manifests |= {*digests_in(row.body)}
            await asyncio.sleep(0)
        for name in (pruned | gone.histories) - gone.whole:
            artifacts = await self._artifacts_of(name)
            # guard: artifacts of what was pruned are not dropped -> pass
            found.add(artifact.digest.encode() for artifact in artifacts)
            manifests |= {artifact.digest.encode() for artifact in artifacts if is_manifest(artifact.media_type)}
        for digest in manifests:
            # guard: files that a manifest names are not dropped -> pass
            found.add(await self._files_of(digest.decode()))
        return found

    async def _files_of(self, digest: str) -> Iterable[bytes]:
        """Returns the digests of the files of a content, if it is a manifest that is still there."""
        body = await self._store.content(digest)
        if isinstance(body, InObjects) and body.size <= MAX_MANIFEST_BYTES:
            body = await self._engine.contents.get(digest)
        return digests_in_manifest(body) if isinstance(body, bytes) else ()

    async def _artifacts_of(self, execution: ExecutionId) -> list[checkpoint_pb2.ContentCheckpoint]:
        """Returns an execution's artifacts, as its checkpoint has them."""
        tasks = await self._store.checkpointed_tasks(execution)
        artifacts = (checkpoint_pb2.TaskCheckpoint.FromString(body).artifact for _, body in tasks)
        return [artifact for artifact in artifacts if artifact.digest]

    async def unreferenced(self, references: References) -> AsyncIterator[Sizes]:
        """Yields the contents that are not young and that nothing refers to, as many as one transaction may drop."""
        after = ""
        while page := await self._store.sizes(after, CONTENTS_AT_ONCE, self._grace):
            after = page[-1][0]
            for run in _runs([found for found in page if found[0].encode() not in references]):
                yield run

    async def drop(self, sizes: Sizes) -> Sizes:
        """Drops contents, but for those that were put meanwhile. Returns what is gone."""
        gone = {*await self._engine.contents.drop([digest for digest, _ in sizes], self._grace)}
        return [(digest, size) for digest, size in sizes if digest in gone]

    # ------------------------------------------------------------ maps

    async def unneeded_maps(self, gone: Gone = NOTHING_GONE) -> AsyncIterator[str]:
        """Yields the keys of maps that no execution and no layout needs now."""
        after = ""
        while page := await self._store.maps(after, MAPS_AT_ONCE):
            after = page[-1]
            needed = await self._engine.ask(lambda state: self._needed_maps(state, gone))
            for key in page:
                if key not in needed:
                    yield key

    async def drop_map(self, key: str) -> bool:
        """Drops a map. Returns False when it is needed after all."""

        async def drop(state: State) -> bool:
            if key in self._needed_maps(state, NOTHING_GONE):
                return False
            await self._store.drop_map(key)
            state.maps.pop(key, None)
            return True

        return await self._engine.between_turns(drop)

    def _needed_maps(self, state: State, gone: Gone) -> Set[str]:
        plans = {_plan_of(known) for known in state.in_order() if known.id not in gone.whole}
        needed = {map_key(*plan) for plan in plans} | {*state.layouts.values()}
        # guard: a map that is being set is not dropped -> return needed
        return needed | {*self._engine.maps_being_set}


def _plan_of(known: Execution | Overview) -> tuple[str, str]:
    if isinstance(known, Execution):
        return known.map.plan_id, known.map.digest
    return known.plan_id, known.map_digest


def _offered(state: State) -> Iterator[Content]:
    """Yields the results that executions may keep: the executions that made them may be gone."""
    for execution in state.executions.values():
        if execution.agenda.offered is not None:
            for result in execution.agenda.offered.by_make_key.values():
                yield result.content


def _lent(state: State) -> Iterator[Content]:
    """Yields the canaries that validators are judging: no event names them."""
    for lease in state.roster.leases.values():
        if (canary := lease.execution.map.canary(lease.task, lease.canary)) is not None:
            yield canary.content


def _pruned(state: State) -> Iterator[ExecutionId]:
    return (known.id for known in state.in_order() if known.pruned_at is not None)


def _runs(sizes: Sizes) -> Iterator[Sizes]:
    """Cuts contents into runs of a bounded size. One that is larger by itself is a run of its own."""
    run: list[tuple[str, int]] = []
    total = 0
    for found in sizes:
        if run and total + found[1] > BYTES_AT_ONCE:
            yield run
            run, total = [], 0
        run.append(found)
        total += found[1]
    if run:
        yield run
