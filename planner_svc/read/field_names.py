"""The names of fields, object by object: what becomes of one that the table of levels does not have.

- One that is misspelt, or a synonym, is an error that names the right one. Reading goes on as if it had been right, so
  that one mistake causes one diagnostic.
- One that is the writer's own (`x-…`), or foreign, is accepted.
- Any other is one warning for the whole plan; where the level is closed its reader makes it an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from planner_svc.diagnostics import Diagnostics, quoted
from planner_svc.read.levels import Level
from planner_svc.read.places import entry_of, field_of

Blame = Callable[[str, str, str], None]  # a code, a place and a sentence

_EMPTY: tuple[Any, ...] = (None, "", [], {})


def is_right(raw: Any, level: Level) -> bool:
    """Tells whether nothing is to be said of the names in an object, or list of objects: so it is nearly everywhere."""
    if isinstance(raw, list):
        return all(is_right(entry, level) for entry in raw)
    if not isinstance(raw, dict):
        return True
    if level.kinds:
        kind = raw.get("type")
        level = level.kinds.get(kind, level) if isinstance(kind, str) else level
    if not raw.keys() <= level.plain:
        return False
    return all(raw.get(name) is None or is_right(raw[name], below) for name, below in level.below)


class FieldNames:
    """Looks after the names of all fields of one plan."""

    def __init__(self, report: Diagnostics) -> None:
        self._report = report
        self._ignored = set[str]()  # those that were told

    def put_right(self, raw: dict[str, Any], level: Level, place: str, blame: Blame) -> dict[str, Any]:
        """Returns the object at a place, and all below it, with the right names: itself, when it had them."""
        if level.kinds:
            raw = self._with_right_names(raw, level, place, blame)
            kind = raw.get("type")
            level = level.kinds.get(kind, level) if isinstance(kind, str) else level
        if not level.kinds and not raw.keys() <= level.plain:
            raw = self._with_right_names(raw, level, place, blame)
        for name, below in level.below:
            if (value := raw.get(name)) is not None:
                put = self._value(value, below, field_of(place, name), blame)
                raw = raw if put is value else {**raw, name: put}
        return raw

    def _value(self, value: Any, level: Level, place: str, blame: Blame) -> Any:
        """An object, or each object of a list; what is neither is its reader's to blame."""
        if isinstance(value, dict):
            return self.put_right(value, level, place, blame)
        if not isinstance(value, list):
            return value
        put = [
            self.put_right(entry, level, entry_of(place, n), blame) if isinstance(entry, dict) else entry
            for n, entry in enumerate(value)
        ]
        return value if all(one is other for one, other in zip(put, value, strict=True)) else put

    def _with_right_names(self, raw: dict[str, Any], level: Level, place: str, blame: Blame) -> dict[str, Any]:
        put = dict(raw)
        for name, value in raw.items():
            if name in level.fields:
                continue
            if level.accepts(name, put):
                self._drop(put, name, level)
                continue
            meant = level.right_names(name)
            if not meant:
                # guard: unknown fields are told -> (removed)
                self._ignore(name, level, place, blame)
                continue
            if meant[0] in level.fields or value not in _EMPTY:
                # guard: misspelt fields are errors -> pass
                self._report_misspelt(name, meant, level, place, blame)
            del put[name]
            if meant[0] in level.fields and put.get(meant[0]) is None:
                put[meant[0]] = value
        return raw if put.keys() == raw.keys() else put

    def _drop(self, put: dict[str, Any], name: str, level: Level) -> None:
        """A reader of a closed level blames whatever it does not know."""
        if level.is_closed:
            del put[name]

    def _report_misspelt(self, name: str, meant: Sequence[str], level: Level, place: str, blame: Blame) -> None:
        if not self._report.left_out("misspelt-field"):
            message = f"{quoted(name)} is no field of {level.what}: did you mean {' or '.join(meant)}?"
            blame("misspelt-field", field_of(place, name), message)

    def _ignore(self, name: str, level: Level, place: str, blame: Blame) -> None:
        """unknown-field: once for each name. The reader of a closed level has an error for it instead."""
        if level.is_closed or level.kinds or name in self._ignored or self._report.left_out("unknown-field"):
            return
        self._ignored.add(name)
        message = f"{quoted(name)} is no field of {level.what}: it is ignored, here and elsewhere"
        blame("unknown-field", field_of(place, name), message)
