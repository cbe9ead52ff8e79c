"""`signoff candidate`, `approve` and `reject`, against a runner that plays what a test wrote."""

from __future__ import annotations

import asyncio
import hashlib
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from signoff.cli import main
from signoff.cli.remote.candidate import candidate
from signoff.cli.remote.find_runner import RunnerLocation
from signoff.cli.remote.judge import TypedVerdict, judge
from signoff.cli.remote.result_files import Wanted
from signoff.cli.show.output import CommandOutput
from signoff.errors import CandidateNotFound, ConfigurationError, WrongState
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import runner_pb2
from tests.support.processes.screens import Terminal, lines_of, notes_of, piped, records_of
from tests.support.servers.fake_runner import PLAN_ID, FakeRunner, listening

PASSED = pb.CriterionResult(criterion="names a year", outcome=pb.OUTCOME_PASS, reason="2026")
BY_CODE = pb.CriterionResult(criterion="is not empty", outcome=pb.OUTCOME_PASS, deterministic=True)
BY_PERSON = pb.CriterionResult(criterion="A person approves", outcome=pb.OUTCOME_FAIL, reason="too bold")


def made(attempt: int, body: bytes, state: pb.CandidateState.ValueType) -> tuple[pb.CandidateInfo, bytes]:
    digest = hashlib.sha256(body).hexdigest()
    artifact = pb.ArtifactInfo(
        name="report", task_id="a", attempt=attempt, size_bytes=len(body), digest=digest, media_type="text/plain"
    )
    info = pb.CandidateInfo(
        artifact=artifact, state=state, worker="executor-1", validator="validator-1", results=[BY_CODE, PASSED]
    )
    return info, body


def asking(first: bytes = b"Mars\nVenus\n", second: bytes = b"Mars\nEarth\n") -> FakeRunner:
    """The first candidate was rejected by ada, the second waits for a person."""
    rejected, waiting = (
        made(1, first, pb.CANDIDATE_STATE_REJECTED),
        made(2, second, pb.CANDIDATE_STATE_WAITS_FOR_PERSON),
    )
    rejected[0].decided_by.person, rejected[0].feedback = "ada", "too bold"
    rejected[0].results.append(BY_PERSON)
    waiting[0].artifact.unread.CopyFrom(pb.Unread(inputs=3, left_out=2))
    waiting[0].remark = "here it is"
    for info, _ in (rejected, waiting):
        info.attempts.extend([1, 2])
    return FakeRunner(candidates=[rejected, waiting])


@contextmanager
def runner_at(runner: FakeRunner) -> Iterator[RunnerLocation]:
    """Serves from a thread: the commands that ask have loops of their own."""
    ready: list[str] = []
    over, is_up = asyncio.Event(), threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with listening(runner) as address:
            ready.append(address)
            is_up.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert is_up.wait(10)
        yield RunnerLocation(runner=ready[0])
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def printed(where: RunnerLocation, output: CommandOutput, attempt: int | None = None, *, diff: bool = False) -> int:
    return asyncio.run(candidate(PLAN_ID, "a", attempt, diff, Wanted(), where, output))


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> CommandOutput:
    answers = Terminal(typed)
    monkeypatch.setattr(sys, "stdin", answers)
    return CommandOutput(out=io.StringIO(), err=Terminal())


def verdicts(runner: FakeRunner) -> list[runner_pb2.JudgeTaskRequest]:
    return [request for request in runner.asked if isinstance(request, runner_pb2.JudgeTaskRequest)]


# ---------------------------------------------------------------- to look


def test_the_candidate_that_waits_is_printed_and_what_is_known_of_it_goes_to_standard_error() -> None:
    output = piped()
    with runner_at(asking()) as where:
        assert printed(where, output) == 0
    assert lines_of(output) == ["Mars", "Earth"]
    digest = hashlib.sha256(b"Mars\nEarth\n").hexdigest()
    assert notes_of(output) == [
        "signoff: trends a (report), the candidate of attempt 2: waits for a person's verdict",
        f"signoff: made by executor-1: 11 bytes of text/plain, digest {digest}",
        "signoff: its maker wrote around it: here it is",
        "signoff: of 3 inputs the model was shown nothing of 2",
        "signoff: judged by the validator validator-1:",
        "signoff: pass (by code): is not empty",
        "signoff: pass (by the model): names a year: 2026",
        "signoff: other attempts that made one: 1",
    ]


def test_one_that_was_rejected_is_printed_with_the_reason_and_who_gave_it() -> None:
    output = piped()
    with runner_at(asking()) as where:
        assert printed(where, output, 1) == 0
        with pytest.raises(CandidateNotFound):
            printed(where, output, 3)
    assert lines_of(output) == ["Mars", "Venus"]
    notes = notes_of(output)
    assert notes[0] == "signoff: trends a (report), the candidate of attempt 1: rejected by the person ada"
    assert "signoff: fail (by the person ada): A person approves: too bold" in notes
    assert "signoff: rejected because: too bold" in notes


def test_the_difference_to_the_attempt_before_is_printed_or_that_there_is_none() -> None:
    second, first = piped(), piped()
    with runner_at(asking()) as where:
        printed(where, second, diff=True)
        printed(where, first, 1, diff=True)
    assert lines_of(second)[-3:] == [" Mars", "-Venus", "+Earth"]
    assert lines_of(first) == ["no attempt before 1 has made a candidate"]


