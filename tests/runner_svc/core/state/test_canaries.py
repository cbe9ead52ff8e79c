"""Canaries: validators judge candidates that are known to be good or bad, and are measured by their verdicts."""

from __future__ import annotations

import pytest

from runner_svc.core.model import commands, events
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, DONE, VALIDATING, ExecutionState
from runner_svc.core.model.tallies import Pool, Tally
from runner_svc.core.model.values import Budget, Content, Outcome, Phase, Role, Settings, Unread
from runner_svc.core.state.canaries import Canaries
from tests.support.story import (
    Run,
    Step,
    accepted,
    approved,
    canary_of,
    candidate,
    content_of,
    executor,
    given,
    judge_broke,
    passed,
    passes,
    rejected,
    retried,
    signed_off,
    started,
    started_with,
    stopped,
    validator,
    worker_lost,
)

GOOD, BAD = canary_of("42, by Adams", good=True), canary_of("trust me", good=False)
ALWAYS, NEVER = started_with(Settings(canary_rate=1.0)), started_with(Settings(canary_rate=0.0))
TEAM = (executor("w1", slots=9), validator("v1", slots=9, model="judge-1"))
POOL = Pool(model="judge-1", labels=frozenset())


def run_of(
    *steps: Step, text: str = "a", start: Step = ALWAYS, requirements: dict[str, Requirements] | None = None
) -> Run:
    """Every task has a good canary, then a bad one."""
    names = [part.split()[0] for part in text.split("; ")]
    return given(
        text, *TEAM, start, *steps, canaries=dict.fromkeys(names, (GOOD, BAD)), requirements=requirements or {}
    )


def judged(run: Run) -> events.CanaryJudged:
    """Returns the last canary of the last steps."""
    return [entry.event for entry in run.last.entries if isinstance(entry.event, events.CanaryJudged)][-1]


def judging(run: Run) -> commands.Assign:
    """Returns the last assignment of the last steps to a validator."""
    orders = [order for order in run.last.commands if isinstance(order, commands.Assign)]
    return [order for order in orders if order.phase is Phase.VALIDATE][-1]


def given_to_judge(run: Run) -> Content:
    candidate = judging(run).candidate
    assert candidate is not None
    return candidate


# ---------------------------------------------------------------- what the validator is given


@pytest.mark.guard(name="a canary is judged before the candidate")
def test_a_canary_is_judged_first_and_then_the_candidate() -> None:
    run = run_of(candidate("a", "mine"))
    run.then(
        events=["ExecutionCreated", "ExecutionStarted", "TaskAssigned a", "CandidateStored a", "TaskAssigned a"],
        statuses={"a": VALIDATING},
    )
    assert given_to_judge(run).digest == GOOD.content.digest
    run.when(passed("a")).then(events=["CanaryJudged a", "TaskAssigned a"], statuses={"a": VALIDATING})
    assert given_to_judge(run).digest == content_of("mine").digest
    run.when(passed("a")).then(events=["VerdictPassed a", "ExecutionSucceeded"], statuses={"a": DONE})
    artifact = run.execution.records[run.task("a")].artifact
    assert artifact is not None
    assert artifact.digest == content_of("mine").digest


def test_nothing_in_the_assignment_tells_a_canary_from_the_candidate() -> None:
    run = run_of(candidate("a"))
    canary = judging(run)
    assert run.last.contents[GOOD.content.digest] == GOOD.body
    run.when(passed("a"))
    real = judging(run)
    told = [
        {
            name: getattr(command, name)
            for name in commands.Assign.__dataclass_fields__
            if name not in ("lease", "candidate")
        }
        for command in (canary, real)
    ]
    assert told[0] == told[1]
    assert canary.candidate is not None
    assert real.candidate is not None
    assert canary.candidate.media_type == real.candidate.media_type
    assert canary.lease.rpartition(".")[0] == real.lease.rpartition(".")[0]


# ---------------------------------------------------------------- what a verdict on one says


@pytest.mark.guard(name="a canary signs nothing off")
def test_a_bad_one_that_passes_is_a_false_accept_and_signs_nothing_off() -> None:
    run = run_of(candidate("a"), passed("a"), passed("a"), candidate("b"), passed("b"), text="a; b <- a")
    assert judged(run) == events.CanaryJudged(
        at=run.at,
        task=run.task("b"),
        lease=judged(run).lease,
        canary=2,
        good=False,
        outcome=Outcome.PASS,
        reason="",
        worker=judged(run).worker,
        model="judge-1",
        labels=frozenset(),
    )
    run.then(statuses={"a": DONE, "b": VALIDATING}, state=ExecutionState.RUNNING)
    assert run.execution.canaries.tallies == {POOL: Tally(good=1, bad=1, false_accepts=1)}


def test_a_good_one_that_fails_is_a_false_reject_and_no_failure_of_the_task() -> None:
    run = run_of(candidate("a"), rejected("a", "I do not like it"))
    assert (judged(run).outcome, judged(run).reason) == (Outcome.FAIL, "I do not like it")
    assert run.execution.record(run.task("a")).failures == 0
    run.when(passed("a")).then(state=ExecutionState.SUCCEEDED)
    assert run.execution.canaries.tallies == {POOL: Tally(good=1, false_rejects=1)}


def test_no_verdict_on_one_is_no_error_of_the_judge_that_counts_against_the_task() -> None:
    run = run_of(candidate("a"), judge_broke("a"))
    run.then(statuses={"a": VALIDATING})
    assert run.execution.record(run.task("a")).judge_errors == 0
    assert given_to_judge(run).digest == content_of("made by a").digest
    assert run.execution.canaries.tallies == {POOL: Tally(undecided=1)}


