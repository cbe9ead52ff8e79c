"""Checks of whole messages: a function for each type of message, generated once, as dataclasses do.

The function reads each field with a quick test. For a value that fails the test it calls the exact check of the field.
Asking a message which of its fields are set would take three times as long.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message import Message

from signoff.bounds.options import bounds_in, is_map
from signoff.bounds.texts import pattern_of
from signoff.bounds.values import NUMBERS, Mend, Problem, duration_problem, mend_of, problem_of, range_of, text_problem
from signoff.errors import InvalidField
from signoff.v1 import bounds_pb2

Check: TypeAlias = Callable[[Any], None]
FieldCheck: TypeAlias = Callable[[Any, Any], None]  # the message, and the value of the field in it

DURATION = "google.protobuf.Duration"


class _Out(Exception):
    """A value that is out of its bounds. Its path grows while the exception passes the outer messages."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(name)
        self.path = name
        self.expected, self.got = expected, got

    def within(self, name: str) -> None:
        self.path = f"{name}.{self.path}"


def check(message: Message, at: str = "", number: int | None = None) -> None:
    """Cuts and clamps the fields of a message where their bounds say so. Raises InvalidField for any other value.

    `at` is the path of the message in the request, and `number` its index in a list: the error's path begins with them.
    """
    kind: Any = type(message)  # the stubs do not know that a class is hashable
    found = checker(kind)
    if found is None:
        return
    try:
        found(message)
    except _Out as out:
        place = at if number is None else f"{at}[{number}]"
        raise InvalidField(f"{place}.{out.path}" if place else out.path, out.expected, out.got) from None


@functools.cache
def checker(kind: type[Message]) -> Check | None:
    """Returns the check of a type of message; None when no field of it has bounds."""
    return _compiled(kind.DESCRIPTOR)


# ---------------------------------------------------------------- the function of a type


@functools.cache
def _compiled(descriptor: Descriptor) -> Check | None:
    if descriptor.file.package != "signoff.v1":
        return None  # of another protocol: health, reflection
    oneofs = [oneof for oneof in descriptor.oneofs if all(map(_is_single, oneof.fields))]
    checks = {f"oneof{number}": _oneof_check(oneof) for number, oneof in enumerate(oneofs)}
    lines = [f"    {name}(message)" for name in checks]
    given: dict[str, Any] = dict(checks)
    for field in descriptor.fields:
        exact = _field_check(field)
        if exact is not None and field.containing_oneof not in oneofs:
            given[f"exact_{field.name}"] = exact
            lines += _lines(field, given)
    return _written(lines, given) if lines else None


def _written(lines: list[str], given: dict[str, Any]) -> Check:
    exec("\n".join(["def check_all(message):", *lines]), given)  # the code comes from our descriptors alone
    return cast(Check, given["check_all"])


def _lines(field: FieldDescriptor, given: dict[str, Any]) -> list[str]:
    """Returns lines of code that call the exact check of a field when its value fails the quick test."""
    name = field.name
    if _is_single(field):
        return [f"    if message.HasField({name!r}): exact_{name}(message, message.{name})"]
    return [f"    value = message.{name}", f"    if {_doubt(field, given)}: exact_{name}(message, value)"]


def _doubt(field: FieldDescriptor, given: dict[str, Any]) -> str:
    """Returns the quick test as an expression: it is true when a value may be out of bounds."""
    bounds = bounds_in(field)
    if field.is_repeated:
        return "value"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return f"len(value) > {bounds.max_bytes}"
    doubt = _doubt_of_text(field.name, bounds, given) if field.type == FieldDescriptor.TYPE_STRING else _range(field)
    return f"not value or {doubt}" if bounds.required else doubt


def _doubt_of_text(name: str, bounds: bounds_pb2.Bounds, given: dict[str, Any]) -> str:
    if bounds.form == bounds_pb2.FORM_LINE:
        return f"not (len(value) <= {bounds.max_chars or bounds.clip_chars} and value.isprintable())"
    if bounds.form:
        given[f"match_{name}"] = pattern_of(bounds).fullmatch
        return f"value and match_{name}(value) is None"
    if bounds.max_depth:
        return "value"
    return f"len(value) > {bounds.max_chars or bounds.clip_chars or bounds.max_bytes // 4}"


def _range(field: FieldDescriptor) -> str:
    least, most = range_of(field)
    return f"not {least!r} <= value <= {most!r}"


