"""The references of a JSON Schema: each must lead to a place inside it, or to a metaschema, and come to an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import referencing.exceptions
from referencing.jsonschema import specification_with

from planner_svc.diagnostics import quoted
from signoff.schemas.drafts import Draft
from signoff.schemas.validator import registry, without_drafts
from signoff.schemas.walk import Subschema, children_of

# Schemas below these keywords apply to the same value, not to a part of it.
_SAME_VALUE = ("not", "if", "then", "else")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf", "extends", "disallow", "type")
_SAME_VALUE_MAPS = ("dependentSchemas", "dependencies")

_KEYWORDS = {Draft.DRAFT_2019_09: ("$ref", "$recursiveRef"), Draft.DRAFT_2020_12: ("$ref", "$dynamicRef")}
_IGNORING_SIBLINGS = (Draft.DRAFT_3, Draft.DRAFT_4, Draft.DRAFT_6, Draft.DRAFT_7)


class References:
    """The references of a schema, and all of its parts that may be applied."""

    def __init__(self, schema: dict[str, Any], draft: Draft) -> None:
        schema = without_drafts(schema)
        self._draft = draft
        self._specification = specification_with(draft.value)
        resource = self._specification.create_resource(schema)
        root = registry().resolver_with_root(resource)
        self._parts = dict[int, Subschema]()
        self._targets = dict[int, list[Any]]()
        self._found: list[tuple[Subschema, Any]] = [(Subschema(schema=schema, pointer="#"), root)]

    def parts(self) -> Iterable[Subschema]:
        """Returns all schemas that may be applied, without those of metaschemas."""
        return self._parts.values()

    def check(self) -> None:
        """Follows all references. Raises ValueError for one that leads elsewhere, nowhere, or round in a circle."""
        while self._found:
            part, resolver = self._found.pop()
            if id(part.schema) not in self._parts:
                self._parts[id(part.schema)] = part
                self._visit(part, resolver)
        # guard: schemas come to an end -> (removed)
        self._check_endless()

    def _visit(self, part: Subschema, resolver: Any) -> None:
        """Looks at a part, and notes the parts that it leads to. `resolver` belongs to the part around it."""
        own = self._own(part, resolver)
        self._targets[id(part.schema)] = []
        for reference in self._references(part.schema):
            resolved = self._resolved(reference, part, own)
            self._targets[id(part.schema)].append(resolved.contents)
            if isinstance(resolved.contents, dict) and not _is_metaschema(resolved.resolver):
                target = Subschema(schema=resolved.contents, pointer=f"{part.pointer}, {reference}"[:200])
                self._found.append((target, resolved.resolver))
        self._found.extend((child, own) for child in children_of(part))

    def _own(self, part: Subschema, resolver: Any) -> Any:
        """Returns the resolver of a part, whose $id is the base of its references."""
        try:
            return resolver.in_subresource(self._specification.create_resource(part.schema))
        except ValueError as error:  # from urllib
            id_ = quoted(str(part.schema.get("$id", part.schema.get("id"))))
            raise ValueError(f"expected an id that is a URI, but got {id_} at {part.pointer}") from error

    def _references(self, schema: dict[str, Any]) -> list[str]:
        keywords = _KEYWORDS.get(self._draft, ("$ref",))
        return [schema[keyword] for keyword in keywords if isinstance(schema.get(keyword), str)]

    def _resolved(self, reference: str, part: Subschema, resolver: Any) -> Any:
        try:
            resolved = resolver.lookup(reference)
        except referencing.exceptions.Unresolvable as error:
            raise ValueError(_nowhere(reference, part, error)) from error
        except ValueError as error:  # from urllib, or a pointer into a list that is no number
            raise ValueError(
                f"expected references that lead somewhere, but got {quoted(reference)} at {part.pointer}"
            ) from error
        if not isinstance(resolved.contents, dict | bool):
            raise ValueError(f"expected references to schemas, but got {quoted(reference)} at {part.pointer}")
        return resolved

    def _check_endless(self) -> None:
        """Raises ValueError for a schema that applies itself to the same value, which would never come to an end."""
        done, open_ = set[int](), set[int]()
        for part in self._parts.values():
            pending = [(part.schema, False)]
            while pending:
                here, is_left = pending.pop()
                if is_left:
                    open_.remove(id(here))
                    done.add(id(here))
                elif id(here) in open_:
                    raise ValueError("expected references that come to an end, but got one that leads back to itself")
                elif id(here) not in done:
                    open_.add(id(here))
                    pending += [(here, True), *((after, False) for after in self._same_value(here))]

    def _same_value(self, schema: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns the schemas that a schema applies to its own value, and not to a part of it."""
        found = list(self._targets.get(id(schema), ()))
        if "$ref" not in schema or self._draft not in _IGNORING_SIBLINGS:
            found += _beside(schema)
        return [applied for applied in found if isinstance(applied, dict)]


def _beside(schema: dict[str, Any]) -> Iterator[Any]:
    yield from (schema.get(keyword) for keyword in _SAME_VALUE)
    for keyword in _SAME_VALUE_LISTS:
        yield from listed if isinstance(listed := schema.get(keyword), list) else ()
    for keyword in _SAME_VALUE_MAPS:
        yield from named.values() if isinstance(named := schema.get(keyword), dict) else ()


def _is_metaschema(resolver: Any) -> bool:
    """Tells whether a reference has left the schema for a document of the library."""
    return id(resolver.lookup("#").contents) in _metaschemas()


@cache
def _metaschemas() -> frozenset[int]:
    known = registry()
    return frozenset(id(known.contents(uri)) for uri in known)


def _nowhere(reference: str, part: Subschema, error: Exception) -> str:
    if isinstance(error, referencing.exceptions.PointerToNowhere | referencing.exceptions.NoSuchAnchor):
        return f"expected references that lead somewhere, but got {quoted(reference)} at {part.pointer}"
    if isinstance(error, referencing.exceptions.InvalidAnchor):
        return f"expected an anchor or a JSON pointer after the #, but got {quoted(reference)} at {part.pointer}"
    rule = "references inside the schema or to a metaschema, for no other document is fetched"
    return f"expected {rule}, but got {quoted(reference)} at {part.pointer}"
