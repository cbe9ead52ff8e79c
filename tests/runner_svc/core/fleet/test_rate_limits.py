"""All workers together keep to the rate limit of a model."""

from __future__ import annotations

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.fleet.rate_limits import MINUTE, Limit, RateLimiter
from runner_svc.core.fleet.timings import ModelTables
from runner_svc.core.machine import Machine
from runner_svc.core.model import signals
from runner_svc.core.model.pass_rules import Demands
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, UNDONE
from runner_svc.core.model.usage import Usage
from runner_svc.core.model.values import Role
from runner_svc.core.spending.expectations import FIRST_ANSWER
from tests.support.story import Run, Step, candidate, costs, executor, passes, spent, started, validator

ASKS_M = Abilities(handlers=frozenset({"model"}), models=frozenset({"m"}))


def limited(
    text: str,
    *steps: Step,
    requirements: dict[str, Requirements] | None = None,
    demands: dict[str, Demands] | None = None,
    **limits: Limit,
) -> Run:
    """Returns a run whose models have limits; its workers ask m."""
    run = Run(text, requirements or {}, demands=demands or {})
    run.machine = Machine(tables=ModelTables(limits=limits))
    run.entries.clear()
    run.begin()
    return run.when(*steps)


def doing(run: Run) -> list[str]:
    return [run.map.name(task) for task in range(run.map.task_count) if run.execution.status[task] == DOING]


def worker(name: str = "w1", slots: int = 9) -> Step:
    return executor(name, slots=slots, abilities=ASKS_M, model="m")


@pytest.mark.guard(name="gates")
def test_no_more_is_given_out_than_requests_a_minute() -> None:
    run = limited("a; b; c", worker(), validator("v"), started, m=Limit(requests=2))
    assert doing(run) == ["a", "b"]
    waiting = waiting_of(run.machine.state, run.execution, run.task("c"), run.at)
    assert waiting is not None
    assert (waiting.what, waiting.message) == (
        WaitingFor.RATE,
        "it waits for the rate limit of m: its turn comes in 30.0 s",
    )
    assert waiting.until == run.at + 30


def test_time_alone_opens_a_limiter() -> None:
    run = limited("a; b; c", worker(), started, m=Limit(requests=2))
    assert run.machine.next_deadline is not None
    run.when(all_accepted, passes(29)).then(statuses={"c": UNDONE})
    run.when(passes(1)).then(events=["TaskAssigned c"])


def all_accepted(run: Run) -> list[signals.Signal]:
    leases = list(run.machine.state.roster.leases.values())
    return [signals.LeaseAccepted(at=run.at, session=run.sessions[lease.worker], lease=lease.id) for lease in leases]


def test_all_workers_share_a_limiter() -> None:
    run = limited("a; b; c; d", worker("w1"), worker("w2"), started, m=Limit(requests=3))
    assert len(doing(run)) == 3


def test_another_model_goes_on() -> None:
    requirements = {
        "b": Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"model"}), model="other"),))
    }
    both = Abilities(handlers=frozenset({"model"}), models=frozenset({"m", "other"}))
    able = executor("w1", slots=9, abilities=both, model="m")
    run = limited("a; b; c", able, started, requirements=requirements, m=Limit(requests=1))
    assert doing(run) == ["a", "b"]


def test_functions_and_commands_ask_no_model() -> None:
    wants = Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"}))
    requirements = {name: Requirements(executors=(wants,)) for name in "abc"}
    able = executor("w1", slots=9, abilities=Abilities(handlers=frozenset({"fetch"})), model="m")
    assert doing(limited("a; b; c", able, started, requirements=requirements, m=Limit(requests=1))) == ["a", "b", "c"]


def test_tokens_are_taken_by_a_guess_and_settled_by_use() -> None:
    run = limited("a; b; c", worker(), validator("v"), started, m=Limit(tokens=2 * FIRST_ANSWER))
    assert doing(run) == ["a", "b"]
    run.when(spent("a", 100), candidate("a")).then(statuses={"c": DOING})


def test_a_long_answer_that_is_allowed_is_taken_beforehand() -> None:
    requirements = {"a": Requirements(max_tokens=4 * FIRST_ANSWER)}
    run = limited(
        "a; b", worker(), validator("v"), started, requirements=requirements, m=Limit(tokens=4 * FIRST_ANSWER)
    )
    assert doing(run) == ["a"]


@pytest.mark.guard(name="votes are requests")
def test_each_vote_of_a_judge_takes_a_request() -> None:
    judge = validator("v", slots=9, abilities=Abilities(handlers=frozenset({"judge"})), model="j")
    demands = {"a": Demands(votes=3)}
    run = limited("a; b", worker(), judge, started, demands=demands, j=Limit(requests=3))
    run.when(candidate("a"), candidate("b"))
    assert [run.execution.record(task).lease is not None for task in (0, 1)] == [True, False]
    run.when(all_accepted, passes(20)).then(events=["TaskAssigned b"])


def test_what_a_correction_takes_back_is_free_for_others() -> None:
    run = limited("a; b; c", worker(), validator("v"), started, m=Limit(tokens=2 * FIRST_ANSWER))
    assert doing(run) == ["a", "b"]
    run.when(costs("a", Usage(estimated_input_tokens=400, estimated_output_tokens=9_000, requests=1)))
    run.when(costs("a", Usage(input_tokens=90, output_tokens=10, requests=1)), candidate("a"))
    assert doing(run) == ["b", "c"]


def test_an_attempt_that_cost_more_than_guessed_is_paid_for_later() -> None:
    run = limited("a; b", worker(), validator("v"), started, m=Limit(tokens=FIRST_ANSWER))
    run.when(spent("a", 10 * FIRST_ANSWER), candidate("a"))
    assert doing(run) == []
    run.when(passes(MINUTE)).then(statuses={"b": UNDONE})


def test_a_limiter_never_closes_for_good() -> None:
    limiter = RateLimiter("m", Limit(tokens=10))
    limiter.guess = 1e9
    limiter.take()
    assert limiter.opens_at(0.0) < float("inf")


@for_all(limit=st.integers(1, 20), asked=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=60))
def test_in_no_minute_more_than_twice_the_limit_is_let_through(limit: int, asked: list[float]) -> None:
    """A bucket that is full lets a minute's worth through at once, and fills meanwhile."""
    limiter, at, let_through = RateLimiter("m", Limit(requests=limit)), 0.0, []
    for pause in asked:
        at += pause
        while limiter.opens_at(at) <= at:
            limiter.take()
            let_through.append(at)
    for begin in let_through:
        assert sum(begin <= moment < begin + MINUTE for moment in let_through) <= 2 * limit
