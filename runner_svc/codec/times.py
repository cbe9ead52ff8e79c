"""Seconds as the core counts them, and the well-known types of protobuf."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

# Microseconds: a double holds Unix time to a quarter of one, so that what is written is read back equal.
_MICROS = 1_000_000
_LAST_MOMENT = 253_402_300_799.0  # the end of the year 9999, beyond which no Timestamp is valid
_LONGEST = 315_576_000_000.0  # seconds, beyond which no Duration is


def timestamp(seconds: float) -> Timestamp:
    """Converts Unix time, to the microsecond. A time outside a Timestamp's range becomes the nearest inside it."""
    whole, rest = divmod(round(max(0.0, min(seconds, _LAST_MOMENT)) * _MICROS), _MICROS)
    return Timestamp(seconds=whole, nanos=rest * 1000)


def seconds_of(value: Timestamp | Duration) -> float:
    """Returns the seconds of a time or a span, to the microsecond."""
    return (value.seconds * _MICROS + value.nanos // 1000) / _MICROS


def optional_seconds(message: Message, field: str) -> float | None:
    """Returns the seconds of a field of a message; None when it is unset."""
    return seconds_of(getattr(message, field)) if message.HasField(field) else None


def duration(seconds: float) -> Duration:
    """Converts a span of time. A negative one becomes 0; one beyond a Duration's range becomes the longest."""
    whole, rest = divmod(round(max(0.0, min(seconds, _LONGEST)) * _MICROS), _MICROS)
    return Duration(seconds=whole, nanos=rest * 1000)
