"""JSON Schemas of the messages of the protos, by protobuf's own JSON mapping, with the comments of the protos."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from signoff.web.openapi.comments import comment_of

REF = "#/components/schemas/"
JSON = dict[str, Any]

_WELL_KNOWN: Mapping[str, JSON] = MappingProxyType(
    {
        "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
        "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$"},
    }
)
_INT64 = {"type": "string", "pattern": "^-?[0-9]{1,20}$", "description": "A 64-bit integer, as a text."}
_SCALARS: Mapping[int, JSON] = MappingProxyType(
    {
        FieldDescriptor.CPPTYPE_INT32: {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
        FieldDescriptor.CPPTYPE_UINT32: {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        FieldDescriptor.CPPTYPE_INT64: _INT64,
        FieldDescriptor.CPPTYPE_UINT64: {**_INT64, "pattern": "^[0-9]{1,20}$"},
        FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number"},
        FieldDescriptor.CPPTYPE_FLOAT: {"type": "number"},
        FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    }
)


class Schemas:
    """The schemas of messages and enums that were referred to, each once, by its name."""

    def __init__(self) -> None:
        self.components: dict[str, JSON] = {}

    def reference(self, descriptor: Any) -> JSON:
        """Returns a reference to a message, whose schema is made if it is new."""
        known = _WELL_KNOWN.get(descriptor.full_name)
        if known is not None:
            return dict(known)
        if descriptor.name not in self.components:
            self.components[descriptor.name] = {}  # a message may be inside itself
            self.components[descriptor.name] = self.message(descriptor)
        return {"$ref": REF + descriptor.name}

    def message(self, descriptor: Any, only: Any = None, more: Mapping[str, JSON] | None = None) -> JSON:
        """Returns the schema of a message; `only` some of its fields, and `more` besides them."""
        properties = {
            field.json_name: self._field(descriptor.name, field)
            for field in descriptor.fields
            if only is None or field.json_name in only
        }
        described = {"description": text} if (text := comment_of(descriptor.name)) else {}
        whole = {**properties, **(more or {})}
        return {"type": "object", **described, "properties": whole, "additionalProperties": False}

    def _field(self, message: str, field: Any) -> JSON:
        described = {"description": text} if (text := comment_of(message, field.name)) else {}
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            values = self._value(field.message_type.fields_by_name["value"])
            return {"type": "object", "additionalProperties": values, **described}
        value = self._value(field)
        if field.is_repeated:
            return {"type": "array", "items": value, **described}
        return {**value, **described}

    def _value(self, field: Any) -> JSON:
        if field.message_type is not None:
            return self.reference(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return dict(_SCALARS.get(field.cpp_type, {"type": "string"}))

    def _enum(self, enum: Any) -> JSON:
        described = {"description": text} if (text := comment_of(enum.name)) else {}
        self.components.setdefault(enum.name, {"type": "string", "enum": [v.name for v in enum.values], **described})
        return {"$ref": REF + enum.name}
