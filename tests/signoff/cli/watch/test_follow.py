"""Following an execution: the reports on the way, and how its end becomes an exit code."""

from __future__ import annotations

import pytest

from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.show.output import CommandOutput
from signoff.cli.watch.follow import follow, tell_ending, watch
from signoff.cli.watch.reporters import JsonReporter, LineReporter, ScreenReporter, reporter_for
from signoff.cli.watch.screen import GridRows
from signoff.client.client import Client
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.processes.screens import Terminal, lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import (
    EXECUTION_ID,
    PLAN_ID,
    FakeRunner,
    assigned,
    created,
    done,
    execution,
    failed,
    given_to_judge,
    given_up,
    journal,
    listening,
    rejected,
    retry_scheduled,
    signed_off,
    started,
    stored,
    succeeded,
    undone,
)


def succeeding() -> FakeRunner:
    return FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, sequence=2, undone=1),
        tasks=[undone("a")],
        events=journal(created(), started(), *done("a"), succeeded()),
        thinking=[runner_pb2.Thinking(task_id="a", attempt=1, phase=pb.PHASE_EXECUTE, text="hm")],
    )


async def followed(runner: FakeRunner, output: CommandOutput, *, thinking: bool = False) -> list[str]:
    reporter = reporter_for(output, GridRows(), "")
    async with listening(runner) as address, Client(runner=address) as client, reporter:
        await follow(client, EXECUTION_ID, reporter, thinking=thinking)
    return lines_of(output)


def without_times(lines: list[str]) -> list[str]:
    return [line.partition("  ")[2] if line[:1].isdigit() else line for line in lines]


async def test_a_pipe_gets_one_line_for_each_change_of_status() -> None:
    lines = await followed(succeeding(), piped())
    assert without_times(lines) == [
        "trends (x-1): 0 of 1 signed off",
        "a  doing  attempt 1 began on executor-1",
        "a  validating  attempt 1 made a candidate of 1.5 KiB (text/markdown)",
        "a  done  signed off: the candidate of attempt 1 passed (1 of 1)",
        "trends: the execution succeeded: all that it was asked for is signed off",
    ]


async def test_failures_are_told_as_they_happen() -> None:
    runner = succeeding()
    runner.events = journal(
        created(), started(), assigned("a"), stored("a"), rejected("a", "no year"), retry_scheduled("a")
    )
    lines = without_times(await followed(runner, piped()))
    assert "a  validation-failed  the candidate of attempt 1 was rejected: no year" in lines
    assert lines[-1].startswith("a  undone  the next attempt may begin at ")


@pytest.mark.parametrize(
    ("since", "sequences"),
    [
        pytest.param(0, [1, 2, 2], marks=pytest.mark.guard(name="json tells what the snapshot covers")),
        pytest.param(1, [2, 2], marks=pytest.mark.guard(name="json tells what the snapshot covers")),
        (2, [2]),  # the command has seen it all
    ],
)
async def test_json_begins_with_what_the_command_did_before_the_snapshot(since: int, sequences: list[int]) -> None:
    output = piped(as_json=True)
    reporter = reporter_for(output, GridRows(), "")
    async with listening(succeeding()) as address, Client(runner=address) as client, reporter:
        await follow(client, EXECUTION_ID, reporter, thinking=False, since=since)
    records = [record for record in records_of(output) if record["event"] != "thinking"]
    assert [record["event"] for record in records][: len(sequences)] == [
        *["execution-created", "execution-started"][since:],
        "snapshot",
    ]
    assert [record["sequence"] for record in records][: len(sequences)] == sequences
    assert [record["sequence"] for record in records][len(sequences) :] == [3, 4, 5, 6, 7]


async def test_lines_do_not_tell_again_what_the_snapshot_covers() -> None:
    output = piped()
    reporter = reporter_for(output, GridRows(), "")
    async with listening(succeeding()) as address, Client(runner=address) as client, reporter:
        await follow(client, EXECUTION_ID, reporter, thinking=False, since=0)
    assert without_times(lines_of(output))[:2] == [
        "trends (x-1): 0 of 1 signed off",
        "a  doing  attempt 1 began on executor-1",
    ]


@pytest.mark.guard(name="a watch says when its runner is lost")
async def test_a_runner_that_is_lost_is_told_once_and_so_is_its_return() -> None:
    runner, output = succeeding(), piped()
    runner.cuts = [2, 0, 0, 5]  # the snapshot, nothing twice, and the rest
    lines = without_times(await followed(runner, output))
    assert notes_of(output) == [
        "signoff: the runner does not answer: this is how it stood; the watch goes on when it is back",
        "signoff: the runner is back",
    ]
    assert lines[-1] == "trends: the execution succeeded: all that it was asked for is signed off"


