"""Budgets: an amount is kept back when work is given out, and settled by the actual cost."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from runner_svc.codec.checkpoints import execution_to_proto
from runner_svc.codec.views import overview_to_proto
from runner_svc.core.decide.assign import expected_costs
from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.model import events
from runner_svc.core.model.pass_rules import Demands
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.usage import MOST, NOTHING, Usage
from runner_svc.core.model.values import WHOLE, Budget, LeaseId, Phase, Role, Settings
from runner_svc.core.spending.budgets import Ledger
from runner_svc.core.spending.commitments import NOTHING_KEPT, Commitments
from runner_svc.core.spending.expectations import LEAST_AHEAD, Expected
from runner_svc.core.spending.reservations import size_of_lease
from runner_svc.prices import Price, Prices
from signoff.errors import TaskNotFound
from tests.support.story import (
    Run,
    Step,
    accepted,
    budget,
    candidate,
    costs,
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

TEAM = (executor("w1", slots=7, model="m"), validator("v1", slots=5, model="m"))
PRICES = Prices("EUR", {"m": Price(input=1_000, output=3_000), "other": Price(input=1, output=1)})
PROMPT = 335  # tokens, of a task whose name has one letter
INPUT = 76  # tokens, of what such a task has made


def may_spend(tokens: int | None = None, cost: int | None = None) -> Settings:
    return Settings(budget=Budget(tokens=tokens, cost_nanos=cost))


def short(names: str) -> dict[str, Requirements]:
    """Returns requirements that limit the answers of these tasks."""
    return {name: Requirements(max_tokens=200) for name in names}


def doing(run: Run) -> list[str]:
    return [run.map.name(task) for task in range(run.map.task_count) if run.execution.status[task] == DOING]


def why(run: Run, task: str) -> tuple[WaitingFor, str]:
    waiting = waiting_of(run.machine.state, run.execution, run.task(task), run.at)
    assert waiting is not None
    return waiting.what, waiting.message


def ledger_of(run: Run) -> Ledger:
    assert run.execution.ledger is not None
    return run.execution.ledger


def commitments_of(run: Run) -> Commitments:
    assert run.execution.agenda.commitments is not None
    return run.execution.agenda.commitments


def kept(run: Run, node: int = WHOLE) -> tuple[int, int]:
    """Returns the tokens and the cost that are kept back."""
    return commitments_of(run).kept.get(node, NOTHING_KEPT)


def wanted(run: Run, task: str) -> Expected:
    """Returns the expected cost of a task's attempt that is under way."""
    lease = run.machine.state.roster.leases[run.lease(task)]
    return expected_costs(run.machine.state, commitments_of(run))(size_of_lease(lease))


def made(task: str, tokens: int = 100) -> list[Step]:
    """The task is executed and passes; each phase takes as many tokens, half of them for its answer."""
    half = Usage(input_tokens=tokens // 2, output_tokens=tokens - tokens // 2, requests=1)
    return [costs(task, half), candidate(task), costs(task, half), passed(task)]


# ---------------------------------------------------------------- the first wave


@pytest.mark.guard(name="one at a time without experience")
def test_an_attempt_of_which_nothing_is_known_goes_alone_until_it_has_shown_what_one_costs() -> None:
    run = given("a; b; c", *TEAM, started_with(may_spend(20_000)))
    assert doing(run) == ["a"]
    assert why(run, "b") == (
        WaitingFor.BUDGET,
        "it waits for a budget: another attempt is finding out what one costs, so that the budget of the execution "
        "is kept",
    )
    run.when(costs("a", Usage(estimated_input_tokens=340, estimated_output_tokens=90, requests=1)))
    assert doing(run) == ["a"]
    run.when(costs("a", Usage(input_tokens=300, output_tokens=700, requests=1)))
    assert doing(run) == ["a", "b", "c"]
    assert kept(run) == (2 * (PROMPT + 700) + (PROMPT + 1_000 - 1_000), 0)


def test_one_that_ends_without_a_word_of_its_model_is_followed_by_another_one_alone() -> None:
    run = given("a; b; c", *TEAM, started_with(may_spend(20_000)))
    run.when(failed("a"))
    assert doing(run) == ["b"]


def test_judges_are_tried_one_at_a_time_too() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(20_000)), requirements=short("ab")).when(
        candidate("a"), candidate("b")
    )
    assert [run.execution.record(task).lease is not None for task in (0, 1)] == [True, False]
    run.when(costs("a", Usage(input_tokens=1_000, output_tokens=90, requests=1)))
    assert run.execution.record(1).lease is not None


