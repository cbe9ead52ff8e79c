"""Checks of single values, and the cutting or clamping of those whose bounds allow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from signoff.bounds.options import bounds_in
from signoff.bounds.texts import FORMS, bytes_beyond, clipped, depth_of, pattern_of, quoted
from signoff.v1 import bounds_pb2

Problem: TypeAlias = Callable[[Any], tuple[str, str] | None]  # what was expected and what came, when it is wrong
Mend: TypeAlias = Callable[[Any], Any]

_NANOS = 1_000_000_000
_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
NUMBERS = frozenset({*_RANGES, FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT})


def problem_of(field: FieldDescriptor) -> Problem | None:
    """Returns the check of a field's value.

    None for a flag, for an enum (an unknown number counts as unspecified), and for a number without bounds.
    """
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes_problem(bounds_in(field).max_bytes)
    if field.type == FieldDescriptor.TYPE_STRING:
        return text_problem(bounds_in(field))
    return _number_problem(field) if field.cpp_type in NUMBERS else None


def mend_of(field: FieldDescriptor) -> Mend | None:
    """Returns how a value out of bounds is cut or clamped; None for a field whose values are refused instead."""
    bounds = bounds_in(field)
    if bounds.clip_chars:
        return lambda value: clipped(value, bounds.clip_chars)
    if bounds.clamp:
        least, most = range_of(field)
        return lambda value: min(max(value, least), most)
    return None


# ---------------------------------------------------------------- texts and bytes


def text_problem(bounds: bounds_pb2.Bounds) -> Problem:
    match = pattern_of(bounds).fullmatch if bounds.form else None

    def problem(value: str) -> tuple[str, str] | None:
        if bounds.max_chars and len(value) > bounds.max_chars:
            return f"at most {bounds.max_chars:,} characters", f"{len(value):,}"
        if bounds.max_bytes and bytes_beyond(value, bounds.max_bytes):
            return f"at most {bounds.max_bytes:,} bytes", f"{bytes_beyond(value, bounds.max_bytes):,}"
        if match is not None and match(value) is None:
            return FORMS[bounds.form][2], quoted(value)
        if bounds.max_depth and depth_of(value, bounds.max_depth) > bounds.max_depth:
            return f"at most {bounds.max_depth:,} levels of arrays and objects", f"{depth_of(value):,}"
        return None

    return problem


def _bytes_problem(most: int) -> Problem:
    return lambda value: (f"at most {most:,} bytes", f"{len(value):,}") if len(value) > most else None


# ---------------------------------------------------------------- numbers


def range_of(field: FieldDescriptor) -> tuple[float, float]:
    """Returns the least and the largest value, as numbers of the field's own kind."""
    bounds = bounds_in(field)
    if field.cpp_type not in _RANGES:
        return bounds.min, bounds.max
    least, most = _RANGES[field.cpp_type]
    return max(least, int(bounds.min)), min(most, int(bounds.max))


def _number_problem(field: FieldDescriptor) -> Problem | None:
    least, most = range_of(field)
    if _RANGES.get(field.cpp_type) == (least, most):
        return None
    expected = f"a number from {least:,} to {most:,}"
    return lambda value: None if least <= value <= most else (expected, f"{value:,}")


# ---------------------------------------------------------------- durations


def duration_problem(bounds: bounds_pb2.Bounds) -> Problem:
    """Returns a check that clamps a duration in place when that is allowed, and else says what is wrong with it."""
    least, most = bounds.min, bounds.max
    expected = f"a duration from {_plain(least)} to {_plain(most)} s"

    def problem(value: Duration) -> tuple[str, str] | None:
        total = value.seconds + value.nanos / _NANOS
        if least <= total <= most and 0 <= value.nanos < _NANOS:
            return None
        if not bounds.clamp:
            return expected, _told(value)
        whole = min(max(total, least), most)
        value.seconds, value.nanos = int(whole), int(whole % 1 * _NANOS)
        return None

    return problem


def seconds_in(message: Message, name: str) -> float:
    """Returns the seconds of a duration in a message, clamped to the bounds of its field; 0 when it is unset."""
    value: Duration = getattr(message, name)
    bounds = bounds_in(cast(FieldDescriptor, message.DESCRIPTOR.fields_by_name[name]))
    # guard: durations are clamped as they are read -> return value.seconds + value.nanos / _NANOS
    return min(max(value.seconds + value.nanos / _NANOS, bounds.min), bounds.max)


def _plain(number: float) -> str:
    """Returns a number as people write it, without a fraction of zero."""
    return str(int(number)) if number == int(number) else f"{number:f}".rstrip("0")


def _told(value: Duration) -> str:
    if not -_NANOS < value.nanos < _NANOS:
        return f"{value.seconds} s and {value.nanos} ns"
    return f"{value.seconds + value.nanos / _NANOS:.15g} s"
