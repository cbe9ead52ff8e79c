"""The names of fields, object by object: what becomes of one that the table of levels does not have.

- One that is misspelt, or a synonym, is an error that names the right one. Reading goes on as if it had been right, so
  that one mistake causes one diagnostic.
- One that is the writer's own (`x-…`), or foreign, is accepted.
- Any other is one warning for the whole plan; where the level is closed its reader makes it an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planner_svc.diagnostics import Report, quoted
from planner_svc.levels import Level
from planner_svc.places import entry_of, field_of

Blame = Callable[[str, str, str], None]  # a code, a place and a sentence

_EMPTY: tuple[Any, ...] = (None, "", [], {})


class FieldNames:
    """Looks after the names of all fields of one plan."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._ignored = set[str]()  # those that were told

    def put_right(self, raw: dict[str, Any], level: Level, blame: Blame) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Returns an object whose fields have their right names, and where each that was moved really stands.

        The object is the given one when nothing was moved.
        """
        walk = _Walk(self._report, self._ignored, blame)
        return walk.of_object(raw, level, "", ""), walk.moved


class _Walk:
    """One object and all below it. A place is told twice: by the right names, and as the plan has it."""

    def __init__(self, report: Report, ignored: set[str], blame: Blame) -> None:
        self._report, self._ignored, self._blame = report, ignored, blame
        self.moved: dict[str, str] = {}

    def of_object(self, raw: dict[str, Any], level: Level, right: str, real: str) -> dict[str, Any]:
        if level.kinds:
            raw = self._with_right_names(raw, level, right, real)
            kind = raw.get("type")
            level = level.kinds.get(kind, level) if isinstance(kind, str) else level
        if not level.kinds and not raw.keys() <= level.fields.keys():
            raw = self._with_right_names(raw, level, right, real)
        for name, below in level.fields.items():
            if below is not None and (value := raw.get(name)) is not None:
                place = field_of(right, name)
                put = self._value(value, below, place, self.moved.get(place, field_of(real, name)))
                raw = raw if put is value else {**raw, name: put}
        return raw

    def _value(self, value: Any, level: Level, right: str, real: str) -> Any:
        """An object, or each object of a list; what is neither is its reader's to blame."""
        if isinstance(value, dict):
            return self.of_object(value, level, right, real)
        if not isinstance(value, list):
            return value
        put = [
            self.of_object(entry, level, entry_of(right, n), entry_of(real, n)) if isinstance(entry, dict) else entry
            for n, entry in enumerate(value)
        ]
        return value if all(one is other for one, other in zip(put, value, strict=True)) else put

    def _with_right_names(self, raw: dict[str, Any], level: Level, right: str, real: str) -> dict[str, Any]:
        put = dict(raw)
        for name, value in raw.items():
            if name in level.fields:
                continue
            if level.accepts(name, put):
                self._drop(put, name, level)
                continue
            place, meant = field_of(real, name), level.right_names(name)
            if not meant:
                self._ignore(name, level, place)
            elif meant[0] in level.fields or value not in _EMPTY:
                self._report_misspelt(name, meant, level, place)
                self._move(put, name, meant[0], level, right, place if place != real else "")
            else:
                self._drop(put, name, level)
        return raw if put.keys() == raw.keys() else put

    def _drop(self, put: dict[str, Any], name: str, level: Level) -> None:
        """A reader of a closed level blames whatever it does not know."""
        if level.is_closed:
            del put[name]

    def _move(self, put: dict[str, Any], name: str, meant: str, level: Level, right: str, place: str) -> None:
        value = put.pop(name)
        if place and meant in level.fields and put.get(meant) is None:
            put[meant] = value
            self.moved[field_of(right, meant)] = place

    def _report_misspelt(self, name: str, meant: tuple[str, ...], level: Level, place: str) -> None:
        if not self._report.left_out("misspelt-field"):
            message = f"{quoted(name)} is no field of {level.what}: did you mean {' or '.join(meant)}?"
            self._blame("misspelt-field", place, message)

    def _ignore(self, name: str, level: Level, place: str) -> None:
        """unknown-field: once for each name. The reader of a closed level has an error for it instead."""
        if level.is_closed or level.kinds or name in self._ignored or self._report.left_out("unknown-field"):
            return
        self._ignored.add(name)
        message = f"{quoted(name)} is no field of {level.what}: it is ignored, here and elsewhere"
        self._blame("unknown-field", place, message)


def real_place(place: str, moved: Mapping[str, str]) -> str:
    """Returns where the plan has what a reader found at a place."""
    for right in sorted(moved, key=len, reverse=True):
        if place == right or place.startswith((f"{right}.", f"{right}[")):
            return moved[right] + place[len(right) :]
    return place
