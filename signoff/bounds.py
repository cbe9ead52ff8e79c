"""What fields of messages may hold: read from the options in the protos, compiled once for each type of message.

A check reads each field once. It refuses what is out of bounds with the path of the field, and cuts or clamps in place
where the option says so; a field that is unset is within its bounds. Messages of our protos are not recursive,
and a check is as deep as they are: nothing that a peer sends makes it deeper.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from signoff.errors import InvalidField
from signoff.v1 import bounds_pb2

#: The most levels of groups in each other: what planners compile and runners take.
MAX_NESTING = 1000

ELLIPSIS = "…"  # the last character of a text that was cut
_NANOS = 1_000_000_000
_SHOWN = 40  # characters of a value that an error shows

Check: TypeAlias = Callable[[Any], None]

_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
#: What a form is made of, how many of it, and in words.
FORMS: Mapping[int, tuple[str, str, str]] = {
    bounds_pb2.FORM_TASK_ID: ("[A-Za-z0-9_]", "{0,128}", 'letters, digits and "_", at most 128 characters'),
    bounds_pb2.FORM_PLAN_ID: ("[A-Za-z0-9_-]", "{0,128}", 'letters, digits, "_" and "-", at most 128 characters'),
    bounds_pb2.FORM_ID: ("[A-Za-z0-9_.-]", "{0,128}", 'letters, digits, "_", "-" and ".", at most 128 characters'),
    bounds_pb2.FORM_SHA256: ("[0-9a-f]", "{64}|", "a SHA-256: 64 hex digits, small letters"),
    bounds_pb2.FORM_LINE: (_LINE, "*", "one line without control characters"),
}


class _Out(Exception):
    """A value that is out of its bounds. Its path grows on the way out."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(name)
        self.path = name
        self.expected, self.got = expected, got

    def within(self, name: str) -> None:
        self.path = f"{name}.{self.path}"


def check(message: Message, at: str = "", number: int | None = None) -> None:
    """Cuts and clamps the fields of a message where their bounds say so. Raises InvalidField for any other value.

    `at` is where the message is, and `number` which one of those that are there: the path begins with them.
    """
    found = checker(type(message))
    if found is None:
        return
    try:
        found(message)
    except _Out as out:
        place = at if number is None else f"{at}[{number}]"
        raise InvalidField(f"{place}.{out.path}" if place else out.path, out.expected, out.got) from None


@functools.cache
def checker(kind: type[Message]) -> Check | None:
    """The check of a type of message; None for one in which nothing has bounds."""
    return _compiled(kind.DESCRIPTOR)


@functools.cache
def bounds_of(kind: type[Message], field: str) -> bounds_pb2.Bounds:
    """The bounds of a field. Raises KeyError when there is none of that name."""
    return bounds_in(kind.DESCRIPTOR.fields_by_name[field])


def bounds_in(field: FieldDescriptor) -> bounds_pb2.Bounds:
    """The bounds that the option of a field states."""
    return field.GetOptions().Extensions[bounds_pb2.bounds]


# ---------------------------------------------------------------- messages


@functools.cache
def _compiled(descriptor: Descriptor) -> Check | None:
    """One test for each field, or for each oneof of messages; a test reads its field by itself.

    To read a field is quick, and to list those that are set is not: it takes 300 ns for each of them.
    """
    if descriptor.file.package != "signoff.v1":
        return None  # of another protocol: health, reflection
    oneofs = [oneof for oneof in descriptor.oneofs if all(_is_message(field) for field in oneof.fields)]
    tests: list[Check | None] = [_oneof_check(oneof) for oneof in oneofs]
    tests += [_field_check(field) for field in descriptor.fields if field.containing_oneof not in oneofs]
    return _all_of([test for test in tests if test is not None])


def _all_of(tests: Sequence[Check]) -> Check | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    every = tuple(tests)

    def check_all(message: Any) -> None:
        for test in every:
            test(message)

    return check_all


