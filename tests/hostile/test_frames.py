"""Workers and clients that know the grammar, drawn by chance: the runner and all others go on."""

from __future__ import annotations

import random
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.message_factory import GetMessageClass

from runner_svc.core import machine
from runner_svc.core.model import signals
from signoff.bounds import check
from signoff.errors import InvalidField
from signoff.v1 import worker_pb2
from tests.hostile.drawn_client import METHODS
from tests.hostile.drawn_messages import Drawer, Known
from tests.hostile.fuzz_frames import fuzz
from tests.hostile.outcomes import Failed

INPUTS = 1_000  # about five seconds; `python -m tests.hostile.fuzz_frames` sends as many as one likes


async def test_drawn_workers_and_clients_end_nothing_and_stop_nobody(tmp_path: Path) -> None:
    counts = await fuzz(INPUTS, seed=3, folder=tmp_path)

    assert counts.inputs >= INPUTS
    assert counts.welcomed > counts.sessions / 2, counts
    assert counts.assigned > 20, counts
    assert counts.durable > 10, counts
    assert counts.brought > 0, counts
    assert counts.read > 10, counts
    assert set(counts.kinds) >= {field.name for field in worker_pb2.WorkerMessage.DESCRIPTOR.fields}
    assert counts.codes["INVALID_ARGUMENT"] > 20, counts


async def test_the_search_finds_a_frame_that_throws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError("a fault")

    monkeypatch.setitem(machine._HANDLERS, signals.LeaseGivenBack, failing)

    # Either may meet the fault first: a session that is ended by it, or a caller in the same turn.
    with pytest.raises((Failed, grpc.aio.AioRpcError), match=r"a fault|INTERNAL|UNAVAILABLE"):
        await fuzz(INPUTS, seed=2, folder=tmp_path)


@pytest.mark.parametrize(
    "kind", [worker_pb2.WorkerMessage, *(GetMessageClass(method.input_type) for method in METHODS)]
)
def test_most_of_what_is_drawn_is_within_its_bounds_and_some_is_not(kind: type[worker_pb2.WorkerMessage]) -> None:
    refused = 0
    for number in range(500):
        try:
            check(Drawer(random.Random(number), Known(), beyond=0.05).message(kind))
        except InvalidField:
            refused += 1
    assert refused < 400
    assert refused > 5 or not kind.DESCRIPTOR.fields, "a message without fields is within its bounds"
