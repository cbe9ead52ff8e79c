"""Prompts are kept for people, and move nothing."""

from __future__ import annotations

import pytest

from runner_svc.core.decide.on_report import MOST_PROMPTS
from runner_svc.core.model.states import DOING, VALIDATING
from runner_svc.core.model.values import Settings, WorkerName
from tests.support.story import (
    asked,
    candidate,
    content_of,
    executor,
    failed,
    given,
    passes,
    started,
    started_with,
    validator,
)

TEAM = (executor("w1"), validator("v1"))


def digest(text: str) -> str:
    return content_of(text).digest


def test_a_prompt_of_either_phase_is_kept_and_moves_nothing() -> None:
    run = given("a", *TEAM, started)
    assert run.assignment("a").prompts_wanted
    run.when(asked("a", "make it")).then(events=["PromptKept a"], statuses={"a": DOING})
    assert run.last.contents == {digest("make it"): b"make it"}
    run.when(candidate("a"), asked("a", "judge it")).then(
        events=["CandidateStored a", "TaskAssigned a", "PromptKept a"], statuses={"a": VALIDATING}
    )


def test_the_same_prompt_again_changes_nothing_and_the_next_attempt_has_its_own() -> None:
    run = given("a", *TEAM, started, asked("a", "make it"))
    run.when(asked("a", "make it")).then(events=[])
    assert run.last.contents == {}
    run.when(failed("a"), passes(60))
    run.when(asked("a", "make it")).then(events=["PromptKept a"])


@pytest.mark.guard(name="prompts of a lease are bounded")
def test_a_lease_keeps_a_bounded_number_of_prompts() -> None:
    run = given("a", *TEAM, started, *(asked("a", str(number)) for number in range(MOST_PROMPTS)))
    run.when(asked("a", "one too many")).then(events=[])


@pytest.mark.guard(name="no prompt is kept against the settings")
def test_an_execution_that_keeps_no_prompts_drops_what_comes_all_the_same() -> None:
    run = given("a", *TEAM, started_with(Settings(keep_prompts=False)))
    assert not run.assignment("a").prompts_wanted
    run.when(asked("a", "make it")).then(events=[])
    assert run.last.contents == {}


@pytest.mark.guard(name="prompts are kept under leases that are held")
def test_a_prompt_under_a_lease_of_another_worker_or_one_that_has_ended_is_dropped() -> None:
    run = given("a", *TEAM, started, executor("w2"))
    of_another = run.sessions[WorkerName("w2")], run.lease("a")
    run.when(asked("a", "make it", under=of_another)).then(events=[])
    ended = run.holder("a"), run.lease("a")
    run.when(candidate("a"))
    run.when(asked("a", "make it", under=ended)).then(events=[])
    assert run.last.contents == {}