def test_as_json_it_is_one_object() -> None:
    output, diff = piped(as_json=True), piped(as_json=True)
    with runner_at(asking()) as where:
        printed(where, output, 1)
        printed(where, diff, diff=True)
    (record,) = records_of(output)
    assert (record["content"], record["decided_by"], record["state"]) == (
        "Mars\nVenus\n", {"person": "ada"}, "rejected",
    )  # fmt: skip
    assert records_of(diff)[0]["difference"].endswith("-Venus\n+Earth\n")
    assert notes_of(output) == []


def test_bytes_go_into_a_file_as_they_are(tmp_path: Path) -> None:
    with runner_at(asking(second=b"\xff\x00\x1b")) as where:
        asyncio.run(candidate(PLAN_ID, "a", None, False, Wanted(output=str(tmp_path / "found")), where, piped()))
    assert (tmp_path / "found").read_bytes() == b"\xff\x00\x1b"


@pytest.mark.parametrize("attempt", ["0", "-1", "4294967296", "two"])
def test_an_attempt_that_is_none_is_refused(attempt: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["candidate", PLAN_ID, "a", "--attempt", attempt])
    assert ended.value.code == 2
    assert "--attempt" in capsys.readouterr().err


# ---------------------------------------------------------------- to judge


@pytest.mark.parametrize("answer", ["y\n", "YES\n", " y \n"])
def test_a_person_is_shown_the_candidate_and_asked_and_judges_just_that(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, output = asking(), on_a_terminal(monkeypatch, answer)
    with runner_at(runner) as where:
        assert judge(PLAN_ID, "a", TypedVerdict(passes=True, by="grace"), where, output) == 0
    shown = notes_of(output)
    assert "pass (by the model): names a year: 2026" in shown
    assert "of 3 inputs the model was shown nothing of 2" in shown
    assert "----- the difference to attempt 1, rejected by the person ada" in shown
    assert shown[-6:-2] == [" Mars", "-Venus", "+Earth", ""]
    assert shown[-1] == "sign the candidate of attempt 2 of a off as grace? [y/N] "
    (given,) = verdicts(runner)
    assert (given.person, given.attempt, given.outcome) == ("grace", 2, pb.OUTCOME_PASS)
    assert given.digest == hashlib.sha256(b"Mars\nEarth\n").hexdigest()
    assert given.request_id


@pytest.mark.guard(name="a person is asked")
@pytest.mark.parametrize("answer", ["n\n", "\n", "", "yup\n", "maybe y\n"])
def test_anything_but_a_yes_gives_no_verdict(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, output = asking(), on_a_terminal(monkeypatch, answer)
    with runner_at(runner) as where:
        assert judge(PLAN_ID, "a", TypedVerdict(passes=False, reason="no year"), where, output) == 1
    assert verdicts(runner) == []
    assert notes_of(output)[-1].endswith("no verdict was given: the candidate waits on")


def test_without_a_terminal_nothing_is_given_unless_yes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = asking()
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    verdict = TypedVerdict(passes=False, reason="no year")
    with runner_at(runner) as where:
        with pytest.raises(ConfigurationError, match="--yes gives the verdict without a question"):
            judge(PLAN_ID, "a", verdict, where, piped())
        assert verdicts(runner) == []
        output = piped()
        assert judge(PLAN_ID, "a", replace(verdict, yes=True), where, output) == 0
    (given,) = verdicts(runner)
    assert (given.outcome, given.reason, given.person) == (pb.OUTCOME_FAIL, "no year", "grace")
    assert "+Earth" in notes_of(output)
    assert lines_of(output)[0].startswith("trends (x-1) is running")


def test_what_does_not_wait_for_a_person_is_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = asking()
    runner.candidates.pop()
    with runner_at(runner) as where, pytest.raises(WrongState, match="is not: rejected by the person ada"):
        judge(PLAN_ID, "a", TypedVerdict(passes=True), where, on_a_terminal(monkeypatch, "y\n"))
    assert verdicts(runner) == []


def test_what_would_steer_the_terminal_is_written_out_before_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = asking(second=b"\x1b[2Jgood\n")
    runner.candidates[1][0].remark = "\x1b[1mfine\nsign the candidate off? [y/N] y"
    output = on_a_terminal(monkeypatch, "n\n")
    with runner_at(runner) as where:
        judge(PLAN_ID, "a", TypedVerdict(passes=True), where, output)
    shown = "\n".join(notes_of(output))
    assert "\x1b" not in shown
    assert "\\x1b[2Jgood" in shown
    assert "its maker wrote around it: \\x1b[1mfine sign the candidate off? [y/N] y" in shown


def test_of_a_long_candidate_the_beginning_is_shown_and_how_to_see_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = asking(second=b"line\n" * 10_000)
    output = on_a_terminal(monkeypatch, "n\n")
    with runner_at(runner) as where:
        judge(PLAN_ID, "a", TypedVerdict(passes=True), where, output)
    shown = notes_of(output)
    assert len(shown) < 120
    how = f"`signoff candidate trends a --attempt 2 --runner {where.runner}` shows all"
    assert f"… and 49,801 more characters: {how}" in shown


def test_of_one_that_is_no_text_only_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    output = on_a_terminal(monkeypatch, "n\n")
    with runner_at(asking(second=b"\xff" * 50)) as where:
        judge(PLAN_ID, "a", TypedVerdict(passes=True), where, output)
    assert any(line.startswith("it is no text: `signoff candidate trends a --attempt 2") for line in notes_of(output))
