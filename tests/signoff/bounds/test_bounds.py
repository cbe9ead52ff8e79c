"""Bounds of fields: each is kept to, wherever the field is in a message, and an honest message is left as it is."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from signoff.bounds import ELLIPSIS, bounds_in, bounds_of, check, depth_of, seconds_in
from signoff.errors import InvalidField
from signoff.v1 import bounds_pb2, execution_pb2, plan_pb2, runner_pb2, worker_pb2
from tests.contract.test_bounds import bounded

MOST_TRIED = 300_000  # entries of a list that a test makes; longer lists are refused by the same line
FIELDS = [field for field in bounded() if bounds_in(field).max_items <= MOST_TRIED]
LEASE = "0123456789abcdef0123456789abcdef.12.345"

Beyond = Any


def refusal(message: Message, at: str = "", number: int | None = None) -> InvalidField:
    with pytest.raises(InvalidField) as raised:
        check(message, at, number)
    return raised.value


def message_with(field: FieldDescriptor, value: Any) -> Message:
    """A message in which this field alone is set, besides those that are needed."""
    kind = field.containing_type
    assert kind is not None
    message = message_factory.GetMessageClass(kind)()
    for other in kind.fields:
        if bounds_in(other).required:
            is_digest = bounds_in(other).form == bounds_pb2.FORM_SHA256
            text = "a" * 64 if is_digest else "w"
            setattr(message, other.name, text if other.type == FieldDescriptor.TYPE_STRING else 1)
    put(message, field, value)
    return message


def put(message: Message, field: FieldDescriptor, value: Any) -> None:
    here = getattr(message, field.name)
    if isinstance(value, dict):
        here.update(value)
    elif field.is_repeated and field.message_type is not None:
        here.extend([message_factory.GetMessageClass(field.message_type)()] * len(value))
    elif field.is_repeated:
        here.extend(value)
    elif field.message_type is not None:
        here.seconds = value
    else:
        setattr(message, field.name, value)


# ---------------------------------------------------------------- each field


def beyond(field: FieldDescriptor) -> Iterator[Beyond]:
    """Values just out of the bounds of a field, one for each thing that the bounds say."""
    bounds = bounds_in(field)
    for value in values_beyond(field, bounds):
        yield [value] if field.is_repeated and not bounds.max_key_chars else value
    if bounds.max_items and not bounds.max_key_chars:
        filler: Any = "a" if field.type == FieldDescriptor.TYPE_STRING else 0
        yield [filler] * (bounds.max_items + 1)
    if bounds.max_key_chars:
        yield {str(number): "" for number in range(bounds.max_items + 1)}
        yield {"k" * (bounds.max_key_chars + 1): ""}
        yield {"k": "v" * (bounds.max_chars + 1)}


def values_beyond(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> Iterator[Beyond]:
    if bounds.max_key_chars or (field.is_repeated and field.message_type is not None):
        return
    if field.type == FieldDescriptor.TYPE_BYTES:
        yield b"x" * (bounds.max_bytes + 1)
    elif field.type == FieldDescriptor.TYPE_STRING:
        yield from texts_beyond(bounds)
    elif bounds.HasField("max"):
        yield from numbers_beyond(field, bounds)


def texts_beyond(bounds: bounds_pb2.Bounds) -> Iterator[str]:
    if bounds.max_chars or bounds.clip_chars:
        yield "é" * ((bounds.max_chars or bounds.clip_chars) + 1)
    if bounds.max_bytes:
        yield "é" * (bounds.max_bytes // 2 + 1)
    if bounds.form:
        yield from ("../../x\n", "a\0b", "two\nlines", "\x7f", "\x1b[2J")
    if bounds.form not in (bounds_pb2.FORM_UNSPECIFIED, bounds_pb2.FORM_LINE):
        yield from ("x" * 129, "/", "..\\x", "ü", " ")
    if bounds.max_depth:
        yield "[" * (bounds.max_depth + 1)


def numbers_beyond(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> Iterator[float]:
    is_whole = field.cpp_type != FieldDescriptor.CPPTYPE_DOUBLE and field.message_type is None
    if bounds.max < 2**31 - 1 or (field.message_type is None and not is_whole):
        yield int(bounds.max) + 1
    if bounds.min >= 1:
        yield int(bounds.min) - 1
    if field.message_type is not None:
        yield from (-1, 2**62)
    elif not is_whole:
        yield from (math.nan, math.inf, -math.inf)


each_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.full_name.removeprefix("signoff.v1."))


@each_field
def test_what_is_beyond_the_bounds_of_a_field_is_refused_or_mended(field: FieldDescriptor) -> None:
    bounds = bounds_in(field)
    for value in beyond(field):
        message = message_with(field, value)
        if bounds.clip_chars and len(value) > bounds.clip_chars:
            check(message)
            cut = getattr(message, field.name)
            assert (len(cut), cut[-1]) == (bounds.clip_chars, ELLIPSIS)
        elif bounds.clamp:
            check(message)
            assert bounds.min <= number_in(message, field) <= bounds.max
        elif value != 0 or field.has_presence or bounds.required:
            assert refusal(message).field.partition("[")[0] == field.name


def number_in(message: Message, field: FieldDescriptor) -> float:
    value = getattr(message, field.name)
    return float(value if field.message_type is None else value.ToTimedelta().total_seconds())


def within(field: FieldDescriptor) -> Iterator[Any]:
    """Values at the bounds of a field."""
    bounds = bounds_in(field)
    for value in values_within(field, bounds):
        yield [value] * bounds.max_items if field.is_repeated else value
    if bounds.max_key_chars:
        yield {f"{number:0128}": "v" * bounds.max_chars for number in range(bounds.max_items)}


def values_within(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> Iterator[Any]:
    if bounds.max_key_chars:
        return
    if field.type == FieldDescriptor.TYPE_STRING:
        yield text_within(field, bounds)
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield b"x" * bounds.max_bytes
    elif bounds.HasField("max"):
        yield from (math.ceil(bounds.min), min(int(bounds.max), 2**64 - 1))
    else:
        yield 0


def text_within(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> str:
    if field.is_repeated:
        return "a0" * 32 if bounds.form == bounds_pb2.FORM_SHA256 else "aA0"
    if bounds.max_depth:
        return "[" * bounds.max_depth
    size = bounds.max_chars or bounds.clip_chars or bounds.max_bytes
    return "a" * (size or (64 if bounds.form == bounds_pb2.FORM_SHA256 else 128))


@each_field
def test_what_is_at_the_bounds_of_a_field_is_left_as_it_is(field: FieldDescriptor) -> None:
    for value in within(field):
        message = message_with(field, value)
        before = message.SerializeToString(deterministic=True)
        check(message)
        assert message.SerializeToString(deterministic=True) == before


# ---------------------------------------------------------------- where it is


def test_the_path_of_what_is_refused_leads_from_the_frame_to_the_field() -> None:
    message = worker_pb2.WorkerMessage(verdict=worker_pb2.Verdict(lease_id="X." + "9" * 5000))
    wrong = refusal(message, "messages", 3)
    assert wrong.field == "messages[3].verdict.lease_id"
    assert "but got 'X.99" in str(wrong)
    assert len(str(wrong)) < 300


def test_the_path_goes_through_lists_and_maps() -> None:
    checks = [plan_pb2.Check(), plan_pb2.Check(required_keys=plan_pb2.RequiredKeysCheck(keys=["a", "b" * 2**22]))]
    tasks = [
        plan_pb2.MapTask(),
        plan_pb2.MapTask(spec=plan_pb2.TaskSpec(validation=plan_pb2.Validation(checks=checks))),
    ]
    part = plan_pb2.MapPart(tasks=plan_pb2.MapTasks(tasks=tasks))
    assert refusal(part, "parts", 0).field == "parts[0].tasks.tasks[1].spec.validation.checks[1].required_keys.keys[1]"
    labels = plan_pb2.JudgeSpec(labels={"gpu": "x" * 200})
    assert refusal(labels).field == "labels['gpu']"
    command = runner_pb2.StartExecutionRequest(settings=execution_pb2.ExecutionSettings(canary_rate=math.nan))
    assert refusal(command).field == "settings.canary_rate"


def test_a_long_reason_deep_in_a_verdict_is_cut_and_keeps_whole_characters() -> None:
    result = execution_pb2.CriterionResult(reason="👩‍🔬" * 10_000)
    message = worker_pb2.WorkerMessage(verdict=worker_pb2.Verdict(lease_id=LEASE, results=[result]))
    check(message)
    (cut,) = message.verdict.results
    assert len(cut.reason) == bounds_of(execution_pb2.CriterionResult, "reason").clip_chars
    assert cut.reason.startswith("👩‍🔬👩‍🔬")


@pytest.mark.parametrize(
    ("seconds", "nanos", "kept"),
    [
        (2**63 - 1, 0, 86_400),
        (-(2**63), 0, 0),
        (-1, -500_000_000, 0),
        (5, 2**31 - 1, 7.147483647),
        (3, 500_000_000, 3.5),
    ],
)
def test_a_time_that_a_provider_asked_for_is_at_most_a_day(seconds: int, nanos: int, kept: float) -> None:
    message = worker_pb2.Failure(lease_id=LEASE)
    message.retry_after.seconds, message.retry_after.nanos = seconds, nanos
    check(message)
    assert message.retry_after.ToTimedelta().total_seconds() == pytest.approx(kept, abs=1e-5)


@pytest.mark.guard(name="durations are clamped as they are read")
@pytest.mark.parametrize(("seconds", "read"), [(2**62, 86_400), (86_401, 86_400), (-(2**62), 0), (-5, 0)])
def test_a_duration_beyond_its_bounds_is_read_as_the_nearest_within(seconds: int, read: float) -> None:
    message = worker_pb2.Ping()
    message.next_within.seconds = seconds
    assert seconds_in(message, "next_within") == read


def test_a_duration_is_read_in_seconds() -> None:
    message = worker_pb2.Ping()
    assert seconds_in(message, "next_within") == 0
    assert not message.HasField("next_within")
    message.next_within.seconds, message.next_within.nanos = 3, 500_000_000
    assert seconds_in(message, "next_within") == 3.5


def test_a_field_that_is_needed_is_missed() -> None:
    assert refusal(worker_pb2.Hello(name="w")).field == "slots"
    assert refusal(worker_pb2.Hello(slots=1)).field == "name"


# ---------------------------------------------------------------- depth

nested = st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def depth_by_walking(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 0
    below = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth_by_walking, below), default=0)


@given(nested, st.booleans())
def test_the_depth_of_a_text_is_that_of_what_it_says(value: Any, plain: bool) -> None:
    assert depth_of(json.dumps(value, ensure_ascii=plain)) == depth_by_walking(value)


@pytest.mark.parametrize(
    "text",
    ["[" * 1_000_000, '[{"a":' * 300_000, '"' * 1_000_000, '"\\"' * 300_000, '"' + '\\"' * 500_000, "[]" * 500_000],
    ids=["open", "pairs", "quotes", "texts of a quote", "a text without an end", "siblings"],
)
def test_the_depth_of_a_hostile_text_is_found_in_one_go(text: str) -> None:
    begun = process_time()
    depth_of(text)
    assert process_time() - begun < 2.0  # about 0.1 s; what looks again from each quote takes hours
