"""Seconds as the core counts them, and the well-known types of protobuf."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

# Microseconds: a double holds Unix time to a quarter of one, so that what is written is read back equal.
_MICROS = 1_000_000


def timestamp(seconds: float) -> Timestamp:
    """Unix time, to the microsecond."""
    whole, rest = divmod(round(seconds * _MICROS), _MICROS)
    return Timestamp(seconds=whole, nanos=rest * 1000)


def seconds_of(value: Timestamp | Duration) -> float:
    return (value.seconds * _MICROS + value.nanos // 1000) / _MICROS


def duration(seconds: float) -> Duration:
    """A span of time that is not negative."""
    whole, rest = divmod(round(seconds * _MICROS), _MICROS)
    return Duration(seconds=whole, nanos=rest * 1000)
