"""Enums, times and messages of the wire as people read them: "TASK_STATUS_EXECUTION_FAILED" is "execution-failed"."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from signoff.v1 import execution_pb2, plan_pb2, runner_pb2


def status_name(status: int) -> str:
    return enum_name(execution_pb2.TaskStatus.DESCRIPTOR, status)


def state_name(state: int) -> str:
    return enum_name(execution_pb2.ExecutionState.DESCRIPTOR, state)


def role_name(role: int) -> str:
    return enum_name(runner_pb2.WorkerRole.DESCRIPTOR, role)


def phase_name(phase: int) -> str:
    return enum_name(execution_pb2.Phase.DESCRIPTOR, phase)


def severity_name(severity: int) -> str:
    return enum_name(plan_pb2.Severity.DESCRIPTOR, severity)


def enum_name(kind: EnumDescriptor, number: int) -> str:
    """Returns a value's name without the enum's prefix; the number itself when a newer service sent an unknown one."""
    value = kind.values_by_number.get(number)
    if value is None:
        return str(number)
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return str(value.name).removeprefix(prefix).lower().replace("_", "-")


def record_of(message: Message) -> dict[str, Any]:
    """Returns a message as a plain JSON object: enums by name, times in ISO 8601, durations in seconds.

    Unset fields are left out. Unlike protobuf's own JSON, 64-bit integers stay numbers.
    """
    return {field.name: _field(field, value) for field, value in message.ListFields()}


def _field(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return [_value(field, item) for item in value]
    return _value(field, value)


def _value(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, timestamp_pb2.Timestamp):
        return iso(value)
    if isinstance(value, duration_pb2.Duration):
        return seconds(value)
    if isinstance(value, Message):
        return record_of(value)
    if field.enum_type is not None:
        return enum_name(field.enum_type, value)
    return value.hex() if isinstance(value, bytes) else value


def seconds(duration: duration_pb2.Duration) -> float:
    return float(duration.seconds) + duration.nanos / 1e9


def model_at(outage: execution_pb2.Outage | execution_pb2.OutageEnded) -> str:
    """Names a model and its endpoint: the model gpt-5 at https://api.openai.com/v1."""
    name = f"the model {outage.model}" if outage.model else "the model that has no name"
    return f"{name} at {outage.endpoint}" if outage.endpoint else name


def iso(at: timestamp_pb2.Timestamp) -> str:
    """Returns a time in UTC to the millisecond: "2026-11-23T18:24:05.120Z"."""
    return at.ToDatetime(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_time(at: timestamp_pb2.Timestamp) -> str:
    """Returns the local time: "18:24:05"."""
    return at.ToDatetime(UTC).astimezone().strftime("%H:%M:%S")


def day_and_time(at: timestamp_pb2.Timestamp) -> str:
    """Returns the local day and time: "11-23 18:24"."""
    return at.ToDatetime(UTC).astimezone().strftime("%m-%d %H:%M")


def unix(at: timestamp_pb2.Timestamp) -> float:
    return float(at.seconds) + at.nanos / 1e9