def test_a_validator_that_is_stuck_on_one_is_undecided() -> None:
    run = run_of(candidate("a"), accepted("a"), passes(120)).then(statuses={"a": VALIDATING})
    assert judged(run).reason == "v1 made no progress for 120 s"
    assert run.execution.canaries.tallies == {POOL: Tally(undecided=1)}


def test_whoever_passes_a_canary_of_a_task_for_people_signs_nothing_off() -> None:
    run = run_of(candidate("a"), passed("a"), passed("a"), requirements={"a": Requirements(human=True)})
    assert run.execution.awaiting == {run.task("a")}
    run.when(approved("a")).then(state=ExecutionState.SUCCEEDED)


# ---------------------------------------------------------------- how often


def test_there_are_as_many_as_the_rate_says() -> None:
    text = "; ".join(f"t{n}" for n in range(30))
    canaries = {f"t{n}": (GOOD,) for n in range(30)}
    run = given(text, *TEAM, started, canaries=canaries)
    for n in range(30):
        run.when(candidate(f"t{n}"))
        while run.execution.task_status(run.task(f"t{n}")) != DONE:
            run.when(passed(f"t{n}"))
    assert run.execution.canaries == Canaries(candidates=30, given=3, tallies={POOL: Tally(good=3)})


@pytest.mark.parametrize(
    ("rate", "numbers"), [(0.0, []), (0.3, [0, 3, 6]), (0.5, [0, 2, 4, 6, 8]), (1.0, [*range(10)])]
)
def test_the_first_goes_before_the_first_candidate(rate: float, numbers: list[int]) -> None:
    canaries, before = Canaries(), []
    for number in range(10):
        canaries.candidates += 1
        if canaries.is_one_due(rate):
            canaries.given += 1
            before.append(number)
    assert before == numbers


def test_a_rate_of_zero_gives_none() -> None:
    run_of(*signed_off("a"), start=NEVER).then(state=ExecutionState.SUCCEEDED)


def test_tasks_without_canaries_are_not_counted() -> None:
    run = given("a; b", *TEAM, ALWAYS, *signed_off("b"), candidate("a"), canaries={"a": (BAD,)})
    assert run.execution.canaries == Canaries(candidates=1, given=1)


@pytest.mark.guard(name="one canary before a candidate")
def test_no_candidate_waits_for_more_than_one() -> None:
    known = dict.fromkeys("ab", (GOOD, BAD))
    run = given("a; b", executor("w1", slots=2), validator("v1"), ALWAYS, canaries=known)
    run.when(candidate("a"), candidate("b"), passed("a")).then(
        events=["CandidateStored a", "TaskAssigned a", "CandidateStored b", "CanaryJudged a", "TaskAssigned a"]
    )
    assert given_to_judge(run).digest == content_of("made by a").digest


def test_one_that_came_back_unjudged_is_not_repeated() -> None:
    run = run_of(candidate("a"), worker_lost("v1", orderly=True), validator("v2"))
    assert given_to_judge(run).digest == content_of("made by a").digest


# ---------------------------------------------------------------- whom it is about


def test_a_pool_is_the_model_and_the_labels_of_its_validators() -> None:
    labels = frozenset({("zone", "b")})
    other = validator("v2", slots=9, abilities=Abilities(handlers=frozenset({"judge"}), labels=labels), model="judge-1")
    wanted = Requirements(
        validators=Requirement(role=Role.VALIDATOR, handlers=frozenset({"judge"}), model="m9", labels=labels)
    )
    requirements, canaries = {"b": wanted}, {"a": (GOOD,), "b": (BAD,)}
    run = given("a; b", *TEAM, other, ALWAYS, candidate("a"), passed("a"), requirements=requirements, canaries=canaries)
    run.when(candidate("b"), rejected("b"))
    assert dict(run.machine.state.canaries()) == {
        POOL: Tally(good=1),
        Pool(model="m9", labels=labels): Tally(bad=1),
    }


def test_a_validator_that_only_runs_checks_asks_no_model() -> None:
    checks = {"a": Requirements(validators=Requirement(role=Role.VALIDATOR, handlers=frozenset()))}
    run = run_of(candidate("a"), passed("a"), requirements=checks)
    assert judged(run).model == ""


# ---------------------------------------------------------------- among all else


def test_a_stop_and_a_retry_take_it_back() -> None:
    run_of(candidate("a"), stopped).then(state=ExecutionState.STOPPED)
    run = run_of(candidate("a")).when(retried("a"))
    run.then(events=["LeaseReturned a", "TaskRetried a", "TaskAssigned a"], statuses={"a": DOING})


def test_a_budget_counts_what_canaries_cost() -> None:
    run = given("a", *TEAM, ALWAYS, candidate("a"), canaries={"a": (GOOD,)}, budgets={"a": Budget(tokens=10_000)})
    commitments = run.execution.agenda.commitments
    assert commitments is not None
    assert commitments.kept[run.task("a")].tokens > 1000


def test_a_canary_cannot_be_told_by_what_its_author_was_shown() -> None:
    unread = Unread(inputs=70, cut=12, left_out=28)
    run = run_of().when(candidate("a", unread=unread))
    assert run.execution.record(run.task("a")).canary_given
    assert given_to_judge(run).digest != content_of("made by a").digest
    assert given_to_judge(run).unread == unread
