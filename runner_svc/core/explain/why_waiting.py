"""Explains why a task is not finished: the answer to "what does it wait for?"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from functools import cached_property

from runner_svc.core.decide.assign import expected_costs, is_backlogged
from runner_svc.core.decide.turn import State
from runner_svc.core.model.requirements import Requirement
from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import Content, Role
from runner_svc.core.state.execution import Execution

MAX_NAMED = 20  # dependencies that an answer names


@unique
class WaitingFor(IntEnum):
    """The kinds of reasons; the numbers are those of WaitingFor in execution.proto."""

    DEPENDENCIES = 1
    EXECUTOR = 2
    VALIDATOR = 3
    CANDIDATE = 4
    VERDICT = 5
    RETRY_TIME = 6
    START = 7
    RESUME = 8
    FAILED_DEPENDENCY = 9
    RETRY_COMMAND = 10
    BACKLOG = 11
    JUDGE = 12
    CAPABLE_WORKER = 13
    PERSON = 14
    BUDGET = 15
    RATE = 16
    MODEL = 17
    NOTHING_ASKED = 18


@dataclass(frozen=True, slots=True)
class Waiting:
    """The reason why a task is not finished."""

    what: WaitingFor
    message: str  #: one sentence for a person
    nodes: tuple[int, ...] = ()  #: tasks and groups that are waited for
    until: float | None = None


def waiting_of(state: State, execution: Execution, task: int, at: float) -> Waiting | None:
    """Returns the reason why a task is not finished; None when it is done."""
    return Reasons(state, execution, at).of(task)


class Reasons:
    """The reasons why tasks of one execution are not finished, at one moment. Common reasons are found once."""

    def __init__(self, state: State, execution: Execution, at: float) -> None:
        self._state = state
        self._execution = execution
        self._at = at
        self._workers_wanted: dict[Requirement, Waiting] = {}

    def of(self, task: int) -> Waiting | None:
        """Returns the reason why a task is not finished; None when it is done."""
        reason = _own_reason(self._execution, task, self._at)
        if reason is _A_BUDGET:
            return self._budget(task)
        if reason is _OTHER_TASKS:
            return self._dependencies(task)
        return self._worker(task) if reason is _A_WORKER else reason

    def _worker(self, task: int) -> Waiting:
        requirement = self._execution.requirement(task, self._execution.next_phase(task).role)
        if requirement not in self._workers_wanted:
            self._workers_wanted[requirement] = _worker_wanted(self._state, requirement, self._at)
        return self._workers_wanted[requirement]

    def _budget(self, task: int) -> Waiting:
        commitments = self._execution.agenda.commitments
        assert commitments is not None
        held = commitments.held[task]
        expected = expected_costs(self._state, commitments)(held.size)
        is_first_out = commitments.is_first_out(held.size.kind, expected)
        is_about_to_go = commitments.refusing(task, expected) is None and not is_first_out
        reason = "it is about to be given out" if is_about_to_go else commitments.why(held, expected)
        return Waiting(WaitingFor.BUDGET, f"it waits for a budget: {reason}")

    def _dependencies(self, task: int) -> Waiting:
        plan = self._execution.map
        missing = sorted(node for node in plan.waits_for[task] if not _is_done(self._execution, node))
        failed = sorted({task for node in missing for task in self._failed.get(node, ())}) if self._failed else []
        if failed:
            causes = ", ".join(plan.name(task) for task in failed[:MAX_NAMED])
            return Waiting(
                WaitingFor.FAILED_DEPENDENCY, f"it waits for {causes}, which failed for good", tuple(missing)
            )
        if self._execution.state is ExecutionState.FAILED:
            return _not_running(self._execution)
        names = ", ".join(plan.name(node) for node in missing[:MAX_NAMED])
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        return Waiting(WaitingFor.DEPENDENCIES, f"it waits for {names}{more}", tuple(missing))

    @cached_property
    def _failed(self) -> dict[int, list[int]]:
        """Returns, by node, the first tasks in it that failed for good: as many as an answer names."""
        failed: dict[int, list[int]] = {}
        for task in sorted(self._execution.failed):
            for node in self._execution.map.with_groups(task):
                tasks = failed.setdefault(node, [])
                if len(tasks) < MAX_NAMED:
                    tasks.append(task)
        return failed


#: Reasons that need more than the task's own state: `Reasons` replaces them by full ones.
_OTHER_TASKS = Waiting(WaitingFor.DEPENDENCIES, "it waits for other tasks")
_A_WORKER = Waiting(WaitingFor.EXECUTOR, "it waits for a worker")
_A_BUDGET = Waiting(WaitingFor.BUDGET, "it waits for a budget")


def _own_reason(execution: Execution, task: int, at: float) -> Waiting | None:
    """Returns the reason, as far as the task's own state says."""
    status = execution.task_status(task)
    record = execution.record(task)
    if status == DONE:
        return None
    if status == DOING:
        return Waiting(WaitingFor.CANDIDATE, f"{_worker(execution, task)} is working on attempt {record.attempt}")
    if record.given_up:
        return _given_up(execution, task)
    if not execution.is_wanted(task):
        return Waiting(WaitingFor.NOTHING_ASKED, "this execution was asked for other tasks alone")
    if status == UNDONE and execution.waiting[task]:
        return _OTHER_TASKS
    if status == VALIDATING and record.lease is not None:
        return Waiting(
            WaitingFor.VERDICT, f"{_worker(execution, task)} is judging the candidate of attempt {record.attempt}"
        )
    if record.awaits_person:
        message = f"a person is to approve or reject the candidate of attempt {record.attempt}"
        return Waiting(WaitingFor.PERSON, message + _unread(record.candidate))
    if execution.state is not ExecutionState.RUNNING:
        return _not_running(execution)
    if record.retry_at > at:
        message = f"it is tried again in {record.retry_at - at:.1f} s; the last time: {record.last_failure}"
        return Waiting(WaitingFor.RETRY_TIME, message, until=record.retry_at)
    if execution.agenda.commitments is not None and task in execution.agenda.commitments.held:
        return _A_BUDGET
    return _A_WORKER


