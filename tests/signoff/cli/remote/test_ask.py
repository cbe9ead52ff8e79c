"""Questions and commands, against a runner that plays what a test wrote."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signoff.cli import main
from signoff.cli.remote import ask, control
from signoff.cli.remote.artifact import artifact
from signoff.cli.remote.find_runner import RunnerLocation, _temporary_runner, answers, written_address
from signoff.cli.remote.listing import Filters
from signoff.cli.remote.result_files import Wanted
from signoff.cli.show.output import CommandOutput
from signoff.cli.show.tables import output_file
from signoff.display.event_sentences import sentence_of
from signoff.display.natural_order import natural
from signoff.display.waiting import describe_waiting
from signoff.errors import ArtifactNotFound, ConfigurationError, ExecutionNotFound, TaskNotFound, Unavailable
from signoff.intervals import wilson
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2
from tests.support.processes.screens import Terminal, lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import (
    PLAN_ID,
    FakeRunner,
    assigned,
    created,
    done,
    execution,
    given_to_judge,
    journal,
    listening,
    rejected,
    retry_scheduled,
    signed_off,
    started,
    stored,
    undone,
    with_files,
)


@asynccontextmanager
async def runner_at(runner: FakeRunner) -> AsyncIterator[RunnerLocation]:
    async with listening(runner) as address:
        yield RunnerLocation(runner=address)


def half_done() -> FakeRunner:
    """a is signed off and b waits."""
    return FakeRunner(
        execution=execution(pb.EXECUTION_STATE_RUNNING, done=1, undone=1),
        tasks=[signed_off("a", b"made", name="report"), undone("b", why="it waits for an executor")],
        contents={"a": b"made"},
        events=journal(
            created(2),
            started(),
            assigned("b"),
            *done("a"),
            stored("b"),
            given_to_judge("b"),
            rejected("b", "no year"),
            retry_scheduled("b"),
        ),
    )


async def test_status_lists_the_executions() -> None:
    output = piped()
    async with runner_at(half_done()) as where:
        assert await ask.status("", where, output) == 0
    heading, row = lines_of(output)
    assert heading.split() == ["PLAN", "STATE", "DONE", "STARTED", "TOOK", "EXECUTION"]
    assert row.startswith("trends  running  1/2")
    assert row.endswith("x-1")


async def test_status_of_a_plan_or_an_execution_shows_its_tasks() -> None:
    for name in (PLAN_ID, "x-1"):
        output = piped()
        async with runner_at(half_done()) as where:
            await ask.status(name, where, output)
        assert lines_of(output) == [
            "trends (x-1) is running: 1 of 2 signed off",
            "TASK  STATUS  ATTEMPTS  TIME   ARTIFACT  FILE",
            "a     done    1         3.0 s  report",
            "b     undone  0",
        ]


async def test_status_says_that_there_are_more_executions_than_it_shows() -> None:
    runner = half_done()
    runner.others = [execution(pb.EXECUTION_STATE_SUCCEEDED, done=2) for _ in range(3)]
    older = "`signoff status --limit 3 --until 2027-01-15T08:00:00+00:00`"
    told_so = [f"signoff: these are the newest 3: --limit N shows more, and {older} those before them"]
    for limit, told in ((3, told_so), (4, [])):
        output = piped()
        async with runner_at(runner) as where:
            await ask.status("", where, output, Filters(limit=limit))
        assert (len(lines_of(output)), notes_of(output)) == (1 + limit, told)


@pytest.mark.guard(name="a look at a budget changes nothing")
def test_a_look_at_the_budget_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "set_budget", lambda *_: pytest.fail("a look has set the budget"))
    monkeypatch.setattr(ask, "budgets", lambda *_: _nothing())
    for command, code in (("budget trends", 0), ("budget trends 1_2", 0), ("budget trends --unlimited --tokens 5", 2)):
        with pytest.raises(SystemExit) as ended:
            main(command.split())
        assert ended.value.code == code


async def _nothing() -> int:
    return 0


async def test_budgets_are_shown_with_what_is_spent_of_them() -> None:
    runner = half_done()
    whole = pb.BudgetState(budget=plan_pb2.Budget(tokens=1_000), spent_tokens=900)
    task = pb.BudgetState(task_id="a", budget=plan_pb2.Budget(tokens=10), spent_tokens=1)
    runner.execution.budgets.extend([whole, task])
    for name, told in (
        ("", ["budget of the execution: 900 of 1,000 tokens spent", "budget of a: 1 of 10 tokens spent"]),
        ("a", ["budget of a: 1 of 10 tokens spent"]),
        ("b", ["b has no budget"]),
    ):
        output = piped()
        async with runner_at(runner) as where:
            assert await ask.budgets(PLAN_ID, name, where, output) == 0
        assert lines_of(output) == told


@pytest.mark.guard(name="a terminal gets no raw bytes")
async def test_an_artifact_steers_no_terminal() -> None:
    runner = half_done()
    content = "red \x1b[31m\ttab\nline \u202e".encode()
    runner.contents["a"], runner.tasks[0] = content, signed_off("a", content)
    screen = Terminal()
    async with runner_at(runner) as where:
        await artifact(PLAN_ID, "a", Wanted(), where, CommandOutput(out=screen))
    assert screen.getvalue() == "red \\x1b[31m\ttab\nline \\u202e\n"


async def test_status_as_json_is_one_object_a_line() -> None:
    output = piped(as_json=True)
    async with runner_at(half_done()) as where:
        await ask.status(PLAN_ID, where, output)
    head, a, b = records_of(output)
    assert (head["state"], head["counts"]) == ("running", {"undone": 1, "done": 1})
    assert (a["status"], a["artifact"]["name"], a["took"]) == ("done", "report", 3.0)
    assert b["waiting"] == {"waiting_for": "executor", "message": "it waits for an executor"}


async def test_an_unknown_name_is_blamed_with_the_names_there_are() -> None:
    async with runner_at(half_done()) as where:
        with pytest.raises(ExecutionNotFound, match="but got 'nothing': it has trends"):
            await ask.status("nothing", where, piped())


async def test_why_tells_of_the_unfinished_or_of_the_one_asked_for() -> None:
    output = piped()
    async with runner_at(half_done()) as where:
        await ask.why(PLAN_ID, "", where, output)
        await ask.why(PLAN_ID, "a", where, output)
    assert lines_of(output) == [
        "b is undone: it waits for an executor",
        "a is done: signed off with attempt 1",
    ]


def quarantined() -> FakeRunner:
    """The runner met a bug, and knows nothing of the tasks meanwhile."""
    found = execution(pb.EXECUTION_STATE_QUARANTINED)
    found.reason = "it met a bug (KeyError: 'x')"
    return FakeRunner(execution=found, tasks=[], contents={}, events=journal(created(2)))


async def test_a_quarantined_execution_says_why_and_what_to_do() -> None:
    for question in (ask.status, lambda name, where, output: ask.why(name, "", where, output)):
        output = piped()
        async with runner_at(quarantined()) as where:
            assert await question(PLAN_ID, where, output) == 0
        assert "quarantined" in lines_of(output)[0]
        assert "it met a bug (KeyError: 'x')" in lines_of(output)[0]
    assert "`signoff resume trends` tries again" in lines_of(output)[0]


async def test_why_a_quarantined_execution_rests_as_a_record() -> None:
    output = piped(as_json=True)
    async with runner_at(quarantined()) as where:
        await ask.why(PLAN_ID, "", where, output)
    (record,) = records_of(output)
    assert (record["state"], record["reason"]) == ("quarantined", "it met a bug (KeyError: 'x')")


async def test_why_of_an_unknown_task_is_blamed() -> None:
    async with runner_at(half_done()) as where:
        with pytest.raises(TaskNotFound):
            await ask.why(PLAN_ID, "z", where, piped())
        with pytest.raises(TaskNotFound):
            await ask.story(PLAN_ID, "z", where, piped())


def test_the_last_failure_is_told_once() -> None:
    task = undone("b", why="it waits until 12:00")
    task.last_failure = "no year"
    assert describe_waiting(task) == "b is undone: it waits until 12:00; the last attempt did not count: no year"
    task.waiting.message = "it failed for good: no year"
    assert describe_waiting(task) == "b is undone: it failed for good: no year"


async def test_a_story_is_told_in_sentences_from_the_beginning() -> None:
    output = piped()
    async with runner_at(half_done()) as where:
        await ask.story(PLAN_ID, "b", where, output)
    told = [line.partition("  ")[2].strip() for line in lines_of(output)]
    assert told[:4] == [
        "attempt 1 began on executor-1",
        "attempt 1 made a candidate of 1.5 KiB (text/markdown)",
        "validator-1 was given attempt 1 to judge",
        "the candidate of attempt 1 was rejected: no year",
    ]
    assert told[4].endswith("names a year: no year")
    assert told[5].startswith("the next attempt may begin at ")


async def test_a_story_that_has_not_begun_says_so() -> None:
    runner = half_done()
    runner.events = journal(created(2), started())
    output = piped()
    async with runner_at(runner) as where:
        await ask.story(PLAN_ID, "b", where, output)
    assert lines_of(output) == ["nothing has happened to b yet: `signoff why trends b` says what it waits for"]


async def test_a_story_as_json_has_every_field() -> None:
    output = piped(as_json=True)
    async with runner_at(half_done()) as where:
        await ask.story(PLAN_ID, "b", where, output)
    first, *_, last = records_of(output)
    assert first["event"] == "task-assigned"
    assert (first["task_id"], first["phase"], first["worker"]) == ("b", "execute", "executor-1")
    assert last["event"] == "retry-scheduled"


async def test_an_artifact_is_its_very_bytes(tmp_path: Path) -> None:
    stdout = io.TextIOWrapper(io.BytesIO())
    async with runner_at(half_done()) as where:
        await artifact(PLAN_ID, "a", Wanted(), where, CommandOutput(out=stdout))
        await artifact(PLAN_ID, "a", Wanted(output=str(tmp_path / "deep" / "a.md")), where, piped())
        with pytest.raises(ArtifactNotFound):
            await artifact(PLAN_ID, "b", Wanted(), where, piped())
        with pytest.raises(ConfigurationError, match="expected a file that can be written"):
            await artifact(PLAN_ID, "a", Wanted(output=str(tmp_path / "deep" / "a.md" / "x")), where, piped())
    assert stdout.buffer.getvalue() == b"made"
    assert (tmp_path / "deep" / "a.md").read_bytes() == b"made"


async def test_an_artifact_is_written_through_a_link_which_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("real")
    async with runner_at(half_done()) as where:
        await artifact(PLAN_ID, "a", Wanted(output=str(tmp_path / "link")), where, piped())
        with pytest.raises(ConfigurationError, match=r"^expected a file, a pipe or a device, but .* is a folder$"):
            await artifact(PLAN_ID, "a", Wanted(output=str(tmp_path)), where, piped())
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"made"


async def test_workers_are_shown_with_what_they_do() -> None:
    runner = half_done()
    worker = runner_pb2.Worker(name="e-1", role=runner_pb2.WORKER_ROLE_EXECUTOR, slots=7, leases=2, connected=True)
    worker.models.append("mock")
    runner.workers = [worker]
    output = piped()
    async with runner_at(runner) as where:
        await ask.workers(where, output)
    assert lines_of(output)[1].split() == ["e-1", "executor", "2/7", "mock", "connected"]


async def test_canaries_say_how_well_each_pool_of_validators_judges() -> None:
    runner = half_done()
    judged = pb.CanaryTally(model="gpt", labels={"zone": "eu"}, good=40, false_rejects=2, bad=41, false_accepts=1)
    runner.canaries = [judged, pb.CanaryTally(undecided=3)]
    output, records = piped(), piped(as_json=True)
    async with runner_at(runner) as where:
        await ask.workers(where, output)
        await ask.workers(where, records)
    assert [" ".join(line.split()) for line in lines_of(output)[1:]] == [
        "CANARIES JUDGED BY LABELS GOOD REJECTED BAD ACCEPTED UNDECIDED",
        "gpt zone=eu 40 2 (5.0 %, 1.4 to 16.5 %) 41 1 (2.4 %, 0.4 to 12.6 %) 0",
        "checks alone 0 0 3",
    ]
    told = [record["canaries"] for record in records_of(records)]
    assert told[0]["false_accepts"] == 1
    assert told[0]["false_accept_share"] == {"share": 1 / 41, "low": wilson(1, 41)[0], "high": wilson(1, 41)[1]}
    assert told[1] == {"undecided": 3}


async def test_no_workers_say_how_to_start_one() -> None:
    output = piped()
    async with runner_at(half_done()) as where:
        await ask.workers(where, output)
    assert "no worker is connected" in notes_of(output)[0]


async def test_results_with_files_say_how_many_and_how_large(tmp_path: Path) -> None:
    runner = half_done()
    state, _ = with_files("b", {"a.md": b"x" * 2000, "b.md": b"y"}, name="report")
    runner.tasks = [state]
    told, why = piped(), piped()
    async with runner_at(runner) as where:
        await ask.status(PLAN_ID, where, told)
        await ask.why(PLAN_ID, "b", where, why)
    assert "report (2 files, 2.0 KiB)" in lines_of(told)[-1]
    assert lines_of(why) == ["b is done: signed off with attempt 1, 2 files, 2.0 KiB"]
    assert output_file(state, PLAN_ID, tmp_path) == str(tmp_path / PLAN_ID / "b" / "files")
    event = pb.Event(candidate_stored=pb.CandidateStored(attempt=1, file_count=2, files_bytes=2001))
    assert sentence_of(event) == "attempt 1 made a candidate of 2 files, 2.0 KiB"


async def test_what_a_person_signed_off_is_told_apart_in_every_answer() -> None:
    runner = half_done()
    runner.tasks = [signed_off(f"t{number}") for number in range(12)]
    for task in runner.tasks[1:]:
        task.artifact.signed_off_by.person = "ada"
    runner.tasks[0].artifact.signed_off_by.validator = "ada"
    told, why, records = piped(), piped(), piped(as_json=True)
    async with runner_at(runner) as where:
        await ask.status(PLAN_ID, where, told)
        await ask.why(PLAN_ID, "t0", where, why)
        await ask.why(PLAN_ID, "t1", where, why)
        await ask.status(PLAN_ID, where, records)
    assert [line for line in lines_of(told) if "signed off by" in line] == [
        f"t{number}: signed off by the person ada" for number in range(1, 11)
    ]
    assert lines_of(told)[-1].startswith("and so for 1 more tasks")
    assert lines_of(why) == [
        "t0 is done: signed off by the validator ada with attempt 1",
        "t1 is done: signed off by the person ada with attempt 1",
    ]
    by = [record["artifact"]["signed_off_by"] for record in records_of(records)[1:3]]
    assert by == [{"validator": "ada"}, {"person": "ada"}]


async def test_commands_say_how_the_execution_stands_then() -> None:
    runner, output = half_done(), piped()
    async with runner_at(runner) as where:
        await control.pause(PLAN_ID, "lunch", where, output)
        await control.resume(PLAN_ID, where, output)
        await control.stop(PLAN_ID, "", where, output)
        await control.retry(PLAN_ID, "b", where, piped(as_json=True))
    assert lines_of(output) == [
        "trends (x-1) is paused (lunch): 1 of 2 signed off",
        "trends (x-1) is running (lunch): 1 of 2 signed off",
        "trends (x-1) is stopped: 1 of 2 signed off",
    ]
    assert runner.asked[-1].task_id == "b"


async def test_a_given_address_without_a_runner_is_blamed_and_nothing_else_is_tried(tmp_path: Path) -> None:
    where = RunnerLocation(runner="127.0.0.1:1", data_dir=tmp_path)
    with pytest.raises(Unavailable, match=r"no runner answers at 127\.0\.0\.1:1: `signoff serve` starts one"):
        await ask.status("", where, piped())


async def test_nothing_anywhere_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signoff.cli.remote.find_runner.RUNNER_ADDRESS", "127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"--runner ADDRESS .* or --data-dir DIR .* `signoff run PLAN`"):
        await ask.status("", RunnerLocation(data_dir=tmp_path), piped())


async def test_the_runner_that_works_on_the_data_directory_is_asked_first(tmp_path: Path) -> None:
    output = piped()
    async with listening(half_done()) as address:
        (tmp_path / ".signoff").mkdir()
        (tmp_path / ".signoff" / "runner.address").write_text(address)
        await ask.status("", RunnerLocation(data_dir=tmp_path), output)
    assert lines_of(output)[1].startswith("trends")


def test_names_are_listed_as_people_count() -> None:
    assert natural(["1_10", "1_2", "b", "1"]) == ["1", "1_2", "1_10", "b"]


async def test_without_a_runner_a_temporary_one_answers_from_the_data_directory(tmp_path: Path) -> None:
    where, output = RunnerLocation(data_dir=tmp_path), piped()
    async with _temporary_runner(tmp_path) as address:  # the one that leaves a journal behind
        assert await answers(address)
        assert written_address(tmp_path) == address
    await ask.status("", where, output)
    assert notes_of(output) == ["signoff: nothing was run yet"]
    with pytest.raises(Unavailable, match="no runner works on"):
        await ask.workers(where, output)
