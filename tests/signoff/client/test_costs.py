"""Costs by the fate of the work, over journals that the runner's own machine has written."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from runner_svc.codec.journal.entries import event_for_watchers, event_to_proto
from runner_svc.core.model import signals
from runner_svc.core.model.requirements import Requirements
from runner_svc.core.model.states import DONE
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import FailureKind, LeaseId, Phase, SessionId, Settings, WorkerName
from signoff.client.costs import EXECUTE, NOTHING, VALIDATE, Amount, Costs, Fate, WorkFate
from signoff.client.costs_fold import CostsFold, amount_of, costs_of
from signoff.v1 import execution_pb2 as pb
from tests.runner_svc.core.test_any_order import Walk
from tests.support.story import (
    Run,
    Step,
    approved,
    away,
    canary_of,
    candidate,
    executor,
    failed,
    given,
    judge_broke,
    passed,
    passes,
    rejected,
    resumed,
    retried,
    spent,
    started,
    started_with,
    stopped,
    turned_down,
    validator,
    worker_lost,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))
SIGNED_OFF, UNDECIDED = Fate(WorkFate.SIGNED_OFF), Fate(WorkFate.UNDECIDED)
BY_PERSON = {"a": Requirements(human=True)}


def events_of(run: Run) -> list[pb.Event]:
    """Returns the journal as watchers receive it."""
    entries = [entry for entry in run.entries if entry.execution]
    return [event_for_watchers(event_to_proto(entry, run.map)) for entry in entries]


def costs_after(run: Run) -> Costs:
    return costs_of(events_of(run))


def tokens_by_fate(run: Run) -> dict[Fate, int]:
    return {fate: of.spent.tokens for fate, of in costs_after(run).by_fate.items()}


def made(task: str, execute: int, validate: int) -> list[Step]:
    """A candidate comes, and a validator has begun to judge it; each has cost something."""
    return [spent(task, execute), candidate(task), spent(task, validate)]


# ---------------------------------------------------------------- what became of it


def test_a_sign_off_has_cost_its_executing_and_its_judging() -> None:
    run = given("a", *TEAM, started, *made("a", 100, 7), passed("a"))
    assert tokens_by_fate(run) == {SIGNED_OFF: 107}


def test_a_rejected_candidate_takes_its_judging_with_it() -> None:
    run = given("a", *TEAM, started, *made("a", 100, 7), rejected("a"), passes(60), *made("a", 30, 1), passed("a"))
    assert tokens_by_fate(run) == {Fate(WorkFate.REJECTED, "judge"): 107, SIGNED_OFF: 31}


@pytest.mark.parametrize(("by_code", "kind"), [(True, "check"), (False, "judge")])
def test_a_check_is_told_from_a_judge(by_code: bool, kind: str) -> None:
    ok = pb.CriterionResult(outcome=pb.OUTCOME_PASS, deterministic=not by_code)
    bad = pb.CriterionResult(outcome=pb.OUTCOME_FAIL, deterministic=by_code)
    verdict = pb.VerdictFailed(lease_id="v", results=[ok, bad], by=pb.VerdictBy(validator="v1"))
    events = [
        assigned("e"),
        stored("e"),
        assigned("v", pb.PHASE_VALIDATE),
        pb.Event(task_id="a", verdict_failed=verdict),
    ]
    assert list(costs_of(events).by_fate) == [Fate(WorkFate.REJECTED, kind)]


def assigned(lease: str, phase: pb.Phase.ValueType = pb.PHASE_EXECUTE) -> pb.Event:
    return pb.Event(task_id="a", task_assigned=pb.TaskAssigned(lease_id=lease, attempt=1, phase=phase))


def stored(lease: str) -> pb.Event:
    return pb.Event(task_id="a", candidate_stored=pb.CandidateStored(lease_id=lease, attempt=1))


@pytest.mark.parametrize(("kind", "word"), [(FailureKind.TRANSIENT, "transient"), (FailureKind.TIMEOUT, "timeout")])
def test_failures_are_told_apart_by_kind(kind: FailureKind, word: str) -> None:
    run = given("a", *TEAM, started, spent("a", 100), failed("a", kind))
    assert tokens_by_fate(run) == {Fate(WorkFate.FAILED, word): 100}


def test_a_judge_that_breaks_costs_by_itself_and_its_candidate_may_still_be_signed_off() -> None:
    run = given("a", *TEAM, started, *made("a", 100, 7), judge_broke("a"), passes(60), spent("a", 5), passed("a"))
    assert tokens_by_fate(run) == {SIGNED_OFF: 105, Fate(WorkFate.JUDGE_FAILED): 7}


def test_what_a_lost_worker_says_later_counts_where_its_lease_does() -> None:
    run = given("a", *TEAM, executor("w2", slots=7), started)
    lease, name = run.lease("a"), next(n for n, session in run.sessions.items() if session == run.holder("a"))
    run.when(spent("a", 10), worker_lost(name), passes(61), *made("a", 4, 1), passed("a"), executor(name, slots=7))
    run.when(spent("a", 35, under=(run.sessions[name], lease)))
    assert tokens_by_fate(run) == {Fate(WorkFate.LOST): 35, SIGNED_OFF: 5}
    assert costs_after(run).tasks["a"].attempts == 2


def test_what_a_stop_has_cut_off_was_given_back_and_is_no_attempt() -> None:
    run = given("a", *TEAM, started, spent("a", 10), stopped, resumed, spent("a", 3))
    assert tokens_by_fate(run) == {Fate(WorkFate.RETURNED): 10, UNDECIDED: 3}
    assert costs_after(run).tasks["a"].attempts == 1


def test_a_model_that_is_away_is_no_failure() -> None:
    team = (executor("w1", model="m", endpoint="http://h"), validator("v1"))
    run = given("a", *team, started, spent("a", 10), away("a"))
    assert tokens_by_fate(run) == {Fate(WorkFate.OUTAGE): 10}
    assert costs_after(run).tasks["a"].attempts == 0


def test_a_retry_throws_away_what_was_signed_off() -> None:
    run = given("a; b <- a", *TEAM, started, *made("a", 100, 7), passed("a"), *made("b", 20, 1), retried("a"))
    assert tokens_by_fate(run) == {Fate(WorkFate.WITHDRAWN): 127, Fate(WorkFate.RETURNED): 1, UNDECIDED: 0}
    assert costs_after(run).per_sign_off is None


def test_an_artifact_that_is_reinstated_was_not_spent_in_vain() -> None:
    run = given("a; b <- a", *TEAM, started, *made("a", 100, 7), passed("a"), *made("b", 20, 1), passed("b"))
    run.when(retried("a"), *made("a", 50, 5), passed("a"))
    assert "ArtifactKept" in [type(entry.event).__name__ for entry in run.entries]
    assert tokens_by_fate(run) == {Fate(WorkFate.WITHDRAWN): 107, SIGNED_OFF: 76}


def test_a_canary_costs_by_itself() -> None:
    known = {"a": (canary_of("good", good=True),)}
    run = given("a", *TEAM, started_with(Settings(canary_rate=1.0)), *made("a", 100, 7), canaries=known)
    run.when(passed("a"), spent("a", 5), passed("a"))
    assert tokens_by_fate(run) == {SIGNED_OFF: 105, Fate(WorkFate.CANARY): 7}


def test_what_waits_for_a_person_is_undecided_until_the_verdict() -> None:
    run = given("a", *TEAM, started, *made("a", 100, 7), passed("a"), requirements=BY_PERSON)
    assert tokens_by_fate(run) == {UNDECIDED: 107}
    run.when(turned_down("a"), passes(60), *made("a", 20, 1), passed("a"), approved("a"))
    assert tokens_by_fate(run) == {Fate(WorkFate.REJECTED, "person"): 107, SIGNED_OFF: 21}


def test_each_fate_is_counted_as_often_as_it_came() -> None:
    run = given("a; b", *TEAM, started, *made("a", 1, 1), passed("a"), *made("b", 1, 1), passed("b"))
    run.when(retried("a"), failed("a"), passes(60), failed("a"))
    times = {fate: of.times for fate, of in costs_after(run).by_fate.items()}
    assert times == {SIGNED_OFF: 1, Fate(WorkFate.WITHDRAWN): 1, Fate(WorkFate.FAILED, "transient"): 2}


def test_a_lease_from_before_the_first_event_is_unknown_and_counts() -> None:
    run = given("a", *TEAM, started, *made("a", 100, 7), passed("a"))
    later = [event for event in events_of(run) if event.WhichOneof("kind") == "usage_recorded"]
    assert [(fate.what, of.spent.tokens) for fate, of in costs_of(later).by_fate.items()] == [(WorkFate.UNKNOWN, 107)]


# ---------------------------------------------------------------- amounts


def test_an_estimate_that_is_taken_back_leaves_what_was_counted() -> None:
    recorded = [
        pb.UsageRecorded(lease_id="e", phase=EXECUTE, model="m", requests=1, estimated_input_tokens=120, cost_nanos=0),
        pb.UsageRecorded(
            lease_id="e", phase=EXECUTE, model="m", input_tokens=100, estimated_input_tokens=-120, cost_nanos=9
        ),
    ]
    events = [assigned("e"), *(pb.Event(task_id="a", usage_recorded=told) for told in recorded)]
    assert costs_of(events[:2]).spent == Amount(requests=1, estimated_input_tokens=120)
    assert costs_of(events).spent == Amount(requests=1, input_tokens=100, cost_nanos=9)


def test_a_cost_that_is_not_told_was_not_known() -> None:
    told = pb.UsageRecorded(input_tokens=10, output_tokens=2, estimated_output_tokens=3)
    assert amount_of(told).unpriced_tokens == 15
    assert not costs_of([pb.Event(task_id="a", usage_recorded=told)]).is_priced
    told.cost_nanos = 0
    assert amount_of(told).unpriced_tokens == 0
    assert costs_of([pb.Event(task_id="a", usage_recorded=told)]).is_priced


def test_all_columns_of_an_event_are_summed() -> None:
    numbers = {name: number for number, name in enumerate(Amount._fields, 1) if name != "unpriced_tokens"}
    told = pb.UsageRecorded()
    for name, number in numbers.items():
        setattr(told, name, number)
    assert amount_of(told) == Amount(**numbers)
    assert set(Amount._fields) == {field.name for field in pb.UsageTotal.DESCRIPTOR.fields} - {"phase", "model"}
    assert amount_of(told) + amount_of(told) == Amount(*(2 * value for value in amount_of(told)))


# ---------------------------------------------------------------- what a sign-off takes


def three_of_four() -> Run:
    """a, b and c are signed off, the last of them with the second attempt; d has failed once."""
    run = given("a; b; c; d", *TEAM, started)
    run.when(*made("a", 10, 1), passed("a"), *made("b", 20, 2), passed("b"))
    run.when(*made("c", 30, 3), rejected("c"), failed("d"), passes(60), *made("c", 300, 30), passed("c"))
    return run.when(spent("d", 44))


def test_the_mean_of_a_sign_off_carries_all_that_was_spent_in_vain() -> None:
    done = costs_after(three_of_four()).per_sign_off
    assert done is not None
    assert done.tasks == 3
    assert (done.mean.execute, done.mean.validate) == ((10 + 20 + 30 + 300 + 44) / 3, (1 + 2 + 3 + 30) / 3)
    assert done.mean.together == pytest.approx(done.mean.execute + done.mean.validate)


def test_the_median_and_the_largest_are_of_tasks_that_are_signed_off() -> None:
    done = costs_after(three_of_four()).per_sign_off
    assert done is not None
    assert (done.median.execute, done.median.validate, done.median.together) == (20, 2, 22)
    assert (done.largest.task_id, done.largest.attempts, done.largest.spent.tokens) == ("c", 2, 363)


def test_what_is_left_is_estimated_by_the_mean() -> None:
    costs = costs_after(three_of_four())
    assert costs.left is not None
    assert (costs.left.tasks, costs.left.tokens) == (1, round(440 / 3))


def test_nothing_is_estimated_before_the_first_sign_off_or_after_the_last() -> None:
    run = given("a; b", *TEAM, started, *made("a", 10, 1))
    assert costs_after(run).left is None
    run.when(passed("a"))
    assert costs_after(run).left is not None
    run.when(*made("b", 10, 1), passed("b"))
    assert costs_after(run).left is None


def test_the_most_expensive_tasks_are_those_that_cost_most_money_where_all_prices_are_known() -> None:
    run = given("a; b; c", *TEAM, started, spent("a", 10, cost=500), spent("b", 20, cost=7))
    assert [task.task_id for task in costs_after(run).most_expensive(5)] == ["a", "b"]
    run.when(spent("c", 1, priced=False))
    assert [task.task_id for task in costs_after(run).most_expensive(2)] == ["b", "a"]


def test_a_task_knows_its_tokens_by_phase() -> None:
    task = costs_after(given("a", *TEAM, started, *made("a", 100, 7))).tasks["a"]
    assert (task.tokens_in(EXECUTE), task.tokens_in(VALIDATE), task.is_signed_off) == (100, 7, False)


def test_costs_that_were_taken_do_not_change_when_the_fold_goes_on() -> None:
    events = events_of(given("a", *TEAM, started, *made("a", 100, 7)))
    fold = CostsFold()
    for event in events[:-1]:
        fold.take(event)
    before = fold.costs()
    fold.take(events[-1])
    assert (before.spent.tokens, before.tasks["a"].tokens_in(VALIDATE)) == (100, 0)


# ---------------------------------------------------------------- in any order


class Spending(Walk):
    """Workers also report usage of their leases: counted, estimated or corrected, and some of it too late."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.told: dict[LeaseId, tuple[str, Usage]] = {}

    def _reports(self) -> Step:
        return super()._reports() if self.chance.random() < 0.7 else self._spends()

    def _spends(self) -> Step:
        leases = list[tuple[LeaseId, SessionId]]()
        for worker, session in self.run.sessions.items():
            before = {lease for lease, its in self.old if its == worker}
            held = self.run.machine.state.roster.held_by(WorkerName(worker))
            leases += [(lease, session) for lease in before.union(held)]
        return self._spent(*self.chance.choice(sorted(leases))) if leases else super()._reports()

    def _spent(self, lease: LeaseId, session: SessionId) -> Step:
        model, before = self.told.get(lease, (self.chance.choice(["m", "dear", "free"]), Usage()))
        estimated = self.chance.choice([0, 0, 40, 90])
        more = Usage(input_tokens=self.chance.randrange(50), output_tokens=self.chance.randrange(9), requests=1)
        counted = before + more
        price = {"m": 1, "dear": 30, "free": None}[model]
        total = Usage(
            input_tokens=counted.input_tokens,
            output_tokens=counted.output_tokens,
            requests=counted.requests,
            cached_input_tokens=counted.input_tokens // 2,
            reasoning_tokens=counted.output_tokens // 2,
            estimated_input_tokens=estimated,
            cost_nanos=(price or 0) * (counted.input_tokens + counted.output_tokens),
            estimated_cost_nanos=(price or 0) * estimated,
            unpriced_tokens=counted.input_tokens + counted.output_tokens + estimated if price is None else 0,
        )
        self.told[lease] = model, counted
        return lambda run: signals.UsageReported(at=run.at, session=session, lease=lease, model=model, total=total)


