"""Invariants of the machine, which must hold after every turn (design: "A task's life", "What is promised")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from runner_svc.codec.journal.entries import entry_from_proto, event_to_proto
from runner_svc.core.decide.assign import expected_costs, is_backlogged
from runner_svc.core.decide.inputs import input_digest, inputs_of
from runner_svc.core.decide.turn import State
from runner_svc.core.explain.why_waiting import waiting_of
from runner_svc.core.machine import Machine
from runner_svc.core.model import events
from runner_svc.core.model.map import NO_PARENT, Map, map_key
from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.usage import NOTHING
from runner_svc.core.model.values import RUNNER, WHOLE, ExecutionId, Phase, Role
from runner_svc.core.spending.commitments import Reservation
from runner_svc.core.state.execution import Execution
from signoff.v1 import execution_pb2


def check(machine: Machine, entries: Sequence[events.Entry], at: float) -> None:
    """Raises AssertionError for the first broken promise."""
    check_state(machine.state, at)
    check_history(machine.state, entries)


def check_state(state: State, at: float, changed: Iterable[ExecutionId] | None = None) -> None:
    """Checks the state alone. `changed`: the executions with events since the last check; None: all."""
    for name in state.executions if changed is None else changed:
        execution = state.executions[name]
        _counters(execution)
        _dependencies(execution)
        _leases(state, execution)
        _artifacts(execution)
        _end(state, execution, at)
        _put_off(execution, at)
        _outages(state, execution)
        _held(state, execution, at)
        _costs(execution)
    _nothing_stands_idle(state, at)


def check_history(state: State, entries: Sequence[events.Entry], maps: Mapping[str, Map] | None = None) -> None:
    """Checks the state against the whole journal. `maps`, by key, are for states that may have unloaded some."""
    _one_commit_per_attempt(entries)
    _replay_equals_live(state, entries, maps)


def _counters(execution: Execution) -> None:
    """Checks that the incremental counters equal a new count."""
    plan = execution.map
    done = {node for node in range(len(plan.parents)) if _is_done(execution, node)}
    assert list(execution.waiting) == [sum(node not in done for node in waits) for waits in plan.waits_for]
    unfinished = Counter(plan.parents[node] for node in range(len(plan.parents)) if node not in done)
    del unfinished[NO_PARENT]
    assert {node: n for node, n in enumerate(execution.unfinished) if n} == dict(unfinished)
    assert execution.counts[1:] == [execution.status.count(status) for status in range(1, 7)]
    undone = [t for t in range(plan.task_count) if execution.status[t] == UNDONE]
    ready = [t for t in undone if not execution.waiting[t] and execution.is_wanted(t)]
    assert execution.ready_count == len(ready)
    given_up = {task for task, record in execution.records.items() if record.given_up}
    assert execution.stuck == {task for task in given_up if execution.status[task] == VALIDATING}
    assert execution.failed == given_up - execution.stuck


def _is_done(execution: Execution, node: int) -> bool:
    return all(execution.status[task] == DONE for task in execution.map.tasks_below(node))


def _dependencies(execution: Execution) -> None:
    """Checks that a task left undone only when everything it waits for was done."""
    for task, status in enumerate(execution.status):
        assert status == UNDONE or not execution.waiting[task], f"{execution.map.name(task)} ran ahead"


def _leases(state: State, execution: Execution) -> None:
    """Checks that every lease is known on both sides, and that its phase fits its task."""
    roster = state.roster
    for task, record in execution.records.items():
        if record.lease is not None:
            assert record.lease.id in roster.leases
            assert record.lease.id in roster.held_by(record.lease.worker)
            expected = DOING if record.lease.phase is Phase.EXECUTE else VALIDATING
            assert execution.status[task] == expected
        else:
            assert execution.status[task] != DOING
    for lease in roster.leases.values():
        if lease.execution is execution:
            held = execution.records[lease.task].lease
            assert held is not None
            assert held.id == lease.id
    assert not roster.absent.keys() & roster.current.keys()
    for session in roster.sessions.values():
        assert session.leases == {lease.id for lease in roster.leases.values() if lease.worker == session.worker}


def _artifacts(execution: Execution) -> None:
    """Checks that a done task has an artifact, made from its producers' present ones; a candidate is never one."""
    for task in range(execution.map.task_count):
        record = execution.record(task)
        assert (execution.status[task] == DONE) == (record.artifact is not None)
        assert execution.status[task] != DONE or (record.lease, record.retry_at, record.given_up) == (None, 0.0, False)
        assert (execution.status[task] == VALIDATING) == (record.candidate is not None)
        if record.artifact is not None:
            inputs, _ = inputs_of(execution, task)
            assert record.artifact.input_digest == input_digest(execution.map.spec_digest(task), inputs)


def _end(state: State, execution: Execution, at: float) -> None:
    """Checks that every unfinished task says what it waits for, and that something can still happen while it runs."""
    if execution.state is ExecutionState.RUNNING:
        assert execution.open_count > 0
    if execution.state is ExecutionState.SUCCEEDED:
        assert execution.counts[DONE] == execution.wanted_count
    if execution.state.is_at_rest:
        assert not list(state.roster.of_execution(execution))
    for task, status in enumerate(execution.status):
        waiting = waiting_of(state, execution, task, at)
        assert (waiting is None) == (status == DONE)


def _outages(state: State, execution: Execution) -> None:
    """Checks that the runner heeds the outages in the journal, and that a try at such a model has a lease."""
    for model, away in execution.outages.items():
        live = state.roster.outages.get(model)
        assert live is not None
        assert live.since <= away.since <= away.next_try
    for model, probe in state.roster.outages.probes_out():
        assert state.roster.leases[probe].model == model