async def test_json_has_every_event_once_and_in_order() -> None:
    output = piped(as_json=True)
    await followed(succeeding(), output)
    snapshot, *events = records_of(output)
    assert (snapshot["event"], snapshot["state"]) == ("snapshot", "running")
    assert [event["sequence"] for event in events] == [3, 4, 5, 6, 7]
    assert [event.get("status") for event in events] == ["doing", "validating", "validating", "done", None]
    assert events[-1]["event"] == "execution-succeeded"


async def test_json_has_thinking_only_when_it_was_asked_for() -> None:
    output = piped(as_json=True)
    await followed(succeeding(), output, thinking=True)
    thoughts = [record for record in records_of(output) if record["event"] == "thinking"]
    assert thoughts == [{"event": "thinking", "task_id": "a", "attempt": 1, "phase": "execute", "text": "hm"}]


async def test_a_screen_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    output = CommandOutput(out=Terminal(), err=Terminal())
    reporter = reporter_for(output, GridRows(), "a hint")
    assert isinstance(reporter, ScreenReporter)
    async with reporter:
        reporter.notice("the runner came back")
    written = "\n".join(lines_of(output))
    assert "\x1b[?1049h" in written  # the second screen, and back
    assert written.index("\x1b[?1049h") < written.index("\x1b[?1049l")
    assert notes_of(output) == ["signoff: the runner came back"]


def test_json_wins_over_the_screen_and_a_pipe_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(reporter_for(CommandOutput(json=True, out=Terminal()), GridRows(), ""), JsonReporter)
    assert isinstance(reporter_for(piped(), GridRows(), ""), LineReporter)


@pytest.mark.parametrize("state", [pb.EXECUTION_STATE_RUNNING, pb.EXECUTION_STATE_PAUSED])
async def test_following_ends_when_only_a_person_can_help(state: pb.ExecutionState.ValueType) -> None:
    stuck = undone("a", why="the judge broke 5 times")
    stuck.status = pb.TASK_STATUS_VALIDATING
    stuck.waiting.waiting_for = pb.WAITING_FOR_JUDGE
    broke = pb.Event(task_id="a", judge_failed=pb.JudgeFailed(attempt=1, message="no JSON"))
    runner = FakeRunner(
        execution=execution(state, validating=1),
        tasks=[stuck],
        events=journal(given_to_judge("a"), broke, assigned("a")),
    )
    assert without_times(await followed(runner, piped())) == ["trends (x-1): 0 of 1 signed off"]


async def test_following_goes_on_while_a_judge_may_still_come() -> None:
    waiting = undone("a")
    waiting.status = pb.TASK_STATUS_VALIDATING
    waiting.waiting.waiting_for = pb.WAITING_FOR_VALIDATOR
    broke = pb.Event(task_id="a", judge_failed=pb.JudgeFailed(attempt=1, message="no JSON"))
    runner = FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, validating=1),
        tasks=[waiting],
        events=journal(given_to_judge("a"), broke, succeeded()),
    )
    assert without_times(await followed(runner, piped()))[-1].startswith("trends: the execution succeeded")


async def ending(runner: FakeRunner, output: CommandOutput) -> int:
    async with listening(runner) as address, Client(runner=address) as client:
        return await tell_ending(client, EXECUTION_ID, output, None)


async def test_everything_signed_off_is_exit_code_0() -> None:
    output = piped()
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[signed_off("a", name="r")])
    assert await ending(runner, output) == 0
    assert lines_of(output)[-1] == "trends succeeded: 1 of 1 signed off"


async def test_what_it_has_cost_is_told_before_the_end_with_what_is_estimated() -> None:
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[signed_off("a", name="r")])
    output = piped()
    await ending(runner, output)
    assert not [line for line in lines_of(output) if "cost" in line]
    total = pb.UsageTotal(
        model="m", requests=20, input_tokens=12_000, estimated_output_tokens=345, cost_nanos=12_300_000
    )
    runner.execution.usage.extend([total, pb.UsageTotal(model="j")])
    runner.execution.currency = "USD"
    output = piped()
    await ending(runner, output)
    told = "it has cost ~12,345 tokens in 20 requests, 0.0123 USD: `signoff cost trends` says on what"
    assert lines_of(output)[-2:] == [told, "trends succeeded: 1 of 1 signed off"]


