"""The report of a lease: a slow stream loses thinking, but no costs and no checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.rpc.frames import LEAST_FRAME_BYTES
from signoff.v1 import worker_pb2
from tests.support.work.givens import spent
from worker_svc.link import lease_report
from worker_svc.link.codec import Limits
from worker_svc.link.lease_report import MAX_UNSENT_THINKING, LeaseReport
from worker_svc.spent import Spent

KIB = 1024


def report_of_work(thinking_wanted: bool = True, prompts_wanted: bool = False) -> LeaseReport:
    return LeaseReport("L1", lambda _lease: None, thinking_wanted, prompts_wanted)


def progress_of(said: LeaseReport, limits: Limits | None = None) -> Iterator[worker_pb2.Progress]:
    return (message.progress for message in said.take(limits or Limits()) if message.HasField("progress"))


def test_the_latest_word_is_one_message_however_much_was_said() -> None:
    said = report_of_work()
    for number in range(1000):
        said.thinking("x")
        said.tokens(number)
    (progress,) = progress_of(said)
    assert (progress.thinking, progress.tokens, progress.gap) == ("x" * 1000, 999, False)


def test_what_was_taken_is_not_told_again_but_the_count_goes_on() -> None:
    said = report_of_work()
    said.thinking("Mars")
    said.tokens(4)
    said.usage("writer", spent(1, 2))
    assert [message.WhichOneof("kind") for message in said.take(Limits())] == ["progress", "usage"]
    said.tokens(4)
    (message,) = said.take(Limits())
    assert (message.progress.thinking, message.progress.tokens) == ("", 4)


def test_what_a_prompt_costs_is_no_sign_that_anything_has_come() -> None:
    said = report_of_work()
    said.usage("writer", Spent(requests=1, estimated_input_tokens=9))
    assert [message.WhichOneof("kind") for message in said.take(Limits())] == ["usage"]
    assert list(said.take(Limits())) == []


@pytest.mark.guard(name="costs are said again")
def test_costs_are_said_again_on_the_next_stream() -> None:
    said = report_of_work()
    said.usage("writer", spent(1, 2))
    list(said.take(Limits()))
    before = said.must_be_sent
    said.stream_lost()
    assert (before, said.must_be_sent) == (False, True)
    assert [message.usage.input_tokens for message in said.take(Limits()) if message.HasField("usage")] == [1]


@pytest.mark.guard(name="prompts are said again")
async def test_prompts_are_said_once_and_again_on_the_next_stream() -> None:
    said = report_of_work(prompts_wanted=True)
    await said.prompt((("user", "Name a planet."),))
    first = list(said.take(Limits()))
    assert [message.WhichOneof("kind") for message in first] == ["prompt_chunk"]
    assert (list(said.take(Limits())), said.must_be_sent) == ([], False)
    said.stream_lost()
    assert said.must_be_sent
    assert list(said.take(Limits())) == first


@pytest.mark.guard(name="checkpoints are said again")
def test_the_last_checkpoint_is_said_once_and_again_on_the_next_stream() -> None:
    said = report_of_work()
    for text in (b"third", b"half"):
        said.checkpoint(text)
    assert said.must_be_sent
    assert [progress.checkpoint for progress in progress_of(said)] == [b"half"]
    assert [progress.checkpoint for progress in progress_of(said)] == []
    said.stream_lost()
    assert said.must_be_sent
    assert [progress.checkpoint for progress in progress_of(said)] == [b"half"]


def test_of_each_model_the_last_usage_is_told() -> None:
    said = report_of_work()
    for tokens in (1, 2, 3):
        said.usage("writer", spent(tokens, 0))
    said.usage("judge", spent(9, 0))
    told_usage = {m.usage.model: m.usage.input_tokens for m in said.take(Limits()) if m.HasField("usage")}
    assert told_usage == {"writer": 3, "judge": 9}


def test_thinking_without_a_watcher_is_not_kept() -> None:
    said = report_of_work(thinking_wanted=False)
    said.thinking("Mars?")
    said.attend(True)
    said.thinking("Venus?")
    said.attend(False)
    said.attend(True)
    (progress,) = progress_of(said)
    assert (progress.thinking, progress.gap) == ("", False)


def test_too_much_thinking_drops_the_oldest_and_marks_the_gap_once() -> None:
    said = report_of_work()
    for piece in ("a" * KIB, "b" * MAX_UNSENT_THINKING):
        said.thinking(piece)
    (progress,) = progress_of(said)
    assert (set(progress.thinking), len(progress.thinking), progress.gap) == ({"b"}, MAX_UNSENT_THINKING, True)
    said.thinking("c")
    (progress,) = progress_of(said)
    assert (progress.thinking, progress.gap) == ("c", False)


def test_one_piece_that_is_too_large_is_a_gap() -> None:
    said = report_of_work()
    said.thinking("a" * (MAX_UNSENT_THINKING + 1))
    (progress,) = progress_of(said)
    assert (progress.thinking, progress.gap) == ("", True)


@pytest.mark.guard(name="thinking fits")
def test_thinking_that_fills_more_than_a_frame_is_told_in_pieces() -> None:
    said = report_of_work()
    said.thinking("x")
    said.thinking("行" * MAX_UNSENT_THINKING)
    pieces = list(progress_of(said, Limits(frame=LEAST_FRAME_BYTES)))
    assert "".join(piece.thinking for piece in pieces) == "行" * MAX_UNSENT_THINKING
    assert [piece.gap for piece in pieces] == [True] + [False] * (len(pieces) - 1)
    assert all(piece.ByteSize() < LEAST_FRAME_BYTES for piece in pieces)


@pytest.mark.guard(name="unsent thinking is bounded")
@settings(derandomize=True, deadline=None)
@given(pieces=st.lists(st.text("ab", max_size=40), min_size=1, max_size=20))
def test_what_is_told_is_the_end_of_what_was_thought_and_a_gap_says_what_is_missing(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease_report, "MAX_UNSENT_THINKING", 50)
        said = report_of_work()
        for piece in pieces:
            said.thinking(piece)
        (progress,) = progress_of(said)
    thought = "".join(pieces)
    assert thought.endswith(progress.thinking)
    assert progress.gap == (len(thought) > 50)
    assert len(progress.thinking) <= 50


@pytest.mark.guard(name="thinking that may be lost is a gap")
def test_what_was_thought_before_a_stream_was_lost_may_be_missing() -> None:
    said = report_of_work()
    said.thinking("before")
    list(said.take(Limits()))
    said.stream_lost()
    said.thinking("after")
    assert [(piece.thinking, piece.gap) for piece in progress_of(said)] == [("after", True)]


def test_a_lost_stream_on_which_nothing_was_thought_leaves_no_gap() -> None:
    said = report_of_work()
    said.tokens(1)
    list(said.take(Limits()))
    said.stream_lost()
    said.thinking("after")
    assert [(piece.thinking, piece.gap) for piece in progress_of(said)] == [("after", False)]