def _is_message(field: FieldDescriptor) -> bool:
    return field.message_type is not None and not field.is_repeated


def _oneof_check(oneof: OneofDescriptor) -> Check | None:
    checks = {field.name: check for field in oneof.fields if (check := _compiled(_type_of(field))) is not None}
    name, find = oneof.name, checks.get

    def check_oneof(message: Any) -> None:
        kind = message.WhichOneof(name)
        check = find(kind)
        if check is not None:
            try:
                check(getattr(message, kind))
            except _Out as out:
                out.within(kind)
                raise

    return check_oneof if checks else None


def _field_check(field: FieldDescriptor) -> Check | None:
    if field.is_repeated:
        return _map_check(field) if _type_of_entries(field) else _list_check(field)
    if field.message_type is None:
        return _value_check(field)
    if field.message_type.full_name == "google.protobuf.Duration":
        return _duration_check(field)
    return _single_check(field.name, _compiled(field.message_type))


def _type_of(field: FieldDescriptor) -> Descriptor:
    assert field.message_type is not None, f"{field.full_name} is no message"
    return field.message_type


def _type_of_entries(field: FieldDescriptor) -> bool:
    """Whether the field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _single_check(name: str, inner: Check | None) -> Check | None:
    if inner is None:
        return None

    def check_single(message: Any) -> None:
        if message.HasField(name):
            try:
                inner(getattr(message, name))
            except _Out as out:
                out.within(name)
                raise

    return check_single


# ---------------------------------------------------------------- lists and maps


def _list_check(field: FieldDescriptor) -> Check:
    most, name = bounds_in(field).max_items, field.name
    each = _entries_check(field)

    def check_list(message: Any) -> None:
        values = getattr(message, name)
        if not values:
            return
        if most and len(values) > most:
            raise _Out(name, f"at most {most:,} entries", f"{len(values):,}")
        if each is not None:
            each(values)

    return check_list


def _entries_check(field: FieldDescriptor) -> Check | None:
    if field.message_type is not None:
        return _messages_check(field.name, _compiled(field.message_type))
    problem, are_fine = _problem_of(field), _fine_at_once(field)
    if problem is None:
        return None

    def check_entries(values: Any) -> None:
        if are_fine is not None and are_fine(values):
            return
        for number, value in enumerate(values):
            found = problem(value)
            if found is not None:
                raise _Out(f"{field.name}[{number}]", *found)

    return check_entries


def _messages_check(name: str, inner: Check | None) -> Check | None:
    if inner is None:
        return None

    def check_messages(values: Any) -> None:
        number = 0
        try:
            for number, value in enumerate(values):  # noqa: B007 - for the path of what is refused
                inner(value)
        except _Out as out:
            out.within(f"{name}[{number}]")
            raise

    return check_messages


def _map_check(field: FieldDescriptor) -> Check:
    bounds, name = bounds_in(field), field.name
    problem = _text_problem(bounds)

    def check_map(message: Any) -> None:
        values = getattr(message, name)
        if bounds.max_items and len(values) > bounds.max_items:
            raise _Out(name, f"at most {bounds.max_items:,} entries", f"{len(values):,}")
        for key, value in values.items():
            if bounds.max_key_chars and len(key) > bounds.max_key_chars:
                raise _Out(name, f"keys of at most {bounds.max_key_chars:,} characters", f"one of {len(key):,}")
            found = problem(value)
            if found is not None:
                raise _Out(f"{name}[{key!r}]", *found)

    return check_map


def _fine_at_once(field: FieldDescriptor) -> Callable[[Any], bool] | None:
    """Looks at all entries in C; does not tell which one is wrong."""
    bounds = bounds_in(field)
    if _is_of_form(field):
        match = _pattern(bounds).fullmatch
        return lambda values: all(map(match, values))
    if field.cpp_type in _NUMBERS:
        least, most = _range(field)
        return lambda values: least <= min(values) and max(values) <= most
    return None


def _is_of_form(field: FieldDescriptor) -> bool:
    """Whether one pattern says everything about a text."""
    bounds = bounds_in(field)
    return bool(field.type == FieldDescriptor.TYPE_STRING and bounds.form and not bounds.max_bytes)


# ---------------------------------------------------------------- values

_Problem: TypeAlias = Callable[[Any], tuple[str, str] | None]  # what was expected and what came, when it is wrong

_NUMBERS = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_DOUBLE,
        FieldDescriptor.CPPTYPE_FLOAT,
    }
)


def _problem_of(field: FieldDescriptor) -> _Problem | None:
    """None for a flag, and for an enum: an unknown number counts as unspecified."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes_problem(bounds_in(field).max_bytes)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text_problem(bounds_in(field))
    return _number_problem(field) if field.cpp_type in _NUMBERS else None


