"""GetCandidate: the candidate of any attempt and its fate, for as long as its execution is kept."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from runner_svc.services import candidates, task_journal
from runner_svc.store.memory import MemoryStore
from runner_svc.store.port import Store
from runner_svc.store.sqlite import SqliteStore
from signoff.v1 import execution_pb2 as pb
from signoff.v1 import plan_pb2, runner_pb2, worker_pb2
from tests.runner_svc.services.test_runner_service import refused
from tests.support.servers.raw_worker import EXECUTOR, VALIDATOR, RawWorker, raw_worker
from tests.support.servers.runner import PlannerOfTexts, Running, running

HUMAN = plan_pb2.TaskSpec(validation=plan_pb2.Validation(criteria=["is good"], human=True))
NOT_SHOWN = pb.Unread(inputs=3, cut=1, left_out=1, examples=[pb.UnreadInput(name="papers", task_id="b", shown_chars=9)])


def planner() -> PlannerOfTexts:
    return PlannerOfTexts({"a": HUMAN}, asking="a; b <- a", plain="b")


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(planner(), tmp_path) as up:
        yield up


async def start(runner: Running, plan_id: str = "asking") -> runner_pb2.ExecutionRef:
    settings = pb.ExecutionSettings(max_failures=9)
    settings.retry_cap.FromMilliseconds(1)
    started = await runner.stub.StartExecution(runner_pb2.StartExecutionRequest(plan_id=plan_id, settings=settings))
    return runner_pb2.ExecutionRef(execution_id=started.execution.execution_id)


async def make(executor: RawWorker, text: str, **more: Any) -> None:
    """Makes the executor's next candidate."""
    assign, body = await executor.assigned(), text.encode()
    digest = hashlib.sha256(body).hexdigest()
    made = worker_pb2.Candidate(
        lease_id=assign.lease_id, inline=body, digest=digest, size_bytes=len(body), media_type="text/plain", **more
    )
    await executor.say(candidate=made)
    await executor.hear("ack")


async def judge(validator: RawWorker, outcome: pb.Outcome.ValueType, reason: str = "") -> None:
    assign = await validator.assigned()
    result = pb.CriterionResult(criterion="is good", outcome=outcome, reason=reason, criterion_number=1)
    verdict = worker_pb2.Verdict(
        lease_id=assign.lease_id, outcome=outcome, results=[result], feedback=reason, retry_worthwhile=True
    )
    await validator.say(verdict=verdict)
    await validator.hear("ack")


async def by_person(
    runner: Running, ref: runner_pb2.ExecutionRef, outcome: pb.Outcome.ValueType, **more: Any
) -> runner_pb2.JudgeTaskResponse:
    request = runner_pb2.JudgeTaskRequest(ref=ref, task_id="a", outcome=outcome, person="ada", **more)
    return await runner.stub.JudgeTask(request)


async def get(
    runner: Running, ref: runner_pb2.ExecutionRef, attempt: int = 0, task: str = "a"
) -> tuple[pb.CandidateInfo, bytes]:
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id=task, attempt=attempt)
    answers = [answer async for answer in runner.stub.GetCandidate(request)]
    return answers[0].info, b"".join(answer.chunk for answer in answers[1:])


async def tried_three_times(runner: Running, ref: runner_pb2.ExecutionRef) -> None:
    """Makes three candidates: the validator rejects one, a person rejects one, the third waits for a person."""
    async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
        await make(executor, "one", unread=NOT_SHOWN, remark="take it")
        await judge(validator, pb.OUTCOME_FAIL, "no year")
        await make(executor, "two")
        await judge(validator, pb.OUTCOME_PASS)
        await by_person(runner, ref, pb.OUTCOME_FAIL, reason="too bold")
        await make(executor, "three")
        await judge(validator, pb.OUTCOME_PASS)


@pytest.mark.guard(name="people see what they judge")
async def test_a_person_sees_what_waits_with_all_that_was_said_of_it(runner: Running) -> None:
    ref = await start(runner)
    await tried_three_times(runner, ref)
    info, body = await get(runner, ref)
    assert (body, info.artifact.digest) == (b"three", hashlib.sha256(b"three").hexdigest())
    assert info.state == pb.CANDIDATE_STATE_WAITS_FOR_PERSON
    assert (info.artifact.attempt, info.artifact.media_type, info.worker) == (3, "text/plain", "w1")
    assert list(info.attempts) == [1, 2, 3]
    assert info.validator == "v1"
    assert [(result.criterion, result.outcome) for result in info.results] == [("is good", pb.OUTCOME_PASS)]
    assert not info.HasField("decided_by")