def test_candidates_that_no_budget_lets_be_judged_do_not_keep_executors_from_work() -> None:
    votes = {name: Demands(votes=9) for name in "abc"}
    run = given("a; b; c; d", *TEAM, started_with(may_spend(3_000)), requirements=short("abcd"), demands=votes)
    run.when(candidate("a"), candidate("b"), candidate("c"), failed("d"))
    assert [run.execution.record(task).lease for task in range(3)] == [None] * 3
    run.when(passes(60))
    assert doing(run) == ["d"]


def test_what_has_no_budget_is_not_held_up_by_one_that_has() -> None:
    run = given("g/a; g/b; c; d", *TEAM, started, budgets={"g": Budget(tokens=20_000)})
    assert doing(run) == ["a", "c", "d"]


def test_functions_are_tried_one_at_a_time_and_commands_cost_nothing() -> None:
    def by(handler: str) -> Requirements:
        return Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({handler})),))

    def run(handler: str) -> Run:
        able = executor("w1", slots=7, abilities=abilities)
        terms = {name: by(handler) for name in "abc"}
        return given("a; b; c", able, validator("v1"), started_with(may_spend(20_000)), requirements=terms)

    abilities = Abilities(handlers=frozenset({"fetch", "command"}))
    assert doing(run("command")) == ["a", "b", "c"]
    fetching = run("fetch")
    assert doing(fetching) == ["a"]
    fetching.when(candidate("a"))
    assert doing(fetching) == ["b", "c"], "it has asked no model"


# ---------------------------------------------------------------- what is kept back


@pytest.mark.guard(name="budgets hold work back")
def test_what_attempts_may_cost_is_reserved_when_they_are_given_out() -> None:
    run = given("a; b; c", *TEAM, started_with(may_spend(2 * (PROMPT + 200))), requirements=short("abc"))
    assert doing(run) == ["a", "b"]
    assert why(run, "c") == (
        WaitingFor.BUDGET,
        "it waits for a budget: the budget of the execution is used up: 0 of 1,070 tokens are spent, "
        "1,070 are kept back for attempts under way, and the next attempt may take 535",
    )


@pytest.mark.guard(name="reserves count cost")
def test_cost_is_reserved_when_work_is_given_out() -> None:
    cost = PROMPT * 1_000_000 + 200 * 3_000_000
    run = given("a; b; c", *TEAM, started_with(may_spend(cost=2 * cost)), requirements=short("abc"), prices=PRICES)
    assert doing(run) == ["a", "b"]
    assert kept(run)[1] == 2 * cost
    assert why(run, "c")[1].endswith(
        "0.0000 of 1.8700 is spent, 1.8700 is kept back for attempts under way, and the next attempt may cost 0.9350"
    )


@pytest.mark.guard(name="votes are counted")
def test_all_votes_of_a_judge_are_reserved() -> None:
    run = given("a", *TEAM, started_with(may_spend(10**6)), requirements=short("a"), demands={"a": Demands(votes=3)})
    run.when(candidate("a"))
    once = kept(given("a", *TEAM, started_with(may_spend(10**6)), requirements=short("a")).when(candidate("a")))[0]
    assert kept(run)[0] == 3 * once > 3 * 1_500