def _put_off(execution: Execution, at: float) -> None:
    """Checks that a candidate is put off while no validator may have it, and that it waits for a retry time."""
    tasks = [task for task, status in enumerate(execution.status) if status == VALIDATING]
    waiting = {task for task in tasks if task not in execution.stuck | execution.awaiting}
    waiting = {task for task in waiting if execution.records[task].lease is None and execution.records[task].retry_at}
    assert {task for task in waiting if execution.records[task].retry_at > at} <= execution.agenda.put_off <= waiting


def _nothing_stands_idle(state: State, at: float) -> None:
    """Checks that no worker with room waits while there is work for it, unless the next turn is due at once."""
    if state.is_lending:
        return
    for execution in state.executions.values():
        if execution.state is not ExecutionState.RUNNING:
            continue
        tasks = range(execution.map.task_count)
        for role in Role:
            if role is Role.VALIDATOR or not is_backlogged(state):
                ready = [task for task in tasks if execution.may_have(task, role, at) and not _is_held(execution, task)]
                requirements = {execution.requirement(task, role) for task in ready}
                assert not [required for required in requirements if state.roster.matching.has_room(required, at)]


def _held(state: State, execution: Execution, at: float) -> None:
    """A held task exceeds its budget or waits for the first of its kind; the amounts kept back add up."""
    commitments = execution.agenda.commitments
    if commitments is None or execution.state is not ExecutionState.RUNNING:
        return
    tasks = range(execution.map.task_count)
    is_any_let_go = any(execution.is_free(task, at) and task not in commitments.held for task in tasks)
    for task, held in commitments.held.items() if not (state.is_lending or is_any_let_go) else ():
        wanted = expected_costs(state, commitments)(held.size)
        assert commitments.refusing(task, wanted) is not None or commitments.is_first_out(held.size.kind, wanted)
    for node in commitments.ledger.limits:
        leases = [
            lease for lease in state.roster.of_execution(execution) if node in commitments.ledger.scopes(lease.task)
        ]
        kept = commitments.kept.get(node, Reservation())
        assert kept.tokens == sum(lease.kept.tokens for lease in leases)
        assert kept.cost_nanos == sum(lease.kept.cost_nanos for lease in leases)
    for spent in commitments.ledger.spent.values():
        assert min(spent.tokens, spent.cost, spent.unpriced_tokens, spent.estimated_tokens) >= 0


def _costs(execution: Execution) -> None:
    """Checks that an execution's usage is the sum of its tasks' usage, and that no amount is negative."""
    records = [execution.records[task].usage or {} for task in execution.records]
    of_tasks = sum((usage for totals in records for usage in totals.values()), start=NOTHING)
    assert sum(execution.usage.values(), start=NOTHING) == of_tasks
    assert min(min(astuple(usage)) for usage in (NOTHING, *execution.usage.values())) >= 0
    if execution.ledger is not None and WHOLE in execution.ledger.limits:
        assert execution.ledger.spent.get(WHOLE, NOTHING) == of_tasks


def _is_held(execution: Execution, task: int) -> bool:
    """Tells whether a budget does not allow the task's next attempt."""
    return execution.agenda.commitments is not None and task in execution.agenda.commitments.held


def _one_commit_per_attempt(entries: Sequence[events.Entry]) -> None:
    """Checks that at most one candidate and one verdict are committed for an attempt."""
    candidates = Counter(
        (entry.execution, entry.event.task, entry.event.content.attempt)
        for entry in entries
        if isinstance(entry.event, events.CandidateStored | events.OrphanAdopted)
    )
    verdicts = Counter(
        (entry.execution, entry.event.task, entry.event.attempt)
        for entry in entries
        if isinstance(entry.event, events.VerdictPassed | events.VerdictFailed)
    )
    assert max(candidates.values(), default=0) <= 1
    assert max(verdicts.values(), default=0) <= 1


def _replay_equals_live(state: State, entries: Sequence[events.Entry], maps: Mapping[str, Map] | None) -> None:
    """Checks that the journal, written and read back, gives the live state."""
    again = replayed(entries, maps or state.maps)
    assert again.layouts == state.layouts
    assert again.requests == state.requests
    assert again.created.newest == state.created.newest
    assert again.created.of_plan == state.created.of_plan
    assert list(again.overviews()) == list(state.overviews())
    for execution_id, execution in state.executions.items():
        restored, live = durable(again.executions[execution_id]), durable(execution)
        assert {name: value for name, value in restored.items() if value != live[name]} == {}


def replayed(entries: Sequence[events.Entry], maps: Mapping[str, Map]) -> State:
    """Returns the state of a runner that starts on this journal."""
    machine = Machine()
    machine.state.maps.update(maps)
    for entry in entries:
        state = machine.state
        plan = None if entry.execution == RUNNER else _map_of(state, entry)
        body = event_to_proto(entry, plan).SerializeToString()
        known = state.executions[entry.execution].map if entry.execution in state.executions else None
        state.apply(entry_from_proto(entry.execution, execution_pb2.Event.FromString(body), known))
    return machine.state


def _map_of(state: State, entry: events.Entry) -> Map:
    if isinstance(entry.event, events.ExecutionCreated):
        return state.maps[map_key(entry.event.plan_id, entry.event.map_digest)]
    return state.executions[entry.execution].map


#: The indexes, and the changes that are followed.
NOT_DURABLE = ("agenda", "changes")


def durable(execution: Execution) -> dict[str, Any]:
    """Returns everything about an execution that a restart must bring back: all but the indexes."""
    return {name: value for name, value in vars(execution).items() if name not in NOT_DURABLE}
