"""A check that fails says what it expected, what came instead, and what became of the worker."""

from __future__ import annotations

import grpc
import pytest

from signoff.conformance.messages import EXECUTOR, VALIDATOR, Role
from tests.support.conformance import faults_of_streams as streams
from tests.support.conformance import faults_of_work as work
from tests.support.conformance.broken import mute
from tests.support.conformance.in_process import Fault, failed, tried


@pytest.mark.parametrize(
    ("check", "role", "fault", "reason"),
    [
        (
            "assign.feedback",
            EXECUTOR,
            work.FailsOnFeedback,
            "expected candidate of L1, but got failure(lease_id='L1', kind=permanent, "
            "message='a bug in the worker: ValueError: feedback, as broken as it gets')",
        ),
        ("ping.answered", EXECUTOR, mute("pong"), "expected pong within 2 s, but got nothing"),
        (
            "ping.answered",
            EXECUTOR,
            work.RoundsNonces,
            "expected pongs with the nonces [7, 0, 9007199254740993], but got [7, 0, 9007199254740992]",
        ),
        (
            "stream.cancelled",
            EXECUTOR,
            streams.gives_up_on(grpc.StatusCode.CANCELLED),
            "expected the worker to open a stream, but its process ended (a status it takes for final)",
        ),
        (
            "stream.kept",
            EXECUTOR,
            streams.ForgetsItsLeases,
            "expected hello to name L1, which the worker holds, but it names []",
        ),
        (
            "hello.waits",
            EXECUTOR,
            work.TalksBeforeWelcome,
            "expected nothing, but got credit(window=1)",
        ),
        (
            "verdict.error",
            VALIDATOR,
            work.BrokenJudgeFailsTheWork,
            "expected error, but got fail ('the judge gave no verdict: the judge broke, as the task asks')",
        ),
        (
            "refused.replaced",
            EXECUTOR,
            streams.goes_on_after(grpc.StatusCode.FAILED_PRECONDITION),
            "expected the worker to end for good, but it opened another stream",
        ),
    ],
)
async def test_a_failed_check_says_what_was_expected_and_what_came(
    check: str, role: Role, fault: type[Fault], reason: str
) -> None:
    assert failed(await tried(role, fault, [check])) == {check: reason}
