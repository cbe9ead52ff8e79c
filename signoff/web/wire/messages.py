"""Messages of the protos as JSON and back, by protobuf's own mapping.

An unknown field is refused with its name: a misspelt one must not be dropped without a word.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from signoff.errors import InvalidField

Kind = TypeVar("Kind", bound=Message)

BODY = "body"
SHOWN = 60


def record(message: Message) -> dict[str, Any]:
    """Returns a message as a JSON object. Fields with default values are left out."""
    return json_format.MessageToDict(message)


def encode(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def read_object(body: bytes) -> dict[str, Any]:
    """Reads a JSON object; an empty body is an empty one. Raises InvalidField."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidField(BODY, "a JSON object", f"bytes that are none ({error})") from None
    if not isinstance(value, dict):
        raise InvalidField(BODY, "a JSON object", f"a {type(value).__name__}")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def read_message(value: dict[str, Any], kind: type[Kind], allowed: Collection[str]) -> Kind:
    """Reads a message with the fields allowed, named as in JSON. Raises InvalidField with the field's name."""
    for name in value:
        if name not in allowed:
            raise InvalidField(name[:SHOWN], f"one of the fields {', '.join(allowed) or '(none)'}", "an unknown one")
    # guard: unknown fields are refused -> pass
    _check_names(value, kind.DESCRIPTOR, "")
    try:
        return json_format.ParseDict(value, kind(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidField(BODY, f"the fields of {kind.DESCRIPTOR.name} in JSON", f"other values ({error})") from None


def _check_names(value: Any, descriptor: Any, path: str) -> None:
    """Raises InvalidField for a name that is no field of its message, at any depth."""
    if not isinstance(value, dict) or descriptor.full_name.startswith("google.protobuf."):
        return
    fields = {name: field for field in descriptor.fields for name in (field.json_name, field.name)}
    for name, inner in value.items():
        place = f"{path}{name}"
        field = fields.get(name)
        if field is None:
            known = ", ".join(field.json_name for field in descriptor.fields) or "(none)"
            raise InvalidField(place[:SHOWN], f"one of the fields {known}", "an unknown one")
        _check_field(inner, field, place)


def _check_field(value: Any, field: FieldDescriptor, place: str) -> None:
    inner = field.message_type
    if inner is None or inner.GetOptions().map_entry:
        return
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        _check_names(item, inner, f"{place}[{number}]." if isinstance(value, list) else f"{place}.")
