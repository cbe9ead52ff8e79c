"""Workers' messages become signals that fit the messages of the runner."""

from __future__ import annotations

from typing import Any

import pytest

from runner_svc.codec.frames import (
    failure_from_proto,
    joined_from_proto,
    order_to_proto,
    report_from_proto,
    verdict_from_proto,
)
from runner_svc.core.model.commands import Cancel, Stop, Supersede
from runner_svc.core.model.signals import CheckpointMade, LeaseGivenBack, ProgressMade
from runner_svc.core.model.values import FailureKind, LeaseId, Outcome, SessionId
from signoff.bounds import check
from signoff.errors import InvalidField
from signoff.rpc.frames import LEAST_FRAME_BYTES, MAX_CHECKPOINT_BYTES
from signoff.v1 import execution_pb2, runner_pb2, worker_pb2

LONG = "长" * 100_000


def test_an_order_is_small_whatever_its_reason() -> None:
    for kind in (Cancel, Stop, Supersede):
        order = order_to_proto(kind(session=SessionId("s"), lease=LeaseId("l"), reason=LONG))
        assert order.ByteSize() < LEAST_FRAME_BYTES


@pytest.mark.parametrize("kind", ["declined", "abandon"])
def test_a_reason_to_give_work_back_is_cut_to_a_few_lines(kind: str) -> None:
    message = worker_pb2.WorkerMessage()
    getattr(message, kind).reason = LONG
    signal = report_from_proto(message, session=SessionId("s"), at=0.0)
    assert isinstance(signal, LeaseGivenBack)
    assert len(signal.reason) == 300


def test_a_worker_says_the_names_that_its_models_have_themselves() -> None:
    hello = worker_pb2.Hello(role=runner_pb2.WORKER_ROLE_EXECUTOR, models=["writer"], own_names={"writer": "gpt"})
    joined = joined_from_proto(hello, session=SessionId("s"), at=0.0)
    assert (joined.model, joined.own_names) == ("writer", {"writer": "gpt"})


def test_an_outcome_nobody_knows_is_a_judge_error_and_never_a_pass() -> None:
    for outcome in (0, 17):
        verdict = worker_pb2.Verdict(lease_id="l", outcome=execution_pb2.Outcome.ValueType(outcome))
        signal = verdict_from_proto(verdict, session=SessionId("s"), at=0.0)
        assert signal.outcome is Outcome.ERROR


@pytest.mark.guard(name="no pass against its own results")
def test_a_pass_with_a_result_that_failed_is_a_judge_error() -> None:
    result = execution_pb2.CriterionResult(criterion="one that was not asked for", outcome=execution_pb2.OUTCOME_FAIL)
    verdict = worker_pb2.Verdict(lease_id="l", outcome=execution_pb2.OUTCOME_PASS, results=[result])
    signal = verdict_from_proto(verdict, session=SessionId("s"), at=0.0)
    assert (signal.outcome, signal.feedback) == (
        Outcome.ERROR,
        "the verdict was pass, but not every criterion passed",
    )


def test_a_kind_of_failure_that_is_not_the_workers_to_say_is_transient() -> None:
    for kind in (execution_pb2.FAILURE_KIND_UNSPECIFIED, execution_pb2.FAILURE_KIND_TIMEOUT):
        failure = worker_pb2.Failure(lease_id="l", kind=kind, message="it broke")
        assert failure_from_proto(failure, session=SessionId("s"), at=0.0).kind is FailureKind.TRANSIENT


def test_why_a_judge_gave_no_verdict_is_read_only_of_one_that_broke() -> None:
    for outcome, kind in ((Outcome.ERROR, FailureKind.OUTAGE), (Outcome.PASS, None), (Outcome.FAIL, None)):
        verdict = worker_pb2.Verdict(
            lease_id="l",
            outcome=execution_pb2.Outcome.ValueType(outcome),
            failure_kind=execution_pb2.FAILURE_KIND_OUTAGE,
        )
        assert verdict_from_proto(verdict, session=SessionId("s"), at=0.0).kind is kind


@pytest.mark.parametrize(("said", "answered"), [({"tokens": 1}, True), ({"thinking": "hm"}, True), ({}, False)])
def test_progress_without_a_word_of_the_model_is_no_answer(said: dict[str, Any], answered: bool) -> None:
    """Such progress comes from a validator that carries out checks."""
    progress = worker_pb2.WorkerMessage(progress=worker_pb2.Progress(lease_id="l", **said))
    signal = report_from_proto(progress, session=SessionId("s"), at=0.0)
    assert isinstance(signal, ProgressMade)
    assert signal.answered is answered


def progress_with(checkpoint: bytes) -> worker_pb2.WorkerMessage:
    return worker_pb2.WorkerMessage(progress=worker_pb2.Progress(lease_id="l", tokens=1, checkpoint=checkpoint))


def test_progress_with_a_checkpoint_is_told_from_progress_without() -> None:
    kept = report_from_proto(progress_with(b"half"), session=SessionId("s"), at=0.0)
    assert isinstance(kept, CheckpointMade)
    assert (kept.body, kept.content.size) == (b"half", 4)
    assert isinstance(report_from_proto(progress_with(b""), session=SessionId("s"), at=0.0), ProgressMade)


def test_a_checkpoint_that_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidField, match=r"^messages\[3\].progress.checkpoint: expected at most 65,536 bytes"):
        check(progress_with(b"x" * (MAX_CHECKPOINT_BYTES + 1)), "messages", 3)
