"""Assignments fit the frames of their worker, or say that they cannot."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import cast

import pytest

from runner_svc.codec.assignments import PART_LIMIT, SMALL, SMALL_LIMIT, AssignmentTooLarge, send_assignment
from runner_svc.codec.frames import verdict_from_proto
from runner_svc.codec.unread import unread_from_proto
from runner_svc.core.model.commands import Assign, Input
from runner_svc.core.model.values import Unread, UnreadInput
from signoff.bounds import bounds_of, check
from signoff.errors import content_lost
from signoff.plan.limits import MAX_INPUTS
from signoff.rpc.channel import MAX_FRAME_BYTES
from signoff.rpc.frames import LEAST_FRAME_BYTES, MAX_CHECKPOINT_BYTES, MESSAGE_HEADER
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


async def message_of(assign: Assign, most: int) -> worker_pb2.Assign:
    """Returns the message for the worker, in one part; every content has its stated size."""
    (message,) = await messages(assign, most, in_parts=False)
    return message.assign


async def messages(assign: Assign, most: int, *, in_parts: bool = True) -> list[worker_pb2.RunnerMessage]:
    sizes = {given.content.digest: given.content.size for given in assign.inputs}
    if assign.checkpoint is not None:
        sizes[assign.checkpoint.digest] = assign.checkpoint.size

    async def read(digest: str) -> bytes:
        return b"x" * sizes.get(digest, 0)

    told: list[worker_pb2.RunnerMessage] = []

    async def send(message: worker_pb2.RunnerMessage) -> None:
        told.append(message)

    await send_assignment(assign, send, read, most, thinking_wanted=False, in_parts=in_parts)
    return told


def framed(message: worker_pb2.Assign) -> int:
    """Returns the bytes of a frame with nothing else in it."""
    return worker_pb2.ConnectResponse(messages=[worker_pb2.RunnerMessage(assign=message)]).ByteSize()


def assignment_after_rejection() -> Assign:
    """Returns the second assignment of a task whose validator gave long reasons."""
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
    message = await message_of(assignment_after_rejection(), MAX_FRAME_BYTES)
    assert framed(message) <= MAX_FRAME_BYTES
    assert len(message.feedback.results) == bounds_of(worker_pb2.Verdict, "results").keep_items
    assert {result.outcome for result in message.feedback.results} == {execution_pb2.OUTCOME_FAIL}
    assert message.feedback.previous_candidate.by_reference


@pytest.mark.guard(name="feedback gives way")
async def test_feedback_that_does_not_fit_is_told_in_short() -> None:
    message = await message_of(assignment_after_rejection(), LEAST_FRAME_BYTES)
    assert framed(message) <= LEAST_FRAME_BYTES
    assert not message.feedback.results
    assert message.feedback.summary


def reader_of(count: int, size: int) -> Assign:
    """Returns the assignment of a task that reads so many artifacts of this size."""
    makers = [f"t{number}" for number in range(count)]
    run = Run(f"{'; '.join(makers)}; z <- {', '.join(makers)}")
    run.when(executor("w1", slots=count), validator("v1", slots=count), started)
    for name in makers:
        run.when(*signed_off(name, name.ljust(size)))
    return run.assignment("z")


@pytest.mark.guard(name="inputs give way")
@pytest.mark.parametrize("most", [LEAST_FRAME_BYTES, 100_000, 333_333])
async def test_inputs_travel_inside_as_long_as_the_frame_has_room(most: int) -> None:
    message = await message_of(reader_of(40, 10_000), most)
    inside = [given for given in message.inputs if given.WhichOneof("content") == "inline"]
    assert framed(message) <= most
    assert most - framed(message) < 11_000
    assert [given.by_reference for given in message.inputs] == [False] * len(inside) + [True] * (40 - len(inside))
    assert all(given.ByteSize() > 10_000 for given in inside)


async def test_inputs_that_all_fit_travel_inside() -> None:
    message = await message_of(reader_of(40, 10_000), MAX_FRAME_BYTES)
    assert [len(given.inline) for given in message.inputs] == [10_000] * 40


# ---------------------------------------------------------------- in parts


def with_inputs(count: int, size: int, name: str = "part") -> Assign:
    """Returns the assignment of a task with so many inputs of this size, all different."""
    assign = given("a; z <- a", executor("w1"), validator("v1"), started, *signed_off("a")).assignment("z")
    (one,) = assign.inputs
    digests = (hashlib.sha256(str(n).encode()).hexdigest() for n in range(count))
    inputs = tuple(
        Input(f"{name} {n}", one.task, replace(one.content, digest=digest, size=size))
        for n, digest in enumerate(digests)
    )
    return replace(assign, inputs=inputs)


@pytest.mark.guard(name="inputs travel in parts")
@pytest.mark.parametrize("size", [0, 300, SMALL + 1])
@pytest.mark.parametrize(("count", "most"), [(1_100, LEAST_FRAME_BYTES), (20_000, 333_333), (20_000, MAX_FRAME_BYTES)])
async def test_inputs_that_no_message_can_hold_come_in_parts_all_of_them_in_order(
    count: int, most: int, size: int
) -> None:
    assign = with_inputs(count, size)
    *parts, last = await messages(assign, most)
    assert last.assign.inputs_in_parts == (count if parts else 0)
    assert all(part.inputs_part.lease_id == last.assign.lease_id == assign.lease for part in parts)
    inputs = [given for part in parts for given in part.inputs_part.inputs] + list(last.assign.inputs)
    assert [(given.name, given.digest, given.size_bytes) for given in inputs] == [
        (given.name, given.content.digest, size) for given in assign.inputs
    ]
    for message in (*parts, last):
        check(message)
        frame = worker_pb2.ConnectResponse(messages=[message]).ByteSize()
        assert frame <= most
        assert not message.HasField("inputs_part") or frame <= PART_LIMIT + MESSAGE_HEADER
    inside = [given for given in inputs if given.WhichOneof("content") == "inline"]
    assert all(len(given.inline) == size for given in inside)
    assert parts
    assert len(inside) == (count if size <= min(SMALL, SMALL_LIMIT // count) else 0)


async def test_inputs_inside_parts_have_a_bound_too() -> None:
    *parts, _ = await messages(with_inputs(20_000, SMALL), MAX_FRAME_BYTES)
    inside = [given for part in parts for given in part.inputs_part.inputs if given.WhichOneof("content") == "inline"]
    assert sum(len(given.inline) for given in inside) == SMALL_LIMIT
    assert len(parts) < 25


@pytest.mark.guard(name="only who takes parts is sent some")
async def test_a_worker_that_takes_no_parts_is_never_told_of_some_inputs_only() -> None:
    assign = with_inputs(20_000, 10)
    with pytest.raises(AssignmentTooLarge, match="but that of z has"):
        await messages(assign, MAX_FRAME_BYTES // 4, in_parts=False)
    few = with_inputs(1_100, 10)
    (only,) = await messages(few, MAX_FRAME_BYTES, in_parts=False)
    assert len(only.assign.inputs) == 1_100


async def test_small_inputs_that_one_message_has_no_room_for_come_in_parts_and_are_not_fetched() -> None:
    *parts, last = await messages(with_inputs(1_100, 2_000), MAX_FRAME_BYTES)
    inputs = [given for part in parts for given in part.inputs_part.inputs]
    assert last.assign.inputs_in_parts == len(inputs) == 1_100
    assert {len(given.inline) for given in inputs} == {2_000}


@pytest.mark.guard(name="a lost input of a part ends no stream")
async def test_an_input_of_a_part_that_is_lost_is_named_and_the_assignment_comes() -> None:
    told: list[worker_pb2.RunnerMessage] = []

    async def send(message: worker_pb2.RunnerMessage) -> None:
        told.append(message)

    async def read(digest: str) -> bytes:
        raise content_lost("gone")

    await send_assignment(with_inputs(1_100, 2_000), send, read, MAX_FRAME_BYTES, thinking_wanted=False, in_parts=True)
    *parts, last = told
    inputs = [given for part in parts for given in part.inputs_part.inputs]
    assert last.assign.inputs_in_parts == len(inputs) == 1_100
    assert all(given.by_reference for given in inputs)


async def test_an_input_whose_name_no_part_can_hold_is_said_before_anything_is_sent() -> None:
    assign = with_inputs(3, 10, name="x" * LEAST_FRAME_BYTES)
    with pytest.raises(AssignmentTooLarge, match=r"expected an assignment of at most 65524 bytes"):
        await messages(assign, LEAST_FRAME_BYTES)


async def test_more_inputs_than_a_task_may_have_are_said_with_the_number() -> None:
    (one,) = with_inputs(1, 10).inputs
    assign = replace(with_inputs(1, 10), inputs=(one,) * (MAX_INPUTS + 1))
    with pytest.raises(AssignmentTooLarge, match="expected a task with at most 100,000 inputs, but z has more"):
        await messages(assign, MAX_FRAME_BYTES)


async def test_a_judge_is_told_what_the_author_was_not_shown() -> None:
    unread = Unread(inputs=9, cut=1, left_out=0, examples=(UnreadInput(name="p", task_id="b", size=99, shown_chars=7),))
    run = given("a", executor("w1"), validator("v1"), started).when(candidate("a", "text", unread=unread))
    message = await message_of(run.assignment("a"), MAX_FRAME_BYTES)
    assert unread_from_proto(message.candidate.unread) == unread


def assignment_after_a_loss(size: int) -> Assign:
    """Returns the assignment of a task whose executor left a checkpoint of so many bytes."""
    run = given("a", executor("w1"), started, saved("a", "x" * size))
    run.when(worker_lost("w1"), passes(61), executor("w2"))
    return run.assignment("a")


async def test_a_checkpoint_travels_inside() -> None:
    assign = assignment_after_a_loss(MAX_CHECKPOINT_BYTES)
    message = await message_of(assign, MAX_FRAME_BYTES)
    assert message.checkpoint == b"x" * MAX_CHECKPOINT_BYTES


async def test_a_checkpoint_that_no_frame_has_room_for_is_left_out() -> None:
    message = await message_of(assignment_after_a_loss(MAX_CHECKPOINT_BYTES), LEAST_FRAME_BYTES)
    assert message.checkpoint == b""
    assert framed(message) <= LEAST_FRAME_BYTES


@pytest.mark.guard(name="no frame above the limit")
async def test_an_assignment_that_fits_no_frame_says_the_sizes() -> None:
    assign = given("a", executor("w1"), started).assignment("a")
    spec = plan_pb2.TaskSpec(task_id="a", description=hashlib.shake_128(b"").hexdigest(LEAST_FRAME_BYTES))
    cast(list[bytes], assign.map.specs)[0] = spec.SerializeToString()
    with pytest.raises(AssignmentTooLarge, match=r"at most 65524 bytes, which is what the worker takes, but that of a"):
        await message_of(assign, LEAST_FRAME_BYTES)


async def test_an_assignment_may_fill_a_frame_to_the_last_byte() -> None:
    assign = given("a", executor("w1"), started).assignment("a")
    whole = await message_of(assign, MAX_FRAME_BYTES)
    least = whole.ByteSize() + 2 * MESSAGE_HEADER
    assert await message_of(assign, least) == whole
    with pytest.raises(AssignmentTooLarge):
        await message_of(assign, least - 1)
