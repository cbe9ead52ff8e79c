"""Between the state and the store: builds the state at a start, takes checkpoints, brings back what was archived.

A checkpoint is the state as of everything in the journal so far. Only what has changed since the last one is written,
so that its cost grows with the work and not with the plan or the history; and a restart reads the checkpoint and the
few events after it. An execution that has ended, and for which nothing is left to do, stays in the store then, with
its overview in memory, until somebody asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import TypeVar

from runner_svc.codec.checkpoints import (
    execution_to_proto,
    overview_from_proto,
    record_from_bytes,
    restore_runner,
    runner_to_proto,
    status_from_bytes,
    task_to_proto,
)
from runner_svc.codec.journal import entry_from_proto
from runner_svc.codec.maps import map_from_parts
from runner_svc.core.execution import Execution
from runner_svc.core.machine import Machine
from runner_svc.core.overview import ExecutionArchived, MapUnloaded, NotInMemory
from runner_svc.core.plan import Map, map_key
from runner_svc.core.restoring import restored
from runner_svc.core.roster import Timings
from runner_svc.core.turn import State
from runner_svc.core.values import ExecutionId
from runner_svc.store.port import Checkpoint, Row, Store
from signoff.errors import StorageFailed
from signoff.v1 import checkpoint_pb2, execution_pb2, plan_pb2

PAGE = 10_000  # rows read at once
#: What is done in one turn of the loop: 15 ms.
ROWS_A_TURN, TASKS_A_TURN, EXECUTIONS_A_TURN = 500, 500, 100

T = TypeVar("T")


class Recovery:
    """Over one store, for one engine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken: dict[ExecutionId, int] = {}  # the sequence that the checkpoint has of each execution in memory

    # ------------------------------------------------------------ a start

    async def machine(self, timings: Timings) -> tuple[Machine, int]:
        """The machine as the journal says, and how many events had to be read for it. Raises StorageFailed."""
        self._taken.clear()
        machine = Machine(timings)
        position = await self._restore(machine.state)
        replayed = 0
        while True:
            rows, position = await self._store.everything(position, PAGE)
            if not rows:
                return machine, replayed
            for number, row in enumerate(rows, start=1):
                await self._replay(machine.state, row)
                if not number % ROWS_A_TURN:
                    await asyncio.sleep(0)
            replayed += len(rows)

    async def _restore(self, state: State) -> int:
        """Takes in the checkpoint; returns the position in the journal that it covers."""
        found = await self._store.checkpointed()
        restore_runner(state, checkpoint_pb2.RunnerCheckpoint.FromString(found.runner))
        for body in found.executions:
            message = checkpoint_pb2.ExecutionCheckpoint.FromString(body)
            overview = overview_from_proto(message)
            state.restore(overview)
            if not message.settled:
                await self.bring(state, ExecutionArchived(overview.id))
        return found.position

    async def _replay(self, state: State, row: Row) -> None:
        execution = ExecutionId(row.journal)
        message = execution_pb2.Event.FromString(row.body)
        if message.WhichOneof("kind") == "execution_created":
            created = message.execution_created
            await self._map(state, map_key(created.plan_id, created.map_digest))
        elif execution in state.archived:
            await self.bring(state, ExecutionArchived(execution))
        plan = state.executions[execution].map if execution in state.executions else None
        state.apply(entry_from_proto(execution, message, plan))

    # ------------------------------------------------------------ what is not in memory

    async def bring(self, state: State, absent: NotInMemory) -> None:
        """Brings something in from the store. Raises StorageFailed."""
        if isinstance(absent, MapUnloaded):
            await self._map(state, absent.key)
        elif isinstance(absent, ExecutionArchived) and absent.execution in state.archived:
            state.unarchive(await self._execution(state, absent.execution))

    async def _execution(self, state: State, execution: ExecutionId) -> Execution:
        overview = state.archived[execution]
        plan = await self._map(state, map_key(overview.plan_id, overview.map_digest))
        found = await self._store.checkpointed_tasks(execution)
        tasks = ((number, status_from_bytes(body), body) for number, body in found)
        self._taken[execution] = overview.sequence
        return await asyncio.to_thread(restored, overview, plan, tasks, record_from_bytes)

    async def _map(self, state: State, key: str) -> Map:
        if key not in state.maps:
            parts = await self._store.map_parts(key)
            if parts is None:
                raise StorageFailed(f"expected map {key} in the store, but it is not there")
            state.maps[key] = await asyncio.to_thread(map_from_parts, map(plan_pb2.MapPart.FromString, parts))
        return state.maps[key]

    # ------------------------------------------------------------ checkpoints

    async def checkpoint(self, state: State, is_settled: Callable[[str], bool]) -> None:
        """Keeps what has changed since the last checkpoint, and archives what has ended and is settled.

        Others of the loop have their turns meanwhile, and none of them changes the state: the engine waits for this.
        The state must be that of the journal: nothing decided that is not durable. Raises StorageFailed, with nothing
        changed.
        """
        live = list(state.executions.values())
        settled = {execution.id for execution in live if execution.state.is_final and is_settled(execution.map.plan_id)}
        changed = [
            execution
            for execution in live
            if execution.id in settled or self._taken.get(execution.id) != execution.sequence
        ]
        bodies = (_body(execution, execution.id in settled) for execution in changed)
        executions = [body async for body in _in_turns(bodies, EXECUTIONS_A_TURN)]
        tasks = [task async for task in _in_turns((task for ex in changed for task in _tasks(ex)), TASKS_A_TURN)]
        await self._store.checkpoint(
            Checkpoint(runner=runner_to_proto(state).SerializeToString(), executions=executions, tasks=tasks)
        )
        for execution in changed:
            execution.changed.clear()
            self._taken[execution.id] = execution.sequence
            if execution.id in settled:
                del self._taken[execution.id]
                state.archive(execution)
        state.unload_maps()


async def _in_turns(items: Iterable[T], many: int) -> AsyncIterator[T]:
    """Gives others of the loop their turn after so many items."""
    for number, item in enumerate(items, start=1):
        yield item
        if not number % many:
            await asyncio.sleep(0)


def _body(execution: Execution, settled: bool) -> tuple[ExecutionId, bytes]:
    return execution.id, execution_to_proto(execution.overview(), settled=settled).SerializeToString()


def _tasks(execution: Execution) -> Iterator[tuple[str, int, bytes]]:
    for task in sorted(execution.changed):
        message = task_to_proto(execution.status[task], execution.records[task])
        yield execution.id, task, message.SerializeToString()
