"""Recovery: builds the state at a start, and brings back archived executions from the store.

The journal is the truth. Per execution, a checkpoint that is ahead of the journal is thrown away, and one that is
behind is brought up to it. An execution that cannot be built is quarantined (core/state/quarantine.py); the others are
built without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import structlog

from runner_svc.codec.checkpoints import (
    overview_from_proto,
    record_from_bytes,
    restore_runner,
    status_from_bytes,
)
from runner_svc.codec.journal.entries import entry_from_proto
from runner_svc.codec.journal.rows import event_of
from runner_svc.codec.maps import map_from_parts
from runner_svc.core.decide.turn import State
from runner_svc.core.fleet.timings import ModelTables, StreamTimings
from runner_svc.core.machine import Machine
from runner_svc.core.model.map import Map, map_key
from runner_svc.core.model.values import RUNNER, ExecutionId
from runner_svc.core.state import fold
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import (
    EarlierUnknown,
    ExecutionArchived,
    LeaseUnknown,
    MapUnloaded,
    NotInMemory,
    Overview,
)
from runner_svc.core.state.restore import restore
from runner_svc.listings import listed_of_all
from runner_svc.recovery.checkpoints import EXECUTIONS_A_TURN, Checkpoints
from runner_svc.recovery.damaged import (
    keep_request_of,
    log_bug,
    overview_of_damaged,
    overview_of_listed,
    pass_over,
    reason_of,
    restore_pruned,
)
from runner_svc.recovery.earlier import EarlierSearch
from runner_svc.recovery.in_turns import in_turns
from runner_svc.store.port import ListingQuery, Row, Store
from signoff.errors import StorageFailed
from signoff.v1 import checkpoint_pb2, execution_pb2, plan_pb2

log = structlog.get_logger(__name__)

PAGE = 10_000  # rows read at once
ROWS_A_TURN = 500  # read before the loop serves others; they take about 15 ms


class NotStored(Exception):
    """Something that the journal names is missing in a store that works otherwise."""


class Recovery:
    """Builds and keeps the state of one engine, over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._earlier = EarlierSearch(self._read)
        self.checkpoints = Checkpoints(store)

    # ------------------------------------------------------------ a start

    async def machine(
        self, timings: StreamTimings, tables: ModelTables, held_back: Mapping[ExecutionId, str] = MappingProxyType({})
    ) -> tuple[Machine, int]:
        """Returns the machine as the journal says, and the number of events read for it. Raises StorageFailed.

        `held_back`: executions to be quarantined in any case, and the reasons.
        """
        self.checkpoints.forget_all()
        machine = Machine(timings, tables)
        state = machine.state
        covered = position = await self._restore(state)
        lacked = await self._build_lacking(state, covered)
        heads = await self._store.heads([RUNNER, *state.executions, *state.archived, *state.quarantined])
        pruned = {known.id for known in state.archived.values() if known.pruned_at is not None}
        heads = {name: head for name, head in heads.items() if name not in pruned}  # those have no journal
        if lacked:
            heads = await self._without_strangers(state, heads)
        # guard: checkpoints ahead of their journal -> ahead = {name: head for name, head in heads.items() if False}
        ahead = {name: head for name, head in heads.items() if _sequence(state, name) > head}
        await self._mend(state, ahead)
        replayed = 0
        while True:
            rows, position = await self._store.everything(position, PAGE)
            if not rows:
                break
            for number, row in enumerate(rows, start=1):
                await self._replay(state, row)
                if not number % ROWS_A_TURN:
                    await asyncio.sleep(0)
            replayed += len(rows)
        await self._mend(state, {name: head for name, head in heads.items() if _sequence(state, name) < head})
        # guard: what was pruned to its artifacts keeps its place -> if lacked:
        # guard: what a checkpoint lacks keeps its place -> if pruned and not covered:
        if lacked or (pruned and not covered):
            await self._sort(state)
        for execution in held_back.keys() & (state.executions.keys() | state.archived.keys()):
            state.quarantine(state.overview(execution), held_back[execution])
        # guard: a false checkpoint is replaced at once -> if False:
        if ahead:  # later the journal would grow past it, and the false checkpoint would look true
            await self.checkpoints.take(state, lambda _: False)
        # guard: an older store gets its index -> (removed)
        await self._list(state)
        for live in state.executions.values():
            await self._earlier.offer_again(state, live)
        return machine, replayed

    async def _list(self, state: State) -> None:
        """Writes the index of executions in a store that an earlier version has written, or that has lost some rows.

        Of a quarantined execution nothing sure is known: then the index is written again at the next start.
        """
        # guard: the index gets what it lacks -> is_short = False
        is_short = await self._store.count_listed() != len([*state.created])
        if is_short or not await self._store.is_listed():
            listed = [each async for each in in_turns(listed_of_all(state), EXECUTIONS_A_TURN)]
            await self._store.list_anew(listed, is_whole=not state.quarantined)

    async def _restore(self, state: State) -> int:
        """Takes in the checkpoint. Returns the position in the journal that it covers; 0 when it cannot be read."""
        found = await self._store.checkpointed()
        try:
            runner = checkpoint_pb2.RunnerCheckpoint.FromString(found.runner)
            messages = [checkpoint_pb2.ExecutionCheckpoint.FromString(body) for body in found.executions]
            overviews = [overview_from_proto(message) for message in messages]
        except Exception as error:  # noqa: BLE001 - any bug: the journal has all of it
            log.error("checkpoint_unreadable", error=str(error))
            # guard: what was pruned to its artifacts outlives a checkpoint -> (removed)
            restore_pruned(state, found.executions)
            return 0
        restore_runner(state, runner)
        for overview, message in zip(overviews, messages, strict=True):
            if _is_known(state, overview.id):  # two rows tell of it
                continue
            state.restore(overview)
            if not message.settled:
                await self._build(state, overview)
        # guard: restart from the checkpoint ->
        #     state.__init__(state.roster.timings, state.roster.tables)
        #     return 0
        return found.position

    async def _build_lacking(self, state: State, covered: int) -> bool:
        """Builds the executions that the checkpoint should have and has not. Tells whether there were any."""
        # guard: a checkpoint is compared with the journals -> there = list[str]()
        there = await self._store.journals(covered) if covered else ()
        lacking = [ExecutionId(name) for name in there if name != RUNNER and not _is_known(state, name)]
        for name in lacking:
            log.error("checkpoint_lacks_execution", execution=name)
            state.restore(overview_of_listed(name, await self._store.listed_as(name), 0))
            await self._build(state, state.archived[name], from_checkpoint=False)
        return bool(lacking)

    async def _without_strangers(self, state: State, heads: Mapping[str, int]) -> Mapping[str, int]:
        """Forgets what the checkpoint has under ids of which the store knows nothing else: the ids are damaged."""
        strangers = {
            ExecutionId(name)
            for name, head in heads.items()
            if name != RUNNER and not head and await self._store.listed_as(name) is None
        }
        for name in strangers:
            log.error("checkpoint_of_no_execution", execution=name)
            state.quarantined.pop(name, None)
        # guard: a damaged id is no execution -> return heads
        state.remove(strangers)
        return {name: head for name, head in heads.items() if name not in strangers}

    async def _mend(self, state: State, contradicted: Mapping[str, int]) -> None:
        """Builds anew, from their journals alone, the executions that the checkpoint contradicts."""
        for name, head in contradicted.items():
            log.warning("checkpoint_contradicted", execution=name, checkpoint=_sequence(state, name), journal=head)
            if name == RUNNER:
                await self._replay_runner(state)
            elif name not in state.quarantined:
                await self._build(state, state.overview(name), from_checkpoint=False)

    async def _replay_runner(self, state: State) -> None:
        """Builds the layouts and request ids that belong to no execution from the runner's own journal alone."""
        state.forget_own()
        after = 0
        while rows := await self._store.read(RUNNER, after, PAGE):
            for row in rows:
                await self._replay(state, row)
            after = rows[-1].sequence

    async def _replay(self, state: State, row: Row) -> None:
        """Takes in a row. An execution that throws is quarantined; a row of the runner's own that throws is skipped."""
        execution = ExecutionId(row.journal)
        if execution in state.quarantined:
            return pass_over(state, row)
        try:
            await self._apply(state, execution, event_of(row))
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - the journals of all others are still good
            log_bug(execution, row.sequence, error)
            if execution == RUNNER:
                # guard: a row that was skipped is skipped again -> state.sequence = row.sequence
                state.sequence = max(state.sequence, row.sequence)
            else:
                # guard: an execution that cannot be replayed is quarantined -> raise
                listed = await self._store.listed_as(execution)
                state.quarantine(overview_of_damaged(state, execution, row, listed), reason_of(error))
                # guard: a command that cannot be replayed still counts once -> pass
                keep_request_of(state, row)
        return None

    async def _apply(self, state: State, execution: ExecutionId, message: execution_pb2.Event) -> None:
        if execution == RUNNER:
            if message.sequence > state.sequence:
                state.apply(entry_from_proto(execution, message, None))
            return None
        if message.WhichOneof("kind") == "execution_created":
            created = message.execution_created
            await self._map(state, map_key(created.plan_id, created.map_digest))
        elif execution in state.archived:
            await self.bring(state, ExecutionArchived(execution))
        known = state.executions.get(execution)
        if known is not None and message.sequence > known.sequence + 1:
            return await self._build(state, known.overview(), from_checkpoint=False)
        if known is None or message.sequence > known.sequence:
            state.apply(entry_from_proto(execution, message, known.map if known is not None else None))
        return None

    # ------------------------------------------------------------ one execution

    async def bring(self, state: State, absent: NotInMemory) -> None:
        """Brings in an execution or a map from the store. Raises StorageFailed."""
        if isinstance(absent, MapUnloaded):
            await self._bring_map(state, absent.key)
        elif isinstance(absent, ExecutionArchived) and absent.execution in state.archived:
            await self._bring_execution(state, absent.execution)
        elif isinstance(absent, LeaseUnknown) and absent.execution in state.archived:
            # guard: only leases that were given bring executions in -> if True:
            if await self._has_given(absent):
                await self._bring_execution(state, absent.execution)
        elif isinstance(absent, EarlierUnknown):
            found = await self._earlier.search(state, absent.plan_id, absent.before, with_parts=absent.with_parts)
            state.earlier[absent.before or absent.plan_id] = found

    async def _bring_execution(self, state: State, execution: ExecutionId) -> None:
        await self._build(state, state.archived[execution])
        if execution in state.executions:
            state.visitors[execution] = None

    async def _has_given(self, lease: LeaseUnknown) -> bool:
        """Tells whether an archived execution has given a lease, by the record of one task."""
        body = await self._store.checkpointed_task(lease.execution, lease.task)
        try:
            return body is not None and record_from_bytes(body).knows(lease.lease)
        except Exception:  # noqa: BLE001 - any bug: then the whole execution is built, and quarantined if it must be
            return True

    async def _bring_map(self, state: State, key: str) -> None:
        try:
            await self._map(state, key)
        except NotStored as lost:
            log.error("layout_lost", error=str(lost))
            state.forget_layouts(key)

    async def readmit(self, state: State, execution: ExecutionId) -> Execution | None:
        """Builds a quarantined execution anew. None: it threw again, and is quarantined with the new reason."""
        await self._build(state, state.quarantined[execution], from_checkpoint=False)
        built = state.executions.get(execution)
        if built is not None:
            await self._earlier.offer_again(state, built)
        return built

    async def _build(self, state: State, overview: Overview, *, from_checkpoint: bool = True) -> None:
        """Takes an execution into memory. Quarantines it when it cannot even be built from its journal."""
        try:
            if overview.pruned_at is not None or (from_checkpoint and overview.sequence):
                state.take_in(await self._from_checkpoint(state, overview))
            else:
                state.take_in(await self._from_journal(state, overview))
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - the other executions are still good
            log_bug(overview.id, overview.sequence, error)
            if overview.pruned_at is not None:
                state.quarantine(overview, reason_of(error))
            elif from_checkpoint:
                await self._build(state, overview, from_checkpoint=False)
            else:
                heads = await self._store.heads([overview.id])
                state.quarantine(replace(overview, sequence=heads[overview.id]), reason_of(error))
                await self._keep_requests(state, overview.id)

    async def _keep_requests(self, state: State, execution: ExecutionId) -> None:
        """Keeps the request ids of a quarantined execution, as far as its journal can be read."""
        after = 0
        while rows := await self._store.read(execution, after, PAGE):
            for number, row in enumerate(rows, start=1):
                keep_request_of(state, row)
                if not number % ROWS_A_TURN:
                    await asyncio.sleep(0)
            after = rows[-1].sequence

    async def _from_checkpoint(self, state: State, overview: Overview) -> Execution:
        execution = await self._read(state, overview)
        self.checkpoints.has_read(overview)
        return execution

    async def _read(self, state: State, overview: Overview) -> Execution:
        """Reads an execution as its checkpoint has it, and leaves the state as it is."""
        plan = await self._map(state, map_key(overview.plan_id, overview.map_digest))
        found = await self._store.checkpointed_tasks(overview.id)
        tasks = ((number, status_from_bytes(body), body) for number, body in found)
        return await asyncio.to_thread(restore, overview, plan, tasks, record_from_bytes)

    async def _from_journal(self, state: State, overview: Overview) -> Execution:
        """Builds an execution without its checkpoint. The next checkpoint will have all of it."""
        self.checkpoints.forget([overview.id])
        plan: Map | None = None
        execution: Execution | None = None
        while rows := await self._store.read(overview.id, execution.sequence if execution is not None else 0, PAGE):
            for number, row in enumerate(rows, start=1):
                if not number % ROWS_A_TURN:
                    await asyncio.sleep(0)
                message = event_of(row)
                if plan is None:
                    # guard: the journal alone names the plan -> named = overview
                    named = message.execution_created
                    plan = await self._map(state, map_key(named.plan_id, named.map_digest))
                entry = entry_from_proto(overview.id, message, plan)
                execution = execution or fold.created_by(entry, plan)
                fold.apply(execution, entry)
        if execution is None or plan is None:
            raise NotStored(f"expected the journal of execution {overview.id} in the store, but it has no events")
        kept = await self._store.checkpointed_tasks(overview.id)
        execution.changes.since_checkpoint.update(number for number, _ in kept if number < plan.task_count)
        return execution

    async def _sort(self, state: State) -> None:
        """Puts the executions in the order of the index: those without a journal were taken in before all others."""
        numbers: dict[ExecutionId, int] = {}
        query = ListingQuery(older=None, limit=PAGE)
        while rows := await self._store.listed(query):
            numbers |= {ExecutionId(journal): number for number, journal in rows}
            query = replace(query, older=rows[-1][0])
        state.created.sort(numbers)

    async def _map(self, state: State, key: str) -> Map:
        if key not in state.maps:
            parts = await self._store.map_parts(key)
            if parts is None:
                raise NotStored(f"expected map {key} in the store, but it is not there")
            state.maps[key] = await asyncio.to_thread(map_from_parts, map(plan_pb2.MapPart.FromString, parts))
        return state.maps[key]


def _is_known(state: State, name: str) -> bool:
    return any(name in known for known in (state.executions, state.archived, state.quarantined))


def _sequence(state: State, name: str) -> int:
    """Returns the sequence up to which the state has read a journal."""
    if name == RUNNER:
        return state.sequence
    execution = state.executions.get(ExecutionId(name))
    return state.overview(name).sequence if execution is None else execution.sequence