@pytest.mark.parametrize(
    ("tallies", "told"),
    [
        ([], None),
        ([pb.CanaryTally(undecided=2)], None),
        ([pb.CanaryTally(good=2, bad=1)], "validators judged 3 of 3 canaries right"),
        (
            [pb.CanaryTally(model="a", bad=5, false_accepts=2), pb.CanaryTally(model="b", good=4, false_rejects=1)],
            "validators judged 6 of 9 canaries right: they passed 2 known to be bad and failed 1 known to be good",
        ),
    ],
)
async def test_an_ending_says_how_canaries_were_judged(tallies: list[pb.CanaryTally], told: str | None) -> None:
    ended = execution(pb.EXECUTION_STATE_SUCCEEDED, done=1)
    ended.canaries.extend(tallies)
    output = piped()
    await ending(FakeRunner(execution=ended, tasks=[signed_off("a", name="r")]), output)
    assert [line for line in lines_of(output) if "canaries" in line] == ([told] if told else [])


UNREAD = pb.Unread(
    inputs=70,
    cut=12,
    left_out=28,
    examples=[
        pb.UnreadInput(name="papers", task_id="1_2", size_bytes=81_234, shown_chars=2_500),
        pb.UnreadInput(name="", task_id="1_3", size_bytes=99),
    ],
)
UNREAD_IN_WORDS = (
    "of 70 inputs the model was shown only the beginning of 12 and nothing of 28: "
    "the first 2,500 characters of papers by 1_2, nothing of what 1_3 made, and so for 38 more"
)


def half_read(name: str) -> pb.TaskState:
    """A task whose model was not shown all of its inputs."""
    task = signed_off(name, name="r")
    task.artifact.unread.CopyFrom(UNREAD)
    return task


@pytest.mark.guard(name="a run says what a model was not shown")
async def test_a_run_says_what_a_model_was_not_shown_when_it_happens_and_at_the_end() -> None:
    candidate = stored("a")
    candidate.candidate_stored.unread.CopyFrom(UNREAD)
    runner = succeeding()
    runner.events = journal(created(), started(), assigned("a"), candidate, *done("a")[2:], succeeded())
    lines = without_times(await followed(runner, piped()))
    assert f"a  validating  attempt 1 made a candidate of 1.5 KiB (text/markdown); {UNREAD_IN_WORDS}" in lines
    output = piped()
    await ending(FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[half_read("a")]), output)
    assert f"a: {UNREAD_IN_WORDS}" in lines_of(output)


async def test_an_ending_names_the_first_of_very_many_tasks_whose_models_were_not_shown_everything() -> None:
    tasks = [half_read(f"t{n}") for n in range(12)]
    output = piped()
    await ending(FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=12), tasks=tasks), output)
    assert sum(UNREAD_IN_WORDS in line for line in lines_of(output)) == 10
    assert "and so for 2 more tasks: `signoff status --json` tells of all" in lines_of(output)


async def test_an_ending_as_json_says_what_a_model_was_not_shown() -> None:
    output = piped(as_json=True)
    await ending(FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[half_read("a")]), output)
    (result,) = [record for record in records_of(output) if record["event"] == "result"]
    unread = result["artifact"]["unread"]
    assert (unread["inputs"], unread["cut"], unread["left_out"]) == (70, 12, 28)
    assert unread["examples"][0]["shown_chars"] == 2_500


async def test_a_failed_execution_is_exit_code_1_with_the_reason_of_each_failed_task() -> None:
    lost = undone("a")
    lost.status, lost.attempt, lost.last_failure = pb.TASK_STATUS_VALIDATION_FAILED, 3, "no year"
    runner = FakeRunner(
        execution=execution(pb.EXECUTION_STATE_FAILED, validation_failed=1, undone=1), tasks=[lost, undone("b")]
    )
    output = piped()
    assert await ending(runner, output) == 1
    assert "a validation-failed, tried 3 times: no year" in lines_of(output)
    assert lines_of(output)[-1].startswith("trends failed: 0 of 2 signed off; `signoff why trends`")


async def test_an_ending_as_json_has_a_line_for_each_task_and_the_exit_code() -> None:
    output = piped(as_json=True)
    runner = FakeRunner(execution=execution(pb.EXECUTION_STATE_SUCCEEDED, done=1), tasks=[signed_off("a")])
    await ending(runner, output)
    task, end = records_of(output)
    assert (task["event"], task["task_id"], task["status"]) == ("result", "a", "done")
    assert (end["event"], end["exit_code"], end["state"]) == ("ended", 0, "succeeded")


async def test_watch_follows_a_plan_to_its_end() -> None:
    runner, output = succeeding(), piped()
    runner.events = journal(created(), started(), assigned("a"), given_up("a", "no"), failed("a failed for good"))
    async with listening(runner) as address:
        await watch(PLAN_ID, RunnerLocation(runner=address), output, thinking=None)
    assert any("the execution failed: a failed for good" in line for line in lines_of(output))
