"""Handles commands from clients. They are durable before they are answered, and change nothing when repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner_svc.core.decide.accounting import book
from runner_svc.core.decide.failures import BY_COMMAND, cancel_all, give_back, reject, roll_back, take_back
from runner_svc.core.decide.inputs import given_inputs
from runner_svc.core.decide.policy import add_downstream, in_order
from runner_svc.core.decide.reuse import may_be_offered, offer
from runner_svc.core.decide.turn import Steps, Turn
from runner_svc.core.model import events, signals
from runner_svc.core.model.selection import check_names
from runner_svc.core.model.states import ExecutionState
from runner_svc.core.model.values import (
    RUNNER,
    WHOLE,
    AcceptedRequest,
    CriterionResult,
    ExecutionId,
    OnFailure,
    Outcome,
    VerdictBy,
)
from runner_svc.core.spending.reservations import reserve_anew
from runner_svc.core.state.execution import Execution
from runner_svc.core.state.requests import SET_LAYOUT, START, check_same, command_of
from runner_svc.core.state.task_record import TaskRecord
from signoff.errors import CandidateChanged, ExecutionPruned, TaskNotFound, WrongState
from signoff.plan.glossary import PERSON_APPROVES


def set_layout(turn: Turn, signal: signals.SetLayout) -> None:
    request = AcceptedRequest(id=signal.request_id, execution=RUNNER, command=SET_LAYOUT, about=signal.map.plan_id)
    if _is_repeated(turn, request):
        return
    turn.state.maps.setdefault(signal.map.key, signal.map)
    event = events.LayoutSet(
        at=signal.at, request_id=signal.request_id, plan_id=signal.map.plan_id, map_digest=signal.map.digest
    )
    turn.record(events.Entry(RUNNER, turn.state.sequence + 1, event))


def start(turn: Turn, signal: signals.StartExecution) -> ExecutionId:
    known = turn.state.requests.get(signal.request_id)
    if known is not None:
        about = signal.plan_id or known.about
        check_same(known, AcceptedRequest(id=signal.request_id, execution=known.execution, command=START, about=about))
        return known.execution
    plan = turn.state.layout(signal.plan_id)
    check_names(plan, signal.settings)
    inputs, texts = given_inputs(plan, signal.inputs)
    on_failure = signal.settings.on_failure or plan.on_failure or OnFailure.CONTINUE
    created = events.ExecutionCreated(
        at=signal.at,
        request_id=signal.request_id,
        plan_id=plan.plan_id,
        map_digest=plan.digest,
        settings=replace(signal.settings, on_failure=on_failure),
        idea=plan.bound(inputs).idea,
        task_count=plan.task_count,
        currency=signal.currency,
        inputs=inputs,
    )
    for content, body in texts:
        turn.keep(content, body)
    turn.record(events.Entry(signal.execution, 1, created))
    execution = turn.state.executions[signal.execution]
    earlier = turn.state.earlier.get(plan.plan_id)
    if earlier is not None and signal.settings.reuse:
        offer(execution, earlier)
    turn.emit(execution, events.ExecutionStarted(at=signal.at, request_id=""))
    return execution.id


def command(turn: Turn, signal: signals.ExecutionCommand) -> ExecutionId:
    """Handles a command about an execution: once per request id, and noted even when it changes nothing."""
    name, about = command_of(signal)
    request = AcceptedRequest(id=signal.request_id, execution=signal.execution, command=name, about=about)
    # guard: a repeated command is answered in quarantine too ->
    #     is_repeated = bool(turn.state.execution(signal.execution)) and _is_repeated(turn, request)
    is_repeated = _is_repeated(turn, request)
    if is_repeated:
        return signal.execution
    execution = turn.state.execution(signal.execution)
    # guard: what was pruned to its artifacts stays as it is -> (removed)
    _refuse_pruned(execution)
    # guard: what goes on is offered earlier results -> earlier = None
    earlier = turn.state.earlier.get(execution.id)
    if earlier is not None and may_be_offered(execution):
        offer(execution, earlier)
    _COMMANDS[type(signal)](turn, execution, signal)
    turn.later.append(_note(turn, execution, signal))
    return execution.id


def _note(turn: Turn, execution: Execution, signal: signals.ExecutionCommand) -> Steps:
    """Notes a command whose id is in no event yet, as of one that has changed nothing."""
    if signal.request_id and signal.request_id not in turn.state.requests:
        name, _ = command_of(signal)
        turn.emit(execution, events.CommandNoted(at=signal.at, request_id=signal.request_id, command=name))
    yield


def _is_repeated(turn: Turn, request: AcceptedRequest) -> bool:
    """Tells whether the command was accepted before. Raises InvalidField when its id was used for another one."""
    # guard: world: request ids -> known = None
    known = turn.state.requests.get(request.id)
    if known is not None:
        check_same(known, request)
    return known is not None


def _refuse_pruned(execution: Execution) -> None:
    if execution.pruned_at is not None:
        raise ExecutionPruned(
            f"expected an execution that has its history, but {execution.id} of {execution.map.plan_id} was pruned to "
            "its artifacts: start the plan anew, which keeps the results that are still good"
        )


def _refuse_final(execution: Execution, change: str) -> None:
    if execution.state.is_final:
        raise WrongState(
            f"expected an execution that has not ended, but {execution.id} has {execution.state.label}: "
            f"it cannot be {change}; retry a task to run it again"
        )


def _pause(turn: Turn, execution: Execution, signal: signals.PauseExecution) -> None:
    _refuse_final(execution, "paused")
    if execution.state is ExecutionState.STOPPED:
        raise WrongState(f"expected a running execution, but {execution.id} is stopped: resume it instead")
    if execution.state is ExecutionState.RUNNING:
        event = events.ExecutionPaused(at=signal.at, request_id=signal.request_id, reason=signal.reason)
        turn.emit(execution, event)


def _resume(turn: Turn, execution: Execution, signal: signals.ResumeExecution) -> None:
    if execution.id in turn.state.readmitted:
        turn.state.readmitted.discard(execution.id)
        if execution.state.is_final:
            return  # it had ended before: now it can be read again, and nothing more
        # guard: workers that were told to stop do not hold leases -> (removed)
        turn.later.append(_give_back_stopped(turn, execution, signal.at))
    _refuse_final(execution, "resumed")
    if execution.state is not ExecutionState.RUNNING:
        turn.emit(execution, events.ExecutionResumed(at=signal.at, request_id=signal.request_id))
        _look_at_budgets_again(execution)
        turn.state.roster.outages.ask_now(signal.at)


def _give_back_stopped(turn: Turn, execution: Execution, at: float) -> Steps:
    """Ends the leases of connected workers: those that named them during the quarantine were told to stop."""
    roster = turn.state.roster
    for lease in roster.of_execution(execution):
        if lease.worker in roster.current:
            book(turn, lease, at)
            give_back(turn, lease, at, "its execution was in quarantine, and its worker was told to stop")
            yield


def _stop(turn: Turn, execution: Execution, signal: signals.StopExecution) -> None:
    _refuse_final(execution, "stopped")
    if execution.state is ExecutionState.STOPPED:
        return
    turn.later.append(_stop_all(turn, execution, signal))


def _stop_all(turn: Turn, execution: Execution, signal: signals.StopExecution) -> Steps:
    for lease in turn.state.roster.of_execution(execution):
        # guard: a stop takes leases back -> pass
        take_back(turn, lease, signal.at, "the execution was stopped")
        yield
    event = events.ExecutionStopped(at=signal.at, request_id=signal.request_id, reason=signal.reason)
    turn.emit(execution, event)


def _task(execution: Execution, task_id: str) -> int:
    task = execution.map.numbers.get(task_id)
    if task is None:
        raise TaskNotFound(f"expected an atomic task of {execution.map.plan_id}, but got {task_id!r}")
    return task


def _judge(turn: Turn, execution: Execution, signal: signals.JudgeTask) -> None:
    task = _task(execution, signal.task_id)
    if task not in execution.awaiting:
        status = execution.task_status(task).label
        raise WrongState(f"expected a task that waits for a person's verdict, but {signal.task_id} is {status}")
    record = execution.records[task]
    # guard: a person signs off what they saw -> (removed)
    _check_seen(record, signal)
    outcome = Outcome.PASS if signal.passes else Outcome.FAIL
    results = (*record.results, CriterionResult(criterion=PERSON_APPROVES, outcome=outcome, reason=signal.reason))
    by = VerdictBy(signal.person, is_person=True)
    if signal.passes:
        passed = events.VerdictPassed(
            at=signal.at,
            task=task,
            lease=BY_COMMAND,
            attempt=record.attempt,
            results=results,
            request_id=signal.request_id,
            by=by,
        )
        turn.emit(execution, passed)
    else:
        reject(turn, execution, task, results, signal.reason, at=signal.at, by=by, request_id=signal.request_id)


def _check_seen(record: TaskRecord, signal: signals.JudgeTask) -> None:
    """Raises CandidateChanged when the candidate that waits is not the one that the person saw."""
    waits = record.candidate
    assert waits is not None
    is_other = signal.digest not in ("", waits.digest) or signal.attempt not in (0, waits.attempt)
    if is_other:
        seen = f"attempt {signal.attempt}" if signal.attempt else f"digest {signal.digest}"
        raise CandidateChanged(
            f"expected the candidate of {seen} of {signal.task_id} to wait for a person's verdict, but the one that "
            f"waits is of attempt {waits.attempt}, with digest {waits.digest}: look at that one"
        )


def _set_budget(turn: Turn, execution: Execution, signal: signals.SetBudget) -> None:
    node = execution.map.node(signal.task_id) if signal.task_id else WHOLE
    if node is None:
        raise TaskNotFound(f"expected a task or a group of {execution.map.plan_id}, but got {signal.task_id!r}")
    event = events.BudgetSet(at=signal.at, request_id=signal.request_id, node=node, budget=signal.budget)
    turn.emit(execution, event)
    roster = turn.state.roster
    reserve_anew(execution, roster.of_execution(execution), roster.matching, roster.tables.prices)
    _look_at_budgets_again(execution)


def _look_at_budgets_again(execution: Execution) -> None:
    if execution.agenda.commitments is not None:
        execution.agenda.add_all(execution.agenda.commitments.let_all_go())


def _retry(turn: Turn, execution: Execution, signal: signals.RetryTask) -> None:
    task = _task(execution, signal.task_id)
    if not execution.is_wanted(task):
        raise WrongState(
            f"expected a task that {execution.id} was asked for, but it is to stop before {signal.task_id}: "
            f"start an execution without it"
        )
    turn.later.append(_retry_all(turn, execution, task, signal))


def _retry_all(turn: Turn, execution: Execution, task: int, signal: signals.RetryTask) -> Steps:
    found = {task}
    yield from add_downstream(execution, found)
    affected = in_order(execution, task, found)
    yield from cancel_all(turn, affected, execution, signal.at, f"{signal.task_id} is run again")
    turn.emit(execution, events.TaskRetried(at=signal.at, task=task, request_id=signal.request_id))
    yield from roll_back(turn, execution, affected[1:], cause=task, anew=frozenset(), at=signal.at)
    if execution.state.is_at_rest:
        turn.emit(execution, events.ExecutionResumed(at=signal.at, request_id=""))


_COMMANDS: dict[type[signals.ExecutionCommand], Callable[..., None]] = {
    signals.PauseExecution: _pause,
    signals.ResumeExecution: _resume,
    signals.StopExecution: _stop,
    signals.RetryTask: _retry,
    signals.JudgeTask: _judge,
    signals.SetBudget: _set_budget,
}
