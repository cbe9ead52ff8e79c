"""One execution with a page of its tasks, as GetExecution tells it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import TypeAlias

from runner_svc.codec.views import overview_to_proto, tasks_for_one_turn, tasks_to_proto
from runner_svc.core.decide.turn import State
from runner_svc.core.model.states import DONE
from runner_svc.core.model.values import ExecutionId
from runner_svc.core.state.execution import Execution
from runner_svc.publish.output_files import FilesOfPlan
from runner_svc.services.pages import fitting, page_size, page_start
from signoff.bounds import bounds_of
from signoff.errors import TaskNotFound
from signoff.v1 import execution_pb2, runner_pb2

TASKS_A_PAGE, MOST_TASKS = 1000, int(bounds_of(runner_pb2.GetExecutionRequest, "page_size").max)

TellFiles: TypeAlias = Callable[[str], FilesOfPlan]  # how far the files for people of a plan are
Describer: TypeAlias = Callable[[State, ExecutionId], runner_pb2.GetExecutionResponse]


def describer(request: runner_pb2.GetExecutionRequest, at: float, files_of_plan: TellFiles | None) -> Describer:
    """Returns a function that answers a request. Raises InvalidField for a token that no page returned."""
    size = page_size(request.page_size, TASKS_A_PAGE, MOST_TASKS)
    start = page_start(request.page_token)

    def describe(state: State, known: ExecutionId) -> runner_pb2.GetExecutionResponse:
        overview = overview_to_proto(state.overview(known))
        answer = runner_pb2.GetExecutionResponse(
            execution=overview, output_files=_files_of(state, overview, files_of_plan)
        )
        is_known = overview.state != execution_pb2.EXECUTION_STATE_QUARANTINED
        if request.tasks == runner_pb2.TASK_SELECTION_UNSPECIFIED or not is_known:
            return answer
        execution = state.execution(known)
        # The token is the number of the next task: the tasks before it may be finished until it is asked for.
        selected = itertools.islice(_selected(execution, request, start), size + 1)
        page = [*tasks_for_one_turn(execution, selected)]
        answer.tasks.extend(fitting(tasks_to_proto(state, execution, page[:size], at)))
        answer.next_page_token = str(next(itertools.chain(page[len(answer.tasks) :], selected), ""))
        return answer

    return describe


def _files_of(
    state: State, of: execution_pb2.Execution, files_of_plan: TellFiles | None
) -> runner_pb2.OutputFiles | None:
    """Returns how far the results of an execution are written as files; None: a newer one owns the files."""
    if files_of_plan is None or state.created.newest.get(of.plan_id) != of.execution_id:
        return None
    found = files_of_plan(of.plan_id)
    return runner_pb2.OutputFiles(pending=found.pending, failed=found.failed)


def _selected(execution: Execution, request: runner_pb2.GetExecutionRequest, start: int) -> Iterator[int]:
    """Returns the requested tasks from number `start` on, in natural order."""
    if request.tasks == runner_pb2.TASK_SELECTION_NAMED:
        named = sorted({task_named(execution, task_id) for task_id in request.task_ids})
        return (task for task in named if task >= start)
    everything = range(start, execution.map.task_count)
    if request.tasks == runner_pb2.TASK_SELECTION_UNFINISHED:
        return (task for task in everything if execution.status[task] != DONE)
    return iter(everything if request.tasks == runner_pb2.TASK_SELECTION_ALL else ())


def task_named(execution: Execution, task_id: str) -> int:
    task = execution.map.numbers.get(task_id)
    if task is None:
        raise TaskNotFound(f"expected an atomic task of {execution.map.plan_id}, but got {task_id!r}")
    return task
