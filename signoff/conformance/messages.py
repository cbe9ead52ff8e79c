"""The messages that the kit sends as a runner, the tasks it gives, and messages of workers in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration

from signoff.display.wire_names import enum_name
from signoff.v1 import execution_pb2, plan_pb2, runner_pb2, worker_pb2

Said = worker_pb2.RunnerMessage
Role: TypeAlias = runner_pb2.WorkerRole.ValueType

EXECUTOR, VALIDATOR = runner_pb2.WORKER_ROLE_EXECUTOR, runner_pb2.WORKER_ROLE_VALIDATOR

EXECUTION_ID, PLAN_ID, TASK_ID = "conformance-1", "conformance", "1_1"
MAKER_ID = "1_0"  # the task that made the inputs
CRITERIA = ("It names a planet", "It is one word")
NEWER = bytes([0xA2, 0x38, 0x00])  # field 900 of any message, empty: from a newer runner


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def duration(seconds: float) -> Duration:
    message = Duration()
    message.FromTimedelta(timedelta(seconds=seconds))
    return message


# ---------------------------------------------------------------- work


def task(instructions: dict[str, Any], criteria: Sequence[str], checks: Sequence[plan_pb2.Check]) -> plan_pb2.TaskSpec:
    """Returns a task whose parameters tell a worker in its test mode what to do."""
    return plan_pb2.TaskSpec(
        task_id=TASK_ID,
        description="Name a planet.",
        input=plan_pb2.TaskInput(
            description="Nothing, or a text.",
            parameters_json=json.dumps({"conformance": instructions}, separators=(",", ":")),
        ),
        output=plan_pb2.TaskOutput(description="The planet's name.", artifact="planet", format="text"),
        validation=plan_pb2.Validation(criteria=criteria, checks=checks),
    )


def content(body: bytes, *, task_id: str = TASK_ID, by_reference: bool = False) -> worker_pb2.InputArtifact:
    """Returns an input with its bytes, or by reference, to be fetched."""
    message = worker_pb2.InputArtifact(
        name="planet", task_id=task_id, media_type="text/plain", digest=digest_of(body), size_bytes=len(body)
    )
    if by_reference:
        message.by_reference = True
    else:
        message.inline = body
    return message


def at_least(characters: int) -> plan_pb2.Check:
    return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=characters))


def exactly(characters: int) -> plan_pb2.Check:
    return plan_pb2.Check(length=plan_pb2.LengthCheck(min_chars=characters, max_chars=characters))


def unknown_check() -> plan_pb2.Check:
    """Returns a check of a kind that only a newer validator knows."""
    return plan_pb2.Check.FromString(NEWER)


def feedback() -> worker_pb2.Feedback:
    """Returns the feedback on a first attempt that was rejected."""
    wrong = execution_pb2.CriterionResult(
        criterion=CRITERIA[0], outcome=execution_pb2.OUTCOME_FAIL, reason="Pluto is none"
    )
    return worker_pb2.Feedback(summary="Pluto is no planet.", results=[wrong], previous_candidate=content(b"Pluto"))


# ---------------------------------------------------------------- orders and answers


def ping(nonce: int, *, next_within: float = 0.0) -> Said:
    message = Said(ping=worker_pb2.Ping(nonce=nonce))
    if next_within:
        message.ping.next_within.CopyFrom(duration(next_within))
    return message


def ack(lease: str) -> Said:
    return Said(ack=worker_pb2.Ack(lease_id=lease))


def keep(lease: str) -> Said:
    return Said(keep=worker_pb2.Keep(lease_id=lease))


def stop(lease: str) -> Said:
    return Said(stop=worker_pb2.Stop(lease_id=lease, reason="another worker has it by now"))


def cancel(lease: str) -> Said:
    return Said(cancel=worker_pb2.Cancel(lease_id=lease, reason="the execution was stopped"))


def superseded(lease: str) -> Said:
    return Said(superseded=worker_pb2.Superseded(lease_id=lease, reason="the lease has ended"))


def attention(lease: str, *, thinking_wanted: bool) -> Said:
    return Said(attention=worker_pb2.Attention(lease_id=lease, thinking_wanted=thinking_wanted))


def drain(within: float) -> Said:
    return Said(drain=worker_pb2.Drain(within=duration(within)))


def rotate(within: float) -> Said:
    return Said(rotate=worker_pb2.Rotate(within=duration(within)))


def unknown() -> Said:
    """Returns a message of a kind that only a newer worker knows."""
    return Said.FromString(NEWER)


# ---------------------------------------------------------------- in words


def describe_message(message: worker_pb2.WorkerMessage) -> str:
    """Returns a worker's message on one line: its kind and its fields, long values cut."""
    kind = message.WhichOneof("kind")
    if kind is None:
        return "a message of a kind that the protocol does not have"
    body = getattr(message, kind)
    fields = ", ".join(f"{field.name}={_shown(field, value)}" for field, value in body.ListFields())
    return f"{kind}({fields})"


def _shown(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    text = repr(value) if isinstance(value, str) else " ".join(str(value).split())
    return text if len(text) <= 100 else f"{text[:100]}…"
