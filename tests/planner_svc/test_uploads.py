"""Uploads of plans: bounded in size, number and time, and removed afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from planner_svc import uploads as uploads_module
from planner_svc.uploads import PlanUploads
from signoff.errors import InvalidField, PlannerBusy, PlanTooLarge, UploadStalled
from signoff.v1 import planner_pb2

Message = planner_pb2.CompilePlanRequest


async def streamed(messages: Iterable[Message], *, left_open: bool = False) -> AsyncIterator[Message]:
    for message in messages:
        yield message
    if left_open:
        await asyncio.Event().wait()


def pieces(*pieces: bytes) -> list[Message]:
    return [Message(plan_json=piece) for piece in pieces]


@pytest.fixture
def uploads(tmp_path: Path) -> PlanUploads:
    return PlanUploads(tmp_path, 10_000_000, stall=0.2)


async def test_a_plan_comes_together_with_its_options_and_its_name(uploads: PlanUploads) -> None:
    data = b"x" * 3_000_000
    messages = [Message(no_infer=True, plan_json=b"x"), *pieces(data[1:1_500_000], data[1_500_000:])]

    async with uploads.received(streamed(messages)) as upload:
        upload.file.seek(0)
        assert upload.file.read() == data
        assert (upload.size, upload.infer) == (3_000_000, False)
        assert upload.named == f"plan-{hashlib.sha256(data).hexdigest()[:12]}"


async def test_nothing_of_a_plan_is_left_on_the_disk(uploads: PlanUploads, tmp_path: Path) -> None:
    async with uploads.received(streamed(pieces(b"x" * 2_000_000))):
        assert os.listdir(tmp_path) == []  # noqa: PTH208 - in a loop that has nothing else to do


async def test_a_stream_that_stalls_is_ended(uploads: PlanUploads) -> None:
    with pytest.raises(UploadStalled, match=r"expected a message every 0.2 s .*, but got 3 bytes"):
        async with uploads.received(streamed(pieces(b"abc"), left_open=True)):
            pass


@pytest.mark.guard(name="uploads are bounded in time")
async def test_a_stream_that_trickles_is_ended(uploads: PlanUploads) -> None:
    async def trickle() -> AsyncIterator[Message]:
        while True:
            yield Message(plan_json=b"x")
            await asyncio.sleep(0.01)

    with pytest.raises(UploadStalled):
        async with asyncio.timeout(10), uploads.received(trickle()):
            pass


async def test_a_stream_of_nothing_at_all_is_ended(uploads: PlanUploads) -> None:
    async def nothing() -> AsyncIterator[Message]:
        while True:
            yield Message()
            await asyncio.sleep(0)

    with pytest.raises(UploadStalled):
        async with asyncio.timeout(10), uploads.received(nothing()):
            pass


async def test_a_plan_that_is_too_large_is_refused_before_all_of_it_has_come(tmp_path: Path) -> None:
    uploads = PlanUploads(tmp_path, 100)
    with pytest.raises(PlanTooLarge, match="at most 100 bytes"):
        async with uploads.received(streamed(pieces(b"x" * 101), left_open=True)):
            pass


async def test_late_options_are_refused_at_once(uploads: PlanUploads) -> None:
    with pytest.raises(InvalidField, match="plan_id"):
        async with uploads.received(streamed([Message(), Message(plan_id="late")], left_open=True)):
            pass


async def test_all_plans_together_are_bounded_and_what_is_gone_makes_room(
    uploads: PlanUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "SPOOLED_BYTES", 1_000)
    async with uploads.received(streamed(pieces(b"x" * 900))):
        with pytest.raises(PlannerBusy, match="at most 1,000 bytes"):
            async with uploads.received(streamed(pieces(b"x" * 900))):
                pass
    async with uploads.received(streamed(pieces(b"x" * 900))) as upload:
        assert upload.size == 900


async def test_so_are_their_number_and_a_refused_one_counts_no_longer(
    uploads: PlanUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "UPLOADS_AT_ONCE", 1)
    with pytest.raises(InvalidField):
        async with uploads.received(streamed([])):
            pass
    async with uploads.received(streamed(pieces(b"x"))):
        with pytest.raises(PlannerBusy, match="at most 1 plans"):
            async with uploads.received(streamed(pieces(b"x"))):
                pass


async def test_a_stream_that_is_merely_open_keeps_no_plan_waiting(
    uploads: PlanUploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "UPLOADS_AT_ONCE", 1)
    waits = asyncio.Event()

    async def silent() -> AsyncIterator[Message]:
        waits.set()
        await asyncio.Event().wait()
        yield Message()

    async def hold() -> None:
        async with uploads.received(silent()):
            pass

    holding = asyncio.create_task(hold())
    await waits.wait()
    async with uploads.received(streamed(pieces(b"x"))) as upload:
        assert upload.size == 1
    with pytest.raises(UploadStalled, match="but got 0 bytes"):
        await holding
