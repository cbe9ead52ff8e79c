"""Messages of the worker conversation: the worker's as signals, the machine's commands as messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from runner_svc.codec.journal import results_from_proto
from runner_svc.codec.times import seconds_of
from runner_svc.core import commands as c
from runner_svc.core import signals as s
from runner_svc.core.terms import Abilities, usual_abilities
from runner_svc.core.values import Content, FailureKind, LeaseId, Outcome, Role, SessionId, WorkerName
from signoff.errors import InvalidField
from signoff.frames import LEAST_FRAME_BYTES, MAX_CHECKPOINT_BYTES
from signoff.v1 import execution_pb2, worker_pb2

MAX_TEXT = 8 * 1024  # characters of a reason that is kept: more of it helps nobody, and all of it must fit a frame
MAX_NAMES = 1000  # handlers, models or makers of one worker
MAX_RESULTS = 200  # criteria of a verdict that are kept
RESULTS_LIMIT = 512 * 1024  # bytes of all of them: the next attempt receives them in one message with everything else

_FAILURES = {int(kind) for kind in FailureKind} - {int(FailureKind.TIMEOUT)}


# ---------------------------------------------------------------- from workers


def joined_from_proto(hello: worker_pb2.Hello, *, session: SessionId, at: float) -> s.WorkerJoined:
    """Raises InvalidField for a Hello that makes no sense."""
    if hello.role not in (1, 2):
        raise InvalidField("hello.role", "WORKER_ROLE_EXECUTOR or WORKER_ROLE_VALIDATOR", str(hello.role))
    if not 0 < len(hello.name) <= 128:
        raise InvalidField("hello.name", "1 to 128 characters", f"{len(hello.name)} characters")
    if not 1 <= hello.slots <= 10_000:
        raise InvalidField("hello.slots", "a number from 1 to 10,000", str(hello.slots))
    if len(hello.labels) > 64:
        raise InvalidField("hello.labels", "at most 64 labels", f"{len(hello.labels)} labels")
    for name in ("handlers", "models", "makers"):
        if len(getattr(hello, name)) > MAX_NAMES:
            raise InvalidField(f"hello.{name}", f"at most {MAX_NAMES} names", f"{len(getattr(hello, name))} names")
    if 0 < hello.max_frame_bytes < LEAST_FRAME_BYTES:
        raise InvalidField("hello.max_frame_bytes", f"0 or at least {LEAST_FRAME_BYTES}", str(hello.max_frame_bytes))
    return s.WorkerJoined(
        at=at,
        session=session,
        worker=WorkerName(hello.name),
        role=Role(hello.role),
        slots=hello.slots,
        held=frozenset(LeaseId(lease) for lease in hello.held_lease_ids),
        makers=frozenset(filter(None, (hello.maker, *hello.makers))),
        model=hello.models[0] if hello.models else "",
        abilities=_abilities(hello),
        continues=SessionId(hello.continues_session_id) or None,
    )


def _abilities(hello: worker_pb2.Hello) -> Abilities:
    usual = usual_abilities(Role(hello.role))
    handlers = frozenset(hello.handlers) or usual.handlers
    return Abilities(handlers=handlers, models=frozenset(hello.models), labels=frozenset(hello.labels.items()))


def candidate_from_proto(
    message: worker_pb2.Candidate, body: bytes, *, session: SessionId, at: float, stored: bool
) -> s.CandidateMade | s.WorkFailed:
    """A candidate whose bytes are not what it says they are is a failure of the attempt, not a candidate."""
    lease = LeaseId(message.lease_id)
    found = hashlib.sha256(body).hexdigest()
    if (len(body), found) != (message.size_bytes, message.digest):
        expected = f"{message.size_bytes} bytes with SHA-256 {message.digest}"
        text = f"expected a candidate of {expected}, but got {len(body)} bytes with SHA-256 {found}"
        return s.WorkFailed(at=at, session=session, lease=lease, kind=FailureKind.TRANSIENT, message=text)
    content = Content(digest=found, size=len(body), media_type=message.media_type, maker=message.maker)
    return s.CandidateMade(at=at, session=session, lease=lease, content=content, body=None if stored else body)


def failure_from_proto(message: worker_pb2.Failure, *, session: SessionId, at: float) -> s.WorkFailed:
    """A kind that is not known, or not the worker's to say, counts as transient."""
    return s.WorkFailed(
        at=at,
        session=session,
        lease=LeaseId(message.lease_id),
        kind=FailureKind(message.kind) if message.kind in _FAILURES else FailureKind.TRANSIENT,
        message=message.message[:MAX_TEXT],
        retry_after=seconds_of(message.retry_after) if message.HasField("retry_after") else None,
    )


