"""What may be spent: reserved when work is given out, settled by what it cost."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from runner_svc.core.expecting import FIRST_ANSWER as FIRST_ESTIMATE
from runner_svc.core.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.terms import Terms
from runner_svc.core.usage import NOTHING
from runner_svc.core.values import WHOLE, Budget, Settings
from runner_svc.core.waiting import For, waiting_of
from signoff.errors import TaskNotFound
from tests.support.story import (
    Run,
    budget,
    candidate,
    executor,
    failed,
    given,
    passed,
    passes,
    resumed,
    signed_off,
    spent,
    started,
    started_with,
    stopped,
    validator,
    worker_lost,
)

TEAM = (executor("w1", slots=7), validator("v1", slots=5))


def may_spend(tokens: int | None = None, cost: int | None = None) -> Settings:
    return Settings(budget=Budget(tokens=tokens, cost_nanos=cost))


def doing(run: Run) -> list[str]:
    return [run.map.name(task) for task in range(run.map.task_count) if run.execution.status[task] == DOING]


def why(run: Run, task: str) -> tuple[For, str]:
    waiting = waiting_of(run.machine.state, run.execution, run.task(task), run.at)
    assert waiting is not None
    return waiting.what, waiting.message


@pytest.mark.guard(name="budgets hold work back")
def test_what_attempts_may_cost_is_reserved_when_they_are_given_out() -> None:
    run = given("a; b; c", *TEAM, started_with(may_spend(2 * FIRST_ESTIMATE)))
    assert doing(run) == ["a", "b"]
    what, message = why(run, "c")
    assert what is For.BUDGET
    assert message == (
        "it waits for a budget: the budget of the execution is used up: 0 of 2,000 tokens are spent, "
        "and the next attempt may take 1,000"
    )


def test_what_was_not_spent_is_free_for_the_next() -> None:
    run = given("a; b; c; d", *TEAM, started_with(may_spend(3_100)))
    assert doing(run) == ["a", "b", "c"]
    run.when(spent("a", 10), candidate("a"), spent("a", 5), passed("a"))
    assert doing(run) == ["b", "c", "d"]


def test_the_dearest_attempt_so_far_is_the_next_guess() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(10_000)), spent("a", 7_000), *signed_off("a"))
    run.when(failed("b"), passes(60)).then(state=ExecutionState.PAUSED)
    assert run.execution.reason.endswith("7,000 of 10,000 tokens are spent, and the next attempt may take 7,000")


def test_a_long_answer_is_expected_where_it_is_allowed() -> None:
    terms = {"b": Terms(max_tokens=5_000)}
    run = given("a; b", *TEAM, started_with(may_spend(5_500)), terms=terms)
    assert doing(run) == ["a"]


def test_an_execution_in_which_only_money_is_missing_is_paused_with_the_reason() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(2_500)), spent("a", 1_000), candidate("a"))
    run.when(spent("a", 900), passed("a"))
    run.then(events=["UsageRecorded a", "VerdictPassed a", "ExecutionPaused"], state=ExecutionState.PAUSED)
    assert run.execution.reason == (
        "the budget of the execution is used up: 1,900 of 2,500 tokens are spent, and the next attempt may take 1,000"
    )


def test_a_raised_budget_and_a_resume_let_it_go_on() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(2_500)), spent("a", 1_400), *signed_off("a"))
    run.then(state=ExecutionState.PAUSED)
    run.when(resumed).then(events=["ExecutionResumed", "ExecutionPaused"], state=ExecutionState.PAUSED)
    run.when(budget(tokens=5_000)).then(events=["BudgetSet"], state=ExecutionState.PAUSED)
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned b"], statuses={"b": DOING})


def test_a_budget_that_is_raised_in_time_stops_nothing() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(1_000)))
    assert doing(run) == ["a"]
    run.when(budget(tokens=2_000)).then(events=["BudgetSet", "TaskAssigned b"])


def test_a_group_has_a_budget_of_its_own() -> None:
    run = given("g/a; g/b; c", *TEAM, started, budgets={"g": Budget(tokens=1_000)})
    assert doing(run) == ["a", "c"]
    run.when(spent("a", 1_000), candidate("a"), *signed_off("c"))
    run.then(statuses={"a": VALIDATING, "b": UNDONE, "c": DONE}, state=ExecutionState.PAUSED)
    assert run.execution.reason.startswith("the budget of g is used up")


def test_a_task_has_a_budget_over_all_its_attempts() -> None:
    run = given("a; b", *TEAM, started, budgets={"a": Budget(tokens=2_500)})
    run.when(spent("a", 1_400), failed("a"), passes(60)).then(statuses={"a": UNDONE})
    assert why(run, "a")[0] is For.BUDGET
    run.when(*signed_off("b")).then(state=ExecutionState.PAUSED)


def test_a_budget_of_cost_holds_once_prices_are_seen() -> None:
    run = given("a; b <- a; c <- b", *TEAM, started_with(may_spend(cost=100)))
    run.when(spent("a", 10, cost=40), *signed_off("a")).then(statuses={"b": DOING})
    run.when(spent("b", 10, cost=40), *signed_off("b")).then(statuses={"c": UNDONE}, state=ExecutionState.PAUSED)
    assert run.execution.reason == (
        "the budget of the execution is used up: 0.0000 of 0.0000 is spent, and the next attempt may cost 0.0000"
    )


@pytest.mark.guard(name="unknown prices are not zero")
def test_a_price_that_is_not_known_is_not_taken_for_nothing() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(cost=10**12)), spent("a", 10, priced=False))
    run.when(candidate("a")).then(state=ExecutionState.PAUSED)
    assert run.execution.reason == "the budget of the execution cannot be kept: 10 tokens have no known price"


def test_tokens_without_a_price_do_not_hold_a_budget_of_tokens_up() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(9_000)), spent("a", 10, priced=False), *signed_off("a"))
    run.then(statuses={"b": DOING})


def test_what_a_lost_attempt_had_reserved_is_free_again() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(1_000)))
    assert doing(run) == ["a"]
    run.when(worker_lost("w1"), passes(61), executor("w2", slots=7))
    assert len(doing(run)) == 1


def test_a_stopped_execution_reserves_nothing() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(1_000))).when(stopped)
    ledger = run.execution.ledger
    assert ledger is not None
    assert not ledger.reserved[WHOLE]


def test_a_budget_may_come_later_and_counts_what_was_spent_before() -> None:
    run = given("a; b <- a", *TEAM, started, spent("a", 900), candidate("a"), spent("a", 200))
    run.when(budget(tokens=1_500), passed("a")).then(statuses={"a": DONE, "b": UNDONE}, state=ExecutionState.PAUSED)


def test_a_budget_of_nothing_in_the_plan_is_refused() -> None:
    given("a", *TEAM, started).when(budget("nobody", tokens=1)).then(events=[], refused=TaskNotFound)


def test_without_a_budget_nothing_is_kept_in_mind() -> None:
    run = given("a", *TEAM, started, spent("a", 10**9), *signed_off("a"))
    assert run.execution.ledger is None
    run.then(state=ExecutionState.SUCCEEDED)


@for_all(
    costs=st.lists(st.integers(0, 3_000), min_size=1, max_size=12),
    limit=st.integers(0, 12_000),
    slots=st.integers(1, 4),
)
def test_no_more_is_spent_than_the_limit_and_one_wrong_guess_for_each_slot(
    costs: list[int], limit: int, slots: int
) -> None:
    """An attempt may cost more than was guessed; the next guesses know better."""
    names = [f"t{number}" for number in range(len(costs))]
    team = executor("w1", slots=slots), validator("v1", slots=9)
    run = given("; ".join(names), *team, started_with(may_spend(limit)))
    while held := [name for name in names if run.execution.record(run.task(name)).lease is not None]:
        name = held[0]
        if run.execution.task_status(run.task(name)) == DOING:
            run.when(spent(name, costs[names.index(name)]), candidate(name))
        else:
            run.when(passed(name))
    ledger = run.execution.ledger
    assert ledger is not None
    assert ledger.spent.get(WHOLE, NOTHING).tokens <= limit + (slots + 1) * max(costs)
    assert run.execution.state in (ExecutionState.PAUSED, ExecutionState.SUCCEEDED)