@pytest.mark.guard(name="rejected candidates stay readable")
async def test_rejected_candidates_stay_readable_with_their_reasons_and_who_gave_them(runner: Running) -> None:
    ref = await start(runner)
    await tried_three_times(runner, ref)
    first, body = await get(runner, ref, 1)
    assert (body, first.state, first.feedback) == (b"one", pb.CANDIDATE_STATE_REJECTED, "no year")
    assert (first.decided_by, first.remark) == (pb.VerdictBy(validator="v1"), "take it")
    assert first.artifact.unread == NOT_SHOWN
    assert [result.reason for result in first.results] == ["no year"]
    second, body = await get(runner, ref, 2)
    assert (body, second.state, second.feedback) == (b"two", pb.CANDIDATE_STATE_REJECTED, "too bold")
    assert (second.decided_by, second.validator) == (pb.VerdictBy(person="ada"), "v1")
    assert [result.criterion for result in second.results] == ["is good", "A person approves"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Opens the same store again and again."""
    if request.param == "memory":
        kept = MemoryStore()
        return lambda: kept
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "journal.db")
    from runner_svc.store.postgres import PostgresStore  # its driver is an extra

    dsn: str = request.getfixturevalue("dsn")
    return lambda: PostgresStore(dsn)


async def test_they_are_readable_after_the_execution_has_ended_and_the_runner_was_started_anew(
    store: Callable[[], Store], tmp_path: Path
) -> None:
    async with running(planner(), tmp_path, store=store(), checkpoint_every=1) as runner:
        ref = await start(runner)
        await tried_three_times(runner, ref)
        await by_person(runner, ref, pb.OUTCOME_PASS)
        async with raw_worker(runner, EXECUTOR, "w1") as executor, raw_worker(runner, VALIDATOR, "v1") as validator:
            await make(executor, "of b")
            await judge(validator, pb.OUTCOME_PASS)
    async with running(planner(), tmp_path, store=store(), checkpoint_every=1) as again:
        assert [(await get(again, ref, number))[1] for number in (1, 2, 3)] == [b"one", b"two", b"three"]
        info, _ = await get(again, ref)
        assert (info.state, info.decided_by) == (pb.CANDIDATE_STATE_SIGNED_OFF, pb.VerdictBy(person="ada"))
        assert info.artifact.signed_off_by == pb.VerdictBy(person="ada")
        of_b, _ = await get(again, ref, task="b")
        assert of_b.decided_by == pb.VerdictBy(validator="v1")
        tasks = await again.stub.GetExecution(
            runner_pb2.GetExecutionRequest(ref=ref, tasks=runner_pb2.TASK_SELECTION_ALL)
        )
        assert [task.artifact.signed_off_by.WhichOneof("who") for task in tasks.tasks] == ["person", "validator"]


async def test_what_no_attempt_made_is_refused_with_those_that_did(runner: Running) -> None:
    ref = await start(runner)
    with refused("CANDIDATE_NOT_FOUND", grpc.StatusCode.NOT_FOUND) as none:
        await get(runner, ref)
    assert "no attempt has made one yet" in str(none.error)
    await tried_three_times(runner, ref)
    with refused("CANDIDATE_NOT_FOUND", grpc.StatusCode.NOT_FOUND) as other:
        await get(runner, ref, 4)
    assert "but got 4: those that did are 1, 2, 3" in str(other.error)
    with refused("TASK_NOT_FOUND", grpc.StatusCode.NOT_FOUND):
        await get(runner, ref, task="nothing")


async def test_the_info_alone_can_be_asked_for(runner: Running) -> None:
    ref = await start(runner)
    await tried_three_times(runner, ref)
    request = runner_pb2.GetCandidateRequest(ref=ref, task_id="a", info_only=True)
    answers = [answer async for answer in runner.stub.GetCandidate(request)]
    assert [answer.WhichOneof("content") for answer in answers] == ["info"]


async def test_a_candidate_that_a_validator_judges_says_so_and_one_of_a_retried_task_is_withdrawn(
    runner: Running,
) -> None:
    ref = await start(runner, "plain")
    async with raw_worker(runner, EXECUTOR, "w1") as executor:
        await make(executor, "one")
        info, _ = await get(runner, ref, task="b")
        assert info.state == pb.CANDIDATE_STATE_WAITS_FOR_VALIDATOR
        await runner.stub.RetryTask(runner_pb2.RetryTaskRequest(ref=ref, task_id="b"))
        info, body = await get(runner, ref, task="b")
        assert (info.state, body) == (pb.CANDIDATE_STATE_WITHDRAWN, b"one")


async def test_pages_of_the_journal_are_read_one_after_another(
    runner: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = await start(runner)
    await tried_three_times(runner, ref)
    whole = await get(runner, ref, 2)
    monkeypatch.setattr(task_journal, "ROWS_AT_ONCE", 1)
    assert await get(runner, ref, 2) == whole


async def test_a_verdict_on_what_no_longer_waits_is_refused_and_changes_nothing(runner: Running) -> None:
    ref = await start(runner)
    await tried_three_times(runner, ref)
    (second, _), (third, _) = await get(runner, ref, 2), await get(runner, ref, 3)
    for seen in (second, pb.CandidateInfo(artifact=pb.ArtifactInfo(digest=third.artifact.digest, attempt=2))):
        with refused("CANDIDATE_CHANGED", grpc.StatusCode.FAILED_PRECONDITION):
            await by_person(runner, ref, pb.OUTCOME_PASS, digest=seen.artifact.digest, attempt=seen.artifact.attempt)
    assert (await get(runner, ref))[0] == third
    await by_person(runner, ref, pb.OUTCOME_PASS, digest=third.artifact.digest, attempt=3)
    assert (await get(runner, ref))[0].state == pb.CANDIDATE_STATE_SIGNED_OFF


@pytest.mark.parametrize("name", ["two\nlines", "x" * 129, "\x1b[31m"])
async def test_a_name_that_is_no_line_or_too_long_is_refused(name: str, runner: Running) -> None:
    ref = await start(runner)
    with refused("INVALID_FIELD", grpc.StatusCode.INVALID_ARGUMENT):
        request = runner_pb2.JudgeTaskRequest(ref=ref, task_id="a", outcome=pb.OUTCOME_PASS, person=name)
        await runner.stub.JudgeTask(request)


# ---------------------------------------------------------------- the fold


def event(sequence: int = 1, **kind: Any) -> pb.Event:
    return pb.Event(sequence=sequence, task_id="a", **kind)


def test_a_verdict_of_an_earlier_version_was_a_persons_when_it_came_under_no_lease() -> None:
    for lease, by in (("", pb.VerdictBy(person="")), ("l1", pb.VerdictBy(validator="v1"))):
        fold = candidates.Candidates(0)
        fold.take(event(candidate_stored=pb.CandidateStored(attempt=1, digest="d")))
        fold.take(event(task_assigned=pb.TaskAssigned(lease_id="l1", worker="v1", phase=pb.PHASE_VALIDATE)))
        fold.take(event(verdict_passed=pb.VerdictPassed(lease_id=lease, attempt=1)))
        assert fold.info is not None
        assert fold.info.decided_by == by


def test_what_happens_to_a_later_candidate_does_not_happen_to_the_one_before() -> None:
    fold = candidates.Candidates(1)
    for attempt in (1, 2):
        fold.take(event(candidate_stored=pb.CandidateStored(attempt=attempt, digest=str(attempt))))
        fold.take(event(verdict_failed=pb.VerdictFailed(lease_id="l", attempt=attempt, feedback=f"bad {attempt}")))
    assert fold.info is not None
    assert (fold.info.feedback, list(fold.attempts)) == ("bad 1", [1, 2])


def test_an_artifact_that_counts_again_is_signed_off_again() -> None:
    fold = candidates.Candidates(1)
    fold.take(event(candidate_stored=pb.CandidateStored(attempt=1, digest="d")))
    fold.take(event(verdict_passed=pb.VerdictPassed(by=pb.VerdictBy(person="ada"), attempt=1)))
    fold.take(event(task_rolled_back=pb.TaskRolledBack(cause_task_id="b")))
    assert fold.info is not None
    assert fold.info.state == pb.CANDIDATE_STATE_WITHDRAWN
    fold.take(event(artifact_kept=pb.ArtifactKept(attempt=1)))
    assert fold.info.state == pb.CANDIDATE_STATE_SIGNED_OFF


def test_however_many_attempts_there_were_an_answer_names_a_bounded_number() -> None:
    fold = candidates.Candidates(1)
    for attempt in range(1, 5_001):
        fold.take(event(candidate_stored=pb.CandidateStored(attempt=attempt, digest="d")))
    assert (len(fold.attempts), fold.attempts[-1]) == (candidates.MOST_ATTEMPTS, 5_000)