def amount(usages: Iterable[Usage]) -> Amount:
    return sum((Amount(*(getattr(usage, name) for name in Amount._fields)) for usage in usages), NOTHING)


def agrees(run: Run) -> None:
    """The sums are those of the runner, however they are divided."""
    execution, costs = run.execution, costs_after(run)
    by_model = {(phase, model): amount([usage]) for phase, model, usage in execution.overview().usage}
    assert dict(costs.by_model) == by_model
    assert sum((of.spent for of in costs.by_fate.values()), NOTHING) == costs.spent == amount_of_all(by_model)
    for number, name in enumerate(run.map.task_ids):
        record = execution.record(number)
        task = costs.tasks.get(name)
        assert (task.spent if task else NOTHING) == amount((record.usage or {}).values())
        assert (task.attempts if task else 0) == record.attempt
        assert bool(task and task.is_signed_off) == (execution.status[number] == DONE)
    signed_off = costs.by_fate.get(SIGNED_OFF)
    assert (signed_off.times if signed_off else 0) == execution.counts[DONE]
    if WorkFate.UNDECIDED in {fate.what for fate in costs.by_fate}:
        assert any(record.lease or record.candidate for record in execution.records.values())
    assert WorkFate.UNKNOWN not in {fate.what for fate in costs.by_fate}


def amount_of_all(by_model: dict[tuple[Phase, str], Amount]) -> Amount:
    return sum(by_model.values(), NOTHING)


@pytest.mark.parametrize("batch", range(2))
def test_whatever_happens_all_sums_are_those_of_the_runner(batch: int) -> None:
    seen = set[WorkFate]()
    for seed in range(batch * 12, batch * 12 + 12):
        walk = Spending(seed)
        for _ in range(70):
            walk.step()
        agrees(walk.run)
        seen |= {fate.what for fate, of in costs_after(walk.run).by_fate.items() if of.spent.tokens}
    assert len(seen) >= 7, f"too little happened: {seen}"