def test_what_was_spent_is_not_kept_back_too_and_comes_back_when_less_was_counted() -> None:
    run = given("a", *TEAM, started_with(may_spend(5_000)), requirements=short("a"))
    assert kept(run)[0] == 535
    run.when(costs("a", Usage(estimated_input_tokens=335, estimated_output_tokens=150, requests=1)))
    assert kept(run)[0] == 50
    run.when(costs("a", Usage(input_tokens=100, output_tokens=30, requests=1)))
    assert kept(run)[0] == 405
    run.when(costs("a", Usage(input_tokens=100, output_tokens=900, requests=1)))
    assert kept(run)[0] == 0


def test_what_was_not_spent_is_free_for_the_next() -> None:
    run = given("a; b; c; d", *TEAM, started_with(may_spend(3_000)), requirements=short("abcd"))
    assert doing(run) == ["a", "b", "c", "d"]
    few = given("a; b; c", *TEAM, started_with(may_spend(1_100)), requirements=short("abc"))
    assert doing(few) == ["a", "b"]
    few.when(costs("a", Usage(input_tokens=10, output_tokens=10, requests=1)), failed("a"))
    assert doing(few) == ["b", "c"]


def test_what_a_lost_attempt_had_reserved_is_free_again_but_for_what_was_booked() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(1_000)), accepted("a"), requirements=short("ab"))
    assert doing(run) == ["a"]
    run.when(worker_lost("w1"), passes(61))
    assert (kept(run)[0], ledger_of(run).spent[WHOLE].tokens) == (0, PROMPT + LEAST_AHEAD)


def test_a_stopped_execution_reserves_nothing() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(2_000))).when(stopped)
    assert kept(run) == (0, 0)
    assert not commitments_of(run).trying.get((Phase.EXECUTE, ""))


def test_a_budget_that_is_set_later_keeps_back_for_what_is_under_way() -> None:
    run = given(
        "g/a; g/b; c",
        *TEAM,
        started,
        costs("a", Usage(estimated_input_tokens=100, requests=1)),
        requirements=short("abc"),
    )
    run.when(budget(tokens=5_000))
    assert kept(run)[0] == 3 * 535 - 100
    run.when(budget("g", tokens=5_000))
    assert (kept(run)[0], kept(run, 3)[0]) == (3 * 535 - 100, 2 * 535 - 100)
    run.when(failed("b"))
    assert kept(run, 3)[0] == 535 - 100


def test_views_show_what_is_kept_back() -> None:
    run = given("a", *TEAM, started_with(may_spend(tokens=5_000, cost=10**12)), requirements=short("a"), prices=PRICES)
    (spending,) = run.execution.overview().budgets
    assert spending.kept == (535, PROMPT * 1_000_000 + 200 * 3_000_000)


@pytest.mark.guard(name="amounts fit their numbers")
def test_what_is_kept_back_of_many_attempts_is_shown_and_kept_however_much_it_is() -> None:
    dear = Prices("JPY", {"m": Price(input=11_250, output=11_250)})
    run = given("a; b; c; d; e; f; g; h", *TEAM, started_with(may_spend(cost=10**18)), prices=dear)
    run.when(costs("a", Usage(input_tokens=10, output_tokens=10, requests=1)), candidate("a"))
    run.when(costs("b", Usage(input_tokens=10, output_tokens=2**40, requests=1)), budget(cost=10**18))
    assert kept(run)[1] > 2**64
    overview = run.execution.overview()
    for shown in (overview_to_proto(overview), execution_to_proto(overview, settled=False).execution):
        assert shown.budgets[0].reserved_cost_nanos == 2**64 - 1
    run.when(stopped)
    assert kept(run) == (0, 0)


