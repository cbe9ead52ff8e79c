"""The recorded costs of leases whose workers are killed, cut off or silent, and of workers that correct themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner_svc.core.decide.accounting import MOST_LATE_REPORTS, MOST_REPORTS
from runner_svc.core.model import events, signals
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, ExecutionState
from runner_svc.core.model.usage import NOTHING, Usage
from runner_svc.core.model.values import Budget, FailureKind, LeaseId, Role, SessionId, Settings
from runner_svc.core.spending.expectations import LEAST_AHEAD
from runner_svc.prices import Price, Prices
from tests.support.story import (
    Run,
    Step,
    accepted,
    candidate,
    costs,
    executor,
    failed,
    given,
    given_back,
    judge_broke,
    passed,
    passes,
    paused,
    resumed,
    retried,
    started,
    started_with,
    stopped,
    validator,
    worker_lost,
)

PRICES = Prices("EUR", {"m": Price(input=1_000, output=3_000)})
TEAM = (executor("w1", slots=7, model="m"), validator("v1", slots=5, model="m"))
PROMPT = 335  # tokens, of a task whose name has one letter
FUNCTION = Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"})),))
BOOKED = Usage(
    estimated_input_tokens=PROMPT,
    estimated_output_tokens=LEAST_AHEAD,
    estimated_cost_nanos=PROMPT * 1_000_000 + LEAST_AHEAD * 3_000_000,
)


def begun(*steps: Step, text: str = "a", terms: dict[str, Requirements] | None = None) -> Run:
    return given(text, *TEAM, started, accepted("a"), *steps, prices=PRICES, requirements=terms or {})


def books(run: Run) -> dict[str, Usage]:
    """Returns the cost of the execution by model, both phases together."""
    found: dict[str, Usage] = {}
    for (_, model), usage in run.execution.usage.items():
        found[model] = found.get(model, NOTHING) + usage
    return found


def under(run: Run, task: str = "a") -> tuple[SessionId, LeaseId]:
    return run.holder(task), run.lease(task)


# ---------------------------------------------------------------- silence


@pytest.mark.guard(name="a lost lease is booked")
def test_the_prompt_of_a_worker_that_was_lost_without_a_word_is_booked() -> None:
    run = begun().when(worker_lost("w1"), passes(61))
    run.then(events=["UsageRecorded a", "LeaseLost a"])
    assert books(run) == {"m": BOOKED}


@pytest.mark.parametrize(
    ("step", "events"),
    [
        (stopped, ["UsageRecorded a", "LeaseReturned a", "ExecutionStopped"]),
        (retried("a"), ["UsageRecorded a", "LeaseReturned a", "TaskRetried a", "TaskAssigned a"]),
        (passes(121), ["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"]),
    ],
)
@pytest.mark.guard(name="a lost lease is booked")
def test_so_is_that_of_one_that_was_cut_off(step: Step, events: list[str]) -> None:
    run = begun().when(step).then(events=events)
    assert books(run) == {"m": BOOKED}


def test_so_is_that_of_a_judge_with_all_its_votes() -> None:
    run = begun(candidate("a"), accepted("a")).when(passes(121)).then(events=["UsageRecorded a", "JudgeFailed a"])
    assert books(run)["m"].estimated_input_tokens > 1_500


def test_a_pause_cuts_nobody_off() -> None:
    run = begun(paused)
    assert books(run) == {}
    run.when(costs("a", Usage(input_tokens=5, requests=1)), candidate("a"))
    assert books(run)["m"].tokens == 5


@pytest.mark.parametrize("step", [given_back("a"), failed("a"), candidate("a")])
def test_nothing_is_booked_for_who_brings_a_result_or_gives_back(step: Step) -> None:
    assert books(begun().when(step)) == {}


def test_nothing_is_booked_for_what_was_never_begun() -> None:
    run = given("a", *TEAM, started, prices=PRICES).when(stopped)
    assert books(run) == {}
    assert books(given("a", *TEAM, started, prices=PRICES).when(worker_lost("w1"), passes(61))) == {}


def test_nothing_is_booked_for_who_asks_no_model() -> None:
    able = executor("w1", abilities=Abilities(handlers=frozenset({"fetch"})))
    run = given("a", able, started, accepted("a"), requirements={"a": FUNCTION}).when(worker_lost("w1"), passes(61))
    assert books(run) == {}


def test_nothing_is_booked_beside_what_a_worker_has_told() -> None:
    run = begun(costs("a", Usage(estimated_input_tokens=300, requests=1))).when(worker_lost("w1"), passes(61))
    assert books(run)["m"].tokens == 300


def test_a_model_without_a_price_is_booked_with_tokens_that_have_none() -> None:
    run = given("a", executor("w1", model="new"), started, accepted("a"), prices=PRICES).when(stopped)
    assert books(run) == {"new": replace(BOOKED, estimated_cost_nanos=0, unpriced_tokens=BOOKED.tokens)}


# ---------------------------------------------------------------- and words that come after all


@pytest.mark.guard(name="corrections are taken")
def test_the_true_costs_replace_what_was_booked() -> None:
    run = begun()
    lease = under(run)[1]
    run.when(worker_lost("w1"), passes(61), executor("w1", slots=7, model="m"))
    told = Usage(input_tokens=290, output_tokens=12, requests=1)
    run.when(costs("a", told, under=(run.sessions["w1"], lease)))
    assert books(run) == {"m": PRICES.priced("m", told)}
    run.when(costs("a", told, under=(run.sessions["w1"], lease))).then(events=[])


def test_they_replace_it_under_another_name_too() -> None:
    run = begun()
    lease = under(run)[1]
    run.when(worker_lost("w1"), passes(61), executor("w1", slots=7, model="m"))
    told = Usage(input_tokens=290, output_tokens=12, requests=1)
    run.when(costs("a", told, model="m-2", under=(run.sessions["w1"], lease)))
    assert books(run) == {"m": NOTHING, "m-2": PRICES.priced("m-2", told)}


@pytest.mark.parametrize("seconds", [121, 1_801])
@pytest.mark.guard(name="costs after a time-out")
def test_costs_that_come_after_a_time_out_are_taken_in(seconds: float) -> None:
    run = begun(costs("a", Usage(estimated_input_tokens=300, estimated_output_tokens=60, requests=1)))
    lease = under(run)
    run.when(passes(seconds)).then(events=["AttemptFailed a", "RetryScheduled a"])
    run.when(costs("a", Usage(input_tokens=280, output_tokens=40, requests=1), under=lease))
    assert (books(run)["m"].tokens, books(run)["m"].is_counted) == (320, True)
    run.when(costs("a", Usage(input_tokens=280, output_tokens=40, requests=1), under=lease)).then(events=[])


def test_those_of_a_judge_that_ran_out_of_time_too() -> None:
    run = begun(candidate("a"), accepted("a"), costs("a", Usage(estimated_input_tokens=900, requests=1)))
    lease = under(run)
    run.when(passes(121)).then(events=["JudgeFailed a"])
    run.when(costs("a", Usage(input_tokens=700, output_tokens=40, requests=1), under=lease))
    assert books(run)["m"].tokens == 740


def test_costs_of_a_judge_that_gave_up_are_counted_once() -> None:
    run = begun(candidate("a"), costs("a", Usage(input_tokens=900, requests=1)))
    lease = under(run)
    run.when(judge_broke("a"), costs("a", Usage(input_tokens=900, requests=1), under=lease)).then(
        events=["JudgeFailed a"]
    )


def test_after_a_time_out_no_late_result_is_kept() -> None:
    run = begun()
    session, lease = under(run)
    run.when(passes(121))
    late = signals.WorkFailed(at=run.at, session=session, lease=lease, kind=FailureKind.TRANSIENT, message="late")
    run.when(lambda _: late).then(events=[], commands=["Acknowledge a -> w1"])


def test_what_is_forgotten_of_old_leases_is_never_counted_twice() -> None:
    run = given("a", *TEAM, started, prices=PRICES)
    first = None
    for number in range(40):
        run.when(costs("a", Usage(input_tokens=10, requests=1)))
        first = under(run) if number == 20 else first
        run.when(stopped, resumed)
        assert first is None or not run.when(costs("a", Usage(input_tokens=10, requests=1), under=first)).last.entries
    assert books(run)["m"].tokens == 400


# ---------------------------------------------------------------- what always fails ends at its budget


def test_a_task_whose_worker_always_dies_ends_at_its_budget() -> None:
    settings = Settings(budget=Budget(tokens=2_000), max_losses=1_000)
    run = given("a", started_with(settings), requirements={"a": Requirements(max_tokens=100)})
    deaths = 0
    while run.execution.state is ExecutionState.RUNNING and deaths < 50:
        run.when(executor("w1"))
        if run.execution.status[0] == DOING:
            run.when(accepted("a"), worker_lost("w1"), passes(61))
            deaths += 1
    assert run.execution.state is ExecutionState.PAUSED
    assert deaths == 5
    assert run.execution.reason.startswith("the budget of the execution is used up: 1,835 of 2,000 tokens are spent")


def test_a_task_whose_answers_are_always_cut_off_ends_at_its_budget() -> None:
    settings = Settings(budget=Budget(tokens=5_000), max_failures=1_000)
    run = given("a", *TEAM, started_with(settings))
    attempts = 0
    while run.execution.state is ExecutionState.RUNNING and attempts < 50:
        cut = Usage(estimated_input_tokens=PROMPT, estimated_output_tokens=500, requests=1)
        run.when(costs("a", cut), failed("a"), passes(100))
        attempts += 1
    assert run.execution.state is ExecutionState.PAUSED
    assert attempts == 5


# ---------------------------------------------------------------- many reports


def report(run: Run, lease: tuple[SessionId, LeaseId], total: Usage) -> int:
    """Returns how many rows were recorded."""
    signal = signals.UsageReported(at=run.at, session=lease[0], lease=lease[1], model="m", total=total)
    entries = run.machine.turn([signal]).entries
    run.entries += entries
    return len(entries)


@pytest.mark.guard(name="the last correction is kept")
def test_the_last_correction_is_recorded_however_many_reports_there_were() -> None:
    run = begun()
    lease = under(run)
    for tokens in range(1, 2 * MOST_REPORTS):
        report(run, lease, Usage(input_tokens=tokens, estimated_output_tokens=50_000, requests=1))
    last = Usage(input_tokens=2 * MOST_REPORTS, output_tokens=70, requests=1)
    assert report(run, lease, last) == 0
    decision = run.machine.turn([candidate("a")(run)])  # type: ignore[list-item]
    assert [type(entry.event) for entry in decision.entries][:2] == [events.UsageRecorded, events.CandidateStored]
    assert books(run)["m"] == last


@pytest.mark.guard(name="bounded rows of corrections")
@pytest.mark.parametrize("is_late", [False, True])
def test_a_worker_that_raises_and_lowers_its_estimates_for_ever_writes_a_bounded_number_of_rows(is_late: bool) -> None:
    run = begun()
    lease = under(run)
    if is_late:
        run.when(stopped)
    rows = 0
    for number in range(6_000):
        rows += report(run, lease, Usage(input_tokens=1, estimated_input_tokens=10**6 * (number % 2), requests=1))
    assert rows <= (MOST_LATE_REPORTS if is_late else MOST_REPORTS) + 10


def test_how_many_late_reports_there_were_is_known_after_a_new_stream() -> None:
    run = begun()
    lease = under(run)
    run.when(stopped)
    for tokens in range(1, 200):
        report(run, lease, Usage(input_tokens=10**6 + tokens, requests=1))
    run.when(executor("w1", model="m"))
    assert report(run, (run.sessions["w1"], lease[1]), Usage(input_tokens=10**6 + 201, requests=1)) == 0
    assert report(run, (run.sessions["w1"], lease[1]), Usage(input_tokens=10**7, requests=1)) == 1


# ---------------------------------------------------------------- changes


def test_a_price_that_becomes_known_or_unknown_leaves_no_rest_of_an_estimate() -> None:
    estimate = Usage(estimated_input_tokens=100, estimated_output_tokens=30, requests=1)
    counted = Usage(input_tokens=80, output_tokens=20, requests=1)
    for first, then in ((Prices(), PRICES), (PRICES, Prices())):
        before, after = first.priced("m", estimate), then.priced("m", counted)
        assert sum(before.changes_to(after), start=before) == after
    known, unknown = PRICES.priced("m", estimate), Prices().priced("m", estimate)
    assert sum(known.changes_to(NOTHING), start=known) == Usage(requests=1)
    assert sum(unknown.changes_to(NOTHING), start=unknown) == Usage(requests=1)
    assert list(known.changes_to(replace(known))) == []


@pytest.mark.guard(name="reports of the past")
def test_an_estimate_that_comes_again_after_it_was_counted_changes_nothing() -> None:
    estimate, counted = Usage(estimated_input_tokens=300, requests=1), Usage(input_tokens=250, requests=1)
    run = begun(costs("a", estimate), costs("a", counted))
    run.when(costs("a", estimate)).then(events=[])
    assert books(run) == {"m": PRICES.priced("m", counted)}
    fewer = Usage(input_tokens=240, output_tokens=9, requests=1)
    run.when(costs("a", replace(estimate, input_tokens=250, requests=2)), costs("a", replace(fewer, requests=2)))
    assert (books(run)["m"].input_tokens, books(run)["m"].is_counted) == (250, True)


def test_the_costs_of_an_execution_are_the_sum_of_those_of_its_tasks() -> None:
    run = given("a; b", *TEAM, started, accepted("a"), accepted("b"), prices=PRICES)
    run.when(costs("a", Usage(estimated_input_tokens=7, requests=1)), candidate("a"))
    run.when(costs("a", Usage(input_tokens=9, requests=1)), passed("a"), worker_lost("w1"), passes(61))
    total = sum(
        (sum(r.usage.values(), start=NOTHING) for r in run.execution.records.values() if r.usage), start=NOTHING
    )
    assert total == books(run)["m"] == Usage(
        input_tokens=9, requests=2, estimated_input_tokens=7 + PROMPT, estimated_output_tokens=LEAST_AHEAD,
        cost_nanos=9_000_000, estimated_cost_nanos=7 * 1_000_000 + BOOKED.estimated_cost_nanos,
    )  # fmt: skip
