"""Lists of executions: by plan, state and time."""

from __future__ import annotations

import asyncio
import shlex
from datetime import UTC, datetime, timedelta, timezone

import pytest

from signoff.cli import main
from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.remote.listing import STATES, Filters, list_executions, moment, need_named, state_named
from signoff.errors import ConfigurationError
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.processes.screens import lines_of, notes_of, piped
from tests.support.servers.fake_runner import FakeRunner, execution, listening

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        (" 3 d ", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("45s", NOW - timedelta(seconds=45)),
        ("2026-11-28T09:30+02:00", datetime(2026, 11, 28, 7, 30, tzinfo=UTC)),
        ("2026-11-28T09:30Z", datetime(2026, 11, 28, 9, 30, tzinfo=UTC)),
        ("2026-11-28T09:30:01.000005+00:00", datetime(2026, 11, 28, 9, 30, 1, 5, tzinfo=UTC)),
    ],
)
def test_an_age_or_a_time_is_a_moment(text: str, expected: datetime) -> None:
    assert moment(text, "--since", NOW) == expected


def test_a_time_without_a_zone_is_one_of_here() -> None:
    here = datetime(2026, 11, 28).astimezone()
    assert moment("2026-11-28", "--since", NOW) == here
    assert moment("2026-11-28", "--since", NOW).tzinfo == timezone.utc  # noqa: UP017 - what clients take


@pytest.mark.parametrize("text", ["", "h", "2 fortnights", "yesterday", "2026-13-01", "999999w", "-1h", "1.5h"])
def test_what_is_neither_says_what_is_expected(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"expected --until to be an age such as 90m, 2h or 3d, or a date"):
        moment(text, "--until", NOW)


def test_states_have_the_words_that_lists_show() -> None:
    assert set(STATES) == {"ready", "running", "paused", "stopped", "succeeded", "failed", "quarantined"}
    assert state_named("paused") == pb.EXECUTION_STATE_PAUSED
    with pytest.raises(ConfigurationError, match=r"expected --state to be one of ready, running, .* but got 'done'"):
        state_named("done")


def test_needs_have_words() -> None:
    assert need_named("budget") == runner_pb2.EXECUTION_NEED_BUDGET
    with pytest.raises(
        ConfigurationError, match="expected --awaiting to be one of person, budget, retry, but got 'me'"
    ):
        need_named("me")


async def test_what_is_waited_for_and_a_text_are_filters_of_the_runner_too() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_FAILED))
    filters = Filters(awaiting=("person", "retry"), text="an idea")
    async with listening(runner) as address:
        assert await list_executions(filters, RunnerLocation(runner=address), piped()) == 0
    (asked,) = [request for request in runner.asked if isinstance(request, runner_pb2.ListExecutionsRequest)]
    assert list(asked.awaiting) == [runner_pb2.EXECUTION_NEED_PERSON, runner_pb2.EXECUTION_NEED_RETRY]
    assert asked.text == "an idea"
    assert filters.again("3d") == "signoff status --awaiting person --awaiting retry --text 'an idea' --until 3d"


async def test_filters_are_the_runners() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_FAILED, done=1))
    filters = Filters(plan="trends", states=("failed", "paused"), since="2026-11-01T00:00Z", until="2026-11-28T00:00Z")
    async with listening(runner) as address:
        assert await list_executions(filters, RunnerLocation(runner=address), piped()) == 0
    (asked,) = [request for request in runner.asked if isinstance(request, runner_pb2.ListExecutionsRequest)]
    assert asked.plan_id == "trends"
    assert list(asked.states) == [pb.EXECUTION_STATE_FAILED, pb.EXECUTION_STATE_PAUSED]
    assert asked.created_after.ToDatetime(UTC) == datetime(2026, 11, 1, tzinfo=UTC)
    assert asked.created_before.ToDatetime(UTC) == datetime(2026, 11, 28, tzinfo=UTC)


async def test_the_command_for_what_is_older_is_a_command() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_FAILED))
    runner.others = [execution(pb.EXECUTION_STATE_FAILED) for _ in range(2)]
    filters = Filters(plan="trends", states=("failed",), since="2026-11-01", limit=2)
    async with listening(runner) as address:
        output = piped()
        await list_executions(filters, RunnerLocation(runner=address), output)
        (note,) = notes_of(output)
        command = note.split("`")[1]
        assert command.startswith(
            "signoff status --plan trends --state failed --since 2026-11-01 --limit 2 --until 2027-"
        )
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, [*shlex.split(command)[1:], "--runner", address])
    assert ended.value.code == 0


async def test_a_list_without_anything_says_so() -> None:
    class Empty(FakeRunner):
        async def ListExecutions(self, request: object, context: object) -> runner_pb2.ListExecutionsResponse:
            return runner_pb2.ListExecutionsResponse()

    for filters, told in (
        (Filters(), ["signoff: nothing was run yet"]),
        (Filters(states=("failed",)), ["signoff: nothing like this was run"]),
    ):
        output = piped()
        async with listening(Empty()) as address:
            await list_executions(filters, RunnerLocation(runner=address), output)
        assert (lines_of(output), notes_of(output)) == ([], told)


def test_a_plan_and_a_filter_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["status", "trends", "--state", "failed"])
    assert ended.value.code == 2
    assert "expected PLAN_ID, or filters such as --plan, --state and --since" in " ".join(
        capsys.readouterr().err.split()
    )
