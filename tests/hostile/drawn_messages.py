"""Messages of the contract, drawn from their descriptors: mostly good, some at a bound, a few beyond, now and then odd.

The bounds are read from the options of the fields. Ids that a runner has given (leases, executions, artifacts) are used
again in the fields of these names. So drawn messages get past the reader and the bounds, into the core.
"""

from __future__ import annotations

import math
import random
import string
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from signoff.bounds import bounds_in
from signoff.v1 import bounds_pb2

MessageT = TypeVar("MessageT", bound=Message)

LARGE = 3_000  # characters or bytes: what is drawn at a bound beyond it is rarely that long
MOST_ITEMS = 4
UNKNOWN_ENUMS = (4_711, -1, 2**31 - 1, -(2**31))
WHOLE = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
LETTERS = {
    bounds_pb2.FORM_TASK_ID: string.ascii_letters + string.digits + "_",
    bounds_pb2.FORM_PLAN_ID: string.ascii_letters + string.digits + "_-",
    bounds_pb2.FORM_ID: string.ascii_letters + string.digits + "_.-",
    bounds_pb2.FORM_SHA256: "0123456789abcdef",
    bounds_pb2.FORM_LINE: string.printable[:95] + "äß金🙂\u00a0",
}
ANY = string.printable + "äß金🙂\u0000\u0085\u2028\ufeff\ufffd\u202e"
ODD_BYTES = (
    b"",
    b"\xff\xfe",
    b"\xed\xa0\xbd",  # half an emoji
    b'"\\ud83d"',  # the same, as JSON
    b"[" * 5_000,
    b'{"a": ' * 200 + b"1" + b"}" * 200,
    b"1e400",
    b"-" + b"9" * 5_000,
    b'{"a": NaN}',
    b"null",
)
ODD_TEXTS = (
    "../../x",
    "a/b",
    ".",
    "..",
    "\n",
    "\x00",
    "{}",
    "%s",
    "金星",
    "🙂" * 40,
    "'; drop table journal; --",
    "-1",
)


@dataclass(slots=True)
class Known:
    """The values that the runner has given, by the names of the fields that may hold them."""

    texts: dict[str, MutableSequence[str]] = field(default_factory=dict)

    def add(self, name: str, value: str, most: int = 50) -> None:
        values = self.texts.setdefault(name, [])
        values.append(value)
        del values[:-most]


