"""Assignments fit the frames of their worker, or say that they cannot."""

from __future__ import annotations

import hashlib
from typing import cast

import pytest

from runner_svc.codec.assignments import AssignmentTooLarge, write_assign
from runner_svc.codec.frames import verdict_from_proto
from runner_svc.core.commands import Assign
from signoff.bounds import bounds_of, check
from signoff.frames import LEAST_FRAME_BYTES, MAX_CHECKPOINT_BYTES, MESSAGE_HEADER
from signoff.rpc import MAX_FRAME_BYTES
from signoff.v1 import execution_pb2, plan_pb2, worker_pb2
from tests.support.story import (
    Run,
    candidate,
    executor,
    given,
    passes,
    saved,
    signed_off,
    started,
    validator,
    worker_lost,
)

LONG = "长" * 100_000


async def told(assign: Assign, most: int) -> worker_pb2.Assign:
    """What the worker is told; every content is as large as it says."""
    sizes = {given.content.digest: given.content.size for given in assign.inputs}
    if assign.checkpoint is not None:
        sizes[assign.checkpoint.digest] = assign.checkpoint.size

    async def read(digest: str) -> bytes:
        return b"x" * sizes.get(digest, 0)

    message = worker_pb2.Assign()
    await write_assign(message, assign, read, most, thinking_wanted=False)
    return message


def framed(message: worker_pb2.Assign) -> int:
    """Bytes of a frame with nothing else in it."""
    return worker_pb2.ConnectResponse(messages=[worker_pb2.RunnerMessage(assign=message)]).ByteSize()


def assignment_after_rejection() -> Assign:
    """The second attempt of a task whose validator had much to say."""
    run = given("a", executor("w1"), validator("v1"), started, candidate("a", "x" * 300_000))
    failed = execution_pb2.CriterionResult(criterion=LONG, outcome=execution_pb2.OUTCOME_FAIL, reason=LONG)
    passed = execution_pb2.CriterionResult(criterion="fine", outcome=execution_pb2.OUTCOME_PASS)
    message = worker_pb2.Verdict(
        lease_id=run.lease("a"),
        outcome=execution_pb2.OUTCOME_FAIL,
        results=[passed] * 300 + [failed] * 300,
        feedback=LONG,
        retry_worthwhile=True,
    )
    check(message)
    session = run.holder("a")
    run.when(lambda run: verdict_from_proto(message, session=session, at=run.at), passes(1.0))
    return run.assignment("a")


async def test_a_verdict_of_any_length_still_fits_the_next_assignment() -> None:
    message = await told(assignment_after_rejection(), MAX_FRAME_BYTES)
    assert framed(message) <= MAX_FRAME_BYTES
    assert len(message.feedback.results) == bounds_of(worker_pb2.Verdict, "results").keep_items
    assert {result.outcome for result in message.feedback.results} == {execution_pb2.OUTCOME_FAIL}
    assert message.feedback.previous_candidate.by_reference


@pytest.mark.guard(name="feedback gives way")
async def test_feedback_that_does_not_fit_is_told_in_short() -> None:
    message = await told(assignment_after_rejection(), LEAST_FRAME_BYTES)
    assert framed(message) <= LEAST_FRAME_BYTES
    assert not message.feedback.results
    assert message.feedback.summary


def reader_of(count: int, size: int) -> Assign:
    """The assignment of a task that reads so many artifacts of this size."""
    makers = [f"t{number}" for number in range(count)]
    run = Run(f"{'; '.join(makers)}; z <- {', '.join(makers)}")
    run.when(executor("w1", slots=count), validator("v1", slots=count), started)
    for name in makers:
        run.when(*signed_off(name, name.ljust(size)))
    return run.assignment("z")


@pytest.mark.guard(name="inputs give way")
@pytest.mark.parametrize("most", [LEAST_FRAME_BYTES, 100_000, 333_333])
async def test_inputs_travel_inside_as_long_as_the_frame_has_room(most: int) -> None:
    message = await told(reader_of(40, 10_000), most)
    inside = [given for given in message.inputs if given.WhichOneof("content") == "inline"]
    assert framed(message) <= most
    assert most - framed(message) < 11_000
    assert [given.by_reference for given in message.inputs] == [False] * len(inside) + [True] * (40 - len(inside))
    assert all(given.ByteSize() > 10_000 for given in inside)


async def test_inputs_that_all_fit_travel_inside() -> None:
    message = await told(reader_of(40, 10_000), MAX_FRAME_BYTES)
    assert [len(given.inline) for given in message.inputs] == [10_000] * 40


def assignment_after_a_loss(size: int) -> Assign:
    """Of a task whose executor has left so many bytes."""
    run = given("a", executor("w1"), started, saved("a", "x" * size))
    run.when(worker_lost("w1"), passes(61), executor("w2"))
    return run.assignment("a")


async def test_a_checkpoint_travels_inside() -> None:
    assign = assignment_after_a_loss(MAX_CHECKPOINT_BYTES)
    message = await told(assign, MAX_FRAME_BYTES)
    assert message.checkpoint == b"x" * MAX_CHECKPOINT_BYTES


async def test_a_checkpoint_that_no_frame_has_room_for_is_left_out() -> None:
    message = await told(assignment_after_a_loss(MAX_CHECKPOINT_BYTES), LEAST_FRAME_BYTES)
    assert message.checkpoint == b""
    assert framed(message) <= LEAST_FRAME_BYTES


@pytest.mark.guard(name="no frame above the limit")
async def test_an_assignment_that_fits_no_frame_says_the_sizes() -> None:
    assign = given("a", executor("w1"), started).assignment("a")
    spec = plan_pb2.TaskSpec(task_id="a", description=hashlib.shake_128(b"").hexdigest(LEAST_FRAME_BYTES))
    cast(list[bytes], assign.execution.map.specs)[0] = spec.SerializeToString()
    with pytest.raises(AssignmentTooLarge, match=r"at most 65524 bytes, which is what the worker takes, but that of a"):
        await told(assign, LEAST_FRAME_BYTES)


async def test_an_assignment_may_fill_a_frame_to_the_last_byte() -> None:
    assign = given("a", executor("w1"), started).assignment("a")
    whole = await told(assign, MAX_FRAME_BYTES)
    least = whole.ByteSize() + 2 * MESSAGE_HEADER
    assert await told(assign, least) == whole
    with pytest.raises(AssignmentTooLarge):
        await told(assign, least - 1)