def test_no_attempt_has_more_kept_back_than_amounts_can_be() -> None:
    beyond = Prices("JPY", {"m": Price(input=1e12, output=1e12, request=1e12)})
    run = given("a", *TEAM, started_with(may_spend(10**9)), accepted("a"), prices=beyond)
    run.when(budget(cost=10**18))
    assert kept(run)[1] == MOST
    run.when(worker_lost("w1"), passes(61))
    assert run.execution.usage[Phase.EXECUTE, "m"].estimated_cost_nanos == MOST


# ---------------------------------------------------------------- what is known of others


@pytest.mark.guard(name="experience is not booked ahead")
def test_what_is_booked_ahead_of_an_answer_is_not_taken_for_what_attempts_cost() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(50_000)))
    run.when(costs("a", Usage(estimated_input_tokens=400, estimated_output_tokens=9_000, requests=1)))
    assert ledger_of(run).largest == {}
    run.when(costs("a", Usage(input_tokens=300, output_tokens=800, requests=1)))
    assert wanted(run, "b").tokens == PROMPT + 800


def test_an_attempt_that_nobody_has_counted_is_known_once_it_has_ended() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(50_000)))
    run.when(costs("a", Usage(estimated_input_tokens=435, estimated_output_tokens=900, requests=1)), failed("a"))
    assert wanted(run, "b").tokens == PROMPT + 100 + 900


def test_the_dearest_attempt_so_far_is_the_next_guess() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(20_000)), *made("a", 8_000))
    run.then(state=ExecutionState.PAUSED)
    told = f"16,000 of 20,000 tokens are spent, and the next attempt may take {8_000 + INPUT:,}"
    assert run.execution.reason.endswith(told)


def test_the_small_go_on_where_the_large_do_not_fit() -> None:
    terms = {name: Requirements(max_tokens=9_000 if name in "ab" else 100) for name in "abcd"}
    run = given("a; b; c; d", *TEAM, started_with(may_spend(10_000)), requirements=terms)
    assert doing(run) == ["a", "c"]
    run.when(failed("c"))
    assert doing(run) == ["a", "d"]


# ---------------------------------------------------------------- when it is used up


def test_an_execution_in_which_only_money_is_missing_is_paused_with_the_reason() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(4_000)), *made("a", 1_400)).then(state=ExecutionState.PAUSED)
    assert run.execution.reason == (
        "the budget of the execution is used up: 2,800 of 4,000 tokens are spent, "
        f"and the next attempt may take {1_400 + INPUT:,}"
    )


def test_a_raised_budget_and_a_resume_let_it_go_on() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(4_000)), *made("a", 1_400))
    run.then(state=ExecutionState.PAUSED)
    run.when(resumed).then(events=["ExecutionResumed", "ExecutionPaused"], state=ExecutionState.PAUSED)
    run.when(budget(tokens=5_000)).then(events=["BudgetSet"], state=ExecutionState.PAUSED)
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned b"], statuses={"b": DOING})


def test_a_budget_that_is_raised_in_time_stops_nothing() -> None:
    run = given("a; b", *TEAM, started_with(may_spend(1_000)), requirements=short("ab"))
    assert doing(run) == ["a"]
    run.when(budget(tokens=2_000)).then(events=["BudgetSet", "TaskAssigned b"])


def test_a_group_has_a_budget_of_its_own() -> None:
    run = given("g/a; g/b; c", *TEAM, started, budgets={"g": Budget(tokens=1_000)}, requirements=short("abc"))
    assert doing(run) == ["a", "c"]
    run.when(spent("a", 1_000), candidate("a"), *signed_off("c"))
    run.then(statuses={"a": VALIDATING, "b": UNDONE, "c": DONE}, state=ExecutionState.PAUSED)
    assert run.execution.reason.startswith("the budget of g is used up")


def test_a_task_has_a_budget_over_all_its_attempts() -> None:
    run = given("a; b", *TEAM, started, budgets={"a": Budget(tokens=2_500)})
    run.when(spent("a", 1_400), failed("a"), passes(60)).then(statuses={"a": UNDONE})
    assert why(run, "a")[0] is WaitingFor.BUDGET
    run.when(*signed_off("b")).then(state=ExecutionState.PAUSED)


