"""The border of a worker: every result becomes messages that fit, and frames that the runner takes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bounds import check
from signoff.errors import StaleLease
from signoff.rpc.channel import CHUNK_BYTES, MAX_FRAME_BYTES
from signoff.rpc.frames import LEAST_FRAME_BYTES
from signoff.v1 import execution_pb2, worker_pb2
from tests.support.servers.scripted_runner import assign, by_reference, welcome
from tests.support.work.givens import spent
from worker_svc.assignment import CandidateResult, FailureResult, Result, VerdictResult
from worker_svc.link.codec import (
    FRAME_TARGET,
    MAX_NAME,
    MAX_RESULTS,
    MAX_TEXT,
    READ_AT_ONCE,
    Limits,
    assignment_from_proto,
    frames_of,
    limits_from_proto,
    messages_of,
    plain,
)
from worker_svc.link.lease_report import LeaseReport

PASS, FAIL = execution_pb2.OUTCOME_PASS, execution_pb2.OUTCOME_FAIL
KIB = 1024


def content_of(size: int) -> bytes:
    """Returns bytes whose order matters."""
    return hashlib.shake_128(b"seed").digest(size)


async def test_what_comes_by_reference_is_read_some_at_a_time_and_stays_in_its_order() -> None:
    under_way, most, free = 0, 0, asyncio.Event()

    async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == READ_AT_ONCE:
            free.set()
        await free.wait()
        under_way -= 1
        return artifact.name.encode()

    message = assign().assign
    for number in range(50):
        message.inputs.add(name=f"n{number}", **({"by_reference": True} if number % 2 else {"inline": b"here"}))
    assignment = await assignment_from_proto(message, fetch)
    assert [given.content for given in assignment.inputs] == [f"n{n}".encode() if n % 2 else b"here" for n in range(50)]
    assert most == READ_AT_ONCE


async def test_the_first_artifact_that_cannot_be_read_ends_the_reading_of_the_others() -> None:
    begun, ended = 0, 0

    async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
        nonlocal begun, ended
        begun += 1
        if artifact.name == "n3":
            raise StaleLease("it has ended")
        never: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            return await never
        finally:
            ended += 1

    message = assign().assign
    for number in range(20):
        message.inputs.add(name=f"n{number}", by_reference=True)
    with pytest.raises(StaleLease):
        await assignment_from_proto(message, fetch)
    await asyncio.sleep(0)
    assert ended == begun - 1 < 20 - 1


def made(content: bytes) -> CandidateResult:
    return CandidateResult(content=content, media_type="text/plain", maker="m")


def judged(outcome: execution_pb2.Outcome.ValueType, text: str = "x") -> execution_pb2.CriterionResult:
    return execution_pb2.CriterionResult(criterion=text, outcome=outcome, reason=text, deterministic=True)


def verdict(*results: execution_pb2.CriterionResult, feedback: str = "", judge: str = "j") -> VerdictResult:
    return VerdictResult(outcome=FAIL, results=results, feedback=feedback, judge=judge)


def only_message(result: Result, limits: Limits | None = None) -> worker_pb2.WorkerMessage:
    (message,) = messages_of("L1", result, limits or Limits())
    return message


def reassembled(messages: Iterable[worker_pb2.WorkerMessage]) -> tuple[bytes, worker_pb2.Candidate]:
    """Puts the candidate together as a runner does: chunks in order, from 0."""
    body = b""
    *chunks, last = messages
    for message in chunks:
        assert message.candidate_chunk.offset == len(body)
        body += message.candidate_chunk.data
    return body + last.candidate.inline, last.candidate


# ---------------------------------------------------------------- candidates


@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        (0, 0),
        (CHUNK_BYTES - 1, 0),
        (CHUNK_BYTES, 0),
        (CHUNK_BYTES + 1, 2),
        (2 * CHUNK_BYTES - 1, 2),
        (2 * CHUNK_BYTES, 2),
        (2 * CHUNK_BYTES + 1, 3),
    ],
)
def test_candidates_are_cut_at_the_chunk_size_and_come_together_again(size: int, chunks: int) -> None:
    content = content_of(size)
    messages = list(messages_of("L1", made(content), Limits()))
    body, candidate = reassembled(messages)
    assert len(messages) == chunks + 1
    assert body == content
    assert (candidate.size_bytes, candidate.digest) == (size, hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(("size", "kind"), [(100, "candidate"), (101, "failure")])
def test_the_largest_candidate_is_sent_and_a_larger_one_is_a_permanent_failure(size: int, kind: str) -> None:
    message = only_message(made(bytes(size)), Limits(candidate=100))
    assert message.WhichOneof("kind") == kind
    if kind == "failure":
        assert message.failure.kind == execution_pb2.FAILURE_KIND_PERMANENT
        assert message.failure.message == "expected a candidate of at most 100 bytes, but the executor made 101"


def test_a_runner_that_leaves_limits_unsaid_gets_the_usual_ones() -> None:
    assert limits_from_proto(worker_pb2.Welcome()) == Limits()


def test_no_frame_is_above_four_mebibytes_whatever_the_runner_says() -> None:
    said = welcome(max_frame_bytes=2**30, inline_limit_bytes=2**20, max_candidate_bytes=2**33).welcome
    assert limits_from_proto(said) == Limits(inline=2**20, candidate=2**33, frame=MAX_FRAME_BYTES)


# ---------------------------------------------------------------- failures and verdicts


@pytest.mark.guard(name="a failure fits")
def test_a_failure_keeps_its_kind_and_its_time_and_the_beginning_of_its_words() -> None:
    kind = execution_pb2.FAILURE_KIND_RATE_LIMITED
    failed = FailureResult(kind=kind, message="é" * 20_000, retry_after=timedelta(seconds=9))
    failure = only_message(failed).failure
    assert (failure.kind, failure.message) == (kind, "é" * MAX_TEXT)
    assert failure.retry_after.ToTimedelta() == timedelta(seconds=9)


def test_names_that_a_function_made_up_are_one_line_for_the_runner() -> None:
    made = CandidateResult(content=b"x", media_type="text/plain\r\nX: \x1b[2J" + "é" * 1000, maker="m\0")
    message = only_message(made)
    check(message, "messages", 0)
    assert message.candidate.media_type.startswith("text/plain  X:  [2Jé")
    assert message.candidate.maker == "m "


@pytest.mark.guard(name="a gist leaves as a digest")
def test_a_gist_can_be_compared_and_not_read() -> None:
    def sent(gist: str) -> str:
        failed = FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="busy", gist=gist)
        return only_message(failed).failure.gist

    assert sent("bad key sk-0123456789 at \ud83d") == sent("bad key sk-0123456789 at \ud83d") != sent("bad row")
    assert sent("bad row") == hashlib.sha256(b"bad row").hexdigest()
    assert sent("") == ""


def test_a_failure_without_a_retry_time_says_none() -> None:
    failed = FailureResult(kind=execution_pb2.FAILURE_KIND_TRANSIENT, message="busy")
    assert not only_message(failed).failure.HasField("retry_after")


def test_a_verdict_that_fits_is_told_as_it_was_given() -> None:
    given_results = (judged(PASS, "names a year"), judged(FAIL, "names a place"))
    sent = only_message(verdict(*given_results, feedback="no place")).verdict
    assert tuple(sent.results) == given_results
    assert (sent.lease_id, sent.outcome, sent.feedback, sent.judge) == ("L1", FAIL, "no place", "j")
    assert sent.retry_worthwhile


def test_of_too_many_results_those_that_are_not_a_pass_are_told_first() -> None:
    results = [judged(PASS)] * MAX_RESULTS + [judged(FAIL)] * 3 + [judged(execution_pb2.OUTCOME_ERROR)]
    sent = only_message(verdict(*results)).verdict
    assert len(sent.results) == MAX_RESULTS
    assert [result.outcome for result in sent.results[:5]] == [FAIL, FAIL, FAIL, execution_pb2.OUTCOME_ERROR, PASS]


@pytest.mark.guard(name="a verdict fits")
@pytest.mark.parametrize("frame", [LEAST_FRAME_BYTES, MAX_FRAME_BYTES])
def test_a_huge_verdict_is_clipped_until_it_fits_and_every_criterion_keeps_its_outcome(frame: int) -> None:
    results = [judged(FAIL if number % 2 else PASS, "行" * 30_000) for number in range(MAX_RESULTS)]
    message = only_message(verdict(*results, feedback="行" * 100_000), Limits(frame=frame))
    assert message.ByteSize() <= frame
    sent = message.verdict
    assert [result.outcome for result in sent.results] == [result.outcome for result in results]
    assert all(result.criterion and result.reason for result in sent.results)
    assert sent.feedback
    assert len(results[0].reason) == 30_000  # what the handler returned is not changed


@pytest.mark.parametrize(
    ("text", "sent"),
    [("plain", "plain"), ("\ud83e\ude90", "🪐"), ("a\ud83e", "a\ufffd"), ("\ude90\ud83e", "\ufffd\ufffd"), ("", "")],
)
def test_broken_text_is_mended_before_it_is_sent(text: str, sent: str) -> None:
    assert plain(text) == sent


# ---------------------------------------------------------------- assignments


async def test_an_assignment_is_read_with_the_bytes_of_what_came_by_reference() -> None:
    message = assign("L1", execution_pb2.PHASE_VALIDATE, inputs=(by_reference(b"far"),)).assign
    message.inputs.append(worker_pb2.InputArtifact(name="near", inline=b"near"))
    message.feedback.summary = "no year"
    message.feedback.previous_candidate.CopyFrom(by_reference(b"old"))
    fetched: list[str] = []

    async def fetch(artifact: worker_pb2.InputArtifact) -> bytes:
        fetched.append(artifact.digest)
        return b"fetched"

    assignment = await assignment_from_proto(message, fetch)
    assert [given.content for given in assignment.inputs] == [b"fetched", b"near"]
    assert assignment.candidate is not None
    assert assignment.candidate.content == b"Mars"
    assert assignment.feedback is not None
    assert assignment.feedback.previous_candidate is not None
    assert (assignment.feedback.summary, assignment.feedback.previous_candidate.content) == ("no year", b"fetched")
    assert sorted(fetched) == sorted([by_reference(b"far").digest, by_reference(b"old").digest])


async def test_a_first_assignment_has_neither_candidate_nor_feedback() -> None:
    async def nothing(_artifact: worker_pb2.InputArtifact) -> bytes:
        raise AssertionError("nothing travels by reference")

    assignment = await assignment_from_proto(assign().assign, nothing)
    assert (assignment.candidate, assignment.feedback, assignment.inputs) == (None, None, ())


# ---------------------------------------------------------------- frames

letters = st.sampled_from(["a", "é", "行", "🪐", "\ud83e"])
texts = st.builds(str.__mul__, st.text(letters, max_size=5), st.sampled_from([0, 1, 100, 10_000]))
clean = texts.map(lambda text: plain(text, len(text)))
sizes = st.one_of(
    st.integers(0, 3 * 1024 * KIB),
    st.builds(lambda chunks, off: max(0, chunks * CHUNK_BYTES + off), st.integers(0, 6), st.integers(-1, 1)),
)
candidates = st.builds(CandidateResult, content=sizes.map(content_of), media_type=texts, maker=texts)
failures = st.builds(
    FailureResult,
    kind=st.sampled_from([execution_pb2.FAILURE_KIND_TRANSIENT, execution_pb2.FAILURE_KIND_PERMANENT]),
    message=texts,
    retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=1)),
)
one_result = st.builds(
    execution_pb2.CriterionResult, criterion=clean, reason=clean, outcome=st.sampled_from([PASS, FAIL])
)
judged_lists = st.builds(
    lambda some, times: tuple(some * times), st.lists(one_result, max_size=4), st.sampled_from([1, 10, 100])
)
verdicts = st.builds(VerdictResult, outcome=st.just(FAIL), results=judged_lists, feedback=texts, judge=texts)
results = st.lists(st.one_of(candidates, failures, verdicts), max_size=4)
frame_limits = st.one_of(st.just(LEAST_FRAME_BYTES), st.integers(LEAST_FRAME_BYTES, 8 * 1024 * KIB))


def said_by(word: LeaseReport, limits: Limits, given_results: list[Result]) -> Iterable[worker_pb2.WorkerMessage]:
    yield from word.take(limits)
    for number, result in enumerate(given_results):
        yield from messages_of(f"L{number}", result, limits)
        yield worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=number))


@pytest.mark.guard(name="frames of a worker fit")
@settings(derandomize=True, deadline=None, max_examples=60)
@given(given_results=results, most=frame_limits, thinking=st.lists(texts, max_size=5), model=texts)
def test_no_frame_is_larger_than_the_runner_takes_and_nothing_is_lost_or_reordered(
    given_results: list[Result], most: int, thinking: list[str], model: str
) -> None:
    limits = limits_from_proto(welcome(max_frame_bytes=most, max_candidate_bytes=2 * 1024 * KIB).welcome)

    def word() -> LeaseReport:
        said = LeaseReport("L1", lambda _lease: None, True)
        for piece in thinking:
            said.thinking(piece)
        said.usage(model, spent(1, 2, 3))
        return said

    messages = list(said_by(word(), limits, given_results))
    frames = list(frames_of(said_by(word(), limits, given_results), limits.frame))
    assert all(frame.ByteSize() <= min(most, MAX_FRAME_BYTES) for frame in frames)
    assert [message for frame in frames for message in frame.messages] == messages
    for number, result in enumerate(given_results):
        if isinstance(result, CandidateResult) and len(result.content) <= limits.candidate:
            assert reassembled(messages_of(f"L{number}", result, limits))[0] == result.content


@settings(derandomize=True, deadline=None, max_examples=20)
@given(count=st.integers(0, 40_000), most=st.integers(LEAST_FRAME_BYTES, 8 * 1024 * KIB))
def test_many_small_messages_travel_in_few_frames(count: int, most: int) -> None:
    pongs = [worker_pb2.WorkerMessage(pong=worker_pb2.Pong(nonce=nonce)) for nonce in range(count)]
    frames = list(frames_of(pongs, most))
    sizes_of_frames = [frame.ByteSize() for frame in frames]
    assert sum(len(frame.messages) for frame in frames) == count
    assert all(size <= min(most, FRAME_TARGET) for size in sizes_of_frames)
    assert all(size > min(most, FRAME_TARGET) // 3 for size in sizes_of_frames[:-1])


def test_nothing_to_say_is_no_frame() -> None:
    assert list(frames_of([], MAX_FRAME_BYTES)) == []


def test_long_names_are_clipped() -> None:
    message = only_message(CandidateResult(content=b"", media_type="t" * 10_000, maker="m" * 10_000))
    assert (len(message.candidate.media_type), len(message.candidate.maker)) == (MAX_NAME, MAX_NAME)