def _value_check(field: FieldDescriptor) -> Check | None:
    bounds = bounds_in(field)
    test = _test_of(field)
    return _required_check(field.name, test) if bounds.required else test


def _test_of(field: FieldDescriptor) -> Check | None:
    bounds = bounds_in(field)
    if bounds.clip_chars:
        return _clip(field)
    if bounds.clamp:
        return _clamp(field)
    problem = _problem_of(field)
    if problem is None:
        return None
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes_check(field.name, bounds.max_bytes)
    if _is_of_form(field):
        return _form_check(field.name, bounds, problem)
    return _problem_check(field, problem)


def _problem_check(field: FieldDescriptor, problem: _Problem) -> Check:
    name = field.name

    def check_value(message: Any) -> None:
        value = getattr(message, name)
        if value or (field.has_presence and message.HasField(name)):
            found = problem(value)
            if found is not None:
                raise _Out(name, *found)

    return check_value


def _bytes_check(name: str, most: int) -> Check:
    """Asks the message for its size first: to read bytes copies them."""

    def check_bytes(message: Any) -> None:
        if message.ByteSize() > most and len(getattr(message, name)) > most:
            raise _Out(name, f"at most {most:,} bytes", f"{len(getattr(message, name)):,}")

    return check_bytes


def _required_check(name: str, test: Check | None) -> Check:
    def check_required(message: Any) -> None:
        if not getattr(message, name):
            raise _Out(name, "a value that is not empty", "nothing")
        if test is not None:
            test(message)

    return check_required


def _bytes_problem(most: int) -> _Problem | None:
    return lambda value: (f"at most {most:,} bytes", f"{len(value):,}") if len(value) > most else None


# ---------------------------------------------------------------- texts


def _pattern(bounds: bounds_pb2.Bounds) -> re.Pattern[str]:
    letters, many, _ = FORMS[bounds.form]
    return re.compile(letters + (f"{{0,{bounds.max_chars}}}" if bounds.max_chars else many))


def _form_check(name: str, bounds: bounds_pb2.Bounds, problem: _Problem) -> Check:
    """One look: most texts of a worker's messages are ids and names."""
    is_fine = _printable(bounds.max_chars) if bounds.form == bounds_pb2.FORM_LINE else _pattern(bounds).fullmatch

    def check_form(message: Any) -> None:
        value = getattr(message, name)
        if value and not is_fine(value) and (found := problem(value)) is not None:
            raise _Out(name, *found)

    return check_form


def _printable(most: int) -> Callable[[str], bool]:
    """Finds most lines fine in a fifth of the time that the pattern takes; not those with an unusual space."""
    return lambda value: len(value) <= most and value.isprintable()


def _text_problem(bounds: bounds_pb2.Bounds) -> _Problem:
    match = _pattern(bounds).fullmatch if bounds.form else None

    def problem(value: str) -> tuple[str, str] | None:
        if bounds.max_chars and len(value) > bounds.max_chars:
            return f"at most {bounds.max_chars:,} characters", f"{len(value):,}"
        if bounds.max_bytes and _bytes_beyond(value, bounds.max_bytes):
            return f"at most {bounds.max_bytes:,} bytes", f"{_bytes_beyond(value, bounds.max_bytes):,}"
        if match is not None and match(value) is None:
            return FORMS[bounds.form][2], shown(value)
        if bounds.max_depth and depth_of(value, bounds.max_depth) > bounds.max_depth:
            return f"at most {bounds.max_depth:,} levels of arrays and objects", f"{depth_of(value):,}"
        return None

    return problem