def test_a_budget_may_come_later_and_counts_what_was_spent_before() -> None:
    run = given("a; b <- a", *TEAM, started, spent("a", 900), candidate("a"), spent("a", 200))
    run.when(budget(tokens=1_500), passed("a")).then(statuses={"a": DONE, "b": UNDONE}, state=ExecutionState.PAUSED)


def test_a_budget_of_nothing_in_the_plan_is_refused() -> None:
    given("a", *TEAM, started).when(budget("unknown", tokens=1)).then(events=[], refused=TaskNotFound)


def test_without_a_budget_nothing_is_kept_in_mind() -> None:
    run = given("a", *TEAM, started, spent("a", 10**9), *signed_off("a"))
    assert run.execution.ledger is None
    run.then(state=ExecutionState.SUCCEEDED)


# ---------------------------------------------------------------- prices


@pytest.mark.guard(name="unknown prices are said first")
def test_a_model_without_a_price_is_not_asked_under_a_budget_of_cost() -> None:
    asks = Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"model"}), model="new"),))
    run = given("a", *TEAM, started_with(may_spend(cost=10**12)), requirements={"a": asks}, prices=PRICES)
    run.then(events=["ExecutionCreated", "ExecutionStarted", "ExecutionPaused"], state=ExecutionState.PAUSED)
    told = "the budget of the execution cannot be kept: the price of model new is not known"
    assert run.execution.reason == told
    assert why(run, "a") == (WaitingFor.RESUME, f"the execution is paused: {told}; resume it to go on")


def test_the_price_of_the_model_that_workers_offer_first_is_asked_for() -> None:
    for model, price_is_known in (("m", True), ("unheard", False), ("", True)):
        able = executor("w1", slots=2, model=model)
        run = given("a", able, started_with(may_spend(cost=10**12)), prices=PRICES)
        assert (doing(run) == ["a"]) is price_is_known, model
    nameless = given("a", executor("w1"), started_with(may_spend(cost=10**12)))
    assert nameless.execution.reason.endswith("the price of a model that has no name is not known")


def test_a_preset_has_the_price_of_its_model() -> None:
    asks = Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"model"}), model="writer"),))
    able = executor("w1", model="writer", own_names={"writer": "m"})
    run = given("a", able, started_with(may_spend(cost=10**12)), requirements={"a": asks}, prices=PRICES)
    assert doing(run) == ["a"]
    lease = run.execution.records[0].lease
    assert lease is not None
    assert lease.model == "m"


def test_a_budget_of_tokens_asks_for_no_price() -> None:
    assert doing(given("a", executor("w1", model="new"), started_with(may_spend(10_000)), prices=PRICES)) == ["a"]


@pytest.mark.guard(name="unknown prices are not zero")
def test_a_price_that_is_not_known_is_not_taken_for_nothing() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(cost=10**12)), prices=PRICES)
    run.when(costs("a", Usage(input_tokens=10, requests=1), model="new"), candidate("a"))
    run.then(state=ExecutionState.PAUSED)
    assert run.execution.reason == "the budget of the execution cannot be kept: 10 tokens have no known price"


def test_tokens_without_a_price_do_not_hold_a_budget_of_tokens_up() -> None:
    run = given("a; b <- a", *TEAM, started_with(may_spend(9_000)), spent("a", 10, priced=False), *signed_off("a"))
    run.then(statuses={"b": DOING})


# ---------------------------------------------------------------- by how much a budget is exceeded


