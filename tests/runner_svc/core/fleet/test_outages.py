"""Outages: a model that is away costs no task a failure, and one lease at a time asks it until it answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner_svc.core.explain.why_waiting import Waiting, WaitingFor, waiting_of
from runner_svc.core.fleet.outages import LONGEST_WAIT, MOST_MODELS, MOST_OUTAGES
from runner_svc.core.machine import Machine
from runner_svc.core.model import signals
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import FailureKind, ModelAt, Role, Settings
from runner_svc.core.state.execution import Execution
from tests.support.story import (
    Run,
    answered,
    away,
    canary_of,
    candidate,
    executor,
    failed,
    given,
    judge_broke,
    jumps,
    passed,
    passes,
    paused,
    resumed,
    signed_off,
    spent,
    started,
    started_with,
    validator,
    worker_lost,
)

HOST = "http://host/v1"
TEAM = (executor("w1", slots=3, model="m", endpoint=HOST), validator("v1", slots=3, model="j", endpoint=HOST))
PATIENCE = 900.0


def out(run: Run) -> list[str]:
    """Returns the tasks that workers hold."""
    return [run.map.name(lease.task) for lease in run.machine.state.roster.leases.values()]


def waits(run: Run, task: str) -> Waiting:
    waiting = waiting_of(run.machine.state, run.execution, run.task(task), run.at)
    assert waiting is not None
    return waiting


def next_try(run: Run, model: str = "m") -> float:
    known = run.machine.state.roster.outages.get(ModelAt(model, HOST))
    assert known is not None
    return known.next_try


def to_next_try(run: Run) -> None:
    """Lets the time pass until the model is asked again."""
    run.when(passes(next_try(run) - run.at))


@pytest.mark.guard(name="outages are no failures")
@pytest.mark.parametrize("kind", [FailureKind.OUTAGE, FailureKind.RATE_LIMITED, FailureKind.BUDGET])
def test_an_executor_whose_model_is_away_costs_no_failure_however_often(kind: FailureKind) -> None:
    run = given("a", *TEAM, started)
    run.when(away("a", kind=kind)).then(events=["OutageMet a"], statuses={"a": UNDONE})
    for _ in range(20):
        to_next_try(run)
        run.then(events=["TaskAssigned a"])
        run.when(away("a", kind=kind))
    record = run.execution.record(0)
    assert (record.failures, record.attempt, record.losses) == (0, 0, 0)
    to_next_try(run)
    run.when(*signed_off("a")).then(state=ExecutionState.SUCCEEDED)
    assert run.execution.record(0).attempt == 1


def test_a_judge_that_is_away_costs_no_judge_error_however_often() -> None:
    run = given("a", *TEAM, started, candidate("a"))
    run.when(away("a")).then(events=["OutageMet a"], statuses={"a": VALIDATING})
    for _ in range(20):
        run.when(passes(next_try(run, "j") - run.at), away("a"))
    assert run.execution.record(0).judge_errors == 0
    run.when(passes(next_try(run, "j") - run.at), passed("a")).then(state=ExecutionState.SUCCEEDED)


@pytest.mark.guard(name="one probe at a time")
def test_a_model_that_is_away_is_asked_by_one_at_a_time() -> None:
    run = given("a; b; c; d", *TEAM, started, away("a"), away("b"), away("c"))
    assert out(run) == []
    to_next_try(run)
    assert len(out(run)) == 1
    run.when(passes(60))
    assert len(out(run)) == 1, "no other worker asks before the first has found out"


@pytest.mark.guard(name="the first word ends an outage")
def test_the_first_word_of_the_model_has_all_that_waits_go_on_at_once() -> None:
    run = given("a; b; c", *TEAM, started, away("a"), away("b"), away("c"))
    to_next_try(run)
    (probe,) = out(run)
    run.when(answered(probe))
    assert [type(entry.event).__name__ for entry in run.last.entries] == ["OutageEnded", "TaskAssigned", "TaskAssigned"]
    assert sorted(out(run)) == ["a", "b", "c"]
    assert run.execution.outages == {}


@pytest.mark.parametrize("result", ["a candidate", "tokens"])
def test_a_result_of_the_one_that_asks_ends_the_outage_too(result: str) -> None:
    run = given("a; b", *TEAM, started, away("a"), away("b"))
    to_next_try(run)
    (probe,) = out(run)
    run.when(candidate(probe) if result == "a candidate" else spent(probe, 7, output=True))
    assert not run.machine.state.roster.outages


@pytest.mark.parametrize(
    "is_away_anew",
    [pytest.param(True, marks=pytest.mark.guard(name="an outage that is over for others is over for all")), False],
)
def test_an_outage_that_ended_during_a_quarantine_is_over_when_the_execution_comes_back(is_away_anew: bool) -> None:
    """Its journal says since when the model is away; its patience would count from a time before the model answered."""
    run = given("a; b", *TEAM, started, away("a", retry_after=600))
    execution, outages, model = run.execution, run.machine.state.roster.outages, ModelAt("m", HOST)
    outages.end(model)  # it answered another execution, while this one was held back
    if is_away_anew:
        outages.met(model, "again", is_probe=False, retry_after=None, fraction=0.5, at=run.at + 60)
    run.machine.readmit(execution, run.at + 60)
    run.when(passes(60))
    ended = [type(entry.event).__name__ for entry in run.last.entries].count("OutageEnded")
    known = outages.get(model)
    assert known is not None
    expected = (1, [], "again") if is_away_anew else (0, [model], "it said 503")
    assert (ended, list(execution.outages), known.message) == expected


def test_what_does_not_come_of_the_model_ends_no_outage() -> None:
    run = given("a; b; c", executor("w1", slots=3, model="m", endpoint=HOST), started, away("a"))
    run.when(answered("b"))  # it was answering before, and goes on
    assert run.machine.state.roster.outages
    run.when(failed("c"))
    assert run.machine.state.roster.outages


def test_the_one_that_asks_may_be_lost_and_another_asks_instead() -> None:
    run = given("a; b", executor("w1", slots=2, model="m", endpoint=HOST), started, away("a"), away("b"))
    to_next_try(run)
    assert len(out(run)) == 1
    run.when(worker_lost("w1", orderly=True), executor("w2", slots=2, model="m", endpoint=HOST))
    assert len(out(run)) == 1


def test_a_model_is_asked_less_and_less_often_and_at_least_every_half_minute() -> None:
    run = given("a", *TEAM, started, away("a"))
    pauses = []
    for _ in range(12):
        pauses.append(next_try(run) - run.at)
        to_next_try(run)
        run.when(away("a"))
    for number, pause in enumerate(pauses):
        assert min(LONGEST_WAIT, 2.0**number) / 2 <= pause <= min(LONGEST_WAIT, 2.0**number)


@pytest.mark.guard(name="a provider's time is obeyed")
def test_the_time_that_a_provider_asks_for_is_obeyed_by_all() -> None:
    run = given("a; b", *TEAM, started, away("a", retry_after=120.0))
    run.when(away("b", retry_after=200.0))
    assert next_try(run) == run.at + 200
    run.when(passes(199))
    assert out(run) == []
    run.when(passes(1))
    assert len(out(run)) == 1


def test_other_models_and_other_endpoints_go_on() -> None:
    wants = Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"model"}), model="n"),))
    can = Abilities(handlers=frozenset({"model"}), models=frozenset({"m", "n"}))
    run = given("a; b; c", executor("w1", abilities=can, model="m", endpoint=HOST), started, requirements={"c": wants})
    run.when(away("a"))
    assert out(run) == ["c"]
    run.when(executor("w2", model="m", endpoint="http://elsewhere/v1"))
    assert sorted(out(run)) == ["a", "c"] or sorted(out(run)) == ["b", "c"]


def test_the_task_goes_to_another_worker_when_there_is_one() -> None:
    run = given("a", executor("w1", model="m"), executor("w2", model="m"), started)
    first = run.holder("a")
    run.when(away("a"), passes(1))
    assert run.holder("a") != first


def test_why_says_which_model_is_away_since_when_and_when_it_is_tried_next() -> None:
    run = given("a; b", *TEAM, started, away("a", retry_after=20.0), away("b"))
    for task in ("a", "b"):
        waiting = waits(run, task)
        assert waiting.what is WaitingFor.MODEL
        assert waiting.until == run.at + 20
        expected = "the model m at http://host/v1 has been away since 22:13:20 UTC, next try in 20 s: it said 503"
        assert waiting.message == expected
    run.when(passes(20))
    (probe,) = out(run)
    other = "b" if probe == "a" else "a"
    assert "it is being tried again" in waits(run, other).message


# ---------------------------------------------------------------- the end of patience


def keep_away(run: Run, task: str, seconds: float) -> None:
    """Keeps the model away for so many seconds."""
    end = run.at + seconds
    while run.execution.state is ExecutionState.RUNNING and next_try(run) <= end:
        to_next_try(run)
        run.when(away(task))
    if run.execution.state is ExecutionState.RUNNING:
        run.when(passes(end - run.at))


@pytest.mark.guard(name="patience ends with a pause")
def test_after_the_patience_the_execution_is_paused_with_the_reason_and_nothing_is_lost() -> None:
    run = given("a; b <- a", *TEAM, started, *signed_off("a"), away("b"))
    keep_away(run, "b", PATIENCE - 1)
    run.then(state=ExecutionState.RUNNING)
    keep_away(run, "b", 1 + LONGEST_WAIT)
    run.then(state=ExecutionState.PAUSED, statuses={"b": UNDONE})
    assert run.execution.reason == (
        "the model m at http://host/v1 has been away since 22:13:20 UTC, which is longer than this work waits for it: "
        "it said 503; resume once it answers"
    )
    assert run.execution.record(1).failures == 0
    run.when(resumed).then(events=["ExecutionResumed", "TaskAssigned b"], state=ExecutionState.RUNNING)
    run.when(*signed_off("b")).then(state=ExecutionState.SUCCEEDED)


@pytest.mark.guard(name="patience stands still while the clock jumps")
def test_the_patience_stands_still_while_the_clock_jumps() -> None:
    run = given("a", *TEAM, started_with(Settings(outage_patience=60.0)), away("a", retry_after=86_400.0))
    run.when(passes(50), jumps(28_800), passes(9)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(events=["ExecutionPaused"], state=ExecutionState.PAUSED)


def test_the_patience_ends_in_time_although_a_provider_wants_a_day() -> None:
    run = given("a", *TEAM, started_with(Settings(outage_patience=60.0)), away("a", retry_after=86_400.0))
    deadline = run.machine.next_deadline
    assert deadline == run.at + 60
    run.when(passes(59)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(events=["ExecutionPaused"], state=ExecutionState.PAUSED)


def test_a_resumed_execution_has_its_patience_again() -> None:
    run = given("a", *TEAM, started_with(Settings(outage_patience=60.0)), away("a", retry_after=3_600.0), passes(60))
    run.then(state=ExecutionState.PAUSED)
    run.when(resumed, away("a", retry_after=3_600.0), passes(59)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(state=ExecutionState.PAUSED)


def test_other_work_goes_on_to_its_end_before_the_pause() -> None:
    run = given("a; b; c <- b", *TEAM, started_with(Settings(outage_patience=4.0)), away("a", retry_after=3_600.0))
    run.when(passes(8)).then(state=ExecutionState.RUNNING, statuses={"b": DOING})
    run.when(candidate("b"), passes(5)).then(state=ExecutionState.RUNNING, statuses={"b": VALIDATING})
    run.when(passed("b")).then(state=ExecutionState.PAUSED, statuses={"c": UNDONE})


def test_a_task_may_have_a_patience_of_its_own() -> None:
    terms = {"a": Requirements(outage_patience=2_000.0)}
    run = given("a", *TEAM, started, away("a", retry_after=3_600.0), requirements=terms)
    run.when(passes(1_999)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(state=ExecutionState.PAUSED)


def test_a_shorter_patience_of_one_task_pauses_nothing_while_another_still_waits() -> None:
    run = given("a; b", *TEAM, started, requirements={"a": Requirements(outage_patience=10.0)})
    run.when(away("a", retry_after=3_600.0), away("b")).when(passes(899)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(state=ExecutionState.PAUSED)


@pytest.mark.guard(name="patience looks at every task once")
def test_a_short_patience_of_one_task_has_every_task_looked_at_once_and_not_in_each_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []

    def note(execution: Execution, task: int) -> float:
        looks.append(task)
        return execution.settings.outage_patience

    monkeypatch.setattr(Execution, "outage_patience", note)
    names = [f"t{number}" for number in range(50)]
    run = given("; ".join([*names, "y; z <- y"]), *TEAM, started, requirements={"z": Requirements(outage_patience=0.0)})
    run.when(*[away(task, retry_after=3_600.0) for task in out(run)], passes(1))
    assert set(looks) == set(range(51))
    looks.clear()
    for _ in range(10):
        run.when(passes(1), lambda run: signals.CreditGranted(at=run.at, session=run.sessions["w1"], window=3))
    assert looks == []


def test_the_patience_is_that_of_the_workers_that_are_left() -> None:
    hosts = ("http://one/v1", "http://two/v1")
    run = given("a", executor("w1", model="m", endpoint=hosts[0]), started, away("a", retry_after=7_200.0))
    run.when(passes(500), executor("w2", model="m", endpoint=hosts[1]), away("a", retry_after=3_600.0), passes(300))
    run.when(worker_lost("w2", orderly=True), passes(99)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(state=ExecutionState.PAUSED)


def test_an_execution_that_goes_on_during_an_outage_waits_from_then() -> None:
    run = given("a", *TEAM, started_with(Settings(outage_patience=60.0)), away("a", retry_after=3_600.0), passes(50))
    run.when(paused, passes(5), resumed, away("a", retry_after=3_600.0))
    run.when(passes(59)).then(state=ExecutionState.RUNNING)
    run.when(passes(1)).then(state=ExecutionState.PAUSED)


def test_a_judge_that_is_away_for_long_pauses_the_execution_and_keeps_the_candidate() -> None:
    run = given("a", *TEAM, started_with(Settings(outage_patience=60.0)), candidate("a"))
    run.when(away("a", retry_after=3_600.0), passes(60)).then(
        state=ExecutionState.PAUSED, statuses={"a": VALIDATING}, events=["OutageMet a", "ExecutionPaused"]
    )
    run.when(resumed, passed("a")).then(state=ExecutionState.SUCCEEDED)


# ---------------------------------------------------------------- what is no outage


@pytest.mark.guard(name="an outage of one task alone is a failure")
def test_a_task_that_alone_fails_again_and_again_while_its_model_answers_others_fails_like_any_other() -> None:
    others = [f"o{number}" for number in range(MOST_OUTAGES)]
    slots = len(others) + 1
    run = given("; ".join([*others, "a"]), executor("w1", slots=slots, model="m", endpoint=HOST), started)
    for other in others:
        run.when(away("a")).then(events=["OutageMet a"])
        run.when(away(other))
        to_next_try(run)
        run.when(answered(other)).then(events=["OutageEnded", "TaskAssigned a"])
    run.when(away("a")).then(events=["AttemptFailed a", "RetryScheduled a"])
    assert not run.machine.state.roster.outages, "the others need not wait for it"
    assert run.execution.record(run.task("a")).failures == 1
    run.when(passes(1), away("a"))
    assert run.execution.record(run.task("a")).failures == 1


def test_a_judge_that_breaks_by_itself_counts_as_before() -> None:
    run = given("a", *TEAM, started, candidate("a"), judge_broke("a"))
    assert run.execution.record(0).judge_errors == 1
    assert not run.machine.state.roster.outages


def test_a_task_that_asks_no_model_fails_like_any_other() -> None:
    terms = {"a": Requirements(executors=(Requirement(role=Role.EXECUTOR, handlers=frozenset({"fetch"})),))}
    can = Abilities(handlers=frozenset({"fetch"}))
    run = given("a", executor("w1", abilities=can), started, requirements=terms)
    run.when(away("a")).then(events=["AttemptFailed a", "RetryScheduled a"])


@pytest.mark.guard(name="candidates of judges that are away hold no other up")
def test_candidates_of_a_judge_that_is_away_hold_no_executor_up() -> None:
    names = [f"t{number}" for number in range(30)]
    run = given("; ".join(names), executor("w1", model="m"), validator("v1", model="j", endpoint=HOST), started)
    run.when(candidate(names[0]), away(names[0], retry_after=600.0))
    for name in names[1:]:
        run.when(candidate(name))
    run.then(statuses=dict.fromkeys(names, VALIDATING))


def test_a_model_that_is_away_is_so_after_a_restart_too() -> None:
    run = given("a", *TEAM, started, away("a", retry_after=50.0))
    before = run.machine.state.roster.outages.get(ModelAt("m", HOST))
    again = Machine()
    again.state.executions[run.execution.id] = run.execution
    again.restore(run.at)
    assert again.state.roster.outages.get(ModelAt("m", HOST)) == before


@pytest.mark.guard(name="the models that are away at once are bounded")
def test_the_models_that_are_away_at_once_are_bounded_and_one_that_is_not_asked_is_forgotten() -> None:
    run = given("a; b", *TEAM, started)
    outages = run.machine.state.roster.outages
    for number in range(MOST_MODELS):
        wait = 2.0 if number == 7 else 60.0
        outages.met(ModelAt(f"m{number}", HOST), "away", is_probe=False, retry_after=wait, fraction=0.0, at=run.at)
    run.when(passes(5), away("a")).then(events=["OutageMet a"])
    assert len(outages) == MOST_MODELS
    assert outages.get(ModelAt("m7", HOST)) is None
    assert run.execution.record(0).failures == 0


def own_model_away() -> Run:
    """Returns a run in which w1 cannot ask a model that only w1 asks."""
    return given("a", executor("w1", model="m"), started, away("a", retry_after=600.0))


@pytest.mark.guard(name="the models of a worker that leaves are not away")
def test_an_outage_of_a_model_that_one_worker_alone_asks_ends_when_that_worker_leaves() -> None:
    run = own_model_away()
    run.when(worker_lost("w1", orderly=True)).then(events=["OutageEnded"])
    assert not run.machine.state.roster.outages


@pytest.mark.guard(name="the models of a worker that is lost are not away")
def test_an_outage_of_a_model_that_one_worker_alone_asks_ends_when_that_worker_is_lost_for_good() -> None:
    run = own_model_away()
    run.when(worker_lost("w1"), passes(59), executor("w1", model="m")).then(events=[])
    run.when(worker_lost("w1"), passes(60)).then(events=["OutageEnded"])


@pytest.mark.guard(name="a worker that is gone after a restart takes its outages along")
def test_an_outage_of_a_worker_that_does_not_come_back_after_a_restart_ends() -> None:
    run = own_model_away()
    again = Machine()
    again.state.executions[run.execution.id] = run.execution
    again.restore(run.at)
    again.turn([signals.TimePassed(at=run.at + 59)])
    assert again.state.roster.outages
    again.turn([signals.TimePassed(at=run.at + 60)])
    assert not again.state.roster.outages


def test_an_outage_at_an_endpoint_stays_when_the_worker_that_met_it_leaves() -> None:
    run = given("a", *TEAM, started, away("a", retry_after=600.0))
    run.when(worker_lost("w1", orderly=True), worker_lost("v1", orderly=True)).then(events=[])
    assert run.machine.state.roster.outages


def test_a_canary_whose_judge_is_away_says_nothing_of_the_judge_and_a_pass_of_one_signs_nothing_off() -> None:
    canaries = {"a": [canary_of("bad", good=False)]}
    run = given("a", *TEAM, started_with(Settings(canary_rate=1.0)), candidate("a"), canaries=canaries)
    run.when(away("a")).then(events=["OutageMet a"], statuses={"a": VALIDATING})
    assert run.execution.canaries.tallies == {}
    run = given("a", *TEAM, started_with(Settings(canary_rate=1.0)), candidate("a"), canaries=canaries)
    said = passed("a")(run)
    assert isinstance(said, signals.VerdictGiven)
    run.when(lambda _: replace(said, kind=FailureKind.OUTAGE)).then(statuses={"a": VALIDATING})
    assert run.execution.record(0).artifact is None


def test_an_execution_that_has_ended_hears_no_more_of_models_that_are_away() -> None:
    elsewhere = executor("w2", model="m", endpoint="http://elsewhere/v1")
    run = given("a", *TEAM, started, away("a"), elsewhere, *signed_off("a"))
    run.then(state=ExecutionState.SUCCEEDED)
    assert run.execution.outages == {}
