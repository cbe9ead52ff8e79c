"""Messages of a worker's stream: the worker's messages as signals, the machine's commands as messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from runner_svc.codec.contents import content_of
from runner_svc.codec.criterion_results import outcome_from_proto, results_from_proto
from runner_svc.codec.makers import named_from_proto
from runner_svc.codec.times import optional_seconds
from runner_svc.codec.unread import unread_from_proto
from runner_svc.core.model import commands, signals
from runner_svc.core.model.pass_rules import Passed
from runner_svc.core.model.requirements import Abilities, usual_abilities
from runner_svc.core.model.values import Content, FailureKind, LeaseId, Outcome, Role, SessionId, WorkerName
from signoff.bounds import bounds_of, clipped
from signoff.errors import InvalidField
from signoff.manifest.manifest import FILES
from signoff.plan.glossary import PERSON_APPROVES
from signoff.v1 import execution_pb2, worker_pb2

_RESULTS = bounds_of(worker_pb2.Verdict, "results")
_LEFT_OUT = "(left out: the verdict was too long)"
_GIVEN_BACK = 300  # characters of a worker's reason to give work back, which may come again and again
_SHORT = 80  # characters of a criterion whose reason is left out

_REASON = bounds_of(worker_pb2.Stop, "reason").clip_chars
_FAILURES = {int(kind) for kind in FailureKind} - {int(FailureKind.TIMEOUT)}


# ---------------------------------------------------------------- from workers


def joined_from_proto(hello: worker_pb2.Hello, *, session: SessionId, at: float) -> signals.WorkerJoined:
    """Returns the signal of a Hello. Raises InvalidField for an unknown role; the contract bounds the other fields."""
    if hello.role not in (1, 2):
        raise InvalidField("hello.role", "WORKER_ROLE_EXECUTOR or WORKER_ROLE_VALIDATOR", str(hello.role))
    return signals.WorkerJoined(
        at=at,
        session=session,
        worker=WorkerName(hello.name),
        role=Role(hello.role),
        slots=hello.slots,
        held=frozenset(LeaseId(lease) for lease in hello.held_lease_ids),
        makers=frozenset(filter(None, (hello.maker, *hello.makers))),
        known_makers=named_from_proto(hello.known_makers),
        model=hello.models[0] if hello.models else "",
        endpoints=dict(hello.endpoints),
        own_names=dict(hello.own_names),
        abilities=_abilities(hello),
        continues=SessionId(hello.continues_session_id) or None,
    )


def _abilities(hello: worker_pb2.Hello) -> Abilities:
    usual = usual_abilities(Role(hello.role))
    handlers = frozenset(hello.handlers) or usual.handlers
    return Abilities(
        handlers=handlers,
        models=frozenset(hello.models),
        labels=frozenset(hello.labels.items()),
        files=FILES in hello.features,
    )


def candidate_from_proto(
    message: worker_pb2.Candidate, body: bytes, *, session: SessionId, at: float, stored: bool
) -> signals.CandidateMade | signals.WorkFailed:
    """Returns the signal of a candidate. A wrong digest or size makes it a failure of the attempt."""
    lease = LeaseId(message.lease_id)
    found = hashlib.sha256(body).hexdigest()
    # guard: world: digests are checked ->
    #     found = message.digest
    #     if False:
    if (len(body), found) != (message.size_bytes, message.digest):
        expected = f"{message.size_bytes} bytes with SHA-256 {message.digest}"
        text = f"expected a candidate of {expected}, but got {len(body)} bytes with SHA-256 {found}"
        return signals.WorkFailed(at=at, session=session, lease=lease, kind=FailureKind.TRANSIENT, message=text)
    content = Content(
        digest=found,
        size=len(body),
        media_type=message.media_type,
        maker=message.maker,
        remark=message.remark,
        unread=unread_from_proto(message.unread),
    )
    return signals.CandidateMade(at=at, session=session, lease=lease, content=content, body=None if stored else body)


def failure_from_proto(message: worker_pb2.Failure, *, session: SessionId, at: float) -> signals.WorkFailed:
    """Returns the signal of a failure. An unknown kind, or one that only the runner reports, counts as transient."""
    return signals.WorkFailed(
        at=at,
        session=session,
        lease=LeaseId(message.lease_id),
        kind=_failure_kind(message.kind) or FailureKind.TRANSIENT,
        message=message.message,
        retry_after=optional_seconds(message, "retry_after"),
        gist=message.gist,
    )


def _failure_kind(kind: int) -> FailureKind | None:
    return FailureKind(kind) if kind in _FAILURES else None


def checkpoint_from_proto(message: worker_pb2.Progress, *, session: SessionId, at: float) -> signals.CheckpointMade:
    body = message.checkpoint
    return signals.CheckpointMade(
        at=at, session=session, lease=LeaseId(message.lease_id), content=content_of(body), body=body
    )


def verdict_from_proto(message: worker_pb2.Verdict, *, session: SessionId, at: float) -> signals.VerdictGiven:
    """Returns the signal of a verdict, and fails closed.

    It becomes a judge error when its outcome is unknown, when it is a pass that its own results contradict, or when it
    holds a result that only a person gives, by JudgeTask.
    """
    outcome = outcome_from_proto(message.outcome)
    passed = _passed(message.results)
    results = results_from_proto(_kept(message.results))
    feedback = message.feedback
    # guard: no pass against its own results ->
    #     if False and any(result.outcome is not Outcome.PASS for result in results):
    if outcome is Outcome.PASS and any(result.outcome is not Outcome.PASS for result in results):
        outcome, feedback = Outcome.ERROR, "the verdict was pass, but not every criterion passed"
    if any(result.criterion == PERSON_APPROVES and not result.criterion_number for result in results):
        outcome, feedback = Outcome.ERROR, "the verdict speaks for a person, and only a person does, by JudgeTask"
    return signals.VerdictGiven(
        at=at,
        session=session,
        lease=LeaseId(message.lease_id),
        outcome=outcome,
        results=results,
        passed=passed,
        feedback=feedback,
        retry_worthwhile=message.retry_worthwhile,
        kind=_failure_kind(message.failure_kind) if outcome is Outcome.ERROR else None,
        retry_after=optional_seconds(message, "retry_after"),
    )


def _passed(results: Sequence[execution_pb2.CriterionResult]) -> Passed:
    """Returns the numbers of the criteria and checks that pass: those of all results, kept or not."""
    passes = [result for result in results if result.outcome == execution_pb2.OUTCOME_PASS]
    return Passed(
        criteria=frozenset(result.criterion_number for result in passes),
        checks=frozenset(result.check_number for result in passes),
    )


def _kept(results: Sequence[execution_pb2.CriterionResult]) -> Iterator[execution_pb2.CriterionResult]:
    """Yields the results to keep: a bounded number, those that are not a pass first.

    Beyond a bound in bytes they lose their reasons: the next attempt receives all of them in one message.
    """
    if len(results) > _RESULTS.keep_items:
        results = sorted(results, key=lambda result: result.outcome == execution_pb2.OUTCOME_PASS)
    size = 0
    for result in results[: _RESULTS.keep_items]:
        size += result.ByteSize()
        if size > _RESULTS.keep_bytes:
            result.criterion, result.reason = clipped(result.criterion, _SHORT), _LEFT_OUT
        yield result


def report_from_proto(
    message: worker_pb2.WorkerMessage, *, session: SessionId, at: float
) -> signals.FromSession | None:
    """Returns the signal of a message that is complete by itself; None for the others."""
    kind = message.WhichOneof("kind")
    if kind == "credit":
        return signals.CreditGranted(at=at, session=session, window=message.credit.window)
    if kind == "accepted":
        return signals.LeaseAccepted(at=at, session=session, lease=LeaseId(message.accepted.lease_id))
    if kind == "declined":
        lease = LeaseId(message.declined.lease_id)
        return signals.LeaseGivenBack(
            at=at, session=session, lease=lease, reason=clipped(message.declined.reason or "declined", _GIVEN_BACK)
        )
    if kind == "abandon":
        lease = LeaseId(message.abandon.lease_id)
        return signals.LeaseGivenBack(
            at=at, session=session, lease=lease, reason=clipped(message.abandon.reason or "abandoned", _GIVEN_BACK)
        )
    if kind == "unchanged":
        lease = LeaseId(message.unchanged.lease_id)
        return signals.WorkUnchanged(at=at, session=session, lease=lease, maker=message.unchanged.maker)
    if kind == "progress" and message.progress.checkpoint:
        return checkpoint_from_proto(message.progress, session=session, at=at)
    if kind == "progress":
        said = message.progress.tokens > 0 or bool(message.progress.thinking)
        return signals.ProgressMade(at=at, session=session, lease=LeaseId(message.progress.lease_id), answered=said)
    if kind == "failure":
        return failure_from_proto(message.failure, session=session, at=at)
    if kind == "verdict":
        return verdict_from_proto(message.verdict, session=session, at=at)
    if kind == "draining":
        return signals.WorkerDraining(at=at, session=session)
    return None


# ---------------------------------------------------------------- to workers


def order_to_proto(command: commands.Command) -> worker_pb2.RunnerMessage:
    """Returns the message of any command but Assign. It is always small."""
    if isinstance(command, commands.Acknowledge):
        return worker_pb2.RunnerMessage(ack=worker_pb2.Ack(lease_id=command.lease))
    if isinstance(command, commands.Supersede):
        superseded = worker_pb2.Superseded(lease_id=command.lease, reason=clipped(command.reason, _REASON))
        return worker_pb2.RunnerMessage(superseded=superseded)
    if isinstance(command, commands.Cancel):
        cancel = worker_pb2.Cancel(lease_id=command.lease, reason=clipped(command.reason, _REASON))
        return worker_pb2.RunnerMessage(cancel=cancel)
    if isinstance(command, commands.Keep):
        return worker_pb2.RunnerMessage(keep=worker_pb2.Keep(lease_id=command.lease))
    if isinstance(command, commands.Stop):
        stop = worker_pb2.Stop(lease_id=command.lease, reason=clipped(command.reason, _REASON))
        return worker_pb2.RunnerMessage(stop=stop)
    raise TypeError(f"no message for {command}")