def play(run: Run, chance: random.Random, *, honest: bool) -> tuple[Usage, int, int]:
    """Plays to the end: what was spent, and how much more than expected the attempts cost that were last under way.

    Each attempt tells an estimate first, then one of a part of its answer, then what was counted. `honest`: none takes
    more than was expected of it.
    """
    over: dict[LeaseId, tuple[int, int]] = {}
    last: list[LeaseId] = []
    entries = 0
    while held := [name for name in run.map.task_ids if run.execution.record(run.task(name)).lease is not None]:
        for entry in run.entries[entries:]:
            if isinstance(entry.event, events.TaskAssigned):
                last = [run.lease(name) for name in held]
        entries = len(run.entries)
        name = chance.choice(held)
        lease = run.machine.state.roster.leases[run.lease(name)]
        size, expected = size_of_lease(lease), lease.expected
        assert expected is not None
        room = expected.tokens - size.prompt
        asked = int(size.prompt * (chance.uniform(0.3, 1.0) if honest else chance.uniform(0.3, 2.5)))
        wrote = int(room * (chance.random() if honest else chance.choice((0.1, 0.9, 3.0))))
        total = PRICES.priced("m", Usage(input_tokens=asked, output_tokens=wrote, requests=1))
        over[lease.id] = max(0, total.tokens - expected.tokens), max(0, total.cost - expected.cost_nanos)
        steps = [costs(name, Usage(estimated_input_tokens=size.prompt, requests=1))]
        steps += [
            costs(name, Usage(estimated_input_tokens=size.prompt, estimated_output_tokens=wrote // 2, requests=1))
        ]
        steps += [costs(name, Usage(input_tokens=asked, output_tokens=wrote, requests=1))]
        run.when(*steps)
        is_executing = run.execution.task_status(run.task(name)) == DOING
        run.when(candidate(name) if is_executing else passed(name))
    assert run.execution.state in (ExecutionState.PAUSED, ExecutionState.SUCCEEDED)
    assert kept(run) == (0, 0)
    tokens, cost = (sum(over.get(lease, (0, 0))[which] for lease in last) for which in (0, 1))
    return ledger_of(run).spent.get(WHOLE, NOTHING), tokens, cost


def drawn(chance: random.Random, limits: Budget, *, limited: bool) -> Run:
    """A plan whose tasks have limits, or some of them; and whose judges vote."""
    names = [f"t{number}" for number in range(chance.randrange(1, 9))]
    terms = {
        name: Requirements(max_tokens=chance.choice((50, 400, 2_000)))
        for name in names
        if limited or chance.random() < 0.5
    }
    demands: Mapping[str, Demands] = {name: Demands(votes=chance.choice((1, 1, 3, 9))) for name in names}
    team = (
        executor("w1", slots=chance.randrange(1, 8), model="m"),
        validator("v1", slots=chance.randrange(1, 6), model="m"),
    )
    return given(
        "; ".join(names),
        *team,
        started_with(Settings(budget=limits)),
        requirements=terms,
        demands=demands,
        prices=PRICES,
    )


LIMITS = st.builds(
    Budget,
    tokens=st.one_of(st.none(), st.integers(0, 60_000)),
    cost_nanos=st.one_of(st.none(), st.integers(0, 60 * 10**9)),
)


@for_all(seed=st.integers(0, 2**32), limits=LIMITS)
def test_attempts_that_keep_to_what_was_expected_never_exceed_a_budget(seed: int, limits: Budget) -> None:
    chance = random.Random(seed)
    spent, _, _ = play(drawn(chance, limits, limited=True), chance, honest=True)
    assert limits.tokens is None or spent.tokens <= limits.tokens
    assert limits.cost_nanos is None or spent.cost <= limits.cost_nanos


@for_all(seed=st.integers(0, 2**32), limits=LIMITS)
def test_a_budget_is_exceeded_by_no_more_than_what_attempts_under_way_cost_beyond_their_expectations(
    seed: int, limits: Budget
) -> None:
    chance = random.Random(seed)
    spent, tokens, cost = play(drawn(chance, limits, limited=False), chance, honest=False)
    assert limits.tokens is None or spent.tokens <= limits.tokens + tokens
    assert limits.cost_nanos is None or spent.cost <= limits.cost_nanos + cost
