"""Checkpoints: the state as of everything in the journal so far.

Only changes since the last one are written, so its cost grows with the work and not with the plan or the history. A
restart reads the checkpoint and the few events after it. An execution that has ended is archived once nothing is left
to do for it: its overview stays in memory, and the rest stays in the store until it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from runner_svc.codec.checkpoints import execution_to_proto, runner_to_proto, task_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import RUNNER, ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.recovery.in_turns import in_turns
from runner_svc.recovery.visitors import archive_visitors
from runner_svc.store.port import Checkpoint, Store

TASKS_A_TURN, EXECUTIONS_A_TURN = 500, 100  # written before the loop serves others; each takes about 15 ms


class AheadOfJournal(Exception):
    """A bug: the state is ahead of the journal. It must not be kept."""


class Checkpoints:
    """Takes the checkpoints of one engine, and knows what the last one has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken: dict[ExecutionId, int] = {}  # by execution in memory: its sequence in the checkpoint

    async def take(self, state: State, is_settled: Callable[[str], bool]) -> None:
        """Keeps all changes since the last checkpoint, and archives the executions that have ended and are settled.

        The loop serves others meanwhile, but the state does not change, because the engine waits for this. The state
        must be that of the journal, without decisions that are not durable. Raises StorageFailed or AheadOfJournal,
        with nothing changed.
        """
        live = list(state.executions.values())
        # guard: files before the archive -> settled = {execution.id for execution in live if execution.state.is_final}
        settled = {execution.id for execution in live if execution.state.is_final and is_settled(execution.map.plan_id)}
        settled |= {execution.id for execution in live if execution.pruned_at is not None}
        changed = [
            execution
            for execution in live
            if execution.id in settled or self._taken.get(execution.id) != execution.sequence
        ]
        # guard: nothing is kept that is not in the journal -> (removed)
        await self._check_durable(state, changed)
        executions = [body async for body in in_turns(_bodies(state, changed, settled), EXECUTIONS_A_TURN)]
        tasks = [task async for task in in_turns((task for ex in changed for task in _tasks(ex)), TASKS_A_TURN)]
        await self._store.checkpoint(
            Checkpoint(runner=runner_to_proto(state).SerializeToString(), executions=executions, tasks=tasks)
        )
        for execution in changed:
            execution.changes.since_checkpoint.clear()
            self._taken[execution.id] = execution.sequence
            if execution.id in settled:
                del self._taken[execution.id]
                state.archive(execution)
        state.unload_maps()

    def let_go(self, state: State, is_settled: Callable[[str], bool]) -> None:
        """Archives executions again that questions have brought in, as visitors.py says. Call it between turns."""
        gone = archive_visitors(state, self.has, is_settled)
        self.forget(gone)
        if gone:
            state.unload_maps()

    def has(self, execution: Execution) -> bool:
        """Tells whether the last checkpoint has all of an execution in memory."""
        return self._taken.get(execution.id) == execution.sequence

    def forget(self, gone: Iterable[ExecutionId]) -> None:
        """Forgets executions that have left the memory by another way than a checkpoint."""
        for execution in gone:
            self._taken.pop(execution, None)

    def has_read(self, overview: Overview) -> None:
        """Notes that an execution was taken into memory as the last checkpoint has it."""
        self._taken[overview.id] = overview.sequence

    def forget_all(self) -> None:
        """Forgets all executions: a new state is built."""
        self._taken.clear()

    async def _check_durable(self, state: State, changed: Sequence[Execution]) -> None:
        """Raises AheadOfJournal when the state is not that of the journal."""
        with_journals = [execution for execution in changed if execution.pruned_at is None]
        known = {RUNNER: state.sequence} | {execution.id: execution.sequence for execution in with_journals}
        heads = await self._store.heads(list(known))
        ahead = [f"{name or 'the runner'} at {sequence}" for name, sequence in known.items() if sequence != heads[name]]
        if ahead:
            raise AheadOfJournal(f"expected a state that is in the journal, but it has {', '.join(ahead[:5])}")


def _bodies(
    state: State, changed: Sequence[Execution], settled: Collection[ExecutionId]
) -> Iterator[tuple[str, bytes]]:
    """Yields the changed executions, and quarantined ones at sequence 0, so that a start reads their journals."""
    # guard: quarantine outlives checkpoints -> left_alone: list[Overview] = []
    left_alone = [replace(each, sequence=0) for each in state.quarantined.values() if each.pruned_at is None]
    together: list[Execution | Overview] = [*changed, *left_alone]
    # The store keeps them in the order in which they came first.
    # guard: executions are kept in the order of their creation -> (removed)
    together.sort(key=lambda known: state.created.rank(known.id))
    for known in together:
        overview = known if isinstance(known, Overview) else known.overview()
        yield overview.id, execution_to_proto(overview, settled=overview.id in settled).SerializeToString()


def _tasks(execution: Execution) -> Iterator[tuple[str, int, bytes]]:
    for task in sorted(execution.changes.since_checkpoint):
        message = task_to_proto(execution.status[task], execution.record(task))
        yield execution.id, task, message.SerializeToString()
