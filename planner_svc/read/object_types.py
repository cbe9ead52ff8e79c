"""The type of an object in plan.json: which fields it has, and which field another name was meant to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from planner_svc.read.spelling import closest, folded

FREE = ("_", "x-", "X-", "$")  # a field whose name begins so is the writer's own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ObjectType:
    """One type of object in a plan, such as a task or a check of one kind."""

    what: str  #: its name in a message, such as "a task"
    fields: Mapping[str, ObjectType | None]  #: each with the type of the objects under it, if it holds objects
    synonyms: Mapping[str, str] = field(default_factory=dict)  #: the right name, by the folded synonym
    foreign: frozenset[str] = frozenset()  #: names that are accepted and mean nothing here
    is_closed: bool = False  #: any other field is an error: a limit with a typo in its name would be no limit
    kinds: Mapping[str, ObjectType] = field(default_factory=dict)  #: by the object's `type`, when it has several forms

    def form_of(self, raw: Mapping[str, Any]) -> ObjectType:
        """Returns the type of one object: the form that its `type` names, when there are several."""
        kind = raw.get("type") if self.kinds else None
        return self.kinds.get(kind, self) if isinstance(kind, str) else self

    def right_names(self, name: str) -> tuple[str, ...]:
        """Returns what a name was meant to be: a field, or the path where it belongs; empty when no name is near."""
        return _right_names(self, name)

    @property
    def plain(self) -> frozenset[str]:
        """Returns the names that may stand in an object beside any other names."""
        return _plain(self)

    @property
    def below(self) -> tuple[tuple[str, ObjectType], ...]:
        """Returns the fields that hold objects, each with their type."""
        return _below(self)

    def accepts(self, name: str, raw: Mapping[str, Any]) -> bool:
        """Tells whether a name that is no field may still stand in an object."""
        if name.startswith(FREE):
            return True
        return folded(name) in _foreign(self) and self.synonyms.get(folded(name), name) not in self.fields.keys() - raw


@lru_cache(maxsize=4096)
def _right_names(object_type: ObjectType, name: str) -> tuple[str, ...]:
    right_name = object_type.synonyms.get(folded(name))
    if right_name is not None:
        return (right_name,)
    return closest(name, object_type.fields) or tuple(_places_below(object_type, name))


def _places_below(object_type: ObjectType, name: str) -> Iterator[str]:
    """Yields where a field belongs that stands one object too high, such as `criteria` beside `validation`."""
    for above, below in object_type.fields.items():
        if below is not None and not below.kinds and name in below.fields:
            yield f"{above}.{name}"


@lru_cache(maxsize=256)
def _plain(object_type: ObjectType) -> frozenset[str]:
    return frozenset(object_type.fields) | {name for name in object_type.foreign if not object_type.right_names(name)}


@lru_cache(maxsize=256)
def _below(object_type: ObjectType) -> tuple[tuple[str, ObjectType], ...]:
    return tuple((name, below) for name, below in object_type.fields.items() if below is not None)


@lru_cache(maxsize=256)
def _foreign(object_type: ObjectType) -> frozenset[str]:
    return frozenset(map(folded, object_type.foreign))


# ---------------------------------------------------------------- tables


def words(text: str) -> frozenset[str]:
    """Returns the words of a text."""
    return frozenset(text.split())


def field_table(text: str, **below: ObjectType) -> Mapping[str, ObjectType | None]:
    """Makes the table of fields from their names, with the types of the objects below some of them."""
    return MappingProxyType({name: below.get(name) for name in text.split()})


def synonym_table(**texts: str) -> Mapping[str, str]:
    """Makes the table of synonyms from each right name with its synonyms."""
    return synonym_table_of(texts)


def synonym_table_of(texts: Mapping[str, str]) -> Mapping[str, str]:
    """Does what `synonym_table` does, for right names that are no words."""
    return MappingProxyType({folded(name): right for right, text in texts.items() for name in text.split()})
