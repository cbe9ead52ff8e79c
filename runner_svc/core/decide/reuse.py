"""Keeps what earlier executions of the plan have signed off, where the work would be the same.

A task is looked up once, when it is ready: then the digests of its inputs are known, and with them its make key. It is
the same work when the key is the same, and a connected worker would do it with the same model, settings and code. Then
the result is the task's artifact, with its evidence; where it is to be judged by something else now, its candidate.
When a program names files, the worker that is given the task says whether they have changed.

A task that no connected worker could do is looked up again when a worker joins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from runner_svc.core.decide.housekeeping import tidy_up
from runner_svc.core.decide.inputs import Inputs, Omitted, input_digest, inputs_of, inputs_of_lease, make_parts
from runner_svc.core.decide.turn import Turn
from runner_svc.core.fleet.alike import Alike
from runner_svc.core.fleet.leases import LiveLease
from runner_svc.core.model import events
from runner_svc.core.model.earlier import EarlierResult, EarlierResults, LastResult
from runner_svc.core.model.keys import SpecParts, key_of
from runner_svc.core.model.map import Map
from runner_svc.core.model.selection import fresh_tasks
from runner_svc.core.model.states import DONE, UNDONE
from runner_svc.core.model.values import KeptFrom, Phase, Role, Settings
from runner_svc.core.state.agenda import Offered
from runner_svc.core.state.execution import Execution

LOOK_UPS_A_TURN = 200  # 10 to 15 ms

# ---------------------------------------------------------------- what there is


def collect(execution: Execution, into: EarlierResults) -> Iterator[None]:
    """Adds the artifacts of an execution to those of newer ones, step by step, a task a step."""
    plan = execution.map
    for task in [task for task in execution.records if execution.status[task] == DONE]:
        record = execution.records[task]
        if record.artifact is not None:
            spec = plan.parts(task)
            made = make_parts(plan, spec, *inputs_of(execution, task))
            at = record.artifact.signed_off_at or record.changed_at
            origin = record.artifact.kept_from or KeptFrom(
                execution=execution.id, attempt=record.artifact.attempt, signed_off_at=at
            )
            content = replace(record.artifact, kept_from=replace(origin, signed_off_at=at), signed_off_at=at)
            result = EarlierResult(
                content=content, results=record.results, judged_by=record.judged_by, sign_off_key=key_of(spec.sign_off)
            )
            into.by_make_key.setdefault(key_of(made), result)
            if into.last is not None:
                last = LastResult(execution=execution.id, make=made, sign_off=spec.sign_off, result=result)
                into.last.setdefault(plan.name(task), last)
        yield


def may_be_offered(execution: Execution) -> bool:
    """Tells whether an execution may keep earlier results and has not been given any."""
    return execution.settings.reuse and execution.agenda.offered is None and execution.counts[UNDONE] > 0


def offer(execution: Execution, earlier: EarlierResults) -> None:
    """Gives an execution the earlier results that it may keep. All its tasks that are ready are looked up anew."""
    fresh = fresh_tasks(execution.map, execution.settings)
    execution.agenda.offered = Offered(by_make_key=earlier.by_make_key, fresh=fresh)
    execution.agenda.unseen = [task for task, left in enumerate(execution.waiting) if not left]


# ---------------------------------------------------------------- what is kept


def keep_earlier(turn: Turn, execution: Execution, at: float) -> bool:
    """Looks up tasks that have become ready, as many as fit a turn. Returns True when all were looked up."""
    agenda = execution.agenda
    if agenda.offered is not None and not agenda.offered.by_make_key:
        agenda.unseen.clear()  # nothing is there to be kept, as in the first execution of a plan
    # guard: a turn looks up a bounded number of tasks -> for _ in range(len(agenda.unseen)):
    for _ in range(LOOK_UPS_A_TURN):
        if not agenda.unseen:
            return True
        task = agenda.unseen.pop()
        if execution.is_ready(task, at):
            _look_up(turn, execution, task, at)
    return not agenda.unseen


def look_again(execution: Execution) -> None:
    """Has the tasks looked up again that no worker could do, because one has joined."""
    agenda = execution.agenda
    agenda.unseen += agenda.unseen_by_workers
    agenda.unseen_by_workers.clear()


def _look_up(turn: Turn, execution: Execution, task: int, at: float) -> None:
    offered = execution.agenda.offered
    record = execution.record(task)
    # guard: what was begun is not looked up again -> if offered is None or task in offered.fresh:
    if offered is None or task in offered.fresh or record.attempt or record.is_fresh:
        return
    given = inputs_of(execution, task)
    spec = execution.map.parts(task)
    found = offered.by_make_key.get(_make_key(execution, spec, given))
    if found is None:
        return
    # guard: a worker looks at the files of programs -> if False:
    if spec.runs_files[0]:
        execution.agenda.if_unchanged.setdefault(task, True)  # its worker looks at them
        return
    alike = turn.state.roster.matching.alike
    if not any(alike.can_do(requirement) for requirement in execution.map.requirements_of(task).executors):
        execution.agenda.unseen_by_workers.append(task)
    # guard: the maker is compared -> else:
    elif is_made_alike(alike, execution.map, execution.settings, task, found):
        _keep(turn, execution, task, found, spec, given, at)


def _make_key(execution: Execution, spec: SpecParts, given: tuple[Inputs, Omitted]) -> str:
    return key_of(make_parts(execution.map, spec, *given))


def to_compare_with(lease: LiveLease) -> EarlierResult | None:
    """Returns the earlier result that the worker of a first attempt is to compare itself with; None: there is none.

    It is looked up for each lease, because a task's inputs may change between two.
    """
    execution, task = lease.execution, lease.task
    record, offered = execution.record(task), execution.agenda.offered
    is_first = lease.phase is Phase.EXECUTE and record.attempt == 1 and not record.is_fresh
    if offered is None or not is_first or not execution.agenda.if_unchanged.get(task):
        return None
    return offered.by_make_key.get(_make_key(execution, execution.map.parts(task), inputs_of_lease(lease)))


def keep_unchanged(turn: Turn, lease: LiveLease, found: EarlierResult | None, maker: str, at: float) -> bool:
    """Keeps the earlier result that the worker of a lease was to compare itself with, if it has the same maker.

    Returns True when it does.
    """
    execution, task = lease.execution, lease.task
    execution.agenda.if_unchanged[task] = False
    # guard: what is unchanged is what was asked about -> if found is not None:
    if found is not None and found.content.maker == maker:
        _keep(turn, execution, task, found, execution.map.parts(task), inputs_of_lease(lease), at)
        return True
    return False


def _keep(
    turn: Turn,
    execution: Execution,
    task: int,
    found: EarlierResult,
    spec: SpecParts,
    given: tuple[Inputs, Omitted],
    at: float,
) -> None:
    digest = input_digest(execution.map.spec_digest(task), given[0])
    content = replace(found.content, attempt=1, input_digest=digest)
    # guard: other criteria judge again -> if True:
    if is_judged_alike(turn.state.roster.matching.alike, execution.map, execution.settings, task, found, spec):
        turn.emit(
            execution,
            events.ArtifactReused(at=at, task=task, content=content, results=found.results, judged_by=found.judged_by),
        )
    else:
        unsigned = replace(content, signed_off_by=None, signed_off_at=0.0)
        turn.emit(execution, events.CandidateReused(at=at, task=task, content=unsigned))
    tidy_up(turn, at)


def is_made_alike(alike: Alike, plan: Map, settings: Settings, task: int, found: EarlierResult) -> bool:
    """Tells whether a connected worker would do the work as it was done, with a model that the task may be given."""
    return any(
        alike.would_make(requirement, found.content, prompts_count=settings.fresh_prompts)
        for requirement in plan.requirements_of(task).executors
    )


def is_judged_alike(
    alike: Alike, plan: Map, settings: Settings, task: int, found: EarlierResult, spec: SpecParts
) -> bool:
    """Tells whether the evidence still stands: it was judged by the same, and as connected workers would judge it."""
    if key_of(spec.sign_off) != found.sign_off_key or spec.runs_files[1] or not found.results:
        return False
    requirement = plan.requirements_of(task).requirement(Role.VALIDATOR, 0)
    return alike.would_judge(requirement, found.judged_by, prompts_count=settings.fresh_prompts)