def _bytes_beyond(text: str, most: int) -> int:
    """The bytes of a text in UTF-8 when they are more than `most`, else 0."""
    if len(text) * 4 <= most:
        return 0
    size = len(text.encode())
    return size if size > most else 0


def shown(text: str) -> str:
    """A value as an error names it: quoted, with its control characters visible, and cut when it is long."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}{ELLIPSIS} ({len(text):,} characters)"


def clipped(text: str, most: int) -> str:
    """The text, or its beginning and an ellipsis when it is longer than `most` characters."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS


def _clip(field: FieldDescriptor) -> Check:
    bounds, name = bounds_in(field), field.name
    most, problem = bounds.clip_chars, _text_problem(bounds) if bounds.form else None

    def clip(message: Any) -> None:
        value = getattr(message, name)
        if len(value) > most:
            value = clipped(value, most)
            setattr(message, name, value)
        if problem is not None and (found := problem(value)) is not None:
            raise _Out(name, *found)

    return clip


# A string that never ends reaches to the end of the text: else each of its quotes would be looked at as a beginning.
_JSON_TEXT = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


def depth_of(text: str, most: int = 0) -> int:
    """How deep arrays and objects of a JSON text are nested, by one look along it: nothing is parsed.

    With `most`, a text in which so few begin that they cannot be deeper is not looked at any further.
    """
    begun = text.count("[") + text.count("{")
    if begun <= most:
        return begun
    brackets = _BRACKETS.findall(_JSON_TEXT.sub("", text))
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


# ---------------------------------------------------------------- numbers

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def _range(field: FieldDescriptor) -> tuple[float, float]:
    """The least and the most, as numbers of the field's own kind."""
    bounds = bounds_in(field)
    if field.cpp_type not in _RANGES:
        return bounds.min, bounds.max
    least, most = _RANGES[field.cpp_type]
    return max(least, int(bounds.min)), min(most, int(bounds.max))


def _number_problem(field: FieldDescriptor) -> _Problem | None:
    least, most = _range(field)
    if _RANGES.get(field.cpp_type) == (least, most):
        return None  # any number that the type can hold
    expected = f"a number from {least:,} to {most:,}"
    return lambda value: None if least <= value <= most else (expected, f"{value:,}")


def _clamp(field: FieldDescriptor) -> Check:
    name = field.name
    least, most = _range(field)

    def clamp(message: Any) -> None:
        value = getattr(message, name)
        if value and not least <= value <= most:
            setattr(message, name, min(max(value, least), most))

    return clamp


def _duration_check(field: FieldDescriptor) -> Check:
    bounds, name = bounds_in(field), field.name
    least, most, clamps = bounds.min, bounds.max, bounds.clamp

    def check_duration(message: Any) -> None:
        if not message.HasField(name):
            return
        value = getattr(message, name)
        total = value.seconds + value.nanos / _NANOS
        if least <= total <= most and 0 <= value.nanos < _NANOS:
            return
        if not clamps:
            raise _Out(name, f"a duration from {_plain(least)} to {_plain(most)} s", _told(value))
        whole = min(max(total, least), most)
        value.seconds, value.nanos = int(whole), int(whole % 1 * _NANOS)

    return check_duration


def _plain(number: float) -> str:
    """A number as people write it, without a fraction that it does not have."""
    return str(int(number)) if number == int(number) else f"{number:f}".rstrip("0")


def _told(value: Duration) -> str:
    if not -_NANOS < value.nanos < _NANOS:
        return f"{value.seconds} s and {value.nanos} ns"
    return f"{value.seconds + value.nanos / _NANOS:.15g} s"
