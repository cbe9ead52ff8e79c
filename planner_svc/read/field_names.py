"""Goes over the names of fields, object by object, and decides about each name that the vocabulary does not have.

- A misspelt name, or a synonym, is an error that names the right field. Reading goes on as if the name had been right,
  so that one mistake causes one diagnostic.
- A name of the writer's own (`x-…`), or a foreign one, is accepted.
- Any other name is one warning for the whole plan. In an object that is closed, its reader makes it an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from planner_svc.diagnostics import Diagnostics, quoted
from planner_svc.read.object_types import ObjectType
from planner_svc.read.places import entry_of, field_of

BlameCoded = Callable[[str, str, str], None]  # reports a problem: its code, its place and a sentence

_EMPTY: tuple[Any, ...] = (None, "", [], {})


def is_right(raw: Any, object_type: ObjectType) -> bool:
    """Tells whether all names in an object, or a list of objects, are right: nearly all of them are."""
    if isinstance(raw, list):
        return all(is_right(entry, object_type) for entry in raw)
    if not isinstance(raw, dict):
        return True
    object_type = object_type.form_of(raw)
    if not raw.keys() <= object_type.plain:
        return False
    return all(raw.get(name) is None or is_right(raw[name], below) for name, below in object_type.below)


class FieldNames:
    """Corrects the names of all fields of one plan, and reports those that were wrong."""

    def __init__(self, diagnostics: Diagnostics, blame: BlameCoded) -> None:
        self._diagnostics, self._blame = diagnostics, blame
        self._ignored = set[str]()  # names that were reported

    def put_right(self, raw: dict[str, Any], object_type: ObjectType, place: str) -> dict[str, Any]:
        """Returns the object at a place, and all below it, with the right names: itself, when it had them."""
        if object_type.kinds:
            raw = self._with_right_names(raw, object_type, place)
        object_type = object_type.form_of(raw)
        if not object_type.kinds and not raw.keys() <= object_type.plain:
            raw = self._with_right_names(raw, object_type, place)
        for name, below in object_type.below:
            if (value := raw.get(name)) is not None:
                corrected = self._value(value, below, field_of(place, name))
                raw = raw if corrected is value else {**raw, name: corrected}
        return raw

    def _value(self, value: Any, object_type: ObjectType, place: str) -> Any:
        """Corrects the names in an object, or in each object of a list. The reader reports a value that is neither."""
        if isinstance(value, dict):
            return self.put_right(value, object_type, place)
        if not isinstance(value, list):
            return value
        corrected = [
            self.put_right(entry, object_type, entry_of(place, n)) if isinstance(entry, dict) else entry
            for n, entry in enumerate(value)
        ]
        return value if all(one is other for one, other in zip(corrected, value, strict=True)) else corrected

    def _with_right_names(self, raw: dict[str, Any], object_type: ObjectType, place: str) -> dict[str, Any]:
        corrected = dict(raw)
        for name, value in raw.items():
            if object_type.form_of(corrected) is not object_type:
                break  # its kind has a name now, and its own fields
            if name in object_type.fields:
                continue
            if object_type.accepts(name, corrected):
                self._drop(corrected, name, object_type)
                continue
            meant = object_type.right_names(name)
            if not meant:
                # guard: unknown fields are told -> (removed)
                self._ignore(name, object_type, place)
                continue
            if meant[0] in object_type.fields or value not in _EMPTY:
                # guard: misspelt fields are errors -> pass
                self._report_misspelt(name, meant, object_type, place)
            del corrected[name]
            for right in meant:  # of `type` and `types`, it is the one that is not there
                if right in object_type.fields and corrected.get(right) is None:
                    corrected[right] = value
                    break
        return raw if corrected.keys() == raw.keys() else corrected

    def _drop(self, corrected: dict[str, Any], name: str, object_type: ObjectType) -> None:
        """Takes a name that is accepted out of a closed object, whose reader reports every name it does not know."""
        if object_type.is_closed:
            del corrected[name]

    def _report_misspelt(self, name: str, meant: Sequence[str], object_type: ObjectType, place: str) -> None:
        if not self._diagnostics.left_out("misspelt-field"):
            message = f"{quoted(name)} is no field of {object_type.what}: did you mean {' or '.join(meant)}?"
            self._blame("misspelt-field", field_of(place, name), message)

    def _ignore(self, name: str, object_type: ObjectType, place: str) -> None:
        """unknown-field: once for each name. In a closed object the reader makes it an error instead."""
        if object_type.is_closed or object_type.kinds or name in self._ignored:
            return
        if self._diagnostics.left_out("unknown-field"):
            return
        self._ignored.add(name)
        message = f"{quoted(name)} is no field of {object_type.what}: it is ignored, here and elsewhere"
        self._blame("unknown-field", field_of(place, name), message)
