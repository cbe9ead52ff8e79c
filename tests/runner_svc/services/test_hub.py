"""A session's messages: some are written at once, some wait for another message."""

from __future__ import annotations

import asyncio

import pytest

from runner_svc.core.model import commands
from runner_svc.core.model.values import LeaseId, SessionId
from runner_svc.services.hub import SessionWriter
from signoff.v1 import worker_pb2

SESSION = SessionId("s")
ACK = commands.Acknowledge(session=SESSION, lease=LeaseId("x.1.1"))
STOP = commands.Stop(session=SESSION, lease=LeaseId("x.2.2"), reason="it has ended")


@pytest.fixture
async def session() -> SessionWriter:
    return SessionWriter(SESSION, worker_pb2.Hello(name="w"), 0.0)


async def test_an_acknowledgement_goes_out_with_what_is_sent_next(session: SessionWriter) -> None:
    session.send(ACK)
    assert not session.wake.is_set()
    session.send(STOP)
    assert session.wake.is_set()
    assert list(session.outbox) == [ACK, STOP]


async def test_acknowledgements_go_out_together_when_nothing_else_does(session: SessionWriter) -> None:
    for _ in range(2):
        session.send(ACK)
        session.send(ACK)
        await asyncio.wait_for(session.wake.wait(), 10.0)
        session.wake.clear()
        assert list(session.outbox) == [ACK, ACK]
        session.outbox.clear()


async def test_a_worker_that_is_about_to_leave_does_not_wait_for_its_acknowledgement(session: SessionWriter) -> None:
    session.is_leaving = True
    session.send(ACK)
    assert session.wake.is_set()