def _unread(candidate: Content | None) -> str:
    """Returns a remark for the person about a candidate whose model was not shown all inputs."""
    if candidate is None or candidate.unread is None:
        return ""
    unread = candidate.unread
    parts = [f"only the beginning of {unread.cut:,}"] if unread.cut else []
    parts += [f"nothing of {unread.left_out:,}"] if unread.left_out else []
    return f"; of {unread.inputs:,} inputs its model was shown {' and '.join(parts)}"


def _worker(execution: Execution, task: int) -> str:
    lease = execution.record(task).lease
    return lease.worker if lease else "a worker"


def _given_up(execution: Execution, task: int) -> Waiting:
    record = execution.record(task)
    if execution.task_status(task) == VALIDATING:
        message = f"no judge could answer, the last time: {record.last_failure}; resume the execution to offer it again"
        return Waiting(WaitingFor.JUDGE, message)
    return Waiting(WaitingFor.RETRY_COMMAND, f"it failed for good: {record.last_failure}; retry it to go on")


def _is_done(execution: Execution, node: int) -> bool:
    if node < execution.map.task_count:
        return execution.status[node] == DONE
    return not execution.unfinished[node]


def _not_running(execution: Execution) -> Waiting:
    if execution.state is ExecutionState.READY:
        return Waiting(WaitingFor.START, "the execution was not started")
    if execution.state is ExecutionState.FAILED:
        failed = tuple(sorted(execution.failed)[:MAX_NAMED])
        names = ", ".join(map(execution.map.name, failed))
        message = f"the execution has failed: {execution.reason}; retry {names} to go on"
        return Waiting(WaitingFor.FAILED_DEPENDENCY, message, failed)
    reason = f": {execution.reason}" if execution.reason else ""
    return Waiting(WaitingFor.RESUME, f"the execution is {execution.state.label}{reason}; resume it to go on")


def _worker_wanted(state: State, requirement: Requirement, at: float) -> Waiting:
    role = requirement.role
    if role is Role.EXECUTOR and is_backlogged(state):
        return Waiting(WaitingFor.BACKLOG, "executors wait until validators have judged what lies before them")
    what = WaitingFor.EXECUTOR if role is Role.EXECUTOR else WaitingFor.VALIDATOR
    name = role.name.lower()
    slots = state.roster.slots(role)
    if not slots:
        return Waiting(what, f"it waits for a free {name}, and no {name} is connected")
    if not state.roster.can_do(requirement):
        return Waiting(WaitingFor.CAPABLE_WORKER, no_worker_can(requirement))
    away = state.roster.matching.away(requirement)
    if away is not None:
        return Waiting(WaitingFor.MODEL, away.in_words(at), until=away.next_try)
    limiter = state.roster.matching.closed_limiter(requirement, at)
    if limiter is not None:
        opens_at = limiter.opens_at(at)
        message = f"it waits for the rate limit of {limiter.model}: its turn comes in {opens_at - at:.1f} s"
        return Waiting(WaitingFor.RATE, message, until=opens_at)
    if resting := state.roster.resting(requirement):
        until = min(state.roster.rests.until(worker, at) or at for worker in resting)
        message = f"it waits for a free {name}: {len(resting)} gave work back again and again, and get none for a while"
        return Waiting(what, message, until=until)
    return Waiting(what, f"it waits for a free {name}: all {slots} slots are taken")


def no_worker_can(requirement: Requirement) -> str:
    """Says which requirement no connected worker meets."""
    return f"no {requirement.role.name.lower()} that is connected has what it asks for: {requirement.in_words()}"
