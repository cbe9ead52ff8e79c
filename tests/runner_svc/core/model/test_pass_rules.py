"""A pass must have a passed result for each criterion and each check; otherwise it is a judge error."""

from __future__ import annotations

import pytest

from runner_svc.codec.requirements import demands_of
from runner_svc.core.model import signals
from runner_svc.core.model.pass_rules import NOTHING_PASSED, Demands, Passed
from runner_svc.core.model.states import DONE, VALIDATING
from runner_svc.core.model.tallies import Tally
from runner_svc.core.model.values import Outcome, Settings
from signoff.v1 import plan_pb2
from tests.support.story import Run, Step, canary_of, candidate, executor, given, started, started_with, validator

TEAM = (executor("w1", slots=7), validator("v1", slots=5))


def pass_of(task: str, passed: Passed) -> Step:
    """A validator passes the task, with results for these alone."""

    def step(run: Run) -> signals.Signal:
        session, lease = run.holder(task), run.lease(task)
        return signals.VerdictGiven(at=run.at, session=session, lease=lease, outcome=Outcome.PASS, passed=passed)

    return step


@pytest.mark.guard(name="the runner counts")
def test_a_pass_without_results_signs_nothing_off() -> None:
    run = given("a", *TEAM, started, candidate("a"), pass_of("a", NOTHING_PASSED))
    run.then(statuses={"a": VALIDATING})
    record = run.execution.record(run.task("a"))
    assert (record.judge_errors, record.failures) == (1, 0)
    assert record.last_failure == "the verdict was pass, without a passed result for criterion 1"


def test_a_pass_with_a_result_for_each_does() -> None:
    given("a", *TEAM, started, candidate("a"), pass_of("a", Passed(frozenset({1})))).then(statuses={"a": DONE})


@pytest.mark.guard(name="the runner counts for canaries")
def test_a_canary_that_is_passed_without_results_measures_nothing() -> None:
    start = started_with(Settings(canary_rate=1.0))
    bad = {"a": (canary_of("trust me", good=False),)}
    run = given("a", *TEAM, start, candidate("a"), pass_of("a", NOTHING_PASSED), canaries=bad)
    assert list(run.execution.canaries.tallies.values()) == [Tally(undecided=1)]


@pytest.mark.parametrize(
    ("passed", "missing"),
    [
        (Passed(frozenset({1, 2, 3}), frozenset({2, 4})), ""),
        (Passed(frozenset({1, 2, 3, 9}), frozenset({1, 2, 3, 4})), ""),
        (Passed(frozenset({1, 3}), frozenset({2, 4})), "criterion 2"),
        (Passed(frozenset({1, 2, 3}), frozenset({4})), "check 2"),
        (Passed(frozenset({0}), frozenset({0})), "criterion 1, 2, 3 and check 2, 4"),
    ],
)
def test_what_is_missing_is_named(passed: Passed, missing: str) -> None:
    assert Demands(criteria=3, checks=(2, 4)).missing_in(passed) == missing


def test_of_many_that_are_missing_a_few_are_named() -> None:
    assert Demands(criteria=1_000).missing_in(NOTHING_PASSED) == "criterion 1, 2, 3, 4, 5 and 995 more"


def spec(criteria: int = 0, *checks: plan_pb2.Check, description: str = "", human: bool = False) -> plan_pb2.TaskSpec:
    validation = plan_pb2.Validation(
        criteria=["It is good."] * criteria, checks=checks, description=description, human=human
    )
    return plan_pb2.TaskSpec(task_id="a", validation=validation)


def length(criterion: int = 0) -> plan_pb2.Check:
    return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=1), criterion=criterion)


SHAPE = plan_pb2.Check(json_schema=plan_pb2.JsonSchemaCheck(schema_json="{}", from_format=True))


@pytest.mark.parametrize(
    ("task", "demands"),
    [
        (plan_pb2.TaskSpec(task_id="a"), Demands(1, ())),
        (spec(), Demands(1, ())),
        (spec(description="An astronomer agrees."), Demands(1, ())),
        (spec(3), Demands(3, ())),
        (spec(0, length(), length()), Demands(0, (1, 2))),
        (spec(0, SHAPE), Demands(1, (1,))),
        (spec(2, length(), length(2), length()), Demands(2, (1, 3))),
        (spec(2, length(9)), Demands(2, (1,))),
        (spec(0, length(1), description="An astronomer agrees."), Demands(1, (1,))),
        (spec(human=True), Demands(0, ())),
    ],
)
def test_a_task_asks_for_its_criteria_and_for_the_checks_that_none_stands_for(
    task: plan_pb2.TaskSpec, demands: Demands
) -> None:
    found = demands_of(task)
    assert (found.criteria, found.checks) == (demands.criteria, demands.checks)


def test_a_model_is_asked_about_the_criteria_that_no_check_decides_as_often_as_there_are_votes() -> None:
    votes = spec(3, length(2))
    votes.validation.judge.votes = 5
    assert [(demands_of(task).judged, demands_of(task).votes) for task in (spec(), spec(1, length(1)), votes)] == [
        (1, 1), (0, 1), (2, 5),
    ]  # fmt: skip
