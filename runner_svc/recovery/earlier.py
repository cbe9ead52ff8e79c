"""The search for what earlier executions of a plan have signed off: in memory, or in their checkpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from runner_svc.core.decide.reuse import collect, may_be_offered, offer
from runner_svc.core.decide.turn import State
from runner_svc.core.model.earlier import EarlierResults
from runner_svc.core.model.states import DONE, ExecutionState
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.overview import Overview
from runner_svc.recovery.in_turns import in_turns
from signoff.errors import StorageFailed

log = structlog.get_logger(__name__)

COLLECTED_A_TURN = 100  # results of earlier executions: 5 to 10 ms
MOST_EARLIER = 20  # executions of a plan whose results a later one may keep
FEW_RESULTS = 1_000  # of which more than two executions are looked through

#: Reads an execution as its checkpoint has it, and leaves the state as it is.
Read = Callable[[State, Overview], Awaitable[Execution]]


class EarlierSearch:
    """Searches the executions of a plan, with a function that reads those that are not in memory."""

    def __init__(self, read: Read) -> None:
        self._read = read

    async def offer_again(self, state: State, execution: Execution) -> None:
        """Gives a running execution back what it may keep of earlier ones: a restart forgets it.

        One that is paused or at rest gets it when it goes on: there may be thousands of them.
        """
        if execution.state is ExecutionState.RUNNING and may_be_offered(execution):
            offer(execution, await self.search(state, execution.map.plan_id, before=execution.id))

    async def search(
        self, state: State, plan_id: str, before: ExecutionId | None = None, *, with_parts: bool = False
    ) -> EarlierResults:
        """Collects what executions of a plan have signed off, the newest first. Raises StorageFailed.

        It looks at as many executions as have some results for each of their tasks, so that a start takes about as
        long as a restart. One that cannot be read is passed over: then what it made is made again.
        """
        found, looked_at = EarlierResults(last={} if with_parts else None), 0
        names = state.created.of_plan.get(plan_id, [])
        older = names[: names.index(before)] if before is not None else names
        for name in reversed(older[-MOST_EARLIER:]):
            if name in state.quarantined or not state.overview(name).counts[DONE]:
                continue
            try:
                execution = state.executions.get(name) or await self._read(state, state.archived[name])
                async for _ in in_turns(collect(execution, found), COLLECTED_A_TURN):
                    pass
            except StorageFailed:
                raise
            except Exception as error:
                log.error("earlier_results_unreadable", execution=name, exc_info=error)
                continue
            looked_at += execution.counts[DONE]
            if looked_at >= max(FEW_RESULTS, 2 * execution.map.task_count):
                break
        return found
