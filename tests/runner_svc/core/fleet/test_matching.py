"""A task goes only to workers that meet its requirement."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from runner_svc.core.explain.start_warnings import models_judging_themselves, unmet_requirements
from runner_svc.core.explain.why_waiting import WaitingFor, waiting_of
from runner_svc.core.fleet import matching as matching_module
from runner_svc.core.model.requirements import Abilities, Requirement, Requirements
from runner_svc.core.model.states import DOING, DONE, UNDONE, VALIDATING, ExecutionState
from runner_svc.core.model.values import FailureKind, Role
from tests.support.story import (
    Run,
    accepted,
    candidate,
    executor,
    failed,
    given,
    passed,
    passes,
    progressed,
    rejected,
    signed_off,
    started,
    validator,
    worker_lost,
)


def able(*handlers: str, models: tuple[str, ...] = (), **labels: str) -> Abilities:
    return Abilities(handlers=frozenset(handlers), models=frozenset(models), labels=frozenset(labels.items()))


def by(*handlers: str, model: str = "", **labels: str) -> Requirement:
    return Requirement(
        role=Role.EXECUTOR, handlers=frozenset(handlers or ("model",)), model=model, labels=frozenset(labels.items())
    )


def judged_by(*handlers: str, model: str = "") -> Requirement:
    return Requirement(role=Role.VALIDATOR, handlers=frozenset(handlers), model=model)


def asks(**wants: Requirement) -> Mapping[str, Requirements]:
    return {task: Requirements(executors=(wanted,)) for task, wanted in wants.items()}


def why(run: Run, task: str) -> tuple[WaitingFor, str]:
    waiting = waiting_of(run.machine.state, run.execution, run.task(task), run.at)
    assert waiting is not None
    return waiting.what, waiting.message


FETCH = executor("fetcher", slots=3, abilities=able("fetch"))
WRITER = executor("writer", slots=3)


def test_a_function_goes_to_the_worker_that_has_it_and_the_rest_to_the_others() -> None:
    run = given("a; b; c", WRITER, FETCH, validator("v1"), started, requirements=asks(b=by("fetch")))
    run.then(commands=["Assign a -> writer", "Assign b -> fetcher", "Assign c -> writer"])


@pytest.mark.guard(name="only those who can")
def test_nobody_is_given_what_it_cannot_do_however_long_it_waits() -> None:
    run = given("a; b", WRITER, validator("v1"), started, requirements=asks(b=by("fetch")))
    run.then(statuses={"a": DOING, "b": UNDONE})
    run.when(*signed_off("a")).then(statuses={"a": DONE, "b": UNDONE}, state=ExecutionState.RUNNING)
    assert why(run, "b") == (
        WaitingFor.CAPABLE_WORKER,
        "no executor that is connected has what it asks for: the handler fetch",
    )
    run.when(FETCH).then(statuses={"b": DOING})


def test_labels_must_all_be_there_with_their_values() -> None:
    wanted = asks(a=by(gpu="a100", zone="eu"))
    run = given("a", executor("w1", abilities=able("model", gpu="a100")), started, requirements=wanted)
    run.then(statuses={"a": UNDONE})
    run.when(executor("w2", abilities=able("model", gpu="t4", zone="eu"))).then(statuses={"a": UNDONE})
    run.when(executor("w3", abilities=able("model", gpu="a100", zone="eu", more="yes"))).then(
        commands=["Assign a -> w3"]
    )


def test_a_model_is_named_to_the_worker_that_can_ask_it() -> None:
    run = given(
        "a", executor("small", abilities=able("model", models=("s",))), started, requirements=asks(a=by(model="l"))
    )
    run.then(statuses={"a": UNDONE})
    run.when(executor("large", abilities=able("model", models=("s", "l")))).then(commands=["Assign a -> large"])
    assert run.assignment("a").model == "l"


def test_a_worker_that_names_no_models_is_given_any() -> None:
    run = given("a", executor("any"), started, requirements=asks(a=by(model="whatever")))
    run.then(commands=["Assign a -> any"])


def test_a_busy_worker_is_waited_for_and_others_are_not_held_up() -> None:
    narrow = executor("narrow", slots=1, abilities=able("fetch"))
    run = given(
        "a; b; c", narrow, WRITER, validator("v1", slots=9), started, requirements=asks(a=by("fetch"), b=by("fetch"))
    )
    run.then(statuses={"a": DOING, "b": UNDONE, "c": DOING})
    assert why(run, "b")[0] is WaitingFor.EXECUTOR
    run.when(candidate("a")).then(statuses={"b": DOING})


def test_a_worker_with_several_abilities_takes_the_longest_path_first() -> None:
    both = executor("both", slots=1, abilities=able("model", "fetch"))
    run = given("short; long; longer <- long", both, started, requirements=asks(long=by("fetch")))
    run.then(commands=["Assign long -> both"])


def test_escalation_names_another_model_after_each_failure() -> None:
    terms = {"a": Requirements(executors=(by(model="s"), by(model="m"), by(model="l")), max_failures=5)}
    run = given(
        "a", executor("w", abilities=able("model", models=("s", "m", "l"))), validator("v"), started, requirements=terms
    )
    asked = [run.assignment("a").model]
    for _ in range(3):
        run.when(failed("a"), passes(120))
        asked.append(run.assignment("a").model)
    assert asked == ["s", "m", "l", "l"]


def test_escalation_may_lead_to_another_worker() -> None:
    terms = {"a": Requirements(executors=(by(model="s"), by(model="l")))}
    small, large = able("model", models=("s",)), able("model", models=("l",))
    run = given("a", executor("w1", abilities=small), validator("v1"), started, requirements=terms)
    run.when(candidate("a"), rejected("a"), passes(60)).then(statuses={"a": UNDONE})
    run.when(executor("w2", abilities=large)).then(commands=["Assign a -> w2"])


def test_a_task_has_its_own_limit_of_failures() -> None:
    terms = {"a": Requirements(max_failures=1)}
    run = given("a; b", WRITER, started, requirements=terms)
    run.when(failed("a")).then(events=["AttemptFailed a", "TaskRolledBack a", "TaskAssigned a"])
    run.when(failed("b")).then(events=["AttemptFailed b", "RetryScheduled b"])


def test_a_task_has_its_own_clocks_while_it_is_executed() -> None:
    terms = {"a": Requirements(run_timeout=3600.0, idle_timeout=5.0), "b": Requirements(run_timeout=7.0)}
    run = given("a; b; c", WRITER, started, requirements=terms)
    for task in ("a", "b", "c"):
        run.when(accepted(task))
    run.when(passes(5)).then(events=["UsageRecorded a", "AttemptFailed a", "RetryScheduled a"])
    run.when(progressed("b"), passes(2)).then(statuses={"b": UNDONE, "c": DOING})
    assert run.execution.records[run.task("b")].last_failure == "writer ran out of time"


def test_a_validator_must_have_the_functions_that_judge() -> None:
    terms = {"a": Requirements(validators=judged_by("judge", "complete"))}
    run = given("a", WRITER, validator("plain"), started, candidate("a"), requirements=terms)
    run.then(statuses={"a": VALIDATING})
    assert why(run, "a") == (
        WaitingFor.CAPABLE_WORKER,
        "no validator that is connected has what it asks for: the handler complete, the handler judge",
    )
    run.when(validator("able", abilities=able("judge", "complete"))).then(commands=["Assign a -> able"])
    run.when(passed("a")).then(statuses={"a": DONE})


def test_checks_alone_need_no_judge() -> None:
    terms = {"a": Requirements(validators=judged_by())}
    run = given("a", WRITER, validator("blind", abilities=able("command")), started, candidate("a"), requirements=terms)
    run.then(commands=["Assign a -> writer", "Acknowledge a -> writer", "Assign a -> blind"])


def test_what_nobody_could_do_is_told_with_the_first_task_that_asks() -> None:
    run = given("a; b; c", WRITER, started, requirements=asks(b=by("fetch"), c=by("fetch")))
    assert list(unmet_requirements(run.machine.state, run.map)) == [
        "b asks for the handler fetch, and no connected executor has that"
    ]


def test_nothing_is_called_impossible_while_a_role_has_nobody() -> None:
    run = given("a", started, requirements=asks(a=by("fetch")))
    assert not list(unmet_requirements(run.machine.state, run.map))


def test_tasks_without_a_wish_are_impossible_for_workers_that_have_functions_alone() -> None:
    run = given("a", FETCH, started)
    assert list(unmet_requirements(run.machine.state, run.map)) == [
        "a asks for the handler model, and no connected executor has that"
    ]


def test_a_worker_that_comes_back_with_other_abilities_is_given_by_them() -> None:
    run = given("a; b", WRITER, started, requirements=asks(b=by("fetch")))
    run.when(worker_lost("writer"), passes(61)).then(statuses={"a": UNDONE})
    run.when(executor("writer", slots=3, abilities=able("fetch"))).then(statuses={"a": UNDONE, "b": DOING})


def test_kinds_of_workers_beyond_what_is_kept_in_mind_are_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_module, "MOST_REQUIREMENTS", 2)
    names = "abcdef"
    wanted = {task: by(f"f{task}") for task in names}
    everything = executor("w", slots=9, abilities=able(*(f"f{task}" for task in names)))
    run = given("; ".join(names), everything, started, requirements=asks(**wanted))
    run.then(statuses=dict.fromkeys(names, DOING))


handlers = st.sampled_from(["model", "fetch", "count"])
models = st.sampled_from(["", "s", "l"])
labels = st.dictionaries(st.sampled_from(["gpu", "zone"]), st.sampled_from(["1", "2"]), max_size=2)


@for_all(
    workers=st.lists(
        st.tuples(st.sets(handlers, min_size=1), st.sets(st.sampled_from(["s", "l"])), labels), max_size=4
    ),
    tasks=st.lists(st.tuples(handlers, models, labels), min_size=1, max_size=5),
)
def test_matching_is_what_the_obvious_says(
    workers: list[tuple[set[str], set[str], dict[str, str]]], tasks: list[tuple[str, str, dict[str, str]]]
) -> None:
    """With enough slots, a task is begun exactly when some worker meets its requirement."""
    names = [f"t{number}" for number in range(len(tasks))]
    wanted = {name: by(handler, model=model, **own) for name, (handler, model, own) in zip(names, tasks, strict=True)}
    steps = [
        executor(f"w{number}", slots=9, abilities=able(*sorted(can), models=tuple(asks_models), **own))
        for number, (can, asks_models, own) in enumerate(workers)
    ]
    run = given("; ".join(names), validator("v"), *steps, started, requirements=asks(**wanted))
    for name, (handler, model, own) in zip(names, tasks, strict=True):
        possible = any(
            handler in can and (not model or not ask or model in ask) and own.items() <= has.items()
            for can, ask, has in workers
        )
        assert (run.execution.task_status(run.task(name)) == DOING) == possible


def test_a_permanent_failure_does_not_escalate() -> None:
    terms = {"a": Requirements(executors=(by(model="s"), by(model="l")))}
    run = given("a", WRITER, started, requirements=terms)
    run.when(failed("a", FailureKind.PERMANENT)).then(events=["AttemptFailed a", "TaskFailed a", "ExecutionFailed"])


def makes_and_judges(maker: str, judge: str, judged: Requirement | None = None) -> list[str]:
    terms = {"a": Requirements(validators=judged)} if judged else {}
    run = given("a; b", executor("w", model=maker), validator("v", model=judge), started, requirements=terms)
    return list(models_judging_themselves(run.machine.state, run.map))


def test_a_model_that_would_judge_its_own_work_is_named() -> None:
    assert makes_and_judges("m", "m") == ["m would judge what it has made itself, of a for one: name another judge"]
    assert makes_and_judges("m", "j") == []
    assert makes_and_judges("mock:seed=1", "mock:seed=1") == []
    assert makes_and_judges("", "") == []


def test_a_judge_that_is_named_by_the_task_is_what_counts() -> None:
    assert makes_and_judges("m", "j", judged_by("judge", model="m"))[0].startswith("m would judge")
    assert makes_and_judges("m", "m", judged_by("judge", model="j")) == [
        "m would judge what it has made itself, of b for one: name another judge"
    ]


def test_checks_alone_are_no_judging_of_ones_own() -> None:
    run = given(
        "a",
        executor("w", model="m"),
        validator("v", model="m"),
        started,
        requirements={"a": Requirements(validators=judged_by())},
    )
    assert not list(models_judging_themselves(run.machine.state, run.map))
