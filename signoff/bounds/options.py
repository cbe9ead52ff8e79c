"""The option of a field that says its bounds."""

from __future__ import annotations

import functools
from typing import cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from signoff.v1 import bounds_pb2


@functools.cache
def bounds_of(kind: type[Message], field: str) -> bounds_pb2.Bounds:
    """Returns the bounds of a field by its name. Raises KeyError when there is none of that name."""
    return bounds_in(cast(FieldDescriptor, kind.DESCRIPTOR.fields_by_name[field]))


def bounds_in(field: FieldDescriptor) -> bounds_pb2.Bounds:
    """Returns the bounds that the option of a field states."""
    return field.GetOptions().Extensions[bounds_pb2.bounds]


def is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