class Drawer:
    """Draws values by chance."""

    def __init__(self, chance: random.Random, known: Known, *, beyond: float = 0.004) -> None:
        """Takes `beyond`, the share of values that are out of their bounds."""
        self.chance = chance
        self.known = known
        self._beyond = beyond

    def message(self, kind: type[MessageT], *, fields: float = 0.7) -> MessageT:
        """Draws a message with about this share of its fields set."""
        message = kind()
        for one in self._chosen(cast(Descriptor, kind.DESCRIPTOR)):
            if self.chance.random() < fields or bounds_in(one).required or one.containing_oneof is not None:
                self._fill(message, one)
        return message

    def _chosen(self, kind: Descriptor) -> Sequence[FieldDescriptor]:
        """Chooses one field of each oneof."""
        alone = [one for one in kind.fields if one.containing_oneof is None]
        return [*alone, *(self.chance.choice(choice.fields) for choice in kind.oneofs)]

    def _fill(self, message: Message, one: FieldDescriptor) -> None:
        if one.message_type is not None and one.message_type.GetOptions().map_entry:
            self._fill_map(getattr(message, one.name), one)
        elif one.is_repeated:
            self._fill_list(getattr(message, one.name), one)
        elif one.message_type is not None:
            getattr(message, one.name).CopyFrom(self._nested(one))
        else:
            setattr(message, one.name, self._value(one))

    def _fill_map(self, entries: Any, one: FieldDescriptor) -> None:
        assert one.message_type is not None
        value = one.message_type.fields_by_name["value"]
        for _ in range(self._count(one)):
            key = self._text(bounds_pb2.Bounds(max_chars=bounds_in(one).max_key_chars))
            if value.message_type is None:
                entries[key] = self._value(value, bounds_in(one))
            else:
                entries[key].CopyFrom(self.message(GetMessageClass(value.message_type)))

    def _fill_list(self, items: Any, one: FieldDescriptor) -> None:
        for _ in range(self._count(one)):
            if one.message_type is not None:
                items.add().CopyFrom(self._nested(one))
            else:
                items.append(self._value(one))

    def _count(self, one: FieldDescriptor) -> int:
        most = int(bounds_in(one).max_items)
        if self.chance.random() < self._beyond and most <= LARGE:
            return most + 1
        return min(most, self.chance.randrange(MOST_ITEMS))

    def _nested(self, one: FieldDescriptor) -> Message:
        assert one.message_type is not None
        name = one.message_type.full_name
        if name == Duration.DESCRIPTOR.full_name:
            return self._duration(bounds_in(one))
        if name == Timestamp.DESCRIPTOR.full_name:
            return Timestamp(seconds=self.chance.choice((0, 1, 1_700_000_000, 253_402_300_799)))
        return self.message(GetMessageClass(one.message_type))

    def _duration(self, bounds: bounds_pb2.Bounds) -> Duration:
        if self.chance.random() < self._beyond:
            odd = ((-1, 0), (315_576_000_001, 0), (-(2**63), -(2**31)), (2**63 - 1, 2**31 - 1), (1, -1), (0, 10**9))
            seconds, nanos = self.chance.choice(odd)
            return Duration(seconds=seconds, nanos=nanos)
        most = bounds.max if bounds.HasField("max") else 1e9
        length = max(bounds.min, self.chance.choice((0.0, 0.001, 1.0, min(60.0, most), most)))
        return Duration(seconds=int(length), nanos=int(length % 1 * 1e9))

    def _value(self, one: FieldDescriptor, bounds: bounds_pb2.Bounds | None = None) -> Any:
        bounds = bounds or bounds_in(one)
        match one.cpp_type:
            case FieldDescriptor.CPPTYPE_BOOL:
                return self.chance.random() < 0.5
            case FieldDescriptor.CPPTYPE_ENUM:
                assert one.enum_type is not None
                numbers = [value.number for value in one.enum_type.values]
                return self.chance.choice(UNKNOWN_ENUMS if self.chance.random() < self._beyond else numbers)
            case FieldDescriptor.CPPTYPE_STRING if one.type == FieldDescriptor.TYPE_BYTES:
                return self._bytes(bounds)
            case FieldDescriptor.CPPTYPE_STRING:
                known = self.known.texts.get(one.name)
                return self.chance.choice(known) if known and self.chance.random() < 0.8 else self._text(bounds)
            case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
                return self._real(bounds)
        return self._whole(bounds, *WHOLE[one.cpp_type])

    def _whole(self, bounds: bounds_pb2.Bounds, lowest: int, highest: int) -> int:
        low = max(int(bounds.required), int(bounds.min)) if bounds.HasField("min") else lowest
        high = min(int(bounds.max), highest) if bounds.HasField("max") else highest
        if self.chance.random() < self._beyond:
            return self.chance.choice((lowest, max(lowest, low - 1), min(highest, high + 1), highest))
        return self.chance.choice((low, min(low + 1, high), min(low + 3, high), self.chance.randint(low, high), high))

    def _real(self, bounds: bounds_pb2.Bounds) -> float:
        if self.chance.random() < self._beyond:
            return self.chance.choice((math.nan, math.inf, -math.inf, -1.0, 1e308, -0.0))
        low = bounds.min if bounds.HasField("min") else 0.0
        return self.chance.choice((low, low + 0.5, min(bounds.max, low + 10) if bounds.HasField("max") else 1e9))

    def _text(self, bounds: bounds_pb2.Bounds) -> str:
        if self.chance.random() < self._beyond:
            return self.chance.choice((*ODD_TEXTS, "x" * (min(self._most(bounds), 200_000) + 1)))
        if bounds.form == bounds_pb2.FORM_SHA256:
            return "".join(self.chance.choices(LETTERS[bounds.form], k=64))
        letters = LETTERS.get(bounds.form, ANY)
        count = self._length(bounds) // (1 if bounds.form else 4)
        return "".join(self.chance.choices(letters, k=max(int(bounds.required), count)))

    def _bytes(self, bounds: bounds_pb2.Bounds) -> bytes:
        if self.chance.random() < 0.3:
            return self.chance.choice(ODD_BYTES)
        return self.chance.randbytes(self._length(bounds))

    def _length(self, bounds: bounds_pb2.Bounds) -> int:
        """Draws a length: mostly short, and within the bounds and the form."""
        most = min(self._most(bounds), LARGE)
        return self.chance.choice((0, 1, min(12, most), min(60, most), most if self.chance.random() < 0.1 else 5))

    def _most(self, bounds: bounds_pb2.Bounds) -> int:
        said = [most for most in (bounds.max_chars, bounds.max_bytes, bounds.clip_chars) if most]
        return min(said) if said else 128
