"""Executions that questions have brought in from the archive: the last few stay in memory, and the others leave."""

from __future__ import annotations

from collections.abc import Callable

from runner_svc.core.decide.turn import State
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution

#: Those that stay until others are brought in, and their tasks together. A task takes about 2 KB.
MOST_VISITORS, MOST_TASKS = 100, 20_000


def archive_visitors(
    state: State, has_kept: Callable[[Execution], bool], is_settled: Callable[[str], bool]
) -> list[ExecutionId]:
    """Archives those again that are too many, and returns them. The one that was used longest ago leaves first.

    One that has changed since waits for a checkpoint, as any other execution does.
    """
    visitors = [state.executions[visitor] for visitor in state.visitors]
    tasks, gone = sum(execution.map.task_count for execution in visitors), list[ExecutionId]()
    for execution in visitors[:-1]:
        # guard: what was brought in leaves again -> if True:
        if len(state.visitors) <= MOST_VISITORS and tasks <= MOST_TASKS:
            break
        # guard: what has changed waits for a checkpoint -> if False:
        if not (execution.state.is_final and has_kept(execution)):
            del state.visitors[execution.id]
        elif is_settled(execution.map.plan_id):
            state.archive(execution)
            gone.append(execution.id)
        else:
            continue
        tasks -= execution.map.task_count
    return gone
