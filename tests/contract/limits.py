"""Writes the page of limits from the fields' options: `python -m tests.contract.limits > docs/reference/limits.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor

from signoff.bounds import FORMS, bounds_in
from signoff.v1 import bounds_pb2, plan_pb2, planner_pb2, runner_pb2, worker_pb2

SERVICES: Sequence[ServiceDescriptor] = [
    service
    for module in (worker_pb2, runner_pb2, planner_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
]

#: Incoming messages, by their senders. A message with several senders stands where it is met first.
SECTIONS: Mapping[str, Sequence[Descriptor]] = {
    "What workers send": [worker_pb2.ConnectRequest.DESCRIPTOR],
    "Requests": [method.input_type for service in SERVICES for method in service.methods],
    "Maps, as the planner answers them": [plan_pb2.MapPart.DESCRIPTOR],
    "What the runner sends to workers": [worker_pb2.ConnectResponse.DESCRIPTOR],
}

OPENING = """# Limits

Every field that a peer can send has bounds. They stand in the protos, as options of the fields, and are checked from
there before anything else looks at a message; this page is written from them:

```sh
.venv/bin/python -m tests.contract.limits > docs/reference/limits.md
```

A value out of its bounds is refused with `INVALID_ARGUMENT`, reason `INVALID_FIELD`, and the path of the field, such as
`messages[3].verdict.judge` or `settings.retry_base`. A request that is refused changes nothing. In a worker's frame,
the messages before the one that is refused count, and the stream ends. Two kinds of values are taken all the same: a
text for people is *cut* (its last character is then an ellipsis), and a few numbers are *clamped* to the nearer bound.
An empty text is always within its form.

Fields that are not listed need no bound: flags, enums (an unknown number counts as unspecified), and single messages,
whose fields are listed. A map that the planner answers is checked as a whole besides: see
[plans.md](plans.md#maps-that-are-refused). The names of tasks and groups in the settings of a request are at most 1 MiB
in all.
"""


def main() -> None:
    sys.stdout.write(page())


def page() -> str:
    """Returns the page as it must be in docs/."""
    seen: set[str] = set()
    parts = [OPENING]
    for title, roots in SECTIONS.items():
        messages = [message for message in reachable(roots) if message.full_name not in seen]
        seen |= {message.full_name for message in messages}
        parts += [f"\n## {title}\n", *map(_table, filter(_has_rows, messages))]
    return "".join(parts)


def reachable(roots: Sequence[Descriptor]) -> Iterator[Descriptor]:
    """Yields the messages of the contract in these, themselves included, each once, without entries of maps."""
    seen: set[str] = set()
    pending = list(reversed(roots))
    while pending:
        message = pending.pop()
        if message.full_name not in seen and message.file.package == "signoff.v1":
            seen.add(message.full_name)
            if not message.GetOptions().map_entry:
                yield message
                below = [field.message_type for field in message.fields if field.message_type is not None]
                pending += reversed(below)


def needs_bounds(field: FieldDescriptor) -> bool:
    """Tells whether a field needs bounds: all do but flags, enums and single messages."""
    if field.is_repeated or field.message_type is None:
        return field.is_repeated or field.type not in (FieldDescriptor.TYPE_BOOL, FieldDescriptor.TYPE_ENUM)
    return field.message_type.full_name == "google.protobuf.Duration"


def _has_rows(message: Descriptor) -> bool:
    return any(map(needs_bounds, message.fields))


def _table(message: Descriptor) -> str:
    rows = [f"| `{field.name}` | {words(field)} |\n" for field in message.fields if needs_bounds(field)]
    return f"\n### {message.name}\n\n| field | bounds |\n|---|---|\n{''.join(rows)}"


def words(field: FieldDescriptor) -> str:
    """Returns the bounds of a field, in words."""
    bounds = bounds_in(field)
    said = [f"at most {bounds.max_items:,} entries"] if bounds.max_items else []
    if bounds.max_key_chars:
        said.append(f"each key of at most {bounds.max_key_chars:,} characters")
    value = ", ".join(_of_value(field, bounds))
    said += [f"each {value}" if bounds.max_items else value] if value else []
    if bounds.keep_items:
        said.append(f"{bounds.keep_items:,} of them are kept, {bounds.keep_bytes:,} bytes of these whole")
    return "; ".join(said)


def _of_value(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> Iterator[str]:
    if bounds.required:
        yield "needed"
    if bounds.clip_chars:
        yield f"cut to {bounds.clip_chars:,} characters"
    if bounds.form:
        yield FORMS[bounds.form][2]
    if bounds.max_chars:
        yield f"at most {bounds.max_chars:,} characters"
    if bounds.max_bytes:
        yield f"at most {bounds.max_bytes:,} bytes"
    if bounds.max_depth:
        yield f"at most {bounds.max_depth:,} levels of arrays and objects"
    if bounds.HasField("max"):
        yield from _of_number(field, bounds)


def _of_number(field: FieldDescriptor, bounds: bounds_pb2.Bounds) -> Iterator[str]:
    if bounds.max >= 2**64 - 1:
        yield "any number of 64 bits"
        return
    unit = " s" if field.message_type is not None else ""
    yield f"{_number(bounds.min)} to {_number(bounds.max)}{unit}"
    if bounds.clamp:
        yield "clamped"


def _number(value: float) -> str:
    return f"{int(value):,}" if value.is_integer() else f"{value:f}"


if __name__ == "__main__":
    main()