def checkpoint_from_proto(message: worker_pb2.Progress, *, session: SessionId, at: float) -> s.CheckpointMade:
    """Raises InvalidField for one that is too large."""
    body = message.checkpoint
    if len(body) > MAX_CHECKPOINT_BYTES:
        raise InvalidField("progress.checkpoint", f"at most {MAX_CHECKPOINT_BYTES} bytes", f"{len(body)} bytes")
    content = Content(digest=hashlib.sha256(body).hexdigest(), size=len(body), media_type="")
    return s.CheckpointMade(at=at, session=session, lease=LeaseId(message.lease_id), content=content, body=body)


def verdict_from_proto(message: worker_pb2.Verdict, *, session: SessionId, at: float) -> s.VerdictGiven:
    """Fail-closed: an outcome that is not known, or a pass that its own results contradict, is a judge error."""
    outcome = Outcome(message.outcome) if message.outcome in (1, 2, 3) else Outcome.ERROR
    results = results_from_proto(_clipped(message.results))
    feedback = message.feedback[:MAX_TEXT]
    if outcome is Outcome.PASS and any(result.outcome is not Outcome.PASS for result in results):
        outcome, feedback = Outcome.ERROR, "the verdict was pass, but not every criterion passed"
    return s.VerdictGiven(
        at=at,
        session=session,
        lease=LeaseId(message.lease_id),
        outcome=outcome,
        results=results,
        feedback=feedback,
        retry_worthwhile=message.retry_worthwhile,
        retry_after=seconds_of(message.retry_after) if message.HasField("retry_after") else None,
    )


def _clipped(results: Sequence[execution_pb2.CriterionResult]) -> Iterator[execution_pb2.CriterionResult]:
    """The results, with texts of a sane length; when they are too many, those that are not a pass first."""
    if len(results) > MAX_RESULTS:
        results = sorted(results, key=lambda result: result.outcome == execution_pb2.OUTCOME_PASS)[:MAX_RESULTS]
    size = 0
    for result in results:
        result.criterion, result.reason = result.criterion[:MAX_TEXT], result.reason[:MAX_TEXT]
        size += result.ByteSize()
        if size > RESULTS_LIMIT:
            result.criterion, result.reason = result.criterion[:80], "(left out: the verdict was too long)"
        yield result


def report_from_proto(message: worker_pb2.WorkerMessage, *, session: SessionId, at: float) -> s.FromSession | None:
    """The signal of a message that says it all by itself; None for the others."""
    kind = message.WhichOneof("kind")
    if kind == "credit":
        return s.CreditGranted(at=at, session=session, window=message.credit.window)
    if kind == "accepted":
        return s.LeaseAccepted(at=at, session=session, lease=LeaseId(message.accepted.lease_id))
    if kind == "declined":
        lease = LeaseId(message.declined.lease_id)
        return s.LeaseGivenBack(at=at, session=session, lease=lease, reason=message.declined.reason or "declined")
    if kind == "abandon":
        lease = LeaseId(message.abandon.lease_id)
        return s.LeaseGivenBack(at=at, session=session, lease=lease, reason=message.abandon.reason or "abandoned")
    if kind == "progress" and message.progress.checkpoint:
        return checkpoint_from_proto(message.progress, session=session, at=at)
    if kind == "progress":
        return s.ProgressMade(at=at, session=session, lease=LeaseId(message.progress.lease_id))
    if kind == "failure":
        return failure_from_proto(message.failure, session=session, at=at)
    if kind == "verdict":
        return verdict_from_proto(message.verdict, session=session, at=at)
    if kind == "draining":
        return s.WorkerDraining(at=at, session=session)
    return None


# ---------------------------------------------------------------- to workers


def order_to_proto(command: c.Command) -> worker_pb2.RunnerMessage:
    """The message that any command but Assign becomes; always a small one."""
    if isinstance(command, c.Acknowledge):
        return worker_pb2.RunnerMessage(ack=worker_pb2.Ack(lease_id=command.lease))
    if isinstance(command, c.Supersede):
        superseded = worker_pb2.Superseded(lease_id=command.lease, reason=command.reason[:MAX_TEXT])
        return worker_pb2.RunnerMessage(superseded=superseded)
    if isinstance(command, c.Cancel):
        cancel = worker_pb2.Cancel(lease_id=command.lease, reason=command.reason[:MAX_TEXT])
        return worker_pb2.RunnerMessage(cancel=cancel)
    if isinstance(command, c.Keep):
        return worker_pb2.RunnerMessage(keep=worker_pb2.Keep(lease_id=command.lease))
    if isinstance(command, c.Stop):
        stop = worker_pb2.Stop(lease_id=command.lease, reason=command.reason[:MAX_TEXT])
        return worker_pb2.RunnerMessage(stop=stop)
    raise TypeError(f"no message for {command}")
