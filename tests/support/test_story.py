"""`then` is exact: an event, a command or a refusal that was not expected fails."""

from __future__ import annotations

import pytest

from signoff.errors import TaskNotFound
from tests.support.story import Run, candidate, executor, given, retried, started, validator


def judged() -> Run:
    return given("a", executor("w1"), validator("v1"), started).when(candidate("a"))


def test_the_events_and_commands_are_compared_in_full() -> None:
    events, commands = ["CandidateStored a", "TaskAssigned a"], ["Acknowledge a -> w1", "Assign a -> v1"]
    judged().then(events=events, commands=commands)
    for fewer in (commands[:1], commands[1:], []):
        with pytest.raises(AssertionError):
            judged().then(events=events, commands=fewer)
    with pytest.raises(AssertionError):
        judged().then(events=events[:1])


def test_a_command_that_does_not_follow_from_the_events_fails() -> None:
    run = given("a", executor("w1"), started)
    run.when(executor("w1", held=[run.lease("a")], continues=run.sessions["w1"]))
    with pytest.raises(AssertionError):
        run.then(events=[])


def test_an_event_of_a_task_that_no_command_is_about_fails() -> None:
    with pytest.raises(AssertionError):
        given("a", started).when(executor("w1")).then(commands=[])


def test_a_refusal_that_was_not_expected_fails() -> None:
    run = given("a", started).when(retried("unknown"))
    run.then(events=[], refused=TaskNotFound)
    with pytest.raises(AssertionError):
        run.then(events=[])