def _is_single(field: FieldDescriptor) -> bool:
    """Tells whether the field is a message, and not a list or a map of them."""
    return field.message_type is not None and not field.is_repeated


# ---------------------------------------------------------------- fields, exactly


def _field_check(field: FieldDescriptor) -> FieldCheck | None:
    if is_map(field):
        return _map_check(field)
    if field.is_repeated:
        return _list_check(field)
    if field.message_type is None:
        return _value_check(field)
    if field.message_type.full_name == DURATION:
        return _problem_check(field.name, duration_problem(bounds_in(field)))
    inner = _compiled(field.message_type)
    return None if inner is None else lambda _, value: _check_within(field.name, inner, value)


def _check_within(name: str, inner: Check, value: Any) -> None:
    try:
        inner(value)
    except _Out as out:
        out.within(name)
        raise


def _oneof_check(oneof: OneofDescriptor) -> Check:
    """Returns the check of a oneof of messages: asking which one is set is quicker than asking each."""
    inner = {field.name: _compiled(field.message_type) for field in oneof.fields if field.message_type is not None}
    find, name = {kind: check for kind, check in inner.items() if check is not None}.get, oneof.name

    def check_oneof(message: Any) -> None:
        kind = message.WhichOneof(name)
        found = find(kind)
        if found is not None:
            _check_within(kind, found, getattr(message, kind))

    return check_oneof


def _value_check(field: FieldDescriptor) -> FieldCheck | None:
    problem, mend, name = problem_of(field), mend_of(field), field.name
    if problem is None:
        return None
    if mend is not None:
        return _mending(name, problem, mend)
    is_needed, has_presence = bounds_in(field).required, field.has_presence

    def check_value(message: Any, value: Any) -> None:
        if is_needed and not value:
            raise _Out(name, "a value that is not empty", "nothing")
        if value or (has_presence and message.HasField(name)):
            _refuse(name, problem(value))

    return check_value


def _mending(name: str, problem: Problem, mend: Mend) -> FieldCheck:
    def check_and_mend(message: Any, value: Any) -> None:
        if value:
            mended = mend(value)
            setattr(message, name, mended)
            _refuse(name, problem(mended))

    return check_and_mend


def _problem_check(name: str, problem: Problem) -> FieldCheck:
    return lambda _, value: _refuse(name, problem(value))


def _refuse(name: str, found: tuple[str, str] | None) -> None:
    if found is not None:
        raise _Out(name, *found)


# ---------------------------------------------------------------- lists and maps


def _list_check(field: FieldDescriptor) -> FieldCheck:
    most, name = bounds_in(field).max_items, field.name
    each = _entries_check(field)

    def check_list(_: Any, values: Any) -> None:
        if len(values) > most:
            raise _Out(name, f"at most {most:,} entries", f"{len(values):,}")
        if each is not None:
            each(values)

    return check_list


def _entries_check(field: FieldDescriptor) -> Check | None:
    if field.message_type is not None:
        return _messages_check(field.name, _compiled(field.message_type))
    problem, are_fine = problem_of(field), _fine_at_once(field)
    if problem is None:
        return None

    def check_entries(values: Any) -> None:
        if are_fine is not None and are_fine(values):
            return
        for number, value in enumerate(values):
            _refuse(f"{field.name}[{number}]", problem(value))

    return check_entries


def _fine_at_once(field: FieldDescriptor) -> Callable[[Any], bool] | None:
    """Returns a check of all entries at once, which runs in C and does not tell which entry is wrong."""
    bounds = bounds_in(field)
    if field.type == FieldDescriptor.TYPE_STRING and bounds.form and not bounds.max_bytes:
        match = pattern_of(bounds).fullmatch
        return lambda values: all(map(match, values))
    if field.cpp_type in NUMBERS:
        least, most = range_of(field)
        return lambda values: least <= min(values) and max(values) <= most
    return None


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


def _map_check(field: FieldDescriptor) -> FieldCheck:
    bounds, name = bounds_in(field), field.name
    problem = text_problem(bounds)

    def check_map(_: Any, values: Any) -> None:
        if len(values) > bounds.max_items:
            raise _Out(name, f"at most {bounds.max_items:,} entries", f"{len(values):,}")
        for key, value in values.items():
            if len(key) > bounds.max_key_chars:
                raise _Out(name, f"keys of at most {bounds.max_key_chars:,} characters", f"one of {len(key):,}")
            _refuse(f"{name}[{key!r}]", problem(value))

    return check_map
